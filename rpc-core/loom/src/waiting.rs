//! Nobody sleeps for ever: whoever waits, whatever it does before, the result that arrives wakes it. A wake-up that is lost shows as a
//! deadlock.

use crate::{
    link::Link,
    mutant::Mutant,
    wire::Frame::{Call, Return},
};
use loom::{model::Builder, thread};
use std::sync::Arc;

/// Explores a few preemptions of each thread: enough for every known loss of a wake-up, see the mutants.
fn explore(scene: fn(Mutant), preemptions: usize, mutant: Mutant) {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.max(Some(preemptions));
    builder.max_branches = 10_000;
    builder.check(move || scene(mutant));
}

/// Runs `here` beside the background task until it has what it waits for.
fn beside_background(link: &Arc<Link>, here: impl FnOnce()) {
    let background = spawn(link, |link| link.run());
    here();
    link.close();
    background.join().unwrap();
}

fn spawn(link: &Arc<Link>, run: fn(&Link)) -> thread::JoinHandle<()> {
    let link = Arc::clone(link);
    thread::spawn(move || run(&link))
}

/// A task spins, sleeps, and its result arrives at any time.
fn a_task(mutant: Mutant) {
    let link = Arc::new(Link::new(&[], false, mutant));
    let peer = spawn(&link, |link| link.wire.arrive(&[Return(0)]));
    beside_background(&link, || link.await_reply(0, true));
    peer.join().unwrap();
}

/// A task sleeps at once, on a wire that others have silenced.
fn a_sleeper(mutant: Mutant) {
    let link = Arc::new(Link::new(&[], true, mutant));
    let peer = spawn(&link, |link| link.wire.arrive(&[Return(0)]));
    beside_background(&link, || link.await_reply(0, false));
    peer.join().unwrap();
}

/// A task takes a call off the wire while it waits; its own result comes only after that call was started.
fn a_callback(mutant: Mutant) {
    let link = Arc::new(Link::new(&[Call], false, mutant).answering(Return(0)));
    beside_background(&link, || link.await_reply(0, true));
}

/// A task spins and finds its result, and another's behind it, which is more than it takes at one go.
fn a_rest(mutant: Mutant) {
    let link = Arc::new(Link::new(&[], true, mutant).one_by_one());
    let other = spawn(&link, |link| link.await_reply(1, false));
    beside_background(&link, || {
        link.wire.arrive(&[Return(0), Return(1)]);
        link.await_reply(0, true);
        other.join().unwrap();
    });
}

/// A thread leads, another follows; the leader leaves before the other's result arrives.
fn a_follower(mutant: Mutant) {
    let link = Arc::new(Link::new(&[Return(0)], false, mutant));
    let follower = spawn(&link, |link| link.wait_reply(1));
    beside_background(&link, || {
        link.wait_reply(0);
        link.wire.arrive(&[Return(1)]);
        follower.join().unwrap();
    });
}

/// A task sleeps, a thread leads and leaves, and only then the task's result arrives.
fn a_leader_and_a_task(mutant: Mutant) {
    let link = Arc::new(Link::new(&[Return(0)], true, mutant));
    let task = spawn(&link, |link| link.await_reply(1, false));
    beside_background(&link, || {
        link.wait_reply(0);
        link.wire.arrive(&[Return(1)]);
        task.join().unwrap();
    });
}

/// A thread leads until nobody else waits; another makes a call meanwhile, and waits for it.
fn a_late_thread(mutant: Mutant) {
    let link = Link::new(&[Return(0)], true, mutant).with_in_flight(1);
    let link = Arc::new(link);
    let late = spawn(&link, |link| {
        link.call(1);
        link.wait_reply(1);
    });
    beside_background(&link, || {
        link.wait_reply(0);
        late.join().unwrap();
    });
}

