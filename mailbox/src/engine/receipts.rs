//! What has become of the letters, for their senders: of all that are there, and of the newest that are over.

use super::{Ticket, letter::LetterId};
use crate::{Error, ProcessId};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};

/// Letters that are over and remembered.
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
#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    Ready,
    Taken(ProcessId),
    Over(Result<ProcessId, Error>),
}

/// What has become of the letters.
#[derive(Default, Debug)]
pub(super) struct Receipts {
    states: HashMap<LetterId, State>,
    over: VecDeque<LetterId>,
    inquiries: Vec<(Ticket, LetterId, Until)>,
}

/// What one who asked is told.
pub(super) type Told = (Ticket, Result<ProcessId, Error>);

impl Receipts {
    pub(super) fn accepted(&mut self, letter: LetterId) {
        self.states.insert(letter, State::Ready);
    }

    pub(super) fn taken(&mut self, letter: LetterId, by: &ProcessId) -> Vec<Told> {
        self.states.insert(letter, State::Taken(by.clone()));
        self.tell(letter)
    }

    /// The letter is over: acked by a process, or why not.
    pub(super) fn over(&mut self, letter: LetterId, how: Result<ProcessId, Error>) -> Vec<Told> {
        self.states.insert(letter, State::Over(how));
        let told = self.tell(letter);
        self.over.push_back(letter);
        if self.over.len() > REMEMBERED
            && let Some(oldest) = self.over.pop_front()
        {
            self.states.remove(&oldest);
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
        if self.inquiries.len() >= INQUIRIES {
            let what = "waiting for receipts".to_owned();
            return Some(Err(Error::LimitExceeded { what, limit: INQUIRIES as u64 }));
        }
        self.inquiries.push((ticket, letter, until));
        None
    }

    pub(super) fn stop_asking(&mut self, ticket: Ticket) {
        self.inquiries.retain(|(of, ..)| *of != ticket);
    }

    fn answer(&self, letter: LetterId, until: Until) -> Option<Result<ProcessId, Error>> {
        match (self.states.get(&letter), until) {
            (None, _) => Some(Err(Error::Forgotten)),
            (Some(State::Over(how)), _) => Some(how.clone()),
            (Some(State::Taken(by)), Until::Taken) => Some(Ok(by.clone())),
            (Some(State::Ready | State::Taken(_)), _) => None,
        }
    }

    fn tell(&mut self, letter: LetterId) -> Vec<Told> {
        if self.inquiries.is_empty() {
            return Vec::new();
        }
        let (of, others): (Vec<_>, Vec<_>) =
            self.inquiries.drain(..).partition(|(_, of, _)| *of == letter);
        self.inquiries = others;
        let mut told = Vec::new();
        for (ticket, letter, until) in of {
            match self.answer(letter, until) {
                Some(answer) => told.push((ticket, answer)),
                None => self.inquiries.push((ticket, letter, until)),
            }
        }
        told
    }
}
