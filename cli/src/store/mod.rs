//! Mailboxes on disk: a file of letters for each, which survives the end of its host and of the machine, whatever kind of end that is.
//!
//! What [`Store::commit`] has returned from is on the disk: redb writes the changes beside what was there, has the system write them
//! through (`fdatasync`), then points to them, and has that written through as well. So a file is at each instant what it was after some
//! commit. That the disk does what the system asks of it is not in this hand.
#![expect(clippy::result_large_err, reason = "errors of redb are as large as they are, and rare")]

mod error;
mod head;
mod opening;
mod reserve;
mod tables;
#[cfg(test)]
mod tests;

pub(crate) use opening::{Found, open};

use self::{error::said, reserve::Reserve};
use farcall::mailbox::Kind;
use farcall_mailbox::{Store, Which, engine::Change};
use redb::Database;
use std::path::PathBuf;

/// The letters of a mailbox and of its dead letters, on disk.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
    /// None: a commit has failed. Then the file is opened again, for the next one.
    database: Option<Database>,
    reserve: Reserve,
    /// Letters have gone since the file was made as small as it can be.
    is_loose: bool,
}

impl Store for Disk {
    fn commit(&mut self, changes: &[(Which, Change)], kind: Option<&Kind>) -> Result<(), String> {
        let is = |of: fn(&Change) -> bool| changes.iter().any(|(_, change)| of(change));
        if is(|change| matches!(change, Change::Accepted(_))) {
            // What is kept free is for taking and acking what is there.
            self.hold_reserve().map_err(|error| said(&self.path, &error))?;
        }
        let committed = self.take_database().and_then(|database| {
            tables::apply(&database, changes, kind)?;
            Ok(database)
        });
        match committed {
            Ok(database) => {
                self.database = Some(database);
                self.is_loose |= is(|change| matches!(change, Change::Over(_)));
                Ok(())
            }
            Err(error) => {
                if error::is_full(&error) {
                    self.reserve.release();
                }
                Err(said(&self.path, &error))
            }
        }
    }
}

impl Disk {
    /// To be put back if all goes well: after a failure redb knows no more what is in the file, and it is opened again.
    fn take_database(&mut self) -> Result<Database, redb::Error> {
        self.database.take().map_or_else(|| opening::database(&self.path), Ok)
    }

    /// Takes up the room that is kept free, and if there is none, that which letters have left in the file.
    fn hold_reserve(&mut self) -> Result<(), redb::Error> {
        let held = self.reserve.hold();
        if held.is_ok() || !std::mem::take(&mut self.is_loose) {
            return Ok(held?);
        }
        let mut database = self.take_database()?;
        if database.compact().is_ok() {
            self.database = Some(database);
        }
        Ok(self.reserve.hold()?)
    }
}
