//! What carries frames.
