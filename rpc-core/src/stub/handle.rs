//! What all clones of a handle share.

use crate::{
    address::Spin,
    described::wrong_interface,
    driver::{Borrowed, Dial, Link, Promised, Target, serve_wire, spawn_client},
    error::Error,
    id::CallId,
    interface::{Description, Method},
    memory,
    registry::{Registry, Wanted},
    runtime,
    skeleton::{Local, forwarder},
    transport::{BoxFuture, Wire},
};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};
use tokio::runtime::Handle as Runtime;

/// An object, near or far. Dropping the last clone gives it up.
pub(crate) enum Handle {
    /// The service that a connection is bound to.
    Root(Arc<Link>),
    /// An object of this process, and the connection to it, once it has been called.
    Near(Local, OnceLock<Result<Arc<Link>, Error>>),
    /// An object that a peer has lent.
    Borrowed(Borrowed),
    /// What a call will return.
    Promised(Promised),
    /// It leads nowhere, and why.
    Broken(Error),
}

impl Handle {
    /// The handle on an object of this process: the same for all that ask. What only stands in for an object of another process is
    /// that object again.
    pub(crate) fn home(local: &Local) -> Arc<Self> {
        match local.stands_for() {
            Some(handle) => Arc::clone(handle),
            None => local.home().handle(|| Self::Near(local.clone(), OnceLock::new())),
        }
    }

    /// What a call of `method` will return, which was made on `on` and is out.
    pub(super) fn promised(on: &Arc<Self>, call: CallId, method: &'static Method) -> Self {
        match on.link() {
            Ok(link) => Self::Promised(Promised::new(link, call, method, on)),
            Err(error) => Self::Broken(error.clone()),
        }
    }

    /// The connection that calls go through.
    pub(crate) fn link(&self) -> Result<&Arc<Link>, &Error> {
        match self {
            Self::Root(link) => Ok(link),
            Self::Near(local, loopback) => loopback.get_or_init(|| loop_back(local)).as_ref(),
            Self::Borrowed(borrowed) => Ok(&borrowed.link),
            Self::Promised(promised) => Ok(&promised.link),
            Self::Broken(error) => Err(error),
        }
    }

    /// What calls are made on.
    pub(crate) fn target(&self) -> Target {
        match self {
            Self::Borrowed(borrowed) => Target::Object(borrowed.id, borrowed.epoch),
            Self::Promised(promised) => Target::Answer(promised.call),
            _ => Target::Root,
        }
    }

    /// The connection to the process that has the object.
    pub(super) fn far(&self) -> Option<&Arc<Link>> {
        match self {
            Self::Root(link) => Some(link),
            Self::Borrowed(borrowed) => Some(&borrowed.link),
            Self::Promised(promised) => Some(&promised.link),
            Self::Near(..) | Self::Broken(_) => None,
        }
    }

    /// The object, if it is of this process.
    pub(crate) fn near(&self) -> Option<&Local> {
        match self {
            Self::Near(local, _) => Some(local),
            _ => None,
        }
    }

    /// An object of this process that leads to the object: itself, or one that passes calls on.
    pub(crate) fn stand_in(self: &Arc<Self>, interface: &'static Description) -> Local {
        match &**self {
            Self::Near(local, _) => local.clone(),
            Self::Borrowed(borrowed) => borrowed.stand_in(|| forwarder(self, interface)),
            Self::Root(_) | Self::Promised(_) | Self::Broken(_) => {
                Local::new(forwarder(self, interface))
            }
        }
    }

