//! Wires on any byte stream: a pipe to a child process, a TLS session, whatever is `AsyncRead + AsyncWrite`.

use crate::stream::{Inbound, Outbound, Sink, Source};
use farcall_core::{
    buffer::Buffer,
    memory::{Bell, Readable, Writable},
    tail::Tail,
    transport::{Flush, Peer, Received, Rx, Tx, Wire},
};
use std::{
    io::{self, IoSlice},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    task::unconstrained,
};

/// A wire on one stream in both directions. Both sides frame alike, so the other end may be a socket.
#[must_use]
pub fn wire<S: AsyncRead + AsyncWrite + Send + 'static>(stream: S, peer: Peer) -> Wire {
    let (reader, writer) = tokio::io::split(stream);
    wire_of(reader, writer, peer)
}

/// A wire on two streams, one per direction.
#[must_use]
pub fn wire_of<R, W>(reader: R, writer: W, peer: Peer) -> Wire
where
    R: AsyncRead + Send + 'static,
    W: AsyncWrite + Send + 'static,
{
    let ready = Bell::new();
    let writer = StreamWriter {
        writer: Box::pin(writer),
        waker: Waker::from(Arc::new(Writable(Arc::clone(&ready)))),
    };
    let tx = Arc::new(StreamTx {
        outbound: Outbound::new(writer),
        bell: Arc::clone(&ready),
        closed: AtomicBool::new(false),
    });
    let reader = StreamReader {
        reader: Box::pin(reader),
        waker: Waker::from(Arc::new(Readable(Arc::clone(&ready)))),
    };
    let rx = Box::new(StreamRx { inbound: Inbound::new(reader), tx: Arc::clone(&tx) });
    Wire { tx, rx, ready, peer }
}

struct StreamTx {
    outbound: Outbound<StreamWriter>,
    bell: Arc<Bell>,
    closed: AtomicBool,
}

impl Tx for StreamTx {
    fn append(&self, head: &[&[u8]], tail: Option<Tail>) -> io::Result<()> {
        self.outbound.append(head, tail)
    }

    fn queued(&self) -> usize {
        self.outbound.queued()
    }

    fn flush(&self) -> io::Result<Flush> {
        self.outbound.flush()
    }

    fn close(&self) {
        self.outbound.close(StreamWriter::shut);
        self.closed.store(true, Ordering::Release);
        self.bell.ring_readable();
        self.bell.ring_writable();
    }
}

struct StreamWriter {
    writer: Pin<Box<dyn AsyncWrite + Send>>,
    waker: Waker,
}

impl StreamWriter {
    /// Says that nothing more will come. A stream that is not done at once says so when it is dropped.
    fn shut(&mut self) {
        let _ = self.writer.as_mut().poll_shutdown(&mut Context::from_waker(&self.waker));
    }
}

impl Sink for StreamWriter {
    const SHORT_IS_FULL: bool = false;

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let Self { writer, waker } = self;
        let write = std::future::poll_fn(|cx| writer.as_mut().poll_write_vectored(cx, slices));
        now(write, waker)
    }

    fn flush(&mut self) -> io::Result<()> {
        let Self { writer, waker } = self;
        now(std::future::poll_fn(|cx| writer.as_mut().poll_flush(cx)), waker)
    }
}

struct StreamRx {
    inbound: Inbound<StreamReader>,
    tx: Arc<StreamTx>,
}

impl Rx for StreamRx {
    fn recv(&mut self, frame: &mut Buffer) -> io::Result<Received> {
        if self.tx.closed.load(Ordering::Acquire) {
            return Ok(Received::End);
        }
        self.inbound.recv(frame)
    }

    fn partial(&self) -> usize {
        self.inbound.partial()
    }

    fn set_frame_limit(&mut self, bytes: usize) {
        self.inbound.set_frame_limit(bytes);
    }

    fn relax(&mut self) {
        self.inbound.relax();
        self.tx.outbound.relax();
    }
}

struct StreamReader {
    reader: Pin<Box<dyn AsyncRead + Send>>,
    waker: Waker,
}

impl Source for StreamReader {
    fn read(&mut self, space: &mut Vec<u8>) -> io::Result<crate::stream::Read> {
        let Self { reader, waker } = self;
        match now(reader.read_buf(space), waker)? {
            0 => Ok(crate::stream::Read::End),
            // Only a read that finds nothing leaves the waker, however little this one found.
            _ => Ok(crate::stream::Read::Bytes),
        }
    }
}

/// Polls once; what is not ready would block, and rings the bell when it is. Takes nothing from the budget of the task
/// around it: a stream that refuses because the task has done enough would never ring.
fn now<T>(future: impl Future<Output = io::Result<T>>, waker: &Waker) -> io::Result<T> {
    match pin!(unconstrained(future)).poll(&mut Context::from_waker(waker)) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}
