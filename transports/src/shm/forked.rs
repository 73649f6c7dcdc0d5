//! Noticing that this process is a fork of the one that made a connection. One of the files that may be `unsafe`.
//!
//! A page that the kernel wipes in every child holds a number of this process. A connection remembers the number; in a
//! child it reads zero, or the child's own. That costs one load, where asking for the process id costs a system call.
#![expect(unsafe_code, reason = "a page that the kernel wipes")]

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};
use std::{
    io, process, ptr,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// Bytes of the page: of any page that there is.
const PAGE: usize = 64 << 10;

/// Which process made something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    page: &'static AtomicU32,
    process: u32,
}

impl Origin {
    /// This process.
    pub(super) fn here() -> io::Result<Self> {
        static PAGE: OnceLock<&'static AtomicU32> = OnceLock::new();
        let page = match PAGE.get() {
            Some(page) => page,
            None => {
                let page = make()?;
                PAGE.get_or_init(|| page)
            }
        };
        if page.load(Ordering::Relaxed) == 0 {
            page.store(process::id(), Ordering::Relaxed);
        }
        Ok(Self { page, process: page.load(Ordering::Relaxed) })
    }

    /// Whether the caller runs in that process, and not in a fork of it.
    pub(super) fn is_here(self) -> bool {
        self.page.load(Ordering::Relaxed) == self.process
    }

    /// # Errors
    /// `BrokenPipe` in a fork.
    #[inline]
    pub(super) fn check(self) -> io::Result<()> {
        if self.is_here() { Ok(()) } else { Err(forked()) }
    }
}

#[cold]
fn forked() -> io::Error {
    let text =
        "this connection belongs to the process that this one was forked from: connect again here";
    io::Error::new(io::ErrorKind::BrokenPipe, text)
}

fn make() -> io::Result<&'static AtomicU32> {
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a fresh mapping at an address of the kernel's choice touches nothing that exists.
    let page = unsafe { mmap_anonymous(ptr::null_mut(), PAGE, protection, MapFlags::PRIVATE) }?;
    // SAFETY: the range is the mapping that was just made.
    unsafe { madvise(page, PAGE, Advice::LinuxWipeOnFork) }?;
    // SAFETY: the mapping is aligned, zeroed and never removed.
    Ok(unsafe { &*page.cast::<AtomicU32>() })
}
