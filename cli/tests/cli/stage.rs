//! A place of its own for a test: a private directory without a configuration, and the commands that are run in it.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Output, Stdio},
};
use tempfile::TempDir;

/// A place of its own.
pub(crate) struct Stage {
    directory: TempDir,
}

/// How a command ended, and what it wrote.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// An address in it, for mailboxes of this test's own process and of others.
    pub(crate) fn address(&self, name: &str) -> String {
        if cfg!(unix) {
            format!("unix://{}#{name}", self.path(&format!("{name}.sock")).display())
        } else {
            format!("tcp://127.0.0.1:0#{name}")
        }
    }

    /// What its commands find configured.
    pub(crate) fn configure(&self, text: &str) {
        fs::write(self.path("farcall.toml"), text).unwrap();
    }

    /// `farcall ..`, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farcall"));
        command.args(arguments).current_dir(self.directory.path());
        command.env("XDG_RUNTIME_DIR", self.directory.path()).env_remove("FARCALL_CONFIG");
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().to_ascii_uppercase().starts_with("FARCALL__") {
                command.env_remove(variable);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `farcall ..` to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Runs `farcall ..` to its end, with this standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    }

    /// What `farcall ..` writes when all is well.
    #[track_caller]
    pub(crate) fn out(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!((ran.code, &*ran.err), (0, ""), "{arguments:?}");
        ran.out
    }

    /// `farcall mailbox serve ..`, with one mailbox, once that can be used.
    #[track_caller]
    pub(crate) fn serve(&self, arguments: &[&str]) -> Running {
        let arguments = [&["mailbox", "serve"], arguments].concat();
        let mut running = Running::start(self.command(&arguments));
        let line = running.line();
        if line.is_empty() {
            panic!("it serves nothing: {:?}", running.end());
        }
        running.address = line.split(' ').nth(1).unwrap_or_default().trim_end().to_owned();
        running
    }
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A command that runs. It is killed when this is dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    out: BufReader<ChildStdout>,
    /// Where it serves its mailbox.
    pub(crate) address: String,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out, address: String::new() }
    }

    /// The next line that it writes, with its end; nothing, if it has ended.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    /// Sends it a signal, by its name.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for its end: what it has written since.
    pub(crate) fn end(&mut self) -> Ran {
        let (mut out, mut err) = (String::new(), String::new());
        self.out.read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Ran { code, out, err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
