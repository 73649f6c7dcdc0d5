//! What all clones of a handle share.

use crate::{
    address::Spin,
    driver::{Dial, Link, serve_wire, spawn_client},
    error::Error,
    limits::Limits,
    memory,
    registry::{Registry, Wanted},
    runtime,
    skeleton::Local,
    transport::{BoxFuture, Wire},
};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// An object, near or far. Dropping the last clone gives it up.
pub(super) enum Handle {
    /// The service that a connection is bound to.
    Far(Arc<Link>),
    /// An object of this process, and the connection to it, once it has been called.
    Near(Local, OnceLock<Result<Arc<Link>, Error>>),
}

impl Handle {
    pub(super) fn near(local: Local) -> Self {
        Self::Near(local, OnceLock::new())
    }

    /// The connection that calls go through.
    pub(super) fn link(&self) -> Result<&Arc<Link>, &Error> {
        match self {
            Self::Far(link) => Ok(link),
            Self::Near(local, loopback) => loopback.get_or_init(|| loop_back(local)).as_ref(),
        }
    }

    pub(super) fn far(&self) -> Option<&Arc<Link>> {
        match self {
            Self::Far(link) => Some(link),
            Self::Near(..) => None,
        }
    }

    pub(super) fn local(&self) -> Option<Local> {
        match self {
            Self::Near(local, _) => Some(local.clone()),
            Self::Far(_) => None,
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let link = match self {
            Self::Far(link) => Some(&*link),
            Self::Near(_, loopback) => loopback.get().and_then(|link| link.as_ref().ok()),
        };
        if let Some(link) = link {
            link.unused();
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Far(link) => f.debug_tuple("Far").field(&link.peer()).finish(),
            Self::Near(local, _) => f.debug_tuple("Near").field(local).finish(),
        }
    }
}

/// Connects an object of this process with its callers.
fn loop_back(local: &Local) -> Result<Arc<Link>, Error> {
    let runtime = runtime::background()?;
    let wanted = Wanted {
        service: None,
        interface: local.description(),
        address: "this process".to_owned(),
    };
    let dial = LoopBack { local: local.clone(), wanted };
    let link = Link::new(Limits::default(), Spin::default(), runtime, None, true);
    spawn_client(Arc::clone(&link), Arc::new(dial));
    Ok(link)
}

/// Connects to an object of this process.
struct LoopBack {
    local: Local,
    wanted: Wanted,
}

impl Dial for LoopBack {
    fn dial(&self) -> BoxFuture<'_, Result<Wire, Error>> {
        Box::pin(async {
            let (near, far) = memory::pair();
            let root = Some(Registry::host(vec![(String::new(), self.local.clone())]));
            let runtime = tokio::runtime::Handle::current();
            let link = Link::new(Limits::default(), Spin::default(), runtime, root, false);
            tokio::spawn(serve_wire(link, far, ()));
            Ok(near)
        })
    }

    fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    fn is_local(&self) -> bool {
        true
    }
}
