//! Where one side has no shared memory, the socket carries the frames.

use super::*;

#[test]
fn without_memory_on_either_side_the_socket_carries_the_frames() {
    run(async {
        for (client, server) in [
            (Memory::None, Memory::default()),
            (Memory::default(), Memory::None),
            (Memory::None, Memory::None),
        ] {
            let (left, right) = meet(client, server).await;
            let (mut left, mut right) = (left.expect("agreed"), right.expect("agreed"));
            for wire in [&left, &right] {
                assert_eq!(wire.peer.transport, "unix", "{client:?}, {server:?}");
                assert_eq!((&*wire.peer.address, wire.peer.local), ("shm://test", true));
            }
            let large = vec![7; 1 << 20];
            let (sent, found) = tokio::join!(send(&left, &large), recv(&mut right));
            sent.expect("it is open");
            assert!(found.expect("valid").expect("not the end") == large);
            send(&right, b"back").await.expect("it is open");
            assert_eq!(recv(&mut left).await.expect("valid").as_deref(), Some(&b"back"[..]));
        }
    });
}

#[test]
fn a_listener_without_memory_serves_all_the_same() {
    use farcall_core::{address::Address, transport::Transport};
    run(async {
        let base = tempfile::tempdir().expect("a directory");
        let at = format!("shm://{}/a.shm", base.path().display());
        let at: Address = at.parse().expect("an address");
        let transport = crate::shm::Shm { memory: Memory::None };
        let mut listener = transport.listen(&at).await.expect("nobody else listens");
        let left = crate::shm::Shm::default().connect(&at).await.expect("somebody listens");
        let right = listener.accept().await.expect("somebody connects");
        assert_eq!((left.peer.transport, right.peer.transport), ("unix", "unix"));
        assert_eq!(left.peer.address, listener.address());
    });
}
