//! Where shared memory cannot be had, a connection at a `shm://` address sends its frames over the socket: before the first call,
//! with a line in the log, and it tells so. What a process lacks is taken away from a process of its own.

#![cfg(all(target_os = "linux", feature = "shm"))]

use farcall::{Remote, Running, Server};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
use std::{
    env, fmt, fs,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};
use tracing::{Event, Level, Metadata, Subscriber, field, span};

const LACKS: &str = "FARCALL_TEST_LACKS";
const CONNECT_TO: &str = "FARCALL_TEST_CONNECT_TO";

#[farcall::remote]
trait Echo {
    async fn echo(&self, bytes: &[u8]) -> farcall::Result<Vec<u8>>;
}

struct Wall;

impl Echo for Wall {
    async fn echo(&self, bytes: &[u8]) -> farcall::Result<Vec<u8>> {
        Ok(bytes.to_vec())
    }
}

/// How often the log says that there is no shared memory.
static SAID: AtomicUsize = AtomicUsize::new(0);

/// Listens to the log.
struct Log;

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut |_: &field::Field, value: &dyn fmt::Debug| {
            let says = format!("{value:?}").contains("there is no shared memory");
            SAID.fetch_add(usize::from(says), Ordering::Relaxed);
        });
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

async fn listen(directory: &tempfile::TempDir) -> Running {
    let address = format!("shm://{}/a.shm", directory.path().display());
    let server = Server::new().export("echo", Remote::<dyn Echo>::new(Wall)).listen(&address);
    server.start().await.expect("a fresh address")
}

/// Connects, and sends more than sockets hold. What carried it.
async fn carried_by(address: &str) -> farcall::Result<&'static str> {
    let echo = farcall::connect::<dyn Echo>(address).await?;
    let bytes = vec![7; 1 << 20];
    assert!(echo.echo(&bytes).await? == bytes);
    Ok(Remote::peer(&echo).expect("it is connected").transport)
}

/// A filter that refuses anonymous memory, as containers have them.
fn refuse_memory() {
    let refused = [(libc::SYS_memfd_create, vec![])].into_iter().collect();
    let arch = env::consts::ARCH.try_into().expect("an architecture with filters");
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(refused, SeccompAction::Allow, refuse, arch);
    let program: BpfProgram = filter.expect("a filter").try_into().expect("a filter");
    apply_filter(&program).expect("filters can be had");
}

fn limit(what: Resource, to: u64) {
    let maximum = getrlimit(what).maximum;
    setrlimit(what, Rlimit { current: Some(to), maximum }).expect("less can always be had");
}

/// The descriptors that this process has.
fn descriptors() -> u64 {
    fs::read_dir("/proc/self/fd").expect("there is /proc").count() as u64
}

/// With one descriptor less each time, frames go through shared memory, and then over the socket.
async fn connects_with_few_descriptors(address: &str) {
    let own = descriptors();
    let mut carried = vec![];
    for spare in (0..20).rev() {
        limit(Resource::Nofile, own + spare);
        let by = carried_by(address).await;
        limit(Resource::Nofile, 1024);
        while descriptors() > own {
            tokio::task::yield_now().await;
        }
        carried.push(by.expect("there are descriptors for a socket"));
        if carried.last() == Some(&"unix") {
            break;
        }
    }
    carried.dedup();
    assert_eq!(carried, ["shm", "unix"]);
    assert_eq!(SAID.load(Ordering::Relaxed), 1, "it is said");
}

/// In a process of its own, lacks what it is told to lack. In this one, that nobody told it is all there is to see.
#[tokio::test]
async fn lacks_what_it_is_told() {
    let lacks = match env::var(LACKS) {
        Err(missing) => return assert_eq!(missing, env::VarError::NotPresent),
        Ok(lacks) => lacks,
    };
    tracing::subscriber::set_global_default(Log).expect("nobody else listens");
    let address = env::var(CONNECT_TO).expect("it is told where");
    match &*lacks {
        "memory" => refuse_memory(),
        "files" => limit(Resource::Fsize, 64 << 10),
        "nothing" => {}
        _ => return connects_with_few_descriptors(&address).await,
    }
    let directory = tempfile::tempdir().expect("a directory");
    let own = listen(&directory).await;
    let want = if lacks == "nothing" { "shm" } else { "unix" };
    for _ in 0..3 {
        assert_eq!(carried_by(&address).await, Ok(want), "the other side has it");
        assert_eq!(carried_by(own.address()).await, Ok(want), "neither side has it");
    }
    assert_eq!(SAID.load(Ordering::Relaxed), usize::from(lacks != "nothing"), "it is said once");
}

#[tokio::test]
async fn a_process_without_shared_memory_is_served_all_the_same() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = listen(&directory).await;
    for lacks in ["nothing", "memory", "files", "descriptors"] {
        let mut command = Command::new(env::current_exe().expect("this test has a path"));
        command.args(["--exact", "lacks_what_it_is_told", "--nocapture"]);
        command.env(LACKS, lacks).env(CONNECT_TO, server.address());
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        let output = output.expect("it does not panic").expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "without {lacks}: {}\n{said}", output.status);
    }
    assert_eq!(carried_by(server.address()).await, Ok("shm"), "this process has it");
}
