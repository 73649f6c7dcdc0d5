//! The older of two builds of one program: `cargo run --example older -- serve`, and `cargo run --example newer` meanwhile, or the other
//! way round. The newer one has put methods between these: either calls the other as far as it knows it.
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::{Remote, Result};
use std::env;

#[farcall::remote]
trait Page {
    async fn text(&self) -> Result<String>;
    async fn number(&self) -> Result<u32>;
}

#[farcall::remote]
trait Book {
    async fn open(&self, number: u32) -> Result<Remote<dyn Page>>;
    async fn read(&self, page: Remote<dyn Page>) -> Result<String>;
}

struct Paper(u32);

impl Page for Paper {
    async fn text(&self) -> Result<String> {
        Ok("older words".to_owned())
    }
    async fn number(&self) -> Result<u32> {
        Ok(self.0)
    }
}

impl Book for Paper {
    async fn open(&self, number: u32) -> Result<Remote<dyn Page>> {
        Ok(Remote::new(Self(number)))
    }
    async fn read(&self, page: Remote<dyn Page>) -> Result<String> {
        Ok(format!("{} on {}", page.text().await?, page.number().await?))
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
    println!("read    {}", said(book.read(Remote::new(Paper(4))).await));
    println!("back    {}", said(book.read(page).await));
    Ok(())
}

fn said(result: Result<String>) -> String {
    result.unwrap_or_else(|error| error.to_string())
}
