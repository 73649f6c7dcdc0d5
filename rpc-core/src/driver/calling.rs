//! Makes a call, gives it up, or lets it run.

use super::{Link, Order, Target, outbox::HeldCall, state::State, waiter::Wakes, wake};
use crate::{
    clock,
    error::{Error, ErrorKind, Executed},
    id::CallId,
    stub::Handle,
};
use std::{mem, sync::Arc};

impl Link {
    /// Makes a call on what `handle` leads to. `None`: it is a one-way call, and on its way.
    pub(crate) fn call(
        &self,
        mut order: Order,
        handle: &Arc<Handle>,
    ) -> Result<Option<CallId>, Error> {
        let mut state = self.lock();
        state.admit(&order)?;
        let mut wakes = None;
        if order.is_nested() && !state.outbox.is_empty() {
            state.push_out_before(&order, wakes.get_or_insert_default());
        }
        let alone = state.is_alone();
        let oneway = order.method.mode.oneway;
        let call = (!oneway).then(|| state.reserve());
        if let Some(call) = call {
            let chain = state.chain_of(&mut order);
            let waiter = state.waiter(call);
            (waiter.method, waiter.chain) = (order.method.name, chain);
        }
        state.handles.counters.made += 1;
        if state.may_overtake(&order) && state.can_transmit(&order) {
            if let Err(error) = state.settle(&mut order) {
                call.into_iter().for_each(|call| state.conn.forget(call));
                return Err(error);
            }
            let had_tail = order.tail.is_some();
            state.transmit(call, &mut order);
            order.deadline = state.begin(call, order.deadline);
            if let Some(call) = call
                && self.redials
                && order.is_whole(had_tail)
            {
                state.keep(call, order);
            }
            let flush = state.flush_by(alone);
            let due = state.is_due_earlier() || state.handles.counters.is_due();
            let waker = if due { state.notify() } else { None };
            drop(state);
            self.flush(flush);
            drop(wakes);
            wake(waker);
            return Ok(call);
        }
        let mut wakes: Wakes = wakes.unwrap_or_default();
        order.deadline = state.begin(call, order.deadline);
        if let Err(error) = state.check_outbox(&order) {
            call.into_iter().for_each(|call| state.conn.forget(call));
            return Err(error);
        }
        order.keeps = oneway.then(|| Arc::clone(handle));
        state.hold(HeldCall { call, order });
        let pumped = state.pump_outbox(&mut wakes);
        let due = state.is_due_earlier() || state.handles.counters.is_due();
        let waker = if pumped || due { state.notify() } else { None };
        drop(state);
        wakes.wake();
        wake(waker);
        Ok(call)
    }

    /// The waiter has gone: the call is cancelled.
    pub(crate) fn abandon(&self, call: CallId) {
        let mut state = self.lock();
        let held = state.unhold(call);
        let gone = mem::take(state.waiter(call));
        state.conn.forget(call);
        state.conn.linger(clock::now());
        let flush = state.transmit_control().then(|| {
            let alone = state.conn.in_flight() <= 1;
            state.flush_by(alone)
        });
        let waker = state.end_if_unused();
        // What waited behind it may go.
        let behind = if held.is_some() && state.holds() { state.notify() } else { None };
        drop(state);
        drop((held, gone));
        wake(behind);
        if let Some(flush) = flush {
            self.flush(flush);
        }
        wake(waker);
    }

    /// Nobody waits, and the call goes on.
    pub(crate) fn detach(&self, call: CallId) {
        let mut state = self.lock();
        let reply = state.take_reply(call);
        let waiter = state.waiter(call);
        waiter.detached = reply.is_none();
        let waker = waiter.waker.take();
        drop(state);
        drop((reply, waker));
    }
}

impl State {
    /// Keeps a call that is out, lest it has to be sent again. A function of its own, so that it is moved once.
    #[inline(never)]
    fn keep(&mut self, call: CallId, order: Order) {
        self.waiter(call).order = Some(order);
    }

    /// A call can be made at all.
    fn admit(&self, order: &Order) -> Result<(), Error> {
        if let Some(error) = &self.closed {
            return Err(error.clone().executed_as(Executed::No));
        }
        if let Some(why) = self.why_lost(order.target) {
            return Err(why);
        }
        if let Some(differences) = &self.differences
            && order.target == Target::Root
        {
            differences.check(order.method)?;
        }
        self.check_size(order)
    }

    /// The peer takes a frame of that size.
    #[inline]
    pub(super) fn check_size(&self, order: &Order) -> Result<(), Error> {
        let is_small = order.payloads.is_none() && order.size() <= self.conn.frame_limit();
        if is_small { Ok(()) } else { self.check_large(order) }
    }

    fn check_large(&self, order: &Order) -> Result<(), Error> {
        let limit = self.conn.frame_limit();
        let size = self.least_size(order.size(), order.payloads.as_deref());
        if size <= limit {
            return Ok(());
        }
        let text = format!(
            "the arguments of `{}` are {} bytes and the peer takes frames of at most {limit}: send less at a time, or raise \
             `limits.frame` on its side{}",
            order.method.name,
            size - (order.size() - order.len()),
            self.or_beside(order.payloads.as_deref())
        );
        Err(Error::of(ErrorKind::TooLarge, text))
    }
}
