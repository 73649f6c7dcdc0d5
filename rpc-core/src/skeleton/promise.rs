//! Objects that stand for one that is not there: a promise, until the object is known; and one that never will be.

use super::{Home, Local, Object, Request, Task};
use crate::{
    context::Context,
    driver::{Job, launch_late},
    error::Error,
    id::MethodId,
    interface::Description,
};
use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::runtime::Handle;

static UNKNOWN: Description =
    Description { name: "?", docs: "", methods: &[], type_arguments: &[] };

/// An object that refuses all calls with this error.
pub(crate) fn hopeless(error: Error) -> Local {
    Local::new(Arc::new(Hopeless { error, home: Home::default() }))
}

struct Hopeless {
    error: Error,
    home: Home,
}

impl Object for Hopeless {
    fn description(&self) -> &'static Description {
        &UNKNOWN
    }

    fn home(&self) -> &Home {
        &self.home
    }

    fn start(self: Arc<Self>, _method: MethodId, request: Request, _task: &mut Task) {
        request.refuse(self.error.clone());
    }
}

/// An object that another call will return. Calls wait for it in the order in which they came.
pub(crate) struct Promise {
    runtime: Handle,
    state: Mutex<State>,
    home: Home,
}

#[derive(Default)]
struct State {
    object: Option<Local>,
    /// None wait any more.
    open: bool,
    waiting: VecDeque<(MethodId, Request, Option<Context>)>,
}

impl Promise {
    /// A promise whose calls are started in `runtime`.
    pub(crate) fn new(runtime: Handle) -> Arc<Self> {
        Arc::new(Self { runtime, state: Mutex::default(), home: Home::default() })
    }

    /// The object is known. Calls that wait are started by a task: this runs under the connection's lock.
    pub(crate) fn fulfil(self: &Arc<Self>, object: &Local) {
        self.lock().object = Some(object.clone());
        let this = Arc::clone(self);
        self.runtime.spawn(async move { this.start_waiting() });
    }

    fn start_waiting(&self) {
        loop {
            let mut state = self.lock();
            let Some(object) = state.object.clone() else { return };
            let Some((method, request, context)) = state.waiting.pop_front() else {
                state.open = true;
                return;
            };
            drop(state);
            if let Some(context) = context {
                launch_late(Job { object, method, request, context });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Object for Promise {
    fn description(&self) -> &'static Description {
        self.lock().object.as_ref().map_or(&UNKNOWN, Local::description)
    }

    fn home(&self) -> &Home {
        &self.home
    }

    fn start(self: Arc<Self>, method: MethodId, request: Request, task: &mut Task) {
        let mut state = self.lock();
        match state.object.clone().filter(|_| state.open) {
            Some(object) => {
                drop(state);
                object.start(method, request, task);
            }
            None => state.waiting.push_back((method, request, task.context.take())),
        }
    }
}

impl fmt::Debug for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Promise")
    }
}
