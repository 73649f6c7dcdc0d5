//! The second process: this program again, as a server that ends with the first, however that ends.

use std::{
    env,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    process::{self, Command, Stdio},
};

/// Where it is to listen. A name of its own lets several run at once.
fn addresses() -> Vec<String> {
    let name = format!("archive-{}", process::id());
    let shm = cfg!(target_os = "linux").then(|| format!("shm://{name}"));
    let unix = cfg!(unix).then(|| format!("unix://{name}"));
    shm.into_iter().chain(unix).chain(["tcp://127.0.0.1:0".to_owned()]).collect()
}

/// A server that serves until this is stopped or dropped.
pub struct Child {
    process: process::Child,
    addresses: Vec<String>,
}

impl Child {
    /// Starts it and waits until it listens.
    pub fn start(root: &Path) -> io::Result<Self> {
        let listen = addresses();
        let mut process = Command::new(env::current_exe()?)
            .arg("child")
            .arg(root)
            .env("FARCALL__SERVICES__ARCHIVE__LISTEN", listen.join(","))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take();
        let mut child = Self { process, addresses: Vec::new() };
        let lines = output.into_iter().flat_map(|output| BufReader::new(output).lines());
        child.addresses = lines.take(listen.len()).collect::<io::Result<_>>()?;
        match child.addresses.len() == listen.len() {
            true => Ok(child),
            false => Err(io::Error::other("the server ended before it listened")),
        }
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Has it end in good order.
    pub fn stop(mut self) -> io::Result<()> {
        drop(self.process.stdin.take());
        let status = self.process.wait()?;
        match status.success() {
            true => Ok(()),
            false => Err(io::Error::other(format!("the server ended with {status}"))),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// In the server: blocks until the process that started it has closed the pipe between them, or is no more.
pub fn parent_gone() {
    let _ = io::stdin().read_to_end(&mut Vec::new());
}
