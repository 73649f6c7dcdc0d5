//! Answers a call.

use super::Link;
use crate::{
    buffer::Buffer,
    error::{Error, ErrorKind, Executed},
    frame::Outcome,
    id::CallId,
};

impl Link {
    /// Answers `call`, which came on the wire numbered `epoch`; for `Ok` and `App`, the bytes of `head` and `tail` are the value.
    pub(crate) fn reply(
        &self,
        epoch: u32,
        call: CallId,
        outcome: &Outcome<'_>,
        head: &[u8],
        tail: Option<Buffer>,
    ) {
        let mut locked = self.lock();
        let state = &mut *locked;
        if state.epoch != epoch {
            return;
        }
        let size = head.len() + tail.as_ref().map_or(0, |tail| tail.len()) + 16;
        let limit = state.conn.frame_limit();
        state.header.clear();
        let (open, tail) = if size > limit {
            let text = format!(
                "the result is {size} bytes and the caller takes frames of at most {limit}: ask for less at a time, or raise \
                 the caller's `limits.frame`"
            );
            let error = Error::of(ErrorKind::TooLarge, text).executed_as(Executed::Yes);
            (state.conn.reply(call, &Outcome::Rpc(error), &mut state.header), None)
        } else {
            (state.conn.reply(call, outcome, &mut state.header), Some((head, tail)))
        };
        state.urgent = true;
        if open && let Some(line) = &state.line {
            let (head, tail) = tail.unwrap_or((&[], None));
            if let Err(error) = line.tx.append(&[&state.header, head], tail) {
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
