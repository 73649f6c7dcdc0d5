//! The time by which deadlines, pings and pauses go.

use std::time::Instant;

/// Now: tokio's time, which is the system's unless a test has paused it. What is over in microseconds, as a spin is, goes by the system's.
#[inline]
pub fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
