//! The caller's side: the handle, the call in flight, and what generated code encodes into.

mod ahead;
mod any;
mod bulk;
mod call;
mod connect;
mod connection;
mod enclosures;
mod handle;
mod outgoing;
mod passing;

pub use any::AnyRemote;
pub use call::Call;
pub use connect::{Connect, DialWire, connect};
pub use connection::{Connection, Held, Snapshot};
pub use enclosures::Enclosures;
pub(crate) use handle::Handle;
pub use outgoing::Outgoing;
pub(crate) use outgoing::pass_on;
pub(crate) use passing::{Brought, Parcel, Passed};

use crate::{
    driver::Carried,
    error::Error,
    frame::{Trace, metadata_pairs, put_metadata},
    interface::{Hosts, HostsFunction, HostsShared, Interface},
    payload::Loan,
    skeleton::Local,
    transport::Peer,
};
use std::{
    fmt,
    marker::PhantomData,
    sync::{Arc, Weak},
    time::Duration,
};

/// A handle on an object, near or far.
///
/// It reads like an `Arc<dyn Trait>` and is cheap to clone. The object's methods are called on it as on the object itself; each returns
/// a [`Call`]. Options such as [`timeout`](Self::timeout) make a new handle on the same object.
///
/// It is a value too: an argument, a result, or a field of either. Passing a handle on an object of this process lends the object: the
/// other process can call it, and keeps it, until it drops its last handle or the connection ends, which [`closed`](Self::closed) tells
/// it. Only handles on services outlive a lost connection. What comes back to its own process leads to the object itself, without the way round ([`local`](Self::local)); a third process
/// reaches it through the one that passed it on.
///
/// Methods of this type and of `Call` shadow those of an interface, so they are few and their names are refused by
/// `#[remote]`; everything else is an associated function, as in `Remote::peer(&archive)`.
pub struct Remote<I: ?Sized> {
    handle: Arc<Handle>,
    options: Options,
    interface: PhantomData<fn(&I)>,
}

/// What calls through a handle carry.
#[derive(Clone, Default, Debug)]
struct Options {
    timeout: Option<Duration>,
    idempotent: bool,
    carried: Option<Arc<Carried>>,
}

impl<I: Interface + ?Sized> Remote<I> {
    /// A handle on an object of this process. The object lives as long as a handle or an endpoint holds it.
    ///
    /// Calls on it are encoded like those on a distant one, and run in the runtime of the first caller.
    pub fn new<T>(servant: T) -> Self
    where
        I: Hosts<T>,
    {
        Self::of(Handle::home(&I::host(servant)))
    }

    /// A handle on an object that the program, or other interfaces, hold too.
    pub fn from_arc<T>(servant: Arc<T>) -> Self
    where
        I: HostsShared<T>,
    {
        Self::of(Handle::home(&I::host_shared(servant)))
    }

    /// A handle on an object whose one method is `function`: a callback without a type of its own.
    ///
    /// The function takes the method's arguments and returns a future of its result: `Fn(..) -> impl Future`, or `FnMut` where the
    /// method takes `&mut self`. What the future uses it must own, so the function gets what it can keep: a `String` for `&str` and
    /// `Cow<str>`, a `Vec<u8>` for `&[u8]` and `Cow<[u8]>`, a `T` for `&T`, a `Vec<T>` for `&[T]`. It cannot serve a method that
    /// borrows within a type, as with `Option<&str>`, nor one under `#[cfg]`.
    pub fn from_fn<F>(function: F) -> Self
    where
        I: HostsFunction<F>,
    {
        Self::of(Handle::home(&I::host_function(function)))
    }

    /// The same object; calls through the new handle fail if they take longer. The deadline travels with the call, and calls that the
    /// servant makes meanwhile inherit it.
    #[must_use]
    pub fn timeout(&self, timeout: Duration) -> Self {
        let mut remote = self.clone();
        remote.options.timeout = Some(timeout);
        remote
    }

    /// The same object; calls through the new handle may run twice: the library may send them again after a connection was lost.
    #[must_use]
    pub fn idempotent(&self) -> Self {
        let mut remote = self.clone();
        remote.options.idempotent = true;
        remote
    }

    /// The same object; calls through the new handle carry this entry, which the servant finds in its [`context`](crate::context::context).
    /// At most 32 entries and 8 KiB; what is beyond is not sent. A `traceparent` that is well-formed travels as the call's trace.
    #[must_use]
    pub fn metadata(&self, key: &str, value: &str) -> Self {
        let mut carried = self.options.carried.as_deref().cloned().unwrap_or_default();
        if key == "traceparent" {
            carried.trace = parse_trace(value).or(carried.trace);
        } else {
            let mut bytes = carried.metadata.to_vec();
            put_metadata(&mut bytes, key, value);
            if bytes.len() <= 8 << 10 && metadata_pairs(&bytes).count() <= 32 {
                carried.metadata = bytes.into();
            }
        }
        let mut remote = self.clone();
        remote.options.carried = Some(Arc::new(carried));
        remote
    }

