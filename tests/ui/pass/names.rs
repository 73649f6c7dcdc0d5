//! Raw identifiers, and arguments called like what generated code uses.
#![deny(warnings)]
#![allow(clippy::too_many_arguments)]

#[farcall::remote(name = "names.v1")]
pub trait r#Names {
    async fn r#type(&self, r#match: u8, r#fn: &str) -> farcall::Result<()>;
    async fn glue(
        &self,
        call: u8,
        self_: u8,
        request: u8,
        arguments: &str,
        servant: Vec<u8>,
        method: u8,
        task: u8,
        value: u8,
        error: u8,
        result: u8,
    ) -> farcall::Result<()>;
    #[remote(name = "clone")]
    async fn copy(&self, farcall: u8) -> farcall::Result<()>;
    async fn start(&self, __start: u8) -> farcall::Result<()>;
    async fn host(&self) -> farcall::Result<()>;
}

/// Types called like what others would generate.
mod shadowed {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct T;
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct Vec;
    pub struct Send;
    pub struct Arc;
    pub struct Method;
    pub struct Remote;
    pub mod core {}
    pub mod std {}

    #[farcall::remote]
    pub trait Shadowed {
        async fn take(&self, t: T, list: &[T], vec: Vec) -> farcall::Result<T>;
    }
}

macro_rules! interface {
    ($name:ident, $argument:ty, $borrowed:ty) => {
        #[farcall::remote]
        pub trait $name {
            async fn run(&self, argument: $argument, lent: &$argument, text: $borrowed) -> farcall::Result<$argument> {
                let _ = (lent, text);
                std::result::Result::Ok(argument)
            }
        }
    };
}
interface!(Made, std::vec::Vec<u8>, &str);

fn main() {
    let _ = |made: farcall::Remote<dyn Made>| made.run(std::vec![1], &std::vec![], "").detach();
}
