//! The protocol on a pair of ends: tables of what one does and the other sees, and a random model of both.

mod calls;
mod ending;
mod flood;
mod handshake;
mod ledger;
mod model;
mod objects;
mod peer;
mod references;
mod serving;
mod silence;
