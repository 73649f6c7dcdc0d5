//! A letter of the program: which one it is, and bytes that follow from that.

use farcall::mailbox::Mailbox;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The mailbox of a round.
pub(super) type Box = Mailbox<Item>;

/// Bytes of a letter now and then: more than a ring or a socket holds at once.
const VAST: usize = 300 << 10;
/// One letter in so many is as large as that.
const VAST_ONE_IN: u64 = 61;

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
}

impl Name {
    /// Whether every consumer drops it without an ack, where it may.
    pub(super) fn is_poison(self) -> bool {
        self.number % 19 == 7
    }

    fn seed(self) -> u64 {
        (u64::from(self.producer) << 40) + (u64::from(self.lane) << 32) + self.number
    }
}

impl Item {
    pub(super) fn new(name: Name) -> Self {
        Self { name, body: body(name) }
    }

    /// Whether its bytes are those that it was sent with.
    pub(super) fn is_intact(&self) -> bool {
        self.body == body(self.name)
    }
}

fn body(name: Name) -> Vec<u8> {
    let seed = name.seed();
    let length = if seed % VAST_ONE_IN == 5 { VAST } else { (seed % 200) as usize };
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
        let mut item = Item::new(Name { producer: 1, lane: 0, number: 46 });
        assert!(item.is_intact() && item.body.len() > 2);
        item.body[2] ^= 1;
        assert!(!item.is_intact());
        let mut item = Item::new(Name { producer: 1, lane: 0, number: 46 });
        item.name.number = 47;
        assert!(!item.is_intact());
    }
}
