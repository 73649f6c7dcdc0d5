//! System V message queues.
#![expect(unsafe_code, reason = "no crate that is kept has these calls in a safe form")]

use std::ffi::{c_int, c_long};
use std::io;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::{LARGEST, Queue};
use crate::row::{Address, Transport};

/// Two queues. The kernel keeps them until [`sweep`] removes them.
pub struct SystemV {
    out: c_int,
    back: c_int,
}

#[repr(C)]
struct Message {
    kind: c_long,
    bytes: [u8; LARGEST],
}

impl Queue for SystemV {
    const NAMES: [&str; 2] = ["raw-sysv-mq", "raw-sysv-mq-4"];
    const ABOUT: &str = "System V message queues, blocking, as large as the system allows to everybody (kernel.msgmnb)";
    const OVER: &[Transport] = &[Transport::Queue];

    fn open(_: &Address) -> Result<(Self, Address)> {
        let (out, back) = (create()?, create()?);
        Ok((Self { out, back }, Address::Queue(format!("{back}-{out}"))))
    }

    fn join(address: &Address) -> Result<Self> {
        let Address::Queue(queues) = address else { bail!("no queue at {address}") };
        let (out, back) = queues.split_once('-').context("two queues")?;
        Ok(Self { out: out.parse()?, back: back.parse()? })
    }

    fn send(&self, message: &[u8]) -> Result<()> {
        let mut whole = Message { kind: 1, bytes: [0; LARGEST] };
        whole.bytes[..message.len()].copy_from_slice(message);
        // SAFETY: the message begins with its kind, and has as many bytes behind it.
        let sent = unsafe { libc::msgsnd(self.out, (&raw const whole).cast(), message.len(), 0) };
        ensure!(sent == 0, "msgsnd: {}", io::Error::last_os_error());
        Ok(())
    }

    fn receive(&self, into: &mut [u8]) -> Result<usize> {
        let mut whole = Message { kind: 0, bytes: [0; LARGEST] };
        let most = into.len().min(LARGEST);
        // SAFETY: the message has room for its kind and as many bytes.
        let length = unsafe { libc::msgrcv(self.back, (&raw mut whole).cast(), most, 0, 0) };
        let length = usize::try_from(length);
        let length = length.map_err(|_| io::Error::last_os_error()).context("msgrcv")?;
        into[..length].copy_from_slice(&whole.bytes[..length]);
        Ok(length)
    }
}

/// A queue with a key of ours that nobody has.
fn create() -> Result<c_int> {
    let mine = KEYS | (std::process::id().wrapping_mul(2) & 0xFFFF) as libc::key_t;
    for key in (mine..=KEYS | 0xFFFF).chain(KEYS..mine) {
        let flags = libc::IPC_CREAT | libc::IPC_EXCL | 0o600;
        // SAFETY: it takes no memory of ours.
        let queue = unsafe { libc::msgget(key, flags) };
        if queue >= 0 {
            return Ok(queue);
        }
        let error = io::Error::last_os_error();
        ensure!(error.kind() == io::ErrorKind::AlreadyExists, "no System V message queue: {error}");
    }
    bail!("no System V message queue: all keys are taken")
}

/// Removes the queues of processes that are gone.
pub fn sweep() {
    let Ok(table) = std::fs::read_to_string("/proc/sysvipc/msg") else { return };
    for line in table.lines().skip(1) {
        let numbers: Vec<i64> =
            line.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let [key, queue, _, _, _, sender, receiver, ..] = numbers[..] else { continue };
        let is_gone = |pid: i64| !Path::new(&format!("/proc/{pid}")).exists();
        if key & !0xFFFF == i64::from(KEYS) && is_gone(sender) && is_gone(receiver) {
            // SAFETY: it takes no memory of ours.
            unsafe { libc::msgctl(queue as c_int, libc::IPC_RMID, std::ptr::null_mut()) };
        }
    }
}

/// Our keys: these, with any low half.
const KEYS: libc::key_t = 0x6663_0000;
