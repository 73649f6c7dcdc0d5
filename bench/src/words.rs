//! What the conductor and its two children say to each other: one JSON value per line.

use std::io::{BufRead, Write};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::stopwatch::Measured;
use crate::usage;
use crate::work::Work;

/// From the conductor to a child's standard input.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Order {
    /// Client: do this for so long.
    Run { work: Work, nanoseconds: u64 },
    /// Client: open so many more connections.
    Widen { count: usize },
    /// Client: keep still for so long.
    Rest { nanoseconds: u64 },
    /// Both: how much CPU have you used?
    Cpu,
    /// Both: how often have your threads gone to sleep?
    Switches,
    /// Both: how much of you is in memory?
    Resident,
}

/// From a child's standard output.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// Server: listening there. Client: connected there.
    Ready { address: String },
    /// After `Run`.
    Measured(Measured),
    /// After `Widen` and `Rest`.
    Done,
    /// After `Cpu` (nanoseconds), `Switches` and `Resident` (bytes).
    Used(u64),
    /// The order could not be carried out.
    Failed(String),
}

/// Says `answer`.
pub fn say(answer: &Answer) -> Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, answer)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// Carries out orders with `obey` until the conductor hangs up.
pub fn obey_all(mut obey: impl FnMut(Order) -> Result<Answer>) -> Result<()> {
    for line in std::io::stdin().lock().lines() {
        let answer = obey(serde_json::from_str(&line?)?);
        say(&answer.unwrap_or_else(|error| Answer::Failed(format!("{error:#}"))))?;
    }
    Ok(())
}

/// Answers the orders that every child understands.
pub fn obey_any(order: Order) -> Result<Answer> {
    match order {
        Order::Cpu => Ok(Answer::Used(usage::cpu_nanoseconds()?)),
        Order::Switches => Ok(Answer::Used(usage::voluntary_switches()?)),
        Order::Resident => Ok(Answer::Used(usage::resident_bytes()?)),
        other => anyhow::bail!("not an order for this process: {other:?}"),
    }
}
