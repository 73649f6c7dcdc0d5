//! What a call of mine will return, while calls are made on it: they go out at once, and the peer starts them when it knows the object.

use super::{Link, State, waiter::Reply};
use crate::{
    error::{Error, ErrorKind},
    id::CallId,
    interface::Method,
    stub::Handle,
};
use std::{fmt, sync::Arc};

/// The result of a call, as something that can be called. The call is not over before this is dropped.
pub(crate) struct Promised {
    pub(crate) link: Arc<Link>,
    pub(crate) call: CallId,
    /// What the call was made on: it may be the result of another one.
    _on: Arc<Handle>,
}

impl Promised {
    /// Calls can be made from now on on what `call` will return, which somebody has made on `on` and nobody has given up.
    pub(crate) fn new(
        link: &Arc<Link>,
        call: CallId,
        method: &'static Method,
        on: &Arc<Handle>,
    ) -> Self {
        link.lock().waiter(call).promised = Some(method);
        Self { link: Arc::clone(link), call, _on: Arc::clone(on) }
    }
}

impl Drop for Promised {
    fn drop(&mut self) {
        let mut state = self.link.lock();
        let waiter = state.waiter(self.call);
        waiter.promised = None;
        let runs_on = waiter.detached;
        drop(state);
        if !runs_on {
            self.link.abandon(self.call);
        }
    }
}

impl State {
    /// Why no call can be made on what this one was to return.
    pub(super) fn why_unanswered(&self, call: CallId) -> Error {
        let waiter = self.waiters.get(call.slot as usize);
        let why = match waiter.and_then(|waiter| waiter.reply.as_ref()) {
            Some(Reply::Failed(error)) => error.text(),
            _ => "the connection that it was made on was lost, or it was refused",
        };
        let method = waiter.and_then(|waiter| waiter.promised).map_or("?", |method| method.name);
        hop_failed(method, why)
    }
}

/// The error of a call on the result of a call of `method` that failed.
pub(crate) fn hop_failed(method: &str, why: &str) -> Error {
    let text = format!("`{method}`, whose result was to be called, failed: {why}");
    Error::of(ErrorKind::Pipeline, text)
}

impl fmt::Debug for Promised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Promised").field(&self.call).finish()
    }
}
