//! References within the values of a call or a return: each is encoded as its place in a list that travels beside the values.
//!
//! The list is that of the innermost scope of this thread, which whoever encodes or decodes the values of a frame opens. Outside of one
//! a handle cannot be encoded: it means nothing without its connection.

use super::{Handle, Remote};
use crate::{
    error::{Error, ErrorKind},
    interface::{Description, Interface},
    payload::{self, Payload},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use std::{cell::Cell, mem, sync::Arc};

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

/// What has come beside values, and was not claimed by one of them.
#[derive(Default, Debug)]
pub(crate) struct Brought {
    pub(crate) payloads: Vec<Option<Payload>>,
    pub(crate) references: Vec<Option<Arc<Handle>>>,
}

/// The list of the innermost scope.
#[derive(Default)]
enum Scope {
    #[default]
    None,
    Out(Vec<Passed>),
    In(Vec<Option<Arc<Handle>>>),
}

thread_local! {
    static SCOPE: Cell<Scope> = const { Cell::new(Scope::None) };
}

impl Parcel {
    /// Nothing travels beside.
    pub(crate) fn is_empty(&self) -> bool {
        self.payloads.is_empty() && self.passed.is_empty()
    }

    /// Runs `encode`; what its values hold is added, unless it fails.
    pub(crate) fn collect<E>(&mut self, encode: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let before = self.passed.len();
        let entered = Entered::new(Scope::Out(mem::take(&mut self.passed)));
        let encoded = payload::collect_into(&mut self.payloads, encode);
        if let Scope::Out(collected) = entered.leave() {
            self.passed = collected;
        }
        if encoded.is_err() {
            self.passed.truncate(before);
        }
        encoded
    }
}

impl Brought {
    /// Nothing has come beside.
    pub(crate) fn is_empty(&self) -> bool {
        self.payloads.is_empty() && self.references.is_empty()
    }

    /// The same, to be passed on with the values as they are. What was not there, or cannot be passed on, leads nowhere.
    pub(crate) fn pass_on(self) -> Parcel {
        let payloads = self.payloads.into_iter().map(Option::unwrap_or_default).collect();
        let passed = self.references.into_iter().map(|handle| {
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
        let entered = Entered::new(Scope::In(mem::take(&mut self.references)));
        let decoded = payload::claim_from(&mut self.payloads, decode);
        if let Scope::In(left) = entered.leave() {
            self.references = left;
        }
        decoded
    }
}

/// A scope while it is the innermost one. Puts the one around it back, also when a value's own code panics.
struct Entered {
    outer: Option<Scope>,
}

impl Entered {
    fn new(scope: Scope) -> Self {
        Self { outer: Some(exchange(scope)) }
    }

    fn leave(mut self) -> Scope {
        self.outer.take().map(exchange).unwrap_or_default()
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(outer) = self.outer.take() {
            exchange(outer);
        }
    }
}

/// A thread that ends has no scopes.
fn exchange(scope: Scope) -> Scope {
    SCOPE.try_with(|innermost| innermost.replace(scope)).unwrap_or_default()
}

/// Adds a reference to the list: its place. None outside of a scope.
fn collect(passed: Passed) -> Option<u32> {
    let mut scope = exchange(Scope::None);
    let index = match &mut scope {
        Scope::Out(list) => {
            list.push(passed);
            u32::try_from(list.len() - 1).ok()
        }
        _ => None,
    };
    exchange(scope);
    index
}

/// The reference with this place in the list, if it is there and was not claimed before.
fn claim(index: u32) -> Option<Arc<Handle>> {
    let mut scope = exchange(Scope::None);
    let claimed = match &mut scope {
        Scope::In(list) => {
            usize::try_from(index).ok().and_then(|index| list.get_mut(index)).and_then(Option::take)
        }
        _ => None,
    };
    exchange(scope);
    claimed
}

/// Encodes a reference, passed as one to an object of `interface`.
pub(super) fn serialize<S: Serializer>(
    handle: &Arc<Handle>,
    interface: &'static Description,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let outside = "a `Remote` can be encoded only as part of a call or of what it returns";
    let index = collect(Passed { handle: Arc::clone(handle), interface });
    serializer.serialize_u32(index.ok_or_else(|| ser::Error::custom(outside))?)
}

/// Decodes a reference, whatever its interface.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Arc<Handle>, D::Error> {
    let index = u32::deserialize(deserializer)?;
    let missing = "it names a reference that did not come with it, or names it twice";
    claim(index).ok_or_else(|| de::Error::custom(missing))
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
