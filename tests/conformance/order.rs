//! Calls through one handle and its clones start in program order, whatever becomes of them then.

use crate::{
    place::Place,
    work::{Seen, Work, worker},
};
use farcall::{Limits, Remote};
use std::{
    hint,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

fn began(count: u64) -> Vec<Seen> {
    (0..count).map(Seen::Began).collect()
}

pub(crate) async fn of_calls_that_pend(place: Place) {
    let (work, mut watch) = worker();
    let (work, _host) = place.host(work).await;
    let calls: Vec<_> = (0..500).map(|number| work.pass(number)).collect();
    let mut seen = Vec::new();
    while seen.len() < calls.len() {
        seen.push(watch.next().await);
    }
    assert_eq!(seen, began(500));
    watch.open(500);
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await, Ok(number as u64));
    }
}

pub(crate) async fn of_calls_through_clones_and_options(place: Place) {
    let (work, mut watch) = worker();
    let (work, _host) = place.host(work).await;
    let handles = [
        work.clone(),
        work.timeout(Duration::from_secs(50)),
        work.metadata("key", "value"),
        work.idempotent(),
    ];
    watch.open(1000);
    let (mut calls, mut quick) = (Vec::new(), Vec::new());
    for number in 0..400 {
        let handle = &handles[number as usize % handles.len()];
        match number % 3 {
            0 => calls.push(handle.pass(number)),
            1 => quick.push(handle.quick(number)),
            _ => handle.tell(number).detach(),
        }
    }
    let mut starts = Vec::new();
    while starts.len() < 400 {
        starts.extend(Some(watch.next().await).filter(|seen| matches!(seen, Seen::Began(_))));
    }
    assert_eq!(starts, began(400));
    for call in calls.into_iter().chain(quick) {
        call.await.expect("the gate is open");
    }
}

/// Notes the order of its calls. Large and slow ones among them.
#[farcall::remote]
pub(crate) trait Notes {
    async fn note(&self, number: u64, bulk: &[u8]) -> farcall::Result<()>;
    async fn ponder(&self, number: u64) -> farcall::Result<()>;
    /// The same, in no order.
    #[remote(unordered)]
    async fn muse(&self, number: u64) -> farcall::Result<()>;
    async fn noted(&self) -> farcall::Result<Vec<u64>>;
}

#[derive(Clone, Default)]
struct Notebook(Arc<Mutex<Vec<u64>>>);

impl Notebook {
    fn write(&self, number: u64) {
        self.0.lock().expect("nobody panics").push(number);
    }

    fn tear_out(&self) -> Vec<u64> {
        std::mem::take(&mut *self.0.lock().expect("nobody panics"))
    }
}

impl Notes for Notebook {
    async fn note(&self, number: u64, _bulk: &[u8]) -> farcall::Result<()> {
        self.write(number);
        tokio::task::yield_now().await;
        Ok(())
    }
    async fn ponder(&self, number: u64) -> farcall::Result<()> {
        self.write(number);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(1) {
            hint::spin_loop();
        }
        Ok(())
    }
    async fn muse(&self, number: u64) -> farcall::Result<()> {
        self.ponder(number).await
    }
    async fn noted(&self) -> farcall::Result<Vec<u64>> {
        Ok(self.0.lock().expect("nobody panics").clone())
    }
}

pub(crate) async fn of_large_and_small_calls(place: Place) {
    let (notes, _host) = place.host(Remote::<dyn Notes>::new(Notebook::default())).await;
    let sizes = [0, 100_000, 10, 1 << 20, 40_000, 1, 300_000, 0];
    let calls: Vec<_> =
        (0..64).map(|number| notes.note(number, &vec![1; sizes[number as usize % 8]])).collect();
    for call in calls {
        assert_eq!(call.await, Ok(()));
    }
    assert_eq!(notes.noted().await, Ok((0..64).collect()));
}

/// A slow method moves its object to a lane: the order stays.
pub(crate) async fn of_calls_that_turn_out_slow(place: Place) {
    let (notes, _host) = place.host(Remote::<dyn Notes>::new(Notebook::default())).await;
    let calls: Vec<_> = (0..60)
        .map(|number| match number % 4 {
            3 => notes.ponder(number),
            _ => notes.note(number, &[]),
        })
        .collect();
    let noted = notes.noted();
    for call in calls {
        assert_eq!(call.await, Ok(()));
    }
    assert_eq!(noted.await, Ok((0..60).collect()));
}

/// Once it has proved slow, a method that needs no order is overtaken by the call after it. The other calls keep their order.
pub(crate) async fn of_slow_unordered_calls_is_given_up(place: Place) {
    let (notes, _host) = place.host(Remote::<dyn Notes>::new(Notebook::default())).await;
    for round in 0..1000 {
        let [first, slow, last] = [0, 1, 2].map(|number| 3 * round + number);
        // The first goes out at once, the others together.
        let calls = [notes.note(first, &[]), notes.muse(slow), notes.note(last, &[])];
        for call in calls {
            assert_eq!(call.await, Ok(()));
        }
        let noted = notes.noted().await.expect("it can be read");
        let noted = &noted[noted.len() - 3..];
        if noted == [first, last, slow] {
            return;
        }
        assert_eq!(noted, [first, slow, last]);
    }
    panic!("what needs no order is never overtaken");
}

