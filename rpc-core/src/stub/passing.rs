//! References within the values of a call or a return: each is encoded as its place in a list that travels beside the values. Elsewhere a
//! handle cannot be encoded: it means nothing without its connection.

use super::{Handle, Remote};
use crate::{
    error::{Error, ErrorKind},
    interface::{Description, Interface},
    payload::{self, Payload, Scope, Scopes},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use std::{cell::Cell, sync::Arc};

/// A reference on its way out.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    pub(crate) handle: Arc<Handle>,
    /// What it is passed as.
    pub(crate) interface: &'static Description,
}

/// The interface of what leads nowhere.
pub(super) static NOTHING: Description =
    Description { name: "?", docs: "", methods: &[], type_arguments: &[] };

/// What travels beside values on their way out.
#[derive(Default, Debug)]
pub(crate) struct Parcel {
    pub(crate) payloads: Vec<Payload>,
    pub(crate) passed: Vec<Passed>,
}

/// What has come beside values, and was not claimed by one of them: mostly nothing.
#[derive(Default, Debug)]
pub(crate) struct Brought(Option<Box<Lists>>);

#[derive(Default, Debug)]
struct Lists {
    payloads: Vec<Option<Payload>>,
    references: Vec<Option<Arc<Handle>>>,
}

thread_local! {
    static SCOPE: Cell<Scope<Passed, Arc<Handle>>> = const { Cell::new(Scope::None) };
}

/// The list of the references that travel with the values.
const SCOPES: Scopes<Passed, Arc<Handle>> = Scopes(&SCOPE);

impl Parcel {
    /// Nothing travels beside.
    pub(crate) fn is_empty(&self) -> bool {
        self.payloads.is_empty() && self.passed.is_empty()
    }

    /// Runs `encode`; what its values hold is added, unless it fails.
    pub(crate) fn collect<E>(&mut self, encode: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let Self { payloads, passed } = self;
        SCOPES.collect_into(passed, || payload::collect_into(payloads, encode))
    }
}

impl Brought {
    pub(crate) fn new(
        payloads: Vec<Option<Payload>>,
        references: Vec<Option<Arc<Handle>>>,
    ) -> Self {
        let any = !(payloads.is_empty() && references.is_empty());
        Self(any.then(|| Box::new(Lists { payloads, references })))
    }

    /// Nothing has come beside.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The payloads, in the order of their indices.
    #[cfg(test)]
    pub(crate) fn payloads(&self) -> &[Option<Payload>] {
        self.0.as_ref().map_or(&[], |lists| &lists.payloads)
    }

    /// The same, to be passed on with the values as they are. What was not there, or cannot be passed on, leads nowhere.
    pub(crate) fn pass_on(self) -> Parcel {
        let Lists { payloads, references } = *self.0.unwrap_or_default();
        let payloads = payloads.into_iter().map(Option::unwrap_or_default).collect();
        let passed = references.into_iter().map(|handle| {
            let nowhere = || Error::of(ErrorKind::Broken, "the reference could not be passed on");
            let handle = handle.unwrap_or_else(|| Arc::new(Handle::Broken(nowhere())));
            match handle.interface() {
                Some(interface) => Passed { handle, interface },
                None => Passed { handle: Arc::new(Handle::Broken(nowhere())), interface: &NOTHING },
            }
        });
        Parcel { payloads, passed: passed.collect() }
    }

    /// Runs `decode`, which may claim each payload once, and each reference.
    pub(crate) fn claim<T>(&mut self, decode: impl FnOnce() -> T) -> T {
        let mut none = Lists::default();
        let Lists { payloads, references } = self.0.as_deref_mut().unwrap_or(&mut none);
        SCOPES.claim_from(references, || payload::claim_from(payloads, decode))
    }
}

/// Encodes a reference, passed as one to an object of `interface`.
pub(super) fn serialize<S: Serializer>(
    handle: &Arc<Handle>,
    interface: &'static Description,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let outside = "a `Remote` can be encoded only as part of a call or of what it returns";
    let index = SCOPES.collect(Passed { handle: Arc::clone(handle), interface });
    serializer.serialize_u32(index.ok_or_else(|| ser::Error::custom(outside))?)
}

/// Decodes a reference, whatever its interface.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Arc<Handle>, D::Error> {
    let index = u32::deserialize(deserializer)?;
    let missing = "it names a reference that did not come with it, or names it twice";
    SCOPES.claim(index).ok_or_else(|| de::Error::custom(missing))
}

impl<I: Interface + ?Sized> Serialize for Remote<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.handle, I::DESCRIPTION, serializer)
    }
}

impl<'de, I: Interface + ?Sized> Deserialize<'de> for Remote<I> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let handle = deserialize(deserializer)?;
        handle.check_interface(I::DESCRIPTION).map_err(de::Error::custom)?;
        Ok(Self::of(handle))
    }
}
