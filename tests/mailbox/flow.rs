//! What a puppet does with a mailbox as a stream of letters and a sink of them.

use crate::puppet::{done, number};
use farcall::mailbox::{Action, Error, Letter, Letters, Mailbox, Outgoing};
use futures_core::Stream;
use futures_sink::Sink;
use std::{
    future::poll_fn,
    pin::Pin,
    str::SplitWhitespace,
    task::{Context, Poll},
};
use tokio::runtime::Runtime;

/// The ends of a mailbox that a puppet has.
#[derive(Default)]
pub(crate) struct Flow {
    letters: Option<Letters<u32>>,
    sink: Option<Outgoing<u32>>,
    /// The letter that came last.
    letter: Option<Letter<u32>>,
}

impl Flow {
    /// Whether a command is one of these.
    pub(crate) fn knows(command: &str) -> bool {
        const COMMANDS: [&str; 11] = [
            "stream",
            "poll_next",
            "next",
            "ack_next",
            "unstream",
            "drain",
            "sink",
            "feed",
            "flush",
            "close_sink",
            "unsink",
        ];
        COMMANDS.contains(&command)
    }

    /// Does it.
    pub(crate) fn obey(
        &mut self,
        command: &str,
        mut words: SplitWhitespace<'_>,
        mailbox: &Mailbox<u32>,
        runtime: Option<&Runtime>,
    ) -> Result<String, Error> {
        match command {
            "stream" => self.letters = Some(mailbox.letters()),
            "poll_next" => return self.next(runtime, Wait::No),
            "next" => return self.next(runtime, Wait::Yes),
            "ack_next" => self.letter.take().expect("a letter came").ack(),
            "unstream" => self.letters = None,
            "drain" => return done(drain(mailbox.clone()), runtime),
            "sink" => self.sink = Some(mailbox.sink()),
            "feed" => {
                let value = number(words.next());
                self.sunk(runtime, |sink, cx| sink.poll_ready(cx))?;
                let sink = self.sink.as_mut().expect("it has a sink");
                Pin::new(sink).start_send(value)?;
            }
            "flush" => self.sunk(runtime, |sink, cx| sink.poll_flush(cx))?,
            "close_sink" => self.sunk(runtime, |sink, cx| sink.poll_close(cx))?,
            _ => self.sink = None,
        }
        Ok("ok".to_owned())
    }

    fn next(&mut self, runtime: Option<&Runtime>, wait: Wait) -> Result<String, Error> {
        let mut letters = self.letters.take().expect("it has a stream");
        let next = Action::new(async move {
            let next = poll_fn(|cx| match (Pin::new(&mut letters).poll_next(cx), wait) {
                (Poll::Pending, Wait::No) => Poll::Ready(None),
                (next, _) => next.map(Some),
            });
            Ok((next.await, letters))
        });
        let (next, letters) = done(next, runtime)?;
        self.letters = Some(letters);
        Ok(match next {
            None => "pending".to_owned(),
            Some(None) => "end".to_owned(),
            Some(Some(letter)) => self.letter.insert(letter?).to_string(),
        })
    }

    /// Polls the sink until it is done.
    fn sunk(&mut self, runtime: Option<&Runtime>, poll: PollSink) -> Result<(), Error> {
        let mut sink = self.sink.take().expect("it has a sink");
        let polled = Action::new(async move {
            let sunk = poll_fn(|cx| poll(Pin::new(&mut sink), cx)).await;
            Ok((sunk, sink))
        });
        let (sunk, sink) = done(polled, runtime)?;
        self.sink = Some(sink);
        sunk
    }
}

type PollSink = fn(Pin<&mut Outgoing<u32>>, &mut Context<'_>) -> Poll<Result<(), Error>>;

#[derive(Clone, Copy)]
enum Wait {
    Yes,
    No,
}

/// Takes and acks letters until there will be none any more: all of them.
fn drain(mailbox: Mailbox<u32>) -> Action<String> {
    Action::new(async move {
        let mut came = Vec::new();
        while let Some(letter) = mailbox.next().await {
            let letter = letter?;
            came.push(letter.to_string());
            letter.ack();
        }
        Ok(came.join(" "))
    })
}
