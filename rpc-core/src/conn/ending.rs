//! How a connection ends, and how it starts over.

use super::{Connection, Phase, Unsent, exports::Exports, keepalive::Keepalive};
use crate::{
    error::{Error, Executed},
    frame::{Frame, Hello},
};
use std::time::Instant;

impl<S: Clone> Connection<S> {
    /// Starts over on a new wire. Calls that were sent are taken back by [`unsend`](Self::unsend) before.
    pub fn restart(&mut self, now: Instant, hello: Hello, root: Option<S>, local: bool) {
        self.exports = Exports::new(root);
        self.phase = Phase::Handshake;
        self.peer = None;
        self.refused_after = None;
        self.accepted = 0;
        self.overhead = self.limits.overhead;
        self.strays = 0;
        self.keepalive = Keepalive::new(now, &self.limits, local);
        self.forget_control();
        self.interfaces = (0, 0);
        self.control.push_back(Frame::Hello(hello));
    }

    /// The wire is gone. The calls that were out and are waited for; each says whether it may have run.
    pub fn unsend(&mut self) -> Vec<Unsent> {
        let refused_after = self.refused_after;
        let unsent = |(call, sequence)| {
            let refused = refused_after.is_some_and(|accepted| sequence >= accepted);
            Unsent { call, executed: if refused { Executed::No } else { Executed::Maybe } }
        };
        self.calls.unsend().into_iter().map(unsent).collect()
    }

    /// The peer has said goodbye: the calls beyond those that it has accepted, which did not run. They are out no more.
    pub fn take_refused(&mut self) -> Vec<Unsent> {
        let Some(accepted) = self.refused_after else { return Vec::new() };
        let unsent = |(call, _)| Unsent { call, executed: Executed::No };
        self.calls.take_back(accepted).into_iter().map(unsent).collect()
    }

    /// Takes no more calls. Those accepted will be answered. Before the handshake, none will be taken after it, and it must come soon.
    pub fn goodbye(&mut self) {
        match self.phase {
            Phase::Handshake => {
                self.leaving = true;
                self.keepalive.hurry();
            }
            Phase::Open => {
                self.phase = Phase::Draining;
                self.control.push_back(Frame::Goodbye { accepted: self.accepted });
            }
            Phase::Draining => {}
        }
    }

    /// Says something to a peer that may not be there any more: its system says so then.
    pub fn probe(&mut self) {
        self.control.push_back(Frame::Ping(0));
    }

    /// Tells the peer why the connection ends.
    pub fn abort(&mut self, error: &Error) {
        self.control.push_back(Frame::Abort(error.clone()));
    }

    /// Empties all tables but `calls`; what was lent is returned, to be dropped outside of any lock.
    pub fn close(&mut self) -> Vec<S> {
        self.imports.clear();
        self.forget_control();
        let mut lent = self.exports.take_all();
        lent.append(&mut self.serving.take_all());
        lent
    }

    fn forget_control(&mut self) {
        self.control.clear();
        self.released.clear();
        self.finished.clear();
        self.linger = None;
    }
}
