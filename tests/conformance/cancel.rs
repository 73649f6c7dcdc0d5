//! Dropping a call cancels it; what must run to its end does; what is detached goes on.

use crate::{
    place::Place,
    work::{Seen, Work, worker},
};

pub(crate) async fn drops_the_handlers_future(place: Place) {
    let (work, mut watch) = worker();
    let (work, _host) = place.host(work).await;
    let call = work.pass(1);
    assert_eq!(watch.next().await, Seen::Began(1));
    drop(call);
    assert_eq!(watch.next().await, Seen::Dropped(1));
    assert_eq!(work.quick(2).await, Ok(2));
}

/// Also of a call that was polled already.
pub(crate) async fn of_a_call_that_was_awaited(place: Place) {
    let (work, mut watch) = worker();
    let (work, _host) = place.host(work).await;
    tokio::select! {
        biased;
        result = work.pass(1) => panic!("the gate is closed: {result:?}"),
        seen = watch.next() => assert_eq!(seen, Seen::Began(1)),
    }
    assert_eq!(watch.next().await, Seen::Dropped(1));
}

pub(crate) async fn spares_what_insists(place: Place) {
    let (work, mut watch) = worker();
    let (work, _host) = place.host(work).await;
    let call = work.insist(1);
    assert_eq!(watch.next().await, Seen::Began(1));
    drop(call);
    assert_eq!(work.quick(2).await, Ok(2));
    watch.open(1);
    assert_eq!(watch.next().await, Seen::Began(2));
    assert_eq!(watch.next().await, Seen::Ended(1));
}

pub(crate) async fn spares_what_is_detached(place: Place) {
    let (work, mut watch) = worker();
    let (work, _host) = place.host(work).await;
    work.pass(1).detach();
    assert_eq!(watch.next().await, Seen::Began(1));
    assert_eq!(work.quick(2).await, Ok(2));
    watch.open(1);
    assert_eq!(watch.next().await, Seen::Began(2));
    assert_eq!(watch.next().await, Seen::Ended(1));
}

/// The connection lives until the last call has ended, not only as long as a handle does.
pub(crate) async fn spares_what_outlives_the_handle(place: Place) {
    let (work, mut watch) = worker();
    let (work, _host) = place.host(work).await;
    let kept = work.pass(1);
    work.pass(2).detach();
    drop(work);
    assert_eq!((watch.next().await, watch.next().await), (Seen::Began(1), Seen::Began(2)));
    watch.open(2);
    assert_eq!(kept.await, Ok(1));
    let rest = [watch.next().await, watch.next().await];
    assert!(rest.contains(&Seen::Ended(2)), "{rest:?}");
}

/// A one-way call is over for its caller as soon as it is made, and runs.
pub(crate) async fn does_not_concern_one_way_calls(place: Place) {
    let (work, mut watch) = worker();
    let (work, _host) = place.host(work).await;
    assert_eq!(work.tell(1).await, Ok(()));
    drop(work.tell(2));
    work.tell(3).detach();
    for number in 1..=3 {
        assert_eq!(watch.next().await, Seen::Began(number));
    }
    watch.open(3);
    let mut ended = vec![watch.next().await, watch.next().await, watch.next().await];
    ended.sort_by_key(|seen| format!("{seen:?}"));
    assert_eq!(ended, [Seen::Ended(1), Seen::Ended(2), Seen::Ended(3)]);
}

/// Many calls opened and given up leave no trace.
pub(crate) async fn leaves_room_for_others(place: Place) {
    let (work, mut watch) = worker();
    let (work, _host) = place.host(work).await;
    for _ in 0..20 {
        let calls: Vec<_> = (0..500).map(|number| work.pass(number)).collect();
        assert_eq!(work.quick(1000).await, Ok(1000));
        drop(calls);
        assert_eq!(work.quick(1001).await, Ok(1001));
    }
    let (mut began, mut dropped) = (0, 0);
    while dropped < 10_000 {
        match watch.next().await {
            Seen::Began(number) => began += usize::from(number < 1000),
            Seen::Dropped(_) => dropped += 1,
            Seen::Ended(number) => panic!("the gate is closed for {number}"),
        }
    }
    assert_eq!(began, 10_000);
}
