//! What is called: an interface whose servant notes each call before it does anything else.

use super::{
    journal::Journal,
    loans::{LARGE, Shelf, stamped},
};
use farcall::Payload;
use std::{io::Write, sync::Arc, time::Duration};
use tokio::{sync::Notify, time::sleep};

/// Bytes that an answer may have. Who asks for more has been lied to.
const LONGEST: usize = 15 << 20;
/// Bytes that a loan may have.
const LONGEST_LOAN: usize = LARGE;

/// Milliseconds that a servant may linger.
const LONGEST_LINGER: u32 = 1000;

/// What clients call. The first argument is the call's number.
#[farcall::remote]
pub(crate) trait Work {
    /// Answers with so many bytes, made of the number and of `bytes`.
    async fn run(&self, call: u64, bytes: &[u8], length: u32) -> farcall::Result<Vec<u8>>;
    /// The same, and may be run again.
    #[remote(idempotent)]
    async fn again(&self, call: u64) -> farcall::Result<Vec<u8>>;
    /// The same, after so many milliseconds.
    #[remote(idempotent)]
    async fn linger(&self, call: u64, millis: u32) -> farcall::Result<Vec<u8>>;
    /// Answers nothing.
    #[remote(oneway)]
    async fn tell(&self, call: u64) -> farcall::Result<()>;
    /// Says on the server's standard output that it runs, and never ends.
    async fn hold(&self, call: u64) -> farcall::Result<Vec<u8>>;
    /// Says the same and ends at once.
    async fn brink(&self, call: u64) -> farcall::Result<Vec<u8>>;
    /// Holds a payload, and answers with one that it holds, or with a loan of so many bytes if there is a length.
    async fn lend(&self, call: u64, payload: Payload, length: u32) -> farcall::Result<Payload>;
    /// Says the same, and answers with so many bytes when the server is told to.
    async fn vast(&self, call: u64, length: u32) -> farcall::Result<Vec<u8>>;
}

/// The servant.
pub(crate) struct Worker {
    pub(crate) journal: Journal,
    /// What `vast` waits for.
    pub(crate) told: Arc<Notify>,
    /// What it holds of what was lent to it.
    pub(crate) shelf: Shelf,
}

/// What a call is answered with.
pub(crate) fn answer(call: u64, bytes: &[u8], length: usize) -> Vec<u8> {
    let sum = bytes.iter().fold(call, |sum, byte| sum.rotate_left(1) ^ u64::from(*byte));
    let mut answer = call.to_le_bytes().to_vec();
    answer.extend(sum.to_le_bytes().iter().cycle().take(length));
    answer
}

impl Worker {
    fn ran(&self, call: u64, what: Option<&str>) -> farcall::Result<()> {
        let failed = |error| farcall::Error::new(format!("{error}"));
        self.journal.note(format_args!("ran {call}")).map_err(failed)?;
        if let Some(what) = what {
            writeln!(std::io::stdout(), "{what}").map_err(failed)?;
        }
        Ok(())
    }
}

impl Work for Worker {
    async fn run(&self, call: u64, bytes: &[u8], length: u32) -> farcall::Result<Vec<u8>> {
        self.ran(call, None)?;
        Ok(answer(call, bytes, (length as usize).min(LONGEST)))
    }

    async fn again(&self, call: u64) -> farcall::Result<Vec<u8>> {
        self.ran(call, None)?;
        Ok(answer(call, &[], 0))
    }

    async fn linger(&self, call: u64, millis: u32) -> farcall::Result<Vec<u8>> {
        self.ran(call, None)?;
        sleep(Duration::from_millis(u64::from(millis.min(LONGEST_LINGER)))).await;
        Ok(answer(call, &[], 0))
    }

    async fn tell(&self, call: u64) -> farcall::Result<()> {
        self.ran(call, None)
    }

    async fn hold(&self, call: u64) -> farcall::Result<Vec<u8>> {
        self.ran(call, Some("holding"))?;
        std::future::pending().await
    }

    async fn brink(&self, call: u64) -> farcall::Result<Vec<u8>> {
        self.ran(call, Some("on the brink"))?;
        Ok(answer(call, &[], 0))
    }

    async fn lend(&self, call: u64, payload: Payload, length: u32) -> farcall::Result<Payload> {
        self.ran(call, None)?;
        if !self.shelf.put(payload) {
            return Err(farcall::Error::new("a payload that is held here has changed"));
        }
        let made = || stamped(farcall::loan((length as usize).clamp(8, LONGEST_LOAN)), call);
        Ok(match length {
            0 => self.shelf.any().unwrap_or_else(made),
            _ => made(),
        })
    }

    async fn vast(&self, call: u64, length: u32) -> farcall::Result<Vec<u8>> {
        let told = self.told.notified();
        self.ran(call, Some("vast"))?;
        told.await;
        Ok(answer(call, &[], (length as usize).min(LONGEST)))
    }
}
