//! The references that travel with a frame: handles on objects, in the order of their indices.

use super::{FrameError, Reader, put_call_id, put_object_id, put_varint};
use crate::id::{CallId, ObjectId};

/// References that travel with one frame at most.
pub const MOST_REFERENCES: usize = 64;

const NULL: u8 = 0;
const MINE: u8 = 1;
const YOURS: u8 = 2;
const YOUR_ANSWER: u8 = 3;

/// One reference, as its sender sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Descriptor {
    /// It leads nowhere any more.
    Null,
    /// An object of the sender's, with the place of its interface among those that the sender has described.
    Mine(ObjectId, u32),
    /// An object of the receiver's.
    Yours(ObjectId),
    /// The object that this call of the sender's will return, or has returned.
    YourAnswer(CallId),
}

/// The references of a frame, as they travel. Empty: there are none.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct References<'a> {
    bytes: &'a [u8],
}

impl<'a> References<'a> {
    /// The references that [`encode`](Self::encode) has written.
    #[must_use]
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The bytes, with the count before the descriptors; nothing if there are none.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether there are no references.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The descriptors. What is malformed ends them.
    pub fn descriptors(&self) -> impl Iterator<Item = Descriptor> + 'a {
        let mut reader = Reader::new(self.bytes);
        let count = reader.u64().unwrap_or(0);
        (0..count).map_while(move |_| descriptor(&mut reader).ok())
    }

    /// Appends the bytes of these references. Nothing if there are none.
    pub fn encode(descriptors: &[Descriptor], out: &mut Vec<u8>) {
        if descriptors.is_empty() {
            return;
        }
        put_varint(out, descriptors.len() as u64);
        for descriptor in descriptors {
            put(out, *descriptor);
        }
    }

    /// Reads references, of which there is at least one.
    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        let whole = reader.clone().rest();
        let count = reader.u64()?;
        if count == 0 || count > MOST_REFERENCES as u64 {
            return Err(FrameError::Value);
        }
        for _ in 0..count {
            descriptor(reader)?;
        }
        let rest = reader.clone().rest().len();
        Ok(Self::of(whole.get(..whole.len().saturating_sub(rest)).unwrap_or_default()))
    }
}

fn put(out: &mut Vec<u8>, descriptor: Descriptor) {
    match descriptor {
        Descriptor::Null => out.push(NULL),
        Descriptor::Mine(object, interface) => {
            out.push(MINE);
            put_object_id(out, object);
            put_varint(out, u64::from(interface));
        }
        Descriptor::Yours(object) => {
            out.push(YOURS);
            put_object_id(out, object);
        }
        Descriptor::YourAnswer(call) => {
            out.push(YOUR_ANSWER);
            put_call_id(out, call);
        }
    }
}

fn descriptor(reader: &mut Reader<'_>) -> Result<Descriptor, FrameError> {
    Ok(match reader.u8()? {
        NULL => Descriptor::Null,
        MINE => Descriptor::Mine(reader.object_id()?, reader.u32()?),
        YOURS => Descriptor::Yours(reader.object_id()?),
        YOUR_ANSWER => Descriptor::YourAnswer(reader.call_id()?),
        _ => return Err(FrameError::Value),
    })
}
