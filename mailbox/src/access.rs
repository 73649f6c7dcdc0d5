//! A mailbox as one process uses it: values go in and come out as letters.

use crate::{
    Action, Counts, Error, Host, Kind, Letter, Letters, Outgoing, Receipt, Result, Terms, Values,
    bundle::Bundle,
    desk::{Begun, Desk, Entrance, near},
    engine::{LetterId, Manner},
    parcel::{Packing, Writings},
    post::{ANSWER, Patience, Post},
    writing::Writing,
};
use farcall_core::{runtime, stub::Remote, transport::BoxFuture};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// A mailbox as one process uses it. Clones are the same attachment.
pub struct Access<T> {
    inner: Arc<Inner>,
    key: u64,
    letters: PhantomData<fn(T) -> T>,
}

struct Inner {
    entrance: Entrance,
    kind: Kind,
    wanted: Option<Terms>,
    seat: OnceCell<(Desk, Terms)>,
}

/// Letters on their way: which one the last is, how many they are, and whose attachment sends them.
pub(crate) type Sending = BoxFuture<'static, Result<(LetterId, u64, Desk)>>;

impl<T: Serialize + DeserializeOwned + Send + 'static> Access<T> {
    /// Access to a mailbox, which this process attaches itself to when it first sends or receives.
    #[must_use]
    pub fn new(post: Remote<dyn Post>, wanted: Option<Terms>) -> Self {
        Self::by(Entrance::Far(post), wanted)
    }

    /// Access to a mailbox that this process hosts, without a connection in between.
    #[must_use]
    pub fn near(host: Host) -> Self {
        Self::by(Entrance::Near(host), None)
    }

    fn by(entrance: Entrance, wanted: Option<Terms>) -> Self {
        let (kind, seat) = (Kind::of::<T>(), OnceCell::new());
        let inner = Arc::new(Inner { entrance, kind, wanted, seat });
        Self { inner, key: 0, letters: PhantomData }
    }

    /// Attaches now, and says what the parameters of the mailbox are.
    ///
    /// # Errors
    /// `OtherParameters`, `OtherLetters`, `MailboxBusy`, `Closed`, `MailboxGone`.
    pub fn attach(&self) -> Action<Terms> {
        let inner = Arc::clone(&self.inner);
        Action::new(async move { inner.seat().await.map(|(_, terms)| *terms) })
    }

    /// The same, with letters sent through it having this key: see [`Policy::Sticky`](crate::Policy::Sticky).
    #[must_use]
    pub fn keyed(&self, key: u64) -> Self {
        Self { key, ..self.clone() }
    }

    /// Sends a letter: done when it is accepted, which with a capacity of zero is when a receiver takes it.
    ///
    /// # Errors
    /// `LimitExceeded`, `Closed`, `NotLasting`, `NotStored`; `MailboxGone`, in which case it is not known whether it was accepted; a call's
    /// `Encode` or `TooLarge`.
    pub fn send(&self, value: &T) -> Action<Receipt> {
        self.post(value, Patience::Endless)
    }

    /// Sends a letter if it is accepted at once.
    ///
    /// # Errors
    /// `Full`, `NoReceiver`; `NoAnswer`, if the host hangs; and those of [`send`](Self::send).
    pub fn try_send(&self, value: &T) -> Action<Receipt> {
        self.post(value, Patience::None)
    }

    /// Sends a letter if it is accepted in time. Time is kept by the host: a letter that was not accepted is withdrawn there, so
    /// `TimedOut` means that nobody will ever take it. A host that hangs is waited for [`ANSWER`] longer: then it is not known.
    ///
    /// # Errors
    /// `TimedOut`, `NoAnswer`, and those of [`send`](Self::send).
    pub fn send_timeout(&self, value: &T, time: Duration) -> Action<Receipt> {
        self.post(value, Patience::For(time))
    }

    /// Takes a letter, and waits for one.
    ///
    /// # Errors
    /// `Closed`, `MailboxGone`, `NotStored`; a call's `Decode` if it is no `T`: it is given back then.
    pub fn recv(&self) -> Action<Letter<T>> {
        self.take(Patience::Endless)
    }

    /// Takes a letter if one is there.
    ///
    /// # Errors
    /// `Empty`; `NoAnswer`, if the host hangs; and those of [`recv`](Self::recv).
    pub fn try_recv(&self) -> Action<Letter<T>> {
        self.take(Patience::None)
    }

    /// Takes a letter if one comes in time.
    ///
    /// # Errors
    /// `TimedOut`, `NoAnswer`, and those of [`recv`](Self::recv).
    pub fn recv_timeout(&self, time: Duration) -> Action<Letter<T>> {
        self.take(Patience::For(time))
    }

    /// Takes a letter and acks it before it is given out: at most once.
    ///
    /// # Errors
    /// Those of [`recv`](Self::recv).
    pub fn recv_now(&self) -> Action<T> {
        if let Some(Desk::Near(chair)) = self.inner.at_once() {
            let taken = chair.take(1, Manner::Held, Patience::Endless);
            return Action(near(async move { taken.await?.read_and_acked(Writing::read).await }));
        }
        let letter = self.recv();
        Action::new(async move { letter.await?.acked().await })
    }

    /// The next letter; none, once the mailbox is closed or gone.
    ///
    /// # Cancel safety
    /// As that of [`Action`].
    pub async fn next(&self) -> Option<Result<Letter<T>>> {
        match self.recv().await {
            Err(Error::Closed { .. } | Error::MailboxGone(_)) => None,
            letter => Some(letter),
        }
    }

    /// The letters, as a stream that takes several at a time where the policy and the capacity allow it.
    #[must_use]
    pub fn letters(&self) -> Letters<T> {
        Letters::new(self.clone())
    }

    /// The values of the letters, each acked as it is taken, as a stream that takes several at a time where the policy and the
    /// capacity allow it: at most once.
    #[must_use]
    pub fn values(&self) -> Values<T> {
        Values::new(self.clone())
    }

    /// Sends letters, directly one after the other: done when all are accepted. With a capacity, those wait that are beyond it.
    ///
    /// # Errors
    /// Those of [`send`](Self::send). They travel in parcels of [`PARCEL_LETTERS`](crate::PARCEL_LETTERS) letters or
    /// [`PARCEL_BYTES`](crate::PARCEL_BYTES) bytes: what is refused is refused with its parcel, and letters of earlier ones may have been
    /// accepted.
    pub fn send_all<'a>(&self, values: impl IntoIterator<Item = &'a T>) -> Action<Vec<Receipt>>
    where
        T: 'a,
    {
        let (mut parcel, mut sent) = (Packing::default(), Vec::new());
        for value in values {
            if let Err(error) = parcel.push(value) {
                return Action::new(async move { Err(error) });
            }
            if parcel.is_full() {
                sent.push(self.post_all(std::mem::take(&mut parcel)));
            }
        }
        if !parcel.is_empty() {
            sent.push(self.post_all(parcel));
        }
        Action::new(async move {
            let mut receipts = Vec::new();
            for part in sent {
                let (last, count, seat) = part.await?;
                let numbers = (last.0 + 1).saturating_sub(count)..=last.0;
                let letters = numbers.map(LetterId);
                receipts.extend(letters.map(|letter| Receipt { letter, seat: seat.clone() }));
            }
            Ok(receipts)
        })
    }

    /// A sink of letters, which sends several at a time: see [`Outgoing`].
    #[must_use]
    pub fn sink(&self) -> Outgoing<T> {
        Outgoing::new(self.clone())
    }

    /// What the mailbox holds.
    pub fn counts(&self) -> Action<Counts> {
        let inner = Arc::clone(&self.inner);
        Action::new(async move { inner.seat().await?.0.counts().await })
    }

    fn post(&self, value: &T, patience: Patience) -> Action<Receipt> {
        let (writing, key) = (Writing::of(value), self.key);
        let (writing, inner) = match writing {
            Ok(writing) => (writing, Arc::clone(&self.inner)),
            Err(error) => return Action::new(async move { Err(error) }),
        };
        if let Some(seat) = inner.at_once() {
            let (sent, seat) = (seat.send(key, writing, patience), seat.clone());
            return Action::new(async move { Ok(Receipt { letter: sent.await?, seat }) });
        }
        Action::new(async move {
            let (seat, patience) = inner.seat_in_time(patience).await?;
            let letter = seat.send(key, writing, patience).await?;
            let seat = seat.clone();
            Ok(Receipt { letter, seat })
        })
    }

    /// Sends letters: which one the last is, and how many they are.
    pub(crate) fn post_all(&self, packing: Packing) -> Sending {
        let (inner, key) = (Arc::clone(&self.inner), self.key);
        let parcel = packing.finish();
        let count = parcel.count();
        if let Some(seat) = inner.at_once() {
            let (sent, seat) = (seat.send_all(key, parcel), seat.clone());
            return Box::pin(async move { Ok((sent.await?, count, seat)) });
        }
        Box::pin(async move {
            let seat = inner.seat().await?.0.clone();
            let last = seat.send_all(key, parcel).await?;
            Ok((last, count, seat))
        })
    }

    /// Takes letters, at most so many, which are acked as they are taken.
    pub(crate) fn fetch_acked(&self, most: u32) -> Begun<Writings> {
        let inner = Arc::clone(&self.inner);
        if let Some(desk) = inner.at_once() {
            return desk.recv_acked(most);
        }
        Box::pin(async move { inner.seat().await?.0.recv_acked(most).await })
    }

    fn take(&self, patience: Patience) -> Action<Letter<T>> {
        let taken = self.fetch(1, patience);
        Action::new(async move { taken.await?.next().unwrap_or(Err(Error::Empty)) })
    }

    /// Takes letters, at most so many.
    pub(crate) fn fetch(&self, most: u32, patience: Patience) -> Begun<Bundle> {
        let inner = Arc::clone(&self.inner);
        if let Some(desk) = inner.at_once() {
            return desk.recv(most, patience);
        }
        Box::pin(async move {
            let (seat, patience) = inner.seat_in_time(patience).await?;
            seat.recv(most, patience).await
        })
    }
}

