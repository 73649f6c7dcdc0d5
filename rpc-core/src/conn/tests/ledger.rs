//! What must hold of a run, kept apart from the ends: which calls were made, started and resolved, and who holds which object.
//! Every claim is checked when it is entered.

use crate::error::Executed;
use std::collections::{BTreeMap, BTreeSet};

/// How a call ended for its caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Returned,
    Failed(Executed),
    /// Its waiter went without.
    Gone,
}

/// The books of both ends. A call has a tag, unique in the run; an object has the number of its servant.
#[derive(Default, Debug)]
pub(super) struct Ledger {
    made: BTreeSet<u32>,
    started: BTreeSet<u32>,
    ended: BTreeMap<u32, End>,
    objects: BTreeMap<u32, Object>,
}

#[derive(Default, Debug)]
struct Object {
    /// How often it became lent, and how often it came back.
    lent: usize,
    returned: usize,
    /// Descriptors on their way.
    travelling: usize,
    /// The borrower holds a handle.
    held: bool,
}

impl Ledger {
    pub(super) fn make(&mut self, tag: u32) {
        assert!(self.made.insert(tag));
    }

    /// P1: at most once, and never after the caller was told that it did not run.
    pub(super) fn start(&mut self, tag: u32) {
        assert!(self.made.contains(&tag), "call {tag} was never made");
        assert!(self.started.insert(tag), "call {tag} started twice");
        assert_ne!(
            self.ended.get(&tag),
            Some(&End::Failed(Executed::No)),
            "call {tag} is not to run"
        );
    }

    /// P2: exactly once, and honest about whether it ran.
    pub(super) fn end(&mut self, tag: u32, how: End) {
        assert!(self.made.contains(&tag), "call {tag} was never made");
        let before = self.ended.insert(tag, how);
        assert_eq!(before, None, "call {tag} ended twice, now {how:?}");
        let started = self.started.contains(&tag);
        match how {
            End::Returned => assert!(started, "call {tag} returned and never ran"),
            End::Failed(Executed::No) => assert!(!started, "call {tag} ran"),
            End::Failed(_) | End::Gone => {}
        }
    }

    /// A descriptor goes out; `first`: the object was not lent before.
    pub(super) fn lend(&mut self, object: u32, first: bool) {
        let entry = self.objects.entry(object).or_default();
        assert_eq!(
            first,
            entry.lent == entry.returned,
            "object {object} is entered twice or not at all"
        );
        entry.lent += usize::from(first);
        entry.travelling += 1;
    }

    pub(super) fn borrow_object(&mut self, object: u32) {
        let entry = self.objects.entry(object).or_default();
        entry.travelling -= 1;
        entry.held = true;
    }

    pub(super) fn release(&mut self, object: u32) {
        let entry = self.objects.entry(object).or_default();
        assert!(entry.held);
        entry.held = false;
    }

    /// P8: it comes back once, and not while anybody can still call it.
    pub(super) fn returned(&mut self, object: u32) {
        let entry = self.objects.entry(object).or_default();
        assert!(!entry.held && entry.travelling == 0, "object {object} came back too early");
        entry.returned += 1;
        assert_eq!(entry.returned, entry.lent, "object {object} came back twice");
    }

    /// The wire is gone, and everything that was on it.
    pub(super) fn cut(&mut self) {
        for object in self.objects.values_mut() {
            object.travelling = 0;
            object.held = false;
        }
    }

    /// Nothing is left open.
    pub(super) fn close(&self) {
        let ended: BTreeSet<u32> = self.ended.keys().copied().collect();
        assert_eq!(ended, self.made, "calls that never ended");
        for (number, object) in &self.objects {
            assert_eq!(object.lent, object.returned, "object {number} never came back");
            assert!(!object.held && object.travelling == 0);
        }
    }
}
