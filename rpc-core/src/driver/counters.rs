//! What a connection has done, and who has introduced the objects that are on it: for finding those that are never given back.

use super::{Link, State};
use crate::{
    conn::{Contents, IncomingCall},
    described::Described,
    id::CallId,
    skeleton::Local,
    stub::{Held, Snapshot},
};
use std::{
    collections::{BTreeMap, HashMap},
    iter::repeat_n,
    sync::Arc,
};

/// Of what may be on a connection, so many per cent are worth a warning; the next one comes when they were below the
/// second number meanwhile.
const WARNED: (usize, usize) = (80, 60);

/// What is warned of before there is too much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Watched {
    Lent = 0,
    Borrowed = 1,
    /// Calls in the outbox.
    Held = 2,
    /// Calls on what others return, which run here.
    Pipelined = 3,
}

/// What is counted under the connection's lock.
#[derive(Default, Debug)]
pub(super) struct Counters {
    pub(super) made: u64,
    pub(super) served: u64,
    /// The method that the frame being taken in, or written, is about.
    by: &'static str,
    /// The interface and the introducing method of each object lent, by its key.
    lent: HashMap<usize, (&'static str, &'static str)>,
    /// The same of those borrowed, by their slots.
    borrowed: HashMap<u32, (Arc<Described>, &'static str)>,
    /// Of which of them a warning was given.
    warned: [bool; 4],
    /// A warning is to be given, outside of the lock.
    due: Option<Watched>,
}

impl Counters {
    /// What is lent and borrowed from now on is introduced by this method.
    pub(super) fn introduce(&mut self, by: &'static str) {
        self.by = by;
    }

    /// The same, for a call that has come.
    pub(super) fn introduce_call(&mut self, object: Option<&Local>, call: &IncomingCall<Local>) {
        let method = object.and_then(|object| object.description().method(call.method));
        self.by = method.map_or("?", |method| method.name);
    }

    pub(super) fn lend(&mut self, key: usize, interface: &'static str, limit: usize) {
        self.lent.entry(key).or_insert((interface, self.by));
        self.watch(Watched::Lent, self.lent.len(), limit);
    }

    pub(super) fn take_back(&mut self, key: usize) {
        self.lent.remove(&key);
    }

    pub(super) fn borrow(&mut self, slot: u32, described: &Arc<Described>, limit: usize) {
        self.borrowed.insert(slot, (Arc::clone(described), self.by));
        self.watch(Watched::Borrowed, self.borrowed.len(), limit);
    }

    pub(super) fn give_back(&mut self, slot: u32) {
        self.borrowed.remove(&slot);
    }

    /// The wire is gone, and with it all objects.
    pub(super) fn clear_objects(&mut self) {
        self.lent.clear();
        self.borrowed.clear();
        self.warned[..2].fill(false);
    }

    /// A warning is to be given: the background task is to be told.
    pub(super) fn is_due(&self) -> bool {
        self.due.is_some()
    }

    /// There are so many of them now.
    pub(super) fn watch(&mut self, what: Watched, count: usize, limit: usize) {
        let reaches = |per_cent: usize| count.saturating_mul(100) >= limit.saturating_mul(per_cent);
        let warned = &mut self.warned[what as usize];
        if reaches(WARNED.0) && !*warned {
            *warned = true;
            self.due = Some(what);
        } else if !reaches(WARNED.1) {
            *warned = false;
        }
    }
}

impl Link {
    /// What the connection has done, and what is lent and borrowed on it.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let state = self.lock();
        let counters = &state.handles.counters;
        let lent: Vec<_> = counters.lent.values().copied().collect();
        let borrowed: Vec<_> = counters.borrowed.values().cloned().collect();
        let (calls_made, calls_served) = (counters.made, counters.served);
        // The tables say how many there are.
        let (exports, imports) = state.conn.objects();
        let handles = state.handles.len();
        drop(state);
        let unknown =
            |there: usize, known: usize| repeat_n(("?", "?"), there.saturating_sub(known));
        let (lent_more, borrowed_more) =
            (unknown(exports, lent.len()), unknown(imports.max(handles), borrowed.len()));
        let borrowed = borrowed.iter().map(|(described, by)| (described.name(), *by));
        Snapshot {
            calls_made,
            calls_served,
            lent: summed(lent.into_iter().chain(lent_more)),
            borrowed: summed(borrowed.chain(borrowed_more)),
            objects: self.limits.objects,
        }
    }

    /// Gives the warning that is due, if one is. Under no lock: whoever listens is the program's.
    pub(super) fn warn(&self) {
        let Some(what) = self.lock().handles.counters.due.take() else { return };
        let calls = |limit: usize, what: &str| {
            tracing::warn!(
                target: "farcall::connection", limit,
                "{} % of the calls that may {what} on a connection do; beyond the limit calls fail",
                WARNED.0
            );
        };
        match what {
            Watched::Held => calls(self.limits.outbox_calls, "wait to go out"),
            Watched::Pipelined => calls(self.limits.pipelined, "wait for what others return"),
            Watched::Lent => self.warn_of_objects("lent"),
            Watched::Borrowed => self.warn_of_objects("borrowed"),
        }
    }

    fn warn_of_objects(&self, what: &str) {
        let snapshot = self.snapshot();
        let held = if what == "lent" { &snapshot.lent } else { &snapshot.borrowed };
        let (count, most) = (held.iter().map(|held| held.count).sum::<usize>(), held.first());
        let (interface, by) = most.map_or(("?", "?"), |most| (&*most.interface, &*most.by));
        tracing::warn!(
            target: "farcall::connection",
            count, limit = self.limits.objects, interface, by,
            "{} % of the objects that may be {what} on a connection are: most are `{interface}`, introduced by `{by}`; beyond the limit \
             calls fail",
            WARNED.0
        );
    }
}

/// The most frequent first.
fn summed<'a>(objects: impl Iterator<Item = (&'a str, &'static str)>) -> Vec<Held> {
    let mut counts = BTreeMap::<_, usize>::new();
    objects.for_each(|object| *counts.entry(object).or_default() += 1);
    let held = |((interface, by), count): ((&str, &str), usize)| Held {
        interface: interface.to_owned(),
        by: by.to_owned(),
        count,
    };
    let mut held: Vec<_> = counts.into_iter().map(held).collect();
    held.sort_by_key(|held| std::cmp::Reverse(held.count));
    held
}

impl State {
    /// The peer needs these no more, to be dropped outside of the lock. Answers that were kept for calls on them may still be lent.
    pub(super) fn take_back(&mut self, objects: Vec<Local>) {
        for object in &objects {
            if !self.conn.lends(object.key()) {
                self.handles.counters.take_back(object.key());
            }
        }
        self.released.extend(objects);
    }

    /// A call that this side has made returns this.
    pub(super) fn introduce_return(&mut self, call: CallId, contents: &Contents<Local>) {
        if !contents.references.is_empty() {
            let by = self.waiter(call).method;
            self.handles.counters.introduce(by);
        }
    }
}
