//! The protocol: two linked connections do what the bytes say, and take frames that nobody sent. No step panics, breaks a limit, starts a
//! call twice or resolves one twice; without made-up frames neither accuses the other.

use super::peers::Peers;

/// Takes the bytes for steps, one or more bytes each.
pub fn run(bytes: &[u8]) {
    let Some((first, mut bytes)) = bytes.split_first() else { return };
    let mut peers = Peers::new(first % 2 == 1);
    while let Some((step, rest)) = bytes.split_first()
        && !peers.over
    {
        bytes = rest;
        let end = usize::from(step & 1);
        let mut byte = || match bytes.split_first() {
            Some((byte, rest)) => {
                bytes = rest;
                *byte
            }
            None => 0,
        };
        match (step >> 1) % 12 {
            0 => peers.call(end, byte()),
            1 => peers.oneway(end),
            2 => peers.reply(end, byte()),
            3 => peers.forget(end, byte()),
            4 => peers.release(end, byte()),
            5..=7 => drop(peers.deliver(end)),
            8 => peers.pass(u64::from(byte())),
            9 => peers.pass(u64::from(byte()) * 100),
            10 => peers.ends[end].conn.goodbye(),
            _ => {
                let length = usize::from(byte()).min(bytes.len());
                let (frame, rest) = bytes.split_at(length);
                bytes = rest;
                peers.forge(end, frame);
            }
        }
        let due = peers.ends[end].conn.poll_timeout();
        assert!(due.is_none_or(|due| due >= peers.start));
    }
    peers.finish();
}
