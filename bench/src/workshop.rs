//! The private directory of one run: sockets and what the children say on their standard error.
//! It goes away at the end, also when the run is interrupted or killed: a process of its own waits
//! for that end.

use std::cell::Cell;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::row::{Address, Transport};
use crate::rows;

/// The directory of one run.
pub struct Workshop {
    directory: PathBuf,
    names: Cell<u32>,
    /// Cleans up when its standard input ends, which is when this process does at the latest.
    caretaker: Child,
}

impl Workshop {
    /// Opens a fresh one.
    pub fn open() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        let caretaker = Command::new(std::env::current_exe()?)
            .arg("clean")
            .arg(directory.path())
            .stdin(Stdio::piped())
            // What interrupts this process must not interrupt that one.
            .process_group(0)
            .spawn()?;
        Ok(Self { directory: directory.keep(), names: Cell::new(0), caretaker })
    }

    /// A path that nothing has yet.
    pub fn path(&self, ending: &str) -> PathBuf {
        self.names.set(self.names.get() + 1);
        self.directory.join(format!("{}.{ending}", self.names.get()))
    }

    /// A name that nothing on this machine has yet.
    fn name(&self) -> String {
        let path = self.path("queue");
        let name = path.strip_prefix(self.directory.parent().unwrap_or(Path::new("/")));
        name.unwrap_or(&path).to_string_lossy().replace('/', "-")
    }

    /// Where a new server is to listen.
    pub fn address(&self, transport: Transport) -> Address {
        match transport {
            Transport::Inproc => Address::Inproc("bench".to_owned()),
            Transport::Shm => Address::Shm(self.path("shm")),
            Transport::Queue => Address::Queue(self.name()),
            Transport::Unix => Address::Unix(self.path("sock")),
            Transport::Tcp => Address::Tcp(([127, 0, 0, 1], 0).into()),
        }
    }

    /// Removes the named shared memory of children that are gone.
    pub fn sweep(&self) -> Result<()> {
        rows::sweep();
        remove_memory(&self.directory).map(drop)
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // `wait` closes its standard input first. If it was killed, nothing can be done.
        let _ = self.caretaker.wait();
    }
}

/// The caretaker: waits for the end of the run in `directory`, then removes all that is left of it.
pub fn clean(directory: &Path) -> Result<bool> {
    let name = directory.file_name().context("not a directory of this program")?;
    ensure!(name.to_string_lossy().starts_with(PREFIX), "not a directory of this program");
    // Nobody writes. An error means the end as well.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    // The children die with their parent, but not at once, and may still make something.
    for _ in 0..ATTEMPTS {
        let was_there = remove_memory(directory)? > 0 || directory.exists();
        if !was_there {
            rows::sweep();
            return Ok(true);
        }
        // What cannot be removed now is looked at again.
        let _ = std::fs::remove_dir_all(directory);
        std::thread::sleep(LAST_MOMENT);
    }
    bail!("{} cannot be removed", directory.display())
}

/// Removes the named shared memory whose name begins with that of the run; how much was there.
fn remove_memory(directory: &Path) -> Result<usize> {
    let name = directory.file_name().context("a run without a name")?.to_string_lossy();
    let Ok(entries) = std::fs::read_dir(MEMORY) else { return Ok(0) };
    let mut found = 0;
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&*name) {
            // Somebody else may have removed it.
            let _ = std::fs::remove_file(entry.path());
            found += 1;
        }
    }
    Ok(found)
}

const PREFIX: &str = "farcall-bench-";
/// Where named shared memory is.
const MEMORY: &str = "/dev/shm";
const LAST_MOMENT: Duration = Duration::from_millis(100);
/// How often the caretaker looks before it gives up.
const ATTEMPTS: usize = 50;
