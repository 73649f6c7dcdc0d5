//! An object that passes calls on to one of another process: how a third process reaches it.

use super::{Home, Object, Request, Task};
use crate::{
    id::MethodId,
    interface::Description,
    stub::{Handle, pass_on},
};
use std::sync::Arc;

/// Passes calls on to the object of `handle`, as an object that has this interface.
pub(crate) fn forwarder(handle: &Arc<Handle>, interface: &'static Description) -> Arc<dyn Object> {
    Arc::new(Forwarder { handle: Arc::clone(handle), interface, home: Home::default() })
}

struct Forwarder {
    handle: Arc<Handle>,
    interface: &'static Description,
    home: Home,
}

impl Object for Forwarder {
    fn description(&self) -> &'static Description {
        self.interface
    }

    fn home(&self) -> &Home {
        &self.home
    }

    /// What was lent is known by its interface; of a service this stays in its place, which says it.
    fn stands_for(&self) -> Option<&Arc<Handle>> {
        matches!(&*self.handle, Handle::Borrowed(_)).then_some(&self.handle)
    }

    /// The arguments, and what travels beside them, go on as they came; so does the answer.
    fn start(self: Arc<Self>, method: MethodId, request: Request, task: &mut Task) {
        let Some(method) = self.interface.method(method) else {
            return request.unknown(method, self.interface);
        };
        let handle = Arc::clone(&self.handle);
        task.run(async move {
            let reply = pass_on(&handle, method, request.values(), request.take_brought()).await;
            request.pass_back(reply);
        });
    }
}
