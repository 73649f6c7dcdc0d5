//! The other process: this program again. It ends with this one.

use rustix::process::{Signal, set_parent_process_death_signal};
use std::{
    env, io,
    io::{BufRead, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio, exit},
    thread,
    time::Duration,
};

/// What takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(100);

/// The other process, with pipes to it and from it.
pub struct Far(Child);

impl Far {
    pub fn start(arguments: &[&str]) -> io::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(Self(command.spawn()?))
    }

    /// The pipes, once.
    pub fn pipes(&mut self) -> io::Result<(ChildStdin, ChildStdout)> {
        let pipes = self.0.stdin.take().zip(self.0.stdout.take());
        pipes.ok_or_else(|| io::Error::other("its pipes are in use"))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits until it says where it is.
    pub fn place(&mut self) -> io::Result<String> {
        let output = self.0.stdout.take();
        let output = output.ok_or_else(|| io::Error::other("its pipes are in use"))?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// Waits until it has ended, which it does when it is done or has no more input.
    pub fn end(mut self) -> io::Result<()> {
        drop(self.0.stdin.take());
        let status = self.0.wait()?;
        if status.success() { Ok(()) } else { Err(io::Error::other("the other process failed")) }
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        // Neither fails for a process that has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ends this process with the one that has started it, and if it hangs.
pub fn bind_to_parent() -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    end_if_it_hangs();
    Ok(())
}

/// Who waits in shared memory or at a queue is not told that the other has died.
pub fn end_if_it_hangs() {
    thread::spawn(|| {
        thread::sleep(PATIENCE);
        eprintln!("ipc_tour: the other process does not answer");
        exit(1);
    });
}
