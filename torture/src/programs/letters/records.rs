//! What the processes of a round have noted, letter by letter.

use super::item::Name;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;

/// Everything that was noted in a round.
#[derive(Default, Debug)]
pub(super) struct Records {
    pub(super) letters: BTreeMap<Name, Letter>,
    /// Letters that were in nobody's hands before, in the order in which they came: of each consumer's lane, those of each producer's.
    pub(super) order: BTreeMap<[u32; 4], Vec<u64>>,
    /// Letters that consumers may have had when they gave up a receive or dropped a stream.
    pub(super) left: usize,
    /// Streams that were dropped.
    pub(super) dropped_streams: u64,
    /// Those who were told that the mailbox is closed, and by which process that was done.
    pub(super) closed: Vec<(String, u32)>,
    /// How often somebody was told that the mailbox is gone.
    pub(super) gone: usize,
    /// What is no good, whatever else happened.
    pub(super) wrong: Vec<String>,
}

/// What is known of a letter.
#[derive(Default, Debug)]
pub(super) struct Letter {
    pub(super) sent: Sent,
    pub(super) takes: Vec<Take>,
    pub(super) told: Option<Told>,
    /// How often it was among the dead letters.
    pub(super) dead: usize,
    pub(super) calls: Calls,
}

/// Calls of its producer by those who had a letter.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Calls {
    pub(super) begun: usize,
    /// By the producer.
    pub(super) heard: usize,
    pub(super) answered: usize,
    /// The producer is dead, as its consumer was told.
    pub(super) gone: usize,
}

/// What its producer knows of a letter.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Sent {
    #[default]
    Never,
    /// It was about to be sent.
    Tried,
    Accepted,
    /// It was accepted, and nobody is told what becomes of it.
    Sunk,
    Refused,
    /// The producer gave it up, or the mailbox was gone.
    Unknown,
}

/// A letter in the hands of a consumer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Take {
    /// The how many-th time it was.
    pub(super) delivery: u32,
    pub(super) by: usize,
    /// Who had sent it, by what the letter says.
    pub(super) sender: u32,
    /// It came from a stream.
    pub(super) streamed: bool,
    pub(super) end: End,
}

/// What a consumer has done with a letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Held,
    /// It said that it is done with it, and may not have been heard.
    Acks,
    Acked,
    Back,
}

/// What its producer was told of a letter in the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Acked(u32),
    Returned(u32),
    /// After so many deliveries.
    GivenUp(u32, u32),
    Closed(u32),
    Gone,
}

impl Records {
    /// Takes in what a producer has noted.
    pub(super) fn read_producer(&mut self, number: usize, journal: &str) -> Result<()> {
        for line in journal.lines() {
            self.of_producer(number, line).with_context(|| format!("producer {number}: {line}"))?;
        }
        Ok(())
    }

    /// Takes in what a consumer has noted.
    pub(super) fn read_consumer(&mut self, number: usize, journal: &str) -> Result<()> {
        for line in journal.lines() {
            self.of_consumer(number, line).with_context(|| format!("consumer {number}: {line}"))?;
        }
        Ok(())
    }

    /// A letter was among the dead letters.
    pub(super) fn read_dead(&mut self, name: Name) {
        self.letters.entry(name).or_default().dead += 1;
    }

    fn of_producer(&mut self, number: usize, line: &str) -> Result<()> {
        let words: Vec<_> = line.split(' ').collect();
        let (name, sent) = match words[..] {
            ["tries", name] => (name, Sent::Tried),
            ["sent", name] => (name, Sent::Accepted),
            ["sunk", name] => (name, Sent::Sunk),
            ["refused", name, _] => (name, Sent::Refused),
            ["gave-up", name] => (name, Sent::Unknown),
            ["closed", by, name] => {
                self.closed.push((format!("producer {number}"), by.parse()?));
                (name, Sent::Refused)
            }
            ["gone", name] => {
                self.gone += 1;
                (name, Sent::Unknown)
            }
            ["told", name, how, ref more @ ..] => {
                let told = self.told(number, how, more)?;
                let letter = self.letters.entry(name.parse()?).or_default();
                if letter.told.replace(told).is_some() {
                    bail!("told twice");
                }
                return Ok(());
            }
            ["heard", name] => {
                self.letters.entry(name.parse()?).or_default().calls.heard += 1;
                return Ok(());
            }
            ["ended", "closed", by] => {
                self.closed.push((format!("producer {number}"), by.parse()?));
                return Ok(());
            }
            ["ended", "gone"] => {
                self.gone += 1;
                return Ok(());
            }
            ["wrong", ..] => {
                self.wrong.push(format!("producer {number}: {line}"));
                return Ok(());
            }
            _ => bail!("it means nothing"),
        };
        let letter = self.letters.entry(name.parse()?).or_default();
        let was = if sent == Sent::Tried { Sent::Never } else { Sent::Tried };
        if letter.sent != was {
            bail!("it was {:?} before", letter.sent);
        }
        letter.sent = sent;
        Ok(())
    }

    fn told(&mut self, number: usize, how: &str, more: &[&str]) -> Result<Told> {
        Ok(match (how, more) {
            ("acked", [by]) => Told::Acked(by.parse()?),
            ("returned", [by]) => Told::Returned(by.parse()?),
            ("given-up", [by, deliveries]) => Told::GivenUp(by.parse()?, deliveries.parse()?),
            ("closed", [by]) => {
                self.closed.push((format!("producer {number}"), by.parse()?));
                Told::Closed(by.parse()?)
            }
            ("gone", []) => {
                self.gone += 1;
                Told::Gone
            }
            _ => bail!("it means nothing"),
        })
    }

