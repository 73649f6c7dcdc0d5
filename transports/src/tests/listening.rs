//! Finding each other: names, paths, ports, and what the errors say.

use super::*;
use farcall_core::error::ErrorKind;

/// The errors of connecting to `address` and of listening there.
async fn check_connect(transport: &dyn Transport, address: &str, kind: ErrorKind, text: &str) {
    let address = address.parse().expect("an address");
    let error = transport.connect(&address).await.expect_err("nobody is there");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.text().contains(text), "{error}");
}

async fn check_listen(transport: &dyn Transport, address: &str, kind: ErrorKind, text: &str) {
    let address: Address = address.parse().expect("an address");
    let Err(error) = transport.listen(&address).await else { panic!("listens at {address}") };
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.text().contains(text), "{error}");
}

#[test]
fn an_inproc_name_is_taken_until_its_listener_is_dropped() {
    run(async {
        let inproc = crate::inproc::Inproc;
        let name = "inproc://taken";
        check_connect(&inproc, name, ErrorKind::Unreachable, "nobody listens at inproc://taken")
            .await;
        let address = name.parse().expect("an address");
        let mut listener = inproc.listen(&address).await.expect("it is free");
        assert_eq!(listener.address(), name);
        check_listen(&inproc, name, ErrorKind::AddressInUse, "already listens").await;
        let mut left = inproc.connect(&address).await.expect("somebody listens");
        let right = listener.accept().await.expect("somebody connects");
        assert!(right.peer.local && left.peer.local);
        let mut unaccepted = inproc.connect(&address).await.expect("somebody listens");
        drop(listener);
        assert_eq!(recv(&mut unaccepted).await.expect("a clean end"), None);
        send(&right, b"accepted wires live on").await;
        assert!(recv(&mut left).await.expect("valid").is_some());
        check_connect(&inproc, name, ErrorKind::Unreachable, "nobody listens").await;
        drop(inproc.listen(&address).await.expect("it is free again"));
    });
}

/// Whether what is written to each socket of a connection to `port` goes out at once: of those that were accepted, and of those that have
/// connected.
#[cfg(all(target_os = "linux", feature = "tcp"))]
fn without_delay(port: u16) -> [Vec<bool>; 2] {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
    let own = pidfd_open(getpid(), PidfdFlags::empty()).expect("this process is there");
    let table = std::fs::read_to_string("/proc/self/net/tcp").expect("a table of all sockets");
    let port = format!(":{port:04X}");
    let mut ends = [Vec::new(), Vec::new()];
    for entry in std::fs::read_dir("/proc/self/fd").expect("a list of what is open") {
        let entry = entry.expect("it can be read");
        // Others open and close meanwhile.
        let Ok(link) = std::fs::read_link(entry.path()) else { continue };
        let link = link.to_string_lossy();
        let mut lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let Some(line) = lines.find(|line| link == format!("socket:[{}]", line[9])) else {
            continue;
        };
        let number = entry.file_name().to_string_lossy().parse().expect("a descriptor");
        let connected = line[3] == "01";
        let Some(end) = [1, 2].iter().position(|at| connected && line[*at].ends_with(&port)) else {
            continue;
        };
        let socket = pidfd_getfd(&own, number, PidfdGetfdFlags::empty()).expect("it is open");
        ends[end].push(socket2::SockRef::from(&socket).tcp_nodelay().expect("it is tcp"));
    }
    ends
}

#[cfg(all(target_os = "linux", feature = "tcp"))]
#[test]
fn tcp_sends_without_delay_on_both_ends() {
    run(async {
        let at = "tcp://127.0.0.1:0".parse().expect("an address");
        let mut listener = crate::tcp::Tcp.listen(&at).await.expect("a free port");
        let to: Address = listener.address().parse().expect("an address");
        let _connected = crate::tcp::Tcp.connect(&to).await.expect("somebody listens");
        let _accepted = listener.accept().await.expect("somebody connects");
        let (_, port) = to.place().rsplit_once(':').expect("it has a port");
        for end in without_delay(port.parse().expect("a number")) {
            assert!(!end.is_empty() && end.iter().all(|without| *without), "{end:?}");
        }
    });
}

#[cfg(feature = "tcp")]
#[test]
fn tcp_errors_say_what_to_do() {
    use ErrorKind::{Address as Wrong, AddressInUse, Unreachable};
    run(async {
        let tcp = crate::tcp::Tcp;
        let at = "tcp://127.0.0.1:0".parse().expect("an address");
        let listener = tcp.listen(&at).await.expect("a free port");
        let address = listener.address();
        assert!(!address.ends_with(":0"), "{address}");
        check_listen(&tcp, &address, AddressInUse, "choose another port").await;
        drop(listener);
        check_connect(&tcp, &address, Unreachable, "nobody listens").await;
        check_connect(&tcp, "tcp://127.0.0.1", Wrong, "has no port").await;
        check_connect(&tcp, "tcp://127.0.0.1:x", Wrong, "the port `x`").await;
        check_connect(&tcp, "tcp://::1:7000", Wrong, "in brackets").await;
        check_connect(&tcp, "tcp://no-such-host.invalid:1", Unreachable, "check the name").await;
        check_listen(&tcp, "tcp://192.0.2.1:0", Wrong, "no such address").await;
    });
}

#[cfg(feature = "tcp")]
#[test]
fn tcp_connects_by_name_and_knows_a_peer_on_this_host() {
    run(async {
        let (left, right) = meet(&crate::tcp::Tcp, "tcp://localhost:0").await;
        assert!(left.peer.local && right.peer.local);
        assert!(left.peer.address.starts_with("tcp://"), "{}", left.peer.address);
        assert_eq!((left.peer.transport, left.peer.pid), ("tcp", None));
    });
}

