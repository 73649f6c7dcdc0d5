//! Where a host of a test keeps its letters: a file, which is replaced with each change, so that it is always a whole one.

use crate::mortal::{Step, step};
use bytes::Bytes;
use farcall::mailbox::{Kind, ProcessId};
use farcall_mailbox::{
    Contents, Store, Which,
    engine::{Change, Letter, LetterId},
};
use std::{fmt::Write, fs, io, path::PathBuf, str::SplitWhitespace};

/// A file of letters without enclosures, of processes without names.
pub(crate) struct Paper {
    path: PathBuf,
    contents: Contents,
}

impl Paper {
    /// What is there, if anything is.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        let mut contents = Contents::default();
        if path.exists() {
            fs::read_to_string(&path)?.lines().for_each(|line| read(line, &mut contents));
        }
        Ok(Self { path, contents })
    }

    pub(crate) fn contents(&self) -> Contents {
        self.contents.clone()
    }
}

impl Store for Paper {
    fn commit(&mut self, changes: &[(Which, Change)], kind: Option<&Kind>) -> Result<(), String> {
        step(Step::Storing);
        for (which, change) in changes {
            match which {
                Which::Letters => self.contents.letters.apply(change),
                Which::Dead => self.contents.dead.apply(change),
            }
        }
        self.contents.kind = kind.cloned().or(self.contents.kind.take());
        let next = self.path.with_extension("next");
        fs::write(&next, written(&self.contents)).map_err(|error| error.to_string())?;
        step(Step::Storing);
        fs::rename(next, &self.path).map_err(|error| error.to_string())?;
        step(Step::Storing);
        Ok(())
    }
}

fn written(contents: &Contents) -> String {
    let mut text = String::new();
    if let Some(kind) = &contents.kind {
        text += &format!("kind {kind}\n");
    }
    for (which, kept) in [("letter", &contents.letters), ("dead", &contents.dead)] {
        text += &format!("next-{which} {}\n", kept.next);
        for (letter, taken) in &kept.letters {
            let Letter { id, sender, key, writing, .. } = letter;
            text += &format!("{which} {} {key} {}", id.0, letter.deliveries());
            for process in [Some(&**sender), taken.as_ref()].into_iter().flatten() {
                text += &format!(" {} {}", process.pid, process.instance);
            }
            text += " :";
            for byte in &writing.bytes {
                let _ = write!(text, " {byte}");
            }
            text += "\n";
        }
    }
    text
}

fn read(line: &str, contents: &mut Contents) {
    let Contents { kind, letters, dead } = contents;
    let mut words = line.split_whitespace();
    match words.next() {
        Some("kind") => *kind = line.split_once(' ').map(|(_, kind)| Kind::named(kind)),
        Some("next-letter") => letters.next = number(words.next()),
        Some("next-dead") => dead.next = number(words.next()),
        Some("letter") => letters.letters.push(letter(words)),
        _ => dead.letters.push(letter(words)),
    }
}

fn letter(mut words: SplitWhitespace<'_>) -> (Letter, Option<ProcessId>) {
    let [id, key, deliveries] = [(); 3].map(|()| number(words.next()));
    let mut processes = Vec::new();
    while let Some(pid) = words.next().filter(|word| *word != ":") {
        let (pid, instance) = (number(Some(pid)) as u32, number(words.next()));
        processes.push(ProcessId { name: String::new(), pid, instance });
    }
    let bytes: Bytes = words.map(|byte| number(Some(byte)) as u8).collect();
    let mut processes = processes.into_iter();
    let sender = processes.next().expect("somebody has sent it");
    let letter = Letter::delivered(LetterId(id), sender, key, bytes.into(), deliveries as u32);
    (letter, processes.next())
}

fn number(word: Option<&str>) -> u64 {
    word.and_then(|word| word.parse().ok()).expect("a number")
}
