//! Letters that enclose payloads and handles on objects: what a puppet does with them, and the tests.

use crate::{
    puppet::{done, number},
    stage::{Puppet, Stage, everywhere, over_shm},
};
use farcall::{
    Payload, Remote,
    mailbox::{Capacity, Error, Letter, Mailbox},
    remote,
};
use futures_sink::Sink;
use serde::{Deserialize, Serialize};
use std::{
    future::poll_fn,
    pin::Pin,
    str::SplitWhitespace,
    sync::{Arc, Mutex},
};
use tokio::runtime::Runtime;

/// Whoever has sent a letter, and wants to hear of it.
#[remote]
trait Reply {
    async fn say(&self, text: &str) -> Result<(), farcall::Error>;
}

#[derive(Serialize, Deserialize)]
struct Order {
    number: u32,
    /// So many bytes of that number.
    bytes: Payload,
    reply: Remote<dyn Reply>,
}

/// What was said to this process.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Reply for Heard {
    async fn say(&self, text: &str) -> Result<(), farcall::Error> {
        self.0.lock().expect("nobody panics").push(text.to_owned());
        Ok(())
    }
}

/// A mailbox of orders.
#[derive(Default)]
pub(crate) struct Enclosing {
    mailbox: Option<Mailbox<Order>>,
    letter: Option<Letter<Order>>,
    heard: Arc<Heard>,
}

impl Enclosing {
    /// Whether a command is one of these.
    pub(crate) fn knows(command: &str) -> bool {
        command.ends_with("order") || command.ends_with("orders")
    }

    /// Does it.
    pub(crate) fn obey(
        &mut self,
        command: &str,
        mut words: SplitWhitespace<'_>,
        runtime: Option<&Runtime>,
    ) -> Result<String, Error> {
        match command {
            "host_orders" => {
                let hosting = Mailbox::host(words.next().unwrap_or_default());
                let opened = done(hosting.capacity(Capacity::Bounded(8)).open(), runtime)?;
                let address = opened.address().to_owned();
                self.mailbox = Some(opened);
                return Ok(address);
            }
            "attach_orders" => {
                let attached = Mailbox::attach(words.next().unwrap_or_default());
                self.mailbox = Some(done(attached, runtime)?);
            }
            "send_order" => {
                let order = self.order(number(words.next()), number(words.next()));
                done(self.mailbox().send(&order), runtime)?;
            }
            "feed_orders" => {
                let orders: Vec<_> = words.map(|word| self.order(number(Some(word)), 70)).collect();
                let mut sink = self.mailbox().sink();
                let fed = farcall::mailbox::Action::new(async move {
                    for order in orders {
                        poll_fn(|cx| Pin::new(&mut sink).poll_ready(cx)).await?;
                        Pin::new(&mut sink).start_send(order)?;
                    }
                    poll_fn(|cx| Pin::new(&mut sink).poll_flush(cx)).await
                });
                done(fed, runtime)?;
            }
            "take_order" => {
                let letter = done(self.mailbox().recv(), runtime)?;
                let bytes = letter.bytes.to_vec();
                let is_whole = bytes.iter().all(|byte| u32::from(*byte) == letter.number);
                assert!(is_whole, "the payload of {} is another", letter.number);
                let answer = format!("{} with {}", letter.number, bytes.len());
                self.letter = Some(letter);
                return Ok(answer);
            }
            "reply_to_order" => {
                let letter = self.letter.take().expect("it has one");
                let said = letter.reply.say(&format!("{} is done", letter.number)).wait();
                letter.ack();
                return Ok(
                    said.map_or_else(|error| format!("{:?}", error.kind()), |()| "ok".into())
                );
            }
            "place_of_order" => {
                let letter = self.letter.as_ref().expect("it has one");
                let shared = letter.bytes.block().is_some_and(|block| block.is_borrowed());
                return Ok(if shared { "with the host" } else { "here" }.to_owned());
            }
            "heard_of_orders" => return Ok(self.heard.0.lock().expect("nobody panics").join(", ")),
            _ => panic!("`{command}` is no command"),
        }
        Ok("ok".to_owned())
    }

    fn mailbox(&self) -> &Mailbox<Order> {
        self.mailbox.as_ref().expect("it has a mailbox")
    }

    fn order(&self, number: u32, length: u32) -> Order {
        let bytes = vec![number as u8; length as usize].into();
        Order { number, bytes, reply: Remote::from_arc(Arc::clone(&self.heard)) }
    }
}

fn orders(stage: &Stage) -> (Puppet, String) {
    stage.hosted("host_orders", "")
}