/// Three peers forward: each serves what the one before it does, and calls go through all of them, slow and large ones too.
pub(crate) async fn of_calls_that_are_forwarded(place: Place) {
    let (first, _one) = place.host(Remote::<dyn Notes>::new(Notebook::default())).await;
    let (through, _two) = place.host(first.clone()).await;
    let (last, _three) = place.host(through).await;
    let calls: Vec<_> = (0..60)
        .map(|number| match number % 4 {
            3 => last.ponder(number),
            _ => last.note(number, &vec![1; (number as usize % 7) * 20_000]),
        })
        .collect();
    for call in calls {
        assert_eq!(call.await, Ok(()));
    }
    assert_eq!(first.noted().await, Ok((0..60).collect()), "in the order of the calls");
}

/// Lends pads that all write into one book.
#[farcall::remote]
pub(crate) trait Desk {
    async fn pads(&self) -> farcall::Result<[Remote<dyn Notes>; 3]>;
}

impl Desk for Notebook {
    async fn pads(&self) -> farcall::Result<[Remote<dyn Notes>; 3]> {
        Ok([(); 3].map(|()| Remote::<dyn Notes>::new(self.clone())))
    }
}

/// Lends those of a desk elsewhere.
struct Agent(Remote<dyn Desk>);

impl Desk for Agent {
    async fn pads(&self) -> farcall::Result<[Remote<dyn Notes>; 3]> {
        self.0.pads().await
    }
}

/// So few calls at a time that most of the others wait.
fn narrow() -> Limits {
    let mut limits = Limits::default();
    limits.serving = 4;
    limits
}

/// Calls on several objects of one connection start in program order too, those among them that must wait to go out.
pub(crate) async fn of_calls_on_several_objects(place: Place) {
    let book = Notebook::default();
    let desk = Remote::<dyn Desk>::new(book.clone());
    for limits in [Limits::default(), narrow()] {
        let (desk, _host) = place.host_within(desk.clone(), limits).await;
        let pads = desk.pads().await.expect("it lends them");
        note_on(&pads, 10_000).await;
        assert_eq!(book.tear_out(), Vec::from_iter(0..300));
    }
}

/// And so where the objects are of a third process.
pub(crate) async fn of_calls_on_several_objects_that_are_forwarded(place: Place) {
    let book = Notebook::default();
    let (desk, _owner) = place.host(Remote::<dyn Desk>::new(book.clone())).await;
    let (desk, _agent) = place.host(Remote::<dyn Desk>::new(Agent(desk))).await;
    let pads = desk.pads().await.expect("it passes them on");
    // To pass on many bytes takes an unoptimised build so long that the object counts as slow.
    note_on(&pads, 100).await;
    assert_eq!(book.tear_out(), Vec::from_iter(0..300));
}

/// One object that turns out slow is overtaken by the others, which keep their order among each other, as it does its own. Of a third
/// process each keeps its own: one that passes calls on to what is slow may count as slow.
pub(crate) async fn of_calls_on_objects_beside_a_slow_one(place: Place) {
    let book = Notebook::default();
    let (desk, _owner) = place.host(Remote::<dyn Desk>::new(book.clone())).await;
    let (far, _agent) = place.host(Remote::<dyn Desk>::new(Agent(desk.clone()))).await;
    for (desk, groups) in [(desk, &[&[0][..], &[1, 2]][..]), (far, &[&[0], &[1], &[2]])] {
        let pads = desk.pads().await.expect("it lends them");
        let calls: Vec<_> = (0..300)
            .map(|number| match number % 3 {
                0 if number % 2 == 0 => pads[0].ponder(number),
                pad => pads[pad as usize].note(number, &[]),
            })
            .collect();
        for call in calls {
            assert_eq!(call.await, Ok(()));
        }
        let noted = book.tear_out();
        for pads in groups {
            let on_them = noted.iter().filter(|number| pads.contains(&(*number % 3)));
            assert!(on_them.is_sorted(), "on {pads:?}: {noted:?}");
        }
        assert_eq!(noted.len(), 300);
    }
}

/// Writes 300 notes on all pads in turn, up to six times so many bytes long.
async fn note_on(pads: &[Remote<dyn Notes>; 3], bytes: usize) {
    let calls: Vec<_> = (0..300_usize)
        .map(|number| pads[number % 3].note(number as u64, &vec![1; (number % 7) * bytes]))
        .collect();
    for call in calls {
        assert_eq!(call.await, Ok(()));
    }
}
