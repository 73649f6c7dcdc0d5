//! `Result` under other names.
#![deny(warnings)]

use farcall::{Call, Remote};

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Fault;

impl From<farcall::Error> for Fault {
    fn from(_: farcall::Error) -> Self {
        Self
    }
}

mod own {
    pub type Result<T> = std::result::Result<T, super::Fault>;
}

mod unit {
    pub type Result = std::result::Result<(), super::Fault>;
}

#[farcall::remote]
pub trait Results {
    async fn plain(&self) -> Result<u8, Fault>;
    async fn whole(&self) -> ::std::result::Result<u8, Fault>;
    async fn ours(&self) -> farcall::Result<u8>;
    async fn ours_with_error(&self) -> farcall::Result<u8, Fault>;
    async fn alias(&self) -> own::Result<u8>;
    async fn unit(&self) -> unit::Result;
    #[remote(oneway)]
    async fn send(&self) -> own::Result<()>;
}

mod imported {
    use farcall::Result;

    #[farcall::remote]
    pub trait Imported {
        async fn run(&self) -> Result<Vec<u8>>;
    }
}

fn main() {
    let _ = |remote: Remote<dyn Results>, imported: Remote<dyn imported::Imported>| {
        use imported::Imported;
        let _: Call<u8, Fault> = remote.plain();
        let _: Call<u8, Fault> = remote.alias();
        let _: Call<(), Fault> = remote.unit();
        let _: Call<u8> = remote.ours();
        let _: Call<Vec<u8>> = imported.run();
    };
}
