//! The handle that a letter encloses: it leads to its producer, who notes what it hears.

use super::item::Name;
use crate::programs::journal::Journal;
use farcall::remote;
use std::sync::Arc;

/// A producer, for those who have its letters.
#[remote]
pub(super) trait Reply {
    /// Somebody has that letter.
    async fn say(&self, name: Name) -> farcall::Result<()>;
}

/// Notes what it hears.
pub(super) struct Hears(pub(super) Arc<Journal>);

impl Reply for Hears {
    async fn say(&self, name: Name) -> farcall::Result<()> {
        let noted = self.0.note(format_args!("heard {name}"));
        noted.map_err(|error| farcall::Error::new(error.to_string()))
    }
}
