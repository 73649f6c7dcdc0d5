//! Every bound, in one place. What a peer can grow has a number here.

use crate::codec::Budget;
use std::time::Duration;

/// The bounds of an endpoint. Exchanged at the start of a connection, enforced by the receiver.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the first frame of a connection. Default 4 KiB.
    pub handshake_frame: usize,
    /// Time for the handshake. Default 5 s on one host, 10 s across a network.
    pub handshake_time: Duration,
    /// Connections of one listener that are not yet past the handshake; then it stops accepting. Default 64.
    pub handshakes: usize,
    /// Bytes of one frame, header included. Default 16 MiB.
    pub frame: usize,
    /// Bytes that decoding one message may materialise; the larger of this and 8 x its frame. Default 1 MiB.
    pub decoded: usize,
    /// Nesting of a decoded value. Default 64.
    pub depth: usize,
    /// Calls served at a time per connection, until their handlers end. Default 1024.
    pub serving: usize,
    /// Calls that are cancelled but still running, per connection; then reading pauses. Default 128.
    pub cancelled: usize,
    /// Calls that wait, encoded, because they cannot go out yet, per connection. Default 1024.
    pub outbox_calls: usize,
    /// Bytes of the calls that wait to go out, per connection. Default 16 MiB.
    pub outbox_bytes: usize,
    /// Bytes of replies and control frames that wait for a peer that does not read. Default 1 MiB
    /// beyond the largest frame.
    pub outbound: usize,
    /// How long a peer may leave `outbound` full before it is closed as a slow consumer. Default 10 s.
    pub stalled: Duration,
    /// Bytes of frames without useful payload that a peer may send before useful ones. Default 25 600.
    pub overhead: usize,
    /// Objects lent, and objects borrowed, per connection. Default 65 536.
    pub objects: usize,
    /// Frames to unknown, freed or foreign objects before the connection is closed. Default 64.
    pub strays: usize,
    /// Entries of a call's metadata. Default 32.
    pub metadata_entries: usize,
    /// Bytes of a call's metadata. Default 8 KiB.
    pub metadata_bytes: usize,
    /// The deadline of a call that names none. Default 10 s.
    pub deadline: Duration,
    /// Idle time with calls open after which a peer across a network is asked for a sign of life. Default 15 s.
    pub ping_after: Duration,
    /// Silence after which such a peer is taken for dead. Default 30 s.
    pub dead_after: Duration,
}

impl Limits {
    /// What decoding a frame of so many bytes may cost.
    #[must_use]
    pub(crate) fn budget(&self, frame: usize) -> Budget {
        Budget { bytes: self.decoded.max(frame.saturating_mul(8)), depth: self.depth }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake_frame: 4 << 10,
            handshake_time: Duration::from_secs(10),
            handshakes: 64,
            frame: 16 << 20,
            decoded: 1 << 20,
            depth: 64,
            serving: 1024,
            cancelled: 128,
            outbox_calls: 1024,
            outbox_bytes: 16 << 20,
            outbound: 1 << 20,
            stalled: Duration::from_secs(10),
            overhead: 25_600,
            objects: 65_536,
            strays: 64,
            metadata_entries: 32,
            metadata_bytes: 8 << 10,
            deadline: Duration::from_secs(10),
            ping_after: Duration::from_secs(15),
            dead_after: Duration::from_secs(30),
        }
    }
}
