//! The callee's side of generated code: a hosted servant, a request to it, the task that answers.

use crate::{
    codec::Decoder,
    error::Error,
    id::MethodId,
    interface::{Description, Interface, StartExclusive, StartShared},
};
use serde::Serialize;
use std::{
    future::Future,
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// An object of this process, ready to be called from another.
#[derive(Clone, Debug)]
pub struct Local {}

/// Hosts a servant that calls share.
#[must_use]
pub fn share<I: Interface + ?Sized, T: Send + Sync + 'static>(
    servant: Arc<T>,
    start: StartShared<T>,
) -> Local {
    unimplemented!()
}

/// Hosts a servant that serves one call at a time.
#[must_use]
pub fn actor<I: Interface + ?Sized, T: Send + 'static>(
    servant: T,
    start: StartExclusive<T>,
) -> Local {
    unimplemented!()
}

/// The servant of an exclusive interface, for as long as one call runs. Dropping it lets the next call begin.
#[derive(Debug)]
pub struct Exclusive<T> {
    servant: T,
}

impl<T> Deref for Exclusive<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.servant
    }
}

impl<T> DerefMut for Exclusive<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.servant
    }
}

/// One call to answer.
#[derive(Debug)]
pub struct Request {}

impl Request {
    /// The arguments, to be decoded in order.
    #[must_use]
    pub fn arguments(&self) -> Decoder<'_> {
        unimplemented!()
    }

    /// Answers with the servant's result.
    pub fn reply<T: Serialize + 'static, E: Serialize + 'static>(&self, result: Result<T, E>) {
        unimplemented!()
    }

    /// Answers that the call did not reach the servant.
    pub fn refuse(&self, error: Error) {
        unimplemented!()
    }

    /// Answers that the interface has no such method.
    pub fn unknown(&self, method: MethodId, interface: &'static Description) {
        unimplemented!()
    }
}

/// Where a handler's future runs.
#[derive(Debug)]
pub struct Task {}

impl Task {
    /// Runs the handler.
    pub fn run(&mut self, handler: impl Future<Output = ()> + Send + 'static) {
        unimplemented!()
    }
}
