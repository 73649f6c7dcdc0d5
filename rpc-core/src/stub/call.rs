//! A call in flight.

use super::{
    Options, Remote,
    ahead::{self, Ahead},
    handle::Handle,
};
use crate::{
    codec::Decoder,
    driver::{Body, Link, Opened, Reply, Spinning, hop_failed},
    error::{Error, Executed},
    id::CallId,
    limits::Limits,
    payload::may_hold,
    runtime,
};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::{
    any::TypeId,
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::task::coop;

/// A call in flight. It is on its way already: `.await` its result, [`wait`](Self::wait) for it on a thread without a runtime, or let it
/// run with [`detach`](Self::detach). If it will return an object, the methods of that can be called on it at once:
/// see [`pipelined`](Self::pipelined).
///
/// # Cancel safety
/// Dropping it cancels the call: the servant's future is dropped at its next await, unless its method says `no_cancel` or takes
/// `&mut self`. Whether the servant had begun is not known then.
#[must_use = "a call that is dropped is cancelled: `.await` it, `.wait()` for it, or `.detach()` it"]
pub struct Call<T, E = Error> {
    flight: Flight,
    /// Decodes what comes back: it is known where the call is made, so that nothing is asked of `T` and `E` where it is awaited.
    read: fn(Reply) -> Result<T, E>,
}

impl<T, E> Call<T, E> {
    /// The call of a method whose result cannot travel, which the compiler has refused.
    pub(crate) fn refused() -> Self {
        let flight = Flight::failed(Error::new("the result cannot travel"));
        Self { flight, read: |_| panic!("the result cannot travel") }
    }

    /// Lets the call run without waiting for its result.
    pub fn detach(mut self) {
        self.flight.detach();
    }
}

impl<T, E> Call<T, E>
where
    T: DeserializeOwned + 'static,
    E: DeserializeOwned + From<Error> + 'static,
{
    pub(super) fn new(flight: Flight) -> Self {
        Self { flight, read: read::<T, E> }
    }
}

impl<T, E> Call<T, E> {
    /// Blocks this thread until the result is there. The thread sends and receives itself: no runtime is needed.
    ///
    /// # Errors
    /// Those of the call; `WaitInAsync` in async code, where blocking would stop everything else.
    pub fn wait(mut self) -> Result<T, E> {
        if let Err(error) = runtime::refuse_wait() {
            return (self.read)(Reply::Failed(error));
        }
        (self.read)(self.flight.wait())
    }
}

impl<I: ?Sized, E> Call<Remote<I>, E> {
    /// A handle on the object that the call will return: calls on it go out at once, and it can be passed on, while nobody waits for the
    /// call. Methods of the interface, called on the call itself, do the same. If the call fails, so do they, with an
    /// [`ErrorKind::Pipeline`](crate::error::ErrorKind::Pipeline) that names it.
    ///
    /// The handle is bound to the wire that the call went out on, and [`closed`](Remote::closed) when that is lost, when the call has failed, or
    /// when the object that it returned is gone.
    #[must_use]
    pub fn pipelined(this: &Self) -> Remote<I> {
        let (handle, options) = this.flight.ahead();
        Remote::with(Arc::clone(handle), options.clone())
    }

    pub(super) fn ahead(&self) -> (&Arc<Handle>, &Options) {
        self.flight.ahead()
    }
}

impl<T, E> Future for Call<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.flight.poll_reply(cx).map(self.read)
    }
}

impl<T, E> Unpin for Call<T, E> {}

impl<T, E> fmt::Debug for Call<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("Call");
        if let Stage::Out(call) = &self.flight.stage {
            tuple.field(call);
        }
        tuple.finish()
    }
}

/// Decodes what came back.
fn read<T, E>(reply: Reply) -> Result<T, E>
where
    T: DeserializeOwned + 'static,
    E: DeserializeOwned + From<Error> + 'static,
{
    match reply {
        Reply::Ok(body) => decode(body).map_err(E::from),
        Reply::App(body) => Err(decode(body).unwrap_or_else(E::from)),
        Reply::Failed(error) => Err(E::from(error)),
    }
}