    fn of_consumer(&mut self, number: usize, line: &str) -> Result<()> {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["took", name, delivery, lane, sender, ref how @ ..] => {
                let (name, delivery): (Name, _) = (name.parse()?, delivery.parse()?);
                if delivery == 1 && !how.contains(&"again") {
                    let way = [u32::try_from(number)?, lane.parse()?, name.producer, name.lane];
                    self.order.entry(way).or_default().push(name.number);
                }
                let (sender, streamed) = (sender.parse()?, how.contains(&"stream"));
                let take = Take { delivery, by: number, sender, streamed, end: End::Held };
                self.letters.entry(name).or_default().takes.push(take);
            }
            ["acks", name, delivery] => self.end(number, name, delivery, End::Acks)?,
            ["acked", name, delivery] => self.end(number, name, delivery, End::Acked)?,
            ["back", name, delivery] => self.end(number, name, delivery, End::Back)?,
            ["left", _] => self.left += 1,
            ["left", _, portion] => {
                self.left += portion.parse::<usize>()?;
                self.dropped_streams += 1;
            }
            ["calls", name] => self.calls(name)?.begun += 1,
            ["called", name, "heard"] => self.calls(name)?.answered += 1,
            ["called", name, "gone"] => self.calls(name)?.gone += 1,
            ["closed", by, ..] => {
                self.closed.push((format!("consumer {number}"), by.parse()?));
            }
            ["gone", ..] => self.gone += 1,
            ["wrong", ..] => self.wrong.push(format!("consumer {number}: {line}")),
            _ => bail!("it means nothing"),
        }
        Ok(())
    }

    fn calls(&mut self, name: &str) -> Result<&mut Calls> {
        Ok(&mut self.letters.entry(name.parse()?).or_default().calls)
    }

    fn end(&mut self, by: usize, name: &str, delivery: &str, end: End) -> Result<()> {
        let delivery: u32 = delivery.parse()?;
        let letter = self.letters.get_mut(&name.parse()?);
        let mut takes = letter.into_iter().flat_map(|letter| &mut letter.takes);
        let take = takes.find(|take| (take.by, take.delivery) == (by, delivery));
        let take = take.context("it did not take that letter")?;
        let was = if end == End::Acked { End::Acks } else { End::Held };
        if take.end != was {
            bail!("it was {:?} before", take.end);
        }
        take.end = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journals_are_read_letter_by_letter() {
        let mut records = Records::default();
        let producer = "tries 0.0.1\nsent 0.0.1\ntries 0.0.2\nrefused 0.0.2 full\ntries 0.0.3\n\
            gave-up 0.0.3\ntold 0.0.1 acked 7\ntries 0.0.4\nclosed 9 0.0.4\ntries 0.0.5\ngone 0.0.5\ntries 0.0.6\n\
            tries 0.0.7\nsunk 0.0.7\nheard 0.0.1\nended closed 9\nended gone";
        records.read_producer(0, producer).expect("it means something");
        let first =
            "took 0.0.1 1 0 5\nback 0.0.1 1\nleft 0\nleft 1 4\nclosed 9 lane 1\ngone lane 0";
        records.read_consumer(0, first).expect("it means something");
        let second = "took 0.0.1 2 1 5 stream\ncalls 0.0.1\ncalled 0.0.1 heard\ncalls 0.0.1\ncalled 0.0.1 gone\nacks 0.0.1 2\nacked 0.0.1 2\nwrong bytes of 0.0.1\n\
            took 0.0.2 1 1 5 again stream";
        records.read_consumer(1, second).expect("it means something");
        let sent: Vec<_> = records.letters.values().map(|letter| letter.sent).collect();
        let want = [
            Sent::Accepted,
            Sent::Refused,
            Sent::Unknown,
            Sent::Refused,
            Sent::Unknown,
            Sent::Tried,
            Sent::Sunk,
        ];
        assert_eq!(sent, want);
        let (_, letter) = records.letters.first_key_value().expect("there are letters");
        assert_eq!(letter.told, Some(Told::Acked(7)));
        let takes = [
            Take { delivery: 1, by: 0, sender: 5, streamed: false, end: End::Back },
            Take { delivery: 2, by: 1, sender: 5, streamed: true, end: End::Acked },
        ];
        assert_eq!(letter.takes, takes);
        assert_eq!(letter.calls, Calls { begun: 2, heard: 1, answered: 1, gone: 1 });
        assert_eq!(records.order, BTreeMap::from([([0, 0, 0, 0], vec![1])]));
        assert_eq!((records.left, records.dropped_streams, records.gone), (5, 1, 3));
        let closed = ["producer 0", "producer 0", "consumer 0"].map(|who| (who.to_owned(), 9));
        assert_eq!(records.closed, closed);
        assert_eq!(records.wrong, ["consumer 1: wrong bytes of 0.0.1"]);
    }

    #[test]
    fn what_cannot_be_so_is_refused() {
        for journal in [
            "sent 0.0.1",
            "tries 0.0.1\ntries 0.0.1",
            "tries 0.0.1\nsent 0.0.1\nrefused 0.0.1 full",
            "told 0.0.1 acked 7\ntold 0.0.1 acked 7",
            "told 0.0.1 acked",
            "tries",
            "tries x",
            "nonsense",
        ] {
            assert!(Records::default().read_producer(0, journal).is_err(), "{journal}");
        }
        for journal in [
            "acks 0.0.1 1",
            "took 0.0.1 1 0 5\nacks 0.0.1 2",
            "took 0.0.1 1 0 5\nacked 0.0.1 1",
            "took 0.0.1 1 0 5\nback 0.0.1 1\nacks 0.0.1 1",
            "took 0.0.1 x 0 5",
            "nonsense",
        ] {
            assert!(Records::default().read_consumer(0, journal).is_err(), "{journal}");
        }
    }
}
