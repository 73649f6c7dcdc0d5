//! A fork of a process that has a wire: told what is wrong, and harmless. May be `unsafe`, to fork at all.
#![expect(unsafe_code, reason = "what runs between fork and exec may do little")]

use super::*;
use farcall_core::{payload::Payload, transport::Purpose};
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

#[test]
fn a_fork_has_no_blocks_and_gives_none_back() {
    run(async {
        let (left, mut right) = sides();
        let loan = || left.wire.tx.loan(5000, Purpose::Loan).expect("there is room");
        let (mut open, mut filled) = (loan(), loan());
        filled.fill(1);
        let own = Payload::from(filled);
        left.wire.tx.append_with(&[b"frame"], None, vec![own.clone()]).expect("it is open");
        right.wire.rx.recv(&mut Buffer::new()).expect("valid");
        let borrowed = right.wire.rx.payloads().remove(0);
        open.fill(2);
        let tx = Arc::clone(&left.wire.tx);
        let mut held = Some((own.clone(), borrowed.clone(), open));
        let check = move || {
            let Some((own, borrowed, mut open)) = held.take() else { return Ok(()) };
            for payload in [&own, &borrowed] {
                let mut bytes = [9; 5000];
                let empty =
                    payload.try_as_slice().is_none() && payload.copy_to(0, &mut bytes) == 5000;
                if !empty || bytes != [0; 5000] {
                    return Err(ErrorKind::Other.into());
                }
            }
            if !open.is_empty()
                || open.get_mut(..1).is_some()
                || tx.loan(5000, Purpose::Loan).is_some()
            {
                return Err(ErrorKind::Other.into());
            }
            drop((own, borrowed, open));
            Ok(())
        };
        let mut command = Command::new("true");
        // SAFETY: as above.
        unsafe { command.pre_exec(check) };
        let mut child = command.spawn().expect("everything was empty in the child");
        assert!(child.wait().expect("it ends").success());
        assert_eq!((own.to_vec(), borrowed.to_vec()), (vec![1; 5000], vec![1; 5000]));
        drop(command);
        drop((own, borrowed));
        assert_eq!(left.end.lender.used(), 0);
    });
}
