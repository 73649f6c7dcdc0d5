//! A fork of a process that has a wire: told what is wrong, and harmless. May be `unsafe`, to fork at all.
#![expect(unsafe_code, reason = "what runs between fork and exec may do little")]

use super::*;
use std::{
    io::ErrorKind,
    os::unix::process::CommandExt,
    process::Command,
    sync::{Arc, Mutex},
};

#[test]
fn a_fork_gets_errors_and_harms_nobody() {
    run(async {
        let (left, mut right) = pair().await;
        send(&left, b"before").await.expect("it is open");
        let (tx, ready) = (Arc::clone(&left.tx), Arc::clone(&left.ready));
        let rx = Mutex::new(left.rx);
        let check = move || {
            let refused = |done: io::Result<()>| match done {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
                _ => Err(io::Error::from(ErrorKind::Other)),
            };
            refused(tx.append(&[b"from the child"], None))?;
            refused(tx.flush().map(drop))?;
            let mut rx = rx.lock().expect("nobody panics");
            refused(rx.recv(&mut Buffer::new()).map(drop))?;
            ready.disarm();
            ready.arm();
            ready.wait(farcall_core::transport::Interest::ReadWrite, None);
            tx.close();
            Ok(())
        };
        let mut command = Command::new("true");
        // SAFETY: the closure touches nothing that another thread of this process could have locked, but the allocator,
        // which the C library makes usable in the child.
        unsafe { command.pre_exec(check) };
        let mut child = command.spawn().expect("everything was refused in the child");
        assert!(child.wait().expect("it ends").success());
        assert_eq!(recv(&mut right).await.expect("valid").as_deref(), Some(&b"before"[..]));
        left.tx.append(&[b"after"], None).expect("still open here");
        left.tx.flush().expect("still open here");
        assert_eq!(recv(&mut right).await.expect("valid").as_deref(), Some(&b"after"[..]));
    });
}
