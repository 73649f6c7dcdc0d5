//! The numbers that name things on one connection. A new type each, so that they cannot be mixed up.

use std::fmt;

/// A call, numbered by its caller: a dense slot of the caller's table and the slot's generation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CallId {
    /// Index into the caller's table.
    pub slot: u32,
    /// How often the slot has been used, modulo 2^16: a late frame for an earlier use is detected.
    pub generation: u16,
}

/// An object, numbered by the peer that lent it. Slot 0 is the peer's root object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ObjectId {
    /// Index into the exporter's table.
    pub slot: u32,
    /// How often the slot has been used, modulo 2^16.
    pub generation: u16,
}

impl ObjectId {
    /// Export 0: the object that answers `lookup`.
    pub const ROOT: Self = Self { slot: 0, generation: 0 };
}

/// A method: a hash of its name, so that methods can be added and reordered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct MethodId(pub u32);

impl MethodId {
    /// The id of the method called `name` on the wire: the 32-bit FNV-1a hash of its bytes.
    #[must_use]
    pub const fn of(name: &str) -> Self {
        let bytes = name.as_bytes();
        let mut hash: u32 = 0x811c_9dc5;
        let mut i = 0;
        while i < bytes.len() {
            hash = (hash ^ bytes[i] as u32).wrapping_mul(0x0100_0193);
            i += 1;
        }
        Self(hash)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {}.{}", self.slot, self.generation)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "object {}.{}", self.slot, self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn method_ids_are_fnv1a() {
        assert_eq!(MethodId::of(""), MethodId(0x811c_9dc5));
        assert_eq!(MethodId::of("a"), MethodId(0xe40c_292c));
        assert_eq!(MethodId::of("foobar"), MethodId(0xbf9c_f968));
    }
}
