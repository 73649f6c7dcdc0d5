//! Items between two ends of one process.

use super::{
    messages::Grant,
    waiting::{Ticket, Waiting},
};
use crate::error::{Error, ErrorKind};
use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// Encoded bytes that may be under way to another process and not taken there.
pub(super) const WINDOW: usize = 512 << 10;

/// Which items wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keeps {
    All,
    /// A new one replaces the one that waits.
    Latest,
}

/// How a stream ends for its receiver.
#[derive(Clone, Debug)]
pub(super) enum End {
    Finished,
    Failed(Error),
}

/// Items that wait, and who waits for them or for room.
pub(super) struct Queue<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    items: VecDeque<T>,
    capacity: usize,
    keeps: Keeps,
    /// The sender's side is done.
    end: Option<End>,
    /// The receiver's side is gone, and why.
    closed: Option<Error>,
    senders: Waiting,
    receiver: Option<Waker>,
    /// Where the items come from another process: what must be given back to it.
    debt: Option<Debt>,
}

/// Credit that the peer's side has used, until the items are taken.
struct Debt {
    grant: Grant,
    /// Items in front of the batches.
    before: usize,
    /// Items and bytes of the batches that wait, in order.
    batches: VecDeque<(usize, usize)>,
    /// Taken, and not given back yet.
    items: usize,
    bytes: usize,
    /// Give back from so many items on.
    least: usize,
}

/// What was taken out of a queue, and the credit to be given back for it under no lock.
pub(super) struct Taken {
    pub(super) end: Option<End>,
    owed: Option<(Grant, usize, usize)>,
}

