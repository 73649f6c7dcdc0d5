//! `#[cfg]`, on traits, methods and arguments.
#![deny(warnings)]
#![allow(unexpected_cfgs)]

pub struct Missing;

#[farcall::remote]
pub trait Conditional {
    #[cfg(all())]
    async fn here(&self) -> farcall::Result<u8>;
    #[cfg(any())]
    async fn gone(&self, missing: Missing) -> farcall::Result<Absent>;
    #[cfg(unix)]
    async fn system(&self, unix: u8) -> farcall::Result<u8>;
    #[cfg(not(unix))]
    async fn system(&self, other: u16) -> farcall::Result<u16>;
    #[cfg_attr(all(), deprecated)]
    async fn old(&self) -> farcall::Result<u8>;
    async fn wide(
        &self,
        first: u8,
        #[cfg(any())] gone: Absent,
        #[cfg(all())]
        #[allow(unused)]
        there: &str,
        last: u8,
    ) -> farcall::Result<u8>;
    #[remote(oneway, name = "told", timeout = "7s")]
    async fn tell(&self, #[cfg(any())] gone: Absent) -> farcall::Result<()>;
}

#[farcall::remote]
#[cfg(any())]
pub trait Gone {
    async fn gone(&self) -> farcall::Result<Absent>;
}

#[cfg(all())]
#[deprecated]
#[allow(clippy::all)]
#[farcall::remote]
pub trait Old {
    async fn here(&self) -> farcall::Result<()>;
}

struct Servant;

impl Conditional for Servant {
    async fn here(&self) -> farcall::Result<u8> {
        Ok(1)
    }
    #[cfg(unix)]
    async fn system(&self, unix: u8) -> farcall::Result<u8> {
        Ok(unix)
    }
    #[cfg(not(unix))]
    async fn system(&self, other: u16) -> farcall::Result<u16> {
        Ok(other)
    }
    async fn old(&self) -> farcall::Result<u8> {
        Ok(2)
    }
    async fn wide(&self, first: u8, there: &str, last: u8) -> farcall::Result<u8> {
        let _ = there;
        Ok(first + last)
    }
    async fn tell(&self) -> farcall::Result<()> {
        Ok(())
    }
}

/// What `#[remote(..)]` says of a method holds whether its conditional arguments are there or not.
fn options_are_kept() {
    let methods = <dyn Conditional as farcall::__private::Interface>::DESCRIPTION.methods;
    let told = methods.iter().find(|method| method.name == "told").expect("it has that name");
    assert!(told.mode.oneway);
    assert_eq!(told.timeout, farcall::__private::Timeout::After(std::time::Duration::from_secs(7)));
}

fn main() {
    options_are_kept();
    let _ = |remote: farcall::Remote<dyn Conditional>| remote.wide(1, "", 2).detach();
    let _ = || farcall::Remote::<dyn Conditional>::new(Servant);
}