#[cfg(all(unix, feature = "unix"))]
mod unix {
    use super::*;
    use crate::unix::Unix;
    use std::{
        fs,
        os::unix::{
            fs::{PermissionsExt, symlink},
            net::UnixListener,
        },
        path::Path,
    };

    fn at(path: &Path) -> String {
        format!("unix://{}", path.display())
    }

    /// What is left in a directory.
    fn left_in(directory: &Path) -> usize {
        fs::read_dir(directory).expect("a directory").count()
    }

    #[test]
    fn peers_know_each_other_and_nothing_is_left() {
        run(async {
            let base = tempfile::tempdir().expect("a directory");
            let path = base.path().join("a.sock");
            let address = at(&path).parse().expect("an address");
            let mut listener = Unix.listen(&address).await.expect("nobody else listens");
            let mode = fs::metadata(&path).expect("a socket").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let left = Unix.connect(&address).await.expect("somebody listens");
            let right = listener.accept().await.expect("somebody connects");
            for peer in [&left.peer, &right.peer] {
                assert_eq!(peer.pid, Some(std::process::id()));
                assert_eq!(peer.uid, Some(rustix::process::geteuid().as_raw()));
                assert!(peer.local && peer.address == listener.address());
            }
            drop(listener);
            assert_eq!(left_in(base.path()), 0);
        });
    }

    #[test]
    fn a_path_is_taken_while_somebody_listens() {
        run(async {
            let base = tempfile::tempdir().expect("a directory");
            let path = base.path().join("a.sock");
            let address = at(&path).parse().expect("an address");
            check_connect(&Unix, &at(&path), ErrorKind::Unreachable, "nobody listens").await;
            let listener = Unix.listen(&address).await.expect("nobody else listens");
            check_listen(&Unix, &at(&path), ErrorKind::AddressInUse, "this process").await;
            drop(listener);
            let without_lock = UnixListener::bind(&path).expect("it is free");
            check_listen(&Unix, &at(&path), ErrorKind::AddressInUse, "another program").await;
            drop(without_lock);
            check_connect(&Unix, &at(&path), ErrorKind::Unreachable, "nobody listens").await;
            drop(Unix.listen(&address).await.expect("what a dead listener left is taken over"));
            assert_eq!(left_in(base.path()), 0);
        });
    }

    #[test]
    fn what_a_listener_left_that_was_killed_while_it_began_is_taken_over() {
        run(async {
            let base = tempfile::tempdir().expect("a directory");
            let path = base.path().join("a.sock");
            drop(UnixListener::bind(base.path().join(".a.sock.new")).expect("a fresh path"));
            fs::write(base.path().join("a.sock.lock"), "1").expect("a file");
            let (_left, _right) = meet(&Unix, &at(&path)).await;
            assert_eq!(left_in(base.path()), 0);
            let other = base.path().join(".a.sock.new");
            fs::write(&other, "content").expect("a file");
            let (_left, _right) = meet(&Unix, &at(&path)).await;
            assert_eq!(fs::read_to_string(other).expect("it is no socket"), "content");
        });
    }

    #[test]
    fn a_listener_removes_only_its_own_socket() {
        run(async {
            let base = tempfile::tempdir().expect("a directory");
            let path = base.path().join("a.sock");
            let address = at(&path).parse().expect("an address");
            let listener = Unix.listen(&address).await.expect("nobody else listens");
            fs::remove_file(&path).expect("it is there");
            let other = UnixListener::bind(&path).expect("it is free");
            drop(listener);
            assert!(path.exists());
            drop(other);
        });
    }

    #[test]
    fn the_longest_path_can_be_listened_at() {
        run(async {
            let base = tempfile::tempdir().expect("a directory");
            let name = "n".repeat(107 - base.path().as_os_str().len() - 1);
            let (_left, _right) = meet(&Unix, &at(&base.path().join(name))).await;
            let long = base.path().join("d".repeat(107 - base.path().as_os_str().len() - 3));
            fs::create_dir(&long).expect("a directory");
            let (_left, _right) = meet(&Unix, &at(&long.join("n"))).await;
            let too_long = at(&long.join("nn"));
            check_listen(&Unix, &too_long, ErrorKind::Address, "may have 107").await;
            check_connect(&Unix, &too_long, ErrorKind::Address, "may have 107").await;
        });
    }

    #[test]
    fn what_is_not_a_socket_is_left_alone() {
        run(async {
            let base = tempfile::tempdir().expect("a directory");
            let path = |name: &str| base.path().join(name);
            let fifo = rustix::fs::Mode::from_raw_mode(0o600);
            rustix::fs::mkfifoat(rustix::fs::CWD, path("fifo"), fifo).expect("a fifo");
            fs::write(path("file"), "content").expect("a file");
            fs::create_dir(path("directory")).expect("a directory");
            symlink(path("elsewhere"), path("link")).expect("a link");
            for (name, what) in [
                ("fifo", "a FIFO"),
                ("file", "a file"),
                ("directory", "a directory"),
                ("link", "a symbolic link"),
            ] {
                check_listen(&Unix, &at(&path(name)), ErrorKind::Address, what).await;
                check_connect(&Unix, &at(&path(name)), ErrorKind::Address, what).await;
            }
            assert_eq!(left_in(base.path()), 4);
            let below = at(&path("gone").join("a.sock"));
            check_listen(&Unix, &below, ErrorKind::Address, "create the directory").await;
            let below = at(&path("file").join("a.sock"));
            check_listen(&Unix, &below, ErrorKind::Address, "not a directory").await;
            check_connect(&Unix, &below, ErrorKind::Address, "not a directory").await;
        });
    }
}
