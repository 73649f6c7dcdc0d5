//! What a puppet does with a mailbox as a stream of letters or of values, and as a sink.

use crate::puppet::{done, number};
use farcall::mailbox::{Action, Error, Letter, Letters, Mailbox, Outgoing, Values};
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
    values: Option<Values<u32>>,
    sink: Option<Outgoing<u32>>,
    /// The letter that came last.
    letter: Option<Letter<u32>>,
}

impl Flow {
    /// Whether a command is one of these.
    pub(crate) fn knows(command: &str) -> bool {
        const COMMANDS: [&str; 16] = [
            "stream",
            "poll_next",
            "next",
            "ack_next",
            "drop_next",
            "unstream",
            "values",
            "next_value",
            "unvalues",
            "drain",
            "sink",
            "feed",
            "poll_flush",
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
        words: SplitWhitespace<'_>,
        mailbox: &Mailbox<u32>,
        runtime: Option<&Runtime>,
    ) -> Result<String, Error> {
        match command {
            "stream" => self.letters = Some(mailbox.letters()),
            "poll_next" => return self.next(runtime, Wait::No),
            "next" => return self.next(runtime, Wait::Yes),
            "ack_next" => self.letter.take().expect("a letter came").ack(),
            "drop_next" => self.letter = None,
            "unstream" => self.letters = None,
            "values" => self.values = Some(mailbox.values()),
            "next_value" => {
                let next = polled(&mut self.values, runtime, Wait::Yes, Stream::poll_next)?;
                let value = next.flatten().transpose()?;
                return Ok(value.map_or("end".to_owned(), |value| value.to_string()));
            }
            "unvalues" => self.values = None,
            "drain" => return done(drain(mailbox.clone()), runtime),
            "sink" => self.sink = Some(mailbox.sink()),
            "feed" => {
                for word in words {
                    polled(&mut self.sink, runtime, Wait::Yes, Sink::poll_ready)?.transpose()?;
                    let sink = self.sink.as_mut().expect("it has a sink");
                    Pin::new(sink).start_send(number(Some(word)))?;
                }
            }
            "poll_flush" => return self.sunk(runtime, Wait::No, Sink::poll_flush),
            "flush" => return self.sunk(runtime, Wait::Yes, Sink::poll_flush),
            "close_sink" => return self.sunk(runtime, Wait::Yes, Sink::poll_close),
            _ => self.sink = None,
        }
        Ok("ok".to_owned())
    }

    fn next(&mut self, runtime: Option<&Runtime>, wait: Wait) -> Result<String, Error> {
        Ok(match polled(&mut self.letters, runtime, wait, Stream::poll_next)? {
            None => "pending".to_owned(),
            Some(None) => "end".to_owned(),
            Some(Some(letter)) => self.letter.insert(letter?).to_string(),
        })
    }

    /// Polls the sink until it is done, or once.
    fn sunk(
        &mut self,
        runtime: Option<&Runtime>,
        wait: Wait,
        poll: PollFn<Outgoing<u32>, Result<(), Error>>,
    ) -> Result<String, Error> {
        let sunk = polled(&mut self.sink, runtime, wait, poll)?.transpose()?;
        Ok(sunk.map_or("pending", |()| "ok").to_owned())
    }
}

type PollFn<P, T> = fn(Pin<&mut P>, &mut Context<'_>) -> Poll<T>;

#[derive(Clone, Copy)]
enum Wait {
    Yes,
    No,
}

/// Polls an end until it is ready, or once: none, if it is not ready then.
fn polled<P: Unpin + Send + 'static, T: Send + 'static>(
    end: &mut Option<P>,
    runtime: Option<&Runtime>,
    wait: Wait,
    poll: PollFn<P, T>,
) -> Result<Option<T>, Error> {
    let mut taken = end.take().expect("it has this end");
    let polled = Action::new(async move {
        let polled = poll_fn(|cx| match (poll(Pin::new(&mut taken), cx), wait) {
            (Poll::Pending, Wait::No) => Poll::Ready(None),
            (polled, _) => polled.map(Some),
        });
        Ok((polled.await, taken))
    });
    let (polled, taken) = done(polled, runtime)?;
    *end = Some(taken);
    Ok(polled)
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
