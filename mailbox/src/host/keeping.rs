//! A hosted mailbox whose letters are stored: nobody is told of anything before it is.

use super::{
    Happened, Outcome, Shared, State, Which,
    journal::{Journal, Settled, Stored},
};
use crate::{
    Error, Kind, Patience,
    engine::{Change, Draft, Event, Hold, Letter},
};
use std::sync::{Arc, Mutex, Weak};
use tokio::sync::oneshot;

/// How a mailbox is stored.
pub(super) struct Keeping {
    pub(super) journal: Arc<Journal>,
    pub(super) which: Which,
    /// Of the mailbox that is not the other's dead letters: when the thread has ended, and its store is closed.
    pub(super) ended: Mutex<Option<oneshot::Receiver<()>>>,
}

/// Tells everybody what has come of a batch.
pub(super) fn settle(own: &Weak<Shared>, dead: &Weak<Shared>, settled: Settled) {
    let Settled { how, accepted, happened } = settled;
    for (which, shared) in [(Which::Letters, own), (Which::Dead, dead)] {
        let Some(shared) = shared.upgrade() else { continue };
        let of = accepted.iter().filter(|(of, _)| *of == which);
        let letters: Vec<_> = of.map(|(_, letter)| *letter).collect();
        match &how {
            _ if letters.is_empty() => {}
            Stored::All => shared.change(|engine| engine.stored(&letters)),
            Stored::AllButAccepted(why) | Stored::None(why) => {
                shared.change(|engine| engine.unstored(&letters, why));
            }
        }
    }
    for (which, happened) in happened {
        let shared = if which == Which::Letters { own } else { dead };
        let Some(shared) = shared.upgrade() else { continue };
        let happened = match &how {
            Stored::All | Stored::AllButAccepted(_) => happened,
            Stored::None(why) => shared.not_taken(happened, why),
        };
        shared.happen(happened);
    }
}

impl Shared {
    /// What has happened, to be done outside of the lock: all of it, or, of a mailbox that is stored, what does not depend on what is not
    /// stored yet. The rest is done when that is.
    pub(super) fn take_events(&self, state: &mut State) -> Happened {
        match &self.keeping {
            None => state.take_events(),
            Some(keeping) => self.keep(keeping, state),
        }
    }

    pub(super) fn keep(&self, keeping: &Keeping, state: &mut State) -> Happened {
        let (mut changes, mut of_dead) = (Vec::new(), Vec::new());
        let (mut now, mut later) = (Vec::new(), Vec::new());
        for (waiter, event) in state.take_events() {
            match event {
                // It is among the dead letters with the same commit with which it is gone here.
                Event::Died(Letter { sender, key, writing, .. }) => {
                    let draft = Draft::one(sender, key, writing);
                    let is_buried = self.bury_with(draft, &mut changes, &mut of_dead);
                    if !is_buried {
                        state.engine.drop_dead();
                    }
                }
                // Its letter is stored, or never will be.
                Event::Sent(..) | Event::Received(_, Err(_)) => now.push((waiter, event)),
                Event::Received(..) | Event::Acked(..) | Event::Told(..) => {
                    later.push((waiter, event))
                }
            }
        }
        let own = state.engine.take_changes();
        changes.extend(own.into_iter().map(|change| (keeping.which, change)));
        let happened = vec![(Which::Dead, of_dead), (keeping.which, later)];
        let known = keeping.journal.add(changes, happened);
        now.extend(known.into_iter().flat_map(|(_, happened)| happened));
        now
    }

    /// Sends a letter to the dead letters, with what is to be stored of that, and what somebody who waits there is to be told then. False,
    /// if they are full.
    fn bury_with(
        &self,
        draft: Draft,
        changes: &mut Vec<(Which, Change)>,
        happened: &mut Happened,
    ) -> bool {
        let Some((dead, _)) = &self.dead else { return false };
        let mut state = dead.lock();
        let is_buried = state.engine.bury(draft);
        happened.extend(state.take_events());
        changes.extend(state.engine.take_changes().into_iter().map(|of| (Which::Dead, of)));
        is_buried
    }

    /// Letters that were taken or acked and cannot be stored as such are put back as if they had not been.
    fn not_taken(self: &Arc<Self>, happened: Happened, why: &Error) -> Happened {
        let undone = happened.into_iter().map(|(waiter, event)| match event {
            Event::Received(ticket, Ok(letters)) => {
                let holds = letters.iter().map(Letter::hold);
                self.change(|engine| holds.for_each(|hold| engine.untake(hold)));
                (waiter, Event::Received(ticket, Err(why.clone())))
            }
            Event::Acked(ticket, Ok(letters)) => {
                self.change(|engine| engine.unacked(&letters));
                (waiter, Event::Acked(ticket, Err(why.clone())))
            }
            event => (waiter, event),
        });
        undone.collect()
    }

    /// A handle means nothing once its process has ended: where letters are to outlive their host, none may enclose one.
    pub(super) fn check_lasts(&self, draft: &Draft) -> Result<(), Error> {
        match self.keeping.is_some() && draft.encloses_remotes() {
            true => Err(Error::NotLasting),
            false => Ok(()),
        }
    }

    /// Has the type of the letters stored.
    pub(super) fn keep_kind(&self, kind: &Kind) {
        if let Some(keeping) = &self.keeping {
            keeping.journal.add_kind(kind);
        }
    }

    /// Acks letters, and waits until that is stored, if it is to be: how many of them were held. If it cannot be stored they are not acked,
    /// and are put back.
    pub(super) async fn acked(self: &Arc<Self>, holds: Vec<Hold>) -> Result<usize, Error> {
        if self.keeping.is_none() {
            return Ok(self.change(|engine| engine.ack(holds)));
        }
        let begun = self.begin(|engine| engine.ack_once_stored(holds));
        match begun.outcome(Patience::Endless, Error::Detached).await? {
            Outcome::Acked(acked) => acked,
            _ => Err(Error::Detached),
        }
    }

    /// Waits until everything is stored that was done before.
    pub(super) async fn stored(&self) -> Result<(), Error> {
        match &self.keeping {
            None => Ok(()),
            Some(keeping) => keeping.journal.stored().await,
        }
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        if self.which == Which::Letters {
            self.journal.end();
        }
    }
}
