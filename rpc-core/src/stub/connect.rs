//! Makes a handle on a service of another process.

use super::{Remote, handle::Handle};
use crate::{
    address::Spin,
    driver::{Dial, Link, spawn_client},
    error::Error,
    interface::Interface,
    limits::Limits,
    payload::Trusted,
    registry::Wanted,
    runtime,
    transport::{BoxFuture, Wire},
};
use std::{fmt, sync::Arc, time::Duration};

/// Connects once. Called again after a connection was lost.
pub type DialWire = Box<dyn Fn() -> BoxFuture<'static, Result<Wire, Error>> + Send + Sync>;

/// How to find a service.
pub struct Connect {
    /// Connects once.
    pub dial: DialWire,
    /// The endpoint, for people.
    pub address: String,
    /// The service; none: the endpoint's first.
    pub service: Option<String>,
    /// The peer is on this host.
    pub local: bool,
    /// How waiters wait.
    pub spin: Spin,
    /// The bounds of the connection.
    pub limits: Arc<Limits>,
    /// The promise that the service's process does not write what it has lent, where it is given.
    pub trusted: Option<Trusted>,
    /// How long to try.
    pub within: Duration,
}

/// Connects to a service, trying until it is found or `within` has passed.
///
/// The connection runs in the caller's runtime, or, where there is none, in the library's own thread. When it is lost it is made
/// anew; calls made meanwhile wait, up to their deadlines.
///
/// # Errors
/// `Unreachable` with the last reason; at once `NoSuchService`, `WrongInterface`, `PermissionDenied`, `Address`, `Protocol`.
///
/// # Cancel safety
/// Dropping the future gives the attempt up.
pub async fn connect<I: Interface + ?Sized>(options: Connect) -> Result<Remote<I>, Error> {
    let runtime = runtime::background()?;
    let (limits, spin, within) = (Arc::clone(&options.limits), options.spin, options.within);
    let wanted = Wanted {
        service: options.service.clone(),
        interface: I::DESCRIPTION,
        address: options.address.clone(),
    };
    let link = Link::new(limits, spin, runtime, None, true);
    let remote = Remote::of(Arc::new(Handle::Root(Arc::clone(&link))));
    spawn_client(Arc::clone(&link), Arc::new(Dialler { options, wanted }));
    link.bound(within).await?;
    Ok(remote)
}

struct Dialler {
    options: Connect,
    wanted: Wanted,
}

impl Dial for Dialler {
    fn dial(&self) -> BoxFuture<'_, Result<Wire, Error>> {
        let Some(trusted) = self.options.trusted else { return (self.options.dial)() };
        Box::pin(async move {
            let mut wire = (self.options.dial)().await?;
            wire.rx.trust(trusted);
            Ok(wire)
        })
    }

    fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    fn is_local(&self) -> bool {
        self.options.local
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect").field("address", &self.address).finish_non_exhaustive()
    }
}
