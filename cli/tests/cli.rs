//! The command `farcall`, run as a shell runs it.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "cli/stage.rs"]
mod stage;

#[path = "cli/codes.rs"]
mod codes;
#[path = "cli/damage.rs"]
mod damage;
#[path = "cli/durable.rs"]
mod durable;
#[path = "cli/enclosing.rs"]
mod enclosing;
#[path = "cli/ending.rs"]
mod ending;
#[path = "cli/full.rs"]
mod full;
#[path = "cli/kills.rs"]
mod kills;
#[path = "cli/letters.rs"]
mod letters;
#[path = "cli/lists.rs"]
mod lists;
#[path = "cli/programs.rs"]
mod programs;
