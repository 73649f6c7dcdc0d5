//! The server's process.

use anyhow::Result;

use crate::arguments::Role;
use crate::rows;
use crate::usage;
use crate::words::{self, Answer};

/// Serves until it is killed or the conductor hangs up.
pub fn run(role: &Role) -> Result<()> {
    role.settle()?;
    usage::allow_many_descriptors()?;
    std::thread::spawn(|| {
        let outcome = words::obey_all(words::obey_any);
        if let Err(error) = &outcome {
            eprintln!("{error:#}");
        }
        std::process::exit(i32::from(outcome.is_err()));
    });
    rows::find(&role.row)?.serve(&role.address, &|address| {
        let ready = Answer::Ready { address: address.to_string() };
        if let Err(error) = words::say(&ready) {
            eprintln!("{error:#}");
        }
    })
}
