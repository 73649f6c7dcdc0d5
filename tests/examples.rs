//! Runs each example as CI does: as processes of its own, to its end, with the output that it should have.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../examples/archive/archive.rs"]
#[allow(dead_code, unreachable_pub)]
mod archive;
#[path = "examples/build.rs"]
mod build;
#[path = "examples/chat.rs"]
mod chat;
#[path = "../examples/archive/page.rs"]
#[allow(dead_code, unreachable_pub)]
mod page;
#[path = "../examples/archive/tree.rs"]
#[allow(dead_code, unreachable_pub)]
mod tree;

use archive::{Archive, ArchiveError, Document, Entry, Kind, Notice, Watcher};
use farcall::{ErrorKind, Receiver, Remote, Server};
use std::{
    env, fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{LazyLock, mpsc},
    time::Duration,
};
use tempfile::TempDir;
use tree::Tree;

/// How long an example may take on a machine that has much else to do. On one of its own it takes 2 s at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// The folder of the built examples. They are built as this test was: `cargo test --test examples` does not.
static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
    let this = env::current_exe().unwrap();
    let profile = this.parent().and_then(Path::parent).unwrap();
    let name = profile.file_name().and_then(|name| name.to_str()).unwrap();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--examples", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .args(["--profile", if name == "debug" { "dev" } else { name }, "--target-dir"])
        .arg(profile.parent().unwrap())
        .status();
    assert!(built.unwrap().success(), "the examples do not build");
    profile.join("examples")
});

/// An example, with a private directory and a configuration of its own.
struct Example {
    command: Command,
    _runtime: TempDir,
}

impl Example {
    fn new(name: &str, arguments: &[&str]) -> Self {
        let runtime = tempfile::tempdir().unwrap();
        let mut command = Command::new(BUILT.join(format!("{name}{}", env::consts::EXE_SUFFIX)));
        command.args(arguments).env("FARCALL_CONFIG", "").env("XDG_RUNTIME_DIR", runtime.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (variable, _) in env::vars_os() {
            if variable.to_string_lossy().to_ascii_uppercase().starts_with("FARCALL__") {
                command.env_remove(variable);
            }
        }
        Self { command, _runtime: runtime }
    }

    fn env(mut self, variable: &str, value: &str) -> Self {
        self.command.env(variable, value);
        self
    }

    /// Runs it to its end, and to that of every process that it has started: they share its standard output.
    fn run(mut self) -> (bool, String) {
        let mut child = Ended(self.command.spawn().unwrap());
        let output = [read(child.0.stdout.take()), read(child.0.stderr.take())];
        let text = output.map(|output| match output.recv_timeout(PATIENCE) {
            Ok(text) => text,
            Err(_) => panic!("{:?} does not end", self.command),
        });
        (child.0.wait().unwrap().success(), text.concat())
    }
}

/// Reads to the end, elsewhere.
fn read(output: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, text) = mpsc::channel();
    std::thread::spawn(move || {
        let mut read = Vec::new();
        output.unwrap().read_to_end(&mut read).unwrap();
        let _ = sender.send(String::from_utf8_lossy(&read).into_owned());
    });
    text
}

/// A process that does not outlive the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The example ends well and prints these lines; `*` in them is any text.
#[track_caller]
fn check(name: &str, want: &[&str]) {
    let (success, text) = Example::new(name, &[]).run();
    assert!(success, "{name} failed:\n{text}");
    assert_matches(&text, want);
}

#[track_caller]
fn assert_matches(text: &str, want: &[&str]) {
    let lines: Vec<&str> = text.lines().collect();
    let same =
        lines.len() == want.len() && lines.iter().zip(want).all(|(line, want)| is_like(line, want));
    assert!(same, "printed:\n{text}\nand not:\n{}", want.join("\n"));
}

