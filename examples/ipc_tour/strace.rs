//! What the operating system does for farcall's means: `strace` writes down all calls, if it is there, for two different numbers of round
//! trips. What both have in common is the beginning and the end.

use super::{
    Result,
    calls::Echoes,
    letters::Post,
    means::Means,
    measure::{Cost, FILL},
};
use std::{
    env, fs,
    process::{Command, Stdio},
};

/// Round trips of the shorter and of the longer run.
const SHORT: usize = 100;
const LONG: usize = 600;

/// What a message costs. None, if `strace` is not there or not allowed.
pub fn cost(means: Means) -> Option<Cost> {
    let (short, long) = (traced(means, SHORT)?, traced(means, LONG)?);
    let more = [0, 1].map(|what| long[what].saturating_sub(short[what]));
    Some(Cost::of(LONG - SHORT, more))
}

/// All calls of both processes, and the bytes of messages that were given to them.
fn traced(means: Means, rounds: usize) -> Option<[u64; 2]> {
    let folder = tempfile::tempdir().ok()?;
    let calls = folder.path().join("calls");
    let status = Command::new("strace")
        .args(["-f", "-xx", "-s", "4096", "-o"])
        .arg(&calls)
        .arg(env::current_exe().ok()?)
        .args(["rounds", means.name(), &rounds.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !status.ok()?.success() {
        return None;
    }
    let (mut count, mut given) = (0, 0);
    for line in fs::read_to_string(calls).ok()?.lines() {
        // Not what says how one ended that another thread's interrupted.
        let call = line.split_once(' ').map(|(_, call)| call.trim_start());
        let Some(call) = call.filter(|call| call.starts_with(char::is_alphabetic)) else {
            continue;
        };
        count += 1;
        if ["write", "pwrite", "send"].iter().any(|name| call.starts_with(name)) {
            given += call.matches(&format!("\\x{FILL:02x}")).count() as u64;
        }
    }
    Some([count, given])
}

/// What is counted.
pub fn rounds(means: Means, count: &str) -> Result<()> {
    let count = count.parse()?;
    match means {
        Means::Mailboxes => {
            let post = Post::open(means)?;
            post.round_trips(count)?;
            post.end()
        }
        _ => {
            let echoes = Echoes::start(means)?;
            echoes.round_trips(count)?;
            echoes.end()
        }
    }
}
