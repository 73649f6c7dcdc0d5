//! Doorbells: a descriptor to sleep on, and the peer's copy of it to ring.

use rustix::{
    event::{EventfdFlags, eventfd},
    fs::readlink,
    io::{Errno, ReadWriteFlags, preadv2, read, write},
};
use std::{
    io::{self, IoSliceMut},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
};

/// One to sleep on, or one to ring.
#[derive(Debug)]
pub(super) struct Doorbell(OwnedFd);

impl Doorbell {
    /// One of this process's own.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// One of the peer's, if it is a doorbell: what is written to it must reach nothing else.
    ///
    /// # Errors
    /// `InvalidData` if it is something else; others if that cannot be found out.
    pub(super) fn of_peer(descriptor: OwnedFd) -> io::Result<Self> {
        let path = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
        if readlink(path, Vec::new())?.as_bytes() == b"anon_inode:[eventfd]" {
            return Ok(Self(descriptor));
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "the peer's doorbell is none"))
    }

    /// Wakes whoever sleeps on it. One that has been rung four thousand million times and not looked at is rung anyway.
    pub(super) fn ring(&self) {
        let _ = write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Makes it silent, without ever blocking.
    pub(super) fn clear(&self) {
        let mut rung = [0; 8];
        let slices = &mut [IoSliceMut::new(&mut rung)];
        if let Err(Errno::OPNOTSUPP) = preadv2(&self.0, slices, u64::MAX, ReadWriteFlags::NOWAIT) {
            let _ = read(&self.0, &mut rung);
        }
    }
}

impl AsFd for Doorbell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Doorbell {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
