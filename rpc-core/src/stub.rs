//! The caller's side: the handle, the call in flight, and what generated code encodes into.

use crate::{
    error::Error,
    interface::{Hosts, HostsShared, Interface, Method},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// A handle on an object, near or far.
pub struct Remote<I: ?Sized> {
    interface: PhantomData<fn(&I)>,
}

impl<I: Interface + ?Sized> Remote<I> {
    /// A handle on an object of this process.
    pub fn new<T>(servant: T) -> Self
    where
        I: Hosts<T>,
    {
        unimplemented!()
    }

    /// A handle on an object that the program, or other interfaces, hold too.
    pub fn from_arc<T>(servant: Arc<T>) -> Self
    where
        I: HostsShared<T>,
    {
        unimplemented!()
    }

    /// The same object; calls through the new handle have this deadline.
    #[must_use]
    pub fn timeout(&self, timeout: Duration) -> Self {
        unimplemented!()
    }

    /// The same object; calls through the new handle carry this entry.
    #[must_use]
    pub fn metadata(&self, key: &str, value: &str) -> Self {
        unimplemented!()
    }
}

impl<I: ?Sized> Clone for Remote<I> {
    fn clone(&self) -> Self {
        unimplemented!()
    }
}

impl<I: ?Sized> fmt::Debug for Remote<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote")
    }
}

/// One outgoing call while its arguments are encoded. Generated code makes it, fills it and sends it.
#[derive(Debug)]
pub struct Outgoing {}

impl Outgoing {
    /// Begins a call.
    pub fn new<I: Interface + ?Sized>(remote: &Remote<I>, method: &'static Method) -> Self {
        unimplemented!()
    }

    /// An argument that is not a bulk one, by reference.
    pub fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        unimplemented!()
    }

    /// An argument of type `&[u8]`.
    pub fn bytes(&mut self, bytes: &[u8]) {
        unimplemented!()
    }

    /// An argument of type `&str`.
    pub fn str(&mut self, text: &str) {
        unimplemented!()
    }

    /// An argument passed by value. `Vec<u8>`, `String` and `Bytes` are moved or copied whole.
    pub fn owned<T: Serialize + 'static>(&mut self, value: T) {
        unimplemented!()
    }

    /// Sends the call.
    pub fn send<T, E: From<Error>>(self) -> Call<T, E> {
        unimplemented!()
    }
}

/// A call in flight.
#[must_use = "a call does nothing more once it is dropped: `.await` it, `.wait()` for it, or `.detach()` it"]
pub struct Call<T, E = Error> {
    result: PhantomData<fn() -> (T, E)>,
}

impl<T, E> Call<T, E>
where
    T: DeserializeOwned + 'static,
    E: DeserializeOwned + From<Error> + 'static,
{
    /// Blocks this thread until the result is there.
    pub fn wait(self) -> Result<T, E> {
        unimplemented!()
    }

    /// Lets the call run without waiting for it.
    pub fn detach(self) {
        unimplemented!()
    }
}

impl<T, E> Future for Call<T, E>
where
    T: DeserializeOwned + 'static,
    E: DeserializeOwned + From<Error> + 'static,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        unimplemented!()
    }
}

impl<T, E> fmt::Debug for Call<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call")
    }
}
