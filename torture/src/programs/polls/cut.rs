//! When and how a future is dropped.

use std::{fmt, future::poll_fn, pin::pin, task::Poll, time::Duration};
use tokio::time::sleep;

/// How long a future may leave those who poll it waiting before it counts as one that nothing will wake.
const SILENCE: Duration = Duration::from_millis(20);

/// In which manner a future is dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Manner {
    /// At once after the last poll.
    AtOnce,
    /// Some time later: what it waits for may have come, and nobody has looked.
    Later,
    /// At once, and it was polled without having asked for it.
    Unasked,
}

/// All of them.
pub(super) const MANNERS: [Manner; 3] = [Manner::AtOnce, Manner::Later, Manner::Unasked];

/// When a future is dropped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// How often it is polled.
    pub(super) polls: usize,
    pub(super) manner: Manner,
    /// Microseconds for those that are dropped later.
    pub(super) pause: u64,
}

/// What has come of a future.
#[derive(Debug)]
pub(super) enum Polled<T> {
    Ready(T),
    /// It was dropped after its polls.
    Dropped,
    /// It was dropped while it waited for the next one, which nothing asked for.
    Silent,
}

/// The same, without what it was ready with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Ready,
    Dropped,
    Silent,
}

impl Manner {
    /// Polls after which a future counts as one that is never ready.
    pub(super) fn most(self) -> usize {
        match self {
            Self::AtOnce | Self::Later => 64,
            // They say nothing about how far it has come.
            Self::Unasked => 12,
        }
    }
}

impl Cut {
    /// Polls a future as often as it may be, and drops it.
    pub(super) async fn polled<F: Future>(self, future: F) -> Polled<F::Output> {
        let mut future = pin!(future);
        let mut left = self.polls;
        let polled = poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            let polled = future.as_mut().poll(cx);
            match polled {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending if left == 0 => Poll::Ready(None),
                Poll::Pending => {
                    if self.manner == Manner::Unasked {
                        cx.waker().wake_by_ref();
                    }
                    Poll::Pending
                }
            }
        });
        let polled = tokio::select! {
            // Nothing is polled because of the time.
            biased;
            () = sleep(SILENCE) => return Polled::Silent,
            polled = polled => polled,
        };
        let Some(output) = polled else {
            if self.manner == Manner::Later {
                sleep(Duration::from_micros(self.pause)).await;
            }
            return Polled::Dropped;
        };
        Polled::Ready(output)
    }
}

impl<T> Polled<T> {
    pub(super) fn end(&self) -> End {
        match self {
            Self::Ready(_) => End::Ready,
            Self::Dropped => End::Dropped,
            Self::Silent => End::Silent,
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { polls, manner, pause } = self;
        match manner {
            Manner::AtOnce => write!(f, "{polls} polls"),
            Manner::Later => write!(f, "{polls} polls and {pause} us"),
            Manner::Unasked => write!(f, "{polls} polls that it had not asked for"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::pending,
        sync::atomic::{AtomicUsize, Ordering},
    };
    use tokio::task::yield_now;

    async fn twice(ran: &AtomicUsize) -> u32 {
        for _ in 0..2 {
            ran.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
        7
    }

    #[tokio::test]
    async fn a_future_is_polled_so_often_and_no_more() {
        for manner in MANNERS {
            for (polls, ran, end) in [
                (0, 0, End::Dropped),
                (1, 1, End::Dropped),
                (2, 2, End::Dropped),
                (3, 2, End::Ready),
            ] {
                let count = AtomicUsize::new(0);
                let cut = Cut { polls, manner, pause: 1 };
                let polled = cut.polled(twice(&count)).await;
                assert_eq!((polled.end(), count.into_inner()), (end, ran), "{cut}");
            }
        }
    }

    #[tokio::test]
    async fn what_nothing_wakes_is_not_waited_for() {
        let cut = Cut { polls: 2, manner: Manner::AtOnce, pause: 0 };
        assert_eq!(cut.polled(pending::<()>()).await.end(), End::Silent);
    }
}
