//! Making a wire of a connected control socket: the handshake from either side, and the way out where there is no memory.

use super::{
    doorbell::Doorbell,
    end::{End, Owned},
    forked::Origin,
    handshake::{self, Descriptors, Word},
    mapping::{self, Ours},
    ready::ShmReady,
    receiving::Receiving,
    ring::Geometry,
    segment,
    sending::Sending,
};
use crate::{
    stream::socket::{self, Reserved},
    unix::peer,
};
use farcall_core::{
    address::Address,
    error::{Error, ErrorKind},
    transport::{Peer, Wire},
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{net::UnixStream, time::timeout};

type Theirs = Owned<mapping::Theirs>;

/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Descriptors that a wire needs besides an offer: the peer's segment and doorbells, and what its readiness sleeps on.
const ROOM: usize = 5;

/// The memory that this side makes for a wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Memory {
    /// With an arena of so many bytes, if the system has memory to share.
    Arena(usize),
    /// None: for tests.
    #[cfg(test)]
    None,
}

impl Default for Memory {
    fn default() -> Self {
        Self::Arena(segment::ARENA)
    }
}

impl Memory {
    /// The same, as the address wants it.
    ///
    /// # Errors
    /// If no arena has so many bytes.
    pub(super) fn wanted(self, address: &Address) -> Result<Self, Error> {
        match address.arena() {
            Some(bytes) if segment::geometry(bytes).is_none() => {
                let text = format!(
                    "the address `{address}` is wrong: an arena has a whole number of MiB, and at most {} MiB",
                    Geometry::LARGEST_ARENA >> 20
                );
                Err(Error::of(ErrorKind::Address, text))
            }
            Some(bytes) if self.arena().is_some() => Ok(Self::Arena(bytes)),
            _ => Ok(self),
        }
    }

    fn arena(self) -> Option<usize> {
        match self {
            Self::Arena(bytes) => Some(bytes),
            #[cfg(test)]
            Self::None => None,
        }
    }
}

/// What a side brings into a handshake, made before it begins.
pub(super) struct Offer {
    pub(super) segment: Ours,
    pub(super) geometry: Geometry,
    task: Doorbell,
    thread: Doorbell,
    /// Keeps the room for the descriptors that are to come. What does not fit would be lost without an error.
    room: Vec<Doorbell>,
    origin: Origin,
}

impl Offer {
    /// # Errors
    /// Where there is no such memory, or descriptors are short.
    pub(super) fn new(memory: Memory) -> io::Result<Self> {
        let arena = memory.arena().ok_or(io::ErrorKind::Unsupported)?;
        let geometry = segment::geometry(arena).ok_or(io::ErrorKind::InvalidInput)?;
        let origin = Origin::here()?;
        let segment = segment::create(&geometry, origin)?;
        let (task, thread) = (Doorbell::new()?, Doorbell::new()?);
        let room = (0..ROOM).map(|_| Doorbell::new()).collect::<io::Result<_>>()?;
        Ok(Self { segment, geometry, task, thread, room, origin })
    }

    /// The peer's descriptors are about to come.
    fn make_room(&mut self) {
        self.room.clear();
    }

    /// What the peer is given.
    pub(super) fn descriptors(&self) -> io::Result<[BorrowedFd<'_>; 3]> {
        let memory = self.segment.memory().ok_or(io::ErrorKind::Unsupported)?;
        Ok([memory.as_fd(), self.task.as_fd(), self.thread.as_fd()])
    }

    /// This side of a wire, with what the peer has given.
    pub(super) fn end(self, control: OwnedFd, theirs: Theirs) -> Arc<End> {
        let Self { segment, geometry, task, thread, room: _, origin } = self;
        let ours = Owned { segment, geometry, task: Arc::new(task), thread };
        Arc::new(End::new(ours, theirs, control, origin))
    }

    async fn send(&self, stream: &UnixStream) -> io::Result<()> {
        handshake::send(stream, Word::Segment(self.geometry), &self.descriptors()?).await
    }
}