#[test]
fn an_object_is_called_through_a_letter() {
    everywhere(|stage| {
        let (_host, address) = orders(stage);
        let mut sender = stage.puppet();
        let mut receiver = stage.puppet();
        assert_eq!(sender.ask(&format!("attach_orders {address}")), "ok");
        assert_eq!(receiver.ask(&format!("attach_orders {address}")), "ok");
        for (number, length) in [(1, 0), (2, 1), (3, 5000), (4, 40_000), (5, 300_000)] {
            assert_eq!(sender.ask(&format!("send_order {number} {length}")), "ok");
        }
        for (number, length) in [(1, 0), (2, 1), (3, 5000), (4, 40_000), (5, 300_000)] {
            assert_eq!(receiver.ask("take_order"), format!("{number} with {length}"));
            assert_eq!(receiver.ask("reply_to_order"), "ok");
        }
        let heard = sender.ask("heard_of_orders");
        assert_eq!(heard, "1 is done, 2 is done, 3 is done, 4 is done, 5 is done");
    });
}

#[test]
fn the_host_takes_part_in_letters_that_enclose() {
    everywhere(|stage| {
        let (mut host, address) = orders(stage);
        let mut other = stage.puppet();
        assert_eq!(other.ask(&format!("attach_orders {address}")), "ok");
        assert_eq!(other.ask("send_order 7 20000"), "ok");
        assert_eq!(host.ask("take_order"), "7 with 20000");
        assert_eq!(host.ask("reply_to_order"), "ok");
        assert_eq!(other.ask("heard_of_orders"), "7 is done");
        assert_eq!(host.ask("feed_orders 1 2 3"), "ok");
        for number in 1..=3 {
            assert_eq!(other.ask("take_order"), format!("{number} with 70"));
            assert_eq!(other.ask("reply_to_order"), "ok");
        }
        assert_eq!(host.ask("heard_of_orders"), "1 is done, 2 is done, 3 is done");
    });
}

#[test]
fn payloads_outlive_their_sender_and_handles_say_that_it_is_gone() {
    everywhere(|stage| {
        let (_host, address) = orders(stage);
        let (mut sender, mut receiver) = (stage.puppet(), stage.puppet());
        assert_eq!(sender.ask(&format!("attach_orders {address}")), "ok");
        assert_eq!(sender.ask("send_order 9 200000"), "ok");
        sender.kill();
        assert_eq!(receiver.ask(&format!("attach_orders {address}")), "ok");
        assert_eq!(receiver.ask("take_order"), "9 with 200000");
        // Whether the host has heard of it already or not.
        let said = receiver.ask("reply_to_order");
        assert!(matches!(&*said, "Broken" | "Disconnected"), "{said}");
    });
}

#[test]
fn a_letter_that_is_delivered_again_encloses_the_same() {
    everywhere(|stage| {
        let (_host, address) = orders(stage);
        let (mut sender, mut first, mut second) = (stage.puppet(), stage.puppet(), stage.puppet());
        for process in [&mut sender, &mut first, &mut second] {
            assert_eq!(process.ask(&format!("attach_orders {address}")), "ok");
        }
        assert_eq!(sender.ask("send_order 4 100000"), "ok");
        assert_eq!(first.ask("take_order"), "4 with 100000");
        first.kill();
        assert_eq!(second.ask("take_order"), "4 with 100000");
        assert_eq!(second.ask("reply_to_order"), "ok");
        assert_eq!(sender.ask("heard_of_orders"), "4 is done");
    });
}

/// Longer than a frame: they go through shared memory, or not at all.
const VAST: u32 = 20_000_000;

#[test]
#[cfg(target_os = "linux")]
fn letters_that_wait_take_no_memory_of_their_sender() {
    over_shm(|stage| {
        let (mut host, address) = orders(stage);
        let mut sender = stage.puppet();
        assert_eq!(sender.ask(&format!("attach_orders {address}")), "ok");
        // Together they are longer than the memory that it shares with the host.
        let numbers = 1..=5;
        for number in numbers.clone() {
            assert_eq!(sender.ask(&format!("send_order {number} {VAST}")), "ok");
        }
        for number in numbers {
            assert_eq!(host.ask("take_order"), format!("{number} with {VAST}"));
            assert_eq!(host.ask("reply_to_order"), "ok");
        }
    });
}

#[test]
#[cfg(target_os = "linux")]
fn payloads_are_read_where_the_host_has_them() {
    over_shm(|stage| {
        let (mut host, address) = orders(stage);
        let mut receiver = stage.puppet();
        assert_eq!(receiver.ask(&format!("attach_orders {address}")), "ok");
        assert_eq!(host.ask("send_order 7 300000"), "ok");
        assert_eq!(receiver.ask("take_order"), "7 with 300000");
        assert_eq!(receiver.ask("place_of_order"), "with the host");
        // Also when it is gone.
        host.kill();
        assert_eq!(receiver.ask("place_of_order"), "with the host");
    });
}
