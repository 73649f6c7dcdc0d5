//! The worker processes: this program again, once for each.

use std::{
    env, io,
    process::{Child, Command, Stdio},
};

/// Workers that do not outlive this.
pub struct Crew(Vec<Child>);

impl Crew {
    /// Starts so many, which will join at the address.
    pub fn start(workers: usize, address: &str) -> io::Result<Self> {
        let mut crew = Self(Vec::with_capacity(workers));
        for _ in 0..workers {
            let mut worker = Command::new(env::current_exe()?);
            worker.arg("worker").env("FARCALL__SERVICES__BUILD__CONNECT", address);
            crew.0.push(worker.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?);
        }
        Ok(crew)
    }

    /// Kills a process of the crew, as `kill -9` does. False if it is none.
    pub fn kill(&mut self, process: u32) -> bool {
        let worker = self.0.iter_mut().find(|worker| worker.id() == process);
        worker.is_some_and(|worker| worker.kill().is_ok())
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for worker in &mut self.0 {
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}