/// The client's side of the handshake.
pub(super) async fn connect(stream: UnixStream, memory: Memory, address: &str) -> io::Result<Wire> {
    within(async {
        let peer = peer(&stream, "shm", address)?;
        let mut offer = match Offer::new(memory) {
            Ok(offer) => offer,
            Err(error) => {
                handshake::send(&stream, Word::Frames, &[]).await?;
                return match handshake::receive(&stream).await? {
                    (Word::Frames, _) => over_socket(stream, peer, &why(&error)),
                    _ => Err(out_of_turn()),
                };
            }
        };
        offer.send(&stream).await?;
        offer.make_room();
        let (geometry, descriptors) = match handshake::receive(&stream).await? {
            (Word::Segment(geometry), Some(descriptors)) => (geometry, descriptors),
            (Word::Frames, _) => return over_socket(stream, peer, "the server has none"),
            (Word::Refused, _) => return Err(refused()),
            _ => return Err(out_of_turn()),
        };
        match theirs(&offer, geometry, descriptors) {
            Ok(theirs) => {
                handshake::send(&stream, Word::Go, &[]).await?;
                wire(stream, offer, theirs, peer)
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(error),
            Err(error) => {
                handshake::send(&stream, Word::Frames, &[]).await?;
                over_socket(stream, peer, &why(&error))
            }
        }
    })
    .await
}

/// The server's side of the handshake.
pub(super) async fn accept(
    stream: UnixStream,
    mut offer: io::Result<Offer>,
    address: &str,
) -> io::Result<Wire> {
    within(async {
        if let Ok(offer) = &mut offer {
            offer.make_room();
        }
        let peer = peer(&stream, "shm", address)?;
        let (geometry, descriptors) = match handshake::receive(&stream).await {
            Ok((Word::Segment(geometry), Some(descriptors))) => (geometry, descriptors),
            Ok((Word::Frames, _)) => {
                handshake::send(&stream, Word::Frames, &[]).await?;
                return over_socket(stream, peer, "the client has none");
            }
            Ok(_) => return Err(out_of_turn()),
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                handshake::send(&stream, Word::Refused, &[]).await?;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        let both = offer
            .and_then(|offer| theirs(&offer, geometry, descriptors).map(|theirs| (offer, theirs)));
        let (offer, theirs) = match both {
            Ok(both) => both,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(error),
            Err(error) => {
                handshake::send(&stream, Word::Frames, &[]).await?;
                return over_socket(stream, peer, &why(&error));
            }
        };
        offer.send(&stream).await?;
        match handshake::receive(&stream).await? {
            (Word::Go, _) => wire(stream, offer, theirs, peer),
            (Word::Frames, _) => over_socket(stream, peer, "the client could not use the server's"),
            _ => Err(out_of_turn()),
        }
    })
    .await
}

/// The peer's segment and doorbells, if they are what they should be.
pub(super) fn theirs(
    offer: &Offer,
    geometry: Geometry,
    descriptors: Descriptors,
) -> io::Result<Theirs> {
    let Descriptors { memory, task, thread } = descriptors;
    let segment = segment::open(memory, &geometry, offer.origin)?;
    let (task, thread) = (Doorbell::of_peer(task)?, Doorbell::of_peer(thread)?);
    Ok(Owned { segment, geometry, task: Arc::new(task), thread })
}

fn wire(stream: UnixStream, offer: Offer, theirs: Theirs, peer: Peer) -> io::Result<Wire> {
    halves(&offer.end(stream.into_std()?.into(), theirs), peer)
}

/// The halves of a side, and its readiness.
pub(super) fn halves(end: &Arc<End>, peer: Peer) -> io::Result<Wire> {
    let sending = Arc::new(Sending::new(end));
    let ready = Arc::new(ShmReady::new(end, &sending)?);
    let rx = Box::new(Receiving::new(end));
    Ok(Wire { tx: sending, rx, ready, peer })
}

/// The socket carries the frames. Said once for a process.
fn over_socket(stream: UnixStream, mut peer: Peer, why: &str) -> io::Result<Wire> {
    static SAID: AtomicBool = AtomicBool::new(false);
    if !SAID.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            address = peer.address,
            why,
            "there is no shared memory for a connection: its frames go over the Unix socket, which is slower"
        );
    }
    peer.transport = "unix";
    socket::wire(stream.into_std()?.into(), Reserved::new()?, peer)
}

async fn within<T>(handshake: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(PATIENCE, handshake).await {
        Ok(done) => done,
        Err(_) => {
            let text = format!("the handshake took more than {} s", PATIENCE.as_secs());
            Err(io::Error::new(io::ErrorKind::TimedOut, text))
        }
    }
}

fn why(error: &io::Error) -> String {
    format!("this side cannot have it ({error})")
}

fn refused() -> io::Error {
    let text = "the server does not speak this version of shm://: build both ends with the same version of farcall, or use \
                unix://";
    io::Error::new(io::ErrorKind::Unsupported, text)
}

fn out_of_turn() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a message of the handshake came out of turn")
}
