//! An archive: read over every transport and by way of the configuration, one that lies, and what its documents give.

use crate::{
    Ended, Example,
    archive::{Archive, ArchiveError, Document, Entry, Kind, Notice, Watcher},
    assert_matches,
    tree::Tree,
};
use farcall::{ErrorKind, Receiver, Remote, Server};
use std::{
    fs,
    io::{BufRead, BufReader},
};
use tempfile::TempDir;

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
fn over_every_transport() {
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
fn of_nothing_is_an_error() {
    let (success, text) = Example::new("archive", &["/there/is/no/such/tree"]).run();
    assert!(!success && text.contains("archive: /there/is/no/such/tree: "), "{text}");
}

#[test]
fn follows_the_configuration() {
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
async fn fails_where_a_digest_differs() {
    let server = Server::new().export("archive", Remote::<dyn Archive>::new(Liar));
    let running = server.listen("tcp://127.0.0.1:0").start().await.unwrap();
    let client = Example::new("archive", &["client"])
        .env("FARCALL__SERVICES__ARCHIVE__CONNECT", &running.addresses()[0]);
    let (success, text) = tokio::task::spawn_blocking(|| client.run()).await.unwrap();
    assert!(!success && text.contains("DIFFERS"), "{text}");
    assert!(text.contains("archive: what was read through calls is not what is there"), "{text}");
}

#[tokio::test]
async fn refuses_what_is_outside() {
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
async fn gives_the_lines_of_a_text() {
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
async fn tells_its_watchers_of_changes() {
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
