//! `fault://` addresses: the networks of this process by their numbers, and who listens on them.

use super::network::Inner;
use crate::{
    Address, Error, ErrorKind, register,
    transport::{BoxFuture, Listener, Transport, Wire},
};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak},
};
use tokio::sync::mpsc;

/// Wires that wait to be accepted, per name; then connecting waits.
const BACKLOG: usize = 64;

/// The networks that there are.
static NETWORKS: Mutex<BTreeMap<u32, Weak<Inner>>> = Mutex::new(BTreeMap::new());

/// Who listens on a network, by name.
#[derive(Default)]
pub(super) struct Listeners(Mutex<BTreeMap<String, mpsc::Sender<Wire>>>);

/// The transport of all networks.
struct Fault;

impl Transport for Fault {
    fn scheme(&self) -> &'static str {
        "fault"
    }

    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, Result<Wire, Error>> {
        Box::pin(connect(to))
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<Box<dyn Listener>, Error>> {
        Box::pin(async move { Ok(Box::new(listen(at)?) as Box<dyn Listener>) })
    }
}

/// A network's addresses lead to it from now on, until it is gone.
pub(super) fn introduce(network: &Arc<Inner>) {
    static REGISTER: Once = Once::new();
    REGISTER.call_once(|| register(Arc::new(Fault)));
    lock(&NETWORKS).insert(network.number, Arc::downgrade(network));
}

pub(super) fn address(number: u32, name: &str) -> String {
    format!("fault://{number}/{name}")
}

async fn connect(to: &Address) -> Result<Wire, Error> {
    let (network, name) = find(to)?;
    if network.refuses() {
        let text = format!("{to} was told to refuse this connection");
        return Err(Error::of(ErrorKind::Unreachable, text));
    }
    let nobody = || {
        let text = format!("nobody listens at {to}: serve there first, or check the name");
        Error::of(ErrorKind::Unreachable, text)
    };
    let listener = lock(&network.listeners.0).get(name).cloned().ok_or_else(nobody)?;
    let (client, server) = network.pair(name);
    listener.send(server).await.map_err(|_| nobody())?;
    Ok(client)
}

fn listen(at: &Address) -> Result<Wires, Error> {
    let (network, name) = find(at)?;
    let (sender, wires) = mpsc::channel(BACKLOG);
    let mut listeners = lock(&network.listeners.0);
    if listeners.contains_key(name) {
        let text = format!("somebody listens at {at}: drop that listener, or choose another name");
        return Err(Error::of(ErrorKind::AddressInUse, text));
    }
    listeners.insert(name.to_owned(), sender);
    drop(listeners);
    Ok(Wires { network: Arc::downgrade(&network), address: at.place().to_owned(), wires })
}

/// The network of an address, and the name on it.
fn find(address: &Address) -> Result<(Arc<Inner>, &str), Error> {
    let found = address.place().split_once('/').and_then(|(number, name)| {
        let network = lock(&NETWORKS).get(&number.parse().ok()?)?.upgrade()?;
        Some((network, name))
    });
    found.ok_or_else(|| {
        let text = format!(
            "there is no network for {address}: ask a `Network` for its address, and keep it as long as that is used"
        );
        Error::of(ErrorKind::Address, text)
    })
}

/// Accepts wires under a name.
struct Wires {
    network: Weak<Inner>,
    /// The network's number and the name.
    address: String,
    wires: mpsc::Receiver<Wire>,
}

impl Listener for Wires {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Wire>> {
        Box::pin(async move {
            let gone = || io::Error::new(io::ErrorKind::NotConnected, "the network is gone");
            self.wires.recv().await.ok_or_else(gone)
        })
    }

    fn address(&self) -> String {
        format!("fault://{}", self.address)
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        if let (Some(network), Some((_, name))) =
            (self.network.upgrade(), self.address.split_once('/'))
        {
            lock(&network.listeners.0).remove(name);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        lock(&NETWORKS).remove(&self.number);
    }
}

/// Locks what no panic can leave half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
