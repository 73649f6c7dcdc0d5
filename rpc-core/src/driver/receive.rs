//! Takes frames off the wire and gives each to whom it concerns. For holders of the lease.

use super::{
    Link,
    body::Body,
    line::Line,
    state::{Incoming, State},
    waiter::{Reply, Wakes},
};
use crate::{
    buffer::Buffer,
    clock,
    conn::{Contents, Event, IncomingCall},
    error::{Error, ErrorKind, Executed},
    id::CallId,
    skeleton::Local,
    transport::{Received, Rx},
};
use std::{
    mem,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// Frames taken at one go, so that whoever receives for everybody comes to an end.
const BATCH: usize = 256;

/// After what time it is looked first whether a peer that sends nothing more is there.
const FIRST_DOUBT: Duration = Duration::from_millis(1);

/// What a look at the wire found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Drained {
    /// So many frames, and no more for now.
    Empty(usize),
    /// More than one go takes.
    More,
}

impl Drained {
    pub(super) fn any(self) -> bool {
        self != Self::Empty(0)
    }
}

impl Link {
    /// Takes what has arrived. Whom it concerns is woken by the caller, after it has given the lease back. `clock` is the time, if
    /// it was looked at a moment ago, or is now.
    pub(super) fn drain(
        &self,
        line: &Line,
        rx: &mut dyn Rx,
        clock: &mut Option<Instant>,
        wakes: &mut Wakes,
    ) -> Drained {
        if line.paused.load(Ordering::Relaxed) {
            return self.look_whether_gone(line, rx, wakes);
        }
        let mut frame = Buffer::new();
        let mut due = false;
        for count in 0..BATCH {
            match rx.recv(&mut frame) {
                Ok(Received::Frame) => {}
                Ok(Received::Empty) => {
                    if line.comes(rx.partial()) {
                        self.lock().conn.hear(clock::now());
                    }
                    if due {
                        self.follow_up(wakes);
                    }
                    return drained(line, count);
                }
                Ok(Received::End) if self.half_close(line, wakes) => {
                    self.follow_up(wakes);
                    return drained(line, count.max(1));
                }
                Ok(Received::End | Received::Gone) => {
                    return self.end(line, closed_by_peer(line), wakes);
                }
                Err(error) => return self.end(line, super::lost(&line.peer, &error), wakes),
            }
            let now = *clock.get_or_insert_with(clock::now);
            let mut state = self.lock();
            if count == 0 {
                state.burst = 0;
            }
            if let Err(error) = state.take_in(now, &mut frame, rx, line, wakes) {
                state.conn.abort(&error);
                state.transmit_control();
                drop(state);
                line.flush();
                return self.end(line, error, wakes);
            }
            if state.is_overfull(line) {
                line.paused.store(true, Ordering::Relaxed);
                break;
            }
            due = state.conn.wants_transmit()
                || state.holds()
                || state.handles.counters.is_due()
                || state.would_oversleep();
        }
        self.follow_up(wakes);
        let _ = drained(line, BATCH);
        Drained::More
    }

    /// Calls that got credit leave the outbox, and control frames are sent.
    fn follow_up(&self, wakes: &mut Wakes) {
        let mut state = self.lock();
        let control = state.transmit_control();
        let pumped = state.holds() && state.pump_outbox(wakes);
        let warns = state.handles.counters.is_due();
        if (control || pumped || warns) && !state.batch {
            wakes.push(state.notify());
        }
    }

    /// The peer will send nothing more. True if it is still owed answers, and owes none itself.
    fn half_close(&self, line: &Line, wakes: &mut Wakes) -> bool {
        let mut state = self.lock();
        let goes_on = state.conn.in_flight() == 0 && state.owes(line.tx.queued() == 0);
        if goes_on {
            line.paused.store(true, Ordering::Relaxed);
            state.half_closed = true;
            state.doubt = Some((clock::now() + FIRST_DOUBT, FIRST_DOUBT));
            state.conn.probe();
            wakes.push(state.notify());
        }
        goes_on
    }

