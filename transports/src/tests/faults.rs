//! What a peer that speaks no frames, or cuts them, is told.

use super::*;
use std::io::ErrorKind;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// A wire and what feeds it bytes.
async fn fed(kind: Kind) -> Option<(Wire, Box<dyn AsyncWrite + Unpin>)> {
    match kind {
        Kind::Duplex => {
            let (left, right) = tokio::io::duplex(100);
            Some((io::wire(left, Peer::new("duplex", "duplex:")), Box::new(right)))
        }
        #[cfg(feature = "tcp")]
        Kind::Tcp => {
            let at = "tcp://127.0.0.1:0".parse().expect("an address");
            let mut listener = crate::tcp::Tcp.listen(&at).await.expect("a free port");
            let address = listener.address();
            let place = address.trim_start_matches("tcp://");
            let stream = tokio::net::TcpStream::connect(place).await.expect("somebody listens");
            Some((listener.accept().await.expect("a connection"), Box::new(stream)))
        }
        #[cfg(all(unix, feature = "unix"))]
        Kind::Unix => {
            let base = tempfile::tempdir().expect("a directory");
            let path = base.path().join("a.sock");
            let at = format!("unix://{}", path.display()).parse().expect("an address");
            let mut listener = crate::unix::Unix.listen(&at).await.expect("nobody else listens");
            let stream = tokio::net::UnixStream::connect(path).await.expect("somebody listens");
            Some((listener.accept().await.expect("a connection"), Box::new(stream)))
        }
        _ => None,
    }
}

#[test]
fn bad_bytes_are_named() {
    let hello = [0x16, 3, 1, 2, 0, 1, 0, 1];
    let cases: [(&[u8], ErrorKind, &str); 8] = [
        (&[0; 4], ErrorKind::InvalidData, "length zero"),
        (&[0xff; 4], ErrorKind::InvalidData, "4294967295 bytes: the limit is 4096"),
        (&[1, 0x10, 0, 0], ErrorKind::InvalidData, "4097 bytes: the limit is 4096"),
        (b"GET / HTTP/1.1\r\n\r\n", ErrorKind::InvalidData, "speaks HTTP"),
        (&hello, ErrorKind::InvalidData, "speaks TLS"),
        (&[5, 0, 0], ErrorKind::UnexpectedEof, "in the middle of a frame"),
        (&[5, 0, 0, 0], ErrorKind::UnexpectedEof, "in the middle of a frame"),
        (&[5, 0, 0, 0, 1, 2, 3, 4], ErrorKind::UnexpectedEof, "in the middle of a frame"),
    ];
    for_each_kind(|kind| async move {
        for (sent, want, text) in cases {
            let Some((mut wire, mut feed)) = fed(kind).await else { return };
            wire.rx.set_frame_limit(4096);
            feed.write_all(sent).await.expect("it is open");
            feed.shutdown().await.expect("it is open");
            let error = recv(&mut wire).await.expect_err("bad bytes");
            assert_eq!(error.kind(), want, "{sent:?}: {error}");
            assert!(error.to_string().contains(text), "{sent:?}: {error}");
        }
    });
}

#[test]
fn a_large_frame_that_is_cut_is_no_end() {
    for_each_kind(|kind| async move {
        let Some((mut wire, mut feed)) = fed(kind).await else { return };
        let sent = [&(1_u32 << 20).to_le_bytes()[..], &bytes(1 << 19)].concat();
        let feeding = async {
            feed.write_all(&sent).await.expect("it is open");
            feed.shutdown().await.expect("it is open");
        };
        let (error, ()) = tokio::join!(recv(&mut wire), feeding);
        assert_eq!(error.expect_err("cut").kind(), ErrorKind::UnexpectedEof);
    });
}

#[test]
fn frames_arrive_byte_by_byte_and_the_other_direction_stays_open() {
    for_each_kind(|kind| async move {
        let Some((mut wire, mut feed)) = fed(kind).await else { return };
        let feeding = async {
            for byte in [2, 0, 0, 0, 7, 8, 1, 0, 0, 0, 9] {
                feed.write_all(&[byte]).await.expect("it is open");
                tokio::task::yield_now().await;
            }
            feed.shutdown().await.expect("it is open");
        };
        let receive = async {
            assert_eq!(recv(&mut wire).await.expect("valid"), Some(vec![7, 8]));
            assert_eq!(recv(&mut wire).await.expect("valid"), Some(vec![9]));
            assert_eq!(recv(&mut wire).await.expect("a clean end"), None);
        };
        tokio::join!(feeding, receive);
        send(&wire, b"the answer").await;
    });
}
