//! The fields of `Limits` by their names.

use super::value::Value;
use farcall_core::{error::Error, limits::Limits};
use std::time::Duration;

/// What a field holds, and where it is.
enum Field {
    Count(fn(&mut Limits) -> &mut usize),
    Size(fn(&mut Limits) -> &mut usize),
    Time(fn(&mut Limits) -> &mut Duration),
}

/// Names each field of `Limits` with what it holds.
macro_rules! fields {
    ($($kind:ident: $($name:ident)*;)*) => {
        [$($((stringify!($name), Field::$kind(|limits| &mut limits.$name)),)*)*]
    };
}

const FIELDS: [(&str, Field); 26] = fields! {
    Size: handshake_frame frame decoded arrived_bytes outbox_bytes outbox_payloads outbound overhead interface_bytes metadata_bytes;
    Count: handshakes depth serving cancelled pipelined_per_answer pipelined outbox_calls objects interfaces strays metadata_entries;
    Time: handshake_time stalled deadline ping_after dead_after;
};

/// Sets the field that the value's key names.
pub(super) fn set(limits: &mut Limits, value: &Value<'_>) -> Result<(), Error> {
    match FIELDS.iter().find(|(name, _)| *name == value.key) {
        Some((_, Field::Count(field))) => *field(limits) = value.count()?,
        Some((_, Field::Size(field))) => *field(limits) = value.size()?,
        Some((_, Field::Time(field))) => *field(limits) = value.duration()?,
        None => return Err(value.unknown_key(&FIELDS.map(|(name, _)| name))),
    }
    Ok(())
}
