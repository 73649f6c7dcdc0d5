//! The engine's limits, and who is served.

use super::{Draft, Engine, Event, Manner, SEATS, SeatId, WAITING, deeds::process};
use crate::{Capacity, Error, Policy, Terms};
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
