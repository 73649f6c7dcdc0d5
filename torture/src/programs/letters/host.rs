//! The process that hosts the mailbox of a round, until nobody wants it any more.

use super::{deal::Deal, item::Item, role::orders};
use crate::programs::roles::{Host, settle};
use anyhow::Result;
use farcall::mailbox::Mailbox;
use tokio::runtime::Builder;

/// Hosts a mailbox until its orders end.
pub(crate) fn run(role: &Host) -> Result<()> {
    settle()?;
    let Deal { capacity, policy, on_crash, .. } = Deal::of(role.round);
    // Its end takes the sockets along.
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let hosting = Mailbox::<Item>::host(&role.address).capacity(capacity);
    let mailbox = runtime.block_on(hosting.policy(policy).on_crash(on_crash).open())?;
    println!("ready {}", mailbox.address());
    orders().for_each(drop);
    Ok(())
}
