//! Starts the calls that have arrived: each is polled once where its frame was read, and goes on as a task of its own only
//! if that did not finish it.
//!
//! A method whose first poll has proved slow moves its object to a lane ([`Lane`]).

use super::{
    Link,
    lane::{Lane, Weights},
    line::Line,
    state::{Incoming, State},
};
use crate::{
    clock,
    conn::IncomingCall,
    context::{self, Context},
    error::{Error, ErrorKind},
    frame::Target,
    host,
    id::{MethodId, ObjectId},
    runtime,
    skeleton::{Local, Request, Task},
};
use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{Arc, LazyLock},
    task::{self, Waker},
    time::Instant,
};
use tokio::{task::coop::unconstrained, time::Sleep};
use tokio_util::sync::ReusableBoxFuture;
use tracing::Span;

/// Calls started before the other tasks of the thread run.
const BATCH: usize = 64;
/// Futures kept per method.
const KEPT: usize = 4;

/// A handler, type-erased; its memory is used again for the next call of the same method.
pub(crate) type Handler = ReusableBoxFuture<'static, ()>;

/// A call that is ready to be started.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) object: Local,
    pub(crate) method: MethodId,
    pub(crate) request: Request,
    pub(crate) context: Context,
}

/// What the background task keeps between calls.
#[derive(Default, Debug)]
pub(super) struct Starter {
    /// A call to be started before those that have arrived.
    pub(super) next: Option<Next>,
    recycled: Vec<(MethodId, Vec<Handler>)>,
    weights: Weights,
    /// By the keys of their objects.
    lanes: Vec<(usize, Lane)>,
    loose: Vec<(usize, MethodId)>,
}

impl Link {
    /// A draining endpoint has accepted what has arrived: it runs, though the wire has ended.
    pub(super) fn start_accepted(self: &Arc<Self>, line: &Arc<Line>, starter: &mut Starter) {
        loop {
            let state = self.lock();
            if !state.conn.is_draining() || state.arrived.is_empty() || state.is_stalled(line) {
                return;
            }
            drop(state);
            let mut now = None;
            self.start_arrived(line, starter, None, &mut now);
        }
    }

    /// Starts what has arrived, `first` before the rest. `now` is the time, where it is known. True if there was anything.
    pub(super) fn start_arrived(
        self: &Arc<Self>,
        line: &Arc<Line>,
        starter: &mut Starter,
        mut first: Option<Next>,
        now: &mut Option<Instant>,
    ) -> bool {
        let mut any = false;
        for _ in 0..BATCH {
            let next = first.take().or_else(|| self.lock().next_arrived(line));
            let Some(next) = next else { break };
            any = true;
            let last = next.last;
            if next.cancelled {
                Job::new(self, line, next).request.refuse_cancelled();
            } else {
                let begun = now.unwrap_or_else(clock::now);
                *now = Some(starter.start(self, line, next, begun));
            }
            if last {
                break;
            }
        }
        any
    }
}

/// A call that is the next to be started.
#[derive(Debug)]
pub(super) struct Next {
    incoming: Incoming,
    /// The number of its wire.
    epoch: u32,
    pub(super) cancelled: bool,
    /// No other has arrived.
    last: bool,
}

impl Next {
    pub(super) fn into_parts(self) -> (u32, Incoming) {
        (self.epoch, self.incoming)
    }
}

impl State {
    /// Takes out the next call to be started.
    #[inline]
    pub(super) fn next_arrived(&mut self, line: &Line) -> Option<Next> {
        if self.is_stalled(line) {
            return None;
        }
        let incoming = self.arrived.pop_front()?;
        self.arrived_bytes = self.arrived_bytes.saturating_sub(incoming.body.len());
        let cancelled = self.is_cancelled(&incoming);
        let last = self.arrived.is_empty();
        Some(Next { incoming, epoch: self.epoch, cancelled, last })
    }

