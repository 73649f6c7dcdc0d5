//! Who gets a message of a mailbox that several share: one test for each policy.

use crate::stage::{Puppet, everywhere};
use std::collections::HashSet;

#[test]
fn pair_refuses_the_third_process() {
    everywhere(|stage| {
        let (_host, address) = stage.host("pair");
        let (mut first, mut second) = (stage.named("alice"), stage.attached(&address));
        let mut third = stage.puppet();
        let attach = format!("attach {address}");
        assert_eq!(first.ask(&attach), "ok");
        let busy = format!(
            "the mailbox is for two processes, which are process {} and `alice` (process {}): wait until one of them detaches, or open \
             it with another policy",
            second.pid(),
            first.pid()
        );
        assert_eq!(third.ask(&attach), busy);
        // A process that is one of the two may attach again; and a dead one's place is free.
        assert_eq!(second.ask(&attach), "ok");
        first.kill();
        while third.ask(&attach) != "ok" {}
        assert_eq!(third.ask("send 1"), "sent");
        assert_eq!(second.ask("recv_now"), "1");
    });
}

#[test]
fn first_receiver_serves_those_who_ask_in_their_order() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("unbounded");
        let mut receivers: Vec<Puppet> = (0..3).map(|_| stage.attached(&address)).collect();
        // Neither the order of attaching counts nor who has received before.
        for (round, order) in [[2, 0, 1], [1, 2, 0], [0, 2, 1]].into_iter().enumerate() {
            for (at, asked) in order.into_iter().zip(1..) {
                receivers[at].tell("recv");
                host.until("asking", asked);
            }
            for (turn, at) in order.into_iter().enumerate() {
                let letter = 3 * round + turn;
                assert_eq!(host.ask(&format!("send {letter}")), "sent");
                assert_eq!(receivers[at].hear(), letter.to_string());
                assert_eq!(host.ask(&format!("taken_by {letter}")), receivers[at].pid());
                assert_eq!(host.ask("count asking"), (2 - turn).to_string());
            }
        }
    });
}

#[test]
fn first_receiver_passes_over_those_who_ask_no_more() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("unbounded");
        let (mut killed, mut late) = (stage.attached(&address), stage.attached(&address));
        let mut last = stage.attached(&address);
        // One is killed while it asks, another has asked until its time was over.
        killed.tell("recv");
        host.until("asking", 1);
        assert_eq!(late.ask("recv_timeout"), "TimedOut");
        last.tell("recv");
        host.until("asking", 2);
        killed.kill();
        host.until("asking", 1);
        assert_eq!(host.ask("send 1"), "sent");
        assert_eq!(last.hear(), "1");
        assert_eq!(last.ask("deliveries"), "1");
    });
}

#[test]
fn first_receiver_prefetches_nothing() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("unbounded");
        let mut receivers: Vec<Puppet> = (0..2).map(|_| stage.attached(&address)).collect();
        for receiver in &mut receivers {
            assert_eq!(receiver.ask("try_recv"), "Empty");
        }
        for letter in 0..6 {
            assert_eq!(host.ask(&format!("send {letter}")), "sent");
        }
        // Whoever asks gets the next one, and each takes only what it has asked for.
        for (letter, at) in [0, 1, 1, 0, 1, 0].into_iter().enumerate() {
            let counts = ["count held", "count ready"].map(|count| host.ask(count));
            assert_eq!(counts, [letter, 6 - letter].map(|count| count.to_string()));
            assert_eq!(receivers[at].ask("recv"), letter.to_string());
        }
    });
}

#[test]
fn round_robin_balances_four_receivers() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("unbounded in_turn");
        let mut workers: Vec<Puppet> = (0..4).map(|_| stage.attached(&address)).collect();
        for worker in &mut workers {
            // It is a receiver from now on.
            assert_eq!(worker.ask("try_recv"), "Empty");
            worker.tell("work");
        }
        for letter in 1..=40 {
            assert_eq!(host.ask(&format!("send {letter}")), "sent");
        }
        for _ in &workers {
            assert_eq!(host.ask("send 0"), "sent");
        }
        let came: Vec<Vec<u32>> =
            workers.iter_mut().map(|worker| numbers(&worker.hear())).collect();
        for (turn, came) in (1..).zip(&came) {
            let want: Vec<u32> = (0..10).map(|round| turn + 4 * round).collect();
            assert_eq!(*came, want, "each fourth letter, in order");
        }
    });
}

