//! Direct communication: processes that name each other.

use crate::stage::{Puppet, everywhere, over_each};
use farcall::mailbox::PLACES;

/// What a puppet hears from another one.
fn from(sender: &Puppet, number: u32) -> String {
    format!("{} {number}", sender.pid())
}

#[test]
fn symmetric_naming_send_to_p_and_receive_from_q() {
    everywhere(|stage| {
        let (mut alice, mut bob) = (stage.named("alice"), stage.named("bob"));
        let mut carol = stage.named("carol");
        assert_eq!(carol.ask("send_to bob 3"), "sent");
        assert_eq!(alice.ask("send_to bob 1"), "sent");
        assert_eq!(alice.ask("send_to bob 2"), "sent");
        // By name, whatever came before it.
        assert_eq!(bob.ask("recv_from alice"), from(&alice, 1));
        assert_eq!(bob.ask("recv_from carol"), from(&carol, 3));
        assert_eq!(bob.ask("recv_from alice"), from(&alice, 2));
        assert_eq!(bob.ask("try_recv_from alice"), "Empty");
        assert_eq!(bob.ask("recv_from_timeout alice"), "TimedOut");
    });
}

#[test]
fn asymmetric_naming_receive_from_anyone() {
    everywhere(|stage| {
        let (mut alice, mut bob) = (stage.named("alice"), stage.named("bob"));
        let mut carol = stage.named("carol");
        assert_eq!(alice.ask("send_to bob 1"), "sent");
        assert_eq!(carol.ask("send_to bob 2"), "sent");
        assert_eq!(bob.ask("recv_any"), from(&alice, 1));
        assert_eq!(bob.ask("recv_any"), from(&carol, 2));
        assert_eq!(bob.ask("try_recv_any"), "Empty");
        bob.tell("recv_any");
        assert_eq!(alice.ask("send_to bob 3"), "sent");
        assert_eq!(bob.hear(), from(&alice, 3));
    });
}

#[test]
fn exactly_one_link_per_pair_made_on_first_use_and_usable_both_ways() {
    everywhere(|stage| {
        let (mut alice, mut bob) = (stage.named("alice"), stage.named("bob"));
        let mut carol = stage.named("carol");
        assert_eq!(alice.ask("links"), "");
        assert_eq!(alice.ask("send_to bob 1"), "sent");
        assert_eq!(bob.ask("recv_any"), from(&alice, 1));
        // One-way so far.
        assert_eq!(alice.ask("links"), "bob:1/0");
        assert_eq!(bob.ask("links"), "alice:0/1");
        assert_eq!(bob.ask("send_to alice 2"), "sent");
        assert_eq!(alice.ask("recv_from bob"), from(&bob, 2));
        assert_eq!(alice.ask("links"), "bob:1/1");
        assert_eq!(bob.ask("links"), "alice:1/1");
        // Whoever receives makes it too.
        carol.tell("recv_from alice");
        assert_eq!(alice.ask("send_to carol 3"), "sent");
        assert_eq!(carol.hear(), from(&alice, 3));
        assert_eq!(alice.ask("links"), "bob:1/1 carol:1/0");
    });
}

#[test]
fn two_who_begin_at_once_have_one_link() {
    everywhere(|stage| {
        for _ in 0..5 {
            let (mut alice, mut bob) = (stage.named("alice"), stage.named("bob"));
            alice.tell("send_to bob 1");
            bob.tell("send_to alice 2");
            assert_eq!((alice.hear(), bob.hear()), ("sent".into(), "sent".into()));
            assert_eq!(alice.ask("recv_from bob"), from(&bob, 2));
            assert_eq!(bob.ask("recv_from alice"), from(&alice, 1));
            for number in 3..6 {
                assert_eq!(alice.ask(&format!("send_to bob {number}")), "sent");
                assert_eq!(bob.ask("recv_any"), from(&alice, number));
            }
            assert_eq!(alice.ask("links").split_whitespace().count(), 1);
            assert_eq!(bob.ask("links").split_whitespace().count(), 1);
        }
    });
}

#[test]
fn a_name_is_exclusive_while_its_holder_lives() {
    everywhere(|stage| {
        let (alice, mut bob) = (stage.named("alice"), stage.named("bob"));
        let mut other = stage.puppet();
        assert_eq!(other.ask("claim alice"), "NameTaken alice");
        assert_eq!(bob.ask("send_to alice 1"), "sent");
        let pid = alice.pid();
        bob.tell("recv_from alice");
        alice.kill();
        assert_eq!(bob.hear(), format!("ProcessGone {pid}"));
        assert_eq!(other.ask("claim alice"), "ok");
        assert_eq!(bob.ask("send_to alice 2"), "sent");
        assert_eq!(other.ask("recv_from bob"), from(&bob, 2));
        assert_eq!(other.ask("release"), "ok");
        let mut third = stage.puppet();
        while third.ask("claim alice") != "ok" {}
    });
}

#[test]
fn senders_wait_while_too_many_messages_are_not_taken() {
    everywhere(|stage| {
        let (mut alice, mut bob) = (stage.named("alice"), stage.named("bob"));
        for number in 0..PLACES {
            assert_eq!(alice.ask(&format!("send_to bob {number}")), "sent");
        }
        assert_eq!(alice.ask("try_send_to bob 64"), "Full");
        assert_eq!(alice.ask("send_to_timeout bob 64"), "TimedOut");
        alice.tell("send_to bob 64");
        // In the order in which they were sent; what was refused never comes.
        for number in 0..=64 {
            assert_eq!(bob.ask("recv_from alice"), from(&alice, number));
        }
        assert_eq!(alice.hear(), "sent");
        assert_eq!(bob.ask("try_recv_any"), "Empty");
    });
}

#[test]
fn a_process_that_hangs_is_not_waited_for_without_end() {
    over_each(|stage| {
        let (mut alice, mut bob) = (stage.named("alice"), stage.named("bob"));
        let mut carol = stage.named("carol");
        assert_eq!(alice.ask("send_to bob 1"), "sent");
        assert_eq!(carol.ask("send_to bob 2"), "sent");
        bob.stop();
        alice.tell("send_to_timeout bob 3");
        carol.tell("try_send_to bob 4");
        assert_eq!([alice.hear(), carol.hear()], ["NoAnswer", "NoAnswer"]);
        bob.resume();
        assert_eq!(bob.ask("recv_from alice"), from(&alice, 1));
        assert_eq!(alice.ask("send_to bob 5"), "sent");
    });
}

#[test]
fn mistakes_say_what_to_do() {
    everywhere(|stage| {
        let (mut alice, mut bob) = (stage.named("alice"), stage.named("bob"));
        let nobody = alice.ask("try_send_to carol 1");
        assert!(
            nobody.starts_with("there is no process `carol`: let it claim its name"),
            "{nobody}"
        );
        assert_eq!(alice.ask("send_text_to bob words"), "sent");
        let other = "the letters are `String` and not `u32`: use the type that the other side uses";
        assert_eq!(bob.ask("recv_any"), other);
        assert_eq!(bob.ask("recv_from alice"), other);
    });
}
