//! What goes wrong by mistake is said, and in which words.

use crate::stage::{everywhere, over_each};
use farcall::mailbox::{Capacity, Mailbox};
use serde::{Deserialize, Serialize};
use std::net::TcpListener;
use tokio::runtime::Builder;

#[test]
fn a_mailbox_is_opened_again_with_its_own_parameters_only() {
    everywhere(|stage| {
        let (_host, address) = stage.host("bounded=2 in_turn");
        let mut other = stage.puppet();
        assert_eq!(other.ask(&format!("host {address} bounded=2 in_turn")), "attached");
        assert_eq!(
            other.ask(&format!("host {address} bounded=3 in_turn")),
            "the mailbox exists as Bounded(2), RoundRobin, Redeliver { max: 5 }, at most 1073741824 B, and was opened as Bounded(3), \
             RoundRobin, Redeliver { max: 5 }, at most 1073741824 B: open it with the same parameters, or attach to it"
        );
    });
}

#[test]
fn a_mailbox_is_opened_where_somebody_is_about_to_go() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let going = TcpListener::bind("127.0.0.2:0").expect("a free port");
        let address = format!("tcp://{}#box", going.local_addr().expect("it listens"));
        let mut opening = Mailbox::<u32>::host(&address).open();
        tokio::select! {
            biased;
            _ = &mut opening => panic!("somebody listens there"),
            () = tokio::task::yield_now() => drop(going),
        }
        assert!(opening.await.expect("nobody listens there").is_host());
    });
}

#[test]
fn a_host_that_hangs_is_not_waited_for_without_end() {
    over_each(|stage| {
        let (host, address) = stage.host("bounded=4");
        let mut users = [(); 3].map(|()| stage.attached(&address));
        assert_eq!(users[0].ask("send 1"), "sent");
        host.stop();
        for (user, does) in users.iter_mut().zip(["try_send 2", "send_timeout 3", "recv_timeout"]) {
            user.tell(does);
        }
        for user in &mut users {
            assert_eq!(user.hear(), "NoAnswer");
        }
        // What was to be sent may be there; what was to be received is, though others may come before it.
        host.resume();
        assert!((0..3).any(|_| users[2].ask("recv_now") == "1"));
    });
}

#[test]
fn letters_of_another_type_are_refused() {
    everywhere(|stage| {
        let (_host, address) = stage.host("bounded=2");
        let mut other = stage.puppet();
        assert_eq!(
            other.ask(&format!("attach_text {address}")),
            "the letters are `u32` and not `String`: use the type that the other side uses"
        );
    });
}

#[test]
fn a_name_that_nothing_has_is_refused() {
    everywhere(|stage| {
        let (_host, address) = stage.host("bounded=2");
        let mut other = stage.puppet();
        let answer = other.ask(&format!("attach {}", address.replace("#box", "#bix")));
        assert!(
            answer.contains("there is no service `bix`, there is `box`, `box.dead`"),
            "{answer}"
        );
    });
}

#[test]
fn a_mailbox_without_room_is_refused() {
    let opened = Mailbox::<u32>::host("tcp://127.0.0.1:0").capacity(Capacity::Bounded(0)).open();
    let refused = opened.wait().expect_err("it would never accept a letter");
    assert_eq!(
        refused.to_string(),
        "a mailbox for 0 letters never accepts one: say `Capacity::Zero`, where a letter is accepted when a receiver takes it"
    );
}

/// Two builds may call different things the same.
mod another_build {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    pub(super) struct Job {
        pub(super) number: String,
    }
}

#[derive(Serialize, Deserialize)]
struct Job {
    number: bool,
}

#[test]
fn a_letter_that_cannot_be_read_is_given_back() {
    let ours = Mailbox::<Job>::host("tcp://127.0.0.1:0#jobs").open().wait().expect("a port");
    let address = format!("{}#jobs", ours.address());
    let theirs = Mailbox::<another_build::Job>::attach(&address).wait().expect("it is hosted");
    let job = another_build::Job { number: "seven".to_owned() };
    theirs.send(&job).wait().expect("room");
    for unreadable in [ours.recv().wait().map(drop), ours.recv_now().wait().map(drop)] {
        let said = unreadable.expect_err("it is no number").to_string();
        assert!(said.contains("Job"), "{said}");
    }
    let letter = theirs.recv().wait().expect("it is there");
    assert_eq!((&*letter.number, letter.delivery_count()), ("seven", 3));
}
