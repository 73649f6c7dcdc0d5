//! A servant that serves one call at a time, because its interface has `&mut self` methods.
//!
//! The servant moves into the handler of the call that it serves and comes back when that ends; no lock is held meanwhile. Calls
//! that come in between wait in order. A call made within the chain of the one being served could only wait for itself: it is refused.

use super::{Home, Local, Object, Task};
use crate::{
    context::Context,
    driver::{Job, launch_late},
    error::{Error, ErrorKind},
    host,
    id::MethodId,
    interface::{Description, Interface, StartExclusive},
    skeleton::Request,
};
use std::{
    collections::VecDeque,
    fmt,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Hosts a servant that serves one call at a time.
#[must_use]
pub fn actor<I: Interface + ?Sized, T: Send + 'static>(
    servant: T,
    start: StartExclusive<T>,
) -> Local {
    let state = State { servant: Some(Box::new(servant)), chain: 0, queue: VecDeque::new() };
    let (description, home) = (I::DESCRIPTION, Home::default());
    Local::new(Arc::new(Actor { description, start, state: Mutex::new(state), home }))
}

struct Actor<T: Send + 'static> {
    description: &'static Description,
    start: StartExclusive<T>,
    state: Mutex<State<T>>,
    home: Home,
}

struct State<T> {
    /// Not there while it serves a call.
    servant: Option<Box<T>>,
    /// The chain of the call being served.
    chain: u64,
    queue: VecDeque<(MethodId, Request, Option<Context>)>,
}

impl<T: Send + 'static> Object for Actor<T> {
    fn description(&self) -> &'static Description {
        self.description
    }

    fn home(&self) -> &Home {
        &self.home
    }

    fn start(self: Arc<Self>, method: MethodId, request: Request, task: &mut Task) {
        let chain = task.context.as_ref().map_or(0, |context| context.chain);
        let mut state = self.lock();
        if state.servant.is_none() && host::is_within(chain, state.chain) {
            drop(state);
            let text = format!(
                "`{}` serves one call at a time (it has `&mut self` methods), and this call was made while it served one of the same \
                 chain: it would wait for itself",
                self.description.name
            );
            return request.refuse(Error::of(ErrorKind::WouldDeadlock, text));
        }
        let idle = state.queue.is_empty();
        match state.servant.take_if(|_| idle) {
            Some(servant) => {
                state.chain = chain;
                drop(state);
                let servant = Exclusive { servant: Some(servant), home: Arc::clone(&self) };
                (self.start)(servant, method, request, task);
            }
            None => state.queue.push_back((method, request, task.context.take())),
        }
    }
}

impl<T: Send + 'static> Actor<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the servant back. Calls that waited are started by a task: this may run in a destructor.
    fn take_back(self: &Arc<Self>, servant: Box<T>) {
        let mut state = self.lock();
        state.servant = Some(servant);
        let next = state.queue.front().map(|(_, request, _)| request.link());
        drop(state);
        if let Some(link) = next {
            let this = Arc::clone(self);
            link.runtime().spawn(async move { this.start_next() });
        }
    }

    /// Starts the call that has waited longest, if the servant is at home.
    fn start_next(self: Arc<Self>) {
        let (job, servant, mut task_context) = {
            let mut state = self.lock();
            if state.servant.is_none() {
                return;
            }
            let Some((method, request, context)) = state.queue.pop_front() else { return };
            let Some(servant) = state.servant.take() else { return };
            state.chain = context.as_ref().map_or(0, |context| context.chain);
            ((method, request), servant, context)
        };
        let Some(context) = task_context.take() else { return };
        let (method, request) = job;
        let servant = Exclusive { servant: Some(servant), home: Arc::clone(&self) };
        let object = Local::new(Arc::new(Ready {
            description: self.description,
            start: self.start,
            servant: Mutex::new(Some(servant)),
            home: Home::default(),
        }));
        launch_late(Job { object, method, request, context });
    }
}

/// The servant on its way into the one call that it was taken for.
struct Ready<T: Send + 'static> {
    description: &'static Description,
    start: StartExclusive<T>,
    servant: Mutex<Option<Exclusive<T>>>,
    home: Home,
}

impl<T: Send + 'static> Object for Ready<T> {
    fn description(&self) -> &'static Description {
        self.description
    }

    fn home(&self) -> &Home {
        &self.home
    }

    fn start(self: Arc<Self>, method: MethodId, request: Request, task: &mut Task) {
        let servant = self.servant.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(servant) = servant {
            (self.start)(servant, method, request, task);
        }
    }
}

/// The servant of an exclusive interface, for as long as one call runs. Dropping it lets the next call begin.
pub struct Exclusive<T: Send + 'static> {
    servant: Option<Box<T>>,
    home: Arc<Actor<T>>,
}

impl<T: Send + 'static> Deref for Exclusive<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.servant.as_ref().expect("the servant leaves only when this is dropped")
    }
}

impl<T: Send + 'static> DerefMut for Exclusive<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.servant.as_mut().expect("the servant leaves only when this is dropped")
    }
}

impl<T: Send + 'static> Drop for Exclusive<T> {
    fn drop(&mut self) {
        if let Some(servant) = self.servant.take() {
            self.home.take_back(servant);
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Exclusive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exclusive")
    }
}
