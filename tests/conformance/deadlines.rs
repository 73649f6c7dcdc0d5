//! Deadlines travel, shrink, are inherited, and are kept even by a servant that never answers.

use crate::{
    actors::{Tally, teller},
    place::Place,
    work::{Seen, Watch as Seer, Work, outline, worker},
};
use farcall::{Call, Error, ErrorKind, Executed, Remote};
use std::time::Duration;

const SOON: Duration = Duration::from_millis(20);

/// What a servant sees of its deadline, and of that of a call which it makes.
#[farcall::remote]
pub(crate) trait Clock {
    async fn remaining(&self) -> farcall::Result<Option<Duration>>;
    #[remote(timeout = none)]
    async fn remaining_without(&self) -> farcall::Result<Option<Duration>>;
    #[remote(timeout = "70s")]
    async fn remaining_of_its_own(&self) -> farcall::Result<Option<Duration>>;
    async fn remaining_at_the_next(&self) -> farcall::Result<Option<Duration>>;
    async fn remaining_in_a_task(&self) -> farcall::Result<Option<Duration>>;
}

struct Watch {
    next: Option<Remote<dyn Clock>>,
}

fn seen() -> Option<Duration> {
    farcall::context().expect("a call is being served").remaining()
}

impl Clock for Watch {
    async fn remaining(&self) -> farcall::Result<Option<Duration>> {
        tokio::task::yield_now().await;
        Ok(seen())
    }
    async fn remaining_without(&self) -> farcall::Result<Option<Duration>> {
        Ok(seen())
    }
    async fn remaining_of_its_own(&self) -> farcall::Result<Option<Duration>> {
        Ok(seen())
    }
    async fn remaining_at_the_next(&self) -> farcall::Result<Option<Duration>> {
        let next = self.next.as_ref().expect("there is a next");
        tokio::task::yield_now().await;
        next.timeout(Duration::from_secs(500)).remaining().await
    }
    async fn remaining_in_a_task(&self) -> farcall::Result<Option<Duration>> {
        let next = self.next.clone().expect("there is a next");
        let context = farcall::context().expect("a call is being served");
        let call = async move { next.timeout(Duration::from_secs(500)).remaining().await };
        tokio::spawn(context.scope(call)).await.expect("it does not panic")
    }
}

fn check(found: farcall::Result<Option<Duration>>, longest: u64) {
    let found = found.expect("it answers").expect("there is a deadline");
    let longest = Duration::from_secs(longest);
    // Rounded up to a millisecond for each hop.
    let rounded = longest + Duration::from_millis(2);
    assert!(
        longest - Duration::from_secs(10) < found && found <= rounded,
        "{found:?} of {longest:?}"
    );
}

pub(crate) async fn travel_and_are_inherited(place: Place) {
    let (next, _next_host) = place.host(Remote::<dyn Clock>::new(Watch { next: None })).await;
    let clock = Remote::<dyn Clock>::new(Watch { next: Some(next) });
    let (clock, _host) = place.host(clock).await;
    check(clock.remaining().await, 10);
    assert_eq!(clock.remaining_without().await, Ok(None));
    check(clock.remaining_of_its_own().await, 70);
    for seconds in [40, 80] {
        let clock = clock.timeout(Duration::from_secs(seconds));
        check(clock.remaining().await, seconds);
        check(clock.remaining_without().await, seconds);
        check(clock.remaining_of_its_own().await, seconds);
        check(clock.remaining_at_the_next().await, seconds);
        check(clock.remaining_in_a_task().await, seconds);
    }
    assert!(farcall::context().is_none());
}

/// Whose beginning tells that all calls made before have begun, if they ever will.
const PROBE: u64 = 1000;

/// Lets the deadline of a call pass while it is served, and gives what its caller is told and what was seen. A machine that stands still for
/// so long does not even start it: then it is made again.
async fn overrun(
    work: &Remote<dyn Work>,
    watch: &mut Seer,
    number: u64,
    make: impl Fn() -> Call<u64>,
) -> (Error, Vec<Seen>) {
    loop {
        let call = make();
        let seen = until_probe(work, watch).await;
        let error = call.await.expect_err("the gate is closed");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        if seen.contains(&Seen::Began(number)) {
            return (error, seen);
        }
    }
}

