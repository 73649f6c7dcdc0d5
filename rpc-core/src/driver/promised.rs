//! What a call of mine will return, while calls are made on it: they go out at once, and the peer starts them when it knows the object.

use super::{
    Link, State,
    waiter::{Reply, Wakes},
};
use crate::{
    conn::Standing,
    error::{Error, ErrorKind},
    id::CallId,
    interface::Method,
    stub::Handle,
};
use std::{
    fmt,
    future::poll_fn,
    pin::pin,
    sync::{Arc, OnceLock},
    task::Poll,
};
use tokio::sync::Notify;

/// The result of a call, as something that can be called. The call is not over before this is dropped.
pub(crate) struct Promised {
    pub(crate) link: Arc<Link>,
    pub(crate) call: CallId,
    fate: Arc<Fate>,
    /// What the call was made on: it may be the result of another one.
    _on: Arc<Handle>,
}

/// What has become of a call on whose result calls are made. Its waiter has it as long as the [`Promised`] is there, so that it is dropped
/// under no lock.
#[derive(Debug)]
pub(crate) struct Fate {
    method: &'static Method,
    /// The object that the call has returned.
    object: OnceLock<Arc<Handle>>,
    /// Why calls on the result can only fail, whatever becomes of the object.
    lost: OnceLock<Error>,
    told: Notify,
}

impl Promised {
    /// Calls can be made from now on on what `call` will return, which somebody has made on `on` and nobody has given up.
    pub(crate) fn new(
        link: &Arc<Link>,
        call: CallId,
        method: &'static Method,
        on: &Arc<Handle>,
    ) -> Self {
        let fate = Arc::new(Fate {
            method,
            object: OnceLock::new(),
            lost: OnceLock::new(),
            told: Notify::new(),
        });
        let mut state = link.lock();
        let waiter = state.waiter(call);
        waiter.promised = Some(Arc::clone(&fate));
        if let Some(reply) = &waiter.reply {
            fate.note(reply);
            if state.conn.standing(call) == Standing::Gone {
                fate.lose(state.why_unanswered(call));
            }
        }
        drop(state);
        Self { link: Arc::clone(link), call, fate, _on: Arc::clone(on) }
    }

    /// What has become of the call.
    pub(crate) fn fate(&self) -> &Arc<Fate> {
        &self.fate
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

impl Fate {
    /// Waits until calls on the result can only fail, and says why.
    pub(crate) async fn ended(&self) -> Error {
        loop {
            let mut told = pin!(self.told.notified());
            if let Some(why) = self.lost.get() {
                return why.clone();
            }
            let Some(object) = self.object.get() else {
                told.await;
                continue;
            };
            let mut closed = Box::pin(object.closed());
            let why = poll_fn(|cx| match closed.as_mut().poll(cx) {
                Poll::Ready(why) => Poll::Ready(Some(why)),
                Poll::Pending => told.as_mut().poll(cx).map(|()| None),
            });
            if let Some(why) = why.await {
                return why;
            }
        }
    }

    /// Why calls on the result can only fail, once that is so.
    pub(crate) fn why_ended(&self) -> Option<Error> {
        self.lost.get().cloned().or_else(|| self.object.get()?.why_closed())
    }

    /// The call has come back, or never will: whoever waits for that is told.
    pub(super) fn settle(self: &Arc<Self>, reply: &Reply, wakes: &mut Wakes) {
        self.note(reply);
        wakes.push_told(Arc::clone(self));
    }

    fn note(&self, reply: &Reply) {
        let why = match reply {
            Reply::Ok(body) => match body.references().first() {
                Some(object) => {
                    let _ = self.object.set(Arc::clone(object));
                    return;
                }
                None => "it returned no object",
            },
            Reply::App(_) => "it returned an error",
            Reply::Failed(error) => error.text(),
        };
        self.lose(hop_failed(self.method.name, why));
    }

    fn lose(&self, why: Error) {
        let _ = self.lost.set(why);
    }

    /// Wakes those who wait for it. Under no lock: a waker is foreign code.
    pub(super) fn tell(&self) {
        self.told.notify_waiters();
    }
}

impl State {
    /// The wire is gone, and with it the answers that the peer has kept.
    pub(super) fn lose_answers(&mut self, why: &Error, wakes: &mut Wakes) {
        let promised = self.waiters.iter().filter_map(|waiter| waiter.promised.as_ref());
        for fate in promised.filter(|fate| fate.object.get().is_some()) {
            fate.lose(why.clone());
            wakes.push_told(Arc::clone(fate));
        }
    }

    /// Why no call can be made on what this one was to return.
    pub(super) fn why_unanswered(&self, call: CallId) -> Error {
        let waiter = self.waiters.get(call.slot as usize);
        let fate = waiter.and_then(|waiter| waiter.promised.as_ref());
        let why = match fate.and_then(|fate| fate.lost.get()) {
            Some(why) if why.kind() == ErrorKind::Pipeline => return why.clone(),
            Some(why) => why.text(),
            None => "the connection that it was made on was lost, or it was refused",
        };
        hop_failed(fate.map_or("?", |fate| fate.method.name), why)
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
