//! `farcall::serve` and [`Server`]: services, where they listen, and their end. One of the files that may be `unsafe`: it takes a promise.

use crate::{
    config::Config,
    naming::{self, Announced},
    transports,
};
use farcall_core::{
    __private::{Interface, Local},
    address::Address,
    endpoint::{self, Endpoint},
    error::{Error, ErrorKind},
    limits::Limits,
    payload::Trusted,
    runtime,
    stub::Remote,
    transport::{BoxFuture, Wire},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// Serves one service: `archive`, a name whose listening addresses the configuration knows, or an address such as
/// `tcp://0.0.0.0:7000#archive`. Runs until a listener fails.
///
/// `.await` it in any async code, or `.wait()` for it on a thread. Without a runtime the servants run in the library's own thread.
pub fn serve<I: Interface + ?Sized>(service: &str, object: Remote<I>) -> Serving {
    serve_with_shutdown(service, object, std::future::pending())
}

/// Serves one service until `signal` completes; then takes no more calls, answers those it has accepted, and returns.
pub fn serve_with_shutdown<I: Interface + ?Sized>(
    service: &str,
    object: Remote<I>,
    signal: impl Future<Output = ()> + Send + 'static,
) -> Serving {
    let server = match service.parse::<Address>() {
        Ok(address) => {
            Server::new().export(address.service().unwrap_or_default(), object).listen(service)
        }
        Err(_) => Server::new().export(service, object).listen(service),
    };
    Serving { run: Box::pin(run(server, signal)) }
}

/// Serves one service over a wire that the program already has, until it ends.
///
/// # Errors
/// `NoRuntime`.
pub async fn serve_over<I: Interface + ?Sized>(wire: Wire, object: Remote<I>) -> Result<(), Error> {
    let service = (String::new(), Remote::hosted(&object));
    runtime::anywhere(endpoint::serve_one(vec![service], wire, Limits::default())).await
}

/// An endpoint with several services or several addresses.
///
/// ```no_run
/// # #[farcall::remote] trait Archive { async fn size(&self) -> farcall::Result<u64>; }
/// # struct Shelf; impl Archive for Shelf { async fn size(&self) -> farcall::Result<u64> { Ok(1) } }
/// # async fn example() -> farcall::Result<()> {
/// let running = farcall::Server::new()
///     .export("archive", farcall::Remote::<dyn Archive>::new(Shelf))
///     .listen("unix:///run/archive.sock")
///     .listen("tcp://127.0.0.1:7000")
///     .start()
///     .await?;
/// println!("listening at {:?}", running.addresses());
/// running.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct Server {
    services: Vec<(String, Local)>,
    listen: Vec<String>,
    limits: Option<Limits>,
    trusted: Option<Trusted>,
}

impl Server {
    /// An endpoint without services.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a service. Clients that name none get the first. Calls on an object of another process are passed on.
    #[must_use]
    pub fn export<I: Interface + ?Sized>(mut self, name: &str, object: Remote<I>) -> Self {
        self.services.push((name.to_owned(), Remote::hosted(&object)));
        self
    }

    /// Adds an address, or all those that the configuration has for a name. At `registry://host:port/name` the name is bound, as long as the
    /// endpoint runs, to the service of that name, or the first: see [`naming`].
    #[must_use]
    pub fn listen(mut self, address: &str) -> Self {
        self.listen.push(address.to_owned());
        self
    }

    /// The bounds of its connections, instead of the configured ones.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Trusts the processes of all clients not to write memory that they have lent: a [`Payload`](crate::Payload) from them can be had as a
    /// slice, and `&[u8]` and `&str` arguments, from 256 KiB on, are borrowed where they are, without a copy.
    ///
    /// # Safety
    /// Every process that connects is a build of farcall that means no harm.
    #[must_use]
    #[expect(unsafe_code, reason = "the caller's promise is taken")]
    pub unsafe fn trust_peer(mut self) -> Self {
        // SAFETY: the caller promises the same.
        self.trusted = Some(unsafe { Trusted::new() });
        self
    }

