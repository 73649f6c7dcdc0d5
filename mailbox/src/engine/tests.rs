//! The engine's limits, and who is served.

use super::{
    Change, Draft, Engine, Event, INQUIRIES, Kept, LetterId, Manner, SEATS, SeatId, Until, WAITING,
    deeds::{gone, process},
};
use crate::{Capacity, Error, OnCrash, Policy, Terms};
use bytes::Bytes;

fn seated(terms: Terms, processes: u8) -> (Engine, Vec<SeatId>) {
    let mut engine = Engine::new(terms);
    let seats = (0..processes).map(|number| engine.attach(process(number)).expect("room"));
    let seats = seats.collect();
    (engine, seats)
}

fn draft(length: usize) -> Draft {
    Draft::one(process(0), 0, Bytes::from(vec![0; length]).into())
}

fn events(engine: &mut Engine) -> Vec<Event> {
    std::iter::from_fn(|| engine.poll_event()).collect()
}

#[test]
fn attachments_are_bounded() {
    let mut engine = Engine::new(Terms::of(Capacity::Unbounded));
    let seats: Vec<_> = (0..SEATS).map(|_| engine.attach(process(0)).expect("room")).collect();
    let refused = engine.attach(process(1));
    assert!(matches!(refused, Err(Error::LimitExceeded { limit: 4096, .. })), "{refused:?}");
    engine.detach(seats[7]);
    engine.attach(process(1)).expect("one has gone");
}

#[test]
fn waiting_sends_are_bounded() {
    let (mut engine, seats) = seated(Terms::of(Capacity::Zero), 1);
    for _ in 0..WAITING {
        engine.send(seats[0], draft(1));
    }
    assert_eq!(events(&mut engine), []);
    let ticket = engine.send(seats[0], draft(1));
    let refused = events(&mut engine);
    let [Event::Sent(of, Err(Error::LimitExceeded { limit: 65_536, .. }))] = &refused[..] else {
        panic!("{refused:?}")
    };
    assert_eq!(*of, ticket);
}

#[test]
fn bytes_are_bounded() {
    let terms = Terms { ceiling: 10, ..Terms::of(Capacity::Unbounded) };
    let (mut engine, seats) = seated(terms, 1);
    engine.send(seats[0], draft(10));
    assert!(matches!(events(&mut engine)[..], [Event::Sent(_, Ok(_))]));
    engine.send(seats[0], draft(1));
    let refused = events(&mut engine);
    assert!(
        matches!(refused[..], [Event::Sent(_, Err(Error::LimitExceeded { limit: 10, .. }))]),
        "{refused:?}"
    );
}

#[test]
fn the_least_loaded_is_served() {
    let terms = Terms { policy: Policy::LeastLoaded, ..Terms::of(Capacity::Unbounded) };
    let (mut engine, seats) = seated(terms, 3);
    let mut takers = Vec::new();
    // The second holds two, the third one, when all three ask.
    for at in [1, 1, 2, 1, 2, 0] {
        engine.receive(seats[at], 1, Manner::Held);
        if takers.len() < 3 {
            engine.send(seats[0], draft(1));
            takers.push(at);
            assert_eq!(events(&mut engine).len(), 2);
        }
    }
    for least in [0, 2, 1] {
        let before: Vec<_> = engine.receivers.asking().map(|(asks, _)| asks.seat).collect();
        engine.send(seats[0], draft(1));
        let after: Vec<_> = engine.receivers.asking().map(|(asks, _)| asks.seat).collect();
        let served: Vec<_> = before.into_iter().filter(|seat| !after.contains(seat)).collect();
        assert_eq!(served, [seats[least]]);
    }
}

#[test]
fn the_first_to_ask_is_served_first() {
    let (mut engine, seats) = seated(Terms::of(Capacity::Unbounded), 3);
    let asked: Vec<_> =
        [2, 0, 1, 0].iter().map(|at| engine.receive(seats[*at], 1, Manner::Held)).collect();
    let mut served = Vec::new();
    for _ in &asked {
        engine.send(seats[0], draft(1));
        served.extend(events(&mut engine).into_iter().filter_map(|event| match event {
            Event::Received(ticket, Ok(_)) => Some(ticket),
            _ => None,
        }));
    }
    assert_eq!(served, asked);
}

