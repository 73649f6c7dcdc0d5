//! A registry among real processes: owners that are killed, a registry that is killed and comes back, an owner that listens nowhere.

#![cfg(unix)]

#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/place.rs"]
mod place;
#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/work.rs"]
mod work;

use farcall::{
    ErrorKind, Remote, Server,
    naming::{self, Change, Names, Watcher},
};
use place::several_threads;
use std::{
    env,
    future::Future,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use work::{Seen, Work, worker};

/// Says to a process of this test's executable what it serves, and where.
const SERVE: &str = "FARCALL_TEST_REGISTRY_SERVE";
const AT: &str = "FARCALL_TEST_REGISTRY_AT";

/// The process that serves: a registry, or work. Nothing, if it was not told.
#[test]
fn serves_what_it_is_told() {
    let (Ok(what), Ok(at)) = (env::var(SERVE), env::var(AT)) else { return };
    several_threads_without_end(async move {
        let server = match &*what {
            "registry" => Server::new().export(naming::SERVICE, naming::local()),
            _ => Server::new().export("work", worker().0),
        };
        let server = at.split(' ').fold(server, |server, address| server.listen(address));
        let running = server.start().await.expect("the addresses are free");
        println!("serves at {}", running.address());
        let why = running.failed().await;
        panic!("{why}");
    });
}

fn several_threads_without_end(served: impl Future<Output = ()>) {
    place::threads().block_on(served);
}

/// A process of this test's executable. It is killed when this is dropped.
struct Process(Child);

impl Process {
    fn serving(what: &str, at: &str) -> Self {
        let own = env::current_exe().expect("this test has a path");
        let mut child = Command::new(own)
            .args(["--exact", "serves_what_it_is_told", "--nocapture"])
            .envs([(SERVE, what), (AT, at)])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut lines = lines.map_while(Result::ok);
        assert!(lines.any(|line| line.contains("serves at")), "it serves");
        Self(child)
    }

    fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().expect("it is ours");
        self.0.wait().expect("it is ours");
    }
}

/// Fresh addresses: of a registry, and of a name in it.
struct Addresses(TempDir);

impl Addresses {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn unix(&self, name: &str) -> String {
        format!("unix://{}", Path::new(self.0.path()).join(name).display())
    }

    fn named(&self, name: &str) -> String {
        format!("registry+{}#{name}", self.unix("names"))
    }

    async fn names(&self) -> Remote<dyn Names> {
        let address = format!("{}#{}", self.unix("names"), naming::SERVICE);
        farcall::connect::<dyn Names>(&address).await.expect("the registry listens")
    }
}

fn pid<I: ?Sized + farcall_core::interface::Interface>(remote: &Remote<I>) -> Option<u32> {
    Remote::peer(remote)?.pid
}

#[test]
fn killed_owners_vanish() {
    several_threads(async {
        let addresses = Addresses::new();
        let _registry = Process::serving("registry", &addresses.unix("names"));
        let names = addresses.names().await;
        let (sender, mut changes) = mpsc::unbounded_channel();
        let watcher = Remote::<dyn Watcher>::from_fn(move |change: Change| {
            let _ = sender.send(change);
            async { Ok(()) }
        });
        let _watch = names.watch("", watcher).await.expect("there is room");
        let at = format!("{} {}", addresses.unix("own"), addresses.named("work"));
        let owner = Process::serving("work", &at);
        let Some(Change::Bound(bound)) = changes.recv().await else { panic!("it is bound") };
        assert_eq!(bound.owner, format!("process {}", owner.id()));
        assert_eq!(bound.addresses, [format!("{}#work", addresses.unix("own"))]);
        let work = farcall::connect::<dyn Work>(&addresses.named("work")).await.expect("bound");
        assert_eq!(work.quick(7).await, Ok(7));
        assert_eq!(pid(&work), Some(owner.id()), "nobody is between them");
        drop(owner);
        assert_eq!(changes.recv().await, Some(Change::Unbound("work".to_owned())));
        assert_eq!(names.list("").await, Ok(Vec::new()));
        // Another takes its name, and the handle finds it there.
        let at = format!("{} {}", addresses.unix("other"), addresses.named("work"));
        let other = Process::serving("work", &at);
        assert_eq!(work.idempotent().quick(8).await, Ok(8));
        assert_eq!(pid(&work), Some(other.id()));
    });
}

#[test]
fn a_killed_registry_leaves_handles_and_calls_alone() {
    several_threads(async {
        let addresses = Addresses::new();
        let registry = Process::serving("registry", &addresses.unix("names"));
        let (work, mut watch) = worker();
        let server = Server::new().export("work", work).listen(&addresses.unix("own"));
        let owner = server.listen(&addresses.named("work")).start().await.expect("it is free");
        let work = farcall::connect::<dyn Work>(&addresses.named("work")).await.expect("bound");
        let call = work.pass(1);
        assert_eq!(watch.next().await, Seen::Began(1));
        let names = addresses.names().await;
        assert_eq!(names.list("").await.map(|all| all.len()), Ok(1));
        drop(registry);
        assert_eq!(work.quick(2).await, Ok(2));
        watch.open(1);
        assert_eq!(call.await, Ok(1));
        assert_eq!(owner.connections(), 1);
        // The owner binds its name again as soon as there is a registry.
        let _registry = Process::serving("registry", &addresses.unix("names"));
        while names.lookup("work").await.is_err() {}
        let again = farcall::connect::<dyn Work>(&addresses.named("work")).await.expect("bound");
        assert_eq!(again.quick(3).await, Ok(3));
        owner.shutdown().await;
    });
}

#[test]
fn an_owner_that_listens_nowhere_is_reached_through_the_registry() {
    several_threads(async {
        let addresses = Addresses::new();
        let registry = Process::serving("registry", &addresses.unix("names"));
        let owner = Process::serving("work", &addresses.named("work"));
        let work = farcall::connect::<dyn Work>(&addresses.named("work")).await.expect("bound");
        assert_eq!(work.quick(7).await, Ok(7));
        assert_eq!(pid(&work), Some(registry.id()), "it passes calls on");
        drop(owner);
        let names = addresses.names().await;
        while names.lookup("work").await.is_ok() {}
        let error = work.quick(8).await.expect_err("its owner has gone");
        assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
        assert!(error.text().contains("was closed by the peer"), "{error}");
    });
}