impl Inner {
    /// The attachment, if it is there or can be at once.
    fn at_once(&self) -> Option<&Desk> {
        if let Some((desk, _)) = self.seat.get() {
            return Some(desk);
        }
        if let Some(Ok(sat)) = self.entrance.sit(&self.kind) {
            // Somebody else may have been faster, whose attachment serves as well.
            let _ = self.seat.set(sat);
        }
        self.seat.get().map(|(desk, _)| desk)
    }

    async fn seat(&self) -> Result<&(Desk, Terms)> {
        let attach = || self.entrance.attach(&self.kind, self.wanted);
        self.seat.get_or_try_init(attach).await
    }

    /// The same if it comes in time, and how much of that is left.
    async fn seat_in_time(&self, patience: Patience) -> Result<(&Desk, Patience)> {
        let (time, begun) = match patience {
            Patience::Endless => return Ok((&self.seat().await?.0, patience)),
            Patience::None => (ANSWER, Instant::now()),
            Patience::For(time) => (time, Instant::now()),
        };
        let (desk, _) = tokio::select! {
            biased;
            seat = self.seat() => seat?,
            () = runtime::sleep(time)? => return Err(Error::TimedOut),
        };
        Ok((desk, patience.after(begun.elapsed())))
    }
}

impl<T> Clone for Access<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), key: self.key, letters: PhantomData }
    }
}

impl<T> fmt::Debug for Access<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("kind", &self.inner.kind).finish_non_exhaustive()
    }
}