#[test]
fn receivers_are_selected_in_turn() {
    let terms = Terms { policy: Policy::RoundRobin, ..Terms::of(Capacity::Unbounded) };
    let (mut engine, seats) = seated(terms, 4);
    for round in 0..100 {
        // In another order each time: who asks first does not matter.
        for at in 0..4 {
            engine.receive(seats[(at * 3 + round) % 4], 1, Manner::Held);
        }
        for _ in 0..4 {
            engine.send(seats[0], draft(1));
        }
    }
    let loads: Vec<_> =
        seats.iter().map(|seat| engine.receivers.seated(*seat).map(|of| of.held)).collect();
    assert_eq!(loads, [Some(100); 4]);
}

#[test]
fn a_mailbox_that_is_suspended_does_not_close_itself() {
    let terms = Terms { on_crash: OnCrash::Close, ..Terms::of(Capacity::Unbounded) };
    let mut engine = Engine::restored(terms, Kept::default());
    let seat = engine.attach(process(0)).expect("room");
    for id in 0..2 {
        engine.send(seat, draft(1));
        engine.stored(&[LetterId(id)]);
    }
    engine.receive(seat, 1, Manner::Held);
    engine.take_changes();
    engine.suspend(gone());
    engine.detach(seat);
    assert_eq!(engine.take_changes(), []);
    let counts = engine.counts();
    assert_eq!((counts.ready, counts.held, counts.dropped), (2, 0, 0));
}

#[test]
fn those_who_wait_to_hear_of_letters_are_bounded() {
    let (mut engine, seats) = seated(Terms::of(Capacity::Unbounded), 1);
    for _ in 0..2 {
        engine.send(seats[0], draft(1));
    }
    events(&mut engine);
    let asks: Vec<_> = (0..INQUIRIES as u64)
        .map(|number| engine.inquire(LetterId(number % 2), Until::Taken))
        .collect();
    assert_eq!(events(&mut engine), []);
    engine.inquire(LetterId(0), Until::Taken);
    let refused = events(&mut engine);
    let [Event::Told(_, Err(Error::LimitExceeded { limit: 65_536, .. }))] = &refused[..] else {
        panic!("{refused:?}")
    };
    // One waits no more, and those of one letter are told.
    engine.withdraw(asks[0]);
    engine.receive(seats[0], 1, Manner::Held);
    let told = events(&mut engine).into_iter().filter_map(|event| match event {
        Event::Told(ticket, Ok(_)) => Some(ticket),
        _ => None,
    });
    let of_first: Vec<_> = asks.iter().copied().step_by(2).skip(1).collect();
    assert_eq!(told.collect::<Vec<_>>(), of_first);
    engine.inquire(LetterId(1), Until::Acked);
    assert_eq!(events(&mut engine), []);
}

#[test]
fn nobody_waits_to_hear_of_a_letter_of_a_mailbox_that_is_suspended() {
    let (mut engine, seats) = seated(Terms::of(Capacity::Unbounded), 1);
    engine.send(seats[0], draft(1));
    events(&mut engine);
    let before = engine.inquire(LetterId(0), Until::Taken);
    engine.suspend(gone());
    let after = engine.inquire(LetterId(0), Until::Acked);
    let told = [before, after].map(|ticket| Event::Told(ticket, Err(gone())));
    assert_eq!(events(&mut engine), told);
}

#[test]
fn a_letter_that_is_stored_after_a_dead_one_came_has_its_place_before_it() {
    let mut engine = Engine::restored(Terms::of(Capacity::Unbounded), Kept::default());
    let seat = engine.attach(process(0)).expect("room");
    let sent = engine.send(seat, draft(1));
    assert!(matches!(engine.take_changes()[..], [Change::Accepted(_)]));
    assert!(engine.bury(draft(2)));
    engine.stored(&[LetterId(0)]);
    assert_eq!(events(&mut engine), [Event::Sent(sent, Ok(LetterId(0)))]);
    for id in [0, 1].map(LetterId) {
        let asks = engine.inquire(id, Until::Taken);
        engine.receive(seat, 1, Manner::Held);
        let taken = events(&mut engine);
        let [Event::Told(told, Ok(_)), Event::Received(_, Ok(letters))] = &taken[..] else {
            panic!("{taken:?}")
        };
        assert_eq!((*told, letters[0].id), (asks, id));
    }
}
