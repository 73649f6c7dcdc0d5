//! Every bound, in one place. What a peer can grow has a number here.

use crate::codec::Budget;
use std::{sync::Arc, time::Duration};

/// The bounds of an endpoint. Exchanged at the start of a connection, enforced by the receiver.
///
/// Each can be set here, or by its name in the table `limits` of `farcall.toml`. What happens beyond it:
///
/// | limit | default | one more |
/// |---|---|---|
/// | `handshake_frame` | 4 KiB | closes the connection |
/// | `handshake_time` | 10 s; on one host never more than 5 s | closes it |
/// | `handshakes` | 64 | the listener accepts no more for now |
/// | `frame` | 16 MiB | `TooLarge`; from a peer: closes the connection |
/// | `decoded`, `depth` | 1 MiB or 8 x the frame; 64 | an error of that call |
/// | `serving` | 1024 | the call waits in its caller's outbox, unless it is made while serving another: 4 times as many, or 255 more; `Overloaded` beyond |
/// | `cancelled` | 128 | nothing is read for now |
/// | `arrived_bytes` | 16 MiB | nothing is read for now; of calls on what others return `Overloaded` |
/// | `pipelined_per_answer`, `pipelined` | 256; 4096 | `Overloaded` |
/// | `outbox_calls`, `outbox_bytes`, `outbox_payloads` | 1024; 16 MiB; 64 MiB | `Overloaded` |
/// | `outbound`, `stalled` | 1 MiB; 10 s | nothing is started for the peer; then closes the connection |
/// | `overhead` | 25 600 B | closes it |
/// | `objects` | 65 536 | `Overloaded`; from a peer: closes it |
/// | `interfaces`, `interface_bytes` | 1024; 1 MiB | closes it |
/// | `strays` | 64 | closes it |
/// | `metadata_entries`, `metadata_bytes` | 32; 8 KiB | is not sent; from a peer: closes it |
/// | `deadline` | 10 s | `TimedOut` |
/// | `ping_after`, `dead_after` | 15 s; 30 s | asks for a sign of life; closes it |
///
/// Fixed, since both sides must know them before they could agree on others, are 64 payloads and 64 references for each frame, and in shared
/// memory 1024 blocks lent at a time, and 5 s and 64 clients at a time for its handshake; `?arena=` in an address says how many bytes the blocks
/// may have, 64 MiB unless told otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the first frame of a connection. Default 4 KiB.
    pub handshake_frame: usize,
    /// Time for the handshake; on one host 5 s at most. Default 10 s.
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
    /// Bytes of calls that have arrived and wait to be started, per connection; then reading pauses, and calls on what others return are
    /// refused. Default 16 MiB.
    pub arrived_bytes: usize,
    /// Calls that wait for what one other call returns; more are refused. Default 256.
    pub pipelined_per_answer: usize,
    /// Calls that wait for what others return, per connection; more are refused. Default 4096.
    pub pipelined: usize,
    /// Calls that wait, encoded, because they cannot go out yet, and as many answers that wait for memory, per connection. Default 1024.
    pub outbox_calls: usize,
    /// Bytes of the calls that wait to go out, without those of payloads that travel beside them, per connection. Default 16 MiB.
    pub outbox_bytes: usize,
    /// Bytes of the payloads of calls that wait to go out, and as many of answers that wait for memory, per connection; those of one call or
    /// answer can always wait. Default 64 MiB.
    pub outbox_payloads: usize,
    /// Bytes of replies and control frames that wait for a peer that does not read. Default 1 MiB
    /// beyond the largest frame.
    pub outbound: usize,
    /// How long a peer may leave `outbound` full before it is closed as a slow consumer. Default 10 s.
    pub stalled: Duration,
    /// Bytes of frames without useful payload that a peer may send before useful ones. Default 25 600.
    pub overhead: usize,
    /// Objects lent, and objects borrowed, per connection. Default 65 536.
    pub objects: usize,
    /// Interfaces that a peer may describe, per connection, before it is closed. Default 1024.
    pub interfaces: usize,
    /// Bytes in which a peer may describe them. Default 1 MiB.
    pub interface_bytes: usize,
    /// Frames to unknown, freed or foreign objects before the connection is closed. Default 64.
    pub strays: usize,
    /// Entries of a call's metadata. Default 32.
    pub metadata_entries: usize,
    /// Bytes of a call's metadata. Default 8 KiB.
    pub metadata_bytes: usize,
    /// The deadline of a call that names none. Default 10 s.
    pub deadline: Duration,
    /// Silence after which a peer across a network is asked for a sign of life. Default 15 s.
    pub ping_after: Duration,
    /// Silence after which such a peer is taken for dead. Default 30 s.
    pub dead_after: Duration,
}

/// The bounds of an endpoint, of which all its connections have one copy.
pub type SharedLimits = Arc<Limits>;

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
            arrived_bytes: 16 << 20,
            pipelined_per_answer: 256,
            pipelined: 4096,
            outbox_calls: 1024,
            outbox_bytes: 16 << 20,
            outbox_payloads: 64 << 20,
            outbound: 1 << 20,
            stalled: Duration::from_secs(10),
            overhead: 25_600,
            objects: 65_536,
            interfaces: 1024,
            interface_bytes: 1 << 20,
            strays: 64,
            metadata_entries: 32,
            metadata_bytes: 8 << 10,
            deadline: Duration::from_secs(10),
            ping_after: Duration::from_secs(15),
            dead_after: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Limits;
    use std::collections::BTreeMap;

    const SOURCE: &str = include_str!("limits.rs");

    /// A number, or a time, as `Debug` has it: of `25 600 B`, of `1 MiB or 8 x the frame`, of `10 s at most`.
    fn value(written: &str) -> String {
        let words = || written.split_whitespace();
        let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
        let digits: String = words().take_while(is_number).collect();
        let number: u64 = digits.parse().unwrap();
        match words().find(|word| !is_number(word)) {
            Some("KiB") => (number << 10).to_string(),
            Some("MiB") => (number << 20).to_string(),
            Some("s") => format!("{number}s"),
            _ => number.to_string(),
        }
    }

    /// The table above has each limit once, and the comment of each field says the same.
    #[test]
    fn the_defaults_are_what_the_documentation_says() {
        let default = format!("{:#?}", Limits::default());
        let fields =
            default.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(": "));
        let is: BTreeMap<_, _> = fields.map(|(name, value)| (name, value.to_owned())).collect();
        let mut table = BTreeMap::new();
        for row in SOURCE.lines().filter_map(|line| line.strip_prefix("/// | `")) {
            let mut cells = row.split(" | ");
            let names = cells.next().unwrap().split('`').step_by(2).filter(|name| !name.is_empty());
            for (name, written) in names.zip(cells.next().unwrap().split("; ")) {
                assert!(table.insert(name, value(written)).is_none(), "`{name}` stands twice");
            }
        }
        assert_eq!(table, is);
        let mut said = "";
        let mut comments = BTreeMap::new();
        for line in SOURCE.lines().map(str::trim) {
            if let Some((_, default)) = line.split_once(" Default ") {
                said = default.trim_end_matches('.');
            } else if let Some((name, _)) =
                line.strip_prefix("pub ").and_then(|field| field.split_once(": "))
            {
                comments.insert(name, value(said));
            }
        }
        assert_eq!(comments, is);
    }
}