fn decode<T: DeserializeOwned + 'static>(body: Body) -> Result<T, Error> {
    let Opened { values, start, mut brought } = body.open();
    let values = if is_bytes::<T>() { values.share() } else { values };
    let bytes = values.get(start..).unwrap_or_default();
    let budget = Limits::default().budget(bytes.len());
    let mut decoder = Decoder::new(bytes, budget).keeping(values.shared());
    let value = match may_hold::<T>() {
        true => brought.claim(|| decoder.owned()),
        false => decoder.owned(),
    };
    let value = value.and_then(|value| decoder.end().map(|()| value));
    value.map_err(|error| error.executed_as(Executed::Yes))
}

fn is_bytes<T: 'static>() -> bool {
    TypeId::of::<T>() == TypeId::of::<Bytes>()
}

/// A call in flight, whatever its result's type.
pub(crate) struct Flight {
    handle: Option<Arc<Handle>>,
    stage: Stage,
    spinning: Option<Spinning>,
    /// Where the method returns an object: what calls on that need.
    ahead: Option<Box<Ahead>>,
}

/// How far a call has come.
enum Stage {
    /// It is out.
    Out(CallId),
    /// It is a one-way call, and sent.
    Sent,
    /// It has failed before it was sent.
    Failed(Box<Error>),
    /// Its result was taken.
    Over,
}

impl Flight {
    /// A call on its way; a one-way call is over as soon as it is.
    pub(super) fn begun(handle: Arc<Handle>, call: Option<CallId>) -> Self {
        let stage = call.map_or(Stage::Sent, Stage::Out);
        Self { handle: Some(handle), stage, spinning: None, ahead: None }
    }

    pub(super) fn failed(error: Error) -> Self {
        let stage = Stage::Failed(Box::new(error));
        Self { handle: None, stage, spinning: None, ahead: None }
    }

    /// The same call, of a method that returns an object.
    pub(super) fn with(mut self, ahead: Ahead) -> Self {
        self.ahead = Some(Box::new(ahead));
        self
    }

    /// What calls on the result are made on, before that is there, and with which options.
    fn ahead(&self) -> (&Arc<Handle>, &Options) {
        let Some(ahead) = &self.ahead else { return ahead::nowhere() };
        let handle = ahead.handle(|method| match (&self.stage, &self.handle) {
            (Stage::Out(call), Some(handle)) => Handle::promised(handle, *call, method),
            (Stage::Failed(error), _) => Handle::Broken(hop_failed(method.name, error.text())),
            _ => Handle::Broken(hop_failed(method.name, "it is over")),
        });
        (handle, &ahead.options)
    }

    /// Calls are made on what it will return.
    fn is_promised(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| ahead.is_used())
    }

    fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<Reply> {
        // A task whose calls never have to wait lets the others of its thread run now and then: what has come for them among the rest.
        let Poll::Ready(step) = coop::poll_proceed(cx) else {
            // Not after the next look at the runtime's events only, which is late while a task spins.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        };
        let polled = self.poll_answer(cx);
        if polled.is_ready() {
            step.made_progress();
        }
        polled
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Reply> {
        let (Stage::Out(call), Some(Ok(link))) =
            (&self.stage, self.handle.as_ref().map(|handle| handle.link()))
        else {
            return Poll::Ready(self.take_early());
        };
        let polled = link.poll_reply(*call, &mut self.spinning, cx);
        if polled.is_ready() {
            self.stage = Stage::Over;
        }
        polled
    }

    fn wait(&mut self) -> Reply {
        match self.take_out() {
            Some((link, call)) => link.wait_reply(call),
            None => self.take_early(),
        }
    }

    fn detach(&mut self) {
        if let Some((link, call)) = self.take_out() {
            link.detach(call);
        }
    }

    /// A call that is out, and its connection.
    fn take_out(&mut self) -> Option<(&Link, CallId)> {
        let Stage::Out(call) = self.stage else { return None };
        let link = self.handle.as_ref()?.link().ok()?;
        self.stage = Stage::Over;
        Some((link, call))
    }

    /// The result of a call that is not out.
    fn take_early(&mut self) -> Reply {
        match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Sent => Reply::Ok(Body::default()),
            Stage::Failed(error) => Reply::Failed(*error),
            Stage::Out(_) | Stage::Over => {
                Reply::Failed(Error::new("a call was polled after it had finished"))
            }
        }
    }
}

impl Future for Flight {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        self.poll_reply(cx)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // Who calls what it returns gives it up.
        if !self.is_promised()
            && let Some((link, call)) = self.take_out()
        {
            link.abandon(call);
        }
    }
}