/// The same, where a task makes a call and sleeps.
fn a_late_task(mutant: Mutant) {
    let link = Link::new(&[Return(0)], true, mutant).with_in_flight(1);
    let link = Arc::new(link);
    let late = spawn(&link, |link| {
        link.call(1);
        link.await_reply(1, false);
    });
    beside_background(&link, || {
        link.wait_reply(0);
        late.join().unwrap();
    });
}

/// A thread leads and two follow. The leader brings one of them its result and leaves.
fn two_followers(mutant: Mutant) {
    let link = Arc::new(Link::new(&[Return(0), Return(2)], false, mutant));
    let followers =
        [spawn(&link, |link| link.wait_reply(1)), spawn(&link, |link| link.wait_reply(2))];
    beside_background(&link, || {
        link.wait_reply(0);
        link.wire.arrive(&[Return(1)]);
        followers.into_iter().for_each(|follower| follower.join().unwrap());
    });
}

/// The last waiter leaves the wire silent, in case that it comes back soon; a call of the peer's arrives, and time passes.
fn a_call_later(mutant: Mutant) {
    let link = Arc::new(Link::new(&[Return(0)], false, mutant));
    beside_background(&link, || {
        link.await_reply(0, true);
        link.wire.arrive(&[Call]);
        link.pass_time();
        link.started.sleep();
    });
}

#[test]
fn a_task_that_sleeps_at_once_is_woken() {
    explore(a_sleeper, 3, Mutant::default());
}

#[test]
fn a_task_is_woken() {
    explore(a_task, 3, Mutant::default());
}

#[test]
fn a_callback_is_started() {
    explore(a_callback, 3, Mutant::default());
}

#[test]
fn a_rest_is_received() {
    explore(a_rest, 2, Mutant::default());
}

#[test]
fn a_follower_is_woken() {
    explore(a_follower, 2, Mutant { no_timer: true, ..Mutant::default() });
}

#[test]
fn a_task_is_woken_after_a_leader_has_left() {
    explore(a_leader_and_a_task, 2, Mutant::default());
}

#[test]
fn two_followers_are_woken() {
    explore(two_followers, 2, Mutant::default());
}

#[test]
fn a_late_thread_is_woken() {
    explore(a_late_thread, 2, Mutant { no_timer: true, ..Mutant::default() });
}

#[test]
fn a_late_task_is_woken() {
    explore(a_late_task, 2, Mutant::default());
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_leader_that_leaves_without_a_look_for_others() {
    explore(a_leader_and_a_task, 2, Mutant { leaves_others: true, ..Mutant::default() });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_leader_that_leaves_blindly() {
    explore(a_late_thread, 2, Mutant { leaves_blindly: true, no_timer: true, ..Mutant::default() });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_wire_that_is_armed_blindly() {
    explore(a_task, 3, Mutant { arms_blindly: true, ..Mutant::default() });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_task_that_sleeps_and_does_not_arm() {
    explore(a_task, 3, Mutant { sleeps_disarmed: true, ..Mutant::default() });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_task_that_sleeps_and_does_not_tell_the_background() {
    explore(a_sleeper, 3, Mutant { sleeps_unseen: true, ..Mutant::default() });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_task_that_checks_before_it_leaves_its_waker() {
    explore(a_task, 3, Mutant { checks_first: true, ..Mutant::default() });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_task_that_counts_as_spinning_when_it_sleeps() {
    explore(a_task, 3, Mutant { spins_too_long: true, ..Mutant::default() });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_background_task_that_forgets_what_it_was_told() {
    explore(a_callback, 3, Mutant { forgets: true, ..Mutant::default() });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_holder_that_hides_the_rest() {
    explore(a_rest, 2, Mutant { hides_the_rest: true, ..Mutant::default() });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_leader_that_leaves_silence() {
    explore(a_leader_and_a_task, 2, Mutant { leaves_silence: true, ..Mutant::default() });
}

#[test]
fn a_call_that_comes_later_is_started() {
    explore(a_call_later, 3, Mutant::default());
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_background_task_that_does_not_look_again() {
    explore(a_call_later, 3, Mutant { no_timer: true, ..Mutant::default() });
}
