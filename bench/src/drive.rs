//! The client's process.

use std::time::Duration;

use anyhow::Result;

use crate::arguments::Role;
use crate::driver::Driver;
use crate::rows;
use crate::usage;
use crate::words::{self, Answer, Order};

/// Connects, then carries out orders until the conductor hangs up.
pub fn run(role: &Role) -> Result<()> {
    role.settle()?;
    usage::allow_many_descriptors()?;
    let mut driver = rows::find(&role.row)?.connect(&role.address)?;
    words::say(&Answer::Ready { address: role.address.to_string() })?;
    words::obey_all(|order| obey(driver.as_mut(), order))
}

fn obey(driver: &mut dyn Driver, order: Order) -> Result<Answer> {
    match order {
        Order::Run { work, nanoseconds } => {
            Ok(Answer::Measured(driver.run(work, Duration::from_nanos(nanoseconds))?))
        }
        Order::Widen { count } => driver.widen(count).map(|()| Answer::Done),
        Order::Rest { nanoseconds } => {
            driver.rest(Duration::from_nanos(nanoseconds)).map(|()| Answer::Done)
        }
        Order::Cpu | Order::Switches | Order::Resident => words::obey_any(order),
    }
}
