//! A connection, as its users may look at it: what it has done, and what is lent and borrowed on it.

use crate::{driver::Link, error::Error};
use std::{fmt, sync::Arc};

/// A connection, to be looked at: [`Remote::connection`](super::Remote::connection). It keeps neither the connection nor an object.
#[derive(Clone)]
pub struct Connection {
    link: Arc<Link>,
}

/// What a connection has done since it was begun, and what is lent and borrowed on its present wire.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// Calls that this side has made, over all wires.
    pub calls_made: u64,
    /// Calls that this side has accepted, over all wires.
    pub calls_served: u64,
    /// Objects of this side that the other one holds; the most frequent kind first.
    pub lent: Vec<Held>,
    /// Objects of the other side that this one holds; the most frequent kind first.
    pub borrowed: Vec<Held>,
    /// How many may be lent, and borrowed: [`Limits::objects`](crate::limits::Limits::objects). At 80 % there is a warning in the log.
    pub objects: usize,
}

/// Objects of one kind.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Held {
    /// Their interface. `?`: they were taken away from the peer, which has not given them back yet.
    pub interface: String,
    /// The method whose arguments, or whose result, first brought them; `?` where that is not known. `lookup`: an endpoint's services.
    pub by: String,
    /// How many.
    pub count: usize,
}

impl Connection {
    pub(super) fn new(link: &Arc<Link>) -> Self {
        Self { link: Arc::clone(link) }
    }

    /// Looks at it, now. Takes time in proportion to the objects that are lent and borrowed.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.link.snapshot()
    }

    /// Waits until the present wire is lost, or the connection ends, and says why. With the wire went all objects that were lent and borrowed
    /// on it; a handle on a service may be connected again a moment later, by another wire, which a new call of this waits for. At once, if
    /// there is no wire at the moment.
    ///
    /// # Cancel safety
    /// Cancel safe. A wire that came and went between two calls is not told of.
    pub async fn closed(&self) -> Error {
        self.link.unwired().await
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.link.fmt(f)
    }
}
