//! Objects that stand for one that is not there: a promise, until the object is known; and one that never will be.

use super::{Home, Local, Object, Request, Task};
use crate::{
    context::Context,
    described::wrong_interface,
    driver::{Job, launch_late},
    error::Error,
    id::MethodId,
    interface::Description,
};
use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use tokio::runtime::Handle;

/// The interface of what is not known yet.
pub(crate) static UNKNOWN: Description =
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
    /// What it is taken for.
    expected: OnceLock<&'static Description>,
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
        let expected = OnceLock::new();
        Arc::new(Self { runtime, expected, state: Mutex::default(), home: Home::default() })
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
            let object = self.checked(object);
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

    /// The object, if it is what it was taken for.
    fn checked(&self, object: Local) -> Local {
        let (found, wanted) = (object.description(), self.description());
        let fits = [found, wanted].iter().any(|one| is_unknown(one))
            || std::ptr::eq(found, wanted)
            || found.full_name() == wanted.full_name();
        if fits {
            return object;
        }
        hopeless(wrong_interface(&found.full_name(), &wanted.full_name()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Object for Promise {
    fn description(&self) -> &'static Description {
        self.expected.get().copied().unwrap_or(&UNKNOWN)
    }

    fn expect(&self, interface: &'static Description) {
        let _ = self.expected.set(interface);
    }

    fn home(&self) -> &Home {
        &self.home
    }

    fn start(self: Arc<Self>, method: MethodId, request: Request, task: &mut Task) {
        let mut state = self.lock();
        match state.object.clone().filter(|_| state.open) {
            Some(object) => {
                drop(state);
                self.checked(object).start(method, request, task);
            }
            None => state.waiting.push_back((method, request, task.context.take())),
        }
    }
}

/// Whether this is what a promise says before it is kept.
pub(crate) fn is_unknown(interface: &'static Description) -> bool {
    std::ptr::eq(interface, &UNKNOWN)
}

impl fmt::Debug for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Promise")
    }
}
