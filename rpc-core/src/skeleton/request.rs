//! One call to answer. It is answered exactly once: by its handler, or, if that is dropped, by saying so.

use super::is_unknown;
use crate::{
    buffer::Buffer,
    clock,
    codec::{Decoder, Encoder},
    conn::{IncomingCall, Kept},
    driver::{Answer, Body, Encoded, Held, Link, Opened, Reply, hop_failed},
    error::{Error, ErrorKind, Executed},
    frame::Outcome,
    id::{CallId, MethodId},
    interface::{Description, Method, Mode},
    payload::may_hold,
    skeleton::{Arguments, Local},
    stub::{Brought, Parcel},
};
use serde::Serialize;
use std::{
    any::Any,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

/// What those hear who would have called the object, of an error without words, or that of a servant in a third process.
const OF_ITS_OWN: &str = "in a way of its own: await it to know why";
/// Bytes of an error's words that they hear at most.
const WORDS: usize = 1024;

/// One call to answer.
pub struct Request {
    link: Arc<Link>,
    epoch: u32,
    call: Option<CallId>,
    values: Held,
    start: usize,
    /// What came beside the call's arguments, until they are decoded.
    brought: Option<Box<Mutex<Brought>>>,
    deadline: Option<Instant>,
    interface: &'static Description,
    /// Where the interface has it.
    method: Option<&'static Method>,
    answered: AtomicBool,
}

impl Request {
    #[inline]
    pub(crate) fn new(
        link: Arc<Link>,
        epoch: u32,
        interface: &'static Description,
        call: &IncomingCall<Local>,
        body: Body,
    ) -> Self {
        let Opened { values, start, brought } = body.open();
        Self {
            link,
            epoch,
            call: call.call,
            values: values.share(),
            start,
            brought: (!brought.is_empty()).then(|| Box::new(Mutex::new(brought))),
            deadline: call.deadline,
            interface,
            method: interface.method(call.method),
            answered: AtomicBool::new(false),
        }
    }

    /// The arguments, to be decoded in order.
    #[must_use]
    #[inline]
    pub fn arguments(&self) -> Arguments<'_> {
        let budget = self.link.budget(self.values.len());
        let decoder = Decoder::new(self.values(), budget).keeping(self.values.shared());
        Arguments::new(decoder, self.take_brought())
    }

    /// Arguments that came in several calls, put together.
    pub(crate) fn assembled<'a>(&self, bytes: &'a [u8]) -> Arguments<'a> {
        Arguments::new(Decoder::new(bytes, self.link.budget(bytes.len())), Brought::default())
    }

    /// The arguments, encoded.
    pub(crate) fn values(&self) -> &[u8] {
        self.values.get(self.start..).unwrap_or_default()
    }

    /// What came beside the arguments, the first time.
    pub(crate) fn take_brought(&self) -> Brought {
        self.brought.as_ref().map_or_else(Brought::default, |brought| {
            std::mem::take(&mut *brought.lock().unwrap_or_else(PoisonError::into_inner))
        })
    }

    /// Answers with the servant's result.
    pub fn reply<T: Serialize + 'static, E: Serialize + 'static>(&self, result: Result<T, E>) {
        self.reply_saying(result, None);
    }

    /// The same. `said` is what the error says in words, for those that wait for the object.
    pub(crate) fn reply_saying<T: Serialize + 'static, E: Serialize + 'static>(
        &self,
        result: Result<T, E>,
        said: Option<String>,
    ) {
        if self.call.is_none() {
            return self.answer(&Outcome::Ok(&[]), Answer::default(), None);
        }
        let mut encoder = Encoder::new();
        let mut parcel = Parcel::default();
        let (outcome, encoded) = match result {
            Ok(value) => (Outcome::Ok(&[]), encode(&mut encoder, &mut parcel, value)),
            Err(error) => {
                let own = (&error as &dyn Any).downcast_ref::<Error>().cloned();
                let encoded = match own {
                    // What failed inside of the servant: this call did run.
                    Some(error) => encoder.value(&error.executed_as(Executed::Yes)),
                    None => encode(&mut encoder, &mut parcel, error),
                };
                (Outcome::App(&[]), encoded)
            }
        };
        let answer = encoded.and_then(|()| {
            let (mut head, mut tail) = encoder.finish();
            let encoded = Encoded { head: &mut head, tail: &mut tail, block: None };
            let payloads = self.link.enclose(parcel, encoded)?;
            Ok(Answer { head, tail, payloads, by: self.method_name() })
        });
        match answer {
            Ok(answer) => {
                let kept = self.kept(&outcome, &answer, said);
                self.answer(&outcome, answer, kept);
            }
            Err(error) => self.fail(error.executed_as(Executed::Yes)),
        }
    }

    /// What calls on the answer go to, where the method returns an object. `said` is what its own error says.
    #[inline]
    fn kept(&self, outcome: &Outcome<'_>, answer: &Answer, said: Option<String>) -> Kept<Local> {
        match outcome {
            Outcome::Ok(_) => {
                let first = answer.payloads.as_deref()?.passed.first()?;
                self.returns_object().then(|| Box::new(Ok(first.handle.stand_in(first.interface))))
            }
            Outcome::App(_) => {
                let text = said.as_deref().map_or(OF_ITS_OWN, beginning);
                self.returns_object().then(|| Box::new(Err(self.hop_failed(text))))
            }
            Outcome::Rpc(error) => {
                self.returns_object().then(|| Box::new(Err(self.hop_failed(error.text()))))
            }
            Outcome::Cancelled => None,
        }
    }

    fn returns_object(&self) -> bool {
        // Of an object that is not known it may be that it would have returned one.
        is_unknown(self.interface) || self.method.is_some_and(|method| method.mode.returns_object)
    }

    /// A call on what this one would have returned.
    fn hop_failed(&self, why: &str) -> Error {
        hop_failed(&format!("{}::{}", self.interface.name, self.method_name()), why)
    }

    /// Answers with what another process has answered.
    pub(crate) fn pass_back(&self, reply: Reply) {
        let (outcome, body) = match reply {
            Reply::Ok(body) => (Outcome::Ok(&[]), body),
            Reply::App(body) => (Outcome::App(&[]), body),
            Reply::Failed(error) => return self.fail(error),
        };
        let Opened { values, start, brought } = body.open();
        let bytes = values.get(start..).unwrap_or_default();
        let (mut head, mut tail) = (Buffer::with_capacity(bytes.len()), None);
        head.extend_from_slice(bytes);
        let encoded = Encoded { head: &mut head, tail: &mut tail, block: None };
        match self.link.enclose(brought.pass_on(), encoded) {
            Ok(payloads) => {
                let answer = Answer { head, tail, payloads, by: self.method_name() };
                let kept = self.kept(&outcome, &answer, None);
                self.answer(&outcome, answer, kept);
            }
            Err(error) => self.fail(error.executed_as(Executed::Yes)),
        }
    }

    /// Answers that the call did not reach the servant.
    pub fn refuse(&self, error: Error) {
        self.fail(error.executed_as(Executed::No));
    }

    /// Answers that the interface has no such method.
    pub fn unknown(&self, _method: MethodId, interface: &'static Description) {
        let methods: Vec<_> = interface.methods.iter().map(|method| method.name).collect();
        let text = format!(
            "`{}` on the other side has no such method: it has {}",
            interface.name,
            methods.join(", ")
        );
        self.refuse(Error::of(ErrorKind::Unimplemented, text));
    }

    /// Whether its caller has given it up.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.call.is_some_and(|call| self.link.is_cancelled(self.epoch, call))
    }

    /// Answers that the caller had given it up before it was started.
    pub(crate) fn refuse_cancelled(&self) {
        let text = "the caller had given the call up before it was started";
        self.refuse(Error::of(ErrorKind::Cancelled, text));
    }

    pub(crate) fn link(&self) -> Arc<Link> {
        Arc::clone(&self.link)
    }

    pub(crate) fn call(&self) -> Option<CallId> {
        self.call
    }

    fn fail(&self, error: Error) {
        let outcome = Outcome::Rpc(error);
        let kept = self.kept(&outcome, &Answer::default(), None);
        self.answer(&outcome, Answer::default(), kept);
    }

    #[inline]
    fn answer(&self, outcome: &Outcome<'_>, answer: Answer, kept: Kept<Local>) {
        if self.answered.load(Ordering::Relaxed) {
            return;
        }
        self.answered.store(true, Ordering::Relaxed);
        match self.call {
            Some(call) => self.link.reply(self.epoch, call, outcome, answer, kept),
            None => self.link.ended(self.epoch),
        }
    }

    /// What the attributes of its method say.
    pub(crate) fn mode(&self) -> Mode {
        self.method.map_or_else(Mode::default, |method| method.mode)
    }

    fn method_name(&self) -> &'static str {
        self.method.map_or("?", |method| method.name)
    }
}

