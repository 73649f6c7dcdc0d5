//! A chat: its room and its members are processes, one of which is killed.

use crate::{Ended, Example, PATIENCE};
use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{ChildStdin, Stdio},
    sync::mpsc,
};

/// A process that is in the chat, or is the room.
struct Talker {
    process: Ended,
    says: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
}

impl Talker {
    fn start(arguments: &[&str], variable: &str, address: &str) -> Self {
        let mut example = Example::new("chat", arguments).env(variable, address);
        example.command.stdin(Stdio::piped()).stderr(Stdio::inherit());
        let mut process = Ended(example.command.spawn().unwrap());
        let says = process.0.stdin.take();
        let lines = lines(process.0.stdout.take().unwrap());
        Self { process, says, lines }
    }

    fn member(name: &str, address: &str) -> Self {
        Self::start(&["member", name], "FARCALL__SERVICES__CHAT__CONNECT", address)
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("it prints a line")
    }

    #[track_caller]
    fn hears(&self, want: &[&str]) {
        want.iter().for_each(|want| assert_eq!(self.line(), *want));
    }

    fn says(&mut self, text: &str) {
        writeln!(self.says.as_mut().unwrap(), "{text}").unwrap();
    }
}

fn lines(output: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        let read = BufReader::new(output).lines().map_while(Result::ok);
        read.map(|line| sender.send(line)).find(Result::is_err)
    });
    lines
}

fn members_talk(listen: &str) {
    let room = Talker::start(&["room"], "FARCALL__SERVICES__CHAT__LISTEN", listen);
    let address = room.line();
    let mut ada = Talker::member("ada", &address);
    ada.hears(&["ada is here"]);
    ada.says("is anybody there?");
    ada.hears(&["ada: is anybody there?"]);
    let mut bob = Talker::member("bob", &address);
    bob.hears(&["ada is here", "ada: is anybody there?", "bob is here"]);
    bob.says("I am");
    bob.hears(&["bob: I am"]);
    ada.hears(&["bob is here", "bob: I am"]);
    bob.process.0.kill().unwrap();
    ada.hears(&["bob is gone"]);
    drop(ada.says.take());
    assert!(ada.process.0.wait().unwrap().success());
}

#[test]
#[cfg(target_os = "linux")]
fn members_talk_over_shm() {
    let folder = tempfile::tempdir().unwrap();
    members_talk(&format!("shm://{}/chat", folder.path().display()));
}

#[test]
fn members_talk_over_tcp() {
    members_talk("tcp://127.0.0.1:0");
}