impl Taken {
    /// Gives the credit back. True if anything was taken at all.
    pub(super) fn settle(self) -> Option<End> {
        if let Some((grant, items, bytes)) = self.owed {
            grant.give(items, bytes);
        }
        self.end
    }
}

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize, keeps: Keeps) -> Self {
        Self(Arc::new(Mutex::new(State {
            items: VecDeque::new(),
            capacity,
            keeps,
            end: None,
            closed: None,
            senders: Waiting::default(),
            receiver: None,
            debt: None,
        })))
    }

    pub(super) fn capacity(&self) -> usize {
        self.lock().capacity
    }

    pub(super) fn keeps(&self) -> Keeps {
        self.lock().keeps
    }

    /// From now on the items come from another process, which has credit for `capacity` of them and is given back what it uses.
    pub(super) fn owe(&self, grant: Grant) {
        let mut state = self.lock();
        let least = (state.capacity / 2).max(1);
        // What waits already is nobody's debt.
        let before = state.items.len();
        let batches = VecDeque::new();
        let debt = Debt { grant, before, batches, items: 0, bytes: 0, least };
        let gone = state.debt.replace(debt);
        drop(state);
        drop(gone);
    }

    /// Puts an item at the end, unless there is no room: then it is left in `item`.
    ///
    /// # Errors
    /// Why nobody receives any more.
    pub(super) fn try_push(&self, item: &mut Option<T>) -> Poll<Result<(), Error>> {
        self.push_or(item, |_| None)
    }

    /// The same; where there is no room, the waker is kept.
    pub(super) fn poll_push(
        &self,
        item: &mut Option<T>,
        ticket: &mut Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.push_or(item, |senders| senders.insert(ticket, cx.waker()))
    }

    /// Waits until there is room.
    ///
    /// # Errors
    /// Why nobody receives any more.
    pub(super) fn poll_room(
        &self,
        ticket: &mut Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        let mut state = self.lock();
        if let Some(why) = &state.closed {
            return Poll::Ready(Err(why.clone()));
        }
        if state.has_room() {
            return Poll::Ready(Ok(()));
        }
        let earlier = state.senders.insert(ticket, cx.waker());
        drop(state);
        drop(earlier);
        Poll::Pending
    }

    /// Puts an item at the end, for which there was room.
    ///
    /// # Errors
    /// Why nobody receives any more.
    pub(super) fn push(&self, item: T) -> Result<(), Error> {
        let state = self.lock();
        if let Some(why) = &state.closed {
            return Err(why.clone());
        }
        Self::add(state, item);
        Ok(())
    }

    fn push_or(
        &self,
        item: &mut Option<T>,
        wait: impl FnOnce(&mut Waiting) -> Option<Waker>,
    ) -> Poll<Result<(), Error>> {
        let mut state = self.lock();
        if let Some(why) = &state.closed {
            return Poll::Ready(Err(why.clone()));
        }
        if !state.has_room() {
            let earlier = wait(&mut state.senders);
            drop(state);
            drop(earlier);
            return Poll::Pending;
        }
        if let Some(item) = item.take() {
            Self::add(state, item);
        }
        Poll::Ready(Ok(()))
    }

    fn add(mut state: MutexGuard<'_, State<T>>, item: T) {
        let replaced = match state.keeps {
            Keeps::All => None,
            Keeps::Latest => state.items.pop_back(),
        };
        state.items.push_back(item);
        let waker = state.receiver.take();
        drop(state);
        drop(replaced);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Whoever had this ticket waits no more.
    pub(super) fn leave(&self, ticket: &Ticket) {
        let waker = self.lock().senders.remove(ticket);
        drop(waker);
    }

    /// Puts a batch of so many encoded bytes at the end, which its sender had credit for. Leaves memory for the next one, if there is any.
    pub(super) fn push_batch(&self, batch: &mut VecDeque<T>, bytes: usize) {
        let mut state = self.lock();
        if state.closed.is_some() || state.end.is_some() {
            return;
        }
        if let Some(debt) = &mut state.debt {
            debt.batches.push_back((batch.len(), bytes));
        }
        match state.items.is_empty() {
            true => std::mem::swap(&mut state.items, batch),
            false => state.items.append(batch),
        }
        let waker = state.receiver.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Gives back credit for bytes at once.
    pub(super) fn give_back(&self, bytes: usize) {
        let grant = self.lock().debt.as_ref().map(|debt| debt.grant.clone());
        grant.into_iter().for_each(|grant| grant.give(0, bytes));
    }

    /// Moves items that wait to the end of `into`, `most` of them; where there are none, tells how the stream has ended, or keeps the waker.
    pub(super) fn poll_take(
        &self,
        into: &mut VecDeque<T>,
        most: usize,
        cx: Option<&mut Context<'_>>,
    ) -> Poll<Taken> {
        let mut state = self.lock();
        if state.items.is_empty() {
            if let Some(end) = &state.end {
                return Poll::Ready(Taken { end: Some(end.clone()), owed: None });
            }
            let earlier = cx.and_then(|cx| state.receiver.replace(cx.waker().clone()));
            drop(state);
            drop(earlier);
            return Poll::Pending;
        }
        let count = state.items.len().min(most);
        match into.is_empty() && count == state.items.len() {
            true => std::mem::swap(into, &mut state.items),
            false => into.extend(state.items.drain(..count)),
        }
        let owed = state.debt.as_mut().and_then(|debt| {
            debt.take(count);
            debt.owed()
        });
        let senders = state.senders.take();
        drop(state);
        senders.for_each(Waker::wake);
        Poll::Ready(Taken { end: None, owed })
    }

    /// The sender's side is done. The first end counts.
    pub(super) fn end(&self, end: End) {
        let mut state = self.lock();
        state.end.get_or_insert(end);
        let waker = state.receiver.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    /// The stream has failed here: the receiver gets what waits, and then the error, and the sender is told to stop.
    pub(super) fn fail(&self, why: &Error) {
        let grant = self.lock().debt.as_ref().map(|debt| debt.grant.clone());
        self.end(End::Failed(why.clone()));
        if let Some(grant) = grant {
            grant.stop();
        }
    }

    /// Puts items back to the front that were taken and not given out.
    pub(super) fn put_back(&self, mut items: VecDeque<T>) {
        let mut state = self.lock();
        items.append(&mut state.items);
        state.items = items;
    }

    /// How the stream has ended, if nothing waits any more.
    pub(super) fn ended(&self) -> Option<End> {
        let state = self.lock();
        state.end.clone().filter(|_| state.items.is_empty())
    }

    /// The receiver's side is gone: what waits is dropped.
    pub(super) fn close(&self, why: Error) {
        let mut state = self.lock();
        state.closed.get_or_insert(why);
        let items = std::mem::take(&mut state.items);
        let (senders, pump) = (state.senders.take(), state.receiver.take());
        let debt = state.debt.take();
        drop(state);
        if let Some(debt) = debt {
            debt.grant.stop();
        }
        drop(items);
        senders.chain(pump).for_each(Waker::wake);
    }

    /// Why nobody receives any more, once that is so.
    pub(super) fn why_closed(&self) -> Option<Error> {
        self.lock().closed.clone()
    }

    /// Waits until nobody receives any more.
    pub(super) fn poll_closed(&self, ticket: &mut Ticket, cx: &mut Context<'_>) -> Poll<Error> {
        let mut state = self.lock();
        if let Some(why) = &state.closed {
            return Poll::Ready(why.clone());
        }
        let earlier = state.senders.insert(ticket, cx.waker());
        drop(state);
        drop(earlier);
        Poll::Pending
    }

    /// Why nothing comes any more from the process that the items come from, if its connection was lost.
    pub(super) fn why_lost(&self) -> Option<Error> {
        let grant = self.lock().debt.as_ref().map(|debt| debt.grant.clone());
        grant.and_then(|grant| grant.why_lost())
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn has_room(&self) -> bool {
        self.keeps == Keeps::Latest || self.items.len() < self.capacity
    }
}

impl Debt {
    /// So many items were taken, oldest first.
    fn take(&mut self, count: usize) {
        let before = count.min(self.before);
        self.before -= before;
        let mut count = count - before;
        self.items += count;
        while let Some((left, bytes)) = self.batches.front_mut() {
            if *left > count {
                *left -= count;
                return;
            }
            count -= *left;
            self.bytes += *bytes;
            self.batches.pop_front();
        }
    }

    /// What is to be given back now, if it is worth a message.
    fn owed(&mut self) -> Option<(Grant, usize, usize)> {
        if self.items < self.least && self.bytes < WINDOW / 2 {
            return None;
        }
        let owed = (self.grant.clone(), self.items, self.bytes);
        (self.items, self.bytes) = (0, 0);
        Some(owed)
    }
}

/// The error of an end that is used after it was passed.
pub(super) fn elsewhere() -> Error {
    let text = "this end of the stream was passed to another process: it can be used there alone";
    Error::of(ErrorKind::Broken, text)
}

/// The error of a sender whose receiver was dropped.
pub(super) fn unwanted() -> Error {
    let text = "the receiver of this stream was dropped: nobody wants more items";
    Error::of(ErrorKind::Cancelled, text)
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("waiting", &self.lock().items.len()).finish_non_exhaustive()
    }
}
