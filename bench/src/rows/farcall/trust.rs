//! A server that trusts its clients. This file alone may be `unsafe` among farcall's rows.
#![expect(unsafe_code, reason = "the one option that is a promise")]

use farcall::Server;

/// The same server, which reads in place what its clients lend.
pub fn clients_of(server: Server) -> Server {
    // SAFETY: the only client is the other child of this run.
    unsafe { server.trust_peer() }
}
