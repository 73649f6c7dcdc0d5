//! The contract of a transport: it moves whole frames and never opens one.
//!
//! A transport turns an [`Address`](crate::address::Address) into [`Wire`]s. A wire has a sending half that many threads
//! share, a receiving half that one thread at a time drains, and a readiness that the rest of the
//! driver sleeps on. Nothing here blocks except [`Ready::wait`].

use crate::{
    buffer::Buffer,
    error::Error,
    payload::{Loan, Payload, Trusted},
    tail::Tail,
};
use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// A future that a transport returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One connected wire.
pub struct Wire {
    /// The sending half.
    pub tx: Arc<dyn Tx>,
    /// The receiving half.
    pub rx: Box<dyn Rx>,
    /// What to sleep on.
    pub ready: Arc<dyn Ready>,
    /// Who is at the other end.
    pub peer: Peer,
}

/// Where the other end of a wire is, as far as the operating system vouches for it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Peer {
    /// The transport's scheme: `unix`, `tcp`, ..
    pub transport: &'static str,
    /// The peer's address as the transport writes it, for people and logs.
    pub address: String,
    /// The user the peer runs as, where the operating system says so.
    pub uid: Option<u32>,
    /// The peer's process, where the operating system says so.
    pub pid: Option<u32>,
    /// Whether the peer surely runs on this host.
    pub local: bool,
    /// Whether tasks of this process carry what is sent: nobody spins, which might keep them from running.
    pub carried: bool,
}

impl Peer {
    /// A peer of which only the address is known.
    #[must_use]
    pub fn new(transport: &'static str, address: impl Into<String>) -> Self {
        Self {
            transport,
            address: address.into(),
            uid: None,
            pid: None,
            local: false,
            carried: false,
        }
    }
}

/// The sending half of a wire.
///
/// `append` is called under the connection's lock, so one call at a time and in the frames' order.
/// `flush` is called outside of it, from any thread, also by several at once.
pub trait Tx: Send + Sync {
    /// Takes one frame: the bytes of `head`, then those of `tail`. Copies `head`, may keep `tail`. Never blocks, makes
    /// no system call. The driver asks [`queued`](Self::queued) first and stops at its own bound.
    ///
    /// # Errors
    /// Those of a wire that is closed.
    fn append(&self, head: &[&[u8]], tail: Option<Tail>) -> io::Result<()>;

    /// Takes one frame as [`append`](Self::append) does, and gives it away at once with all before it, if that takes no system call:
    /// [`queued`](Self::queued) is zero then. Otherwise `flush` gives it away.
    ///
    /// # Errors
    /// Those of `append`.
    fn append_now(&self, head: &[&[u8]], tail: Option<Tail>) -> io::Result<()> {
        self.append(head, tail)
    }

    /// Takes one frame as [`append`](Self::append) does, and the payloads that travel beside it, in this order: the receiver's
    /// [`Rx::payloads`] gives them out. [`carries`](Self::carries) was asked for each of them a moment ago.
    ///
    /// # Errors
    /// Those of `append`; `Unsupported` from a wire that carries none.
    fn append_with(
        &self,
        head: &[&[u8]],
        tail: Option<Tail>,
        beside: Vec<Payload>,
    ) -> io::Result<()> {
        match beside.as_slice() {
            [] => self.append(head, tail),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Whether `payload` can travel beside a frame, with `others` that do. `false` for a wire that carries none: then its bytes
    /// travel in the frame. Called under the connection's lock.
    fn carries(&self, payload: &Payload, others: usize) -> bool {
        let _ = (payload, others);
        false
    }

    /// Memory of the wire for `length` bytes that will travel beside a frame. `None` where there is none, or not enough at the moment.
    /// Never blocks.
    fn loan(&self, length: usize, purpose: Purpose) -> Option<Loan> {
        let _ = (length, purpose);
        None
    }

    /// Bytes of the payloads that can travel beside one frame at most, while nothing else is lent. 0 for a wire that carries none.
    fn capacity(&self) -> usize {
        0
    }

    /// Whether there would be memory for all of these at once, if nothing else were lent.
    fn could_carry(&self, need: &Need) -> bool {
        let _ = need;
        false
    }

    /// Memory for the first of `needs` that there is memory for, and which one that is: for all of its payloads, or for none. If there is
    /// none, other loans stand back from now on, and [`Ready::poll_writable`] completes when one of `needs` may be met. Without needs, nobody
    /// waits any more. Never blocks.
    fn make_room(&self, needs: Vec<Need>) -> Option<(usize, Vec<Loan>)> {
        let _ = needs;
        None
    }

    /// Bytes taken by `append` and not yet given to the operating system or the peer.
    fn queued(&self) -> usize;

    /// Gives away what was appended, as far as that goes without blocking. Where another thread is flushing, it takes
    /// over what this one would have written, and this returns `Flush::Done`.
    ///
    /// # Errors
    /// Those of a wire that is closed; the frames not yet given away are lost.
    fn flush(&self) -> io::Result<Flush>;

    /// Closes the wire in both directions. What was flushed still arrives; whoever sleeps on the wire wakes up.
    fn close(&self);
}

/// What memory of a wire is wanted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// The program fills it.
    Loan,
    /// A copy of a payload that is elsewhere, which can travel in the frame as well: only while memory is not short.
    Copy,
}

/// Payloads of one frame that wait for memory of the wire.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Need {
    /// Bytes of each.
    pub lengths: Vec<usize>,
    /// Payloads that travel beside the frame, these among them.
    pub beside: usize,
}

