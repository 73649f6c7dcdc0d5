//! The lease alone: whoever goes without it is seen by its holder.

use crate::{
    lease::Lease,
    sync::{AtomicBool, Mutex, MutexGuard, Ordering, fence},
};
use loom::{model::Builder, sync::atomic::AtomicUsize, thread};
use std::sync::Arc;

/// What a lease can do.
trait Leases: Send + Sync + 'static {
    fn try_take(&self) -> Option<MutexGuard<'_, u32>>;
    fn release(&self, guard: MutexGuard<'_, u32>) -> bool;
}

impl Leases for Lease<u32> {
    fn try_take(&self) -> Option<MutexGuard<'_, u32>> {
        self.try_take()
    }

    fn release(&self, guard: MutexGuard<'_, u32>) -> bool {
        self.release(guard)
    }
}

/// The lease with something left out.
struct Mutant {
    held: Mutex<u32>,
    missed: AtomicBool,
    leaves_out: LeftOut,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LeftOut {
    Nothing,
    FenceOfTake,
    FenceOfRelease,
    Retry,
    Note,
}

impl Leases for Mutant {
    fn try_take(&self) -> Option<MutexGuard<'_, u32>> {
        if let Ok(guard) = self.held.try_lock() {
            return Some(guard);
        }
        if self.leaves_out != LeftOut::Note {
            self.missed.store(true, Ordering::Relaxed);
        }
        if self.leaves_out != LeftOut::FenceOfTake {
            fence(Ordering::SeqCst);
        }
        if self.leaves_out == LeftOut::Retry { None } else { self.held.try_lock().ok() }
    }

    fn release(&self, guard: MutexGuard<'_, u32>) -> bool {
        drop(guard);
        if self.leaves_out != LeftOut::FenceOfRelease {
            fence(Ordering::SeqCst);
        }
        self.missed.load(Ordering::Relaxed) && self.missed.swap(false, Ordering::Relaxed)
    }
}

/// Takes the lease or goes without. Which of both, and whether somebody missed it meanwhile.
fn visit(lease: &impl Leases, inside: &AtomicUsize) -> (bool, bool) {
    match lease.try_take() {
        Some(mut guard) => {
            *guard += 1;
            // Also a point at which loom lets others run while the lease is held.
            assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0, "two hold it");
            inside.fetch_sub(1, Ordering::Relaxed);
            (true, lease.release(guard))
        }
        None => (false, false),
    }
}

fn bounded() -> Builder {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.max(Some(3));
    builder
}

/// Threads that visit at the same time: if any went without, a holder knows, and the holders were alone.
fn explore<L: Leases>(visitors: usize, new: impl Fn() -> L + Send + Sync + 'static) {
    bounded().check(move || {
        let shared = Arc::new((new(), AtomicUsize::new(0)));
        let others: Vec<_> = (1..visitors)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || visit(&shared.0, &shared.1))
            })
            .collect();
        let lease = &shared.0;
        let mut visits = vec![visit(lease, &shared.1)];
        visits.extend(others.into_iter().map(|other| other.join().unwrap()));
        let went_without = visits.iter().any(|(took, _)| !took);
        let told = visits.iter().any(|(_, told)| *told);
        assert!(told || !went_without, "nobody knows that the lease was missed");
        let taken = visits.iter().filter(|(took, _)| *took).count();
        let counted = lease.try_take().map(|guard| *guard);
        assert_eq!(counted, Some(taken as u32), "it is free, and was one's alone");
    });
}

fn mutant(leaves_out: LeftOut) -> impl Fn() -> Mutant {
    move || Mutant { held: Mutex::new(0), missed: AtomicBool::new(false), leaves_out }
}

#[test]
fn whoever_goes_without_is_seen() {
    explore(2, || Lease::new(0));
}

#[test]
fn of_three_as_well() {
    explore(3, || Lease::new(0));
}

/// Looking whether it is held takes nothing away from anybody.
#[test]
fn a_look_is_no_visit() {
    loom::model(|| {
        let lease = Arc::new(Lease::new(0));
        let other = Arc::clone(&lease);
        let looker = thread::spawn(move || other.is_held());
        let guard = lease.try_take();
        let held = guard.is_some();
        if let Some(guard) = guard {
            lease.release(guard);
        }
        let seen = looker.join().unwrap();
        assert!(held || !seen, "it was not held by anybody who would say so");
        assert!(!lease.is_held());
    });
}

#[test]
fn the_mutant_that_leaves_nothing_out_passes() {
    explore(2, mutant(LeftOut::Nothing));
}

#[test]
#[should_panic(expected = "nobody knows")]
fn without_the_fence_of_take() {
    explore(2, mutant(LeftOut::FenceOfTake));
}

#[test]
#[should_panic(expected = "nobody knows")]
fn without_the_fence_of_release() {
    explore(2, mutant(LeftOut::FenceOfRelease));
}

#[test]
#[should_panic(expected = "nobody knows")]
fn without_the_second_try() {
    explore(2, mutant(LeftOut::Retry));
}

#[test]
#[should_panic(expected = "nobody knows")]
fn without_the_note() {
    explore(2, mutant(LeftOut::Note));
}
