//! The operating system's own calls: shared memory, message queues and a semaphore, of POSIX and of System V, and what was counted of them.
//! The one file of this example that may be `unsafe`.
#![expect(
    unsafe_code,
    reason = "what is mapped has no owner that Rust knows, and these queues have no crate"
)]

use super::wires::{LENGTH, Message};
use rustix::{
    fs::{Mode, ftruncate},
    mm::{MapFlags, ProtFlags, mmap},
    shm,
};
use std::{
    ffi::CString,
    io, mem,
    os::fd::{AsFd, BorrowedFd},
    ptr,
    sync::atomic::{AtomicU64, Ordering},
};

static CALLS: AtomicU64 = AtomicU64::new(0);
static GIVEN: AtomicU64 = AtomicU64::new(0);

/// Counts a call of the operating system that this process makes, and the bytes that it gives to it.
pub fn count(given: usize) {
    CALLS.fetch_add(1, Ordering::Relaxed);
    GIVEN.fetch_add(given as u64, Ordering::Relaxed);
}

/// How many calls were counted, and bytes that were given to them.
pub fn counted() -> [u64; 2] {
    [&CALLS, &GIVEN].map(|counter| counter.load(Ordering::Relaxed))
}

/// Memory that two processes share, for as long as they live. Only ever accessed by atomics.
pub type Words = &'static [AtomicU64];

/// POSIX: memory with a name, which is given up when this is dropped. Whoever has mapped it keeps it.
pub struct PosixMemory(pub String);

impl PosixMemory {
    pub fn create(name: &str, count: usize) -> io::Result<(Self, Words)> {
        let flags = shm::OFlags::CREATE | shm::OFlags::EXCL | shm::OFlags::RDWR;
        let memory = shm::open(name, flags, Mode::RUSR | Mode::WUSR)?;
        let named = Self(name.to_owned());
        ftruncate(&memory, (count * size_of::<AtomicU64>()) as u64)?;
        Ok((named, map(memory.as_fd(), count)?))
    }

    /// What another process has created with that name and as many words.
    pub fn open(name: &str, count: usize) -> io::Result<Words> {
        map(shm::open(name, shm::OFlags::RDWR, Mode::empty())?.as_fd(), count)
    }
}

impl Drop for PosixMemory {
    fn drop(&mut self) {
        // It is only a name.
        let _ = shm::unlink(&*self.0);
    }
}

fn map(memory: BorrowedFd<'_>, count: usize) -> io::Result<Words> {
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    let length = count * size_of::<AtomicU64>();
    // SAFETY: a fresh mapping at an address of the kernel's choice touches nothing that exists.
    let start = unsafe { mmap(ptr::null_mut(), length, protection, MapFlags::SHARED, memory, 0) };
    // SAFETY: the mapping has this length, which its creator gave the memory; it begins on a page and is never unmapped.
    Ok(unsafe { words(start?.cast(), count) })
}

/// # Safety
/// `count` words are mapped there, aligned, for the rest of this process's life, and nobody accesses them but by atomics.
unsafe fn words(start: *const AtomicU64, count: usize) -> Words {
    // SAFETY: what the caller promises; any bytes are words.
    unsafe { std::slice::from_raw_parts(start, count) }
}

/// System V: memory with a number. It is gone when this is dropped and nobody has it attached.
pub struct SystemVMemory(pub i32);

impl SystemVMemory {
    pub fn create(count: usize) -> io::Result<(Self, Words)> {
        let length = count * size_of::<AtomicU64>();
        // SAFETY: no pointer is given.
        let id =
            check(unsafe { libc::shmget(libc::IPC_PRIVATE, length, libc::IPC_CREAT | 0o600) })?;
        let memory = Self(id);
        Ok((memory, Self::open(id, count)?))
    }

    /// What another process has created with that number and as many words.
    pub fn open(id: i32, count: usize) -> io::Result<Words> {
        // SAFETY: a fresh attachment at an address of the kernel's choice touches nothing that exists.
        let start = unsafe { libc::shmat(id, ptr::null(), 0) };
        if start.addr() == usize::MAX {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the segment has as many words, begins on a page, and is never detached.
        Ok(unsafe { words(start.cast(), count) })
    }
}

impl Drop for SystemVMemory {
    fn drop(&mut self) {
        // SAFETY: removing takes no pointer.
        unsafe { libc::shmctl(self.0, libc::IPC_RMID, ptr::null_mut()) };
    }
}

/// POSIX: a queue with a name, of whole messages.
pub struct PosixQueue {
    queue: libc::mqd_t,
    /// If this process has created it.
    name: Option<CString>,
}

impl PosixQueue {
    pub fn create(name: &str) -> io::Result<Self> {
        let name = CString::new(name)?;
        // SAFETY: it is a C struct of integers, for which zeros are values.
        let mut attributes: libc::mq_attr = unsafe { mem::zeroed() };
        attributes.mq_maxmsg = 10;
        attributes.mq_msgsize = LENGTH as libc::c_long;
        let flags = libc::O_CREAT | libc::O_EXCL | libc::O_RDWR;
        let mode: libc::mode_t = 0o600;
        // SAFETY: name and attributes live until it returns; `O_CREAT` wants both further arguments.
        let queue =
            check(unsafe { libc::mq_open(name.as_ptr(), flags, mode, &raw const attributes) })?;
        Ok(Self { queue, name: Some(name) })
    }

