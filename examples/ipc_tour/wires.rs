//! One end of a means: sends and receives messages, and counts the operating system's calls that this takes, and what they are given.

use super::system::{PosixQueue, SystemVQueue, Words, count};
use std::{
    hint,
    io::{self, Read, Write},
    net::UdpSocket,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

/// Bytes of a message.
pub const LENGTH: usize = 64;
pub type Message = [u8; LENGTH];

pub trait Wire {
    fn send(&mut self, message: &Message) -> io::Result<()>;
    fn receive(&mut self, message: &mut Message) -> io::Result<()>;

    /// How many messages may be sent before an answer must be awaited, or some are lost.
    fn window(&self) -> u64 {
        u64::MAX
    }
}

/// Shared memory: a ring of messages for each direction.
pub struct Rings {
    pub out: Ring,
    pub into: Ring,
}

impl Wire for Rings {
    fn send(&mut self, message: &Message) -> io::Result<()> {
        self.out.put(message);
        Ok(())
    }

    fn receive(&mut self, message: &mut Message) -> io::Result<()> {
        self.into.take(message);
        Ok(())
    }
}

/// A ring of messages in shared memory, for one who puts and one who takes. The two must agree on everything: nobody else keeps order here.
pub struct Ring(pub Words);

/// Messages that a ring holds.
const SLOTS: usize = 256;
/// Words of a cache line, and of a message.
const LINE: usize = 8;
/// How often a ring is looked at before others of the processor have a turn.
const SPINS: u32 = 5000;

impl Ring {
    /// Words of a ring: how many messages were put, how many were taken, and the messages.
    pub const WORDS: usize = (2 + SLOTS) * LINE;

    fn put(&self, message: &Message) {
        let put = self.put_so_far().load(Ordering::Relaxed);
        wait_until(|| put - self.taken_so_far().load(Ordering::Acquire) < SLOTS as u64);
        for (word, bytes) in self.slot(put).iter().zip(message.as_chunks::<8>().0) {
            word.store(u64::from_ne_bytes(*bytes), Ordering::Relaxed);
        }
        self.put_so_far().store(put + 1, Ordering::Release);
    }

    fn take(&self, message: &mut Message) {
        let taken = self.taken_so_far().load(Ordering::Relaxed);
        wait_until(|| self.put_so_far().load(Ordering::Acquire) > taken);
        for (word, bytes) in self.slot(taken).iter().zip(message.as_chunks_mut::<8>().0) {
            *bytes = word.load(Ordering::Relaxed).to_ne_bytes();
        }
        self.taken_so_far().store(taken + 1, Ordering::Release);
    }

    fn put_so_far(&self) -> &AtomicU64 {
        &self.0[0]
    }

    fn taken_so_far(&self) -> &AtomicU64 {
        &self.0[LINE]
    }

    fn slot(&self, number: u64) -> &[AtomicU64] {
        let at = (2 + number as usize % SLOTS) * LINE;
        &self.0[at..at + LINE]
    }
}

/// Spins, and lets others have the processor if it takes long.
pub fn wait_until(is_so: impl Fn() -> bool) {
    while !(0..SPINS).any(|_| {
        hint::spin_loop();
        is_so()
    }) {
        count(0);
        thread::yield_now();
    }
}

/// POSIX message queues, one for each direction.
pub struct PosixQueues {
    pub out: PosixQueue,
    pub into: PosixQueue,
}

impl Wire for PosixQueues {
    fn send(&mut self, message: &Message) -> io::Result<()> {
        self.out.send(message)
    }

    fn receive(&mut self, message: &mut Message) -> io::Result<()> {
        self.into.receive(message)
    }
}

/// One queue of System V for both directions, which are kinds of messages.
pub struct Kinds {
    pub queue: SystemVQueue,
    pub out: i64,
    pub into: i64,
}

impl Wire for Kinds {
    fn send(&mut self, message: &Message) -> io::Result<()> {
        self.queue.send(self.out as _, message)
    }

    fn receive(&mut self, message: &mut Message) -> io::Result<()> {
        self.queue.receive(self.into as _, message)
    }
}

/// Streams of bytes, one for each direction: pipes, Unix and TCP sockets.
pub struct Streams<R, W> {
    pub out: W,
    pub into: R,
}

impl<R: Read, W: Write> Wire for Streams<R, W> {
    fn send(&mut self, message: &Message) -> io::Result<()> {
        let mut rest = &message[..];
        while !rest.is_empty() {
            let written = self.out.write(rest)?;
            count(written);
            rest = &rest[written..];
        }
        Ok(())
    }

    fn receive(&mut self, message: &mut Message) -> io::Result<()> {
        let mut filled = 0;
        while filled < LENGTH {
            count(0);
            match self.into.read(&mut message[filled..])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => filled += read,
            }
        }
        Ok(())
    }
}

impl Wire for UdpSocket {
    fn send(&mut self, message: &Message) -> io::Result<()> {
        count(LENGTH);
        Self::send(self, message).map(drop)
    }

    fn receive(&mut self, message: &mut Message) -> io::Result<()> {
        count(0);
        self.recv(message).map(drop)
    }

    fn window(&self) -> u64 {
        64
    }
}
