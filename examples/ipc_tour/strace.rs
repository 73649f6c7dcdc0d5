//! How many calls of the operating system farcall's means make: `strace` counts them, if it is there, for two different numbers of round
//! trips. What both have in common is the beginning and the end.

use super::{Result, calls::Echoes, letters::Post, means::Means};
use std::{
    env, fs,
    process::{Command, Stdio},
};

/// Round trips of the shorter and of the longer run.
const SHORT: usize = 100;
const LONG: usize = 600;

/// Calls for each message, at both ends. None, if `strace` is not there or not allowed.
pub fn calls_for_a_message(means: Means) -> Option<f64> {
    let (short, long) = (traced(means, SHORT)?, traced(means, LONG)?);
    Some(long.saturating_sub(short) as f64 / (2 * (LONG - SHORT)) as f64)
}

/// All calls of both processes.
fn traced(means: Means, rounds: usize) -> Option<u64> {
    let folder = tempfile::tempdir().ok()?;
    let summary = folder.path().join("summary");
    let status = Command::new("strace")
        .args(["-c", "-f", "-o"])
        .arg(&summary)
        .arg(env::current_exe().ok()?)
        .args(["rounds", means.name(), &rounds.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !status.ok()?.success() {
        return None;
    }
    let summary = fs::read_to_string(summary).ok()?;
    let total = summary.lines().find(|line| line.ends_with(" total"))?;
    total.split_whitespace().nth(3)?.parse().ok()
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
