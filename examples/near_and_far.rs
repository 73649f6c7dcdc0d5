//! One function for an object near and far: it is generic over the trait, which the object and the handle both implement.
//!
//! `cargo run --example near_and_far`
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::{Remote, Server};
use std::time::Instant;

/// Temperatures, by hour.
#[farcall::remote]
trait Weather {
    /// The temperature at an hour, in degrees Celsius.
    async fn temperature(&self, hour: u32) -> farcall::Result<f64>;
}

struct Station;

impl Weather for Station {
    async fn temperature(&self, hour: u32) -> farcall::Result<f64> {
        Ok(12.0 - 8.0 * (f64::from(hour) / 24.0 * std::f64::consts::TAU).cos())
    }
}

/// The mean of a day, from wherever the weather comes.
async fn mean(weather: &impl Weather) -> farcall::Result<f64> {
    let mut sum = 0.0;
    for hour in 0..24 {
        sum += weather.temperature(hour).await?;
    }
    Ok(sum / 24.0)
}

#[tokio::main]
async fn main() -> farcall::Result<()> {
    let running = Server::new()
        .export("weather", Remote::<dyn Weather>::new(Station))
        .listen("tcp://127.0.0.1:0")
        .start()
        .await?;
    let far = farcall::connect::<dyn Weather>(&running.addresses()[0]).await?;

    show("the object itself", &Station).await?;
    show("a handle on an object near", &Remote::<dyn Weather>::new(Station)).await?;
    show("a handle on an object far", &far).await?;
    running.shutdown().await;
    Ok(())
}

async fn show(what: &str, weather: &impl Weather) -> farcall::Result<()> {
    let begun = Instant::now();
    let mean = mean(weather).await?;
    println!("{what:<28} {mean:>5.1} degrees {:>6} us", begun.elapsed().as_micros());
    Ok(())
}
