//! One suite, run against the wires of every transport.

mod faults;
mod flushing;
mod listening;
mod moving;
mod readiness;

use crate::{io, memory};
use farcall_core::{
    address::Address,
    buffer::Buffer,
    transport::{Flush, Peer, Received, Transport, Wire},
};
use std::{
    future::poll_fn,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// How two wires come to be connected.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Memory,
    Inproc,
    Duplex,
    #[cfg(feature = "tcp")]
    Tcp,
    #[cfg(feature = "tcp")]
    SplitTcp,
    #[cfg(all(unix, feature = "unix"))]
    Unix,
    #[cfg(all(target_os = "linux", feature = "shm"))]
    Shm,
}

const KINDS: &[Kind] = &[
    Kind::Memory,
    Kind::Inproc,
    Kind::Duplex,
    #[cfg(feature = "tcp")]
    Kind::Tcp,
    #[cfg(feature = "tcp")]
    Kind::SplitTcp,
    #[cfg(all(unix, feature = "unix"))]
    Kind::Unix,
    #[cfg(all(target_os = "linux", feature = "shm"))]
    Kind::Shm,
];

/// Two connected wires.
async fn pair(kind: Kind) -> (Wire, Wire) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("pair-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    match kind {
        Kind::Memory => memory::pair(),
        Kind::Inproc => meet(&crate::inproc::Inproc, &format!("inproc://{name}")).await,
        Kind::Duplex => {
            let (left, right) = tokio::io::duplex(5000);
            let peer = || Peer::new("duplex", "duplex:");
            (io::wire(left, peer()), io::wire(right, peer()))
        }
        #[cfg(feature = "tcp")]
        Kind::Tcp => meet(&crate::tcp::Tcp, "tcp://127.0.0.1:0").await,
        #[cfg(feature = "tcp")]
        Kind::SplitTcp => split_tcp().await,
        #[cfg(all(unix, feature = "unix"))]
        Kind::Unix => {
            let base = tempfile::tempdir().expect("a directory");
            let path = base.path().join("a.sock");
            meet(&crate::unix::Unix, &format!("unix://{}", path.display())).await
        }
        #[cfg(all(target_os = "linux", feature = "shm"))]
        Kind::Shm => {
            let base = tempfile::tempdir().expect("a directory");
            let path = base.path().join("a.shm");
            meet(&crate::shm::Shm::default(), &format!("shm://{}", path.display())).await
        }
    }
}

/// Listens and connects.
async fn meet(transport: &dyn Transport, at: &str) -> (Wire, Wire) {
    let at = at.parse().expect("an address");
    let mut listener = transport.listen(&at).await.expect("nobody else listens");
    let to: Address = listener.address().parse().expect("an address");
    let connected = transport.connect(&to).await.expect("somebody listens");
    let accepted = listener.accept().await.expect("somebody connects");
    (connected, accepted)
}

#[cfg(feature = "tcp")]
async fn split_tcp() -> (Wire, Wire) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (left, right) = tokio::join!(tokio::net::TcpStream::connect(address), listener.accept());
    let (right, _) = right.expect("somebody connects");
    let wire = |stream: tokio::net::TcpStream| {
        let (reader, writer) = stream.into_split();
        io::wire_of(reader, writer, Peer::new("split", "split:"))
    };
    (wire(left.expect("somebody listens")), wire(right))
}

/// Runs `test` on a runtime of its own for every kind of wires, and ends it should it hang.
fn for_each_kind<F: Future<Output = ()>>(test: impl Fn(Kind) -> F) {
    for kind in KINDS {
        println!("{kind:?}");
        run(test(*kind));
    }
}

/// Runs a test as one task. The runtime does not make it yield: that would wake what the wire did not.
fn run<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().expect("a runtime");
    let limit = Duration::from_secs(60);
    runtime
        .block_on(tokio::task::unconstrained(async { tokio::time::timeout(limit, test).await }))
        .expect("it hangs")
}

/// The next frame, or `None` at the end.
async fn recv(wire: &mut Wire) -> std::io::Result<Option<Vec<u8>>> {
    let mut frame = Buffer::new();
    loop {
        match wire.rx.recv(&mut frame)? {
            Received::Frame => return Ok(Some(frame.to_vec())),
            Received::Empty => readable(wire).await,
            Received::End | Received::Gone => return Ok(None),
        }
    }
}

async fn readable(wire: &Wire) {
    poll_fn(|cx| wire.ready.poll_readable(cx)).await;
}

async fn flush(wire: &Wire) -> std::io::Result<()> {
    while wire.tx.flush()? == Flush::Blocked {
        poll_fn(|cx| wire.ready.poll_writable(cx)).await;
    }
    Ok(())
}

async fn send(wire: &Wire, frame: &[u8]) {
    wire.tx.append(&[frame], None).expect("it is open");
    flush(wire).await.expect("it is open");
}

/// Bytes that differ from place to place.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8).collect()
}
