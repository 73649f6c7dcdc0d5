//! Where an object under test is: in this process or behind one of the transports. And how a test runs: on either kind of runtime,
//! or on a thread that may block; each with a guard that turns a hang into a failure.

use farcall::{Limits, Peer, Remote, Running, Server, transport};
use farcall_core::interface::Interface;
use std::{
    future::Future,
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// No test comes near it, unless it hangs.
const GUARD: Duration = Duration::from_secs(60);

/// Where an object is, seen from its caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// A `Remote` of an object of this process.
    Near,
    /// `inproc://`.
    Inproc,
    /// `unix://`.
    Unix,
    /// `shm://`.
    Shm,
    /// `tcp://`.
    Tcp,
    /// A wire made of a byte stream.
    Stream,
}

/// What serves the objects of a test. Dropping it closes the connections at once.
pub(crate) struct Host {
    pub(crate) running: Option<Running>,
    _directory: Option<TempDir>,
}

impl Place {
    /// Serves an object and connects to it.
    pub(crate) async fn host<I: Interface + ?Sized>(self, object: Remote<I>) -> (Remote<I>, Host) {
        self.host_within(object, Limits::default()).await
    }

    /// The same with other limits, on both sides, where the place has an address.
    pub(crate) async fn host_within<I: Interface + ?Sized>(
        self,
        object: Remote<I>,
        limits: Limits,
    ) -> (Remote<I>, Host) {
        match self {
            Self::Near => (object, Host { running: None, _directory: None }),
            Self::Stream => (over_a_stream(object).await, Host { running: None, _directory: None }),
            Self::Inproc | Self::Unix | Self::Shm | Self::Tcp => {
                let host =
                    self.start(Server::new().export("it", object).limits(limits.clone())).await;
                let remote = farcall::connect::<I>(host.address()).limits(limits).await;
                (remote.expect("the host listens"), host)
            }
        }
    }

    /// Starts a server at a fresh address of this transport.
    pub(crate) async fn start(self, server: Server) -> Host {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let named = matches!(self, Self::Unix | Self::Shm);
        let directory = named.then(|| tempfile::tempdir().expect("a directory"));
        let address = match (self, &directory) {
            (Self::Unix, Some(directory)) => {
                format!("unix://{}/a.sock", directory.path().display())
            }
            (Self::Shm, Some(directory)) => {
                format!("shm://{}/a.shm", directory.path().display())
            }
            (Self::Tcp, _) => "tcp://127.0.0.1:0".to_owned(),
            _ => format!("inproc://place-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
        };
        let running = server.listen(&address).start().await.expect("a fresh address");
        Host { running: Some(running), _directory: directory }
    }

    /// Limits that one can set reach the place.
    pub(crate) fn has_address(self) -> bool {
        matches!(self, Self::Inproc | Self::Unix | Self::Shm | Self::Tcp)
    }
}

impl Host {
    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.running.as_ref().expect("the place has an address").addresses()[0]
    }

    /// The address of one of its services.
    pub(crate) fn service(&self, name: &str) -> String {
        format!("{}#{name}", self.address())
    }
}

async fn over_a_stream<I: Interface + ?Sized>(object: Remote<I>) -> Remote<I> {
    let (near, far) = tokio::io::duplex(64 << 10);
    let wire = |stream| transport::wire(stream, Peer::new("stream", "the other end"));
    tokio::spawn(farcall::serve_over(wire(far), object));
    farcall::connect_over(wire(near)).await.expect("the other end serves")
}

/// Runs a test on a runtime of one thread.
pub(crate) fn one_thread(test: impl Future<Output = ()>) {
    run(&lone_thread(), test);
}

/// Runs a test on a runtime of several threads.
pub(crate) fn several_threads(test: impl Future<Output = ()>) {
    run(&threads(), test);
}

/// A runtime of one thread, which runs while it is driven.
pub(crate) fn lone_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A runtime of several threads.
pub(crate) fn threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn run(runtime: &Runtime, test: impl Future<Output = ()>) {
    runtime.block_on(async { tokio::time::timeout(GUARD, test).await.expect("the test hangs") });
}

/// Runs a test on a thread that may block.
pub(crate) fn on_a_thread(test: impl FnOnce() + Send + 'static) {
    let (sender, done) = mpsc::channel();
    let thread = thread::spawn(move || {
        test();
        let _ = sender.send(());
    });
    let ended = done.recv_timeout(GUARD);
    assert_ne!(ended, Err(mpsc::RecvTimeoutError::Timeout), "the test hangs");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}
