//! Readiness: the tasks' doorbell and the control socket in tokio's epoll, the threads' doorbell in a poll of their own.

use super::{
    end::{End, Stage},
    sending::Sending,
    sleepers::For,
};
use crate::stream::socket::register;
use farcall_core::transport::{Interest, Ready};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io,
    os::fd::{AsRawFd, RawFd},
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};
use tokio::io::unix::AsyncFd;

/// What a wire sleeps on.
///
/// The runtime knows one waker for the descriptors: the relay, which wakes the tasks that wait for arrivals and for
/// space. The doorbell is never read: each ring is an edge.
pub(super) struct ShmReady {
    end: Arc<End>,
    sending: Arc<Sending>,
    doorbell: AsyncFd<OfDoorbell>,
    control: AsyncFd<OfControl>,
    relay: Waker,
}

struct OfDoorbell(Arc<End>);

impl AsRawFd for OfDoorbell {
    fn as_raw_fd(&self) -> RawFd {
        self.0.ours.task.as_raw_fd()
    }
}

struct OfControl(Arc<End>);

impl AsRawFd for OfControl {
    fn as_raw_fd(&self) -> RawFd {
        self.0.control.as_raw_fd()
    }
}

struct Relay(Arc<End>);

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.0.check_origin().is_ok() {
            self.0.sleepers.rouse_all(&self.0.ours.segment);
        }
    }
}

impl ShmReady {
    /// Needs a tokio runtime around it.
    pub(super) fn new(end: &Arc<End>, sending: &Arc<Sending>) -> io::Result<Self> {
        let readable = tokio::io::Interest::READABLE;
        Ok(Self {
            end: Arc::clone(end),
            sending: Arc::clone(sending),
            doorbell: register(OfDoorbell(Arc::clone(end)), readable)?,
            control: register(OfControl(Arc::clone(end)), readable)?,
            relay: Waker::from(Arc::new(Relay(Arc::clone(end)))),
        })
    }

    /// Sleeps unless `found` finds something in a last look.
    fn poll(&self, direction: For, cx: &Context<'_>, found: impl Fn() -> bool) -> Poll<()> {
        let (end, sleepers) = (&self.end, &self.end.sleepers);
        if end.is_over() {
            return Poll::Ready(());
        }
        sleepers.leave_waker(direction, cx.waker());
        let heard = self.listen();
        let ours = &end.ours.segment;
        let news = (sleepers.park_task(direction, ours) && found()) || end.is_over() || !heard;
        if news {
            drop(sleepers.rouse(direction, ours));
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Leaves the relay with both descriptors. What had been rung before is looked for after this. False if the runtime
    /// is shutting down: there is nothing left to wait with.
    fn listen(&self) -> bool {
        let cx = &mut Context::from_waker(&self.relay);
        while let Poll::Ready(ready) = self.doorbell.poll_read_ready(cx) {
            let Ok(mut guard) = ready else { return false };
            guard.clear_ready();
        }
        while let Poll::Ready(ready) = self.control.poll_read_ready(cx) {
            let Ok(mut guard) = ready else { return false };
            self.end.look_at_control();
            if self.end.stage() != Stage::Open {
                break;
            }
            guard.clear_ready();
        }
        true
    }

    /// Blocks until somebody rings, or the wire ends, or the time is over.
    fn sleep(&self, timeout: Option<Duration>) {
        let doorbell = &self.end.ours.thread;
        let flags = PollFlags::IN | PollFlags::RDHUP;
        let mut both =
            [PollFd::new(doorbell, PollFlags::IN), PollFd::new(&self.end.control, flags)];
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // Interrupted or not, the caller looks for itself.
        let _ = poll(&mut both, timeout.as_ref());
        let [rung, control] = both.map(|one| !one.revents().is_empty());
        if rung {
            doorbell.clear();
        }
        if control {
            self.end.look_at_control();
        }
    }
}

impl Ready for ShmReady {
    fn arm(&self) {
        if self.end.check_origin().is_err() {
            return;
        }
        let ours = &self.end.ours.segment;
        if self.end.sleepers.arm(ours) && (self.end.has_arrivals() || self.end.is_over()) {
            let waker = self.end.sleepers.rouse(For::Arrivals, ours);
            waker.into_iter().for_each(Waker::wake);
        }
    }

    fn disarm(&self) {
        if self.end.check_origin().is_ok() {
            self.end.sleepers.disarm(&self.end.ours.segment);
        }
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(For::Arrivals, cx, || self.end.has_arrivals())
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.end.lender.leave_waker(cx.waker());
        self.poll(For::Space, cx, || self.sending.may_go_on())
    }

    fn wait(&self, interest: Interest, timeout: Option<Duration>) {
        if self.end.is_over() {
            return;
        }
        let directions = match interest {
            Interest::Read => &[For::Arrivals][..],
            Interest::ReadWrite => &[For::Arrivals, For::Space],
        };
        let (ours, sleepers) = (&self.end.ours.segment, &self.end.sleepers);
        let parked = sleepers.park_thread(directions, ours);
        let room = interest == Interest::ReadWrite && self.sending.has_room();
        if !room && !self.end.has_arrivals() && !self.end.is_over() {
            sleepers.sleep(parked, timeout, || self.sleep(timeout));
        }
        sleepers.leave_thread(directions, ours);
    }
}
