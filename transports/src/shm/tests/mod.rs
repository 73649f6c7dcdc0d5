//! Shared memory beyond what every transport owes: the handshake, the way out, peers that lie, forks, and what it costs.

mod awake;
mod corpus;
mod fallback;
mod fork;
mod guards;
mod handshake;
mod hostile;
mod lending;

use super::{
    connecting::{self, Memory, Offer},
    end::End,
    handshake::Descriptors,
    mapping::Ours,
};
use farcall_core::{
    buffer::Buffer,
    transport::{Flush, Peer, Received, Wire},
};
use std::{
    future::poll_fn,
    io,
    os::{
        fd::{BorrowedFd, OwnedFd},
        unix::net::UnixStream as Socket,
    },
    sync::Arc,
    time::Duration,
};
use tokio::net::UnixStream;

/// Two wires after their handshake, with these offers.
async fn meet(client: Memory, server: Memory) -> (io::Result<Wire>, io::Result<Wire>) {
    let (left, right) = UnixStream::pair().expect("a pair of sockets");
    tokio::join!(
        connecting::connect(left, client, "shm://test"),
        connecting::accept(right, Offer::new(server), "shm://test"),
    )
}

/// Two wires through shared memory.
async fn pair() -> (Wire, Wire) {
    let (left, right) = meet(Memory::default(), Memory::default()).await;
    let both = (left.expect("a handshake"), right.expect("a handshake"));
    assert_eq!((both.0.peer.transport, both.1.peer.transport), ("shm", "shm"));
    both
}

/// One side of a wire, and what is inside.
struct Side {
    wire: Wire,
    end: Arc<End>,
    /// What it writes, for writing something else.
    segment: Ours,
}

/// Two sides that are connected without a handshake. Needs a runtime.
fn sides() -> (Side, Side) {
    let offer = || Offer::new(Memory::default()).expect("there is memory");
    let (left, right) = (offer(), offer());
    let (near, far) = Socket::pair().expect("a pair of sockets");
    let of_right =
        connecting::theirs(&left, right.geometry, given(&right)).expect("as it should be");
    let of_left = connecting::theirs(&right, left.geometry, given(&left)).expect("as it should be");
    let side = |offer: Offer, theirs, control: Socket| {
        control.set_nonblocking(true).expect("it can");
        let segment = offer.segment.clone();
        let end = offer.end(control.into(), theirs);
        let wire = connecting::halves(&end, Peer::new("shm", "shm://test")).expect("a runtime");
        Side { wire, end, segment }
    };
    (side(left, of_right, near), side(right, of_left, far))
}

fn given(offer: &Offer) -> Descriptors {
    let [memory, task, thread] = offer.descriptors().expect("it is open").map(copy);
    Descriptors { memory, task, thread }
}

fn copy(descriptor: BorrowedFd<'_>) -> OwnedFd {
    descriptor.try_clone_to_owned().expect("there are descriptors left")
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let limit = Duration::from_secs(60);
    let test = async { tokio::time::timeout(limit, test).await };
    runtime.expect("a runtime").block_on(test).expect("it hangs")
}

/// The next frame, or `None` at the end.
async fn recv(wire: &mut Wire) -> io::Result<Option<Vec<u8>>> {
    let mut frame = Buffer::new();
    loop {
        match wire.rx.recv(&mut frame)? {
            Received::Frame => return Ok(Some(frame.to_vec())),
            Received::Empty => poll_fn(|cx| wire.ready.poll_readable(cx)).await,
            Received::End | Received::Gone => return Ok(None),
        }
    }
}

async fn send(wire: &Wire, frame: &[u8]) -> io::Result<()> {
    wire.tx.append(&[frame], None)?;
    while wire.tx.flush()? == Flush::Blocked {
        poll_fn(|cx| wire.ready.poll_writable(cx)).await;
    }
    Ok(())
}
