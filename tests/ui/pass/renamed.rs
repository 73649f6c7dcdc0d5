//! farcall under another name.
#![deny(warnings)]

mod elsewhere {
    pub use farcall::*;
}

mod inner {
    use crate::elsewhere as rpc;

    #[rpc::remote(crate = "rpc")]
    pub trait Relative {
        async fn read(&self) -> rpc::Result<u64>;
    }

    #[crate::elsewhere::remote(crate = "crate::elsewhere", name = "absolute")]
    pub trait Absolute {
        async fn read(&self) -> rpc::Result<u64>;
    }
}

fn main() {
    let _ = |remote: elsewhere::Remote<dyn inner::Relative>| {
        use inner::Relative;
        remote.read().detach();
    };
}
