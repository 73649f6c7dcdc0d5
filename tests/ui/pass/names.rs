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
    #[allow(non_snake_case)]
    async fn host(&self, __Methods: u8, __demands: u8, said: u8) -> farcall::Result<()>;
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

/// Methods of all types called like those that generated code calls, by reference and by value.
mod everywhere {
    pub trait ByReference {
        fn bytes(&self) {}
        fn str(&self) {}
        fn value(&self) {}
        fn end(&self) {}
        fn run(&self) {}
    }
    impl<T: ?Sized> ByReference for T {}

    pub trait ByValue: Sized {
        fn arguments(self) {}
        fn refuse(self) {}
        fn unknown(self) {}
        fn send(self) {}
        fn reply(self) {}
    }
    impl<T> ByValue for T {}

    #[farcall::remote]
    pub trait Everywhere {
        async fn take(
            &self,
            bytes: &[u8],
            text: std::borrow::Cow<'_, str>,
            list: &[u32],
            maybe: Option<&str>,
            end: &Option<&str>,
        ) -> farcall::Result<Vec<u8>>;
    }

    #[farcall::remote]
    pub trait Lonely {
        async fn take(&mut self, text: &str, value: u8) -> farcall::Result<farcall::Remote<dyn Everywhere>>;
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
