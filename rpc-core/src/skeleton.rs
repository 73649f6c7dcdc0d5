//! The callee's side of generated code: a hosted servant, a request to it, the task that answers.

mod actor;
mod arguments;
mod request;

pub use actor::{Exclusive, actor};
pub use arguments::Arguments;
pub use request::Request;

use crate::{
    context::Context,
    driver::Handler,
    id::MethodId,
    interface::{Description, Interface, StartShared},
};
use std::{any::type_name, fmt, future::Future, sync::Arc};

/// An object of this process, ready to be called from another.
#[derive(Clone)]
pub struct Local(Arc<dyn Object>);

/// Something that can be called: a servant behind its interface.
pub(crate) trait Object: Send + Sync + 'static {
    /// What it can be asked.
    fn description(&self) -> &'static Description;

    /// Decodes a call and gives the rest to `task`, or keeps both for later.
    fn start(self: Arc<Self>, method: MethodId, request: Request, task: &mut Task);
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
    Local::new(Arc::new(Shared { description: I::DESCRIPTION, servant, start }))
}

/// A servant that calls share.
struct Shared<T> {
    description: &'static Description,
    servant: Arc<T>,
    start: StartShared<T>,
}

impl<T: Send + Sync + 'static> Object for Shared<T> {
    fn description(&self) -> &'static Description {
        self.description
    }

    fn start(self: Arc<Self>, method: MethodId, request: Request, task: &mut Task) {
        (self.start)(&self.servant, method, request, task);
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