    /// Whether the caller of what has come has given it up.
    fn is_cancelled(&self, incoming: &Incoming) -> bool {
        incoming.call.call.is_some_and(|call| self.conn.is_cancelled(call))
    }

    /// Whether a call that has just come is the next to be started.
    #[inline]
    pub(super) fn is_next(&self, line: &Line) -> bool {
        self.arrived.is_empty() && !self.is_stalled(line)
    }

    /// A call that has just come, and is the next to be started.
    #[inline]
    pub(super) fn next_of(&mut self, incoming: Incoming) -> Next {
        self.arrived_bytes = self.arrived_bytes.saturating_sub(incoming.body.len());
        Next { incoming, epoch: self.epoch, cancelled: false, last: true }
    }

    /// Looks what has come since.
    pub(super) fn look_again(&self, next: &mut Next) {
        next.cancelled = self.is_cancelled(&next.incoming);
        next.last = self.arrived.is_empty();
    }
}

impl Starter {
    /// Starts a call at `begun`, and tells when its first poll was over.
    pub(super) fn start(
        &mut self,
        link: &Arc<Link>,
        line: &Arc<Line>,
        next: Next,
        begun: Instant,
    ) -> Instant {
        let Incoming { object, call, .. } = &next.incoming;
        let (object, method) = (object.key(), call.method);
        let is_root = call.target == Target::Export(ObjectId::ROOT);
        let job = Job::new(link, line, next);
        if let Some(at) = self.lanes.iter().position(|(of, _)| *of == object) {
            if !self.lanes[at].1.is_spare() {
                self.lanes[at].1.push(job);
                return begun;
            }
            self.lanes.swap_remove(at);
            link.lock().lanes = self.lanes.len();
        }
        if self.loose.contains(&(object, method)) {
            tokio::spawn(async move { runtime::at_length(|| launch_late(job)) });
            return begun;
        }
        let unordered = job.request.mode().unordered;
        let clock = begun;
        let begun = self.weights.begin(begun);
        let kept = self.recycled_for(method);
        if let Some(finished) = launch(link, job, kept.pop(), clock)
            && kept.len() < KEPT
        {
            kept.push(finished);
        }
        let ended = clock::now();
        if !self.weights.end(begun, ended, object, method) || is_root {
            return ended;
        }
        if unordered {
            self.loose.push((object, method));
        } else {
            self.lanes.push((object, Lane::new()));
            link.lock().lanes = self.lanes.len();
        }
        ended
    }

    fn recycled_for(&mut self, method: MethodId) -> &mut Vec<Handler> {
        let found = self.recycled.iter().position(|(of, _)| *of == method);
        let at = found.unwrap_or_else(|| {
            self.recycled.push((method, Vec::new()));
            self.recycled.len() - 1
        });
        &mut self.recycled[at].1
    }
}

/// The span of a call that is served: `farcall::call` `serve`, with its interface, its method and its chain.
fn span(object: &Local, call: &IncomingCall<Local>) -> Option<Box<Span>> {
    if !tracing::enabled!(target: "farcall::call", tracing::Level::DEBUG) {
        return None;
    }
    let interface = object.description();
    let method = interface.method(call.method).map_or("?", |method| method.name);
    let span = tracing::debug_span!(target: "farcall::call", "serve", interface = interface.name, method, chain = call.chain);
    Some(Box::new(span))
}

impl Job {
    #[inline]
    pub(super) fn new(link: &Arc<Link>, line: &Line, next: Next) -> Self {
        let Next { incoming: Incoming { object, mut call, body }, epoch, .. } = next;
        let metadata = match call.metadata.is_empty() {
            true => None,
            false => body.frame().get(call.metadata.clone()),
        };
        let context = Context {
            deadline: call.deadline,
            chain: call.chain.unwrap_or_else(host::new_chain),
            trace: call.trace.take(),
            metadata: metadata.map(Arc::from),
            caller: Arc::clone(&line.caller),
            span: span(&object, &call),
        };
        let request = Request::new(Arc::clone(link), epoch, object.description(), &call, body);
        Self { object, method: call.method, request, context }
    }
}

