//! A child process: this program again, in another role. Killed when dropped.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::row::Address;
use crate::words::{Answer, Order};

/// A child process and the line to it.
pub struct Child {
    name: String,
    process: std::process::Child,
    orders: ChildStdin,
    answers: Receiver<String>,
    errors: PathBuf,
}

impl Child {
    /// Starts `role` for `row`; waits until it is ready and says where.
    pub fn start(
        role: &str,
        row: &str,
        address: &Address,
        cpu: Option<usize>,
        errors: PathBuf,
    ) -> Result<(Self, Address)> {
        let mut process = Command::new(std::env::current_exe()?)
            .args([role, row, &address.to_string()])
            .args(cpu.map(|cpu| cpu.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&errors)?)
            .spawn()?;
        let orders = process.stdin.take().context("no standard input")?;
        let output = process.stdout.take().context("no standard output")?;
        let (tx, answers) = channel();
        std::thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| tx.send(line))
        });
        let mut child = Self { name: format!("{role} {row}"), process, orders, answers, errors };
        match child.hear(PATIENCE)? {
            Answer::Ready { address } => Ok((child, address.parse()?)),
            other => bail!("{}: expected to be ready: {other:?}", child.name),
        }
    }

    /// Gives an order; the answer is to be heard later.
    pub fn tell(&mut self, order: Order) -> Result<()> {
        let line = serde_json::to_string(&order)? + "\n";
        self.orders
            .write_all(line.as_bytes())
            .or_else(|error| bail!("{error}: {}", self.last_words()))
    }

    /// Waits for the answer to an order that takes about `time`.
    pub fn hear(&mut self, time: Duration) -> Result<Answer> {
        match self.answers.recv_timeout(time + PATIENCE) {
            Ok(line) => match serde_json::from_str(&line)? {
                Answer::Failed(text) => bail!("{}: {text}", self.name),
                answer => Ok(answer),
            },
            Err(RecvTimeoutError::Timeout) => bail!("{}: no answer", self.name),
            Err(RecvTimeoutError::Disconnected) => bail!("{}", self.last_words()),
        }
    }

    /// Gives an order that is answered with a number at once.
    pub fn used(&mut self, order: Order) -> Result<u64> {
        self.tell(order)?;
        match self.hear(Duration::ZERO)? {
            Answer::Used(used) => Ok(used),
            other => bail!("{}: expected a number: {other:?}", self.name),
        }
    }

    /// How a process has ended, and what it said on its standard error.
    pub fn last_words(&mut self) -> String {
        std::thread::sleep(LAST_MOMENT);
        let ending = match self.process.try_wait() {
            Ok(Some(status)) => status.to_string(),
            _ => "its output ended".to_owned(),
        };
        let said = std::fs::read_to_string(&self.errors).unwrap_or_default();
        format!("{}: {ending}; it said: {}", self.name, said.trim())
    }

    /// Whether it is still there a moment later.
    pub fn is_running(&mut self) -> bool {
        std::thread::sleep(LAST_MOMENT);
        matches!(self.process.try_wait(), Ok(None))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Neither fails for a process that has ended and was not waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How much longer than expected an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between the end of a process's sockets and pipes and its own.
const LAST_MOMENT: Duration = Duration::from_millis(50);
