//! What the death of a process does to a mailbox: receivers and senders are killed, and each letter is accounted for.

use crate::stage::everywhere;
use std::collections::BTreeMap;

#[test]
fn a_dead_receiver_s_letter_is_delivered_again_and_dies_in_the_end() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=1 redeliver=2");
        assert_eq!(host.ask("send 7"), "sent");
        for delivery in ["1", "2"] {
            let mut receiver = stage.attached(&address);
            assert_eq!(receiver.ask("recv"), "7");
            assert_eq!(receiver.ask("deliveries"), delivery);
            let pid = receiver.pid();
            assert_eq!(host.ask("taken_by"), pid);
            receiver.kill();
            if delivery == "2" {
                assert_eq!(host.ask("acked_by"), format!("GivenUp {pid}"));
            }
        }
        // Its place is free, and it is among the dead letters.
        assert_eq!(host.ask("try_send 8"), "sent");
        let mut reader = stage.attached(&format!("{address}.dead"));
        assert_eq!(reader.ask("recv"), "7");
        assert_eq!(reader.ask("sender"), host.pid());
        assert_eq!(reader.ask("try_recv"), "Empty");
    });
}

#[test]
fn dead_letters_beyond_their_ceiling_are_dropped_and_counted() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("unbounded ceiling=2 redeliver=1");
        let mut receiver = stage.attached(&address);
        for letter in ["1", "2", "3"] {
            assert_eq!(host.ask(&format!("send {letter}")), "sent");
            assert_eq!(receiver.ask("recv"), letter);
            assert_eq!(receiver.ask("drop"), "ok");
            host.until("held", 0);
        }
        host.until("dropped", 1);
        let mut reader = stage.attached(&format!("{address}.dead"));
        assert_eq!(["recv", "recv", "try_recv"].map(|take| reader.ask(take)), ["1", "2", "Empty"]);
    });
}

#[test]
fn a_letter_that_is_dropped_is_delivered_again() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=4");
        let mut receiver = stage.attached(&address);
        assert_eq!(host.ask("send 1"), "sent");
        assert_eq!(host.ask("send 2"), "sent");
        assert_eq!(receiver.ask("recv"), "1");
        assert_eq!(receiver.ask("drop"), "ok");
        // It has its old place again.
        host.until("held", 0);
        assert_eq!(receiver.ask("recv"), "1");
        assert_eq!(receiver.ask("deliveries"), "2");
    });
}

#[test]
fn what_a_crash_does_is_a_parameter() {
    everywhere(|stage| {
        for (on_crash, receipt, send) in [
            ("drop", "GivenUp", "sent"),
            ("return", "ReceiverDied", "sent"),
            ("close", "ReceiverDied", "Closed"),
        ] {
            let (mut host, address) = stage.host(&format!("bounded=1 {on_crash}"));
            let mut receiver = stage.attached(&address);
            assert_eq!(host.ask("send 1"), "sent");
            assert_eq!(receiver.ask("recv"), "1");
            let pid = receiver.pid();
            receiver.kill();
            assert_eq!(host.ask("acked_by"), format!("{receipt} {pid}"));
            let sent = host.ask("send 2");
            assert!(sent.starts_with(send), "{on_crash}: {sent}");
        }
    });
}

#[test]
fn a_mailbox_that_closes_tells_everybody_and_keeps_nothing() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("unbounded close");
        let (mut first, mut second) = (stage.attached(&address), stage.attached(&address));
        for letter in ["1", "2", "3", "4"] {
            assert_eq!(host.ask(&format!("send {letter}")), "sent");
        }
        assert_eq!([first.ask("recv"), second.ask("recv")], ["1", "2"]);
        let pid = first.pid();
        first.kill();
        let closed = format!("Closed {pid}");
        // Also of a letter that nobody has taken and nobody will take.
        assert_eq!(host.ask("taken_by 2"), closed);
        assert_eq!(host.ask("taken_by 0"), format!("ReceiverDied {pid}"));
        assert_eq!(host.ask("send 5"), closed);
        assert_eq!(second.ask("recv"), closed);
        // Who holds one can ack it still; what nobody holds is dropped.
        let counts = ["held", "ready", "dropped", "bytes"].map(|what| format!("count {what}"));
        assert_eq!(counts.clone().map(|count| host.ask(&count)), ["1", "0", "3", "1"]);
        assert_eq!(second.ask("ack"), "ok");
        host.until("held", 0);
        assert_eq!(host.ask("taken_by 1"), second.pid());
        assert_eq!(counts.map(|count| host.ask(&count)), ["0", "0", "3", "0"]);
    });
}

#[test]
fn an_unfinished_send_of_a_dead_sender_never_happened() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=1");
        let mut sender = stage.attached(&address);
        assert_eq!(sender.ask("send 1"), "sent");
        sender.tell("send 2");
        host.until("waiting", 1);
        sender.kill();
        host.until("waiting", 0);
        // The one that was finished stays.
        assert_eq!(host.ask("recv_now"), "1");
        assert_eq!(host.ask("try_recv"), "Empty");
    });
}

#[test]
fn no_letter_is_lost_while_receivers_are_killed() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("unbounded redeliver=100");
        let letters = 1..=60;
        for letter in letters.clone() {
            assert_eq!(host.ask(&format!("send {letter}")), "sent");
        }
        let mut ledger: BTreeMap<String, u32> = BTreeMap::new();
        for round in 0..6 {
            let mut receiver = stage.attached(&address);
            for _ in 0..5 {
                let letter = receiver.ask("recv_now");
                *ledger.entry(letter).or_default() += 1;
            }
            // It dies with letters in its hands.
            for _ in 0..=round {
                receiver.ask("recv");
            }
            receiver.kill();
            host.until("held", 0);
        }
        for _ in 0..30 {
            *ledger.entry(host.ask("recv_now")).or_default() += 1;
        }
        assert_eq!(host.ask("try_recv"), "Empty");
        assert!(letters.map(|letter| letter.to_string()).eq({
            let mut all: Vec<_> = ledger.keys().cloned().collect();
            all.sort_by_key(|letter| letter.parse::<u32>().ok());
            all
        }));
        assert!(ledger.values().all(|times| *times == 1), "acked once each: {ledger:?}");
        assert_eq!(host.ask("count bytes"), "0");
    });
}

#[test]
fn a_letter_of_a_receiver_that_panics_is_delivered_again() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=2");
        let mut receiver = stage.attached(&address);
        assert_eq!(host.ask("send 1"), "sent");
        assert_eq!(receiver.ask("recv"), "1");
        assert_eq!(receiver.ask("panic"), "ok");
        assert_eq!([receiver.ask("recv"), receiver.ask("deliveries")], ["1", "2"]);
    });
}

#[test]
fn a_rendezvous_with_a_receiver_that_dies_is_told_to_the_sender() {
    everywhere(|stage| {
        let (_host, address) = stage.host("zero");
        let (mut sender, mut receiver) = (stage.attached(&address), stage.attached(&address));
        receiver.tell("recv");
        assert_eq!(sender.ask("send 1"), "sent");
        assert_eq!(receiver.hear(), "1");
        let pid = receiver.pid();
        receiver.kill();
        assert_eq!(sender.ask("acked_by"), format!("ReceiverDied {pid}"));
        sender.until("ready", 0);
    });
}
