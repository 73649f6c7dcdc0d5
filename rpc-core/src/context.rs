//! What a servant knows of the call that it serves: who calls, until when, and in which chain.

use crate::{
    clock,
    driver::Line,
    frame::{Trace, metadata_pairs},
    payload::Loan,
    transport::{Peer, Purpose},
};
use std::{
    cell::RefCell,
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, Weak},
    task,
    time::{Duration, Instant},
};
use tracing::Span;

/// The call that is being served.
///
/// It follows the polls of the servant's own future, and not the tasks that the servant spawns: carry it there with
/// [`Context::scope`].
#[derive(Clone)]
pub struct Context {
    pub(crate) deadline: Option<Instant>,
    pub(crate) chain: u64,
    pub(crate) trace: Option<Box<Trace>>,
    pub(crate) metadata: Option<Arc<[u8]>>,
    pub(crate) caller: Arc<Caller>,
    /// The span of the serving, where somebody collects spans.
    pub(crate) span: Option<Box<Span>>,
}

/// Where the calls of one wire come from.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) peer: Arc<Peer>,
    /// The wire, which a context that is kept does not keep.
    pub(crate) line: Weak<Line>,
}

thread_local! {
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// The call that is being served by the running code, if any.
#[must_use]
pub fn context() -> Option<Context> {
    with(|context| context.cloned())
}

/// Who made the call that is being served by the running code.
#[must_use]
pub fn peer() -> Option<Arc<Peer>> {
    with(|context| context.map(|context| Arc::clone(&context.caller.peer)))
}

/// Writable memory for `length` bytes that will travel as a [`Payload`](crate::payload::Payload) to whoever made the call that is being
/// served: in the transport where it has some, so that it is not copied; else, and outside of a call, on the heap.
#[must_use]
pub fn loan(length: usize) -> Loan {
    let line = with(|context| context.and_then(|context| context.caller.line.upgrade()));
    let loan = line.and_then(|line| line.tx.loan(length, Purpose::Loan));
    loan.unwrap_or_else(|| Loan::heap(length))
}

impl Context {
    /// When the caller stops waiting; `None` if it waits for ever.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How long the caller still waits.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(clock::now()))
    }

    /// Names the chain of calls that this one belongs to, through all processes.
    #[must_use]
    pub fn chain(&self) -> u64 {
        self.chain
    }

    /// The W3C trace context that came with the call: trace id, span id, flags.
    #[must_use]
    pub fn trace(&self) -> Option<&Trace> {
        self.trace.as_deref()
    }

    /// The value that the caller sent under `key`.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        let bytes = self.metadata.as_deref()?;
        metadata_pairs(bytes).find(|&(found, _)| found == key).map(|(_, value)| value)
    }

    /// Runs `future` as part of this call: calls that it makes inherit the deadline, the chain and the trace.
    ///
    /// # Cancel safety
    /// That of `future`.
    pub fn scope<F: Future>(self, future: F) -> Scoped<F> {
        Scoped { context: Some(self), future: Box::pin(future) }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("peer", &self.caller.peer)
            .field("chain", &self.chain)
            .finish_non_exhaustive()
    }
}

/// A future that runs as part of a call. Made by [`Context::scope`].
#[derive(Debug)]
pub struct Scoped<F> {
    context: Option<Context>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> task::Poll<F::Output> {
        let this = &mut *self;
        enter(&mut this.context, || this.future.as_mut().poll(cx))
    }
}

/// Looks at the current context.
pub(crate) fn with<R>(look: impl FnOnce(Option<&Context>) -> R) -> R {
    CURRENT.with(|current| look(current.borrow().as_ref()))
}

/// Runs `body` with `context` as the current one, and puts it back afterwards, also if `body` panics.
pub(crate) fn enter<R>(context: &mut Option<Context>, body: impl FnOnce() -> R) -> R {
    struct Restore<'a>(&'a mut Option<Context>);
    impl Drop for Restore<'_> {
        fn drop(&mut self) {
            exchange(self.0);
        }
    }
    let span = context.as_ref().and_then(|context| context.span.as_deref().cloned());
    let _entered = span.as_ref().map(Span::enter);
    exchange(context);
    let _restore = Restore(context);
    body()
}

fn exchange(context: &mut Option<Context>) {
    CURRENT.with(|current| mem::swap(&mut *current.borrow_mut(), context));
}
