//! Error types without a place for the failure of the call.

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Fault;

#[farcall::remote]
pub trait Archive {
    async fn own(&self) -> Result<u8, Fault>;
    async fn text(&self) -> Result<u8, String>;
}

fn main() {}