/// Starts a call that has waited, unless its caller has gone meanwhile.
pub(crate) fn launch_late(job: Job) {
    if job.request.is_cancelled() {
        job.request.refuse_cancelled();
    } else {
        let link = job.request.link();
        drop(launch(&link, job, None, clock::now()));
    }
}

/// Polls a call for the first time, at `now`. What is pending goes on as a task; the handler of what is finished can be used again.
pub(super) fn launch(
    link: &Link,
    job: Job,
    handler: Option<Handler>,
    now: Instant,
) -> Option<Handler> {
    if job.context.deadline.is_some_and(|deadline| deadline <= now) {
        let text = "the deadline passed before the call was started";
        job.request.refuse(Error::of(ErrorKind::TimedOut, text));
        return handler;
    }
    let call = job.request.call();
    let runs_out = job.request.mode().runs_out();
    let mut task = Task::new(handler, job.context);
    // A panic's message was printed by the hook, and the request answered when it was dropped.
    let polled = catch_unwind(AssertUnwindSafe(|| {
        job.object.start(job.method, job.request, &mut task);
        task.poll_first()
    }));
    match polled {
        Ok(Some(task::Poll::Pending)) => link.spawn(call, task, runs_out),
        Ok(_) => return task.into_handler(),
        Err(_) => {}
    }
    None
}

impl Link {
    /// Lets a call that was pending go on as a task.
    fn spawn(&self, call: Option<crate::id::CallId>, task: Task, runs_out: bool) {
        let Some(running) = Running::new(task, runs_out) else { return };
        // Outside of the lock: a runtime that shuts down drops the task at once, and that answers the call.
        let handle = self.runtime.spawn(running).abort_handle();
        let Some(call) = call.filter(|_| !runs_out) else { return };
        let mut state = self.lock();
        if state.conn.is_cancelled(call) {
            drop(state);
            handle.abort();
        } else if state.conn.is_serving(call) {
            state.running.insert(call, handle);
        }
    }
}

/// A handler beyond its first poll.
struct Running {
    handler: Option<Handler>,
    context: Option<Context>,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Running {
    fn new(task: Task, runs_out: bool) -> Option<Self> {
        let (handler, context) = task.into_parts();
        let deadline = context.as_ref().and_then(Context::deadline).filter(|_| !runs_out);
        let sleep = |at: Instant| Box::pin(tokio::time::sleep_until(at.into()));
        Some(Self { handler: Some(handler?), context, deadline: deadline.map(sleep) })
    }
}

impl Future for Running {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> task::Poll<()> {
        let this = &mut *self;
        let Some(handler) = &mut this.handler else { return task::Poll::Ready(()) };
        let polled = context::enter(&mut this.context, || handler.poll(cx));
        let mut late = || this.deadline.as_mut().is_some_and(|at| at.as_mut().poll(cx).is_ready());
        if polled.is_pending() && !late() {
            return task::Poll::Pending;
        }
        context::enter(&mut this.context, || drop(this.handler.take()));
        task::Poll::Ready(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let handler = self.handler.take();
        context::enter(&mut self.context, || drop(handler));
    }
}

/// The waker of a servant's first poll: what is pending after it goes on as a task, with a waker of its own.
///
/// One and the same for all, and told by its address: two `Waker::noop()` need not be equal for `will_wake`.
pub(super) fn nobody() -> &'static Waker {
    static NOBODY: LazyLock<Waker> = LazyLock::new(|| Waker::noop().clone());
    &NOBODY
}

impl Task {
    /// Polls the handler where it was started. `None`: the object has taken the call over.
    fn poll_first(&mut self) -> Option<task::Poll<()>> {
        let (handler, context) = self.filled()?;
        let poll = poll_fn(|cx| handler.poll(cx));
        let mut cx = task::Context::from_waker(nobody());
        Some(context::enter(context, || pin!(unconstrained(poll)).poll(&mut cx)))
    }
}
