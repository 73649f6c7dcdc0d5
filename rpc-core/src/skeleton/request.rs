//! One call to answer. It is answered exactly once: by its handler, or, if that is dropped, by saying so.

use crate::{
    codec::Encoder,
    conn::IncomingCall,
    driver::{Answer, Body, Encoded, Held, Link, Opened},
    error::{Error, ErrorKind, Executed},
    frame::Outcome,
    id::{CallId, MethodId},
    interface::Description,
    payload::{Payload, collect_into, may_hold},
    skeleton::{Arguments, Local},
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

/// One call to answer.
pub struct Request {
    link: Arc<Link>,
    epoch: u32,
    call: Option<CallId>,
    values: Held,
    start: usize,
    /// The payloads that came with the call, until its arguments are decoded.
    payloads: Option<Box<Mutex<Payloads>>>,
    deadline: Option<Instant>,
    interface: &'static Description,
    method: MethodId,
    answered: AtomicBool,
}

/// In the order of their indices.
type Payloads = Vec<Option<Payload>>;

impl Request {
    pub(crate) fn new(link: Arc<Link>, epoch: u32, call: &IncomingCall<Local>, body: Body) -> Self {
        let Opened { values, start, payloads } = body.open();
        Self {
            link,
            epoch,
            call: call.call,
            values,
            start,
            payloads: (!payloads.is_empty()).then(|| Box::new(Mutex::new(payloads))),
            deadline: call.deadline,
            interface: call.target.description(),
            method: call.method,
            answered: AtomicBool::new(false),
        }
    }

    /// The arguments, to be decoded in order.
    #[must_use]
    pub fn arguments(&self) -> Arguments<'_> {
        let payloads = self.payloads.as_ref().map_or_else(Vec::new, |payloads| {
            std::mem::take(&mut *payloads.lock().unwrap_or_else(PoisonError::into_inner))
        });
        let budget = self.link.budget(self.values.len());
        Arguments::new(self.values.get(self.start..).unwrap_or_default(), budget, payloads)
    }

    /// Answers with the servant's result.
    pub fn reply<T: Serialize + 'static, E: Serialize + 'static>(&self, result: Result<T, E>) {
        let mut encoder = Encoder::new();
        let mut payloads = Vec::new();
        let (outcome, encoded) = match result {
            Ok(value) => (Outcome::Ok(&[]), encode(&mut encoder, &mut payloads, value)),
            Err(error) => {
                let own = (&error as &dyn Any).downcast_ref::<Error>().cloned();
                let encoded = match own {
                    // What failed inside of the servant: this call did run.
                    Some(error) => encoder.value(&error.executed_as(Executed::Yes)),
                    None => encode(&mut encoder, &mut payloads, error),
                };
                (Outcome::App(&[]), encoded)
            }
        };
        let answer = encoded.and_then(|()| {
            let (mut head, mut tail) = encoder.finish();
            let encoded = Encoded { head: &mut head, tail: &mut tail, block: None };
            let payloads = self.link.enclose(payloads, encoded)?;
            Ok(Answer { head, tail, payloads })
        });
        match answer {
            Ok(answer) => self.answer(&outcome, answer),
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
        self.answer(&Outcome::Rpc(error), Answer::default());
    }

    fn answer(&self, outcome: &Outcome<'_>, answer: Answer) {
        if self.answered.swap(true, Ordering::Relaxed) {
            return;
        }
        match self.call {
            Some(call) => self.link.reply(self.epoch, call, outcome, answer),
            None => self.link.ended(self.epoch),
        }
    }

    fn method_name(&self) -> &'static str {
        self.interface.method(self.method).map_or("?", |method| method.name)
    }
}

/// Encodes the servant's value or error, and collects the payloads in it.
fn encode<T: Serialize + 'static>(
    encoder: &mut Encoder,
    payloads: &mut Vec<Payload>,
    value: T,
) -> Result<(), Error> {
    if !may_hold::<T>() {
        return encoder.owned(value);
    }
    collect_into(payloads, || encoder.owned(value))
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
        } else if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
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
