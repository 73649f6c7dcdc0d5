//! What comes from the peer and from the clock.

use super::{
    Connection, Event, IncomingCall, Phase, Values, keepalive::Silence, later, serving::Accepted,
};
use crate::{
    error::{Error, ErrorKind, Executed},
    frame::{CallHeader, Frame, Hello, Outcome, ReturnHeader, Table, VERSION, metadata_pairs},
    id::{CallId, ObjectId},
};
use std::time::{Duration, Instant};

/// A frame that comes after such a silence is no part of a flood.
const PAUSE: Duration = Duration::from_secs(1);

impl<S: Clone> Connection<S> {
    /// Takes in one frame. `now` is when it was received.
    ///
    /// # Errors
    /// `Protocol` if the peer broke the protocol: send [`abort`](Self::abort) and close the wire.
    pub fn handle_frame(&mut self, now: Instant, bytes: &[u8]) -> Result<Event<S>, Error> {
        let frame = Frame::decode(bytes).map_err(|error| breach(error.to_string()))?;
        let silence = self.keepalive.heard(now);
        if self.phase == Phase::Handshake {
            return match frame {
                Frame::Hello(hello) => self.handle_hello(hello),
                Frame::Abort(error) => Ok(Event::Aborted(error)),
                _ => Err(breach("the peer's first frame is not a Hello")),
            };
        }
        if silence < PAUSE {
            self.charge(&frame, bytes.len())?;
        }
        match frame {
            Frame::Hello(_) => Err(breach("the peer sent a second Hello")),
            Frame::Call(header, arguments) => {
                let arguments = values(bytes, header.payloads, arguments);
                self.handle_call(now, header, bytes, arguments)
            }
            Frame::Return(header, outcome) => self.handle_return(header, outcome, bytes),
            Frame::Finish(call) => Ok(self.handle_finish(call)),
            Frame::Release(object, count) => self.handle_release(object, count),
            Frame::Ping(number) => {
                self.control.push_back(Frame::Pong(number));
                Ok(Event::None)
            }
            Frame::Pong(_) | Frame::Unimplemented(_) => Ok(Event::None),
            Frame::Goodbye { accepted } => {
                self.refused_after = Some(accepted);
                Ok(Event::Refused)
            }
            Frame::Abort(error) => Ok(Event::Aborted(error)),
            Frame::Unknown(kind) => {
                self.control.push_back(Frame::Unimplemented(kind));
                Ok(Event::None)
            }
        }
    }