    /// Writable memory for `length` bytes that will travel as a [`Payload`](crate::payload::Payload) through this handle: in the transport
    /// where it has some, so that it is not copied; else, and for an object of this process, on the heap.
    #[must_use]
    pub fn loan(&self, length: usize) -> Loan {
        self.handle.far().map_or_else(|| Loan::heap(length), |link| link.loan(length))
    }

    /// Who is at the other end, while connected. `None` for an object of this process.
    #[must_use]
    pub fn peer(this: &Self) -> Option<Arc<Peer>> {
        this.handle.far()?.peer()
    }

    /// The connection that calls through this handle take, to be looked at: what it has done, and what is lent and borrowed on it. `None`
    /// for an object of this process.
    #[must_use]
    pub fn connection(this: &Self) -> Option<Connection> {
        this.handle.far().map(Connection::new)
    }

    /// Waits until calls through this handle can only fail, and says why: its connection ended, or the object was taken away. For
    /// ever, for an object of this process that is in no [`Scope`](crate::skeleton::Scope). A handle on a service outlives lost wires, of
    /// which [`Connection::closed`] tells.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn closed(this: &Self) -> Error {
        this.handle.closed().await
    }

    /// Why calls through this handle can only fail, once that is so.
    #[must_use]
    pub fn why_closed(this: &Self) -> Option<Error> {
        this.handle.why_closed()
    }

    /// The servant itself, if it is a `T` of this process that calls share: also through a reference that has been elsewhere and came
    /// back. `None` where the interface has `&mut self` methods, since the object owns its servant then.
    #[must_use]
    pub fn local<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.handle.near()?.servant()?.downcast().ok()
    }

    /// Whether both surely lead to the same object. Two ways to one object through different processes are not known to.
    #[must_use]
    pub fn same_object(&self, other: &Self) -> bool {
        self.handle.is_same(&other.handle)
    }

    /// A handle that does not keep the object.
    #[must_use]
    pub fn downgrade(this: &Self) -> WeakRemote<I> {
        WeakRemote {
            handle: Arc::downgrade(&this.handle),
            options: this.options.clone(),
            interface: PhantomData,
        }
    }

    /// The object itself, for an endpoint that exports it: one that passes calls on, if it is of another process.
    #[doc(hidden)]
    #[must_use]
    pub fn hosted(this: &Self) -> Local {
        this.handle.stand_in(I::DESCRIPTION)
    }

    /// The handle on an object of this process.
    pub(crate) fn home(local: &Local) -> Self {
        Self::of(Handle::home(local))
    }

    fn of(handle: Arc<Handle>) -> Self {
        Self::with(handle, Options::default())
    }
}

impl<I: ?Sized> Remote<I> {
    /// A handle on an object of this process that has this interface.
    pub(crate) fn at_home(local: &Local) -> Self {
        Self::with(Handle::home(local), Options::default())
    }

    fn with(handle: Arc<Handle>, options: Options) -> Self {
        Self { handle, options, interface: PhantomData }
    }
}

/// A handle that does not keep its object: made by [`Remote::downgrade`].
pub struct WeakRemote<I: ?Sized> {
    handle: Weak<Handle>,
    options: Options,
    interface: PhantomData<fn(&I)>,
}

impl<I: ?Sized> WeakRemote<I> {
    /// A handle, if some other one still keeps the object.
    #[must_use]
    pub fn upgrade(&self) -> Option<Remote<I>> {
        let (handle, options) = (self.handle.upgrade()?, self.options.clone());
        Some(Remote { handle, options, interface: PhantomData })
    }
}

impl<I: ?Sized> Clone for WeakRemote<I> {
    fn clone(&self) -> Self {
        Self {
            handle: Weak::clone(&self.handle),
            options: self.options.clone(),
            interface: PhantomData,
        }
    }
}

impl<I: ?Sized> fmt::Debug for WeakRemote<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WeakRemote").field(&self.handle.upgrade()).finish()
    }
}

/// Reads `00-<32 hex>-<16 hex>-<2 hex>`.
fn parse_trace(text: &str) -> Option<Trace> {
    let mut fields = text.split('-');
    let (version, trace, span, flags) =
        (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    if version != "00" || trace.len() != 32 || span.len() != 16 || flags.len() != 2 {
        return None;
    }
    let digits: Option<Vec<u8>> = [trace, span, flags]
        .concat()
        .chars()
        .map(|digit| digit.to_digit(16).map(|digit| digit as u8))
        .collect();
    let bytes: Vec<u8> = digits?.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    bytes.try_into().ok()
}

impl<I: ?Sized> Clone for Remote<I> {
    fn clone(&self) -> Self {
        Self {
            handle: Arc::clone(&self.handle),
            options: self.options.clone(),
            interface: PhantomData,
        }
    }
}

impl<I: ?Sized> fmt::Debug for Remote<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.handle).finish()
    }
}
