//! The first frame both ways: who the peer is and what it accepts.

use super::{FrameError, Reader, kind, put_varint};

const MAGIC: [u8; 4] = *b"fcal";

/// Who a peer is and what it accepts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hello {
    /// The protocol's version.
    pub version: u16,
    /// Optional parts of the protocol, one bit each. None is defined yet.
    pub features: u64,
    /// Random, one per process.
    pub peer: [u8; 16],
    /// The same for all processes of one host (and one boot), zero where unknown.
    pub host: [u8; 16],
    /// The processor that the peer may run on, where it is one only: number + 1. Zero: several.
    pub processor: u32,
    /// Bytes of the largest frame it accepts.
    pub frame: u32,
    /// Calls it serves at a time.
    pub serving: u32,
}

impl Hello {
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        if reader.array::<4>()? != MAGIC {
            return Err(FrameError::Magic);
        }
        let version = u16::from_le_bytes(reader.array()?);
        let hello = Self {
            version,
            features: reader.u64()?,
            peer: reader.array()?,
            host: reader.array()?,
            processor: reader.u32()?,
            frame: reader.u32()?,
            serving: reader.u32()?,
        };
        // What later versions add behind is not ours to refuse.
        let _ = reader.rest();
        Ok(hello)
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.push(kind::HELLO);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.version.to_le_bytes());
        put_varint(out, self.features);
        out.extend_from_slice(&self.peer);
        out.extend_from_slice(&self.host);
        put_varint(out, u64::from(self.processor));
        put_varint(out, u64::from(self.frame));
        put_varint(out, u64::from(self.serving));
    }
}