    /// Takes in that time has passed.
    ///
    /// # Errors
    /// If the peer has been silent for too long: close the wire.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        match self.keepalive.handle_timeout(now, self.phase, self.calls.in_flight()) {
            Silence::Fine => Ok(()),
            Silence::Ping(number) => {
                self.control.push_back(Frame::Ping(number));
                Ok(())
            }
            Silence::NoHandshake => Err(Error::of(
                ErrorKind::Protocol,
                "the peer sent no farcall handshake in time: check the address and the port",
            )),
            Silence::Dead => {
                let text = "the peer has been silent for too long, a ping included: taken for dead";
                Err(Error::of(ErrorKind::Disconnected, text).executed_as(Executed::Maybe))
            }
        }
    }

    fn handle_hello(&mut self, hello: Hello) -> Result<Event<S>, Error> {
        if hello.version != VERSION {
            let text = format!(
                "the peer speaks version {} of the protocol and this build version {VERSION}: \
                 build both with the same farcall",
                hello.version
            );
            return Err(Error::of(ErrorKind::Protocol, text));
        }
        self.phase = Phase::Open;
        self.peer = Some(hello);
        if std::mem::take(&mut self.leaving) {
            self.goodbye();
        }
        Ok(Event::Connected)
    }

    /// Empty frames cost the peer, useful ones earn. A release is paid for by what was lent, and an abort comes once.
    fn charge(&mut self, frame: &Frame<'_>, length: usize) -> Result<(), Error> {
        if matches!(frame, Frame::Release(_, 1..) | Frame::Abort(_)) {
            return Ok(());
        }
        let useful = matches!(frame, Frame::Call(..) | Frame::Return(..));
        if useful {
            let full = self.limits.overhead;
            self.overhead = self.overhead.saturating_add(length.saturating_mul(2)).min(full);
            return Ok(());
        }
        let left = self.overhead.checked_sub(length.saturating_add(4));
        self.overhead = left.ok_or_else(|| {
            breach("the peer sent too many frames without useful payload in a row")
        })?;
        Ok(())
    }

    fn handle_call(
        &mut self,
        now: Instant,
        header: CallHeader<'_>,
        bytes: &[u8],
        arguments: Values,
    ) -> Result<Event<S>, Error> {
        if self.phase == Phase::Draining {
            return Ok(Event::None);
        }
        let metadata = header.metadata;
        if metadata.len() > self.limits.metadata_bytes
            || metadata_pairs(metadata).count() > self.limits.metadata_entries
        {
            return Err(breach("the peer sent more metadata with a call than the limits allow"));
        }
        let Some(target) = self.exports.get(header.target).cloned() else {
            self.accepted = self.accepted.saturating_add(1);
            return self.handle_stray(&header);
        };
        if let Some(call) = header.call {
            match self.serving.insert(call, self.limits.serving) {
                Accepted::Yes => {}
                Accepted::Busy => return Err(breach(format!("the peer used {call} twice"))),
                Accepted::Overloaded => {
                    self.accepted = self.accepted.saturating_add(1);
                    let text = format!("more than {} calls at a time", self.limits.serving);
                    self.refuse(call, Error::of(ErrorKind::Overloaded, text));
                    return Ok(Event::None);
                }
            }
        }
        self.accepted = self.accepted.saturating_add(1);
        let metadata = offset_of(bytes, header.metadata);
        Ok(Event::Call(IncomingCall {
            call: header.call,
            target,
            object: header.target,
            method: header.method,
            deadline: header.remaining.and_then(|left| later(now, Duration::from_millis(left))),
            chain: header.chain,
            trace: header.trace.map(|trace| Box::new(*trace)),
            metadata: metadata..metadata.saturating_add(header.metadata.len()),
            arguments,
        }))
    }

    /// A call on an object that the peer does not hold.
    fn handle_stray(&mut self, header: &CallHeader<'_>) -> Result<Event<S>, Error> {
        self.strays = self.strays.saturating_add(1);
        if self.strays > self.limits.strays {
            return Err(breach("the peer keeps calling objects that were never lent to it"));
        }
        if let Some(call) = header.call {
            let text =
                format!("{} is not lent on this connection: look it up again", header.target);
            self.refuse(call, Error::of(ErrorKind::Broken, text));
        }
        Ok(Event::None)
    }

    fn refuse(&mut self, call: CallId, error: Error) {
        self.control.push_back(Frame::Return(ReturnHeader::of(call), Outcome::Rpc(error)));
    }

    fn handle_return(
        &mut self,
        header: ReturnHeader<'_>,
        outcome: Outcome<'_>,
        bytes: &[u8],
    ) -> Result<Event<S>, Error> {
        let call = header.call;
        let waited = self.calls.handle_return(call).ok_or_else(|| {
            breach(format!("the peer answered {call}, which was not waiting for an answer"))
        })?;
        if !waited {
            return Ok(Event::None);
        }
        Ok(match outcome {
            Outcome::Ok(value) => Event::Ok(call, values(bytes, header.payloads, value)),
            Outcome::App(error) => Event::App(call, values(bytes, header.payloads, error)),
            Outcome::Rpc(error) => Event::Failed(call, error),
            Outcome::Cancelled => {
                let text = "the servant's side cancelled the call";
                let error = Error::of(ErrorKind::Cancelled, text).executed_as(Executed::Maybe);
                Event::Failed(call, error)
            }
        })
    }

    fn handle_finish(&mut self, call: CallId) -> Event<S> {
        if self.serving.cancel(call) { Event::Cancel(call) } else { Event::None }
    }

    fn handle_release(&mut self, object: ObjectId, count: u32) -> Result<Event<S>, Error> {
        match self.exports.release(object, count) {
            Ok(Some(servant)) => Ok(Event::Released(servant)),
            Ok(None) => Ok(Event::None),
            Err(_) => Err(breach(format!("the peer gave back more of {object} than it has"))),
        }
    }
}

/// Where `values`, the rest of a frame, and the table before it are.
fn values(frame: &[u8], table: Table<'_>, values: &[u8]) -> Values {
    let start = frame.len().saturating_sub(values.len());
    let beside = table.holds_values();
    Values { table: start.saturating_sub(table.bytes().len()), start, beside }
}

/// A breach of the protocol.
fn breach(text: impl Into<String>) -> Error {
    Error::of(ErrorKind::Protocol, text.into())
}

/// Where `part`, which lies in `whole`, starts.
fn offset_of(whole: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize).min(whole.len())
}
