//! Calls on their way out: those that can go are appended to the wire, the others wait, encoded and in order.

use super::{
    counters::Watched,
    enclosed::{Encoded, table},
    order::{Order, Target},
    room::Behind,
    state::State,
    waiter::{Reply, Wakes},
};
use crate::{
    conn::Standing,
    error::{Error, ErrorKind},
    frame::{self, CallHeader, References},
    host,
    id::CallId,
};
use std::collections::VecDeque;

/// Bytes that wait in the transport before calls wait in the outbox.
const HIGH_WATER: usize = 256 << 10;

/// A call that waits to go out.
#[derive(Debug)]
pub(super) struct HeldCall {
    /// None for a one-way call.
    pub(super) call: Option<CallId>,
    pub(super) order: Order,
}

impl HeldCall {
    /// It goes out before a later call: one on the same object, or on what may turn out to be the same.
    fn is_before(&self, later: &Order) -> bool {
        let is_answer = |target| matches!(target, Target::Answer(_));
        let target = self.order.target;
        target == later.target || is_answer(target) || is_answer(later.target)
    }
}

/// What waits to go out: calls, and what belongs to streams, which does not wait for calls.
#[derive(Clone, Copy)]
enum Kind {
    Call,
    Apart,
}

impl State {
    /// What a call goes to on the present wire.
    pub(super) fn locate(&self, target: Target) -> Option<frame::Target> {
        match target {
            Target::Root => self.root.map(frame::Target::Export),
            Target::Object(id, epoch) => (epoch == self.epoch).then_some(frame::Target::Export(id)),
            Target::Answer(call) => {
                (self.conn.standing(call) == Standing::There).then_some(frame::Target::Answer(call))
            }
        }
    }

    /// Why a target can be reached no more, if that is so.
    pub(super) fn why_lost(&self, target: Target) -> Option<Error> {
        match target {
            Target::Root => None,
            Target::Object(_, epoch) => {
                (epoch != self.epoch || self.line.is_none()).then(super::stale)
            }
            Target::Answer(call) => {
                (self.conn.standing(call) == Standing::Gone).then(|| self.why_unanswered(call))
            }
        }
    }

    /// Something waits to go out.
    pub(super) fn holds(&self) -> bool {
        !(self.outbox.is_empty() && self.outbox_apart.is_empty() && self.answers.is_empty())
    }

    /// No call waits that is to go out before this one.
    pub(super) fn may_overtake(&self, order: &Order) -> bool {
        match order.apart {
            None if order.is_nested() => !self.outbox.iter().any(|held| held.is_before(order)),
            None => self.outbox.is_empty(),
            Some(_) => self.outbox_apart.is_empty(),
        }
    }

    /// Calls that wait for credit, and are to go out before one that does not wait for it, go out as calls like that: one deeper in their
    /// chains than they are.
    pub(super) fn push_out_before(&mut self, order: &Order, wakes: &mut Wakes) {
        while let Some(at) = self.outbox.iter().position(|held| held.is_before(order)) {
            if !self.can_transmit_as(&self.outbox[at].order, true) {
                return;
            }
            let Some(mut held) = self.take(Kind::Call, at) else { return };
            held.order.chain = held.order.chain.map(host::deeper);
            self.transmit_held(held, wakes);
        }
    }

    /// Sends those calls out of the outbox that do not wait for credit, as far as they can go, where others wait for it.
    fn pump_nested(&mut self, wakes: &mut Wakes) -> bool {
        let mut any = false;
        while self.outbox_nested > 0
            && let Some(at) = self.next_free_of_credit()
            && let Some(held) = self.take(Kind::Call, at)
        {
            any |= self.transmit_held(held, wakes);
        }
        any
    }

    /// The first call in the outbox that does not wait for credit, if it can go now.
    fn next_free_of_credit(&self) -> Option<usize> {
        let at = self.outbox.iter().position(|held| held.order.is_nested())?;
        let next = &self.outbox.get(at)?.order;
        let waits = self.outbox.iter().take(at).any(|held| held.is_before(next));
        (!waits && self.can_transmit(next)).then_some(at)
    }

    /// A call may be appended now.
    pub(super) fn can_transmit(&self, order: &Order) -> bool {
        self.can_transmit_as(order, order.is_nested())
    }