    /// Whether both surely lead to the same object.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Near(ours, _), Self::Near(theirs, _)) => ours.key() == theirs.key(),
            (Self::Root(ours), Self::Root(theirs)) => Arc::ptr_eq(ours, theirs),
            (Self::Borrowed(ours), Self::Borrowed(theirs)) => {
                Arc::ptr_eq(&ours.link, &theirs.link)
                    && (ours.id, ours.epoch) == (theirs.id, theirs.epoch)
            }
            (Self::Promised(ours), Self::Promised(theirs)) => {
                Arc::ptr_eq(&ours.link, &theirs.link) && ours.call == theirs.call
            }
            _ => false,
        }
    }

    /// Whether the object can be had as one with this interface.
    pub(super) fn check_interface(&self, interface: &'static Description) -> Result<(), Error> {
        match self {
            Self::Near(local, _) => {
                local.expect(interface);
                let found = local.description();
                if std::ptr::eq(found, interface) {
                    return Ok(());
                }
                let (found, wanted) = (found.full_name(), interface.full_name());
                if found == wanted { Ok(()) } else { Err(wrong_interface(&found, &wanted)) }
            }
            Self::Borrowed(borrowed) => borrowed.differences(interface).map(drop),
            Self::Root(_) | Self::Promised(_) | Self::Broken(_) => Ok(()),
        }
    }

    /// Refuses a method that the peer does not know as this build does.
    pub(super) fn check(
        &self,
        interface: &'static Description,
        method: &Method,
    ) -> Result<(), Error> {
        let Self::Borrowed(borrowed) = self else { return Ok(()) };
        borrowed.differences(interface)?.map_or(Ok(()), |differences| differences.check(method))
    }

    /// Calls can only fail from now on.
    pub(crate) fn end(&self, why: &Error) {
        if let Self::Borrowed(borrowed) = self {
            borrowed.end(why);
        }
    }

    /// What the object is known to be able to do, where it is not the program that says so.
    pub(crate) fn interface(&self) -> Option<&'static Description> {
        match self {
            Self::Near(local, _) => Some(local.description()),
            Self::Borrowed(borrowed) => borrowed.interface(),
            Self::Root(_) | Self::Promised(_) | Self::Broken(_) => None,
        }
    }

    /// Waits until calls can only fail, and says why.
    pub(crate) async fn closed(&self) -> Error {
        match self {
            Self::Root(link) => link.over().await,
            Self::Borrowed(borrowed) => borrowed.ended().await,
            Self::Promised(promised) => promised.fate().ended().await,
            Self::Broken(error) => error.clone(),
            Self::Near(local, _) => local.taken_away().await,
        }
    }

    /// Waits until calls can only fail, and says why, where the object itself does not tell those that stand in for it; and the runtime to
    /// wait in. It does not keep the handle.
    pub(crate) fn outlook(&self) -> Option<(&Runtime, BoxFuture<'static, Error>)> {
        match self {
            Self::Root(link) => {
                let over = Arc::clone(link);
                Some((link.runtime(), Box::pin(async move { over.over().await })))
            }
            Self::Promised(promised) => {
                let fate = Arc::clone(promised.fate());
                Some((promised.link.runtime(), Box::pin(async move { fate.ended().await })))
            }
            Self::Near(..) | Self::Borrowed(_) | Self::Broken(_) => None,
        }
    }

    /// Why calls can only fail, once that is so.
    pub(crate) fn why_closed(&self) -> Option<Error> {
        match self {
            Self::Root(link) => link.closed(),
            Self::Borrowed(borrowed) => borrowed.why_ended(),
            Self::Promised(promised) => promised.fate().why_ended(),
            Self::Broken(error) => Some(error.clone()),
            Self::Near(local, _) => local.revocables().find_map(|revocable| revocable.why()),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        match self {
            Self::Root(link) => link.unused(),
            Self::Near(_, loopback) => {
                if let Some(Ok(link)) = loopback.get() {
                    link.unused();
                }
            }
            Self::Borrowed(borrowed) => {
                let (link, id, epoch) = (Arc::clone(&borrowed.link), borrowed.id, borrowed.epoch);
                link.give_back(id, epoch, self);
            }
            Self::Promised(_) | Self::Broken(_) => {}
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(link) => f.debug_tuple("Root").field(&link.peer()).finish(),
            Self::Near(local, _) => f.debug_tuple("Near").field(local).finish(),
            Self::Borrowed(borrowed) => borrowed.fmt(f),
            Self::Promised(promised) => promised.fmt(f),
            Self::Broken(error) => f.debug_tuple("Broken").field(error).finish(),
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
    let link = Link::new(Arc::default(), Spin::default(), runtime, None, true);
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
            let link = Link::new(Arc::default(), Spin::default(), runtime, root, false);
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
