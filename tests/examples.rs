//! Runs each example as CI does: as processes of its own, to its end, with the output that it should have.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../examples/archive/archive.rs"]
#[allow(dead_code, unreachable_pub)]
mod archive;
#[path = "examples/archive.rs"]
mod archive_example;
#[path = "examples/build.rs"]
mod build;
#[path = "examples/builds.rs"]
mod builds;
#[path = "examples/chat.rs"]
mod chat;
#[path = "../examples/archive/page.rs"]
#[allow(dead_code, unreachable_pub)]
mod page;
#[path = "../examples/archive/tree.rs"]
#[allow(dead_code, unreachable_pub)]
mod tree;

use std::{
    env,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{LazyLock, mpsc},
    time::Duration,
};
use tempfile::TempDir;

/// How long an example may take on a machine that has much else to do. On one of its own it takes 3 s at most.
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
fn producers_consumers() {
    let want = [
        "1 to 1: 100 items, each taken once",
        "2 to 2: 200 items, each taken once",
        "4 to 4: 400 items, each taken once",
    ];
    check("producers_consumers", &want);
}

#[test]
fn job_queue() {
    check("job_queue", &["60 jobs done, 3 workers killed, * jobs given out again"]);
}

#[test]
fn direct_messages() {
    let want = [
        "the name `buyer` is claimed by another process: claim another one, or end that process",
        "3 apples for 75 cents",
        "no 2 apples without 50 cents",
        "1 apples for 25 cents",
        "1 link, 3 messages there and 3 back",
    ];
    check("direct_messages", &want);
}

#[test]
fn rendezvous() {
    let want = [
        "at once: nobody is receiving: wait with `send` until somebody does",
        "in 20 ms: the time has passed, and nothing was sent or received",
        "as long as it takes: taken by `taker` (process *)",
        "a letter from `giver` (process *); 1 came in all",
    ];
    check("rendezvous", &want);
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
fn faults() {
    check(
        "faults",
        &[
            "an answer was lost: 750 in the till",
            "a wire was cut at each byte: 800 in the till",
            "a server was silent: 1000 in the till",
        ],
    );
}

#[test]
fn web() {
    let want = [
        "GET /                200 visit 1 to process *",
        "GET /square/12       200 144",
        "GET /square/twelve   400 `twelve` is no number that can be squared",
        "POST /shout          200 WHO IS THERE?",
        "GET /nowhere         404 there is nothing at /nowhere",
        "GET /bug             500 the handler has a bug",
        "GET /                200 visit 2 to process *",
        "GET /                503 nobody handles this just now: try again",
        "POST /shout          503 nobody handles this just now: try again",
        "GET /                200 visit 1 to process *",
        "the handler was killed and started again, and the server went on",
    ];
    check("web", &want);
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

#[test]
#[cfg(target_os = "linux")]
fn ipc_tour() {
    let want = [
        "64 bytes between two processes",
        "",
        "*there & back   messages/s   syscalls     copies  synchronized by",
        // Not every system offers these.
        "shared memory, POSIX  *",
        "shared memory, System V  *",
        "message queues, POSIX  *",
        "message queue, System V  *",
        "pipes  * us * 2.00 * 1.00 + *  the kernel: bytes, in order",
        "a Unix socket  * us * 2.00 * 1.00 + *  the kernel: bytes, in order",
        "UDP  * us * 2.00 * 1.00 + *  nobody: what finds no room is lost",
        "TCP  * us * 2.00 * 1.00 + *  the kernel: bytes, in order",
        "farcall, calls over shm  * us * + *  farcall: calls, in order, answered",
        "farcall, calls over unix  * us * + *  farcall: calls, in order, answered",
        "farcall, calls over tcp  * us * + *  farcall: calls, in order, answered",
        "farcall, mailboxes over shm  * us * + *  the mailbox: accepted, taken, acked",
        "",
        "there & back: *",
        "also answered, *",
        "syscalls: *",
        "`strace -f`, *",
        "copies: *",
        "process into *",
        "(?: *",
        "",
        "the race: two processes add to one counter",
        "",
        "*added      counted       lost    ns each",
        "a load and a store  *",
        "an atomic add  *     10000000     10000000          0*",
        "a semaphore, System V  *",
        "an actor, `&mut self`  *        20000        20000          0*",
    ];
    check("ipc_tour", &want);
}
