//! The first mistakes that everybody makes, and what farcall says of each, word for word.

#![cfg(unix)]

use farcall::{Error, ErrorKind, Executed, Limits, Peer, Remote, Server, transport};
use std::{
    fs,
    path::Path,
    pin::pin,
    process::Command,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};
use tempfile::TempDir;
use tokio::runtime::Builder;

#[farcall::remote]
trait Archive {
    async fn size(&self) -> farcall::Result<u64>;
    async fn keep(&self, bytes: &[u8]) -> farcall::Result<()>;
    async fn load(&self, length: usize) -> farcall::Result<Vec<u8>>;
}

#[farcall::remote]
trait Stats {
    async fn count(&self) -> farcall::Result<u64>;
}

#[farcall::remote]
trait Store<V> {
    async fn newest(&self) -> farcall::Result<V>;
}

/// What a newer build of a client would call.
#[farcall::remote(name = "Archive")]
trait NewerArchive {
    async fn size(&self) -> farcall::Result<u32>;
    async fn digest(&self) -> farcall::Result<u64>;
}

struct Shelf;

impl Archive for Shelf {
    async fn size(&self) -> farcall::Result<u64> {
        panic!("a secret of the servant")
    }
    async fn keep(&self, _bytes: &[u8]) -> farcall::Result<()> {
        Ok(())
    }
    async fn load(&self, length: usize) -> farcall::Result<Vec<u8>> {
        Ok(vec![0; length])
    }
}

impl Stats for Shelf {
    async fn count(&self) -> farcall::Result<u64> {
        Ok(1)
    }
}

impl Store<u64> for Shelf {
    async fn newest(&self) -> farcall::Result<u64> {
        Ok(7)
    }
}

const NOT_LONG: Duration = Duration::from_millis(50);

fn server() -> Server {
    Server::new()
        .export("archive", Remote::<dyn Archive>::new(Shelf))
        .export("stats", Remote::<dyn Stats>::new(Shelf))
}

