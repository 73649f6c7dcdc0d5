//! The object that a call will return, before it has: what calls on it need.

use super::{Options, handle::Handle};
use crate::{driver::hop_failed, interface::Method};
use std::sync::{Arc, OnceLock};

/// What a call of a method that returns an object keeps for calls on that.
pub(super) struct Ahead {
    method: &'static Method,
    /// Those of the handle that the call was made on: calls on its result have them too.
    pub(super) options: Options,
    /// Once one was made.
    handle: OnceLock<Arc<Handle>>,
}

impl Ahead {
    pub(super) fn new(method: &'static Method, options: &Options) -> Self {
        Self { method, options: options.clone(), handle: OnceLock::new() }
    }

    /// What calls on the result are made on.
    pub(super) fn handle(&self, make: impl FnOnce(&'static Method) -> Handle) -> &Arc<Handle> {
        self.handle.get_or_init(|| Arc::new(make(self.method)))
    }

    /// Calls are made on the result.
    pub(super) fn is_used(&self) -> bool {
        self.handle.get().is_some()
    }
}

/// For a method whose signature does not show that it returns an object.
pub(super) fn nowhere() -> (&'static Arc<Handle>, &'static Options) {
    static NOWHERE: OnceLock<Arc<Handle>> = OnceLock::new();
    static OPTIONS: Options = Options { timeout: None, idempotent: false, carried: None };
    let handle = NOWHERE.get_or_init(|| {
        let why = "its signature hides that it returns a `Remote`: write `Remote<dyn ..>` there, or await it first";
        Arc::new(Handle::Broken(hop_failed("the method", why)))
    });
    (handle, &OPTIONS)
}