async fn until_probe(work: &Remote<dyn Work>, watch: &mut Seer) -> Vec<Seen> {
    assert_eq!(work.quick(PROBE).await, Ok(PROBE));
    let mut seen = vec![];
    loop {
        match watch.next().await {
            Seen::Began(PROBE) => return seen,
            other => seen.push(other),
        }
    }
}

pub(crate) async fn end_the_wait_and_the_handler(place: Place) {
    let (work, mut watch) = worker();
    let (work, _host) = place.host(work).await;
    let calls: [&dyn Fn() -> Call<u64>; 2] =
        [&|| work.timeout(SOON).pass(1), &|| work.pass_soon(2)];
    for (number, make) in (1..).zip(calls) {
        let (error, mut seen) = overrun(&work, &mut watch, number, make).await;
        assert_ne!(error.executed(), Executed::No);
        while !seen.contains(&Seen::Dropped(number)) {
            seen.push(watch.next().await);
        }
    }
    assert_eq!(work.quick(3).await, Ok(3));
}

pub(crate) async fn do_not_end_what_insists(place: Place) {
    let (work, mut watch) = worker();
    let (work, _host) = place.host(work).await;
    let make = || work.timeout(SOON).insist(1);
    let (error, seen) = overrun(&work, &mut watch, 1, make).await;
    assert_eq!(outline(&error), (ErrorKind::TimedOut, Executed::Maybe));
    assert_eq!(seen, [Seen::Began(1)]);
    watch.open(1);
    assert_eq!(watch.next().await, Seen::Ended(1));
}

/// The shortest deadline is kept among many longer ones, in a call that nobody polls before it has passed.
pub(crate) async fn are_kept_one_by_one(place: Place) {
    let (work, mut watch) = worker();
    let (work, _host) = place.host(work).await;
    let long: Vec<_> = (0..20).map(|number| work.pass(number)).collect();
    let short = loop {
        let short = work.timeout(SOON).pass(20);
        let mut seen = until_probe(&work, &mut watch).await;
        if seen.contains(&Seen::Began(20)) {
            while !seen.contains(&Seen::Dropped(20)) {
                seen.push(watch.next().await);
            }
            break short;
        }
    };
    let error = short.await.expect_err("the gate is closed");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    watch.open(20);
    for (number, call) in long.into_iter().enumerate() {
        assert_eq!(call.await, Ok(number as u64));
    }
}

/// Work whose deadline has passed before its turn comes is not started.
pub(crate) async fn spare_the_servant_expired_work(place: Place) {
    let (tally, mut watch) = teller();
    let (mut tally, _host) = place.host(tally).await;
    let first = tally.add_at_the_gate(1);
    assert_eq!(watch.next().await, Seen::Began(1));
    // The servant's side counts from the arrival: by the time that the last one has expired, so has the first one there.
    for number in [10, 1000, 1000, 1000, 1000, 1000] {
        let error = tally.timeout(SOON).add(number).await.expect_err("the servant is busy");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
    watch.open(1);
    assert_eq!(first.await, Ok(1));
    assert_eq!(tally.add(100).await.map(|sum| sum % 1000), Ok(101));
}

/// One that has passed before the call is made leaves the servant alone too.
pub(crate) async fn of_nothing_start_nothing(place: Place) {
    let (work, mut watch) = worker();
    let (work, _host) = place.host(work).await;
    let error = work.timeout(Duration::ZERO).quick(1).await.expect_err("no time is left");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(work.quick(2).await, Ok(2));
    assert_eq!(watch.so_far(), [Seen::Began(2)]);
}

/// One passes while the wire is never silent.
pub(crate) async fn are_kept_beside_busy_calls(place: Place) {
    let (work, _watch) = worker();
    let (work, _host) = place.host(work).await;
    let busy: Vec<_> = (0..32)
        .map(|number| {
            let work = work.clone();
            tokio::spawn(async move { while work.quick(number).await == Ok(number) {} })
        })
        .collect();
    let error = work.timeout(SOON).pass(1).await.expect_err("the gate is closed");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    busy.iter().for_each(|task| task.abort());
}
