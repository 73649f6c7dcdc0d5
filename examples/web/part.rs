//! This program again, as a process with one part in it. It ends when the one that has started it is no more, however that ends.

use crate::Result;
use std::{
    env,
    io::{self, BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
};

/// A process with a part, killed when this is dropped.
pub struct Part(Child);

impl Part {
    pub fn start(part: &str, service: &str) -> io::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.args([part, service]).stdin(Stdio::piped());
        if part == "front" {
            command.stdout(Stdio::piped());
        }
        command.spawn().map(Self)
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// The first line that it writes.
    pub fn line(mut self) -> io::Result<(Self, String)> {
        let mut line = String::new();
        if let Some(output) = self.0.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        Ok((self, line.trim_end().to_owned()))
    }

    /// Waits until it has ended by itself.
    pub fn wait(mut self) -> io::Result<ExitStatus> {
        // Its standard input stays open, or it would end.
        let input = self.0.stdin.take();
        let ended = self.0.wait();
        drop(input);
        ended
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(&mut self) -> io::Result<()> {
        self.0.kill()?;
        self.0.wait().map(drop)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// In a part: does something for as long as the process lives that has started this one.
pub async fn while_parent_lives(work: impl Future<Output = Result<()>>) -> Result<()> {
    let parent = tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
    tokio::select! {
        done = work => done,
        _ = parent => Ok(()),
    }
}
