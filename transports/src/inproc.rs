//! `inproc://name`: within one process, without a descriptor and without a system call.

use crate::stream::lock;
use farcall_core::memory::named_pair;
use farcall_core::{
    address::Address,
    error::{Error, ErrorKind},
    transport::{BoxFuture, Listener, Transport, Wire},
};
use std::{collections::BTreeMap, io, sync::Mutex};
use tokio::sync::mpsc;

/// Wires that wait to be accepted, per name; then connecting waits.
const BACKLOG: usize = 64;

/// Who listens in this process.
static LISTENERS: Mutex<BTreeMap<String, mpsc::Sender<Wire>>> = Mutex::new(BTreeMap::new());

/// The transport of `inproc://` addresses. The place is any name; it is free again when its listener is dropped.
#[derive(Clone, Copy, Default, Debug)]
pub struct Inproc;

impl Transport for Inproc {
    fn scheme(&self) -> &'static str {
        "inproc"
    }

    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, Result<Wire, Error>> {
        Box::pin(connect(to))
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<Box<dyn Listener>, Error>> {
        Box::pin(async move { Ok(Box::new(listen(at)?) as Box<dyn Listener>) })
    }
}

async fn connect(to: &Address) -> Result<Wire, Error> {
    let found = lock(&LISTENERS).get(to.place()).cloned();
    let nobody = || {
        let text =
            format!("nobody listens at {to} in this process: serve there first, or check the name");
        Error::of(ErrorKind::Unreachable, text)
    };
    let listener = found.ok_or_else(nobody)?;
    let (near, far) = named_pair(&address(to.place()));
    listener.send(far).await.map_err(|_| nobody())?;
    Ok(near)
}

fn listen(at: &Address) -> Result<InprocWires, Error> {
    let name = at.place().to_owned();
    let (sender, wires) = mpsc::channel(BACKLOG);
    let mut listeners = lock(&LISTENERS);
    if listeners.contains_key(&name) {
        let text = format!(
            "this process already listens at {at}: drop that listener, or choose another name"
        );
        return Err(Error::of(ErrorKind::AddressInUse, text));
    }
    listeners.insert(name.clone(), sender);
    Ok(InprocWires { name, wires })
}

fn address(name: &str) -> String {
    crate::written("inproc", name)
}

/// Accepts wires under a name.
struct InprocWires {
    name: String,
    wires: mpsc::Receiver<Wire>,
}

impl Listener for InprocWires {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Wire>> {
        Box::pin(async move { self.wires.recv().await.ok_or_else(crate::stream::closed) })
    }

    fn address(&self) -> String {
        address(&self.name)
    }
}

impl Drop for InprocWires {
    fn drop(&mut self) {
        lock(&LISTENERS).remove(&self.name);
    }
}
