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
}

impl Store for Disk {
    fn commit(&mut self, changes: &[(Which, Change)], kind: Option<&Kind>) -> Result<(), String> {
        if changes.iter().any(|(_, change)| matches!(change, Change::Accepted(_))) {
            // What is kept free is for taking and acking what is there.
            self.reserve.hold().map_err(|error| said(&self.path, &error.into()))?;
        }
        let database = self.database.take().map_or_else(|| opening::database(&self.path), Ok);
        let committed = database.and_then(|database| {
            tables::apply(&database, changes, kind)?;
            Ok(database)
        });
        // After a failure redb knows no more what is in the file, and it is opened again.
        match committed {
            Ok(database) => {
                self.database = Some(database);
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
