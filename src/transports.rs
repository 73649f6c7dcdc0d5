//! The transports of this process, by scheme: those built in, and those that the program registers.

use farcall_core::{
    address::Address,
    error::{Error, ErrorKind},
    runtime,
    transport::Transport,
};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

static TRANSPORTS: LazyLock<Mutex<Vec<Arc<dyn Transport>>>> =
    LazyLock::new(|| Mutex::new(farcall_transports::all()));

/// Makes a transport of the program's own usable in addresses. A scheme that exists is replaced.
pub fn register(transport: Arc<dyn Transport>) {
    let mut all = TRANSPORTS.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|other| other.scheme() != transport.scheme());
    all.push(transport);
}

/// The transport of an address, in a runtime in which it can be used.
pub(crate) fn find(address: &Address) -> Result<Arc<dyn Transport>, Error> {
    let all = TRANSPORTS.lock().unwrap_or_else(PoisonError::into_inner);
    let found = all.iter().find(|transport| transport.scheme() == address.scheme());
    if ["shm", "unix", "tcp"].contains(&address.scheme()) {
        runtime::check_sockets()?;
    }
    found.cloned().ok_or_else(|| {
        let schemes: Vec<_> = all.iter().map(|other| format!("`{}`", other.scheme())).collect();
        let text = format!(
            "no transport `{}` is built in (in `{address}`): there is {}",
            address.scheme(),
            schemes.join(", ")
        );
        Error::of(ErrorKind::Address, text)
    })
}

/// The peer at this address is surely on this host.
pub(crate) fn is_local(address: &Address) -> bool {
    let place = address.place();
    let loopback = ["127.", "localhost:", "[::1]:"];
    address.scheme() != "tcp" || loopback.iter().any(|host| place.starts_with(host))
}
