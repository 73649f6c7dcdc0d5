//! `farcall::connect`: a handle on a service, by its configured name or its address. One of the files that may be `unsafe`: it takes a
//! promise.

use crate::{
    config::Config,
    naming,
    transports::{self, is_local},
};
use farcall_core::{
    __private::Interface,
    address::Spin,
    error::{Error, ErrorKind},
    limits::Limits,
    payload::Trusted,
    runtime,
    stub::{self, Connect, DialWire, Remote},
    transport::{BoxFuture, Wire},
};
use std::{
    fmt,
    future::IntoFuture,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Connects to a service: `archive`, a name that the configuration resolves, or an address such as
/// `tcp://host:7000#archive`.
///
/// `.await` it in any async code, or `.wait()` for it on a thread. It keeps trying for 10 s, or
/// [`within`](Connecting::within) another time, so that client and server may start in any order.
pub fn connect<I: Interface + ?Sized>(service: &str) -> Connecting<I> {
    Connecting {
        service: service.to_owned(),
        within: None,
        limits: None,
        trusted: None,
        interface: PhantomData,
    }
}

/// Connects over a wire that the program already has, such as one made of a child process's pipes with
/// [`transport::wire_of`](crate::transport::wire_of). It is not made anew when it is lost.
///
/// # Errors
/// Those of [`connect`].
pub async fn connect_over<I: Interface + ?Sized>(wire: Wire) -> Result<Remote<I>, Error> {
    let address = wire.peer.address.clone();
    let wire = Arc::new(Mutex::new(Some(wire)));
    let gone = address.clone();
    let dial: DialWire = Box::new(move || {
        let wire = wire.lock().unwrap_or_else(PoisonError::into_inner).take();
        let text = format!("the wire to {gone} has ended");
        let wire = wire.ok_or(Error::of(ErrorKind::Disconnected, text));
        Box::pin(std::future::ready(wire))
    });
    let limits = Limits::default();
    runtime::anywhere(stub::connect(Connect {
        dial,
        address,
        service: None,
        local: true,
        spin: Spin::default(),
        trusted: None,
        within: limits.deadline,
        limits: Arc::new(limits),
    }))
    .await
}

/// A connection to be made. Made by [`connect`].
#[must_use = "nothing is connected before this is awaited, or waited for with `.wait()`"]
pub struct Connecting<I: ?Sized> {
    service: String,
    within: Option<Duration>,
    limits: Option<Limits>,
    trusted: Option<Trusted>,
    interface: PhantomData<fn(&I)>,
}

impl<I: Interface + ?Sized> Connecting<I> {
    /// How long to try. Default 10 s.
    pub fn within(mut self, within: Duration) -> Self {
        self.within = Some(within);
        self
    }

    /// The bounds of the connection, instead of the configured ones.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Trusts the service's process not to write memory that it has lent: a [`Payload`](crate::Payload) from it can be had as a slice, and
    /// `&[u8]` and `&str` arguments of its calls, from 256 KiB on, are borrowed where they are, without a copy.
    ///
    /// # Safety
    /// Whatever process serves at the address, now and after each reconnection, is a build of farcall that means no harm. Others that
    /// run as the same user can pretend to be it.
    #[expect(unsafe_code, reason = "the caller's promise is taken")]
    pub unsafe fn trust_peer(mut self) -> Self {
        // SAFETY: the caller promises the same.
        self.trusted = Some(unsafe { Trusted::new() });
        self
    }

    /// Blocks this thread until the service is found.
    ///
    /// # Errors
    /// `WaitInAsync` in async code; otherwise those of awaiting it.
    pub fn wait(self) -> Result<Remote<I>, Error> {
        runtime::wait(self.into_future())
    }

    async fn connect(self) -> Result<Remote<I>, Error> {
        let config = Config::load()?;
        let address = config.connect_address(&self.service)?;
        let limits = self.limits.unwrap_or_else(|| config.limits().clone());
        let (within, trusted) = (self.within.unwrap_or(limits.deadline), self.trusted);
        if let Some(at) = naming::At::parse(&address, &config)? {
            return naming::connect(at, naming::How { within, limits, trusted }).await;
        }
        let transport = transports::find(&address)?;
        let dialled = Arc::new(address.clone());
        let dial: DialWire = Box::new(move || {
            let (transport, address) = (Arc::clone(&transport), Arc::clone(&dialled));
            Box::pin(async move { transport.connect(&address).await })
        });
        stub::connect(Connect {
            dial,
            service: address.service().map(ToOwned::to_owned),
            local: is_local(&address),
            spin: address.spin(),
            trusted,
            within,
            address: address.to_string(),
            limits: Arc::new(limits),
        })
        .await
    }
}

impl<I: Interface + ?Sized> IntoFuture for Connecting<I> {
    type Output = Result<Remote<I>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(runtime::anywhere(self.connect()))
    }
}

impl<I: ?Sized> fmt::Debug for Connecting<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting").field("service", &self.service).finish_non_exhaustive()
    }
}
