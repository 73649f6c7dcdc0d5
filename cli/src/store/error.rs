//! Why a file of letters cannot be used, in words that say what to do.

use std::{io::ErrorKind, path::Path};

/// Whether the disk has no more room, or the user may not have more.
pub(super) fn is_full(error: &redb::Error) -> bool {
    let kind = match error {
        redb::Error::Io(error) => error.kind(),
        _ => return false,
    };
    matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

/// An error, and what to do.
pub(super) fn said(path: &Path, error: &redb::Error) -> String {
    let at = path.display();
    match error {
        _ if is_full(error) => {
            format!("there is no room for {at} ({error}): make room on its disk")
        }
        redb::Error::DatabaseAlreadyOpen => {
            format!("another process has {at}: end that one, or use another folder")
        }
        redb::Error::Io(error) if error.kind() == ErrorKind::InvalidData => {
            damaged(path, &error.to_string())
        }
        redb::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            damaged(path, "it ends too early")
        }
        redb::Error::Io(error) => {
            format!(
                "cannot read or write {at} ({error}): see that its folder may be written, or name another"
            )
        }
        error => damaged(path, &error.to_string()),
    }
}

/// That a file is not what was written.
pub(super) fn damaged(path: &Path, why: &str) -> String {
    format!(
        "{} is damaged ({why}): put a copy of it back, or move it away to begin anew without its letters",
        path.display()
    )
}
