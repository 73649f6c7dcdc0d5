//! System V message queues.
#![expect(unsafe_code, reason = "no crate that is kept has these calls in a safe form")]

use std::ffi::{c_int, c_long};
use std::io;

use anyhow::{Context, Result, bail, ensure};

use super::{LARGEST, Queue};
use crate::row::{Address, Transport};

/// Two queues, which end with the producer: the kernel keeps them as long as nobody removes them.
pub struct SystemV {
    out: c_int,
    back: c_int,
    owns: bool,
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
        let create = || {
            // SAFETY: it takes no memory of ours.
            let queue = unsafe { libc::msgget(libc::IPC_PRIVATE, libc::IPC_CREAT | 0o600) };
            ensure!(queue >= 0, "no System V message queue: {}", io::Error::last_os_error());
            Ok(queue)
        };
        let (out, back) = (create()?, create()?);
        Ok((Self { out, back, owns: false }, Address::Queue(format!("{back}-{out}"))))
    }

    fn join(address: &Address) -> Result<Self> {
        let Address::Queue(queues) = address else { bail!("no queue at {address}") };
        let (out, back) = queues.split_once('-').context("two queues")?;
        Ok(Self { out: out.parse()?, back: back.parse()?, owns: true })
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

impl Drop for SystemV {
    fn drop(&mut self) {
        if self.owns {
            for queue in [self.out, self.back] {
                // SAFETY: it takes no memory of ours.
                unsafe { libc::msgctl(queue, libc::IPC_RMID, std::ptr::null_mut()) };
            }
        }
    }
}
