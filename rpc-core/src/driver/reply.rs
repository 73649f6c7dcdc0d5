//! Answers a call.

use super::{
    Enclosed, Enclosing, Link,
    enclosed::{Encoded, table},
    line::Line,
    room::Answering,
    state::State,
};
use crate::{
    buffer::Buffer,
    conn::Kept,
    error::{Error, ErrorKind, Executed},
    frame::{Outcome, References, ReturnHeader},
    id::CallId,
    skeleton::Local,
    tail::Tail,
    transport::Tx,
};
use std::io;

/// An answer, encoded: the value or the error of the servant, and the payloads that travel with it.
#[derive(Default, Debug)]
pub(crate) struct Answer {
    pub(crate) head: Buffer,
    pub(crate) tail: Option<Tail>,
    pub(crate) payloads: Enclosing,
    /// The name of the method that answers.
    pub(crate) by: &'static str,
}

impl Link {
    /// Answers `call`, which came on the wire numbered `epoch`; for `Ok` and `App`, `answer` is the value or the error. `kept` is what
    /// calls on the answer go to, if the method returns an object.
    pub(crate) fn reply(
        &self,
        epoch: u32,
        call: CallId,
        outcome: &Outcome<'_>,
        mut answer: Answer,
        mut kept: Kept<Local>,
    ) {
        let mut locked = self.lock();
        let state = &mut *locked;
        if state.epoch != epoch {
            return;
        }
        let (mut spent, mut refused) = (None, None);
        if answer.payloads.is_some() {
            match state.answering(call, outcome, answer, kept) {
                Answering::Now(now, for_now) => (answer, kept) = (now, for_now),
                Answering::Refused(error, payloads, for_error) => {
                    kept = for_error.map(|_| Box::new(Err(error.clone())));
                    answer = Answer { by: payloads.by, ..Answer::default() };
                    (spent, refused) = (Some(payloads), Some(Outcome::Rpc(error)));
                }
                Answering::Held => {
                    state.running.remove(&call);
                    let waker = state.notify();
                    drop(locked);
                    super::wake(waker);
                    return;
                }
            }
        }
        let startable = state.answer(call, refused.as_ref().unwrap_or(outcome), &mut answer, kept);
        if !state.running.is_empty() {
            state.running.remove(&call);
        }
        let alone = state.conn.serving() == 0;
        let flush = state.flush_by(alone);
        let ends = alone && (state.conn.is_draining() || state.half_closed) && !state.batch;
        let resumed = state.resume() && !state.batch;
        let waker = if resumed || startable { state.notify() } else { None };
        drop(locked);
        drop(spent);
        self.flush(flush);
        super::wake(waker);
        if ends {
            // Only now: the wire may end once everything is given away, and not before.
            self.notify();
        }
    }

    /// A one-way call has ended.
    pub(crate) fn ended(&self, epoch: u32) {
        let mut state = self.lock();
        if state.epoch == epoch {
            state.oneways = state.oneways.saturating_sub(1);
        }
        let ends = state.conn.is_draining() || state.half_closed;
        let waker = if state.resume() || ends { state.notify() } else { None };
        drop(state);
        super::wake(waker);
    }
}

impl State {
    /// Appends an answer. True if calls can be started now that waited for it.
    pub(super) fn answer(
        &mut self,
        call: CallId,
        outcome: &Outcome<'_>,
        answer: &mut Answer,
        kept: Kept<Local>,
    ) -> bool {
        answer.settle(self.line.as_deref());
        self.urgent = true;
        if let Err(error) = self.check_answer(answer) {
            return self.answer_instead(call, error, kept);
        }
        let startable = self.fulfil(call, kept.as_deref());
        let append = match self.conn.serving() {
            1 if !self.batch => Answer::append_now,
            _ => Answer::append,
        };
        self.header.clear();
        // References are counted only for a call that is open.
        if self.conn.is_serving(call)
            && self.write_answer(call, outcome, answer, kept)
            && let Some(line) = &self.line
            && let Err(error) = append(answer, &*line.tx, &self.header)
        {
            line.end(super::lost(&line.peer, &error));
        }
        startable
    }

    /// The same, where an error goes out instead of the answer.
    #[cold]
    fn answer_instead(&mut self, call: CallId, error: Error, kept: Kept<Local>) -> bool {
        let kept = kept.map(|_| Box::new(Err(error.clone())));
        let startable = self.fulfil(call, kept.as_deref());
        self.header.clear();
        let header = ReturnHeader::of(call);
        if self.conn.reply(&header, &Outcome::Rpc(error), kept, &mut self.header)
            && let Some(line) = &self.line
            && let Err(error) = line.tx.append(&[&self.header], None)
        {
            line.end(super::lost(&line.peer, &error));
        }
        startable
    }

    /// The caller takes an answer of that size, with so many references.
    fn check_answer(&self, answer: &Answer) -> Result<(), Error> {
        let (size, limit) = (answer.size(), self.conn.frame_limit());
        if size > limit {
            let text = format!(
                "the result is {size} bytes and the caller takes frames of at most {limit}: ask for less at a time, or raise \
                 the caller's `limits.frame`{}",
                self.or_beside(answer.payloads.as_deref())
            );
            return Err(Error::of(ErrorKind::TooLarge, text).executed_as(Executed::Yes));
        }
        let count = answer.payloads.as_deref().map_or(0, |enclosed| enclosed.passed.len());
        self.check_lending(count).map_err(|error| error.executed_as(Executed::Yes))
    }

    /// Writes the header of an answer to `self.header`.
    fn write_answer(
        &mut self,
        call: CallId,
        outcome: &Outcome<'_>,
        answer: &Answer,
        kept: Kept<Local>,
    ) -> bool {
        if let Some(enclosed) = &answer.payloads {
            let mut references = std::mem::take(&mut self.references);
            self.handles.counters.introduce(answer.by);
            self.pass(&enclosed.passed, &mut references);
            self.references = references;
        } else {
            self.references.clear();
        }
        let header = ReturnHeader {
            call,
            kept: false,
            references: References::of(&self.references),
            payloads: table(&answer.payloads, &mut self.table),
        };
        self.conn.reply(&header, outcome, kept, &mut self.header)
    }
}

impl Answer {
    /// Bytes of its frame, more or less.
    pub(super) fn size(&self) -> usize {
        self.len() + 16
    }

    fn len(&self) -> usize {
        let tail = self.tail.as_ref().map_or(0, |tail| tail.len());
        self.head.len() + tail + self.payloads.as_deref().map_or(0, Enclosed::values_bytes)
    }

    /// Makes sure that the wire carries all payloads that stay beside the frame.
    fn settle(&mut self, line: Option<&Line>) {
        if let Some(payloads) = &mut self.payloads
            && let Some(line) = line
        {
            let encoded = Encoded { head: &mut self.head, tail: &mut self.tail, block: None };
            payloads.settle(&*line.tx, encoded);
        }
    }

    /// Nothing else is served.
    fn append_now(&mut self, tx: &dyn Tx, header: &[u8]) -> io::Result<()> {
        match self.payloads {
            None => tx.append_now(&[header, &self.head], self.tail.take()),
            Some(_) => self.append(tx, header),
        }
    }

    fn append(&mut self, tx: &dyn Tx, header: &[u8]) -> io::Result<()> {
        let (head, tail) = ([header, &self.head], self.tail.take());
        match &mut self.payloads {
            None => tx.append(&head, tail),
            Some(payloads) => tx.append_with(&head, tail, payloads.take_beside()),
        }
    }
}