#[test]
fn least_loaded_serves_who_holds_the_fewest() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("unbounded least_loaded");
        let mut receivers: Vec<Puppet> = (0..3).map(|_| stage.attached(&address)).collect();
        let mut letters = 0..;
        let mut send = |host: &mut Puppet| {
            let letter: u32 = letters.next().expect("there is no last number");
            assert_eq!(host.ask(&format!("send {letter}")), "sent");
            letter.to_string()
        };
        // They hold four, two and none.
        for (at, held) in [(0, 4), (1, 2)] {
            for _ in 0..held {
                let letter = send(&mut host);
                assert_eq!(receivers[at].ask("recv"), letter);
            }
        }
        // The busiest asks first each time, and is served last: also when the others have one more each.
        for _ in 0..2 {
            for (asked, receiver) in (1..).zip(&mut receivers) {
                receiver.tell("recv");
                host.until("asking", asked);
            }
            for at in [2, 1, 0] {
                let letter = send(&mut host);
                assert_eq!(receivers[at].hear(), letter);
                assert_eq!(host.ask(&format!("taken_by {letter}")), receivers[at].pid());
            }
        }
        // Six, four and two: who acks five is the least loaded again, though it asks last.
        for _ in 0..5 {
            assert_eq!(receivers[0].ask("ack"), "ok");
        }
        host.until("held", 7);
        for (asked, at) in [(1, 2), (2, 1), (3, 0)] {
            receivers[at].tell("recv");
            host.until("asking", asked);
        }
        let letter = send(&mut host);
        assert_eq!(receivers[0].hear(), letter);
    });
}

#[test]
fn sticky_letters_of_a_key_go_to_one_receiver() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("unbounded sticky=letter");
        let mut workers: Vec<Puppet> = (0..3).map(|_| stage.attached(&address)).collect();
        for worker in &mut workers {
            assert_eq!(worker.ask("try_recv"), "Empty");
        }
        for letter in 0..30 {
            assert_eq!(host.ask(&format!("send_keyed {} {letter}", letter % 5)), "sent");
        }
        let mut all = Vec::new();
        let mut keys: Vec<HashSet<u32>> = Vec::new();
        for worker in &mut workers {
            let mut own = Vec::new();
            while let Ok(letter) = worker.ask("try_recv").parse::<u32>() {
                own.push(letter);
            }
            keys.push(own.iter().map(|letter| letter % 5).collect());
            assert!(own.is_sorted(), "the letters of a sender come in order: {own:?}");
            all.extend(own);
        }
        all.sort_unstable();
        assert_eq!(all, (0..30).collect::<Vec<_>>());
        let of_all: usize = keys.iter().map(HashSet::len).sum();
        assert_eq!(of_all, 5, "no key has two receivers: {keys:?}");
    });
}

#[test]
fn letters_of_each_sender_stay_in_order() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=3");
        let (mut one, mut two) = (stage.attached(&address), stage.attached(&address));
        for step in 1..=20 {
            one.tell(&format!("send {step}"));
            two.tell(&format!("send {}", 100 + step));
        }
        let came: Vec<u32> = (0..40).map(|_| numbers(&host.ask("recv_now"))[0]).collect();
        let (first, second): (Vec<u32>, Vec<u32>) = came.iter().partition(|letter| **letter < 100);
        assert_eq!(first, (1..=20).collect::<Vec<_>>());
        assert_eq!(second, (101..=120).collect::<Vec<_>>());
    });
}

fn numbers(text: &str) -> Vec<u32> {
    text.split(' ').map(|word| word.parse().unwrap_or_else(|_| panic!("{text}"))).collect()
}

#[test]
fn the_sender_is_told_whom_the_system_has_selected() {
    everywhere(|stage| {
        for policy in ["in_turn", "least_loaded", "sticky=letter"] {
            let (_host, address) = stage.host(&format!("bounded=8 {policy}"));
            let mut sender = stage.attached(&address);
            let mut receivers = [stage.attached(&address), stage.attached(&address)];
            receivers.iter_mut().for_each(|receiver| receiver.tell("recv"));
            sender.until("asking", 2);
            for (number, key) in [(0, 1), (1, 2)] {
                assert_eq!(sender.ask(&format!("send_keyed {key} {number}")), "sent", "{policy}");
                let taken = sender.ask(&format!("taken_by {number}"));
                let by = receivers.iter_mut().find(|receiver| receiver.pid() == taken);
                let by = by.expect("a receiver");
                assert_eq!(by.hear(), number.to_string(), "{policy}");
                by.tell("recv");
            }
        }
    });
}
