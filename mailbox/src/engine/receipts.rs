//! What has become of the letters, for their senders: of all that are there, and of the newest that are over.

use super::{
    Ticket,
    letter::{LetterId, Spread},
};
use crate::{Error, ProcessId};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// Letters that are over and remembered, at least.
pub const REMEMBERED: usize = 16_384;
/// Those who wait to hear of a letter.
pub const INQUIRIES: usize = 65_536;

/// What a sender waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Until {
    /// A receiver has taken the letter.
    Taken,
    /// A receiver has acked it.
    Acked,
}

/// What has become of a letter.
#[derive(Clone, Debug)]
enum State {
    /// No letter has this number.
    Never,
    Ready,
    Taken(Arc<ProcessId>),
    Acked(Arc<ProcessId>),
    Lost(Box<Error>),
}

impl State {
    fn is_over(&self) -> bool {
        matches!(self, Self::Never | Self::Acked(_) | Self::Lost(_))
    }
}

/// What has become of the letters.
#[derive(Default, Debug)]
pub(super) struct Receipts {
    /// Of the newest letters, at most [`REMEMBERED`], and the number of the first of them.
    states: VecDeque<State>,
    first: u64,
    /// Of letters before them: all that were not over when they left `states`, and the newest that have been over since.
    old: HashMap<LetterId, State>,
    over: VecDeque<LetterId>,
    /// Those who wait to hear, by the letters that they ask for.
    inquiries: HashMap<LetterId, Vec<(Ticket, Until)>, Spread>,
    /// The letter that each of them asks for.
    asking: HashMap<Ticket, LetterId>,
}

/// What one who asked is told.
pub(super) type Told = (Ticket, Result<ProcessId, Error>);

impl Receipts {
    /// A letter was accepted. Its number is higher than those before it, but for a letter that was stored after a dead one came.
    pub(super) fn accepted(&mut self, letter: LetterId) {
        let mut next = self.first + self.states.len() as u64;
        let Some(skipped) = letter.0.checked_sub(next) else { return self.ready(letter) };
        if skipped > REMEMBERED as u64 {
            while self.forget_first() {}
            (self.first, next) = (letter.0, letter.0);
        }
        (next..letter.0).for_each(|_| self.states.push_back(State::Never));
        self.states.push_back(State::Ready);
        while self.states.len() > REMEMBERED {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) -> bool {
        let Some(state) = self.states.pop_front() else { return false };
        if !state.is_over() {
            self.old.insert(LetterId(self.first), state);
        }
        self.first += 1;
        true
    }

    /// It waits to be taken again, by nobody's fault.
    pub(super) fn ready(&mut self, letter: LetterId) {
        self.set(letter, State::Ready);
    }

    pub(super) fn taken(&mut self, letter: LetterId, by: &Arc<ProcessId>) -> Vec<Told> {
        self.set(letter, State::Taken(Arc::clone(by)));
        self.tell(letter)
    }

    /// The letter is over: acked by a process, or why not.
    pub(super) fn over(
        &mut self,
        letter: LetterId,
        how: Result<Arc<ProcessId>, Error>,
    ) -> Vec<Told> {
        let state = how.map_or_else(|error| State::Lost(Box::new(error)), State::Acked);
        self.set(letter, state);
        let told = self.tell(letter);
        if letter.0 < self.first {
            self.over.push_back(letter);
            if self.over.len() > REMEMBERED
                && let Some(oldest) = self.over.pop_front()
            {
                self.old.remove(&oldest);
            }
        }
        told
    }

    /// The answer, if it is known; else it will be told.
    pub(super) fn ask(
        &mut self,
        ticket: Ticket,
        letter: LetterId,
        until: Until,
    ) -> Option<Result<ProcessId, Error>> {
        if let Some(answer) = self.answer(letter, until) {
            return Some(answer);
        }
        if self.asking.len() >= INQUIRIES {
            let what = "waiting for receipts".to_owned();
            return Some(Err(Error::LimitExceeded { what, limit: INQUIRIES as u64 }));
        }
        self.asking.insert(ticket, letter);
        self.inquiries.entry(letter).or_default().push((ticket, until));
        None
    }

    pub(super) fn stop_asking(&mut self, ticket: Ticket) {
        let Some(letter) = self.asking.remove(&ticket) else { return };
        let Some(of_letter) = self.inquiries.get_mut(&letter) else { return };
        of_letter.retain(|(of, _)| *of != ticket);
        if of_letter.is_empty() {
            self.inquiries.remove(&letter);
        }
    }

    /// Takes out all that are asking, in the order of asking.
    pub(super) fn take_asking(&mut self) -> Vec<Ticket> {
        self.inquiries.clear();
        let mut all: Vec<_> = std::mem::take(&mut self.asking).into_keys().collect();
        all.sort_unstable();
        all
    }

    fn set(&mut self, letter: LetterId, state: State) {
        match letter.0.checked_sub(self.first).and_then(|at| usize::try_from(at).ok()) {
            None => _ = self.old.insert(letter, state),
            Some(at) => {
                if let Some(known) = self.states.get_mut(at) {
                    *known = state;
                }
            }
        }
    }

    fn state(&self, letter: LetterId) -> Option<&State> {
        match letter.0.checked_sub(self.first) {
            None => self.old.get(&letter),
            Some(at) => self.states.get(usize::try_from(at).ok()?),
        }
    }

    fn answer(&self, letter: LetterId, until: Until) -> Option<Result<ProcessId, Error>> {
        match (self.state(letter), until) {
            (None | Some(State::Never), _) => Some(Err(Error::Forgotten)),
            (Some(State::Acked(by)), _) => Some(Ok((**by).clone())),
            (Some(State::Lost(error)), _) => Some(Err((**error).clone())),
            (Some(State::Taken(by)), Until::Taken) => Some(Ok((**by).clone())),
            (Some(State::Ready | State::Taken(_)), _) => None,
        }
    }

    fn tell(&mut self, letter: LetterId) -> Vec<Told> {
        if self.inquiries.is_empty() {
            return Vec::new();
        }
        let Some(of_letter) = self.inquiries.remove(&letter) else { return Vec::new() };
        let (mut told, mut waiting) = (Vec::new(), Vec::new());
        for (ticket, until) in of_letter {
            match self.answer(letter, until) {
                Some(answer) => {
                    self.asking.remove(&ticket);
                    told.push((ticket, answer));
                }
                None => waiting.push((ticket, until)),
            }
        }
        if !waiting.is_empty() {
            self.inquiries.insert(letter, waiting);
        }
        told
    }
}
