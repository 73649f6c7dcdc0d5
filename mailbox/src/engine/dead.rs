//! What becomes of a letter whose receiver is gone, or has dropped it, without an ack.

use crate::{Capacity, OnCrash, Policy, Terms};

/// What becomes of a letter that was not acked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// It waits to be taken again.
    Again,
    /// It goes to the dead letters.
    Dead,
    /// It is dropped.
    Dropped,
    /// It is returned to its sender.
    Returned,
    /// The mailbox closes.
    Closes,
}

/// What becomes of a letter that was delivered so often.
pub(super) fn fate(on_crash: OnCrash, deliveries: u32) -> Fate {
    match on_crash {
        OnCrash::Redeliver { max } if deliveries < max => Fate::Again,
        OnCrash::Redeliver { .. } => Fate::Dead,
        OnCrash::Drop => Fate::Dropped,
        OnCrash::Return => Fate::Returned,
        OnCrash::Close => Fate::Closes,
    }
}

/// The parameters of the mailbox for the dead letters of one with these: unbounded, and nothing in it dies again.
#[must_use]
pub fn terms_of_dead(terms: &Terms) -> Terms {
    Terms {
        capacity: Capacity::Unbounded,
        ceiling: terms.ceiling,
        policy: Policy::FirstReceiver,
        on_crash: OnCrash::Redeliver { max: u32::MAX },
    }
}