    /// The same, as one that is made while another is served.
    fn can_transmit_as(&self, order: &Order, nested: bool) -> bool {
        let room = self.line.as_ref().is_some_and(|line| line.tx.queued() < HIGH_WATER);
        let credit = match order.apart {
            None if nested => self.conn.can_send_nested(),
            None => self.conn.can_send(),
            Some(_) => self.conn.can_send_one_way(),
        };
        room && credit && self.locate(order.target).is_some() && !self.awaits_room(order)
    }

    /// Before `transmit`: the wire is known now, and carries all payloads that stay beside the frame.
    ///
    /// # Errors
    /// `TooLarge` if the frame is, with what the wire does not carry; `Overloaded` if too many objects are lent.
    pub(super) fn settle(&self, order: &mut Order) -> Result<(), Error> {
        let (Some(payloads), Some(line)) = (&mut order.payloads, &self.line) else {
            return Ok(());
        };
        self.check_lending(payloads.passed.len())?;
        let encoded = Encoded { head: &mut order.head, tail: &mut order.tail, block: None };
        payloads.settle(&*line.tx, encoded);
        self.check_size(order)
    }

    /// Appends a call's frame. `can_transmit` holds, and `settle` was called.
    pub(super) fn transmit(&mut self, call: Option<CallId>, order: &mut Order) {
        let Some(target) = self.locate(order.target) else { return };
        if self.conn.lingers() {
            self.transmit_control();
        }
        match &order.payloads {
            None => self.references.clear(),
            Some(enclosed) => {
                let mut references = std::mem::take(&mut self.references);
                self.handles.counters.introduce(order.method.name);
                self.pass(&enclosed.passed, &mut references);
                self.references = references;
            }
        }
        let alone = self.is_alone() && !self.batch;
        let Some(line) = &self.line else { return };
        let payloads = table(&order.payloads, &mut self.table);
        let header = CallHeader {
            call,
            target,
            method: order.method.id,
            remaining: order.deadline.remaining(),
            chain: order.chain,
            trace: order.trace(),
            metadata: order.metadata(),
            references: References::of(&self.references),
            payloads,
        };
        self.unflushed += 1;
        self.header.clear();
        self.conn.send(&header, &mut self.header);
        let (head, tail) = ([&self.header[..], &order.head], order.tail.take());
        let appended = match &mut order.payloads {
            None if alone => line.tx.append_now(&head, tail),
            None => line.tx.append(&head, tail),
            Some(payloads) => line.tx.append_with(&head, tail, payloads.take_beside()),
        };
        if let Err(error) = appended {
            line.end(super::lost(&line.peer, &error));
            self.notice.give();
        }
    }

    /// Sends what waits in the outbox, in order, as far as it can go. True if anything went.
    pub(super) fn pump_outbox(&mut self, wakes: &mut Wakes) -> bool {
        let answered = !self.answers.is_empty() && self.pump_answers(wakes);
        let apart = self.pump(Kind::Apart, wakes);
        self.pump(Kind::Call, wakes) || apart || answered
    }

    fn pump(&mut self, kind: Kind, wakes: &mut Wakes) -> bool {
        let mut any = false;
        let mut behind = Behind::default();
        let mut at = 0;
        while let Some(held) = self.held(kind).get(at) {
            if let Some(why) = self.why_lost(held.order.target) {
                let Some(held) = self.take(kind, at) else { break };
                self.fail_held(held, why, wakes);
                continue;
            }
            if !behind.is_free(&held.order, |order| self.awaits_room(order)) {
                if !behind.can_be_passed() {
                    break;
                }
                at += 1;
                continue;
            }
            if !self.can_transmit(&held.order) {
                // Whoever gives the bytes away that are in the way tells the background task, which comes back here.
                let flushed = self.line.as_ref().is_none_or(|line| line.is_flushed());
                if !flushed || !self.can_transmit(&held.order) {
                    let is_call = matches!(kind, Kind::Call);
                    return (is_call && self.pump_nested(wakes)) || any;
                }
            }
            let Some(held) = self.take(kind, at) else { break };
            any |= self.transmit_held(held, wakes);
        }
        any
    }