    pub fn open(name: &str) -> io::Result<Self> {
        let name = CString::new(name)?;
        // SAFETY: the name lives until it returns.
        let queue = check(unsafe { libc::mq_open(name.as_ptr(), libc::O_RDWR) })?;
        Ok(Self { queue, name: None })
    }

    /// Sends a message; waits while the queue is full.
    pub fn send(&self, message: &Message) -> io::Result<()> {
        count(LENGTH);
        // SAFETY: the message has this length and lives until it returns.
        check(unsafe { libc::mq_send(self.queue, message.as_ptr().cast(), LENGTH, 0) }).map(drop)
    }

    /// Receives a message; waits while the queue is empty.
    pub fn receive(&self, message: &mut Message) -> io::Result<()> {
        count(0);
        let (start, priority) = (message.as_mut_ptr().cast(), ptr::null_mut());
        // SAFETY: there is room for a message of the queue, and nobody asks for the priority.
        whole(unsafe { libc::mq_receive(self.queue, start, LENGTH, priority) })
    }
}

impl Drop for PosixQueue {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // SAFETY: the name lives until it returns.
            unsafe { libc::mq_unlink(name.as_ptr()) };
        }
        // SAFETY: the queue is this process's, and used no more.
        unsafe { libc::mq_close(self.queue) };
    }
}

/// System V: a queue with a number, of messages of several kinds.
pub struct SystemVQueue {
    pub id: i32,
    /// This process has created it.
    owned: bool,
}

/// What it takes.
#[repr(C)]
struct Kinded {
    kind: libc::c_long,
    message: Message,
}

impl SystemVQueue {
    pub fn create() -> io::Result<Self> {
        // SAFETY: no pointer is given.
        let id = check(unsafe { libc::msgget(libc::IPC_PRIVATE, libc::IPC_CREAT | 0o600) })?;
        Ok(Self { id, owned: true })
    }

    pub fn open(id: i32) -> Self {
        Self { id, owned: false }
    }

    /// Sends a message of a kind, from 1 on; waits while the queue is full.
    pub fn send(&self, kind: libc::c_long, message: &Message) -> io::Result<()> {
        count(LENGTH);
        let kinded = Kinded { kind, message: *message };
        // SAFETY: it begins with a kind, and as many bytes follow.
        check(unsafe { libc::msgsnd(self.id, (&raw const kinded).cast(), LENGTH, 0) }).map(drop)
    }

    /// Receives a message of a kind; waits while there is none.
    pub fn receive(&self, kind: libc::c_long, message: &mut Message) -> io::Result<()> {
        count(0);
        let mut kinded = Kinded { kind, message: [0; LENGTH] };
        // SAFETY: there is room for a kind and as many bytes.
        let length = unsafe { libc::msgrcv(self.id, (&raw mut kinded).cast(), LENGTH, kind, 0) };
        *message = kinded.message;
        whole(length)
    }
}

impl Drop for SystemVQueue {
    fn drop(&mut self) {
        if self.owned {
            // SAFETY: removing takes no pointer.
            unsafe { libc::msgctl(self.id, libc::IPC_RMID, ptr::null_mut()) };
        }
    }
}

/// System V: a semaphore with a number, at 1 in the beginning.
pub struct Semaphore {
    pub id: i32,
    /// This process has created it.
    owned: bool,
}

impl Semaphore {
    pub fn create() -> io::Result<Self> {
        // SAFETY: no pointer is given.
        let id = check(unsafe { libc::semget(libc::IPC_PRIVATE, 1, libc::IPC_CREAT | 0o600) })?;
        let semaphore = Self { id, owned: true };
        let value: libc::c_int = 1;
        // SAFETY: `SETVAL` wants the value and nothing else.
        check(unsafe { libc::semctl(id, 0, libc::SETVAL, value) })?;
        Ok(semaphore)
    }

    pub fn open(id: i32) -> Self {
        Self { id, owned: false }
    }

    /// Waits until it is above 0, and takes 1 from it.
    pub fn down(&self) -> io::Result<()> {
        self.add(-1)
    }

    /// Adds 1 to it.
    pub fn up(&self) -> io::Result<()> {
        self.add(1)
    }

    fn add(&self, number: libc::c_short) -> io::Result<()> {
        // What a process has taken is given back when it dies.
        let undone = libc::SEM_UNDO as libc::c_short;
        let mut operation = libc::sembuf { sem_num: 0, sem_op: number, sem_flg: undone };
        // SAFETY: one operation is given, which lives until it returns.
        check(unsafe { libc::semop(self.id, &raw mut operation, 1) }).map(drop)
    }
}

impl Drop for Semaphore {
    fn drop(&mut self) {
        if self.owned {
            // SAFETY: removing takes no further argument.
            unsafe { libc::semctl(self.id, 0, libc::IPC_RMID) };
        }
    }
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Whether a message of the right length was received.
fn whole(length: libc::ssize_t) -> io::Result<()> {
    match usize::try_from(length) {
        Ok(LENGTH) => Ok(()),
        Ok(length) => Err(io::Error::other(format!("a message of {length} bytes came"))),
        Err(_) => Err(io::Error::last_os_error()),
    }
}
