//! Signs of life: the handshake's deadline, and pings to a peer across a network, whether calls are open or not: whoever only serves, holds
//! objects of the peer's or waits for what a stream brings must know of its end too.

use super::{Phase, later};
use crate::limits::Limits;
use std::{
    mem,
    time::{Duration, Instant},
};

/// What silence means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Silence {
    /// Nothing yet.
    Fine,
    /// Ask for a sign of life.
    Ping(u64),
    /// No Hello came.
    NoHandshake,
    /// The peer is dead.
    Dead,
}

/// How long a handshake may take once this end is leaving.
const HURRY: Duration = Duration::from_millis(500);

/// When the peer was last heard.
#[derive(Debug)]
pub(super) struct Keepalive {
    begun: Instant,
    heard: Instant,
    /// When it was asked for a sign of life that has not come.
    pinged: Option<Instant>,
    pings: u64,
    local: bool,
    handshake_time: Duration,
    ping_after: Duration,
    dead_after: Duration,
}

impl Keepalive {
    pub(super) fn new(now: Instant, limits: &Limits, local: bool) -> Self {
        Self {
            begun: now,
            heard: now,
            pinged: None,
            pings: 0,
            local,
            handshake_time: match local {
                true => limits.handshake_time.min(Duration::from_secs(5)),
                false => limits.handshake_time,
            },
            ping_after: limits.ping_after,
            dead_after: limits.dead_after,
        }
    }

    /// A peer that has not shaken hands yet is not waited for as long.
    pub(super) fn hurry(&mut self) {
        self.handshake_time = self.handshake_time.min(HURRY);
    }

    /// The peer gives a sign of life. When it gave the one before.
    #[inline]
    pub(super) fn heard(&mut self, now: Instant) -> Instant {
        self.pinged = None;
        mem::replace(&mut self.heard, now)
    }

    pub(super) fn poll_timeout(&self, phase: Phase) -> Option<Instant> {
        if phase == Phase::Handshake {
            return later(self.begun, self.handshake_time);
        }
        if self.local {
            return None;
        }
        let Some(pinged) = self.pinged else { return later(self.heard, self.ping_after) };
        // If this process itself was stopped, silence proves nothing: the ping must have had its time.
        let answered = later(pinged, self.dead_after.saturating_sub(self.ping_after));
        later(self.heard, self.dead_after).max(answered)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, phase: Phase) -> Silence {
        if self.poll_timeout(phase).is_none_or(|at| at > now) {
            return Silence::Fine;
        }
        if phase == Phase::Handshake {
            return Silence::NoHandshake;
        }
        if self.pinged.is_some() {
            return Silence::Dead;
        }
        self.pinged = Some(now);
        self.pings = self.pings.wrapping_add(1);
        Silence::Ping(self.pings)
    }
}
