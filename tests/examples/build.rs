//! A build with several worker processes, of which one is killed, and one with a worker that lies.

#[path = "../../examples/build/build.rs"]
#[allow(dead_code, unreachable_pub)]
mod contract;

use crate::{Ended, Example, read};
use bytes::Bytes;
use contract::{Digest, Digests, Progress, Site, Worker};
use farcall::{Receiver, Remote, Sender};
use flate2::{Compression, write::GzEncoder};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
};

/// Eight files of up to 200 KB, which do not pack into nothing.
fn a_tree(root: &Path) -> u64 {
    let mut all = 0;
    fs::create_dir(root.join("folder")).unwrap();
    for number in 0..8_u32 {
        let len = number * 25_000;
        let bytes: Vec<u8> = (0..len).map(|at| (at.wrapping_mul(at) >> 9) as u8).collect();
        fs::write(root.join("folder").join(number.to_string()), bytes).unwrap();
        all += u64::from(len);
    }
    all
}

/// The first worker that reports is killed before it gets the answer, so it surely has begun and not ended.
fn outlives_a_worker(address: impl Fn(&Path) -> String) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir(&root).unwrap();
    let bytes = a_tree(&root);
    let arguments = ["--workers", "3", "--lose", root.to_str().unwrap()];
    let listen = address(folder.path());
    let build = Example::new("build", &arguments).env("FARCALL__SERVICES__BUILD__LISTEN", &listen);
    let (success, text) = build.run();
    assert!(success, "{text}");
    assert!(text.contains("3 workers, 1 of them lost, "), "{text}");
    assert!(!text.contains(" 0 files begun again"), "{text}");
    assert!(text.contains(&format!("8 files of {bytes} bytes packed into ")), "{text}");
    assert!(text.contains(", all verified") && text.contains("100 % of "), "{text}");
}

#[test]
#[cfg(target_os = "linux")]
fn outlives_a_worker_over_shm() {
    outlives_a_worker(|folder| format!("shm://{}/build", folder.display()));
}

#[test]
fn outlives_a_worker_over_tcp() {
    outlives_a_worker(|_| "tcp://127.0.0.1:0".to_owned());
}

/// Packs something else, and claims that all is well.
struct Liar;

impl Worker for Liar {
    async fn pack(
        &self,
        mut file: Receiver<Bytes>,
        packed: Sender<Bytes>,
        _checker: Remote<dyn Worker>,
        _progress: Remote<dyn Progress>,
    ) -> farcall::Result<Digests> {
        let mut hasher = blake3::Hasher::new();
        while let Some(piece) = file.recv().await {
            hasher.update(&piece?);
        }
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(b"something else").unwrap();
        packed.send(gzip.finish().unwrap().into()).await?;
        packed.finish();
        let digest = hasher.finalize().into();
        Ok(Digests { original: digest, unpacked: digest })
    }

    async fn check(&self, _packed: Receiver<Bytes>) -> farcall::Result<Digest> {
        Ok([0; 32])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fails_where_a_result_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir(&root).unwrap();
    a_tree(&root);
    let mut build = Example::new("build", &["--workers", "0", root.to_str().unwrap()])
        .env("FARCALL__SERVICES__BUILD__LISTEN", "tcp://127.0.0.1:0");
    let mut process = Ended(build.command.spawn().unwrap());
    let mut errors = BufReader::new(process.0.stderr.take().unwrap());
    let mut line = String::new();
    errors.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("workers join at ").unwrap();
    let site = farcall::connect::<dyn Site>(address).await.unwrap();
    let joined = site.join(Remote::new(Liar), 0);
    let ended = tokio::task::spawn_blocking(move || {
        let text = read(Some(errors)).recv_timeout(crate::PATIENCE).unwrap();
        (process.0.wait().unwrap().success(), text)
    });
    let (success, text) = ended.await.unwrap();
    assert_eq!(joined.await, Ok(()), "it is told that the build is over");
    assert!(!success && text.contains(" is not what it was"), "{text}");
}

#[test]
fn of_nothing_is_an_error() {
    let (success, text) = Example::new("build", &["/there/is/no/such/tree"]).run();
    assert!(!success && text.contains("build: /there/is/no/such/tree: "), "{text}");
}
