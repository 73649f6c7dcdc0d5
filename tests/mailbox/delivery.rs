//! Who gets a message of a mailbox that several share: one test for each policy.

use crate::puppet::{Puppet, everywhere};
use std::collections::HashSet;

#[test]
fn pair_refuses_the_third_process() {
    everywhere(|stage| {
        let (_host, address) = stage.host("pair");
        let (first, mut second) = (stage.attached(&address), stage.attached(&address));
        let mut third = stage.puppet();
        let attach = format!("attach {address}");
        let busy = format!("MailboxBusy {} {}", first.pid(), second.pid());
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
        let (_host, address) = stage.host("zero");
        let (mut first, mut second) = (stage.attached(&address), stage.attached(&address));
        let mut sender = stage.attached(&address);
        first.tell("recv");
        // Once the first is served, the second asks, and then the first again.
        assert_eq!(sender.ask("send 1"), "sent");
        assert_eq!(first.hear(), "1");
        second.tell("recv");
        assert_eq!(sender.ask("send 2"), "sent");
        assert_eq!(second.hear(), "2");
        assert_eq!(sender.ask("taken_by"), first.pid());
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
        let (mut busy, mut idle) = (stage.attached(&address), stage.attached(&address));
        for letter in 1..=2 {
            assert_eq!(host.ask(&format!("send {letter}")), "sent");
            assert_eq!(busy.ask("recv"), letter.to_string());
        }
        // The busy one asks first, and the idle one is served, however the two calls arrive.
        busy.tell("recv");
        idle.tell("recv");
        let mut asked = stage.attached(&address);
        asked.until("held", 2);
        assert_eq!(host.ask("send 3"), "sent");
        assert_eq!(host.ask("send 4"), "sent");
        let heard = HashSet::from([busy.hear(), idle.hear()]);
        assert_eq!(heard, HashSet::from(["3".to_owned(), "4".to_owned()]));
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
