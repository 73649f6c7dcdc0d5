//! A process that does with a mailbox what it is told, line by line, and answers each line with one.

use crate::{enclosing::Enclosing, flow::Flow, named::Named};
use farcall::mailbox::{Action, Capacity, Error, Key, Letter, Mailbox, OnCrash, Policy, Receipt};
use std::{
    cell::Cell,
    env, fs,
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    str::SplitWhitespace,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// How a process of this test's executable works: `async`, or `thread`.
const MODE: &str = "FARCALL_TEST_PUPPET";

/// Where a mailbox is, and how its processes work.
pub(crate) struct Stage {
    scheme: &'static str,
    mode: &'static str,
    directory: TempDir,
    mailboxes: Cell<u32>,
}

/// Runs a test over each transport between processes, in async code and on plain threads.
pub(crate) fn everywhere(test: impl Fn(&Stage)) {
    for scheme in ["unix", "tcp", if cfg!(target_os = "linux") { "shm" } else { "tcp" }] {
        for mode in ["async", "thread"] {
            let directory = tempfile::tempdir().expect("a directory");
            let stage = Stage { scheme, mode, directory, mailboxes: Cell::new(0) };
            fs::write(stage.configuration(), stage.names()).expect("the directory is ours");
            test(&stage);
        }
    }
}

impl Stage {
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
            scheme => {
                let number = self.mailboxes.replace(self.mailboxes.get() + 1);
                format!("{scheme}://{}/{number}.sock#box", self.directory.path().display())
            }
        };
        let listening = host.ask(&format!("{command} {address} {terms}"));
        format!("{listening}#box")
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
        let own = env::current_exe().expect("this test has a path");
        let mut child = Command::new(own)
            .args(["--exact", "puppet::does_as_it_is_told", "--nocapture"])
            .env(MODE, self.mode)
            .env("FARCALL_CONFIG", self.configuration())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test runs");
        let tell = child.stdin.take().expect("it is piped");
        let hear = BufReader::new(child.stdout.take().expect("it is piped"));
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
    hear: BufReader<ChildStdout>,
}

impl Puppet {
    /// Gives a command.
    pub(crate) fn tell(&mut self, command: &str) {
        writeln!(self.tell, "{command}").expect("it lives");
    }

    /// Waits for the answer to the oldest command that was not answered.
    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.hear.read_line(&mut line).expect("it lives"), 0, "it has ended");
            // The test harness writes into the same stream, also before an answer in the same line.
            if let Some((_, answer)) = line.trim_end_matches('\n').split_once("answer: ") {
                return answer.to_owned();
            }
        }
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

/// The process that does as it is told. Nothing, if it is none.
#[test]
fn does_as_it_is_told() {
    let Ok(mode) = env::var(MODE) else { return };
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let mut actor = Actor {
        runtime: (mode == "async").then(|| runtime.expect("a runtime")),
        named: Named::default(),
        flow: Flow::default(),
        enclosing: Enclosing::default(),
        mailbox: None,
        letters: Vec::new(),
        receipts: Vec::new(),
    };
    for line in io::stdin().lines() {
        let line = line.expect("the test writes text");
        let answer = actor.obey(&line).unwrap_or_else(|error| said(&error));
        let mut out = io::stdout().lock();
        writeln!(out, "answer: {answer}").expect("the test listens");
        out.flush().expect("the test listens");
    }
}

struct Actor {
    runtime: Option<Runtime>,
    named: Named,
    flow: Flow,
    enclosing: Enclosing,
    mailbox: Option<Mailbox<u32>>,
    /// Those that it holds, the oldest first.
    letters: Vec<Letter<u32>>,
    receipts: Vec<Receipt>,
}

impl Actor {
    fn obey(&mut self, line: &str) -> Result<String, Error> {
        let mut words = line.split_whitespace();
        let command = words.next().unwrap_or_default();
        match command {
            "host" => return self.host(words),
            "attach" => {
                let attached = Mailbox::attach(words.next().unwrap_or_default());
                self.mailbox = Some(self.done(attached)?);
                return Ok("ok".to_owned());
            }
            "attach_text" => {
                let attached = Mailbox::<String>::attach(words.next().unwrap_or_default());
                return self.done(attached).map(|_| "ok".to_owned());
            }
            "ack" => self.letters.remove(0).ack(),
            "drop" => drop(self.letters.remove(0)),
            "panic" => {
                let letter = self.letters.remove(0);
                let panics = move || panic!("while it works on {}", *letter);
                assert!(thread::spawn(panics).join().is_err());
            }
            "detach" => self.mailbox = None,
            _ if Named::knows(command) => {
                let (runtime, named) = (&self.runtime, &mut self.named);
                return named.obey(command, words, runtime.as_ref());
            }
            _ if Enclosing::knows(command) => {
                let runtime = self.runtime.as_ref();
                return self.enclosing.obey(command, words, runtime);
            }
            _ if Flow::knows(command) => {
                let mailbox = self.mailbox.as_ref().expect("it has a mailbox");
                return self.flow.obey(command, words, mailbox, self.runtime.as_ref());
            }
            _ => return self.pass(command, words),
        }
        Ok("ok".to_owned())
    }

