//! What a failed accept means for its listener: nothing, a pause, or the end.

use std::{io, time::Duration};
use tokio::time::Instant;

const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(1);

/// The pauses of a listener that cannot accept at present.
pub(crate) struct Pauses {
    length: Duration,
    until: Option<Instant>,
}

impl Pauses {
    pub(crate) fn new() -> Self {
        Self { length: SHORTEST, until: None }
    }

    /// Sleeps until the present pause is over.
    ///
    /// # Cancel safety
    /// A dropped future leaves the pause as it was.
    pub(crate) async fn sleep(&mut self) {
        if let Some(until) = self.until {
            tokio::time::sleep_until(until).await;
            self.until = None;
        }
    }

    /// A wire was accepted.
    pub(crate) fn accepted(&mut self) {
        self.length = SHORTEST;
    }

    /// Takes note of an error.
    ///
    /// # Errors
    /// The same one, if it is the listener's end.
    pub(crate) fn failed(&mut self, error: io::Error, address: &str) -> io::Result<()> {
        match verdict(&error) {
            Verdict::Skip => {
                tracing::debug!(address, %error, "a connection was lost before it was accepted")
            }
            Verdict::Pause => {
                if self.length == SHORTEST {
                    tracing::warn!(
                        address, %error,
                        "cannot accept connections now, and tries again: raise the limit on open files, or serve fewer peers"
                    );
                }
                self.until = Some(Instant::now() + self.length);
                self.length = (2 * self.length).min(LONGEST);
            }
            Verdict::End => return Err(error),
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    /// It concerned one connection.
    Skip,
    /// It passes: descriptors or memory are short, or something unknown.
    Pause,
    /// This listener will never accept again.
    End,
}

fn verdict(error: &io::Error) -> Verdict {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionAborted
        | Kind::ConnectionReset
        | Kind::Interrupted
        | Kind::WouldBlock
        | Kind::TimedOut
        | Kind::NotConnected
        | Kind::HostUnreachable
        | Kind::NetworkUnreachable
        | Kind::NetworkDown
        | Kind::PermissionDenied => Verdict::Skip,
        Kind::InvalidInput | Kind::Unsupported => Verdict::End,
        _ => Verdict::Pause,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn only_a_broken_listener_ends() {
        for (errno, want) in [
            (Errno::CONNABORTED, Verdict::Skip),
            (Errno::PERM, Verdict::Skip),
            (Errno::MFILE, Verdict::Pause),
            (Errno::NFILE, Verdict::Pause),
            (Errno::NOBUFS, Verdict::Pause),
            (Errno::NOMEM, Verdict::Pause),
            (Errno::PROTO, Verdict::Pause),
            (Errno::INVAL, Verdict::End),
        ] {
            assert_eq!(verdict(&errno.into()), want, "{errno:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_up_to_a_second_and_end_with_success() {
        let mut pauses = Pauses::new();
        let mut slept = Vec::new();
        for _ in 0..9 {
            pauses.failed(Errno::MFILE.into(), "test").expect("it passes");
            let start = Instant::now();
            pauses.sleep().await;
            slept.push(start.elapsed().as_millis());
        }
        assert_eq!(slept, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        pauses.accepted();
        pauses.sleep().await;
        assert_eq!(pauses.length, SHORTEST);
    }
}
