//! Deadlines: set on a handle, inherited by the calls that a servant makes meanwhile, and the end of what nobody waits for.
//!
//! `cargo run --example timeouts`
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::{ErrorKind, Remote, Server};
use std::time::Duration;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{sleep, timeout},
};

#[farcall::remote]
trait Kitchen {
    /// Cooks for so many milliseconds.
    async fn cook(&self, dish: &str, millis: u64) -> farcall::Result<String>;
    /// Has another kitchen cook.
    async fn order(&self, dish: &str, millis: u64) -> farcall::Result<String>;
}

struct Kitchens {
    news: UnboundedSender<String>,
    other: Option<Remote<dyn Kitchen>>,
}

impl Kitchen for Kitchens {
    async fn cook(&self, dish: &str, millis: u64) -> farcall::Result<String> {
        let remaining = farcall::context().and_then(|context| context.remaining());
        let seconds = remaining.unwrap_or_default().as_secs_f64();
        println!("  the cook of {dish} has {seconds:.1} s");
        let _stopped = Stopped { dish: dish.to_owned(), news: self.news.clone() };
        sleep(Duration::from_millis(millis)).await;
        Ok(format!("{dish}, hot"))
    }

    async fn order(&self, dish: &str, millis: u64) -> farcall::Result<String> {
        let other = self.other.as_ref().ok_or_else(|| farcall::Error::new("no other kitchen"))?;
        other.cook(dish, millis).await
    }
}

/// Tells when a cook stops, because the dish is done or because nobody waits for it.
struct Stopped {
    dish: String,
    news: UnboundedSender<String>,
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.news.send(format!("  the cook of {} stopped", self.dish));
    }
}

#[tokio::main]
async fn main() -> farcall::Result<()> {
    let (news, mut heard) = unbounded_channel();
    let inner = serve(Kitchens { news: news.clone(), other: None }).await?;
    let other = Some(farcall::connect(&inner.addresses()[0]).await?);
    let outer = serve(Kitchens { news, other }).await?;
    let kitchen = farcall::connect::<dyn Kitchen>(&outer.addresses()[0]).await?;

    println!("without an option, a call has 10 s:");
    println!("  served: {}", kitchen.cook("soup", 1).await?);
    next(&mut heard).await;

    println!("a handle with 200 ms:");
    let hurried = kitchen.timeout(Duration::from_millis(200));
    report(hurried.cook("roast", 60_000).await);
    next(&mut heard).await;

    println!("what the first kitchen orders from the second inherits the 200 ms:");
    report(hurried.order("stew", 60_000).await);
    next(&mut heard).await;

    println!("a call that is dropped is cancelled:");
    let _ = timeout(Duration::from_millis(200), kitchen.cook("cake", 60_000)).await;
    next(&mut heard).await;
    Ok(())
}

async fn serve(kitchen: Kitchens) -> farcall::Result<farcall::Running> {
    let kitchen = Remote::<dyn Kitchen>::new(kitchen);
    Server::new().export("kitchen", kitchen).listen("tcp://127.0.0.1:0").start().await
}

fn report(served: farcall::Result<String>) {
    match served {
        Ok(dish) => println!("  served: {dish}"),
        Err(error) if error.kind() == ErrorKind::TimedOut => println!("  too late: {error}"),
        Err(error) => println!("  {error:?}"),
    }
}

async fn next(heard: &mut UnboundedReceiver<String>) {
    if let Ok(Some(news)) = timeout(Duration::from_secs(1), heard.recv()).await {
        println!("{news}");
    }
}
