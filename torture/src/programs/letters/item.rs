//! A letter of the program: which one it is, bytes that follow from that, in the letter and beside it, and what leads back to its producer.

use super::reply::Reply;
use farcall::{Payload, Remote, mailbox::Mailbox};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The mailbox of a round.
pub(super) type Box = Mailbox<Item>;

/// Bytes of a letter now and then, or of what it encloses: more than a ring or a socket holds at once.
const VAST: usize = 300 << 10;
/// One letter in so many is as large as that.
const VAST_ONE_IN: u64 = 61;
/// One letter in so many encloses something.
const ENCLOSES_ONE_IN: u64 = 5;

/// Which letter: by whom, in which of its lanes, and the how many-th of those.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub(super) struct Name {
    pub(super) producer: u32,
    pub(super) lane: u32,
    pub(super) number: u64,
}

/// A letter.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) name: Name,
    body: Vec<u8>,
    payload: Option<Payload>,
    pub(super) reply: Option<Remote<dyn Reply>>,
}

impl Name {
    /// Whether every consumer drops it without an ack, where it may.
    pub(super) fn is_poison(self) -> bool {
        self.number % 19 == 7
    }

    fn encloses(self) -> bool {
        self.seed().is_multiple_of(ENCLOSES_ONE_IN)
    }

    fn seed(self) -> u64 {
        (u64::from(self.producer) << 40) + (u64::from(self.lane) << 32) + self.number
    }
}

impl Item {
    /// A letter, and how its producer can be reached, which some of them enclose.
    pub(super) fn new(name: Name, reply: Option<Remote<dyn Reply>>) -> Self {
        let encloses = name.encloses();
        let payload = encloses.then(|| enclosed(name).into());
        Self { name, body: body(name), payload, reply: reply.filter(|_| encloses) }
    }

    /// Whether its bytes are those that it was sent with, and those beside it.
    pub(super) fn is_intact(&self) -> bool {
        let beside = self.payload.as_ref().map(Payload::to_vec);
        self.body == body(self.name) && beside == self.name.encloses().then(|| enclosed(self.name))
    }

    /// Whether a sink keeps it until it is flushed.
    pub(super) fn is_small(&self) -> bool {
        self.payload.is_none() && self.body.len() < VAST
    }
}

fn body(name: Name) -> Vec<u8> {
    let seed = name.seed();
    let length = if seed % VAST_ONE_IN == 5 { VAST } else { (seed % 200) as usize };
    bytes(length, seed)
}

fn enclosed(name: Name) -> Vec<u8> {
    let seed = name.seed();
    let length = if seed % VAST_ONE_IN == 6 { VAST } else { (seed * 977 % 20_000) as usize };
    bytes(length, !seed)
}

fn bytes(length: usize, seed: u64) -> Vec<u8> {
    (0..length).map(|at| (at as u64 ^ seed) as u8).collect()
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.producer, self.lane, self.number)
    }
}

impl FromStr for Name {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let words: Vec<_> = text.split('.').collect();
        match words[..] {
            [producer, lane, number] => Ok(Self {
                producer: producer.parse()?,
                lane: lane.parse()?,
                number: number.parse()?,
            }),
            _ => anyhow::bail!("`{text}` is no letter"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let name = Name { producer: 3, lane: 1, number: 45 };
        assert_eq!(name.to_string(), "3.1.45");
        assert_eq!("3.1.45".parse::<Name>().ok(), Some(name));
        for text in ["", "3.1", "3.1.45.2", "3.x.4", "-1.0.0"] {
            assert!(text.parse::<Name>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_letter_with_other_bytes_is_noticed() {
        let new = |number| Item::new(Name { producer: 1, lane: 0, number }, None);
        let mut item = new(46);
        assert!(item.is_intact() && item.body.len() > 2);
        item.body[2] ^= 1;
        assert!(!item.is_intact());
        let mut item = new(46);
        item.name.number = 47;
        assert!(!item.is_intact());
        let encloses = (0..ENCLOSES_ONE_IN).map(new).find(|item| item.payload.is_some());
        let mut item = encloses.expect("one of them does");
        assert!(item.is_intact() && !item.is_small());
        let mut others = item.payload.as_ref().map(Payload::to_vec).expect("it has some");
        others[0] ^= 1;
        for payload in [Some(others.into()), None] {
            item.payload = payload;
            assert!(!item.is_intact());
        }
    }
}
