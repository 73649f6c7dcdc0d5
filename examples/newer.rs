//! The newer of two builds of one program: `cargo run --example newer -- serve`, and `cargo run --example older` meanwhile, or the other
//! way round. Each interface has a method more than that of the older one, and another order.
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::{Remote, Result};
use std::env;

#[farcall::remote]
trait Page {
    async fn words(&self) -> Result<u32>;
    async fn number(&self) -> Result<u32>;
    async fn text(&self) -> Result<String>;
}

#[farcall::remote]
trait Book {
    async fn pages(&self) -> Result<u32>;
    async fn read(&self, page: Remote<dyn Page>) -> Result<String>;
    async fn open(&self, number: u32) -> Result<Remote<dyn Page>>;
}

struct Paper(u32);

impl Page for Paper {
    async fn words(&self) -> Result<u32> {
        Ok(2)
    }
    async fn number(&self) -> Result<u32> {
        Ok(self.0)
    }
    async fn text(&self) -> Result<String> {
        Ok("newer words".to_owned())
    }
}

impl Book for Paper {
    async fn pages(&self) -> Result<u32> {
        Ok(self.0)
    }
    async fn read(&self, page: Remote<dyn Page>) -> Result<String> {
        Ok(format!("{} words on {}", page.words().await?, page.number().await?))
    }
    async fn open(&self, number: u32) -> Result<Remote<dyn Page>> {
        Ok(Remote::new(Self(number)))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    if env::args().nth(1).as_deref() == Some("serve") {
        return farcall::serve("book", Remote::<dyn Book>::new(Paper(9))).await;
    }
    let book = farcall::connect::<dyn Book>("book").await?;
    let page = book.open(3).await?;
    println!("opened  {} on {}", page.text().await?, page.number().await?);
    println!("words   {}", said(page.words().await));
    println!("pages   {}", said(book.pages().await));
    println!("read    {}", said(book.read(Remote::new(Paper(4))).await));
    println!("back    {}", said(book.read(page).await));
    Ok(())
}

fn said<T: ToString>(result: Result<T>) -> String {
    result.map_or_else(|error| error.to_string(), |value| value.to_string())
}
