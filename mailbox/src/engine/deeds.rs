//! What a model of a mailbox does, at random.

use crate::{Capacity, Error, Key, OnCrash, Policy, ProcessId, Terms};
use farcall_core::error::{self, ErrorKind};
use proptest::prelude::*;
use std::sync::Arc;

/// Bytes of letters in the mailboxes of the model.
pub(super) const CEILING: u64 = 400;

/// What is done to a mailbox. Numbers choose among what there is.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Attach(u8),
    Detach(usize),
    Send {
        seat: usize,
        key: u64,
        lengths: Vec<usize>,
    },
    Receive {
        seat: usize,
        most: usize,
        acked: bool,
    },
    Withdraw(usize),
    Ack(usize),
    GiveBack(usize),
    PutBack(usize),
    Inquire {
        letter: usize,
        acked: bool,
    },
    /// A letter that is not held any more is acked and given back once more.
    Repeat(usize),
    /// Its host is told to end.
    Suspend,
}

/// Any deed.
pub(super) fn deed() -> impl Strategy<Value = Deed> {
    let some = any::<usize>;
    prop_oneof![
        4 => (0..4_u8).prop_map(Deed::Attach),
        2 => some().prop_map(Deed::Detach),
        16 => (some(), 0..3_u64, prop::collection::vec(1..40_usize, 1..4))
            .prop_map(|(seat, key, lengths)| Deed::Send { seat, key, lengths }),
        14 => (some(), 1..5_usize, prop::bool::weighted(0.2))
            .prop_map(|(seat, most, acked)| Deed::Receive { seat, most, acked }),
        6 => some().prop_map(Deed::Withdraw),
        10 => some().prop_map(Deed::Ack),
        4 => some().prop_map(Deed::GiveBack),
        2 => some().prop_map(Deed::PutBack),
        4 => (some(), any::<bool>()).prop_map(|(letter, acked)| Deed::Inquire { letter, acked }),
        2 => some().prop_map(Deed::Repeat),
        1 => Just(Deed::Suspend),
    ]
}

/// Any parameters, with a ceiling that is soon reached.
pub(super) fn terms() -> impl Strategy<Value = Terms> {
    let capacity = prop_oneof![
        Just(Capacity::Zero),
        (1..5_u64).prop_map(Capacity::Bounded),
        Just(Capacity::Unbounded),
    ];
    let policy = prop_oneof![
        Just(Policy::Pair),
        Just(Policy::FirstReceiver),
        Just(Policy::RoundRobin),
        Just(Policy::LeastLoaded),
        Just(Policy::Sticky(Key::Sender)),
        Just(Policy::Sticky(Key::Letter)),
    ];
    let on_crash = prop_oneof![
        4 => (1..4_u32).prop_map(|max| OnCrash::Redeliver { max }),
        1 => Just(OnCrash::Drop),
        1 => Just(OnCrash::Return),
        1 => Just(OnCrash::Close),
    ];
    (capacity, policy, on_crash).prop_map(|(capacity, policy, on_crash)| Terms {
        capacity,
        ceiling: CEILING,
        policy,
        on_crash,
    })
}

/// A process of this number.
pub(super) fn process(number: u8) -> Arc<ProcessId> {
    Arc::new(ProcessId { name: String::new(), pid: number.into(), instance: number.into() })
}

/// The one that a number chooses.
pub(super) fn pick<T: Clone>(from: &[T], at: usize) -> Option<T> {
    from.get(at.checked_rem(from.len())?).cloned()
}

/// The same, taken out.
pub(super) fn take<T>(from: &mut Vec<T>, at: usize) -> Option<T> {
    let at = at.checked_rem(from.len())?;
    Some(from.remove(at))
}

/// Why a mailbox is suspended.
pub(super) fn gone() -> Error {
    Error::MailboxGone(error::Error::of(ErrorKind::ShuttingDown, "told to end"))
}
