//! A registry, its names, and the addresses of names: what is bound is found, what is wrong is said, and nothing grows without end.

#[path = "conformance/everywhere.rs"]
mod everywhere;
#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/place.rs"]
mod place;

use everywhere::everywhere;
use farcall::{
    Error, ErrorKind, Remote, Running, Server,
    naming::{self, Change, Entry, Names, Watcher},
    testing::{Network, Way},
};
use place::{Host, Place, one_thread};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::{Semaphore, mpsc};

#[farcall::remote]
trait Archive {
    async fn read(&self, path: &str) -> farcall::Result<String>;
}

#[farcall::remote]
trait Printer {
    async fn print(&self) -> farcall::Result<()>;
}

fn archive(of: &'static str) -> Remote<dyn Archive> {
    Remote::from_fn(move |path: String| async move { Ok(format!("{path} of {of}")) })
}

/// A registry at an address, and a handle on it.
async fn registry(place: Place) -> (Remote<dyn Names>, Host) {
    let host = place.start(Server::new().export(naming::SERVICE, naming::empty())).await;
    (connected(&host).await, host)
}

/// One more connection to it.
async fn connected(host: &Host) -> Remote<dyn Names> {
    farcall::connect::<dyn Names>(&host.service(naming::SERVICE)).await.expect("it listens")
}

/// The address of a name in it.
fn named(host: &Host, name: &str) -> String {
    format!("registry+{}#{name}", host.address())
}

#[track_caller]
fn assert_error<T: std::fmt::Debug>(result: Result<T, Error>, kind: ErrorKind, text: &str) {
    let error = result.expect_err("it is refused");
    assert_eq!((error.kind(), error.text()), (kind, text));
}

#[test]
fn names_are_bound_and_found() {
    everywhere(|place| async move {
        let (names, _host) = registry(place).await;
        let one = archive("one");
        names
            .bind("archive.one", Entry::new(&one).at("tcp://10.0.0.7:7000#a"))
            .await
            .expect("free");
        names.bind("printer", Entry::new(&one)).await.expect("it is free");
        let found = names.lookup("archive.one").await.expect("it is bound");
        assert_eq!(found.name, "archive.one");
        assert_eq!(found.interface, "Archive");
        assert_eq!(found.addresses, ["tcp://10.0.0.7:7000#a"]);
        let all = names.list("").await.expect("two");
        assert_eq!(
            all.iter().map(|found| &*found.name).collect::<Vec<_>>(),
            ["archive.one", "printer"]
        );
        assert_eq!(names.list("archive.").await, Ok(vec![found.clone()]));
        assert_eq!(names.list("q").await, Ok(Vec::new()));

        let two = archive("two");
        let owner = &found.owner;
        assert_error(
            names.bind("archive.one", Entry::new(&two)).await,
            ErrorKind::AddressInUse,
            &format!(
                "`archive.one` is bound to a `Archive` by {owner}: bind another name, or `rebind` this one"
            ),
        );
        assert_eq!(names.rebind("archive.one", Entry::new(&two)).await, Ok(Some(found)));
        let reached = names.reach("archive.one").await.expect("it is bound");
        let reached = reached.to::<dyn Archive>().expect("it is an archive");
        assert_eq!(reached.read("x").await, Ok("x of two".to_owned()));
        assert!(reached.same_object(&two), "it has come home");
        let reached = names.reach("printer").await.expect("it is bound");
        assert_eq!(reached.interface(), "Archive");
        assert_eq!(reached.to::<dyn Printer>().expect_err("no").kind(), ErrorKind::WrongInterface);

        assert_eq!(names.unbind("archive.one").await, Ok(()));
        assert_error(
            names.lookup("archive.one").await,
            ErrorKind::NoSuchService,
            "nothing is bound as `archive.one`: one other name is bound",
        );
        assert_error(
            names.unbind("prinetr").await,
            ErrorKind::NoSuchService,
            "nothing is bound as `prinetr`: near it is `printer`",
        );
        assert_eq!(names.rebind("another", Entry::new(&two)).await, Ok(None));
        assert_error(
            names.reach("zzz").await,
            ErrorKind::NoSuchService,
            "nothing is bound as `zzz`: 2 names are, and none is near it",
        );
    });
}

