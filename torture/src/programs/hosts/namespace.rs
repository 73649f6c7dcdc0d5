//! A host of its own, as far as the network knows: a namespace, and the thread's way in and out.

use anyhow::{Context, Result, ensure};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::{
    fs::File,
    io::{Read, Write},
    os::fd::AsFd,
    process::{Child, Command, Stdio},
};

/// A namespace of the network. It has no name, and is gone with whoever is in it: nothing is left behind, whatever becomes of this
/// process.
pub(super) struct Namespace {
    network: File,
    /// Whoever keeps it. Ends by itself when nobody writes to it any more.
    keeper: Child,
}

impl Namespace {
    pub(super) fn new() -> Result<Self> {
        let mut keeper = Command::new("unshare")
            .args(["--net", "--", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("there is no command `unshare`")?;
        // It echoes when it is in the namespace, and not before.
        let mut echo = [0; 1];
        let input = keeper.stdin.as_mut().context("no standard input")?;
        let echoed = input.write_all(b"\n").and_then(|()| {
            let mut output = keeper.stdout.take().map(|output| output.take(1));
            output.as_mut().map_or(Ok(0), |output| output.read(&mut echo))
        });
        ensure!(
            matches!(echoed, Ok(1)),
            "`unshare --net` may not make a namespace: that wants root, or CAP_SYS_ADMIN"
        );
        let network = File::open(format!("/proc/{}/ns/net", keeper.id()));
        Ok(Self { network: network.context("the namespace cannot be opened")?, keeper })
    }

    /// Does something in it, on this thread: sockets, devices and processes that are made belong to it.
    pub(super) fn within<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let own = File::open("/proc/thread-self/ns/net")?;
        let enter = |network: &File| {
            move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))
        };
        enter(&self.network).context("the namespace cannot be entered")?;
        let done = work();
        enter(&own).context("the way out of the namespace is closed")?;
        done
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Neither fails for a process that has ended and was not waited for.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}
