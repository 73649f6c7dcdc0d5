//! Whoever waits for a return, and what it waits for: one slot for each slot of the table of calls.

use super::{body::Body, order::Order, promised::Fate, reply::Answer, start::Next};
use crate::{
    error::{Error, Executed},
    id::CallId,
    stub::Handle,
};
use std::{cell::Cell, mem, sync::Arc, task::Waker, thread::Thread};
use tokio::task::AbortHandle;

/// How a call came back, still encoded.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The servant's value.
    Ok(Body),
    /// The servant's error.
    App(Body),
    /// It did not reach the servant, or not as meant.
    Failed(Error),
}

/// Who waits for one call.
#[derive(Default, Debug)]
pub(super) struct Waiter {
    pub(super) reply: Option<Reply>,
    pub(super) waker: Option<Waker>,
    pub(super) thread: Option<Thread>,
    /// Nobody takes the reply: the call runs for its effect.
    pub(super) detached: bool,
    /// Calls are made on what it will return: the call is not over when it has returned.
    pub(super) promised: Option<Arc<Fate>>,
    /// The name of its method.
    pub(super) method: &'static str,
    pub(super) chain: u64,
    /// The call itself, kept where it may have to be sent again.
    pub(super) order: Option<Order>,
    /// It was out on a wire that is gone, and may have run there.
    pub(super) was_out: bool,
}

/// Those to be woken, once no lock is held.
#[derive(Default, Debug)]
pub(super) struct Wakes {
    /// The call of the thread that receives, which takes the reply itself.
    own: Option<CallId>,
    /// The receiver can start a call that was made while its own is served.
    starts: bool,
    /// The receiver is the background task, which starts a call that comes alone at once.
    background: bool,
    /// A call that the receiver starts.
    next: Option<Next>,
    reply: Option<Reply>,
    /// Nobody else waited when the reply came.
    last: bool,
    /// A task was woken.
    woke: bool,
    wakers: Vec<Waker>,
    rare: Option<Box<Rare>>,
}

/// What is seldom to be done once no lock is held.
#[derive(Default, Debug)]
struct Rare {
    threads: Vec<Thread>,
    aborts: Vec<AbortHandle>,
    /// Handles whose objects are gone, and why.
    ended: Vec<(Arc<Handle>, Error)>,
    /// Calls that have come back, or never will, on whose results calls are made.
    told: Vec<Arc<Fate>>,
    /// What nobody waits for, or what cannot be sent: to be dropped, which may run destructors.
    replies: Vec<Reply>,
    orders: Vec<Order>,
    answers: Vec<Answer>,
}

thread_local! {
    /// The memory of the last list of wakers, for the next.
    static SPARE: Cell<Vec<Waker>> = const { Cell::new(Vec::new()) };
}

impl Drop for Wakes {
    fn drop(&mut self) {
        self.wake();
        if self.wakers.capacity() > 0 {
            let spare = mem::take(&mut self.wakers);
            let _ = SPARE.try_with(|kept| kept.set(spare));
        }
    }
}

/// There is no copy of the waker yet that could be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Uncopied;

impl Waiter {
    /// Nothing of an earlier call is left.
    pub(super) fn begin(&mut self) {
        let Self { reply, waker, thread, order, .. } = self;
        if reply.is_some() || waker.is_some() || thread.is_some() || order.is_some() {
            *self = Self::default();
        }
        (self.detached, self.was_out, self.promised) = (false, false, None);
    }

    /// Keeps the `copy` of this waker, unless it has one. Gives out the one before.
    pub(super) fn keep(
        &mut self,
        copy: &mut Option<Waker>,
        waker: &Waker,
    ) -> Result<Option<Waker>, Uncopied> {
        if self.waker.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
            return Ok(None);
        }
        let copy = copy.take().ok_or(Uncopied)?;
        Ok(self.waker.replace(copy))
    }

    /// What the caller of a call that was out before is told: that it did not run on this wire does not say that it did not on that one.
    #[cold]
    pub(super) fn truly(reply: Reply) -> Reply {
        match reply {
            Reply::Failed(error) if error.executed() == Executed::No => {
                Reply::Failed(error.executed_as(Executed::Maybe))
            }
            reply => reply,
        }
    }

    /// Hands over the reply and notes whom to wake.
    pub(super) fn resolve(&mut self, reply: Reply, wakes: &mut Wakes) {
        self.reply = Some(reply);
        self.order = None;
        wakes.push(self.waker.take());
        wakes.push_thread(self.thread.take());
    }
}

