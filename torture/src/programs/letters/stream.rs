//! How a consumer takes letters from a stream, which takes several at a time where it may.

use super::{
    consumer::{BRIEF, Consumer, Taken},
    item::Item,
};
use anyhow::Result;
use farcall::mailbox::{Action, Letters};
use fastrand::Rng;
use futures_core::Stream;
use std::{future::poll_fn, pin::Pin, time::Duration};

/// One time in so many a stream is dropped, if it may be.
const DROPS_ONE_IN: u8 = 12;

/// The stream of a lane. None: it begins anew.
#[derive(Default)]
pub(super) struct Flow(Option<Letters<Item>>);

impl Consumer {
    /// Takes the next letter from the stream. If none comes soon, the stream goes on waiting for it.
    pub(super) fn take_next(
        &self,
        lane: u32,
        flow: &mut Flow,
        patient: bool,
        random: &mut Rng,
    ) -> Result<Taken> {
        if self.may_give_up() && random.u8(..DROPS_ONE_IN) == 0 {
            // What it has not given out goes back.
            flow.0 = None;
            let portion = self.role.deal.portion();
            self.role.note(format_args!("left {lane} {portion}"))?;
        }
        let mut letters = flow.0.take().unwrap_or_else(|| self.role.mailbox.letters());
        let brief = (!patient).then(|| Duration::from_micros(random.u64(..BRIEF)));
        let mut stop = self.stop.subscribe();
        let taking = Action::new(async move {
            let waited = async move {
                match brief {
                    Some(brief) => tokio::time::sleep(brief).await,
                    None => _ = stop.wait_for(|stop| *stop).await,
                }
            };
            let next = poll_fn(|cx| Pin::new(&mut letters).poll_next(cx));
            let taken = tokio::select! {
                biased;
                taken = next => Some(taken),
                () = waited => None,
            };
            Ok((taken, letters))
        });
        let (taken, letters) = self.role.done(taking)?;
        flow.0 = Some(letters);
        match taken {
            Some(Some(Ok(letter))) => Ok(Taken::Letter(letter)),
            Some(Some(Err(error))) => self.failed(lane, error),
            Some(None) => self.ended(lane),
            None if *self.stop.borrow() => Ok(Taken::Over),
            None => Ok(Taken::Nothing),
        }
    }
}