    fn host(&mut self, mut words: SplitWhitespace<'_>) -> Result<String, Error> {
        let mut hosting = Mailbox::host(words.next().unwrap_or_default());
        for word in words {
            hosting = match word.split_once('=').unwrap_or((word, "")) {
                ("zero", _) => hosting.capacity(Capacity::Zero),
                ("bounded", most) => hosting.capacity(Capacity::Bounded(number(Some(most)).into())),
                ("unbounded", _) => hosting.capacity(Capacity::Unbounded),
                ("ceiling", bytes) => hosting.ceiling(number(Some(bytes)).into()),
                ("pair", _) => hosting.policy(Policy::Pair),
                ("in_turn", _) => hosting.policy(Policy::RoundRobin),
                ("least_loaded", _) => hosting.policy(Policy::LeastLoaded),
                ("sticky", "sender") => hosting.policy(Policy::Sticky(Key::Sender)),
                ("sticky", _) => hosting.policy(Policy::Sticky(Key::Letter)),
                ("redeliver", max) => {
                    hosting.on_crash(OnCrash::Redeliver { max: number(Some(max)) })
                }
                ("drop", _) => hosting.on_crash(OnCrash::Drop),
                ("return", _) => hosting.on_crash(OnCrash::Return),
                ("close", _) => hosting.on_crash(OnCrash::Close),
                _ => panic!("`{word}` is no parameter"),
            };
        }
        let opened = self.done(hosting.open())?;
        let address = opened.address().to_owned();
        self.mailbox = Some(opened);
        Ok(if address.is_empty() { "attached".to_owned() } else { address })
    }

    fn pass(&mut self, command: &str, mut words: SplitWhitespace<'_>) -> Result<String, Error> {
        let mailbox = self.mailbox.clone().expect("it has a mailbox");
        let mut next = || number(words.next());
        let time = Duration::from_millis(20);
        match command {
            "send" => self.sent(mailbox.send(&next())),
            "try_send" => self.sent(mailbox.try_send(&next())),
            "send_timeout" => self.sent(mailbox.send_timeout(&next(), time)),
            "send_keyed" => {
                let key = next();
                self.sent(mailbox.keyed(key.into()).send(&next()))
            }
            "send_all" => {
                let values: Vec<_> = words.map(|word| number(Some(word))).collect();
                let receipts = self.done(mailbox.send_all(&values))?;
                self.receipts.extend(receipts);
                Ok(format!("sent {}", values.len()))
            }
            "recv" => self.taken(mailbox.recv()),
            "try_recv" => self.taken(mailbox.try_recv()),
            "recv_timeout" => self.taken(mailbox.recv_timeout(time)),
            "recv_now" => self.done(mailbox.recv_now()).map(|value| value.to_string()),
            "work" => self.work(&mailbox),
            "taken_by" => {
                let receipt = words.next().map_or(0, |word| number(Some(word)));
                let taken = self.receipts[receipt as usize].taken_by();
                self.done(taken).map(|process| process.pid.to_string())
            }
            "acked_by" => {
                let acked = self.receipts[0].acked_by();
                self.done(acked).map(|process| process.pid.to_string())
            }
            "sender" => Ok(self.letters[0].sender().pid.to_string()),
            "deliveries" => Ok(self.letters[0].delivery_count().to_string()),
            "redelivered" => Ok(self.letters[0].redelivered().to_string()),
            "count" => self.count(&mailbox, words.next().unwrap_or_default()),
            _ => panic!("`{command}` is no command"),
        }
    }

    /// Takes and acks letters until one says 0: the others, in the order in which they came.
    fn work(&self, mailbox: &Mailbox<u32>) -> Result<String, Error> {
        let mut came = Vec::new();
        loop {
            match self.done(mailbox.recv_now())? {
                0 => return Ok(came.join(" ")),
                value => came.push(value.to_string()),
            }
        }
    }

    fn count(&self, mailbox: &Mailbox<u32>, what: &str) -> Result<String, Error> {
        let counts = self.done(mailbox.counts())?;
        let count = match what {
            "ready" => counts.ready,
            "held" => counts.held,
            "waiting" => counts.waiting,
            "asking" => counts.asking,
            "bytes" => counts.bytes,
            "accepted" => counts.accepted,
            "acked" => counts.acked,
            "dropped" => counts.dropped,
            _ => panic!("`{what}` is not counted"),
        };
        Ok(count.to_string())
    }

    fn sent(&mut self, sent: Action<Receipt>) -> Result<String, Error> {
        let receipt = self.done(sent)?;
        self.receipts.push(receipt);
        Ok("sent".to_owned())
    }

    fn taken(&mut self, taken: Action<Letter<u32>>) -> Result<String, Error> {
        let letter = self.done(taken)?;
        let value = letter.to_string();
        self.letters.push(letter);
        Ok(value)
    }

    fn done<T: Send + 'static>(&self, action: Action<T>) -> Result<T, Error> {
        done(action, self.runtime.as_ref())
    }
}

/// Awaits it, or waits for it on this thread.
pub(crate) fn done<T: Send + 'static>(
    action: Action<T>,
    runtime: Option<&Runtime>,
) -> Result<T, Error> {
    match runtime {
        Some(runtime) => runtime.block_on(action),
        None => action.wait(),
    }
}

/// An error's name, and what it is about.
fn said(error: &Error) -> String {
    match error {
        Error::ReceiverDied { process } => format!("ReceiverDied {}", process.pid),
        Error::GivenUp { process, .. } => format!("GivenUp {}", process.pid),
        Error::Closed { by } => format!("Closed {}", by.pid),
        Error::LimitExceeded { limit, .. } => format!("LimitExceeded {limit}"),
        Error::MailboxBusy { .. }
        | Error::OtherLetters { .. }
        | Error::OtherParameters { .. }
        | Error::NoSuchProcess { .. }
        | Error::Call(_) => error.to_string(),
        Error::ProcessGone { process } => format!("ProcessGone {}", process.pid),
        Error::NameTaken { name } => format!("NameTaken {name}"),
        Error::MailboxGone(_) => "MailboxGone".to_owned(),
        error => format!("{error:?}"),
    }
}

/// A word as a number.
pub(crate) fn number(word: Option<&str>) -> u32 {
    word.and_then(|word| word.parse().ok()).expect("a number")
}