fn is_like(line: &str, want: &str) -> bool {
    let mut rest = line;
    let mut parts = want.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(after) = rest.strip_prefix(first) else { return false };
    rest = after;
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[test]
fn hello() {
    check("hello", &["Hello, process *! I am process *."]);
}

#[test]
fn near_and_far() {
    let want = [
        "the object itself             12.0 degrees * us",
        "a handle on an object near    12.0 degrees * us",
        "a handle on an object far     12.0 degrees * us",
    ];
    check("near_and_far", &want);
}

#[test]
fn timeouts() {
    let want = [
        "without an option, a call has 10 s:",
        "  the cook of soup has * s",
        "  served: soup, hot",
        "  the cook of soup stopped",
        "a handle with 200 ms:",
        "  the cook of roast has 0.* s",
        "  too late: the deadline passed before the answer came",
        "  the cook of roast stopped",
        "what the first kitchen orders from the second inherits the 200 ms:",
        "  the cook of stew has 0.* s",
        "  too late: the deadline passed before the answer came",
        "  the cook of stew stopped",
        "a call that is dropped is cancelled:",
        "  the cook of cake has * s",
        "  the cook of cake stopped",
    ];
    check("timeouts", &want);
}

#[test]
fn errors() {
    let want = [
        "30 from ada     70 left",
        "99 from ada     29 missing",
        "30 from bob     there is no such account",
        "0, a bug        Panicked, ran: do not try again",
        "                the servant panicked in `Bank::withdraw`: its process's standard error says why",
        "after the bug   69 left",
        "a wrong name    NoSuchService, did not run: write another name",
        "                there is no service `banc`, there is `bank`: write its name after `#` in the address, or export it (tcp://127.0.0.1:*",
        "a closed bank   TimedOut, did not run: try again",
        "                the deadline passed before the call could go out: nobody listens at tcp://127.0.0.1:*",
    ];
    check("errors", &want);
}

#[test]
fn services() {
    let want = [
        "copies of Dune     1",
        "copies of Emma     1",
        "open at 8          false",
        "library at libary  there is no service `libary`, there is `library`, `office`, `hours`: *",
        "library at office  the service `office` has the interface `Office` and not `Library`: connect with `dyn Office`*",
    ];
    check("services", &want);
}

#[test]
fn registry() {
    let want = [
        "bound    clock.oslo by tcp://127.0.0.1:*",
        "bound    clock.rome by tcp://127.0.0.1:*",
        "it is    noon in rome, says process *",
        "sorry    nothing is bound as `clock.roma`: near it is `clock.rome`, `clock.oslo`",
        "unbound  clock.oslo",
        "unbound  clock.rome",
    ];
    check("registry", &want);
}

#[test]
fn blocking() {
    check("blocking", &["words counted       520"]);
}

#[test]
#[cfg(unix)]
fn exec() {
    check("exec", &["far    F-A-R", "call   C-A-L-L"]);
}

#[test]
fn bounded_buffer() {
    let want = [
        "                      waited on full   waited on empty",
        "a slow producer*",
        "a slow consumer*",
        "400 items of 16 KiB through 8 slots, 0 bytes wrong",
    ];
    check("bounded_buffer", &want);
}

#[test]
#[cfg(target_os = "linux")]
fn frames() {
    let (success, text) = Example::new("frames", &["3"]).run();
    assert!(success, "{text}");
    let want = [
        "an image as                     GB/s    images/s      copies",
        "a loan *        none",
        "a payload from the heap *           1",
        "a vector *   2 or more",
    ];
    assert_matches(&text, &want);
}

#[test]
fn shutdown() {
    let want = [
        "too late   TimedOut (executed: No): the deadline passed before *",
        "accepted   page 1",
        "accepted   page 2",
        "accepted   page 3",
        "ended      3 pages were begun",
    ];
    check("shutdown", &want);
}

/// Files of many lengths in a tree, and what must not be read.
fn a_tree() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    for directory in ["a/b", "target", ".git", "empty"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    for (path, len) in [("none", 0), ("a/one", 1), ("a/b/piece", 64 << 10), ("a/b/more", 200_001)] {
        let bytes: Vec<u8> = (0..len).map(|at: u32| (at / 7) as u8).collect();
        fs::write(root.join(path), bytes).unwrap();
    }
    fs::write(root.join("target/out"), "left out").unwrap();
    fs::write(root.join(".git/config"), "left out").unwrap();
    fs::write(folder.path().join("secret"), "outside").unwrap();
    #[cfg(unix)]
    for (link, to) in [("leak", "../secret"), ("up", ".."), ("inside", "a/one"), ("git", ".git")] {
        std::os::unix::fs::symlink(to, root.join(link)).unwrap();
    }
    folder
}

#[test]
fn archive_over_every_transport() {
    let folder = a_tree();
    let root = folder.path().join("root").display().to_string();
    let (success, text) = Example::new("archive", &[&root]).run();
    assert!(success, "{text}");
    let transports = match () {
        () if cfg!(target_os = "linux") => &["inproc", "shm", "unix", "tcp"][..],
        () if cfg!(unix) => &["inproc", "unix", "tcp"],
        () => &["inproc", "tcp"],
    };
    let mut want = vec![
        format!("{root} read in pieces of 64 KiB"),
        String::new(),
        "transport *digest".to_owned(),
        "--*".to_owned(),
    ];
    let row = |transport| format!("{transport} *     4       265538        24 * equal");
    want.extend(transports.iter().map(row));
    assert_matches(&text, &want.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn archive_of_nothing_is_an_error() {
    let (success, text) = Example::new("archive", &["/there/is/no/such/tree"]).run();
    assert!(!success && text.contains("archive: /there/is/no/such/tree: "), "{text}");
}

#[test]
fn archive_follows_the_configuration() {
    let folder = a_tree();
    let root = folder.path().join("root").display().to_string();
    let mut server = Example::new("archive", &["server", &root])
        .env("FARCALL__SERVICES__ARCHIVE__LISTEN", "tcp://127.0.0.1:0");
    let mut server = Ended(server.command.spawn().unwrap());
    let mut address = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let client = Example::new("archive", &["client"])
        .env("FARCALL__SERVICES__ARCHIVE__CONNECT", address.trim());
    let (success, text) = client.run();
    assert!(success, "{text}");
    assert_matches(&text, &["transport *", "--*", "tcp *     4       265538        24 * equal"]);
}

/// An archive whose one document reads other bytes than it digests.
struct Liar;

impl Archive for Liar {
    async fn list(&self, _directory: &str) -> Result<Vec<Entry>, ArchiveError> {
        Ok(vec![Entry { path: "file".to_owned(), kind: Kind::File }])
    }

    async fn open(&self, _path: &str) -> Result<Remote<dyn Document>, ArchiveError> {
        Ok(Remote::new(Self))
    }

    async fn watch(&self, watcher: Remote<dyn Watcher>) -> farcall::Result<()> {
        watcher.notice(Notice::Opened("file".to_owned())).await
    }
}

impl Document for Liar {
    async fn read(&self, _offset: u64, _len: u32) -> Result<Vec<u8>, ArchiveError> {
        Ok(b"bytes".to_vec())
    }

    async fn line(&self, _number: u32) -> Result<String, ArchiveError> {
        Ok("bytes".to_owned())
    }

    async fn lines(&self, _from: u32, _to: u32) -> Result<Receiver<String>, ArchiveError> {
        let (sender, receiver) = farcall::channel(1);
        sender.finish();
        Ok(receiver)
    }

    async fn digest(&self, _salt: &[u8]) -> Result<[u8; 32], ArchiveError> {
        Ok(blake3::hash(b"other bytes").into())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn archive_fails_where_a_digest_differs() {
    let server = Server::new().export("archive", Remote::<dyn Archive>::new(Liar));
    let running = server.listen("tcp://127.0.0.1:0").start().await.unwrap();
    let client = Example::new("archive", &["client"])
        .env("FARCALL__SERVICES__ARCHIVE__CONNECT", &running.addresses()[0]);
    let (success, text) = tokio::task::spawn_blocking(|| client.run()).await.unwrap();
    assert!(!success && text.contains("DIFFERS"), "{text}");
    assert!(text.contains("archive: what was read through calls is not what is there"), "{text}");
}

#[tokio::test]
async fn archive_refuses_what_is_outside() {
    let folder = a_tree();
    let tree = Tree::open(&folder.path().join("root")).unwrap();
    let archive = Remote::<dyn Archive>::new(tree);
    let secret = folder.path().join("secret").display().to_string();
    let mut outside = vec![
        "..",
        "../secret",
        "a/../../secret",
        "a/..",
        "/",
        &secret,
        "target/out",
        ".git/config",
    ];
    if cfg!(unix) {
        outside.extend(["leak", "up", "up/secret", "git/config"]);
        assert_eq!(archive.open("inside").read(0, 9).await, Ok(vec![0]));
    }
    for path in outside {
        let refused = Err::<Vec<Entry>, _>(ArchiveError::Outside(path.to_owned()));
        assert_eq!(archive.open(path).await.map(|_| Vec::new()), refused, "{path}");
        assert_eq!(archive.list(path).await, refused, "{path}");
    }
    for path in ["a", "missing"] {
        let opened = archive.open(path).await;
        assert!(matches!(opened, Err(ArchiveError::Unreadable { .. })), "{path}: {opened:?}");
        let Err(ArchiveError::Call(error)) = archive.open(path).line(1).await else {
            panic!("{path} has a line");
        };
        assert_eq!(error.kind(), ErrorKind::Pipeline, "{path}: {error}");
    }
}

#[tokio::test]
async fn archive_gives_the_lines_of_a_text() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("text"), "one\ntwo\r\n\nfour\n").unwrap();
    fs::write(folder.path().join("bytes"), b"one\n\xff\n").unwrap();
    let archive = Remote::<dyn Archive>::new(Tree::open(folder.path()).unwrap());
    let text = archive.open("text").await.unwrap();
    for (from, to, want) in [
        (1, u32::MAX, &["one", "two\r", "", "four", ""][..]),
        (2, 3, &["two\r", ""]),
        (5, 9, &[""]),
        (6, 9, &[]),
        (3, 2, &[]),
    ] {
        assert_eq!(all(text.lines(from, to).await.unwrap()).await.unwrap(), want, "{from} to {to}");
    }
    assert_eq!(archive.open("text").line(4).await, Ok("four".to_owned()));
    for (path, number) in [("text", 0), ("text", 6), ("bytes", 2)] {
        let line = archive.open(path).line(number).await;
        assert!(matches!(line, Err(ArchiveError::Unreadable { .. })), "{path}: {line:?}");
    }
    let mut bytes = archive.open("bytes").lines(1, 9).await.unwrap();
    assert_eq!(bytes.recv().await, Some(Ok("one".to_owned())));
    let error = all(bytes).await.unwrap_err();
    assert_eq!(error.text(), "it is not a text");
}

async fn all(mut lines: Receiver<String>) -> farcall::Result<Vec<String>> {
    let mut all = Vec::new();
    while let Some(line) = lines.recv().await {
        all.push(line?);
    }
    Ok(all)
}

#[tokio::test]
async fn archive_tells_its_watchers_of_changes() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("text"), "before").unwrap();
    let archive = Remote::<dyn Archive>::new(Tree::open(folder.path()).unwrap());
    let (tell, told) = farcall::channel(9);
    let tell = std::sync::Arc::new(tell);
    let watcher = Remote::<dyn Watcher>::from_fn(move |notice: Notice| {
        let tell = std::sync::Arc::clone(&tell);
        async move { tell.send(notice).await }
    });
    archive.watch(watcher).await.unwrap();
    let text = archive.open("text").await.unwrap();
    assert_eq!(text.line(1).await, Ok("before".to_owned()));
    fs::write(folder.path().join("text"), "and after").unwrap();
    assert_eq!(text.read(4, 9).await, Ok(b"after".to_vec()));
    assert_eq!(text.line(1).await, Ok("and after".to_owned()));
    drop((archive, text));
    let mut told = told;
    assert_eq!(told.recv().await, Some(Ok(Notice::Opened("text".to_owned()))));
    assert_eq!(told.recv().await, Some(Ok(Notice::Changed("text".to_owned()))));
}
