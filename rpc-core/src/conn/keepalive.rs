//! Signs of life: the handshake's deadline, and pings to a peer across a network while calls are open.

use super::{Phase, later};
use crate::limits::Limits;
use std::time::{Duration, Instant};

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

/// When the peer was last heard.
#[derive(Debug)]
pub(super) struct Keepalive {
    begun: Instant,
    heard: Instant,
    pinged: bool,
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
            pinged: false,
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

    #[inline]
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = false;
    }

    pub(super) fn poll_timeout(&self, phase: Phase, in_flight: usize) -> Option<Instant> {
        if phase == Phase::Handshake {
            return later(self.begun, self.handshake_time);
        }
        if self.local || in_flight == 0 {
            return None;
        }
        let after = if self.pinged { self.dead_after } else { self.ping_after };
        later(self.heard, after)
    }

    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        phase: Phase,
        in_flight: usize,
    ) -> Silence {
        if self.poll_timeout(phase, in_flight).is_none_or(|at| at > now) {
            return Silence::Fine;
        }
        if phase == Phase::Handshake {
            return Silence::NoHandshake;
        }
        if self.pinged {
            return Silence::Dead;
        }
        self.pinged = true;
        self.pings = self.pings.wrapping_add(1);
        Silence::Ping(self.pings)
    }
}
