//! Several services on one endpoint, two of them interfaces of one object, named by the fragment of the address.
//!
//! `cargo run --example services`
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::{Remote, Server};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What everybody may do.
#[farcall::remote]
trait Library {
    async fn borrow_book(&self, title: &str) -> farcall::Result<()>;
}

/// What the librarian may do.
#[farcall::remote]
trait Office {
    async fn buy(&self, title: &str, copies: u32) -> farcall::Result<()>;
    async fn stock(&self) -> farcall::Result<Vec<(String, u32)>>;
}

/// Another service, of another object.
#[farcall::remote]
trait Hours {
    async fn open(&self, hour: u8) -> farcall::Result<bool>;
}

#[derive(Default)]
struct Shelves(Mutex<BTreeMap<String, u32>>);

impl Shelves {
    fn books(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Library for Shelves {
    async fn borrow_book(&self, title: &str) -> farcall::Result<()> {
        match self.books().get_mut(title) {
            Some(copies) if *copies > 0 => *copies -= 1,
            _ => return Err(farcall::Error::new(format!("there is no copy of {title} here"))),
        }
        Ok(())
    }
}

impl Office for Shelves {
    async fn buy(&self, title: &str, copies: u32) -> farcall::Result<()> {
        *self.books().entry(title.to_owned()).or_default() += copies;
        Ok(())
    }

    async fn stock(&self) -> farcall::Result<Vec<(String, u32)>> {
        Ok(self.books().iter().map(|(title, copies)| (title.clone(), *copies)).collect())
    }
}

struct Daytime;

impl Hours for Daytime {
    async fn open(&self, hour: u8) -> farcall::Result<bool> {
        Ok((9..18).contains(&hour))
    }
}

#[tokio::main]
async fn main() -> farcall::Result<()> {
    let shelves = Arc::new(Shelves::default());
    let running = Server::new()
        .export("library", Remote::<dyn Library>::from_arc(Arc::clone(&shelves)))
        .export("office", Remote::<dyn Office>::from_arc(shelves))
        .export("hours", Remote::<dyn Hours>::new(Daytime))
        .listen("tcp://127.0.0.1:0")
        .start()
        .await?;
    let at = |service: &str| format!("{}#{service}", running.addresses()[0]);

    let office = farcall::connect::<dyn Office>(&at("office")).await?;
    let library = farcall::connect::<dyn Library>(&at("library")).await?;
    let hours = farcall::connect::<dyn Hours>(&at("hours")).await?;

    office.buy("Emma", 2).await?;
    office.buy("Dune", 1).await?;
    library.borrow_book("Emma").await?;
    for (title, copies) in office.stock().await? {
        println!("{:<18} {copies}", format!("copies of {title}"));
    }
    println!("{:<18} {}", "open at 8", hours.open(8).await?);
    for service in ["libary", "office"] {
        if let Err(error) = farcall::connect::<dyn Library>(&at(service)).await {
            println!("{:<18} {error}", format!("library at {service}"));
        }
    }
    running.shutdown().await;
    Ok(())
}
