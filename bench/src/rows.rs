//! The table of rows. A new peer is one file below and one line in [`all`].

use anyhow::{Context, Result};

use crate::row::Row;

mod raw;

#[cfg(feature = "capnp")]
mod capnp;
#[cfg(feature = "farcall-rows")]
mod farcall;
#[cfg(feature = "iceoryx2")]
mod iceoryx2;
#[cfg(feature = "remoc")]
mod remoc;
#[cfg(feature = "rmi")]
mod rmi;
#[cfg(feature = "shmipc")]
mod shmipc;
#[cfg(feature = "tarpc")]
mod tarpc;
#[cfg(feature = "tonic")]
mod tonic;

/// Every row that was compiled in, in the order of the report.
pub fn all() -> Vec<&'static dyn Row> {
    [
        raw::blocking::ROWS,
        raw::epoll::ROWS,
        raw::spinning::ROWS,
        raw::batched::ROWS,
        raw::line::ROWS,
        raw::slots::ROWS,
        raw::ring::ROWS,
        raw::local::ROWS,
        raw::queue::ROWS,
        #[cfg(feature = "farcall-rows")]
        farcall::ROWS,
        #[cfg(feature = "farcall-rows")]
        farcall::workers::ROWS,
        #[cfg(feature = "farcall-rows")]
        farcall::payloads::ROWS,
        #[cfg(feature = "farcall-rows")]
        farcall::mirror::ROWS,
        #[cfg(feature = "farcall-rows")]
        farcall::objects::ROWS,
        #[cfg(feature = "farcall-rows")]
        farcall::letters::ROWS,
        #[cfg(feature = "capnp")]
        capnp::ROWS,
        #[cfg(feature = "iceoryx2")]
        iceoryx2::ROWS,
        #[cfg(feature = "remoc")]
        remoc::ROWS,
        #[cfg(feature = "rmi")]
        rmi::ROWS,
        #[cfg(feature = "shmipc")]
        shmipc::ROWS,
        #[cfg(feature = "tarpc")]
        tarpc::ROWS,
        #[cfg(feature = "tonic")]
        tonic::ROWS,
    ]
    .concat()
}

/// Removes what rows leave in the kernel when they are killed.
pub fn sweep() {
    raw::queue::sweep();
}

/// The row of this name.
pub fn find(name: &str) -> Result<&'static dyn Row> {
    let row = all().into_iter().find(|row| row.name() == name);
    row.with_context(|| format!("no such row: {name}"))
}

/// Whether a row is farcall's.
pub fn is_ours(name: &str) -> bool {
    name.starts_with("farcall-")
}

/// Whether a row is a peer's: neither a floor nor farcall's own.
pub fn is_peer(name: &str) -> bool {
    !name.starts_with("raw-") && !is_ours(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_name() {
        for row in all() {
            let found = find(row.name()).expect("the row exists");
            assert_eq!(found.about(), row.about(), "two rows are called {}", row.name());
        }
        assert!(find("carrier-pigeon").is_err());
    }
}