/// Encodes the servant's value or error, and collects the payloads and references in it.
fn encode<T: Serialize + 'static>(
    encoder: &mut Encoder,
    parcel: &mut Parcel,
    value: T,
) -> Result<(), Error> {
    if !may_hold::<T>() {
        return encoder.owned(value);
    }
    parcel.collect(|| encoder.owned(value))
}

/// As much of a text as others are told.
fn beginning(text: &str) -> &str {
    let end = (0..=WORDS.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

impl Drop for Request {
    fn drop(&mut self) {
        if *self.answered.get_mut() {
            return;
        }
        let (interface, method) = (self.interface.name, self.method_name());
        let (kind, text) = if thread::panicking() {
            let text = format!(
                "the servant panicked in `{interface}::{method}`: its process's standard error says why"
            );
            (ErrorKind::Panicked, text)
        } else if self.deadline.is_some_and(|deadline| deadline <= clock::now()) {
            let text = format!("the deadline passed while `{interface}::{method}` ran");
            (ErrorKind::TimedOut, text)
        } else {
            (ErrorKind::Cancelled, format!("`{interface}::{method}` was cancelled while it ran"))
        };
        self.fail(Error::of(kind, text).executed_as(Executed::Yes));
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("call", &self.call).finish_non_exhaustive()
    }
}
