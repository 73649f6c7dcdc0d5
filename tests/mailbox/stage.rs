//! Where a mailbox of a test is, and the processes that use it, from the outside: each is this test again, does what it is told, line by line,
//! and answers each line with one.

use crate::mortal::{self, Step};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use std::{
    cell::Cell,
    env, fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// How a process of this test's executable works: `async`, or `thread`.
pub(crate) const MODE: &str = "FARCALL_TEST_PUPPET";

/// The transports between processes, as far as they are there.
const SCHEMES: [&str; 3] = ["unix", "tcp", if cfg!(target_os = "linux") { "shm" } else { "tcp" }];

/// What an answer begins with.
pub(crate) const ANSWER: &str = "answer: ";

/// Where a mailbox is, and how its processes work.
pub(crate) struct Stage {
    scheme: &'static str,
    mode: &'static str,
    directory: TempDir,
    mailboxes: Cell<u32>,
}

/// Runs a test over each transport between processes, in async code and on plain threads.
pub(crate) fn everywhere(test: impl Fn(&Stage)) {
    for scheme in SCHEMES {
        for mode in ["async", "thread"] {
            test(&Stage::new(scheme, mode));
        }
    }
}

/// Runs a test over shared memory, in async code and on plain threads.
#[cfg(target_os = "linux")]
pub(crate) fn over_shm(test: impl Fn(&Stage)) {
    ["async", "thread"].into_iter().for_each(|mode| test(&Stage::new("shm", mode)));
}

/// Runs a test over each transport between processes, in async code: one that takes long.
pub(crate) fn over_each(test: impl Fn(&Stage)) {
    SCHEMES.into_iter().for_each(|scheme| test(&Stage::new(scheme, "async")));
}

impl Stage {
    fn new(scheme: &'static str, mode: &'static str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let stage = Self { scheme, mode, directory, mailboxes: Cell::new(0) };
        fs::write(stage.configuration(), stage.names()).expect("the directory is ours");
        stage
    }

    /// A process that hosts a mailbox, and the address of that.
    pub(crate) fn host(&self, terms: &str) -> (Puppet, String) {
        self.hosted("host", terms)
    }

    /// The same, by another command.
    pub(crate) fn hosted(&self, command: &str, terms: &str) -> (Puppet, String) {
        let mut host = self.puppet();
        let address = self.host_by(&mut host, command, terms);
        (host, address)
    }

    /// Has a process host a mailbox: the address of that.
    pub(crate) fn host_by(&self, host: &mut Puppet, command: &str, terms: &str) -> String {
        let address = match self.scheme {
            "tcp" => "tcp://127.0.0.1:0#box".to_owned(),
            _ => self.address(),
        };
        let listening = host.ask(&format!("{command} {address} {terms}"));
        format!("{listening}#box")
    }

    /// Where nobody listens, until a mailbox is hosted there, perhaps by one process after the other.
    pub(crate) fn address(&self) -> String {
        if self.scheme == "tcp" {
            // No process of this host dials from there, which would take the port.
            let free = TcpListener::bind("127.0.0.2:0").and_then(|listener| listener.local_addr());
            return format!("tcp://{}#box", free.expect("a port is free"));
        }
        let number = self.mailboxes.replace(self.mailboxes.get() + 1);
        format!("{}://{}/{number}.sock#box", self.scheme, self.directory.path().display())
    }

    /// The path of a file that is not there.
    pub(crate) fn file(&self) -> PathBuf {
        let number = self.mailboxes.replace(self.mailboxes.get() + 1);
        self.directory.path().join(format!("{number}.kept"))
    }

    fn configuration(&self) -> PathBuf {
        self.directory.path().join("farcall.toml")
    }

    /// Where processes of these names are.
    fn names(&self) -> String {
        static STAGES: AtomicU32 = AtomicU32::new(1);
        let stage = STAGES.fetch_add(1, Ordering::Relaxed);
        let mut names = String::new();
        let (block, stage) = (stage / 250, 1 + stage % 250);
        for (port, name) in (7001 + 10 * block..).zip(["alice", "bob", "carol"]) {
            let address = match self.scheme {
                // A network of this test's own on the loopback interface: no port can be in use.
                "tcp" => {
                    let [.., high, low] = std::process::id().to_be_bytes();
                    format!("tcp://127.{high}.{low}.{stage}:{port}")
                }
                scheme => format!("{scheme}://{}/{name}.sock", self.directory.path().display()),
            };
            names += &format!("[services.{name}]\nlisten = \"{address}\"\n");
        }
        names
    }

    /// A process that has claimed a name.
    pub(crate) fn named(&self, name: &str) -> Puppet {
        let mut puppet = self.puppet();
        assert_eq!(puppet.ask(&format!("claim {name}")), "ok");
        puppet
    }

    /// A process that does nothing yet.
    pub(crate) fn puppet(&self) -> Puppet {
        self.start(&mut self.command())
    }

    /// A process that is killed at its step with this number, of which the first is 1.
    pub(crate) fn mortal(&self, step: Step, number: u64) -> Puppet {
        let last = format!("{} {number}", step.word());
        self.start(self.command().env(mortal::DIES_AT, last))
    }

    fn command(&self) -> Command {
        let own = env::current_exe().expect("this test has a path");
        let mut command = Command::new(own);
        command
            .args(["--exact", "puppet::does_as_it_is_told", "--nocapture"])
            .env(MODE, self.mode)
            .env("FARCALL_CONFIG", self.configuration())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        command
    }

    fn start(&self, command: &mut Command) -> Puppet {
        let mut child = command.spawn().expect("this test runs");
        let tell = child.stdin.take().expect("it is piped");
        let said = BufReader::new(child.stdout.take().expect("it is piped"));
        let (answers, hear) = channel();
        thread::spawn(move || {
            // The test harness writes into the same stream, also before an answer in the same line.
            let lines = said.lines().map_while(Result::ok);
            let said = lines.filter_map(|line| Some(line.split_once(ANSWER)?.1.to_owned()));
            said.take_while(|answer| answers.send(answer.clone()).is_ok()).for_each(drop);
        });
        Puppet { child, tell, hear }
    }

    /// A process that is attached to the mailbox at an address.
    pub(crate) fn attached(&self, address: &str) -> Puppet {
        let mut puppet = self.puppet();
        assert_eq!(puppet.ask(&format!("attach {address}")), "ok");
        puppet
    }
}

/// A process that does as it is told. It is killed when this is dropped.
pub(crate) struct Puppet {
    child: Child,
    tell: ChildStdin,
    hear: Receiver<String>,
}

impl Puppet {
    /// Gives a command.
    pub(crate) fn tell(&mut self, command: &str) {
        writeln!(self.tell, "{command}").expect("it lives");
    }

    /// Waits for the answer to the oldest command that was not answered.
    pub(crate) fn hear(&mut self) -> String {
        self.hear.recv().expect("it has ended")
    }

    /// The same, unless it ends before.
    pub(crate) fn hear_or_end(&mut self) -> Option<String> {
        self.hear.recv().ok()
    }

    /// The same, unless there is none yet.
    pub(crate) fn hear_soon(&mut self) -> Option<String> {
        match self.hear.recv_timeout(Duration::from_millis(1)) {
            Err(RecvTimeoutError::Disconnected) => panic!("it has ended"),
            answer => answer.ok(),
        }
    }

    /// Whether it was killed.
    pub(crate) fn has_died(&mut self) -> bool {
        self.child.try_wait().expect("it is a child").is_some()
    }

    /// Gives a command and waits for the answer.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.tell(command);
        self.hear()
    }

    /// Waits until the mailbox counts so many.
    pub(crate) fn until(&mut self, what: &str, count: u64) {
        let wanted = count.to_string();
        let came = (0..20_000).any(|_| self.ask(&format!("count {what}")) == wanted);
        assert!(came, "`{what}` does not become {count}");
    }

    /// Its number.
    pub(crate) fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// It does nothing any more until it is resumed.
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
        let stopped = waitpid(Some(Pid::from_child(&self.child)), WaitOptions::UNTRACED);
        assert!(stopped.expect("it is a child").is_some_and(|(_, status)| status.stopped()));
    }

    /// It goes on where it was stopped.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("it is a child");
    }

    /// Kills it, as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it lives");
        self.child.wait().expect("it is a child");
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
