//! Where a process serves: accepts wires, runs a connection on each, and shuts down in good order.

use crate::{
    address::Spin,
    driver::{Link, serve_wire},
    error::{Error, ErrorKind, Executed},
    limits::Limits,
    payload::Trusted,
    registry::Registry,
    runtime,
    skeleton::Local,
    transport::{Listener, Wire},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinHandle,
};

/// A serving endpoint. Dropping it closes its connections; [`shutdown`](Self::shutdown) lets them finish first.
#[derive(Debug)]
pub struct Endpoint {
    shared: Arc<Shared>,
    accepting: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    root: Local,
    limits: Arc<Limits>,
    trusted: OnceLock<Trusted>,
    runtime: Handle,
    links: Mutex<Links>,
    open: watch::Sender<usize>,
    /// Why the last listener ended, if one did by itself.
    failed: watch::Sender<Option<Error>>,
}

#[derive(Default, Debug)]
struct Links {
    open: HashMap<u64, Arc<Link>>,
    next: u64,
    draining: bool,
}

impl Endpoint {
    /// An endpoint that serves `services` and does not accept yet. Its servants run in the runtime of the caller, or in the
    /// library's own.
    ///
    /// # Errors
    /// `NoRuntime` if a background thread was needed and did not start.
    pub fn new(services: Vec<(String, Local)>, limits: Limits) -> Result<Self, Error> {
        let shared = Shared {
            root: Registry::host(services),
            limits: Arc::new(limits),
            trusted: OnceLock::new(),
            runtime: runtime::background()?,
            links: Mutex::default(),
            open: watch::Sender::new(0),
            failed: watch::Sender::new(None),
        };
        Ok(Self { shared: Arc::new(shared), accepting: Mutex::default() })
    }

    /// Trusts the peers of all wires that are accepted from now on.
    pub fn trust(&self, trusted: Trusted) {
        let _ = self.shared.trusted.set(trusted);
    }

    /// Accepts from `listener` until the endpoint shuts down.
    pub fn accept_from(&self, listener: Box<dyn Listener>, spin: Spin) {
        let task = self.shared.runtime.spawn(accept(Arc::clone(&self.shared), listener, spin));
        self.accepting.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    /// Waits until a listener has ended by itself, and says why.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn failed(&self) -> Error {
        let mut failed = self.shared.failed.subscribe();
        match failed.wait_for(Option::is_some).await {
            Ok(error) => error.clone().unwrap_or_else(shut_down),
            Err(_) => shut_down(),
        }
    }

    /// Stops accepting, takes no more calls, waits until those accepted are answered, closes.
    ///
    /// # Cancel safety
    /// Dropping the future stops the waiting; accepted calls go on being answered.
    pub async fn shutdown(&self) {
        for accepting in self.stop_accepting() {
            // Its listener is dropped when it has ended: then the address is free.
            let _ = accepting.await;
        }
        let links: Vec<_> = {
            let mut links = self.shared.lock();
            links.draining = true;
            links.open.values().cloned().collect()
        };
        links.iter().for_each(|link| link.goodbye());
        drop(links);
        let _ = self.shared.open.subscribe().wait_for(|open| *open == 0).await;
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        *self.shared.open.borrow()
    }

    fn stop_accepting(&self) -> Vec<JoinHandle<()>> {
        let accepting = self.accepting.lock().map(|mut tasks| std::mem::take(&mut *tasks));
        let accepting = accepting.unwrap_or_default();
        accepting.iter().for_each(JoinHandle::abort);
        accepting
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        drop(self.stop_accepting());
        let links: Vec<_> = self.shared.lock().open.drain().map(|(_, link)| link).collect();
        links.iter().for_each(|link| link.close(shut_down()));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one connection.
    async fn serve(self: Arc<Self>, mut wire: Wire, spin: Spin, permit: OwnedSemaphorePermit) {
        if let Some(trusted) = self.trusted.get() {
            wire.rx.trust(*trusted);
        }
        let link = Link::new(
            Arc::clone(&self.limits),
            spin,
            self.runtime.clone(),
            Some(self.root.clone()),
            false,
        );
        let entry = {
            let mut links = self.lock();
            if links.draining {
                return;
            }
            links.next += 1;
            let number = links.next;
            links.open.insert(number, Arc::clone(&link));
            number
        };
        let _entry = Entry { shared: &self, number: entry };
        self.open.send_modify(|open| *open += 1);
        serve_wire(link, wire, permit).await;
    }
}

/// A connection's place in the list, given back however its task ends.
struct Entry<'a> {
    shared: &'a Shared,
    number: u64,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.shared.lock().open.remove(&self.number);
        self.shared.open.send_modify(|open| *open = open.saturating_sub(1));
    }
}

async fn accept(shared: Arc<Shared>, mut listener: Box<dyn Listener>, spin: Spin) {
    let handshakes = Arc::new(Semaphore::new(shared.limits.handshakes));
    while let Ok(permit) = Arc::clone(&handshakes).acquire_owned().await {
        match listener.accept().await {
            Ok(wire) => {
                tracing::debug!(target: "farcall::endpoint", peer = %wire.peer.address, "accepted");
                tokio::spawn(Arc::clone(&shared).serve(wire, spin, permit));
            }
            Err(error) => {
                let address = listener.address();
                tracing::error!(target: "farcall::endpoint", %address, %error, "stopped listening");
                let text = format!("{address} cannot be listened at any more: {error}");
                let error = Error::of(ErrorKind::Disconnected, text);
                shared.failed.send_replace(Some(error));
                return;
            }
        }
    }
}

fn shut_down() -> Error {
    let text = "this endpoint was shut down";
    Error::of(ErrorKind::ShuttingDown, text).executed_as(Executed::Maybe)
}

/// Serves one wire that the caller already has, such as one made of a child process's pipes, until it ends.
///
/// # Errors
/// `NoRuntime`.
pub async fn serve_one(
    services: Vec<(String, Local)>,
    wire: Wire,
    limits: Limits,
) -> Result<(), Error> {
    let root = Some(Registry::host(services));
    let link = Link::new(Arc::new(limits), Spin::default(), runtime::background()?, root, false);
    serve_wire(link, wire, ()).await;
    Ok(())
}