    /// Appends a call that was taken out of the outbox and can go. False if it has failed.
    fn transmit_held(&mut self, mut held: HeldCall, wakes: &mut Wakes) -> bool {
        if let Err(error) = self.settle(&mut held.order) {
            self.fail_held(held, error, wakes);
            return false;
        }
        let had_tail = held.order.tail.is_some();
        self.transmit(held.call, &mut held.order);
        match held.call {
            Some(call) if held.order.is_whole(had_tail) => {
                self.waiter(call).order = Some(held.order);
            }
            _ => wakes.push_order(held.order),
        }
        true
    }

    fn held(&self, kind: Kind) -> &VecDeque<HeldCall> {
        match kind {
            Kind::Call => &self.outbox,
            Kind::Apart => &self.outbox_apart,
        }
    }

    fn take(&mut self, kind: Kind, at: usize) -> Option<HeldCall> {
        match kind {
            Kind::Apart => self.outbox_apart.remove(at),
            Kind::Call => {
                let held = self.outbox.remove(at)?;
                self.outbox_nested -= usize::from(held.order.is_nested());
                self.outbox_bytes = self.outbox_bytes.saturating_sub(held.order.len());
                let beside = held.order.beside_bytes();
                self.outbox_payloads = self.outbox_payloads.saturating_sub(beside);
                Some(held)
            }
        }
    }

    /// Fails a call that was taken out of the outbox.
    pub(super) fn fail_held(&mut self, held: HeldCall, why: Error, wakes: &mut Wakes) {
        if let Some(call) = held.call {
            self.conn.resolve(call);
            self.resolve(call, Reply::Failed(why), wakes);
        }
        wakes.push_order(held.order);
    }

    /// Whether a call that cannot go out now can be put at the end of the outbox. What belongs to streams is bounded by their credit: a
    /// sender waits until its items have gone, and a receiver gives no credit for what it has not taken.
    pub(super) fn check_outbox(&self, order: &Order) -> Result<(), Error> {
        if order.apart.is_some() {
            return Ok(());
        }
        if order.is_nested() && self.conn.can_send_one_way() && !self.conn.can_send_nested() {
            let text = format!(
                "{} calls that wait for each other are under way on this connection: let fewer call back at a time, or raise \
                 `limits.serving` on its other side",
                self.conn.in_flight()
            );
            return Err(Error::of(ErrorKind::Overloaded, text));
        }
        let (bytes, payloads) = (order.len(), order.beside_bytes());
        let full = self.outbox.len() >= self.limits.outbox_calls
            || self.outbox_bytes + bytes > self.limits.outbox_bytes
            || !self.can_wait(self.outbox_payloads, payloads);
        if full {
            let text = format!(
                "{} calls ({} bytes, and {} of payloads) already wait to go out on this connection: wait for some of them, or raise \
                 `outbox_calls`, `outbox_bytes` and `outbox_payloads`",
                self.outbox.len(),
                self.outbox_bytes,
                self.outbox_payloads
            );
            return Err(Error::of(ErrorKind::Overloaded, text));
        }
        Ok(())
    }

    /// Puts a call at the end of the outbox.
    pub(super) fn hold(&mut self, held: HeldCall) {
        if held.order.apart.is_some() {
            return self.outbox_apart.push_back(held);
        }
        self.count_held(&held.order);
        self.outbox.push_back(held);
        let (count, limit) = (self.outbox.len(), self.limits.outbox_calls);
        self.handles.counters.watch(Watched::Held, count, limit);
    }

    /// Puts a call at the beginning of the outbox.
    pub(super) fn hold_first(&mut self, held: HeldCall) {
        self.count_held(&held.order);
        self.outbox.push_front(held);
    }

    fn count_held(&mut self, order: &Order) {
        self.outbox_nested += usize::from(order.is_nested());
        self.outbox_bytes += order.len();
        self.outbox_payloads += order.beside_bytes();
    }

    /// Takes a call back that has not gone out, to be dropped outside of the lock.
    pub(super) fn unhold(&mut self, call: CallId) -> Option<HeldCall> {
        let at = self.outbox.iter().position(|held| held.call == Some(call))?;
        self.take(Kind::Call, at)
    }
}
