//! What a hosted mailbox shows without being used.

use super::{Host, Shared};
use crate::{About, Error, KIND_BYTES, Kind, Peeked, engine::LetterId};

/// Bytes of letters that are shown at once.
const SHOWN: usize = 1 << 20;

impl Host {
    /// What it is and holds.
    #[must_use]
    pub fn about(&self) -> About {
        self.shared.about()
    }
}

impl Shared {
    pub(super) fn about(&self) -> About {
        let state = self.lock();
        let (terms, counts) = (*state.engine.terms(), state.engine.counts());
        About { kind: self.kind.get().cloned(), terms, counts, durable: self.keeping.is_some() }
    }

    pub(super) fn peek(&self, from: LetterId, most: u32) -> Vec<Peeked> {
        let most =
            usize::try_from(most.max(1)).unwrap_or(usize::MAX).min(SHOWN / size_of::<Peeked>());
        let mut letters = self.lock().engine.letters(from, most);
        let mut room = SHOWN;
        let fits = letters.iter().take_while(|letter| {
            let had = room > 0;
            room = room.saturating_sub(letter.bytes.len().max(1));
            had
        });
        let shown = fits.count();
        letters.truncate(shown);
        letters
    }

    /// Whether the letters are of this type, or are so from now on.
    pub(super) fn check_kind(&self, kind: &Kind) -> Result<(), Error> {
        if kind.as_str().len() > KIND_BYTES {
            let what = "the name of the letters' type".to_owned();
            return Err(Error::LimitExceeded { what, limit: KIND_BYTES as u64 });
        }
        let found = self.kind.get_or_init(|| {
            self.keep_kind(kind);
            kind.clone()
        });
        if found == kind {
            return Ok(());
        }
        Err(Error::OtherLetters { found: found.clone(), wanted: kind.clone() })
    }
}
