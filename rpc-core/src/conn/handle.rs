//! What comes from the peer and from the clock.

use super::{
    Connection, Contents, Event, IncomingCall, Phase, Values,
    keepalive::Silence,
    later,
    serving::{Accepted, Answered},
};
use crate::{
    error::{Error, ErrorKind, Executed},
    frame::{
        CallHeader, Frame, FrameError, Hello, Outcome, References, Releases, ReturnHeader, Table,
        Target, VERSION, kind, metadata_pairs,
    },
    id::{CallId, ObjectId},
};
use std::time::{Duration, Instant};

/// A frame that comes after such a silence is no part of a flood.
const PAUSE: Duration = Duration::from_secs(1);
/// Nor is what comes with it: where both ends ask at once for a sign of life, a ping and a pong come together. In bytes of the budget.
const AFTER_PAUSE: usize = 64;

impl<S: Clone> Connection<S> {
    /// Takes in one frame. `now` is when it was received.
    ///
    /// # Errors
    /// `Protocol` if the peer broke the protocol: send [`abort`](Self::abort) and close the wire.
    pub fn handle_frame(&mut self, now: Instant, bytes: &[u8]) -> Result<Event<S>, Error> {
        let heard = self.keepalive.heard(now);
        match (self.phase, bytes.first()) {
            (Phase::Handshake, _) => self.handle_first(bytes),
            (_, Some(&(kind::CALL | kind::PIPELINED))) => {
                let (header, arguments) = CallHeader::decode(bytes).map_err(malformed)?;
                self.earn(bytes.len());
                let arguments = values(bytes, header.payloads, arguments);
                self.handle_call(now, &header, bytes, arguments)
            }
            (_, Some(&kind::RETURN)) => {
                let (header, outcome) = ReturnHeader::decode(bytes).map_err(malformed)?;
                self.earn(bytes.len());
                self.handle_return(now, header, outcome, bytes)
            }
            _ => self.handle_control(bytes, now.saturating_duration_since(heard)),
        }
    }

    fn handle_first(&mut self, bytes: &[u8]) -> Result<Event<S>, Error> {
        match Frame::decode(bytes).map_err(malformed)? {
            Frame::Hello(hello) => self.handle_hello(hello),
            Frame::Abort(error) => Ok(Event::Aborted(error)),
            _ => Err(breach("the peer's first frame is not a Hello")),
        }
    }

    /// A frame that is neither a call nor a return. `silence` was before it.
    fn handle_control(&mut self, bytes: &[u8], silence: Duration) -> Result<Event<S>, Error> {
        let frame = Frame::decode(bytes).map_err(malformed)?;
        self.charge(&frame, bytes.len(), silence)?;
        match frame {
            Frame::Hello(_) => Err(breach("the peer sent a second Hello")),
            Frame::Finish(call) => Ok(self.handle_finish(call)),
            Frame::Release(releases) => self.handle_release(releases),
            Frame::Broken(object, error) => Ok(self.handle_broken(object, error)),
            Frame::Interface(description) => self.handle_interface(bytes, description),
            Frame::Ping(number) => {
                self.control.push_back(Frame::Pong(number));
                Ok(Event::None)
            }
            Frame::Goodbye { accepted } => {
                self.refused_after = Some(accepted);
                Ok(Event::Refused)
            }
            Frame::Abort(error) => Ok(Event::Aborted(error)),
            Frame::Unknown(kind) => {
                self.control.push_back(Frame::Unimplemented(kind));
                Ok(Event::None)
            }
            Frame::Pong(_) | Frame::Unimplemented(_) | Frame::Call(..) | Frame::Return(..) => {
                Ok(Event::None)
            }
        }
    }

    /// Takes in that time has passed.
    ///
    /// # Errors
    /// If the peer has been silent for too long: close the wire.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        match self.keepalive.handle_timeout(now, self.phase) {
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

    /// So many bytes of empty frames may come for a frame with useful payload: twice as many as it has.
    fn earn(&mut self, length: usize) {
        self.grant(length.saturating_mul(2));
    }