#[test]
fn services_are_found_by_name_and_dialled() {
    everywhere(|place| async move {
        let (names, host) = registry(place).await;
        let at = named(&host, "shelf");
        // The client may come first.
        let early = tokio::spawn({
            let at = at.clone();
            async move { farcall::connect::<dyn Archive>(&at).await }
        });
        let server =
            Server::new().export("spare", archive("spare")).export("shelf", archive("one"));
        let mut owner = place.start(server.listen(&at)).await;
        let early = early.await.expect("it does not panic").expect("it is bound by now");
        assert_eq!(early.read("a").await, Ok("a of one".to_owned()));
        let found = names.lookup("shelf").await.expect("it is bound");
        assert_eq!(found.addresses, [format!("{}#shelf", owner.address())]);
        let running = owner.running.take().expect("it runs");
        assert_eq!(running.connections(), 1, "the client has dialled it");
        assert!(running.addresses().contains(&at));

        let error = farcall::connect::<dyn Printer>(&at).await.expect_err("it is an archive");
        let want = format!(
            "`shelf` is bound to a `Archive` and not to a `Printer`: connect with `dyn Archive`, or look another name up ({at})"
        );
        assert_eq!((error.kind(), error.text()), (ErrorKind::WrongInterface, &*want));

        running.shutdown().await;
        assert_eq!(names.list("").await, Ok(Vec::new()), "an orderly end unbinds");
        // Its successor is somewhere else, and the client follows.
        let again = Server::new().export("shelf", archive("two")).listen(&at);
        let again = place.start(again).await;
        assert_eq!(early.idempotent().read("b").await, Ok("b of two".to_owned()));
        drop(again);
    });
}

#[test]
fn a_server_that_is_given_up_while_it_starts_leaves_no_name() {
    one_thread(async {
        let network = Network::new();
        // The name is bound long before its owner is told.
        network.delay(Way::ToClient, Duration::from_millis(20));
        let (at, near) = (network.address("registry"), "inproc://given-up");
        let registry = Server::new().export(naming::SERVICE, naming::empty());
        let _registry = registry.listen(&at).listen(near).start().await.expect("free");
        let names = farcall::connect::<dyn Names>(near).await.expect("it listens");
        let is_bound = async || !names.list("").await.expect("it answers").is_empty();
        let mut given_up = false;
        while !given_up {
            let server = Server::new().export("archive", archive("one"));
            let starting = server.listen(&format!("registry+{at}#archive")).start();
            tokio::select! {
                biased;
                () = async { while !is_bound().await {} } => given_up = true,
                running = starting => running.expect("the name is free").shutdown().await,
            }
        }
        while is_bound().await {}
    });
}

#[test]
fn owners_that_listen_nowhere_are_reached_through_the_registry() {
    everywhere(|place| async move {
        let (names, host) = registry(place).await;
        let at = named(&host, "shelf");
        let server = Server::new().export("shelf", archive("nowhere")).listen(&at);
        let running: Running = server.start().await.expect("the registry listens");
        assert_eq!(running.addresses(), [at.as_str()]);
        assert_eq!(names.lookup("shelf").await.expect("it is bound").addresses, [""; 0]);
        let shelf = farcall::connect::<dyn Archive>(&at).await.expect("it is reached");
        assert_eq!(shelf.read("a").await, Ok("a of nowhere".to_owned()));
        let taken = Server::new().export("shelf", archive("late")).listen(&at).start().await;
        assert_eq!(taken.expect_err("it is bound").kind(), ErrorKind::AddressInUse);
        running.shutdown().await;
        assert_eq!(names.list("").await, Ok(Vec::new()));
    });
}