/// How far a flush got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flush {
    /// Everything is given away.
    Done,
    /// The peer or the operating system takes no more now; sleep on [`Ready::poll_writable`].
    Blocked,
}

/// The receiving half of a wire.
pub trait Rx: Send {
    /// Moves the next whole frame into `frame`, replacing what it held, without blocking. A large frame brings a
    /// buffer of its own. Before a frame has arrived whole, allocates no more than twice its bytes and 64 KiB; a pooled buffer is no allocation.
    ///
    /// # Errors
    /// `InvalidData` if a frame has length zero or exceeds the limit; otherwise the operating system's.
    fn recv(&mut self, frame: &mut Buffer) -> io::Result<Received>;

    /// The payloads that came beside the last frame, once. They may be left here: the next `recv` drops them.
    fn payloads(&mut self) -> Vec<Payload> {
        Vec::new()
    }

    /// From now on the peer is trusted not to write what it lends: payloads of it can be had as slices.
    fn trust(&mut self, trusted: Trusted) {
        let _ = trusted;
    }

    /// Bytes received of a frame that is not whole yet. Grows while a large frame arrives: then waiting is worth while.
    fn partial(&self) -> usize {
        0
    }

    /// The largest frame to accept from now on, in bytes.
    fn set_frame_limit(&mut self, bytes: usize);

    /// The wire will be idle: gives back the memory that an empty wire does not need.
    fn relax(&mut self) {}
}

/// What a receive found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// A whole frame.
    Frame,
    /// No whole frame now.
    Empty,
    /// The peer has closed its sending half, and every frame before that was received. It may still receive.
    End,
    /// The same, and the peer surely receives nothing any more.
    Gone,
}

/// What to sleep on.
///
/// A wire is *armed* when the arrival of bytes wakes the task that polled [`poll_readable`](Self::poll_readable). A
/// driver that spins on `recv` disarms it first, so that no other thread is woken for nothing.
/// Both are free when nothing changes.
pub trait Ready: Send + Sync {
    /// Lets arrivals wake the task in `poll_readable` until disarmed. If bytes are already there, wakes it now.
    fn arm(&self);

    /// Lets arrivals pass in silence.
    fn disarm(&self);

    /// Nobody will ask for silence any more. Called in the wire's runtime; what serves silence alone may go.
    fn keep_armed(&self) {
        self.arm();
    }

    /// Waits until `recv` may find something (frames, the end or an error), while armed. Spurious readiness is allowed. One task at a time: the
    /// latest waker counts. Completing consumes the readiness: call `recv` until `Empty` before polling again.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()>;

    /// Waits until `flush` may get further, or until there may be memory that [`Tx::make_room`] did not find. The latest waker counts.
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()>;

    /// Blocks the calling thread until `recv` may find something, or (if `interest` says so) `flush` may get further, or `timeout` has
    /// passed, or the wire is closed. Independent of `arm`. Spurious returns are allowed.
    fn wait(&self, interest: Interest, timeout: Option<Duration>);
}

/// What a blocking wait is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interest {
    /// Bytes to receive.
    Read,
    /// Bytes to receive, or room to send.
    ReadWrite,
}

/// What accepts wires.
pub trait Listener: Send {
    /// The next wire. Cancel safe: a dropped future loses no wire.
    ///
    /// # Errors
    /// The listener recovers by itself from what concerns one wire or passes (too many open files: it pauses); an
    /// error returned here is the listener's end.
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Wire>>;

    /// Where it listens, as an address that a client can connect to: the port that the system chose, not 0.
    fn address(&self) -> String;
}

/// A way to connect and to listen.
///
/// A third party implements this and hands it to `farcall::register`.
pub trait Transport: Send + Sync {
    /// The scheme of its addresses: `tcp` in `tcp://host:7000`.
    fn scheme(&self) -> &'static str;

    /// Connects once, without retrying.
    ///
    /// # Errors
    /// With a text that names the address and says what to do. `Unreachable` is retried by the caller until its deadline.
    fn connect<'a>(&'a self, to: &'a crate::address::Address)
    -> BoxFuture<'a, Result<Wire, Error>>;

    /// Starts to listen.
    ///
    /// # Errors
    /// `AddressInUse`, `PermissionDenied`, `Address`, each with a text that says what to do.
    fn listen<'a>(
        &'a self,
        at: &'a crate::address::Address,
    ) -> BoxFuture<'a, Result<Box<dyn Listener>, Error>>;
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("peer", &self.peer).finish_non_exhaustive()
    }
}
