//! Recognises what often knocks at the wrong port, so that the error can say so.

/// The methods with which an HTTP request begins, as far as four bytes show.
const HTTP: [&[u8; 4]; 8] =
    [b"GET ", b"POST", b"PUT ", b"HEAD", b"DELE", b"OPTI", b"PATC", b"PRI "];

/// What the peer seems to speak, judged by the first four bytes it sent.
pub(crate) fn hint(first: [u8; 4]) -> Option<&'static str> {
    match first {
        method if HTTP.contains(&&method) => {
            Some("the peer speaks HTTP, and this is a farcall endpoint")
        }
        [b'H', b'T', b'T', b'P'] => Some("an HTTP server listens there, and no farcall endpoint"),
        [0x16, 0x03, 1..=4, _] => Some("the peer speaks TLS, and this endpoint is without TLS"),
        [0x15, 0x03, 1..=4, _] => Some("a TLS server listens there, and this peer is without TLS"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strangers_are_recognised() {
        for (first, want) in [
            (*b"GET ", Some("HTTP")),
            (*b"PRI ", Some("HTTP")),
            (*b"HTTP", Some("HTTP")),
            ([0x16, 0x03, 0x01, 0x02], Some("TLS")),
            ([0x15, 0x03, 0x03, 0x00], Some("TLS")),
            ([0x16, 0x03, 0x00, 0x00], None),
            ([0, 0, 0, 1], None),
        ] {
            let found = hint(first);
            assert_eq!(found.is_some(), want.is_some(), "{first:?}: {found:?}");
            assert!(found.unwrap_or_default().contains(want.unwrap_or_default()));
        }
    }
}