    /// Listens. The servants run in the caller's runtime, or, where there is none, in the library's own thread.
    ///
    /// # Errors
    /// `AddressInUse`, `PermissionDenied`, `Address`, `Configuration`, each saying what to do.
    pub async fn start(self) -> Result<Running, Error> {
        runtime::anywhere(self.listen_at_all()).await
    }

    async fn listen_at_all(self) -> Result<Running, Error> {
        let config = Config::load()?;
        let limits = self.limits.unwrap_or_else(|| config.limits().clone());
        let endpoint = Endpoint::new(self.services.clone(), limits.clone())?;
        self.trusted.into_iter().for_each(|trusted| endpoint.trust(trusted));
        let (mut addresses, mut names) = (Vec::new(), Vec::new());
        for listen in &self.listen {
            for address in config.listen_addresses(listen)? {
                if let Some(at) = naming::At::parse(&address, &config)? {
                    names.push(at);
                    continue;
                }
                let transport = transports::find(&address)?;
                let listener = transport.listen(&address).await?;
                addresses.push(listener.address());
                endpoint.accept_from(listener, address.spin());
            }
        }
        let announced = announce(names, &self.services, &mut addresses, limits.deadline).await?;
        tracing::info!(target: "farcall::endpoint", ?addresses, "listening");
        Ok(Running { announced, endpoint, addresses })
    }
}

/// Binds names in registries to the service of the same name, or the first. They are addresses too.
async fn announce(
    names: Vec<naming::At>,
    services: &[(String, Local)],
    addresses: &mut Vec<String>,
    within: Duration,
) -> Result<Vec<Announced>, Error> {
    let (mut announced, listening) = (Vec::new(), addresses.clone());
    for at in names {
        let named = services.iter().find(|(service, _)| service == at.name());
        let Some(service) = named.or(services.first()) else {
            let text = format!("{at} cannot be bound: export a service before");
            return Err(Error::of(ErrorKind::Address, text));
        };
        addresses.push(at.to_string());
        announced.push(naming::announce(at, service, &listening, within).await?);
    }
    Ok(announced)
}

/// A serving endpoint. Dropping it closes its connections at once; [`shutdown`](Self::shutdown) lets them finish.
#[derive(Debug)]
pub struct Running {
    announced: Vec<Announced>,
    endpoint: Endpoint,
    addresses: Vec<String>,
}

impl Running {
    /// Where it listens: addresses that a client can connect to.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// The first address.
    #[must_use]
    pub fn address(&self) -> &str {
        self.addresses.first().map_or("", String::as_str)
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.endpoint.connections()
    }

    /// Unbinds its names in registries, stops accepting, takes no more calls, waits until those accepted are answered, closes.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connections at once.
    pub async fn shutdown(self) {
        for announced in self.announced {
            announced.withdraw().await;
        }
        self.endpoint.shutdown().await;
    }

    /// Waits until a listener has ended by itself, and says why.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn failed(&self) -> Error {
        self.endpoint.failed().await
    }
}

/// A service that runs while this is awaited. Made by [`serve`].
#[must_use = "nothing is served before this is awaited, or waited for with `.wait()`"]
pub struct Serving {
    run: BoxFuture<'static, Result<(), Error>>,
}

impl Serving {
    /// Blocks this thread while the service runs. The servants run in the library's own thread.
    ///
    /// # Errors
    /// `WaitInAsync` in async code; otherwise those of awaiting it.
    pub fn wait(self) -> Result<(), Error> {
        runtime::wait(self.run)
    }
}

impl Future for Serving {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.run.as_mut().poll(cx)
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").finish_non_exhaustive()
    }
}

async fn run(server: Server, until: impl Future<Output = ()>) -> Result<(), Error> {
    let running = server.start().await?;
    tokio::select! {
        error = running.failed() => Err(error),
        () = until => {
            running.shutdown().await;
            Ok(())
        }
    }
}
