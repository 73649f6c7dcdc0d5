//! A process that does with a mailbox what it is told.

use crate::{
    enclosing::Enclosing,
    flow::Flow,
    mortal,
    named::Named,
    play::Play,
    stage::{ANSWER, MODE},
};
use farcall::mailbox::{Action, Capacity, Error, Key, Letter, Mailbox, OnCrash, Policy, Receipt};
use std::{
    env,
    fmt::Display,
    io::{self, Write},
    str::SplitWhitespace,
    thread,
    time::Duration,
};
use tokio::runtime::{Builder, Runtime};

/// The process that does as it is told. Nothing, if it is none.
#[test]
fn does_as_it_is_told() {
    let Ok(mode) = env::var(MODE) else { return };
    mortal::begin();
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let mut actor = Actor {
        runtime: (mode == "async").then(|| runtime.expect("a runtime")),
        named: Named::default(),
        flow: Flow::default(),
        enclosing: Enclosing::default(),
        play: Play::default(),
        mailbox: None,
        letters: Vec::new(),
        receipts: Vec::new(),
    };
    for line in io::stdin().lines() {
        let line = line.expect("the test writes text");
        answer(actor.obey(&line).unwrap_or_else(|error| said(&error)));
    }
}

/// Says something to the test.
pub(crate) fn answer(answer: impl Display) {
    let mut out = io::stdout().lock();
    writeln!(out, "{ANSWER}{answer}").expect("the test listens");
    out.flush().expect("the test listens");
}

struct Actor {
    runtime: Option<Runtime>,
    named: Named,
    flow: Flow,
    enclosing: Enclosing,
    play: Play,
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
            "acked" => {
                let letter = self.letters.remove(0);
                return self.done(letter.acked()).map(|value| value.to_string());
            }
            "drop" => drop(self.letters.remove(0)),
            "panic" => {
                let letter = self.letters.remove(0);
                let panics = move || panic!("while it works on {}", *letter);
                assert!(thread::spawn(panics).join().is_err());
            }
            "detach" => self.mailbox = None,
            _ if Play::knows(command) => {
                return self.play.obey(command, words, self.runtime.as_ref());
            }
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
