//! A chain of calls costs one round trip, on every transport: it runs to its end while no answer gets through.

use farcall::{
    Payload, Remote, Server,
    transport::{Buffer, Received, Rx, Trusted, Wire},
};
use farcall_core::address::Address;
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

#[farcall::remote]
trait Node {
    async fn next(&self) -> farcall::Result<Remote<dyn Node>>;
    async fn depth(&self) -> farcall::Result<u32>;
}

struct Step {
    depth: u32,
    ran: UnboundedSender<&'static str>,
}

impl Node for Step {
    async fn next(&self) -> farcall::Result<Remote<dyn Node>> {
        let _ = self.ran.send("next");
        Ok(Remote::new(Self { depth: self.depth + 1, ran: self.ran.clone() }))
    }
    async fn depth(&self) -> farcall::Result<u32> {
        let _ = self.ran.send("depth");
        Ok(self.depth)
    }
}

/// A receiving half from which nothing comes while it is shut.
struct Gated {
    rx: Box<dyn Rx>,
    shut: Arc<AtomicBool>,
}

impl Rx for Gated {
    fn recv(&mut self, frame: &mut Buffer) -> io::Result<Received> {
        if self.shut.load(Ordering::Acquire) {
            return Ok(Received::Empty);
        }
        self.rx.recv(frame)
    }
    fn payloads(&mut self) -> Vec<Payload> {
        self.rx.payloads()
    }
    fn trust(&mut self, trusted: Trusted) {
        self.rx.trust(trusted);
    }
    fn set_frame_limit(&mut self, bytes: usize) {
        self.rx.set_frame_limit(bytes);
    }
}

async fn ran(ran: &mut UnboundedReceiver<&'static str>, count: usize) -> Vec<&'static str> {
    let mut methods = Vec::new();
    while methods.len() < count {
        methods.push(ran.recv().await.expect("a servant is there"));
    }
    methods
}

fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    matches!(Pin::new(future).poll(&mut cx), Poll::Pending)
}

/// Lets answers through, and makes a call, so that somebody looks for them.
async fn reopen(
    shut: &AtomicBool,
    node: &Remote<dyn Node>,
    runs: &mut UnboundedReceiver<&'static str>,
) {
    shut.store(false, Ordering::Release);
    assert_eq!(node.depth().await, Ok(0));
    assert_eq!(ran(runs, 1).await, ["depth"]);
}

async fn chains_cost_one_round_trip(address: &str) {
    let (sender, mut runs) = unbounded_channel();
    let root = Remote::<dyn Node>::new(Step { depth: 0, ran: sender });
    let running = Server::new().export("it", root).listen(address).start().await;
    let running = running.expect("a fresh address");
    let address: Address = running.addresses()[0].parse().expect("it listens there");
    let transports = farcall_transports::all();
    let transport = transports.iter().find(|transport| transport.scheme() == address.scheme());
    let wire = transport.expect("it is built in").connect(&address).await.expect("it listens");
    let shut = Arc::new(AtomicBool::new(false));
    let rx = Box::new(Gated { rx: wire.rx, shut: Arc::clone(&shut) });
    let node = farcall::connect_over::<dyn Node>(Wire { rx, ..wire }).await.expect("it serves");

    shut.store(true, Ordering::Release);
    let mut depth = node.next().next().next().next().depth();
    assert_eq!(ran(&mut runs, 5).await, ["next", "next", "next", "next", "depth"]);
    assert!(is_pending(&mut depth), "no answer gets through");
    reopen(&shut, &node, &mut runs).await;
    assert_eq!(depth.await, Ok(4));

    // What is not pipelined stops at its first hop.
    shut.store(true, Ordering::Release);
    let mut first = node.next();
    assert_eq!(ran(&mut runs, 1).await, ["next"]);
    assert!(is_pending(&mut first), "no answer gets through");
    reopen(&shut, &node, &mut runs).await;
    assert_eq!(first.await.expect("it is there").depth().await, Ok(1));
}

#[tokio::test]
async fn over_inproc() {
    chains_cost_one_round_trip("inproc://a-chain").await;
}

#[tokio::test]
async fn over_tcp() {
    chains_cost_one_round_trip("tcp://127.0.0.1:0").await;
}

#[cfg(unix)]
#[tokio::test]
async fn over_unix() {
    let directory = tempfile::tempdir().expect("a directory");
    chains_cost_one_round_trip(&format!("unix://{}/a", directory.path().display())).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn over_shm() {
    let directory = tempfile::tempdir().expect("a directory");
    chains_cost_one_round_trip(&format!("shm://{}/a", directory.path().display())).await;
}
