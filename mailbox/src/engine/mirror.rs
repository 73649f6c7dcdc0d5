//! Random deeds: a mailbox keeps its promises, one whose letters are stored the same, and the store has, after each deed, what it has.

use super::{
    Change, Engine, Kept, LetterId,
    dead::{Fate, fate},
    deeds::{deed, terms},
    model::Model,
};
use crate::{Capacity, Error};
use proptest::prelude::*;

/// Stores all that has changed, until nothing changes any more. Where there is no room, no letter is accepted.
fn store(engine: &mut Engine, kept: &mut Kept, has_room: bool) -> Vec<LetterId> {
    let mut stored = Vec::new();
    loop {
        let changes = engine.take_changes();
        if changes.is_empty() {
            return stored;
        }
        let accepted: Vec<LetterId> = changes.iter().filter_map(accepted).collect();
        changes.iter().filter(|of| has_room || accepted_none(of)).for_each(|of| kept.apply(of));
        if has_room {
            engine.stored(&accepted);
            stored.extend(accepted);
        } else {
            engine.unstored(&accepted, &Error::NotStored { why: "full".to_owned() });
        }
    }
}

fn accepted(change: &Change) -> Option<LetterId> {
    match change {
        Change::Accepted(letter) => Some(letter.id),
        _ => None,
    }
}

fn accepted_none(change: &Change) -> bool {
    accepted(change).is_none()
}

/// The store has each letter that there is, and no other, with its count.
fn check(engine: &Engine, kept: &Kept) {
    let there = engine.letters(LetterId(0), usize::MAX);
    let there: Vec<_> = there.into_iter().map(|of| (of.id, of.deliveries, of.bytes)).collect();
    let stored =
        kept.letters.iter().map(|(of, _)| (of.id, of.deliveries(), of.writing.bytes.clone()));
    assert_eq!(stored.collect::<Vec<_>>(), there);
    let has_closed = matches!(engine.closed, Some(Error::Closed { .. }));
    assert_eq!(kept.closed.is_some(), has_closed);
}

/// A host that finds this has each letter that is not given up, ready and in order, and gives out no id again.
fn check_restored(engine: &Engine, kept: &Kept) {
    let mut restored = Engine::restored(*engine.terms(), kept.clone());
    let mut stored = kept.clone();
    store(&mut restored, &mut stored, true);
    let on_crash = engine.terms().on_crash;
    let stays = |deliveries: u32| {
        deliveries == 0 || matches!(fate(on_crash, deliveries), Fate::Again | Fate::Closes)
    };
    // One that has closed itself keeps none.
    let stays = |deliveries| restored.closed.is_none() && stays(deliveries);
    let want = kept.letters.iter().filter(|(of, _)| stays(of.deliveries()));
    let want: Vec<_> = want.map(|(of, _)| (of.id, of.deliveries())).collect();
    let found = restored.letters(LetterId(0), usize::MAX);
    assert!(found.iter().all(|of| of.holder.is_none()));
    let found: Vec<_> = found.into_iter().map(|of| (of.id, of.deliveries)).collect();
    assert_eq!(found, want);
    check(&restored, &stored);
    assert!(restored.next >= kept.next && kept.letters.iter().all(|(of, _)| of.id.0 < kept.next));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn promises_are_kept(terms in terms(), deeds in prop::collection::vec(deed(), 1..120)) {
        let mut model = Model::new(Engine::new(terms));
        for deed in &deeds {
            model.apply(deed);
            model.drain();
            model.check();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn promises_are_kept_with_a_store(
        terms in terms().prop_filter("none is kept", |terms| terms.capacity != Capacity::Zero),
        deeds in prop::collection::vec(deed(), 1..120),
    ) {
        let mut kept = Kept::default();
        let mut model = Model::new(Engine::restored(terms, kept.clone()));
        for deed in &deeds {
            model.apply(deed);
            let accepted = store(&mut model.engine, &mut kept, true);
            model.drain_accepted(accepted);
            model.check();
            check(&model.engine, &kept);
        }
        check_restored(&model.engine, &kept);
    }

    #[test]
    fn a_store_that_is_full_now_and_then_has_what_the_mailbox_has(
        terms in terms().prop_filter("none is kept", |terms| terms.capacity != Capacity::Zero),
        deeds in prop::collection::vec((deed(), any::<bool>()), 1..120),
    ) {
        let mut kept = Kept::default();
        let mut model = Model::new(Engine::restored(terms, kept.clone()));
        for (deed, has_room) in &deeds {
            model.apply(deed);
            let accepted = store(&mut model.engine, &mut kept, *has_room);
            model.drain_accepted(accepted);
            check(&model.engine, &kept);
        }
        check_restored(&model.engine, &kept);
    }
}
