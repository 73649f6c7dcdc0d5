//! Nobody sleeps for ever: a receiver until a frame is there, a sender until there is room. A ring of the doorbell that is lost shows
//! as a deadlock.

use crate::{
    ring::{Geometry, Lot, Readable, Ringer, Sleeper as Kind, Writable, heap::Heap},
    sleeper::Sleeper,
    wire::{Ends, explore, push, take},
};
use loom::{
    sync::atomic::{Ordering, fence},
    thread,
};

/// What a mutant leaves out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LeftOut {
    Nothing,
    /// The same, where it is asked first whether anybody is to be rung for.
    NothingAsked,
    FenceOfPark,
    FenceOfRing,
    NewNumber,
    SecondLook,
}

/// A [`Lot`], or one with something left out.
struct Sleeping {
    real: Lot,
    offset: usize,
    epoch: u32,
    leaves_out: LeftOut,
}

impl Sleeping {
    fn park(&mut self, ours: &Heap) {
        match self.leaves_out {
            LeftOut::FenceOfPark => {
                self.epoch = self.epoch.wrapping_add(1) | 1;
                ours.store(self.offset, self.epoch);
            }
            LeftOut::NewNumber => {
                self.epoch = 1;
                ours.store(self.offset, self.epoch);
                fence(Ordering::SeqCst);
            }
            _ => self.real.park(ours),
        }
    }
}

/// Whether the doorbell must be rung, or would be with something left out.
fn is_due(ringer: &mut Ringer, theirs: &Heap, offset: usize, leaves_out: LeftOut) -> bool {
    if leaves_out == LeftOut::FenceOfRing {
        return theirs.load(offset) & 1 == 1;
    }
    if leaves_out == LeftOut::NothingAsked && !ringer.is_due(theirs) {
        return false;
    }
    ringer.due(theirs).thread
}

/// A receiver sleeps until each of two frames is there.
fn a_receiver(leaves_out: LeftOut) {
    explore(move || {
        let geometry = Geometry::small(4, 4);
        let Ends { mut producer, mut consumer, receiver, .. } = Ends::new(geometry);
        let doorbell = Sleeper::new();
        let sender = thread::spawn({
            let (receiver, doorbell) = (receiver.clone(), doorbell.clone());
            move || {
                let mut ringer = Ringer::for_arrivals(&geometry);
                for number in [1, 2] {
                    assert!(push(&mut producer, number, 4));
                    if is_due(&mut ringer, &receiver, 4, leaves_out) {
                        doorbell.wake();
                    }
                }
            }
        });
        let real = Lot::for_arrivals(&geometry, Kind::Thread);
        let mut lot = Sleeping { real, offset: 4, epoch: 0, leaves_out };
        for number in [1, 2] {
            loop {
                lot.park(&receiver);
                let found = match leaves_out {
                    LeftOut::SecondLook => None,
                    _ => take(&mut consumer),
                };
                if let Some(found) = found {
                    assert_eq!(found, number);
                    break;
                }
                doorbell.sleep();
                if leaves_out == LeftOut::SecondLook && take(&mut consumer).is_some() {
                    break;
                }
            }
        }
        sender.join().unwrap();
    });
}

/// A sender sleeps until there is room for the last of its frames.
fn a_sender(leaves_out: LeftOut) {
    explore(move || {
        let geometry = Geometry::small(2, 2);
        let Ends { mut producer, mut consumer, sender: segment, .. } = Ends::new(geometry);
        assert!(push(&mut producer, 1, 4));
        let doorbell = Sleeper::new();
        let sender = thread::spawn({
            let (segment, doorbell) = (segment.clone(), doorbell.clone());
            move || {
                let real = Lot::for_space(&geometry, Kind::Thread);
                let mut lot = Sleeping { real, offset: 20, epoch: 0, leaves_out };
                loop {
                    lot.park(&segment);
                    if push(&mut producer, 2, 4) {
                        break;
                    }
                    doorbell.sleep();
                }
                producer
            }
        });
        let mut ringer = Ringer::for_space(&geometry);
        assert_eq!(take(&mut consumer), Some(1));
        consumer.tell();
        if is_due(&mut ringer, &segment, 20, leaves_out) {
            doorbell.wake();
        }
        sender.join().unwrap();
        assert_eq!(take(&mut consumer), Some(2));
    });
}

#[test]
fn a_receiver_is_woken() {
    a_receiver(LeftOut::Nothing);
}

#[test]
fn a_receiver_is_woken_by_who_asks_first() {
    a_receiver(LeftOut::NothingAsked);
}

#[test]
fn a_sender_is_woken() {
    a_sender(LeftOut::Nothing);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_receiver_that_parks_without_a_fence() {
    a_receiver(LeftOut::FenceOfPark);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_receiver_whose_sender_looks_without_a_fence() {
    a_receiver(LeftOut::FenceOfRing);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_receiver_that_parks_with_an_old_number() {
    a_receiver(LeftOut::NewNumber);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_receiver_that_does_not_look_again() {
    a_receiver(LeftOut::SecondLook);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_sender_that_parks_without_a_fence() {
    a_sender(LeftOut::FenceOfPark);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_sender_whose_receiver_looks_without_a_fence() {
    a_sender(LeftOut::FenceOfRing);
}
