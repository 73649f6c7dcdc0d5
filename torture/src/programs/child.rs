//! A child process: this program again, in another role. Killed when it is dropped.

use super::client::DEADLINE;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

/// How much later than its deadline a call may end, on a machine that is busy.
const SLACK: Duration = Duration::from_secs(10);
/// Between the end of a process's pipes and its own.
const LAST_MOMENT: Duration = Duration::from_millis(50);
/// Between two looks at a process.
const LOOK: Duration = Duration::from_millis(2);

/// A child process and the lines to and from it.
pub(crate) struct Child {
    name: String,
    process: std::process::Child,
    orders: Option<ChildStdin>,
    answers: Receiver<String>,
    errors: PathBuf,
}

impl Child {
    /// Starts this program with these arguments.
    pub(crate) fn start(name: String, arguments: &[String], errors: PathBuf) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&errors)?)
            .spawn()?;
        let orders = process.stdin.take();
        let output = process.stdout.take().context("no standard output")?;
        let (sender, answers) = channel();
        thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.take_while(|line| sender.send(line.clone()).is_ok()).for_each(drop);
        });
        Ok(Self { name, process, orders, answers, errors })
    }

    /// Gives an order.
    pub(crate) fn tell(&mut self, order: &str) -> Result<()> {
        let orders = self.orders.as_mut().context("it was dismissed")?;
        writeln!(orders, "{order}").or_else(|error| bail!("{error}: {}", self.last_words()))
    }

    /// Waits until it says something that begins with `word`, for as long as the calls of before may take. The rest of the line.
    pub(crate) fn hear(&mut self, word: &str) -> Result<String> {
        self.hear_within(word, DEADLINE + SLACK)
    }

    /// The same, for so long.
    pub(crate) fn hear_within(&mut self, word: &str, within: Duration) -> Result<String> {
        let until = Instant::now() + within;
        loop {
            match self.answers.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(rest) = line.strip_prefix(word) {
                        return Ok(rest.trim().to_owned());
                    }
                    if line.starts_with("ill") {
                        bail!("{}: {line}", self.name);
                    }
                }
                Err(RecvTimeoutError::Timeout) => bail!("{} is not `{word}`: it hangs", self.name),
                Err(RecvTimeoutError::Disconnected) => bail!("{}", self.last_words()),
            }
        }
    }

    /// The process's number.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.process), signal)?)
    }

    /// Kills it.
    ///
    /// # Errors
    /// If it has ended by itself.
    pub(crate) fn kill(&mut self) -> Result<()> {
        if let Some(status) = self.process.try_wait()? {
            bail!("{}, {status}: {}", self.name, self.said());
        }
        self.process.kill()?;
        self.process.wait()?;
        self.check_said()
    }

    /// Waits until it has ended by itself, and well.
    pub(crate) fn end(mut self) -> Result<()> {
        let until = Instant::now() + DEADLINE + SLACK;
        while Instant::now() < until {
            match self.process.try_wait()? {
                Some(status) if status.success() => return self.check_said(),
                Some(status) => bail!("{}, {status}: {}", self.name, self.said()),
                None => thread::sleep(LOOK),
            }
        }
        bail!("{} does not end", self.name)
    }

    /// Lets it end: nobody gives it orders any more.
    pub(crate) fn dismiss(mut self) -> Result<()> {
        self.orders = None;
        self.end()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.process.try_wait()?.is_some())
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.errors).unwrap_or_default().trim().to_owned()
    }

    /// # Errors
    /// If it has panicked somewhere.
    fn check_said(&self) -> Result<()> {
        let said = self.said();
        if said.contains("panicked at") { bail!("{} panicked: {said}", self.name) } else { Ok(()) }
    }

    fn last_words(&mut self) -> String {
        thread::sleep(LAST_MOMENT);
        let ending = match self.process.try_wait() {
            Ok(Some(status)) => status.to_string(),
            _ => "its output ended".to_owned(),
        };
        format!("{}, {ending}: {}", self.name, self.said())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Neither fails for a process that has ended and was not waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
