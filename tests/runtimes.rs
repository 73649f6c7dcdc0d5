//! Runtimes that were built without timers, or without sockets: what needs none of them works there, and the rest says how to build one.

#![cfg(unix)]

use farcall::{Error, ErrorKind, Executed, Remote, Server};
use tokio::runtime::{Builder, Runtime};

#[farcall::remote]
trait Echo {
    async fn echo(&self, number: u64) -> farcall::Result<u64>;
}

struct Cave;

impl Echo for Cave {
    async fn echo(&self, number: u64) -> farcall::Result<u64> {
        Ok(number)
    }
}

fn cave() -> Remote<dyn Echo> {
    Remote::<dyn Echo>::new(Cave)
}

/// Serves, connects and calls in the runtime.
fn over(address: &str, runtime: &Runtime) -> farcall::Result<u64> {
    runtime.block_on(async {
        let running = Server::new().export("cave", cave()).listen(address).start().await?;
        farcall::connect::<dyn Echo>(running.address()).await?.echo(7).await
    })
}

fn lacks(what: &str) -> Error {
    Error::of(
        ErrorKind::NoRuntime,
        format!(
            "the tokio runtime of this code was built without {what}: build it with `enable_all()`"
        ),
    )
}

/// An address of each transport that has sockets.
fn with_sockets(folder: &tempfile::TempDir) -> Vec<String> {
    let folder = folder.path().display();
    let shared = cfg!(target_os = "linux").then(|| format!("shm://{folder}/a.shm"));
    let others = [format!("unix://{folder}/a.sock"), "tcp://127.0.0.1:0".to_owned()];
    others.into_iter().chain(shared).collect()
}

#[test]
fn without_timers() {
    let folder = tempfile::tempdir().expect("a directory");
    for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let runtime = builder.worker_threads(1).enable_io().build().expect("a runtime");
        for address in with_sockets(&folder).iter().chain([&"inproc://no-timers".to_owned()]) {
            assert_eq!(over(address, &runtime), Err(lacks("timers")), "{address}");
            // A client alone.
            let connecting = farcall::connect::<dyn Echo>(address);
            let error = runtime.block_on(connecting.into_future()).map(drop);
            assert_eq!(error, Err(lacks("timers")), "{address}");
        }
        let near = runtime.block_on(async { cave().echo(7).await });
        assert_eq!(near, Err(lacks("timers")));
        assert_eq!(near.map_err(|error| error.executed()), Err(Executed::No));
        let waited = cave();
        assert_eq!(waited.echo(7).wait(), Ok(7), "of a thread that is in no runtime");
    }
}

#[test]
fn without_sockets() {
    let folder = tempfile::tempdir().expect("a directory");
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    for address in with_sockets(&folder) {
        assert_eq!(over(&address, &runtime), Err(lacks("sockets")), "{address}");
        let connecting = farcall::connect::<dyn Echo>(&address);
        let error = runtime.block_on(connecting.into_future()).map(drop);
        assert_eq!(error, Err(lacks("sockets")), "{address}");
    }
    assert_eq!(over("inproc://no-sockets", &runtime), Ok(7));
    assert_eq!(runtime.block_on(async { cave().echo(7).await }), Ok(7));
}