impl Wakes {
    /// For a thread that waits for this call itself.
    pub(super) fn of_receiver(call: CallId) -> Self {
        let mut wakes = Self::default();
        wakes.own = Some(call);
        wakes
    }

    /// For a task that waits for this call itself, and can start what is called meanwhile.
    pub(super) fn of_task(call: CallId) -> Self {
        let mut wakes = Self::of_receiver(call);
        wakes.starts = true;
        wakes
    }

    /// For the background task.
    pub(super) fn of_background() -> Self {
        let mut wakes = Self::default();
        wakes.background = true;
        wakes
    }

    /// Whether the receiver takes a call that has come, to start it before those that have arrived.
    pub(super) fn wants_next(&self) -> bool {
        self.background && self.next.is_none()
    }

    pub(super) fn set_next(&mut self, next: Next) {
        self.next = Some(next);
    }

    pub(super) fn has_next(&self) -> bool {
        self.next.is_some()
    }

    pub(super) fn take_next(&mut self) -> Option<Next> {
        self.next.take()
    }

    /// The call of the receiver, if that can start what is called meanwhile.
    pub(super) fn starter(&self) -> Option<CallId> {
        self.own.filter(|_| self.starts && self.next.is_none())
    }

    /// Whether the thread that receives waits for this call.
    pub(super) fn is_own(&self, call: CallId) -> bool {
        self.own == Some(call)
    }

    /// The receiver's own reply. `last`: nobody else waits.
    pub(super) fn push_own(&mut self, reply: Reply, last: bool) {
        self.reply = Some(reply);
        self.last = last;
    }

    pub(super) fn has_own(&self) -> bool {
        self.reply.is_some()
    }

    pub(super) fn take_own(&mut self) -> Option<Reply> {
        self.reply.take()
    }

    /// Nobody else waited when the receiver's own reply came.
    pub(super) fn was_last(&self) -> bool {
        self.last
    }

    #[inline]
    pub(super) fn push(&mut self, waker: Option<Waker>) {
        let Some(waker) = waker else { return };
        if self.wakers.capacity() == 0 {
            self.wakers = SPARE.try_with(Cell::take).unwrap_or_default();
        }
        self.wakers.push(waker);
    }

    /// A task to be aborted: that may drop its servant's future at once.
    pub(super) fn push_abort(&mut self, abort: Option<AbortHandle>) {
        if let Some(abort) = abort {
            self.rare.get_or_insert_default().aborts.push(abort);
        }
    }

    /// A handle whose object is gone.
    pub(super) fn push_ended(&mut self, handle: Arc<Handle>, why: Error) {
        self.rare.get_or_insert_default().ended.push((handle, why));
    }

    /// A call on whose result calls are made has come back, or never will.
    pub(super) fn push_told(&mut self, fate: Arc<Fate>) {
        self.rare.get_or_insert_default().told.push(fate);
    }

    /// A reply that nobody waits for.
    pub(super) fn push_reply(&mut self, reply: Reply) {
        self.rare.get_or_insert_default().replies.push(reply);
    }

    /// A call that needs its arguments no more: those that hold nothing are dropped at once.
    pub(super) fn push_order(&mut self, order: Order) {
        if order.holds() {
            self.rare.get_or_insert_default().orders.push(order);
        }
    }

    /// An answer that has gone out, or cannot.
    pub(super) fn push_answer(&mut self, answer: Answer) {
        self.rare.get_or_insert_default().answers.push(answer);
    }

    pub(super) fn push_thread(&mut self, thread: Option<Thread>) {
        if let Some(thread) = thread {
            self.rare.get_or_insert_default().threads.push(thread);
        }
    }

    pub(super) fn push_threads(&mut self, threads: impl Iterator<Item = Thread>) {
        self.rare.get_or_insert_default().threads.extend(threads);
    }

    /// Wakes them. Never under a lock: a waker is foreign code.
    #[inline]
    pub(super) fn wake(&mut self) {
        if !self.wakers.is_empty() {
            self.woke = true;
            self.wakers.drain(..).for_each(Waker::wake);
        }
        if let Some(rare) = self.rare.take() {
            rare.finish();
        }
    }

    /// Whether a task was woken.
    pub(super) fn woke(&self) -> bool {
        self.woke
    }
}

impl Rare {
    #[cold]
    fn finish(self) {
        self.threads.iter().for_each(Thread::unpark);
        self.aborts.iter().for_each(AbortHandle::abort);
        self.ended.iter().for_each(|(handle, why)| handle.end(why));
        self.told.iter().for_each(|fate| fate.tell());
    }
}
