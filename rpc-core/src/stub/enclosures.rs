//! What a value holds beside its bytes, for those who keep values encoded and do not know their types.

use super::{AnyRemote, Brought, Parcel, Passed};
use crate::{
    codec::{Decoder, Encoder},
    error::Error,
    payload::{Payload, may_hold},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use std::sync::Arc;

/// What an encoded value holds that is not in its bytes: payloads, and handles on objects.
///
/// It is itself a value that can be an argument, a result, or a field of either: so whoever keeps encoded values, as a mailbox does,
/// passes them on without decoding them. Cheap to clone.
#[derive(Clone, Default, Debug)]
pub struct Enclosures(Option<Arc<Held>>);

#[derive(Debug, Serialize, Deserialize)]
struct Held {
    payloads: Vec<Payload>,
    remotes: Vec<AnyRemote>,
}

impl Enclosures {
    /// Payloads alone, in the order in which a value holds them.
    #[must_use]
    pub fn of_payloads(payloads: Vec<Payload>) -> Self {
        Self::of(payloads, Vec::new())
    }

    fn of(payloads: Vec<Payload>, remotes: Vec<AnyRemote>) -> Self {
        let is_empty = payloads.is_empty() && remotes.is_empty();
        Self((!is_empty).then(|| Arc::new(Held { payloads, remotes })))
    }

    /// Encodes a value: its bytes go to `encoder`, and the rest is here.
    ///
    /// # Errors
    /// `Encode`, if its `Serialize` fails.
    #[inline]
    pub fn encode<T: Serialize + 'static>(encoder: &mut Encoder, value: &T) -> Result<Self, Error> {
        if !may_hold::<T>() {
            return encoder.value(value).map(|()| Self::default());
        }
        let mut parcel = Parcel::default();
        parcel.collect(|| encoder.value(value))?;
        let Parcel { payloads, passed } = parcel;
        let remote = |Passed { handle, interface }| AnyRemote { handle, interface };
        Ok(Self::of(payloads, passed.into_iter().map(remote).collect()))
    }

    /// Decodes a value that holds these, from its bytes.
    ///
    /// # Errors
    /// `Decode`, if they are not a `T`; `WrongInterface`, if a handle in it is on another kind of object.
    #[inline]
    pub fn decode<T: DeserializeOwned + 'static>(
        &self,
        decoder: &mut Decoder<'_>,
    ) -> Result<T, Error> {
        if !may_hold::<T>() {
            return decoder.owned();
        }
        let payloads = self.payloads().iter().cloned().map(Some).collect();
        let references = self.remotes().iter().map(|remote| Some(Arc::clone(&remote.handle)));
        let mut brought = Brought::new(payloads, references.collect());
        brought.claim(|| decoder.owned())
    }

    /// Copies payloads out of memory of the peer that they came from, which is bounded, and which it has back then. While there are clones
    /// of these, nothing is copied.
    pub fn copy_out(&mut self) {
        let Some(held) = self.0.as_mut().and_then(Arc::get_mut) else { return };
        for payload in held.payloads.iter_mut().filter(|payload| payload.is_borrowed()) {
            *payload = payload.to_buffer().into();
        }
    }

    /// Whether there are none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The payloads, in the order in which the value holds them.
    #[inline]
    #[must_use]
    pub fn payloads(&self) -> &[Payload] {
        self.0.as_deref().map_or(&[], |held| &held.payloads)
    }

    /// The handles, in the order in which the value holds them.
    #[inline]
    #[must_use]
    pub fn remotes(&self) -> &[AnyRemote] {
        self.0.as_deref().map_or(&[], |held| &held.remotes)
    }

    /// Bytes of the payloads.
    #[inline]
    #[must_use]
    pub fn size(&self) -> usize {
        if self.is_empty() { 0 } else { self.payloads().iter().map(Payload::len).sum() }
    }
}

impl Serialize for Enclosures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_deref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Enclosures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let held = Option::<Held>::deserialize(deserializer)?;
        Ok(held.map_or_else(Self::default, |held| Self::of(held.payloads, held.remotes)))
    }
}

/// The same payloads, byte by byte, and handles that lead to the same objects.
impl PartialEq for Enclosures {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.payloads(), other.payloads());
        let same = |(our, their): (&Payload, &Payload)| our.to_vec() == their.to_vec();
        let leads = |(our, their): (&AnyRemote, &AnyRemote)| our.handle.is_same(&their.handle);
        ours.len() == theirs.len()
            && self.remotes().len() == other.remotes().len()
            && ours.iter().zip(theirs).all(same)
            && self.remotes().iter().zip(other.remotes()).all(leads)
    }
}

impl Eq for Enclosures {}
