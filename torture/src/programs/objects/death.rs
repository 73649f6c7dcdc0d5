//! What a process finds out when another has died: its table is dead for good, and the way to it leads to its successor.

use super::{
    super::client::DEADLINE,
    peer::PATIENCE,
    table::{Door, Other, Table},
};
use anyhow::{Context, Result, bail, ensure};
use farcall::{Call, Error, ErrorKind, Executed, Limits, Remote};
use std::time::Duration;
use tokio::time::timeout;

/// How long a call on a dead root waits for a successor, where it is not to find one.
const BRIEF: Duration = Duration::from_millis(5);

/// A call on a root, made while its process was dead, and the table of the dead.
pub(super) struct Mourning {
    held: Call<Remote<dyn Table>>,
    dead: Remote<dyn Table>,
}

/// What must be so while the other is dead.
///
/// # Errors
/// What is not so.
pub(super) async fn mourn(other: Other) -> Result<Mourning> {
    let Other { door, table } = other;
    let closed = timeout(PATIENCE, Remote::closed(&table)).await;
    let why = closed.context("the death of a process is not noticed")?;
    ensure!(why.kind() == ErrorKind::Disconnected, "a table is closed otherwise: {why:?}");
    is_dead(&table).await?;
    let Err(error) = door.timeout(BRIEF).table().await else { bail!("a dead root was called") };
    surely_not(&error, ErrorKind::TimedOut)?;
    Ok(Mourning { held: door.table(), dead: table })
}

/// Meets another process for the first time.
pub(super) async fn meet(address: &str) -> Result<Other> {
    let mut limits = Limits::default();
    limits.deadline = DEADLINE;
    let door = farcall::connect::<dyn Door>(address).limits(limits).await?;
    let table = door.table().await?;
    Ok(Other { door, table })
}

/// Meets the successor of one that was mourned: by the same handle, and by the call that has waited for it.
///
/// # Errors
/// What is not so, and why the successor is not found.
pub(super) async fn meet_again(door: Remote<dyn Door>, mourning: Mourning) -> Result<Other> {
    let Mourning { held, dead } = mourning;
    let table = held.await.context("a call on a dead root has not found its successor")?;
    ensure!(!table.same_object(&dead), "the successor's table is that of the dead");
    ensure!(door.table().await?.same_object(&table), "one wire gave two handles on a table");
    is_dead(&dead).await?;
    Ok(Other { door, table })
}

/// A table whose process is dead says so at once, whoever is at its address now.
async fn is_dead(table: &Remote<dyn Table>) -> Result<()> {
    let Err(error) = table.make().await else { bail!("a dead table was called") };
    surely_not(&error, ErrorKind::Broken)
}

/// A call has failed like this, and was surely not executed.
fn surely_not(error: &Error, kind: ErrorKind) -> Result<()> {
    let so = error.kind() == kind && error.executed() == Executed::No;
    ensure!(so, "a call on the dead ended otherwise: {:?}, {error:?}", error.executed());
    Ok(())
}
