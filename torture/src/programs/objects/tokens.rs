//! The tokens that one process has made, over all its rounds: each is made once, and dropped once.

use std::collections::HashMap;

/// What has become of each token.
#[derive(Default, Debug)]
pub(super) struct Tokens(HashMap<u64, Fate>);

/// What had become of a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    Unknown,
    Made,
    Dropped,
}

impl Tokens {
    /// A token is made.
    ///
    /// # Errors
    /// What had become of it, if it was made before.
    pub(super) fn make(&mut self, token: u64) -> Result<(), Fate> {
        self.0.insert(token, Fate::Made).map_or(Ok(()), Err)
    }

    /// A token is dropped.
    ///
    /// # Errors
    /// What had become of it, if it was not there.
    pub(super) fn remove(&mut self, token: u64) -> Result<(), Fate> {
        match self.0.insert(token, Fate::Dropped) {
            Some(Fate::Made) => Ok(()),
            before => Err(before.unwrap_or(Fate::Unknown)),
        }
    }

    /// Those that are there.
    pub(super) fn alive(&self) -> Vec<u64> {
        let made = self.0.iter().filter(|(_, fate)| **fate == Fate::Made);
        made.map(|(token, _)| *token).collect()
    }
}
