//! Answers a call.

use super::{
    Enclosed, Enclosing, Link,
    enclosed::{Encoded, table},
    line::Line,
};
use crate::{
    buffer::Buffer,
    error::{Error, ErrorKind, Executed},
    frame::{Outcome, ReturnHeader},
    id::CallId,
    transport::Tx,
};
use std::io;

/// An answer, encoded: the value or the error of the servant, and the payloads that travel with it.
#[derive(Default, Debug)]
pub(crate) struct Answer {
    pub(crate) head: Buffer,
    pub(crate) tail: Option<Buffer>,
    pub(crate) payloads: Enclosing,
}

impl Link {
    /// Answers `call`, which came on the wire numbered `epoch`; for `Ok` and `App`, `answer` is the value or the error.
    pub(crate) fn reply(
        &self,
        epoch: u32,
        call: CallId,
        outcome: &Outcome<'_>,
        mut answer: Answer,
    ) {
        let mut locked = self.lock();
        let state = &mut *locked;
        if state.epoch != epoch {
            return;
        }
        answer.settle(state.line.as_deref());
        let size = answer.len() + 16;
        let limit = state.conn.frame_limit();
        state.header.clear();
        let too_large = size > limit;
        let open = if too_large {
            let text = format!(
                "the result is {size} bytes and the caller takes frames of at most {limit}: ask for less at a time, or raise \
                 the caller's `limits.frame`"
            );
            let error = Error::of(ErrorKind::TooLarge, text).executed_as(Executed::Yes);
            state.conn.reply(&ReturnHeader::of(call), &Outcome::Rpc(error), &mut state.header)
        } else {
            let payloads = table(&answer.payloads, &mut state.table);
            state.conn.reply(&ReturnHeader { call, payloads }, outcome, &mut state.header)
        };
        state.urgent = true;
        if open && let Some(line) = &state.line {
            let appended = match too_large {
                true => line.tx.append(&[&state.header], None),
                false => answer.append(&*line.tx, &state.header),
            };
            if let Err(error) = appended {
                line.end(super::lost(&line.peer, &error));
            }
        }
        if !state.running.is_empty() {
            state.running.remove(&call);
        }
        let alone = state.conn.serving() == 0;
        let flush = state.flush_by(alone);
        let ends = alone && (state.conn.is_draining() || state.half_closed) && !state.batch;
        let waker = if state.resume() && !state.batch { state.notify() } else { None };
        drop(locked);
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

impl Answer {
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

    fn append(&mut self, tx: &dyn Tx, header: &[u8]) -> io::Result<()> {
        let (head, tail) = ([header, &self.head], self.tail.take());
        match &mut self.payloads {
            None => tx.append(&head, tail),
            Some(payloads) => tx.append_with(&head, tail, payloads.take_beside()),
        }
    }
}
