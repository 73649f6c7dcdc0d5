//! Calls on what other calls return, while those run. They wait in the order of their arrival, and move to the object, or fail, before the
//! answer goes out: so a caller that has seen it comes after everything that it sent before.

use super::{
    Link,
    body::Body,
    counters::Watched,
    state::{Incoming, State},
};
use crate::{
    conn::IncomingCall,
    error::{Error, ErrorKind},
    id::CallId,
    skeleton::{Local, Object, Promise, hopeless},
    stub::Handle,
};
use std::{collections::HashMap, sync::Arc};

/// What waits for answers, by the calls that will give them.
#[derive(Default, Debug)]
pub(super) struct Pipelined {
    waiting: HashMap<CallId, Waiting>,
    count: usize,
}

#[derive(Default, Debug)]
struct Waiting {
    calls: Vec<(IncomingCall<Local>, Body)>,
    /// What references to the answer lead to that are in use already.
    promise: Option<Arc<Promise>>,
}

impl Pipelined {
    /// The wire is gone: references to answers lead nowhere, and the rest is given out to be dropped.
    pub(super) fn take_all(&mut self, why: &Error) -> impl Sized + use<> {
        self.count = 0;
        let waiting = std::mem::take(&mut self.waiting);
        let promises = waiting.values().filter_map(|waiting| waiting.promise.as_ref());
        promises.for_each(|promise| promise.fulfil(&hopeless(why.clone())));
        waiting
    }
}

impl State {
    /// A call has come on what `answer` will return. True if it is one too many, and can be started, to be refused.
    pub(super) fn pipeline(
        &mut self,
        answer: CallId,
        call: IncomingCall<Local>,
        body: Body,
    ) -> bool {
        let pipelined = &mut self.pipelined;
        let (of_one, of_all) = (self.limits.pipelined_per_answer, self.limits.pipelined);
        // Reading must not pause for them: what they wait for may be still to be read.
        let fits = self.arrived_bytes <= self.limits.arrived_bytes;
        let waiting = pipelined.waiting.entry(answer).or_default();
        if fits && waiting.calls.len() < of_one && pipelined.count < of_all {
            pipelined.count += 1;
            waiting.calls.push((call, body));
            self.handles.counters.watch(Watched::Pipelined, self.pipelined.count, of_all);
            return false;
        }
        let text = match fits {
            true => format!(
                "more than {of_one} calls wait for what one call returns, or {of_all} for what others return: wait for it first, or raise \
                 `pipelined_per_answer` and `pipelined` of the callee"
            ),
            false => format!(
                "calls of more than {} bytes wait: wait for what others return first, or raise `arrived_bytes` of the callee",
                self.limits.arrived_bytes
            ),
        };
        let object = hopeless(Error::of(ErrorKind::Overloaded, text));
        self.arrived.push_back(Incoming { object, call, body });
        true
    }

    /// A reference to what `answer` will return has come.
    pub(super) fn promise(&mut self, link: &Link, answer: CallId) -> Arc<Handle> {
        let waiting = self.pipelined.waiting.entry(answer).or_default();
        let promise = waiting.promise.get_or_insert_with(|| Promise::new(link.runtime.clone()));
        Handle::home(&Local::new(Arc::clone(promise) as Arc<dyn Object>))
    }

    /// The call has its answer, which has not gone out yet: an object, why there is none, or nothing that could be called. True if calls
    /// can be started now that waited for it.
    pub(super) fn fulfil(&mut self, call: CallId, answer: Option<&Result<Local, Error>>) -> bool {
        if self.pipelined.waiting.is_empty() {
            return false;
        }
        let Some(waiting) = self.pipelined.waiting.remove(&call) else { return false };
        self.pipelined.count = self.pipelined.count.saturating_sub(waiting.calls.len());
        let object = match answer {
            Some(Ok(object)) => object.clone(),
            Some(Err(error)) => hopeless(error.clone()),
            None => {
                let text = format!("{call}, whose result was to be called, returns no object");
                hopeless(Error::of(ErrorKind::Pipeline, text))
            }
        };
        let any = !waiting.calls.is_empty();
        for (call, body) in waiting.calls {
            self.arrived.push_back(Incoming { object: object.clone(), call, body });
        }
        waiting.promise.iter().for_each(|promise| promise.fulfil(&object));
        any
    }
}
