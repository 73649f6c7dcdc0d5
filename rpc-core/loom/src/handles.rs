//! The handle on an object of the peer's that dies while the object comes once more: `give_back` and `borrow` of `driver/borrowed.rs`. As long
//! as there is a handle, the peer keeps the object; when there is none, it has back what it lent.

use loom::{
    model::Builder,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use std::sync::Arc;

/// What is left out on purpose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LeftOut {
    Nothing,
    /// The handle that dies does not look whether it is still the one that is known.
    Comparison,
    /// It looks, but under another lock than that under which it gives back.
    OneLock,
    /// What comes is counted under another lock than that under which it becomes a handle.
    OneLockOfArrival,
    /// A handle that is known is taken for one that lives.
    Upgrade,
}

/// What an `Arc` of a handle is: the memory stays while a `Weak` refers to it, so that no other has its address.
struct Handle {
    strong: AtomicUsize,
}

/// One object of the peer's, and this side's tables of it.
struct Link {
    state: Mutex<State>,
    /// How often the peer has sent the object, and not had it back.
    lent: AtomicUsize,
    leaves_out: LeftOut,
}

#[derive(Default)]
struct State {
    /// The entry in `imports`: how many descriptors have come.
    received: Option<usize>,
    /// The handle that is known.
    borrowed: Option<Arc<Handle>>,
}

impl Handle {
    fn new() -> Arc<Self> {
        Arc::new(Self { strong: AtomicUsize::new(1) })
    }

    /// `Weak::upgrade`.
    fn upgrade(&self) -> bool {
        let mut strong = self.strong.load(Ordering::Relaxed);
        while strong > 0 {
            let more = strong + 1;
            match self.strong.compare_exchange(strong, more, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => strong = now,
            }
        }
        false
    }
}

impl Link {
    fn new(leaves_out: LeftOut) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), lent: AtomicUsize::new(0), leaves_out })
    }

    /// The peer has sent the object, and it arrives.
    fn arrive(&self) -> Arc<Handle> {
        self.lent.fetch_add(1, Ordering::Relaxed);
        let mut state = self.lock();
        *state.received.get_or_insert(0) += 1;
        if self.leaves_out == LeftOut::OneLockOfArrival {
            drop(state);
            state = self.lock();
        }
        self.borrow(&mut state)
    }

    fn borrow(&self, state: &mut State) -> Arc<Handle> {
        if let Some(known) = &state.borrowed {
            if known.upgrade() {
                return Arc::clone(known);
            }
            assert!(self.leaves_out != LeftOut::Upgrade, "the handle that is known is dead");
        }
        let handle = Handle::new();
        state.borrowed = Some(Arc::clone(&handle));
        handle
    }

    /// A clone of a handle is dropped.
    fn drop_one(&self, handle: &Arc<Handle>) {
        if handle.strong.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.give_back(handle);
        }
    }

    fn give_back(&self, handle: &Arc<Handle>) {
        let mut state = self.lock();
        let known = state.borrowed.as_ref().is_some_and(|known| Arc::ptr_eq(known, handle));
        if !known && self.leaves_out != LeftOut::Comparison {
            return;
        }
        if self.leaves_out == LeftOut::OneLock {
            drop(state);
            state = self.lock();
        }
        state.borrowed = None;
        if let Some(received) = state.received.take() {
            let lent = self.lent.fetch_sub(received, Ordering::Relaxed);
            assert!(received <= lent, "more is given back than was lent");
        }
    }

    /// A call through a handle reaches the object.
    fn call(&self) {
        let lent = self.lent.load(Ordering::Relaxed);
        assert!(lent > 0, "a handle outlives its object");
        assert!(self.lock().received.is_some(), "a handle has no entry");
    }

    /// The object comes, is called, and its handle is dropped.
    fn visit(&self) {
        let handle = self.arrive();
        self.call();
        self.drop_one(&handle);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// One handle is there and dies, while the object comes so many times more.
fn explore(visitors: usize, leaves_out: LeftOut) {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.max(Some(3));
    builder.check(move || {
        let link = Link::new(leaves_out);
        let dying = link.arrive();
        let visitors: Vec<_> = (0..visitors)
            .map(|_| {
                let link = Arc::clone(&link);
                thread::spawn(move || link.visit())
            })
            .collect();
        link.drop_one(&dying);
        visitors.into_iter().for_each(|one| one.join().unwrap());
        let state = link.lock();
        let left = (state.received, state.borrowed.is_some(), link.lent.load(Ordering::Relaxed));
        assert_eq!(left, (None, false, 0), "something is left");
    });
}

#[test]
fn an_object_comes_while_its_handle_dies() {
    explore(1, LeftOut::Nothing);
}

#[test]
fn and_once_more() {
    explore(2, LeftOut::Nothing);
}

#[test]
#[should_panic(expected = "a handle")]
fn without_the_comparison() {
    explore(1, LeftOut::Comparison);
}

#[test]
#[should_panic(expected = "a handle")]
fn decided_under_another_lock() {
    explore(1, LeftOut::OneLock);
}

#[test]
#[should_panic(expected = "a handle")]
fn counted_under_another_lock() {
    explore(1, LeftOut::OneLockOfArrival);
}

#[test]
#[should_panic(expected = "the handle that is known is dead")]
fn without_a_look_whether_it_lives() {
    explore(1, LeftOut::Upgrade);
}