#[test]
fn a_process_needs_no_other_for_its_names() {
    one_thread(async {
        let at = "registry:///naming-test.shelf";
        let server = Server::new().export("shelf", archive("here")).listen("inproc://naming-test");
        let running = server.listen(at).start().await.expect("nobody else has it");
        let shelf = farcall::connect::<dyn Archive>(at).await.expect("it is bound");
        assert_eq!(shelf.read("a").await, Ok("a of here".to_owned()));
        assert_eq!(running.connections(), 1);
        // The same registry, served to others.
        let host =
            Place::Inproc.start(Server::new().export(naming::SERVICE, naming::local())).await;
        let found = connected(&host).await.lookup("naming-test.shelf").await.expect("it is bound");
        assert_eq!(found.addresses, ["inproc://naming-test#shelf"]);
        running.shutdown().await;
    });
}

#[test]
fn watchers_are_told() {
    everywhere(|place| async move {
        let (names, host) = registry(place).await;
        let (sender, mut changes) = mpsc::unbounded_channel();
        let watcher = Remote::<dyn Watcher>::from_fn(move |change: Change| {
            let _ = sender.send(change);
            async { Ok(()) }
        });
        let watch = connected(&host).await.watch("a", watcher).await.expect("there is room");
        let entry = Entry::new(&archive("one"));
        for name in ["a", "b", "ab"] {
            names.bind(name, entry.clone()).await.expect("it is free");
        }
        names.unbind("b").await.expect("it is bound");
        names.rebind("ab", entry).await.expect("it is bound");
        names.unbind("a").await.expect("it is bound");
        let mut told = Vec::new();
        while told.len() < 4 {
            told.push(match changes.recv().await.expect("the watch lasts") {
                Change::Bound(binding) => format!("+{}", binding.name),
                Change::Unbound(name) => format!("-{name}"),
                other => format!("{other:?}"),
            });
        }
        assert_eq!(told, ["+a", "+ab", "+ab", "-a"]);
        // With the watch goes the watcher.
        drop(watch);
        assert_eq!(changes.recv().await, None);
    });
}

/// One who does not keep up is told so, and holds nobody up.
#[test]
fn watchers_may_be_slow() {
    one_thread(async {
        let names = naming::empty();
        let gate = Arc::new(Semaphore::new(0));
        let told = Arc::new(Mutex::new(Vec::new()));
        let (waits, tells) = (Arc::clone(&gate), Arc::clone(&told));
        let watcher = Remote::<dyn Watcher>::from_fn(move |change: Change| {
            let (waits, tells) = (Arc::clone(&waits), Arc::clone(&tells));
            async move {
                waits.acquire().await.map_err(|_| Error::new("closed"))?.forget();
                tells.lock().expect("no panics").push(change);
                Ok(())
            }
        });
        let _watch = names.timeout(Duration::MAX).watch("", watcher).await.expect("room");
        let entry = Entry::new(&archive("one"));
        for _ in 0..naming::BEHIND {
            names.bind("a", entry.clone()).await.expect("it is free");
            names.unbind("a").await.expect("it is bound");
        }
        gate.add_permits(2 * naming::BEHIND);
        while told.lock().expect("no panics").last() != Some(&Change::Missed) {
            tokio::task::yield_now().await;
        }
        // One was with the watcher already, or had not been taken yet.
        let count = told.lock().expect("no panics").len();
        assert!([naming::BEHIND + 1, naming::BEHIND + 2].contains(&count), "{count}");
    });
}

