//! An object that passes calls on to one of another process: how a third process reaches it.

use super::{Home, Object, Request, Revocable, Task};
use crate::{
    id::MethodId,
    interface::Description,
    stub::{Handle, pass_on},
};
use std::sync::{Arc, OnceLock};
use tokio::task::AbortHandle;

/// Passes calls on to the object of `handle`, as an object that has this interface. When calls on that can only fail, those who are lent
/// this are told: an object that was borrowed breaks it, and for other handles a task watches.
pub(crate) fn forwarder(handle: &Arc<Handle>, interface: &'static Description) -> Arc<dyn Object> {
    let forwarder = Arc::new(Forwarder {
        handle: Arc::clone(handle),
        interface,
        home: Home::default(),
        revocable: Arc::default(),
        watch: OnceLock::new(),
    });
    if let Some((runtime, ended)) = handle.outlook() {
        let this = Arc::downgrade(&forwarder);
        let watch = runtime.spawn(async move {
            let why = ended.await;
            if let Some(this) = this.upgrade() {
                this.revocable.break_off(why);
            }
        });
        let _ = forwarder.watch.set(watch.abort_handle());
    }
    forwarder
}

struct Forwarder {
    handle: Arc<Handle>,
    interface: &'static Description,
    home: Home,
    /// Takes it away from its borrowers when calls can only fail.
    revocable: Arc<Revocable>,
    /// Waits for that, where it does not happen by itself.
    watch: OnceLock<AbortHandle>,
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

    fn revocable(&self) -> Option<&Arc<Revocable>> {
        Some(&self.revocable)
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

impl Drop for Forwarder {
    fn drop(&mut self) {
        if let Some(watch) = self.watch.get() {
            watch.abort();
        }
    }
}
