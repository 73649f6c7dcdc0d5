//! The callee's side of generated code: a hosted servant, a request to it, the task that answers.

mod actor;
mod arguments;
mod forwarder;
mod promise;
mod request;
mod scope;

pub use actor::{Exclusive, actor};
pub use arguments::Arguments;
pub(crate) use forwarder::forwarder;
pub(crate) use promise::{Promise, UNKNOWN, hopeless, is_unknown};
pub use request::Request;
pub(crate) use scope::Revocable;
pub use scope::Scope;

use crate::{
    context::Context,
    driver::Handler,
    error::Error,
    id::MethodId,
    interface::{Description, Interface, StartShared},
    stub::Handle,
};
use std::{
    any::{Any, type_name},
    fmt,
    future::{Future, poll_fn},
    iter::successors,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::Poll,
};

/// An object of this process, ready to be called from another.
#[derive(Clone)]
pub struct Local(Arc<dyn Object>);

/// Something that can be called: a servant behind its interface.
pub(crate) trait Object: Send + Sync + 'static {
    /// What it can be asked.
    fn description(&self) -> &'static Description;

    /// It is taken for an object with this interface: tells one that does not know what it will be.
    fn expect(&self, _interface: &'static Description) {}

    /// Where the handle on it is found when a reference to it comes home.
    fn home(&self) -> &Home;

    /// The servant itself, where it is shared.
    fn servant(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        None
    }

    /// The handle that it stands in for, where it only passes calls on.
    fn stands_for(&self) -> Option<&Arc<Handle>> {
        None
    }

    /// What takes it away from its borrowers: the end of its scope, or of what it passes calls on to.
    fn revocable(&self) -> Option<&Arc<Revocable>> {
        None
    }

    /// The object of this process behind it, where it is in a scope: whatever takes that away takes this away too.
    fn inner(&self) -> Option<&Local> {
        None
    }

    /// Decodes a call and gives the rest to `task`, or keeps both for later.
    fn start(self: Arc<Self>, method: MethodId, request: Request, task: &mut Task);
}

/// The handle that this process has on an object of its own, while it has one: all its references that come home share it.
#[derive(Default)]
pub(crate) struct Home(Mutex<Weak<Handle>>);

impl Home {
    /// The handle, made by `make` if there is none.
    pub(crate) fn handle(&self, make: impl FnOnce() -> Handle) -> Arc<Handle> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = kept.upgrade() {
            return handle;
        }
        let handle = Arc::new(make());
        *kept = Arc::downgrade(&handle);
        handle
    }
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Home")
    }
}

impl Local {
    pub(crate) fn new(object: Arc<dyn Object>) -> Self {
        Self(object)
    }

    /// The same for every clone.
    pub(crate) fn key(&self) -> usize {
        Arc::as_ptr(&self.0).cast::<()>() as usize
    }

    pub(crate) fn description(&self) -> &'static Description {
        self.0.description()
    }

    pub(crate) fn expect(&self, interface: &'static Description) {
        self.0.expect(interface);
    }

    pub(crate) fn stands_for(&self) -> Option<&Arc<Handle>> {
        self.0.stands_for()
    }

    pub(crate) fn home(&self) -> &Home {
        self.0.home()
    }

    pub(crate) fn servant(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.0.servant()
    }

    /// Whatever takes it away from its borrowers.
    pub(crate) fn revocables(&self) -> impl Iterator<Item = &Arc<Revocable>> {
        let layers = successors(Some(self), |local| local.0.inner());
        layers.filter_map(|local| local.0.revocable())
    }

    /// Breaks it, wherever it is lent. The first reason counts. To be called under no lock.
    pub(crate) fn break_off(&self, why: &Error) {
        if let Some(revocable) = self.0.revocable() {
            revocable.break_off(why.clone());
        }
    }

    /// Waits until it is taken away from its borrowers.
    pub(crate) async fn taken_away(&self) -> Error {
        let mut ends: Vec<_> = self.revocables().map(|one| Box::pin(one.ended())).collect();
        poll_fn(|cx| {
            let mut ended = ends.iter_mut().map(|end| end.as_mut().poll(cx));
            ended.find(Poll::is_ready).unwrap_or(Poll::Pending)
        })
        .await
    }

    pub(crate) fn start(self, method: MethodId, request: Request, task: &mut Task) {
        self.0.start(method, request, task);
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Local").field(&self.description().name).finish()
    }
}

/// Hosts a servant that calls share.
#[must_use]
pub fn share<I: Interface + ?Sized, T: Send + Sync + 'static>(
    servant: Arc<T>,
    start: StartShared<T>,
) -> Local {
    let home = Home::default();
    Local::new(Arc::new(Shared { description: I::DESCRIPTION, servant, start, home }))
}

/// A servant that calls share.
struct Shared<T> {
    description: &'static Description,
    servant: Arc<T>,
    start: StartShared<T>,
    home: Home,
}

impl<T: Send + Sync + 'static> Object for Shared<T> {
    fn description(&self) -> &'static Description {
        self.description
    }

    fn home(&self) -> &Home {
        &self.home
    }

    fn servant(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(Arc::clone(&self.servant) as Arc<dyn Any + Send + Sync>)
    }

    fn start(self: Arc<Self>, method: MethodId, request: Request, task: &mut Task) {
        (self.start)(Common(self), method, request, task);
    }
}

/// A servant that calls share, for as long as one call runs.
pub struct Common<T>(Arc<Shared<T>>);

impl<T> Deref for Common<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.servant
    }
}

impl<T> fmt::Debug for Common<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Common")
    }
}

/// Where a handler's future runs.
pub struct Task {
    handler: Option<Handler>,
    filled: bool,
    pub(crate) context: Option<Context>,
}

impl Task {
    pub(crate) fn new(handler: Option<Handler>, context: Context) -> Self {
        Self { handler, filled: false, context: Some(context) }
    }

    /// Runs the handler. Its memory is that of an earlier one where that fits.
    pub fn run(&mut self, handler: impl Future<Output = ()> + Send + 'static) {
        self.filled = true;
        match &mut self.handler {
            Some(reused) => reused.set(handler),
            None => self.handler = Some(Handler::new(handler)),
        }
    }

    pub(crate) fn filled(&mut self) -> Option<(&mut Handler, &mut Option<Context>)> {
        let handler = self.handler.as_mut().filter(|_| self.filled)?;
        Some((handler, &mut self.context))
    }

    pub(crate) fn into_handler(self) -> Option<Handler> {
        self.handler
    }

    pub(crate) fn into_parts(self) -> (Option<Handler>, Option<Context>) {
        (self.handler, self.context)
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(type_name::<Self>()).field("filled", &self.filled).finish_non_exhaustive()
    }
}
