//! The process that hosts the mailbox of a round, until nobody wants it any more.

use super::{deal::Deal, item::Item, role::orders};
use crate::programs::arguments::{Host, settle};
use anyhow::Result;
use farcall::mailbox::Mailbox;

/// Hosts a mailbox until its orders end.
pub(crate) fn run(role: &Host) -> Result<()> {
    settle()?;
    let Deal { capacity, policy, on_crash, .. } = Deal::of(role.round);
    let hosting = Mailbox::<Item>::host(&role.address).capacity(capacity);
    let mailbox = hosting.policy(policy).on_crash(on_crash).open().wait()?;
    println!("ready {}", mailbox.address());
    orders().for_each(drop);
    Ok(())
}
