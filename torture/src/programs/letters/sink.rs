//! How a producer sends several letters at once: together, or through a sink.

use super::{
    item::{Item, Name},
    producer::{BRIEF, Lane, Manner},
    role::Ended,
};
use anyhow::Result;
use farcall::mailbox::{Action, Error};
use fastrand::Rng;
use futures_sink::Sink;
use std::{
    future::poll_fn,
    ops::{ControlFlow, Range},
    pin::Pin,
    time::Duration,
};

/// What becomes of a sink that has letters in it.
enum Fate {
    Flushed,
    /// As `Flushed`, and given up after a while.
    GivenUp(Duration),
    Dropped,
}

impl Lane<'_> {
    /// Sends letters together.
    pub(super) fn send_all(&mut self, numbers: Range<u64>) -> Result<ControlFlow<()>> {
        let (names, items) = self.begin_all(numbers)?;
        match self.role.done(self.mailbox().send_all(&items)) {
            Ok(receipts) => {
                let mut sent = names.into_iter().zip(receipts);
                sent.try_for_each(|(name, receipt)| {
                    self.sent(name, Manner::Wait, Ok(receipt)).map(drop)
                })?;
                Ok(ControlFlow::Continue(()))
            }
            Err(error) => self.failed(&names, error),
        }
    }

    /// Sends letters through a sink, which gives no receipts.
    pub(super) fn sink(
        &mut self,
        numbers: Range<u64>,
        random: &mut Rng,
    ) -> Result<ControlFlow<()>> {
        let (names, items) = self.begin_all(numbers)?;
        let fate = match random.u8(..6) {
            0 => Fate::Dropped,
            1 => Fate::GivenUp(Duration::from_micros(random.u64(..BRIEF))),
            _ => Fate::Flushed,
        };
        // A parcel that is not full leaves it when it is flushed, and not before.
        let stays = matches!(fate, Fate::Dropped) && items.iter().all(Item::is_small);
        let mut sink = self.mailbox().sink();
        let sunk = Action::new(async move {
            for item in items {
                poll_fn(|cx| Pin::new(&mut sink).poll_ready(cx)).await?;
                Pin::new(&mut sink).start_send(item)?;
            }
            let flushed = poll_fn(|cx| Pin::new(&mut sink).poll_flush(cx));
            match fate {
                Fate::Flushed => flushed.await.map(|()| true),
                Fate::GivenUp(after) => match tokio::time::timeout(after, flushed).await {
                    Ok(flushed) => flushed.map(|()| true),
                    Err(_) => Ok(false),
                },
                Fate::Dropped => Ok(false),
            }
        });
        let came = match self.role.done(sunk) {
            Ok(true) => |name| format!("sunk {name}"),
            Ok(false) if stays => |name| format!("refused {name} unsent"),
            Ok(false) => |name| format!("gave-up {name}"),
            Err(error) => return self.failed(&names, error),
        };
        names.into_iter().try_for_each(|name: Name| self.role.note(came(name)))?;
        Ok(ControlFlow::Continue(()))
    }

    fn begin_all(&self, numbers: Range<u64>) -> Result<(Vec<Name>, Vec<Item>)> {
        numbers.map(|number| self.begin(number)).collect()
    }

    /// Of letters that are sent at once, some may have been accepted.
    fn failed(&self, names: &[Name], error: Error) -> Result<ControlFlow<()>> {
        names.iter().try_for_each(|name| self.role.note(format_args!("gave-up {name}")))?;
        match Ended::from(error) {
            Ended::Closed(by) => self.role.note(format_args!("ended closed {by}"))?,
            Ended::Gone => self.role.note("ended gone")?,
            Ended::Wrong(error) => self.role.note(format_args!("wrong sends: {error:?}"))?,
        }
        Ok(ControlFlow::Break(()))
    }
}