    fn grant(&mut self, bytes: usize) {
        self.overhead = self.overhead.saturating_add(bytes).min(self.limits.overhead);
    }

    /// Empty frames cost the peer. What gives back or takes away is paid for by what was lent; interfaces are counted, and an abort comes
    /// once.
    fn charge(&mut self, frame: &Frame<'_>, length: usize, silence: Duration) -> Result<(), Error> {
        let paid = match frame {
            Frame::Release(_) | Frame::Interface(_) | Frame::Abort(_) => true,
            Frame::Broken(object, _) => self.imports.is_whole(*object),
            _ => false,
        };
        if silence >= PAUSE {
            self.grant(AFTER_PAUSE);
            return Ok(());
        }
        if paid {
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
        header: &CallHeader<'_>,
        bytes: &[u8],
        arguments: Values,
    ) -> Result<Event<S>, Error> {
        if self.phase == Phase::Draining {
            self.decline(now, header.references)?;
            return Ok(Event::None);
        }
        let metadata = header.metadata;
        if !metadata.is_empty() {
            self.check_metadata(metadata)?;
        }
        self.accepted = self.accepted.saturating_add(1);
        let target = match self.find_target(header.target) {
            Ok(target) => target,
            Err(error) => return self.turn_down(now, header, error),
        };
        if let Some(call) = header.call {
            let most = match header.is_nested() {
                false => self.limits.serving,
                true => super::most_nested(self.limits.serving),
            };
            match self.serving.insert(call, most) {
                Accepted::Yes => {}
                Accepted::Busy => return Err(breach(format!("the peer used {call} twice"))),
                Accepted::Overloaded => {
                    let text = format!("more than {most} calls at a time");
                    return self.turn_down(now, header, Error::of(ErrorKind::Overloaded, text));
                }
            }
        }
        let metadata = match metadata {
            [] => 0..0,
            _ => {
                let start = offset_of(bytes, metadata);
                start..start.saturating_add(metadata.len())
            }
        };
        let arguments = self.contents(arguments, header.references).inspect_err(|_| {
            // A call that breaks the rules is never started, and so not served either.
            header.call.and_then(|call| self.serving.reply(call, None));
        })?;
        let call = IncomingCall {
            call: header.call,
            target: header.target,
            method: header.method,
            deadline: header.remaining.and_then(|left| later(now, Duration::from_millis(left))),
            chain: header.chain,
            trace: header.trace.map(|trace| Box::new(*trace)),
            metadata,
            arguments,
        };
        Ok(match (target, header.target) {
            (Some(object), _) => Event::Call(object, call),
            (None, Target::Answer(answer)) => Event::Pipelined(answer, call),
            (None, Target::Export(_)) => Event::None,
        })
    }

    fn check_metadata(&self, metadata: &[u8]) -> Result<(), Error> {
        let limits = &self.limits;
        if metadata.len() > limits.metadata_bytes
            || metadata_pairs(metadata).count() > limits.metadata_entries
        {
            return Err(breach("the peer sent more metadata with a call than the limits allow"));
        }
        Ok(())
    }

    /// The object that a call is made on. `None`: it is still to be returned.
    fn find_target(&mut self, target: Target) -> Result<Option<S>, Error> {
        match target {
            Target::Export(id) => match self.exports.get(id) {
                Some(Ok(object)) => Ok(Some(object.clone())),
                Some(Err(error)) => Err(error.clone()),
                None => {
                    self.strays = self.strays.saturating_add(1);
                    let text = format!("{id} is not lent on this connection: look it up again");
                    Err(Error::of(ErrorKind::Broken, text))
                }
            },
            Target::Answer(call) => match self.serving.answer(call) {
                Answered::NotYet => Ok(None),
                Answered::Object(object) => Ok(Some(object)),
                Answered::Failed(error) => Err(error),
                Answered::Unknown => {
                    let text = format!(
                        "{call}, whose result was to be called, returns no object, or was refused"
                    );
                    Err(Error::of(ErrorKind::Pipeline, text))
                }
            },
        }
    }

    /// A call that reaches no servant.
    fn turn_down(
        &mut self,
        now: Instant,
        header: &CallHeader<'_>,
        error: Error,
    ) -> Result<Event<S>, Error> {
        if self.strays > self.limits.strays {
            return Err(breach("the peer keeps calling objects that were never lent to it"));
        }
        self.decline(now, header.references)?;
        let Some(call) = header.call else { return Ok(Event::None) };
        let mut answer = ReturnHeader::of(call);
        if matches!(header.target, Target::Answer(_)) {
            if !self.serving.refuse(call, error.clone()) {
                return Err(breach(format!("the peer used {call} twice")));
            }
            answer.kept = true;
        }
        self.control.push_back(Frame::Return(answer, Outcome::Rpc(error)));
        Ok(Event::None)
    }

    fn handle_return(
        &mut self,
        now: Instant,
        header: ReturnHeader<'_>,
        outcome: Outcome<'_>,
        bytes: &[u8],
    ) -> Result<Event<S>, Error> {
        let call = header.call;
        let awaited = self.calls.awaits(call).ok_or_else(|| {
            breach(format!("the peer answered {call}, which was not waiting for an answer"))
        })?;
        // Before it counts as answered: of a breach its waiter is told when the wire ends.
        let event = match outcome {
            _ if !awaited => {
                self.decline(now, header.references)?;
                Event::None
            }
            Outcome::Ok(value) => {
                let values = values(bytes, header.payloads, value);
                Event::Ok(call, self.contents(values, header.references)?)
            }
            Outcome::App(error) => {
                let values = values(bytes, header.payloads, error);
                Event::App(call, self.contents(values, header.references)?)
            }
            Outcome::Rpc(error) => Event::Failed(call, error),
            Outcome::Cancelled => {
                let text = "the servant's side cancelled the call";
                let error = Error::of(ErrorKind::Cancelled, text).executed_as(Executed::Maybe);
                Event::Failed(call, error)
            }
        };
        if self.calls.handle_return(call, header.kept) {
            self.finished.push(call);
            self.linger(now);
        }
        Ok(event)
    }

    #[inline]
    fn contents(
        &mut self,
        values: Values,
        references: References<'_>,
    ) -> Result<Contents<S>, Error> {
        if references.is_empty() {
            return Ok(Contents { values, references: Vec::new() });
        }
        Ok(Contents { values, references: self.take_references(references)? })
    }

    fn handle_finish(&mut self, call: CallId) -> Event<S> {
        match self.serving.finish(call) {
            Some(kept) => Event::Released(kept.into_iter().collect()),
            None if self.serving.cancel(call) => Event::Cancel(call),
            None => Event::None,
        }
    }

    fn handle_release(&mut self, releases: Releases<'_>) -> Result<Event<S>, Error> {
        let mut released = Vec::new();
        for (object, count) in releases.entries() {
            let last = self.exports.release(object, count);
            let last = last
                .map_err(|_| breach(format!("the peer gave back more of {object} than it has")))?;
            released.extend(last);
        }
        Ok(if released.is_empty() { Event::None } else { Event::Released(released) })
    }

    /// The object may have been given back meanwhile.
    fn handle_broken(&mut self, object: ObjectId, error: Error) -> Event<S> {
        match self.imports.break_object(object) {
            true => Event::Broken(object, error),
            false => Event::None,
        }
    }
}

/// Where `values`, the rest of a frame, and the table before it are.
fn values(frame: &[u8], table: Table<'_>, values: &[u8]) -> Values {
    let start = frame.len().saturating_sub(values.len());
    let beside = table.holds_values();
    Values { table: start.saturating_sub(table.bytes().len()), start, beside }
}

/// Bytes that are no frame.
#[cold]
fn malformed(error: FrameError) -> Error {
    breach(error.to_string())
}

/// A breach of the protocol.
#[cold]
pub(super) fn breach(text: impl Into<String>) -> Error {
    Error::of(ErrorKind::Protocol, text.into())
}

/// Where `part`, which lies in `whole`, starts.
fn offset_of(whole: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize).min(whole.len())
}