#[test]
fn what_is_wrong_is_refused() {
    one_thread(async {
        let names = naming::empty();
        let entry = Entry::new(&archive("one"));
        let long = "n".repeat(naming::NAME_BYTES);
        names.bind(&long, entry.clone()).await.expect("it is just short enough");
        for name in ["", "a b", "a/b", "a#b", "\u{1f4da}", &format!("{long}n")] {
            let error = names.bind(name, entry.clone()).await.expect_err("it is no name");
            assert_eq!(error.kind(), ErrorKind::Address, "{error}");
        }
        assert_error(
            names.bind("a/b", entry.clone()).await,
            ErrorKind::Address,
            "\"a/b\" is no name: a name is 1 to 128 of `A-Z a-z 0-9 _ . -`",
        );
        let error = names.watch(&format!("{long}n"), Remote::from_fn(|_| async { Ok(()) })).await;
        assert_eq!(error.expect_err("too long").kind(), ErrorKind::Address);

        let full = (0..naming::ADDRESSES).fold(entry.clone(), |entry, _| entry.at("tcp://a:1"));
        names.bind("full", full.clone()).await.expect("it is just few enough");
        assert_error(
            names.bind("over", full.at("tcp://a:1")).await,
            ErrorKind::Address,
            "the entry has 17 addresses and 16 are the most",
        );
        let address = format!("tcp://{}", "a".repeat(naming::ADDRESS_BYTES - 6));
        names.bind("long", entry.clone().at(&address)).await.expect("it is just short enough");
        for wrong in [&format!("{address}a"), "archive", "registry://a:1/b", "registry+tcp://a:1#b"]
        {
            let error =
                names.bind("wrong", entry.clone().at(wrong)).await.expect_err("it is wrong");
            assert_eq!(error.kind(), ErrorKind::Address, "{error}");
        }
        assert_error(
            names.unbind("wrong").await,
            ErrorKind::NoSuchService,
            "nothing is bound as `wrong`: 3 names are, and none is near it",
        );
    });
}

/// An address that means every address of its host becomes the owner's own.
#[test]
fn listening_everywhere_is_found_from_elsewhere() {
    one_thread(async {
        let (names, _host) = registry(Place::Tcp).await;
        let entry =
            Entry::new(&archive("one")).at("tcp://0.0.0.0:7000?spin=off#a").at("tcp://[::]:7000");
        names.bind("a", entry).await.expect("it is free");
        let found = names.lookup("a").await.expect("it is bound");
        assert_eq!(found.addresses, ["tcp://127.0.0.1:7000?spin=off#a", "tcp://127.0.0.1:7000"]);
    });
}

/// Each table is tried up to its number, and with one more.
#[test]
fn everything_is_bounded() {
    one_thread(async {
        // Connections through `tcp` are of unknown processes: each counts for itself.
        let (names, host) = registry(Place::Tcp).await;
        let entry = Entry::new(&archive("one"));
        let mut owners = Vec::new();
        for owner in 0..naming::NAMES / naming::NAMES_OF_ONE {
            let own = connected(&host).await;
            for number in 0..naming::NAMES_OF_ONE {
                own.bind(&format!("{owner}.{number}"), entry.clone()).await.expect("there is room");
            }
            assert_error(
                own.bind("one.more", entry.clone()).await,
                ErrorKind::Overloaded,
                "this process has bound 1024 names, which are the most for one",
            );
            own.rebind(&format!("{owner}.0"), entry.clone()).await.expect("it is its own");
            owners.push(own);
        }
        let full = "4096 names are bound in this registry, which are the most";
        assert_error(names.bind("one.more", entry.clone()).await, ErrorKind::Overloaded, full);
        let error = names.unbind("0.0").await.expect_err("it is another's");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert_eq!(names.list("").await.map(|all| all.len()), Ok(naming::NAMES));
        names.rebind("0.0", entry.clone()).await.expect("it takes the place of another");
        owners[0].unbind("0.1").await.expect("it is its own");
        names.bind("one.more", entry).await.expect("there is room again");

        let watcher = Remote::<dyn Watcher>::from_fn(|_| async { Ok(()) });
        let mut watches = Vec::new();
        for _ in 0..naming::WATCHES {
            watches.push(names.watch("", watcher.clone()).await.expect("there is room"));
        }
        let error = names.watch("", watcher.clone()).await.expect_err("there are too many");
        assert_eq!(error.kind(), ErrorKind::Overloaded);
        watches.pop();
        while names.watch("", watcher.clone()).await.is_err() {}
    });
}
