//! A handle whose interface is known at run time only: for those who keep or pass on objects of any kind.

use super::{Handle, Remote, passing};
use crate::{
    described::wrong_interface,
    error::Error,
    interface::{Description, Interface},
    skeleton::Local,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, sync::Arc};

/// A handle on an object of any interface.
///
/// A value as [`Remote`] is: an argument, a result, a field of either. What comes as one may have been sent as the other. Its methods
/// cannot be called; [`to`](Self::to) gives the handle whose methods can.
#[derive(Clone)]
pub struct AnyRemote {
    pub(super) handle: Arc<Handle>,
    pub(super) interface: &'static Description,
}

impl AnyRemote {
    /// A handle on an object of this process.
    #[doc(hidden)]
    #[must_use]
    pub fn home(local: &Local) -> Self {
        Self { handle: Handle::home(local), interface: local.description() }
    }

    /// The name of the object's interface, with the arguments of a generic trait.
    #[must_use]
    pub fn interface(&self) -> String {
        self.interface.full_name()
    }

    /// The same object, if it has the interface `I`.
    ///
    /// # Errors
    /// `WrongInterface`, naming both.
    pub fn to<I: Interface + ?Sized>(&self) -> Result<Remote<I>, Error> {
        let (found, wanted) = (self.interface(), I::DESCRIPTION.full_name());
        if found != wanted {
            return Err(wrong_interface(&found, &wanted));
        }
        self.handle.check_interface(I::DESCRIPTION)?;
        Ok(Remote::of(Arc::clone(&self.handle)))
    }

    /// As [`Remote::closed`].
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn closed(&self) -> Error {
        self.handle.closed().await
    }

    /// As [`Remote::why_closed`].
    #[must_use]
    pub fn why_closed(&self) -> Option<Error> {
        self.handle.why_closed()
    }
}

impl<I: Interface + ?Sized> From<Remote<I>> for AnyRemote {
    fn from(remote: Remote<I>) -> Self {
        Self { handle: Arc::clone(&remote.handle), interface: I::DESCRIPTION }
    }
}

impl Serialize for AnyRemote {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        passing::serialize(&self.handle, self.interface, serializer)
    }
}

impl<'de> Deserialize<'de> for AnyRemote {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let handle = passing::deserialize(deserializer)?;
        let interface = handle.interface().unwrap_or(&passing::NOTHING);
        Ok(Self { handle, interface })
    }
}

impl fmt::Debug for AnyRemote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyRemote").field(&self.interface.name).field(&self.handle).finish()
    }
}
