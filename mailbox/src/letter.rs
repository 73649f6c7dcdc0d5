//! What comes out of a mailbox, a letter, and what a sender keeps of one, a receipt.

use crate::{
    Action, ProcessId,
    bundle::Place,
    desk::Desk,
    engine::{LetterId, Until},
};
use std::{fmt, ops::Deref};

/// A letter that this process has taken. It reads like the value in it. [`ack`](Self::ack) says that it is done; dropping it without
/// gives it back, and so does the end of the process: what happens then is the mailbox's [`OnCrash`](crate::OnCrash).
#[must_use = "a letter that is dropped without an ack is given back"]
pub struct Letter<T> {
    pub(crate) value: T,
    /// Which sender of those whose letters came together.
    pub(crate) sender: u32,
    pub(crate) deliveries: u32,
    pub(crate) again: bool,
    pub(crate) place: Place,
}

impl<T> Letter<T> {
    /// Says that the letter is done with, without waiting until the host has heard it.
    pub fn ack(self) {
        self.place.ack();
    }

    /// Who sent it.
    #[must_use]
    pub fn sender(&self) -> &ProcessId {
        self.place.sender(self.sender)
    }

    /// How often it was delivered, this time included: more than 1 says that an earlier receiver did not ack it.
    ///
    /// A receiver that died may have had letters of a [stream](crate::Letters) in its hands that it had not come to: these count, too.
    #[must_use]
    pub fn delivery_count(&self) -> u32 {
        self.deliveries
    }
}

impl<T> Letter<T> {
    /// Whether it was in somebody's hands before: of a receiver that did not ack it, or of one that gave it back unread, as a receive that
    /// is given up does. Such a letter may come after those that were sent later; all others of a sender come in the order of sending.
    #[must_use]
    pub fn redelivered(&self) -> bool {
        self.again
    }
}

impl<T: Send + 'static> Letter<T> {
    /// Says that the letter is done with, waits until the host has heard it, and gives the value out.
    ///
    /// # Errors
    /// `Detached` if it was given back before, `MailboxGone`; `NotStored` if the mailbox is durable and cannot store it: then it is not
    /// acked, and comes back.
    pub fn acked(self) -> Action<T> {
        let Self { value, place, .. } = self;
        Action::new(async move {
            place.acked().await?;
            Ok(value)
        })
    }
}

impl<T> Deref for Letter<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Letter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self { value, deliveries, .. }, sender) = (self, self.sender());
        f.debug_struct("Letter")
            .field("value", value)
            .field("sender", sender)
            .field("deliveries", deliveries)
            .finish()
    }
}

/// What a sender keeps of a letter that was accepted.
#[derive(Clone)]
pub struct Receipt {
    pub(crate) letter: LetterId,
    pub(crate) seat: Desk,
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").field("letter", &self.letter).finish_non_exhaustive()
    }
}

impl Receipt {
    /// Which process has taken the letter, once one has: the last one, if several have. It fails with
    /// [`ReceiverDied`](crate::Error::ReceiverDied) if it was returned, with [`GivenUp`](crate::Error::GivenUp) if it is dead or dropped,
    /// with [`Closed`](crate::Error::Closed) if the mailbox closed before anybody took it, and with
    /// [`Forgotten`](crate::Error::Forgotten) if it has long been over: the host remembers the newest
    /// [`REMEMBERED`](crate::engine::REMEMBERED).
    pub fn taken_by(&self) -> Action<ProcessId> {
        self.until(Until::Taken)
    }

    /// Which process has acked the letter, once one has. It fails as [`taken_by`](Self::taken_by) does.
    pub fn acked_by(&self) -> Action<ProcessId> {
        self.until(Until::Acked)
    }

    fn until(&self, until: Until) -> Action<ProcessId> {
        let (told, seat) = (self.seat.receipt(self.letter, until), self.seat.clone());
        Action::new(async move {
            let told = told.await;
            drop(seat);
            told
        })
    }
}
