//! A mailbox as a stream of letters, or of their values, and as a sink of them.

use crate::{
    Access, Error, Letter, Result,
    access::Sending,
    bundle::Bundle,
    desk::Begun,
    parcel::{Packing, Writings},
    post::Patience,
};
use farcall_core::runtime;
use futures_core::Stream;
use futures_sink::Sink;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Letters that a stream takes at once, where the policy and the capacity allow it.
pub const PREFETCHED: u32 = 128;
/// Parcels of a sink that are on their way at once.
const PARCELS: usize = 4;

/// The letters of a mailbox, one after the other. It ends when the mailbox is closed or gone.
///
/// It takes up to [`PREFETCHED`] letters at a time, or 64 KiB of them, and never more than half of a bounded capacity. With the policies
/// `FirstReceiver` and `LeastLoaded`, and with a capacity of zero, it takes each letter when it is asked for. What was taken counts as
/// taken by this process. Dropping the stream gives back what it has not given out, and that does not count as a delivery.
///
/// Letters of `Bytes` are not copied: while one of them is kept, so is the memory of those that came together with it.
pub struct Letters<T> {
    access: Access<T>,
    taking: Option<Begun<Bundle>>,
    bundle: Option<Bundle>,
}

impl<T> Letters<T> {
    pub(crate) fn new(access: Access<T>) -> Self {
        Self { access, taking: None, bundle: None }
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Letters<T> {
    /// Blocks this thread until the next letter is there: no runtime is needed.
    ///
    /// # Errors
    /// Those of [`Access::recv`]; a call's `WaitInAsync` in async code.
    pub fn next_wait(&mut self) -> Option<Result<Letter<T>>> {
        next_wait(self)
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Stream for Letters<T> {
    type Item = Result<Letter<T>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(bundle) = &mut this.bundle {
                let letter = bundle.next();
                if bundle.is_empty() {
                    // From now on only the letters hold it: the last one that is dropped gives it back.
                    this.bundle = None;
                }
                if letter.is_some() {
                    return Poll::Ready(letter);
                }
            }
            let take = || this.access.fetch(PREFETCHED, Patience::Endless);
            let taken = ready!(this.taking.get_or_insert_with(take).as_mut().poll(cx));
            this.taking = None;
            match taken {
                Ok(bundle) => this.bundle = Some(bundle),
                Err(error) => return Poll::Ready(unless_over(error)),
            }
        }
    }
}

impl<T> fmt::Debug for Letters<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Letters").field(&self.access).finish()
    }
}

/// The values of the letters of a mailbox, one after the other, each acked as it is taken: at most once. It ends when the mailbox is
/// closed or gone.
///
/// It takes as many at a time as [`Letters`] do: what it has not given out when it is dropped, or when the process dies, is lost, and so is
/// what cannot be decoded.
pub struct Values<T> {
    access: Access<T>,
    taking: Option<Begun<Writings>>,
    taken: Writings,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Values<T> {
    /// Blocks this thread until the next value is there: no runtime is needed.
    ///
    /// # Errors
    /// Those of [`Access::recv`]; a call's `WaitInAsync` in async code.
    pub fn next_wait(&mut self) -> Option<Result<T>> {
        next_wait(self)
    }
}

impl<T> Values<T> {
    pub(crate) fn new(access: Access<T>) -> Self {
        Self { access, taking: None, taken: Writings::Near(Vec::new().into_iter()) }
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Stream for Values<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(letter) = this.taken.next() {
                return Poll::Ready(Some(letter.read()));
            }
            let take = || this.access.fetch_acked(PREFETCHED);
            let taken = ready!(this.taking.get_or_insert_with(take).as_mut().poll(cx));
            this.taking = None;
            match taken {
                Ok(letters) => this.taken = letters,
                Err(error) => return Poll::Ready(unless_over(error)),
            }
        }
    }
}

impl<T> fmt::Debug for Values<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Values").field(&self.access).finish()
    }
}

fn next_wait<T>(stream: &mut (impl Stream<Item = Result<T>> + Unpin)) -> Option<Result<T>> {
    let next = poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx));
    runtime::wait_here(next).unwrap_or_else(|error| Some(Err(error.into())))
}

fn unless_over<T>(error: Error) -> Option<Result<T>> {
    match error {
        Error::Closed { .. } | Error::MailboxGone(_) => None,
        error => Some(Err(error)),
    }
}

/// A sink of letters. It sends them in parcels of [`PARCEL_LETTERS`](crate::PARCEL_LETTERS) letters or
/// [`PARCEL_BYTES`](crate::PARCEL_BYTES) bytes, and what there is when it is flushed: then all letters are accepted. It is ready while at
/// most four parcels are on their way. Dropping it withdraws what is not accepted.
pub struct Outgoing<T> {
    access: Access<T>,
    parcel: Packing,
    sending: VecDeque<Sending>,
}

impl<T> Outgoing<T> {
    pub(crate) fn new(access: Access<T>) -> Self {
        Self { access, parcel: Packing::default(), sending: VecDeque::new() }
    }

    /// Waits until at most so many parcels are on their way.
    fn poll_sent(&mut self, most: usize, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while self.sending.len() > most {
            let Some(first) = self.sending.front_mut() else { break };
            let sent = ready!(first.as_mut().poll(cx));
            self.sending.pop_front();
            if let Err(error) = sent {
                return Poll::Ready(Err(error));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Outgoing<T> {
    fn dispatch(&mut self) {
        if !self.parcel.is_empty() {
            let parcel = std::mem::take(&mut self.parcel);
            self.sending.push_back(self.access.post_all(parcel));
        }
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Sink<T> for Outgoing<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if !self.parcel.is_full() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_sent(PARCELS - 1, cx))?;
        self.dispatch();
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, value: T) -> Result<()> {
        self.parcel.push(&value)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.dispatch();
        self.poll_sent(0, cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.poll_flush(cx)
    }
}

impl<T> fmt::Debug for Outgoing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("access", &self.access).finish_non_exhaustive()
    }
}
