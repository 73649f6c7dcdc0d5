//! Nobody sleeps for ever: whoever waits, whatever it does before, the result that arrives wakes it. A wake-up that is lost shows as a
//! deadlock.

use crate::{
    link::{Link, Mutant},
    wire::Frame::{self, Call, Return},
};
use loom::{model::Builder, thread};
use std::sync::Arc;

/// Explores a few preemptions of each thread: enough for every known loss of a wake-up, see the mutants.
fn explore(scene: fn(Mutant), mutant: Mutant) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
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

fn link(there: &[Frame], answer: Option<Frame>, batch: usize, mutant: Mutant) -> Arc<Link> {
    Arc::new(Link::new(there, answer, batch, mutant))
}

/// A task spins, sleeps, and its result arrives at any time.
fn a_task(mutant: Mutant) {
    let link = link(&[], None, 9, mutant);
    let peer = spawn(&link, |link| link.wire.arrive(&[Return(0)]));
    beside_background(&link, || link.await_reply(0, true));
    peer.join().unwrap();
}

/// A task takes a call off the wire while it waits; its own result comes only after that call was started.
fn a_callback(mutant: Mutant) {
    let link = link(&[Call], Some(Return(0)), 9, mutant);
    beside_background(&link, || link.await_reply(0, true));
}

/// A thread leads; a task whose result comes in the same go, beyond what one go takes, sleeps.
fn a_rest(mutant: Mutant) {
    let link = link(&[Return(0), Return(1)], None, 1, mutant);
    let task = spawn(&link, |link| link.await_reply(1, false));
    beside_background(&link, || {
        link.wait_reply(0);
        task.join().unwrap();
    });
}

/// A thread leads, another follows; the leader leaves before the other's result arrives.
fn a_follower(mutant: Mutant) {
    let link = link(&[Return(0)], None, 9, mutant);
    let follower = spawn(&link, |link| link.wait_reply(1));
    beside_background(&link, || {
        link.wait_reply(0);
        link.wire.arrive(&[Return(1)]);
        follower.join().unwrap();
    });
}

/// A thread leads and two follow. The leader brings one of them its result and leaves.
fn two_followers(mutant: Mutant) {
    let link = link(&[Return(0), Return(2)], None, 9, mutant);
    let followers =
        [spawn(&link, |link| link.wait_reply(1)), spawn(&link, |link| link.wait_reply(2))];
    beside_background(&link, || {
        link.wait_reply(0);
        link.wire.arrive(&[Return(1)]);
        followers.into_iter().for_each(|follower| follower.join().unwrap());
    });
}

#[test]
fn a_task_is_woken() {
    explore(a_task, Mutant::default());
}

#[test]
fn a_callback_is_started() {
    explore(a_callback, Mutant::default());
}

#[test]
fn a_rest_is_received() {
    explore(a_rest, Mutant::default());
}

#[test]
fn a_follower_is_woken() {
    explore(a_follower, Mutant::default());
}

#[test]
fn two_followers_are_woken() {
    explore(two_followers, Mutant::default());
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_wire_that_is_armed_blindly() {
    explore(a_task, Mutant { arms_blindly: true, ..Mutant::default() });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_task_that_sleeps_and_does_not_arm() {
    explore(a_task, Mutant { sleeps_disarmed: true, ..Mutant::default() });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_task_that_checks_before_it_leaves_its_waker() {
    explore(a_task, Mutant { checks_first: true, ..Mutant::default() });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_task_that_counts_as_spinning_when_it_sleeps() {
    explore(a_task, Mutant { spins_too_long: true, ..Mutant::default() });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_background_task_that_forgets_what_it_was_told() {
    explore(a_callback, Mutant { forgets: true, ..Mutant::default() });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_holder_that_hides_the_rest() {
    explore(a_rest, Mutant { hides_the_rest: true, ..Mutant::default() });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_leader_that_does_not_ask_whether_it_was_missed() {
    explore(two_followers, Mutant { ignores_missed: true, ..Mutant::default() });
}
