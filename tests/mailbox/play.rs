//! What a process does from its beginning to its end, or until it is killed: each thing is noted before it is done, and after it.

use crate::{
    kept::Paper,
    mortal::{Step, step},
    puppet::{answer, done},
};
use farcall::{
    Remote, Running, Server,
    mailbox::{Action, Capacity, Error, Letter, Mailbox, Receipt, Terms},
};
use farcall_mailbox::{Host, Post};
use futures_core::Stream;
use std::{fmt::Display, future::poll_fn, path::PathBuf, pin::Pin, str::SplitWhitespace};
use tokio::runtime::Runtime;

/// Letters that a mailbox has room for whose producer or host is killed.
pub(crate) const ROOM: usize = 4;
/// What a note begins with.
pub(crate) const NOTE: &str = "note: ";

/// What a puppet plays.
#[derive(Default)]
pub(crate) struct Play {
    /// The mailbox that it hosts, on paper.
    host: Option<Running>,
}

/// What it says of what it does: a step.
fn note(what: impl Display) {
    answer(format_args!("{NOTE}{what}"));
    step(Step::Noting);
}

impl Play {
    /// Whether a command is one of these.
    pub(crate) fn knows(command: &str) -> bool {
        ["keep", "produce", "consume", "use"].contains(&command)
    }

    /// Does it.
    pub(crate) fn obey(
        &mut self,
        command: &str,
        mut words: SplitWhitespace<'_>,
        runtime: Option<&Runtime>,
    ) -> Result<String, Error> {
        let address = words.next().unwrap_or_default();
        if command == "keep" {
            let path = PathBuf::from(words.next().unwrap_or_default());
            self.host = Some(done(keep(address.to_owned(), path), runtime)?);
            return Ok("ok".to_owned());
        }
        let first = words.next().map_or(0, |word| word.parse().expect("a number"));
        note("attaches");
        let player = Player { mailbox: attach(address, runtime)?, runtime };
        note("attached");
        match command {
            "produce" => player.produce(first)?,
            "consume" => player.consume()?,
            _ => player.use_all(first)?,
        }
        note("done");
        Ok("ok".to_owned())
    }
}

/// Hosts a mailbox whose letters are kept.
fn keep(address: String, path: PathBuf) -> Action<Running> {
    Action::new(async move {
        let paper = Paper::open(path).expect("it is a file of ours");
        let (terms, contents) = (Terms::of(Capacity::Bounded(ROOM as u64)), paper.contents());
        let host = Host::kept(terms, contents, Box::new(paper)).await?;
        let server = Server::new().export("box", Remote::<dyn Post>::new(host));
        let place = address.trim_end_matches("#box");
        Ok(server.listen(place).start().await?)
    })
}

/// Attaches, as soon as one of two who have the mailbox is known to be dead.
fn attach(address: &str, runtime: Option<&Runtime>) -> Result<Mailbox<u32>, Error> {
    loop {
        match done(Mailbox::attach(address), runtime) {
            Err(Error::MailboxBusy { .. }) => {}
            attached => return attached,
        }
    }
}

struct Player<'a> {
    mailbox: Mailbox<u32>,
    runtime: Option<&'a Runtime>,
}

impl Player<'_> {
    fn done<T: Send + 'static>(&self, action: Action<T>) -> Result<T, Error> {
        done(action, self.runtime)
    }

    /// Sends letters from a number on: one, and more than the mailbox has room for at once.
    fn produce(&self, first: u32) -> Result<(), Error> {
        let receipt = self.sends(first)?;
        self.done(receipt.taken_by())?;
        note(format_args!("hears of {first}"));
        self.done(receipt.acked_by())?;
        note(format_args!("hears of {first}"));
        self.sends_all(first + 1, ROOM + 2)
    }

    /// Takes letters in each way, and does with them what one can.
    fn consume(&self) -> Result<(), Error> {
        self.takes_and_lets_go()?;
        let mut letters = self.mailbox.letters();
        for _ in 0..2 {
            let next = Action::new(async move {
                let next = poll_fn(|cx| Pin::new(&mut letters).poll_next(cx)).await;
                Ok((next.expect("the mailbox lives")?, letters))
            });
            note("asks");
            let (letter, stream) = self.done(next)?;
            letters = stream;
            note(format_args!("took {}", *letter));
            self.acks(letter)?;
        }
        note("drops what it has not read");
        drop(letters);
        self.takes_for_good()
    }

    /// Sends letters, and takes them.
    fn use_all(&self, first: u32) -> Result<(), Error> {
        self.sends(first)?;
        self.sends_all(first + 1, 2)?;
        self.takes_and_lets_go()?;
        self.takes_for_good()?;
        self.sends(first + 3).map(drop)
    }

    fn sends(&self, letter: u32) -> Result<Receipt, Error> {
        note(format_args!("tries {letter}"));
        let receipt = self.done(self.mailbox.send(&letter))?;
        note(format_args!("sent {letter}"));
        Ok(receipt)
    }

    fn sends_all(&self, first: u32, count: usize) -> Result<(), Error> {
        let letters: Vec<_> = (first..).take(count).collect();
        let listed = letters.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        note(format_args!("tries {listed}"));
        self.done(self.mailbox.send_all(&letters))?;
        note(format_args!("sent {listed}"));
        Ok(())
    }

    /// One is acked, one is acked without waiting, and one goes back.
    fn takes_and_lets_go(&self) -> Result<(), Error> {
        let letter = self.takes()?;
        self.acks(letter)?;
        let letter = self.takes()?;
        note(format_args!("acks {}", *letter));
        letter.ack();
        let letter = self.takes()?;
        note(format_args!("drops {}", *letter));
        drop(letter);
        Ok(())
    }

    fn takes(&self) -> Result<Letter<u32>, Error> {
        note("asks");
        let letter = self.done(self.mailbox.recv())?;
        note(format_args!("took {}", *letter));
        Ok(letter)
    }

    fn acks(&self, letter: Letter<u32>) -> Result<(), Error> {
        note(format_args!("acks {}", *letter));
        let value = self.done(letter.acked())?;
        note(format_args!("acked {value}"));
        Ok(())
    }

    fn takes_for_good(&self) -> Result<(), Error> {
        note("takes");
        let value = self.done(self.mailbox.recv_now())?;
        note(format_args!("acked {value}"));
        Ok(())
    }
}