    /// A peer that sends nothing more may wait for its answers, or may have died: over a network both look the same, until what it is sent
    /// comes back.
    fn look_whether_gone(&self, line: &Line, rx: &mut dyn Rx, wakes: &mut Wakes) -> Drained {
        if !self.lock().half_closed {
            return Drained::Empty(0);
        }
        match rx.recv(&mut Buffer::new()) {
            Ok(Received::Gone) => self.end(line, closed_by_peer(line), wakes),
            Ok(_) => Drained::Empty(0),
            Err(error) => self.end(line, super::lost(&line.peer, &error), wakes),
        }
    }

    fn end(&self, line: &Line, error: Error, wakes: &mut Wakes) -> Drained {
        line.end(error);
        wakes.push(self.lock().notify());
        Drained::Empty(0)
    }
}

fn closed_by_peer(line: &Line) -> Error {
    let text = format!("the connection to {} was closed by the peer", line.peer.address);
    Error::of(ErrorKind::Disconnected, text).executed_as(Executed::Maybe)
}

/// Notes that a look has found so many frames, and no more. Only holders of the lease do.
fn drained(line: &Line, count: usize) -> Drained {
    if count > 0 {
        let received = line.received.load(Ordering::Relaxed);
        line.received.store(received.wrapping_add(1), Ordering::Relaxed);
    }
    Drained::Empty(count)
}

impl State {
    /// Takes in one frame. The buffer goes with it where somebody needs its bytes.
    fn take_in(
        &mut self,
        now: Instant,
        frame: &mut Buffer,
        rx: &mut dyn Rx,
        line: &Line,
        wakes: &mut Wakes,
    ) -> Result<(), Error> {
        match self.conn.handle_frame(now, frame)? {
            Event::None => {}
            Event::Ok(call, contents) => {
                let body = self.brought(call, frame, contents, rx, wakes)?;
                self.returned(call, Reply::Ok(body), wakes);
            }
            Event::App(call, contents) => {
                let body = self.brought(call, frame, contents, rx, wakes)?;
                self.returned(call, Reply::App(body), wakes);
            }
            Event::Failed(call, error) => self.returned(call, Reply::Failed(error), wakes),
            Event::Call(object, mut call) => {
                let body = self.arrive(frame, Some(&object), &mut call, rx)?;
                self.take_on(now, Incoming { object, call, body }, line, wakes);
            }
            Event::Pipelined(answer, mut call) => {
                let body = self.arrive(frame, None, &mut call, rx)?;
                if self.pipeline(answer, call, body) && !self.batch {
                    wakes.push(self.notify());
                }
            }
            Event::Cancel(call) => self.cancelled(call, wakes),
            Event::Released(objects) => {
                self.take_back(objects);
                if !self.batch {
                    wakes.push(self.notify());
                }
            }
            Event::Broken(object, error) => self.broken(object, error, wakes),
            Event::Interface(at) => self.handles.describe(frame.get(at..).unwrap_or_default())?,
            Event::Connected => {
                rx.set_frame_limit(self.limits.frame);
                self.connected(line);
                wakes.push(self.notify());
            }
            Event::Refused => {
                let refused = self.conn.take_refused();
                let text =
                    format!("{} takes no more calls: it is shutting down", line.peer.address);
                let why = Error::of(ErrorKind::ShuttingDown, text);
                self.hold_again(refused, &why, wakes);
                wakes.push(self.notify());
            }
            Event::Aborted(error) => {
                let error = error.executed_as(Executed::Maybe);
                return Err(error);
            }
        }
        Ok(())
    }

    /// A call is to be started: by the background task at once if it is that which receives, by the waiter that receives if it is a
    /// callback of its own, else by the background task in its turn.
    #[inline]
    fn take_on(&mut self, now: Instant, incoming: Incoming, line: &Line, wakes: &mut Wakes) {
        if wakes.wants_next() && self.is_next(line) {
            self.served = Some(now);
            return wakes.set_next(self.next_of(incoming));
        }
        if self.is_nested(&incoming.call, wakes.starter()) && self.is_next(line) {
            return wakes.set_next(self.next_of(incoming));
        }
        self.arrived.push_back(incoming);
        if !self.batch {
            wakes.push(self.notify());
        }
    }