fn path(directory: &TempDir) -> String {
    format!("unix://{}/a.sock", directory.path().display())
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

#[track_caller]
fn check(error: &Error, kind: ErrorKind, executed: Executed, text: &str) {
    assert_eq!((error.text(), error.kind(), error.executed()), (text, kind, executed));
}

async fn connect_to(address: &str) -> Error {
    let connecting = farcall::connect::<dyn Archive>(address).within(NOT_LONG);
    connecting.await.expect_err("it is a mistake")
}

async fn listen_at(address: &str) -> Error {
    server().listen(address).start().await.expect_err("it is a mistake")
}

#[tokio::test]
async fn no_server_there() {
    let directory = directory();
    let path = path(&directory);
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("its address").port();
    drop(free);
    for (address, what) in [
        (path.clone(), format!("nobody listens at {path}: start the server, or check the path")),
        (
            format!("tcp://127.0.0.1:{port}#archive"),
            format!(
                "nobody listens at tcp://127.0.0.1:{port}#archive: start the server, or check the address"
            ),
        ),
        (
            "inproc://nobody".to_owned(),
            "nobody listens at inproc://nobody in this process: serve there first, or check the name"
                .to_owned(),
        ),
    ] {
        check(&connect_to(&address).await, ErrorKind::Unreachable, Executed::No, &what);
    }
}

#[tokio::test]
async fn wrong_service_name() {
    let directory = directory();
    let path = path(&directory);
    let _running = server().listen(&path).start().await.expect("it listens");
    let error = connect_to(&format!("{path}#archives")).await;
    let want = format!(
        "there is no service `archives`, there is `archive`, `stats`: write its name after `#` in the \
         address, or export it ({path}#archives)"
    );
    check(&error, ErrorKind::NoSuchService, Executed::No, &want);
}

#[tokio::test]
async fn wrong_interface() {
    let directory = directory();
    let path = path(&directory);
    let _running = server().listen(&path).start().await.expect("it listens");
    let error = connect_to(&format!("{path}#stats")).await;
    let want = format!(
        "the service `stats` has the interface `Stats` and not `Archive`: connect with `dyn Stats`, or write \
         another service after `#` ({path}#stats)"
    );
    check(&error, ErrorKind::WrongInterface, Executed::No, &want);
}

/// An interface with other arguments is another one.
#[tokio::test]
async fn wrong_arguments_of_an_interface() {
    let directory = directory();
    let path = path(&directory);
    let server = Server::new().export("numbers", Remote::<dyn Store<u64>>::new(Shelf));
    let _running = server.listen(&path).start().await.expect("it listens");
    let numbers = farcall::connect::<dyn Store<u64>>(&path).await.expect("it is the same");
    assert_eq!(numbers.newest().await, Ok(7));
    let connecting = farcall::connect::<dyn Store<String>>(&path).within(NOT_LONG);
    let error = connecting.await.expect_err("it is another");
    let want = format!(
        "the service `numbers` has the interface `Store<u64>` and not `Store<alloc::string::String>`: connect with `dyn Store<u64>`, or \
         write another service after `#` ({path})"
    );
    check(&error, ErrorKind::WrongInterface, Executed::No, &want);
}

#[tokio::test]
async fn older_build_on_the_other_side() {
    let directory = directory();
    let path = path(&directory);
    let _running = server().listen(&path).start().await.expect("it listens");
    let archive = farcall::connect::<dyn NewerArchive>(&path).await.expect("they can talk");
    let error = archive.digest().await.expect_err("it is not there");
    let want = "`Archive` on the other side has no method `digest`, its build is older or newer: it has size, keep, load; \
                this build has size, digest";
    check(&error, ErrorKind::Unimplemented, Executed::No, want);
    let error = archive.size().await.expect_err("it has changed");
    let want = "`Archive::size` is `() -> farcall::Result<u32>` in this build and `() -> farcall::Result<u64>` on the other \
                side: build both from the same trait, or give the new method another name";
    check(&error, ErrorKind::SignatureMismatch, Executed::No, want);
}

/// A runtime is needed nowhere: a thread without one waits. What is a mistake is to block one.
#[test]
fn no_runtime() {
    let directory = directory();
    let path = path(&directory);
    let at = path.clone();
    thread::spawn(move || farcall::serve(&at, Remote::<dyn Stats>::new(Shelf)).wait());
    let stats = farcall::connect::<dyn Stats>(&path).wait().expect("it listens");
    assert_eq!(stats.count().wait(), Ok(1));

    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let error = runtime.block_on(async { stats.count().wait() }).expect_err("this is async code");
    let want = "`.wait()` would block the thread that async code runs on: write `.await`";
    check(&error, ErrorKind::WaitInAsync, Executed::No, want);
}

/// Runs a future as somebody would who has no runtime.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Async code that tokio does not run may serve, connect and call: what needs a runtime has the library's own.
#[test]
fn no_runtime_in_async_code() {
    let directory = directory();
    let path = path(&directory);
    let listening = [&*path, "tcp://127.0.0.1:0", "inproc://no-runtime"];
    let server = listening.iter().fold(server(), |server, address| server.listen(address));
    let running = block_on(server.start()).expect("it listens");
    for address in running.addresses() {
        let connecting = farcall::connect::<dyn Stats>(&format!("{address}#stats"));
        let stats = block_on(connecting.into_future()).expect("it listens");
        assert_eq!(block_on(stats.count()), Ok(1));
        assert_eq!(block_on(stats.timeout(Duration::from_secs(5)).count()), Ok(1));
    }
    block_on(running.shutdown());
    let want = format!("nobody listens at {path}: start the server, or check the path");
    check(&block_on(connect_to(&path)), ErrorKind::Unreachable, Executed::No, &want);

    let (end, ended) = tokio::sync::oneshot::channel();
    let signal = async { ended.await.expect("the client says so") };
    let serving = farcall::serve_with_shutdown(&path, Remote::<dyn Stats>::new(Shelf), signal);
    let served = thread::spawn(move || block_on(serving));
    let stats = block_on(farcall::connect::<dyn Stats>(&path).into_future()).expect("it listens");
    assert_eq!(block_on(stats.count()), Ok(1));
    end.send(()).expect("it serves");
    assert_eq!(served.join().expect("it does not panic"), Ok(()));

    let (near, far) = tokio::io::duplex(1000);
    let [near, far] = [near, far].map(|end| transport::wire(end, Peer::new("duplex", "here")));
    let served =
        thread::spawn(|| block_on(farcall::serve_over(far, Remote::<dyn Stats>::new(Shelf))));
    let stats = block_on(farcall::connect_over::<dyn Stats>(near)).expect("it is served");
    assert_eq!(block_on(stats.count()), Ok(1));
    drop(stats);
    assert_eq!(served.join().expect("it does not panic"), Ok(()));
}

#[tokio::test]
async fn address_in_use() {
    let directory = directory();
    let path = path(&directory);
    let _running = server()
        .listen(&path)
        .listen("tcp://127.0.0.1:0")
        .listen("inproc://taken")
        .start()
        .await
        .expect("it listens");
    let tcp = _running.addresses()[1].clone();
    for (address, want) in [
        (
            &path,
            format!(
                "cannot listen at {path}: this process already listens there: stop it, or choose another path"
            ),
        ),
        (
            &tcp,
            format!(
                "cannot listen at {tcp}: somebody already listens there: stop that process, choose another port, or write \
                 port 0 for a free one (Address already in use (os error 98))"
            ),
        ),
        (
            &"inproc://taken".to_owned(),
            "this process already listens at inproc://taken: drop that listener, or choose another name"
                .to_owned(),
        ),
    ] {
        check(&listen_at(address).await, ErrorKind::AddressInUse, Executed::No, &want);
    }
}

#[tokio::test]
async fn unknown_scheme() {
    let built_in = match cfg!(target_os = "linux") {
        true => "`inproc`, `shm`, `unix`, `tcp`",
        false => "`inproc`, `unix`, `tcp`",
    };
    for (address, want) in [
        (
            "tls://archive",
            format!("no transport `tls` is built in (in `tls://archive`): there is {built_in}"),
        ),
        (
            "htpp://a:1",
            format!("no transport `htpp` is built in (in `htpp://a:1`): there is {built_in}"),
        ),
        (
            "127.0.0.1:7000",
            "the address `127.0.0.1:7000` has no scheme: write `scheme://place`, as in `tcp://127.0.0.1:7000`".to_owned(),
        ),
    ] {
        check(&connect_to(address).await, ErrorKind::Address, Executed::No, &want);
        check(&listen_at(address).await, ErrorKind::Address, Executed::No, &want);
    }
}

/// Of root too: nobody may create a file in the kernel's own directories, or connect to a stranger's socket.
#[tokio::test]
async fn permission_denied() {
    let error = listen_at("unix:///sys/a.sock").await;
    assert_eq!((error.kind(), error.executed()), (ErrorKind::PermissionDenied, Executed::No));
    let (text, system) = error.text().split_once(" (").expect("the system's words");
    let want = "may not listen at unix:///sys/a.sock: choose a path in a directory that this user may write";
    assert_eq!(text, want);
    assert!(system.contains("os error"), "{error}");
}

/// The directory of the sockets that have only a name is the user's alone.
#[test]
fn permission_denied_in_the_private_directory() {
    use std::os::unix::fs::PermissionsExt;
    let runtime = directory();
    let private = runtime.path().join("farcall");
    fs::create_dir(&private).expect("it is ours");
    fs::set_permissions(&private, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let want = format!(
        "the private directory {} is open to other users: run chmod 700 on it",
        private.display()
    );
    assert_eq!(in_another_process("connects_by_name", runtime.path()), want);
}

/// Runs one of the tests below in a process with another runtime directory, and gives back the error that it met.
fn in_another_process(test: &str, runtime: &Path) -> String {
    let own = std::env::current_exe().expect("this test has a path");
    let output = Command::new(own)
        .args(["--exact", test, "--nocapture"])
        .env("XDG_RUNTIME_DIR", runtime)
        .env(CHILD, "1")
        .env_remove("FARCALL_CONFIG")
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.split_once("error: ")).map(|(_, error)| error);
    line.unwrap_or_else(|| panic!("no error in {text}")).to_owned()
}

const CHILD: &str = "FARCALL_TEST_CHILD";

/// In the other process, says what went wrong. Here the name is free, and nobody listens.
#[test]
fn connects_by_name() {
    let connecting = farcall::connect::<dyn Archive>("mistakes-nobody").within(NOT_LONG);
    let error = connecting.wait().expect_err("nobody listens");
    if std::env::var_os(CHILD).is_some() {
        println!("error: {error}");
    } else {
        assert_eq!(error.kind(), ErrorKind::Unreachable);
    }
}

#[tokio::test]
async fn message_too_large() {
    let mut limits = Limits::default();
    limits.frame = 64 << 10;
    let directory = directory();
    let path = path(&directory);
    let _running = server().limits(limits.clone()).listen(&path).start().await.expect("it listens");
    let connecting = farcall::connect::<dyn Archive>(&path).limits(limits);
    let archive = connecting.await.expect("it listens");
    let error = archive.keep(&[0; 100_000]).await.expect_err("it is too large");
    let want = "the arguments of `keep` are 100003 bytes and the peer takes frames of at most 65536: send less at a \
                time, or raise `limits.frame` on its side";
    check(&error, ErrorKind::TooLarge, Executed::No, want);
    let error = archive.load(100_000).await.expect_err("it is too large");
    let want = "the result is 100019 bytes and the caller takes frames of at most 65536: ask for less at a time, or raise \
                the caller's `limits.frame`";
    check(&error, ErrorKind::TooLarge, Executed::Yes, want);
}

#[tokio::test]
async fn servant_panicked() {
    let directory = directory();
    let path = path(&directory);
    let _running = server().listen(&path).start().await.expect("it listens");
    let archive = farcall::connect::<dyn Archive>(&path).await.expect("it listens");
    let error = archive.size().await.expect_err("it panics");
    let want = "the servant panicked in `Archive::size`: its process's standard error says why";
    check(&error, ErrorKind::Panicked, Executed::Yes, want);
}
