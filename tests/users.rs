//! Users of one host: sockets are for the user who listens, and for root. What another one does is done by a process of this test's
//! executable, which only root can start as somebody else.

#![cfg(target_os = "linux")]

use farcall::{ErrorKind, Remote, Server};
use std::{
    env, fs,
    io::{BufRead, BufReader, Read},
    os::unix::{fs::PermissionsExt, net::UnixStream, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// Whoever owns nothing.
const NOBODY: u32 = 65_534;
/// What such a process does, and where.
const DEED: &str = "FARCALL_TEST_DEED";
const ADDRESS: &str = "FARCALL_TEST_ADDRESS";

#[farcall::remote]
trait Door {
    /// The user who knocks.
    async fn knock(&self) -> farcall::Result<Option<u32>>;
}

struct Wood;

impl Door for Wood {
    async fn knock(&self) -> farcall::Result<Option<u32>> {
        Ok(farcall::peer().and_then(|peer| peer.uid))
    }
}

fn server(address: &str) -> Server {
    Server::new().export("door", Remote::<dyn Door>::new(Wood)).listen(address)
}

/// Another process, of another user. Killed when it is dropped.
struct Stranger(Child);

impl Stranger {
    fn who(does: &str, address: &str) -> Self {
        // By its own path it may lie where nobody else may look.
        let child = Command::new("/proc/self/exe")
            .args(["--exact", "does_as_it_is_told", "--nocapture"])
            .env(DEED, does)
            .env(ADDRESS, address)
            .stdout(Stdio::piped())
            .uid(NOBODY)
            .gid(NOBODY)
            .spawn();
        Self(child.expect("root may start it"))
    }

    /// What it says.
    fn says(&mut self) -> String {
        let lines = BufReader::new(self.0.stdout.take().expect("it is piped")).lines();
        let mut said = lines.map_while(Result::ok).filter_map(|line| {
            let (_, said) = line.split_once("says: ")?;
            Some(said.to_owned())
        });
        said.next().expect("it says something")
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        self.0.wait().expect("it is ours");
    }
}

/// In the other process, does what it is told. In this one, that nobody told it is all there is to see.
#[test]
fn does_as_it_is_told() {
    let deed = match env::var(DEED) {
        Err(missing) => return assert_eq!(missing, env::VarError::NotPresent),
        Ok(deed) => deed,
    };
    let address = env::var(ADDRESS).expect("it is told where");
    if deed == "hear" {
        let heard = UnixStream::connect(path_of(&address)).and_then(|mut stream| {
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).map(|_| heard)
        });
        println!("says: {heard:?}");
    } else if deed == "serve" {
        tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
            let running = server(&address).start().await.expect("a fresh path");
            println!("says: {}", running.address());
            panic!("{}", running.failed().await);
        });
    } else {
        let door = farcall::connect::<dyn Door>(&address).within(Duration::from_secs(1)).wait();
        println!("says: {}", door.map_or_else(|error| error.to_string(), |_| "let in".to_owned()));
    }
}

/// A directory that everybody may use, and an address in it, of each scheme. None, loudly, where nobody else's process can be started.
fn places() -> Option<(TempDir, [String; 2])> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT TESTED: only root can start a process of another user");
        return None;
    }
    let directory = tempfile::tempdir().expect("a directory");
    open_to_all(directory.path());
    let address = |scheme| format!("{scheme}://{}/a.{scheme}", directory.path().display());
    let addresses = ["unix", "shm"].map(address);
    Some((directory, addresses))
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("it is ours");
}

fn path_of(address: &str) -> &Path {
    Path::new(address.split_once("://").expect("an address").1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_user_is_refused() {
    let Some((_directory, addresses)) = places() else { return };
    for address in addresses {
        let running = server(&address).start().await.expect("a fresh path");
        let may_not = format!("may not connect to {address}: run both ends as the same user");
        let said = Stranger::who("connect", &address).says();
        assert!(said.contains(&may_not), "{said}");
        // Where the socket is open to everybody, nobody speaks to it.
        open_to_all(path_of(&address));
        assert_eq!(Stranger::who("hear", &address).says(), "Ok([])");
        let said = Stranger::who("connect", &address).says();
        assert!(said.contains(&address), "it is not let in: {said}");
        assert_eq!(running.connections(), 0);
        let door = farcall::connect::<dyn Door>(&address).await.expect("it is ours");
        assert_eq!(door.knock().await, Ok(Some(0)));
    }
}

/// Root may use what others serve, and does not by mistake.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_user_s_socket_is_not_connected_to() {
    let Some((_directory, addresses)) = places() else { return };
    for address in addresses {
        let mut stranger = Stranger::who("serve", &address);
        assert_eq!(stranger.says(), address);
        let error = farcall::connect::<dyn Door>(&address).await.expect_err("it is a stranger's");
        let want = format!(
            "will not connect to {address}: the socket belongs to user {NOBODY}, who is neither this one nor root"
        );
        assert_eq!((error.kind(), error.text()), (ErrorKind::PermissionDenied, &*want));
        if address.starts_with("unix") {
            let mut root = UnixStream::connect(path_of(&address)).expect("it listens");
            root.read_exact(&mut [0; 8]).expect("it says Hello to root");
        }
    }
}
