//! Default bodies: they run where the servant is, unless it has its own.

use crate::place::Place;
use farcall::Remote;

#[farcall::remote]
pub(crate) trait Greets {
    async fn name(&self) -> farcall::Result<String>;
    async fn greet(&self, mut times: u8) -> farcall::Result<String> {
        let mut greeting = "Hello".to_owned();
        while times > 0 {
            greeting = format!("{greeting} {}", self.name().await?);
            times -= 1;
        }
        Ok(greeting)
    }
}

/// Greets as everybody does.
struct Plain;

impl Greets for Plain {
    async fn name(&self) -> farcall::Result<String> {
        Ok("Ada".to_owned())
    }
}

/// Has a greeting of its own.
struct Curt;

impl Greets for Curt {
    async fn name(&self) -> farcall::Result<String> {
        Ok("Ada".to_owned())
    }
    async fn greet(&self, times: u8) -> farcall::Result<String> {
        Ok(format!("Hi {times}"))
    }
}

/// The same code, whether it has the servant or a handle on it.
async fn check(greets: &impl Greets, want: &str) {
    assert_eq!(greets.greet(2).await.as_deref(), Ok(want));
}

pub(crate) async fn run_where_the_servant_is(place: Place) {
    check(&Plain, "Hello Ada Ada").await;
    let (plain, _host) = place.host(Remote::<dyn Greets>::new(Plain)).await;
    check(&plain, "Hello Ada Ada").await;
    let made = Remote::connection(&plain).map(|connection| connection.snapshot().calls_made);
    assert!(matches!(made, None | Some(1)), "it calls itself, and not back: {made:?}");
}

pub(crate) async fn can_be_written_anew(place: Place) {
    check(&Curt, "Hi 2").await;
    let (curt, _host) = place.host(Remote::<dyn Greets>::new(Curt)).await;
    check(&curt, "Hi 2").await;
}