    /// The caller has given up a call, of which the answer may wait already.
    fn cancelled(&mut self, call: CallId, wakes: &mut Wakes) {
        wakes.push_abort(self.running.remove(&call));
        if !self.answers.is_empty() {
            wakes.push(self.notify());
        }
    }

    #[inline]
    fn returned(&mut self, call: CallId, reply: Reply, wakes: &mut Wakes) {
        self.burst += 1;
        self.resolve(call, reply, wakes);
        if self.unused && self.is_unused() {
            wakes.push(self.notify());
        }
    }

    /// A call has come: it waits to be started.
    #[inline]
    fn arrive(
        &mut self,
        frame: &mut Buffer,
        object: Option<&Local>,
        call: &mut IncomingCall<Local>,
        rx: &mut dyn Rx,
    ) -> Result<Body, Error> {
        self.handles.counters.served += 1;
        if !call.arguments.references.is_empty() {
            self.handles.counters.introduce_call(object, call);
        }
        let body = self.body(frame, mem::take(&mut call.arguments), rx)?;
        self.arrived_bytes += body.len();
        if call.call.is_none() {
            self.oneways += 1;
        }
        Ok(body)
    }

    /// What an answer brought. Of a breach its waiter is told here, since for the protocol it has been answered.
    #[inline]
    fn brought(
        &mut self,
        call: CallId,
        frame: &mut Buffer,
        contents: Contents<Local>,
        rx: &mut dyn Rx,
        wakes: &mut Wakes,
    ) -> Result<Body, Error> {
        self.introduce_return(call, &contents);
        let body = self.body(frame, contents, rx);
        if let Err(error) = &body {
            let error = error.clone().executed_as(Executed::Maybe);
            self.returned(call, Reply::Failed(error), wakes);
        }
        body
    }

    /// A frame that somebody needs, with the payloads and the references that came with it.
    #[inline]
    fn body(
        &mut self,
        frame: &mut Buffer,
        contents: Contents<Local>,
        rx: &mut dyn Rx,
    ) -> Result<Body, Error> {
        let Contents { values, references } = contents;
        if values.table == values.start && references.is_empty() {
            return Ok(Body::plain(mem::take(frame), values));
        }
        let beside = if values.table == values.start { Vec::new() } else { rx.payloads() };
        let mut body = Body::new(mem::take(frame), values, beside)?;
        if body.bulk() > self.limits.frame {
            let text = format!("the peer sent values of {} bytes beside a frame", body.bulk());
            return Err(Error::of(ErrorKind::Protocol, text));
        }
        if !references.is_empty()
            && let Some(link) = self.link.upgrade()
        {
            let handles = references.into_iter().map(|reference| self.handle(&link, reference));
            body.refer(handles.collect());
        }
        Ok(body)
    }

    fn connected(&self, line: &Line) {
        let Some(peer) = self.conn.peer() else { return };
        if line.peer.local && crate::host::shares_one_processor(peer) {
            line.one_processor.store(true, Ordering::Relaxed);
        }
    }

    /// Something was accepted and is not answered yet, or the answer has not gone.
    pub(super) fn owes(&self, flushed: bool) -> bool {
        let open = self.conn.serving() + self.oneways + self.arrived.len();
        open > 0 || !flushed
    }

    /// So much waits or runs that reading must stop.
    fn is_overfull(&self, line: &Line) -> bool {
        self.arrived_bytes > self.limits.arrived_bytes
            || self.is_stalled(line)
            || self.conn.cancelled() > self.limits.cancelled
            || self.oneways > self.limits.serving
    }

    /// Lets reading go on if little enough waits and runs again. True if it had stopped.
    pub(super) fn resume(&self) -> bool {
        let Some(line) = &self.line else { return false };
        line.paused.load(Ordering::Relaxed)
            && !self.half_closed
            && !self.is_overfull(line)
            && line.paused.swap(false, Ordering::Relaxed)
    }
}
