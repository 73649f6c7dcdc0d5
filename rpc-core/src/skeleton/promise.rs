//! Objects that stand for one that is not there: a promise, until the object is known; and one that never will be.

use super::{Home, Local, Object, Request, Revocable, Task};
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
use tokio::{runtime::Handle, task::AbortHandle};

/// The interface of what is not known yet.
pub(crate) static UNKNOWN: Description =
    Description { name: "?", docs: "", methods: &[], type_arguments: &[] };

/// An object that refuses all calls with this error, and is taken away because of it.
pub(crate) fn hopeless(error: Error) -> Local {
    let revocable = Arc::new(Revocable::broken(error.clone()));
    Local::new(Arc::new(Hopeless { error, home: Home::default(), revocable }))
}

struct Hopeless {
    error: Error,
    home: Home,
    revocable: Arc<Revocable>,
}

impl Object for Hopeless {
    fn description(&self) -> &'static Description {
        &UNKNOWN
    }

    fn home(&self) -> &Home {
        &self.home
    }

    fn revocable(&self) -> Option<&Arc<Revocable>> {
        Some(&self.revocable)
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
    object: OnceLock<Local>,
    state: Mutex<State>,
    home: Home,
    /// Takes it away from those who were lent it before the object was known.
    revocable: Arc<Revocable>,
    /// Starts the calls that wait, and then waits for the end of the object.
    keeper: OnceLock<AbortHandle>,
}

#[derive(Default)]
struct State {
    /// None wait any more.
    open: bool,
    waiting: VecDeque<(MethodId, Request, Option<Context>)>,
}

impl Promise {
    /// A promise whose calls are started in `runtime`.
    pub(crate) fn new(runtime: Handle) -> Arc<Self> {
        Arc::new(Self {
            runtime,
            expected: OnceLock::new(),
            object: OnceLock::new(),
            state: Mutex::default(),
            home: Home::default(),
            revocable: Arc::default(),
            keeper: OnceLock::new(),
        })
    }

    /// The object is known. Calls that wait are started by a task: this runs under the connection's lock.
    pub(crate) fn fulfil(self: &Arc<Self>, object: &Local) {
        let _ = self.object.set(object.clone());
        let (this, object) = (Arc::clone(self), object.clone());
        let keeper = self.runtime.spawn(async move {
            this.start_waiting(&object);
            let (object, revocable) = (this.checked(object), Arc::clone(&this.revocable));
            drop(this);
            if object.revocables().next().is_some() {
                revocable.break_off(object.taken_away().await);
            }
        });
        let _ = self.keeper.set(keeper.abort_handle());
    }

    fn start_waiting(&self, object: &Local) {
        loop {
            let mut state = self.lock();
            let object = self.checked(object.clone());
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

    fn revocable(&self) -> Option<&Arc<Revocable>> {
        Some(&self.revocable)
    }

    fn inner(&self) -> Option<&Local> {
        self.object.get()
    }

    fn start(self: Arc<Self>, method: MethodId, request: Request, task: &mut Task) {
        let mut state = self.lock();
        match self.object.get().filter(|_| state.open) {
            Some(object) => {
                drop(state);
                self.checked(object.clone()).start(method, request, task);
            }
            None => state.waiting.push_back((method, request, task.context.take())),
        }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper.get() {
            keeper.abort();
        }
        // The key is the address of what is dropped here.
        let key = std::ptr::from_ref(self) as usize;
        self.object
            .get()
            .iter()
            .flat_map(|object| object.revocables())
            .for_each(|it| it.forget(key));
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
