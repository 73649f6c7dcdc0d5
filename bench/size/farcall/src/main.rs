//! Ten methods under farcall: `serve ADDRESS` or `call ADDRESS`.

use std::error::Error;

use farcall::Remote;
use serde::{Deserialize, Serialize};

/// What is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    key: String,
    value: Vec<u8>,
    version: u64,
}

#[farcall::remote]
trait Store {
    async fn get(&self, key: &str) -> farcall::Result<Option<Entry>>;
    async fn put(&self, key: &str, value: &[u8]) -> farcall::Result<u64>;
    async fn remove(&self, key: &str) -> farcall::Result<bool>;
    async fn contains(&self, key: &str) -> farcall::Result<bool>;
    async fn length(&self, key: &str) -> farcall::Result<u64>;
    async fn append(&self, key: &str, value: &[u8], version: u64) -> farcall::Result<u64>;
    async fn rename(&self, from: &str, to: &str) -> farcall::Result<()>;
    async fn keys(&self, prefix: &str, limit: u32) -> farcall::Result<Vec<String>>;
    async fn count(&self) -> farcall::Result<u64>;
    async fn version(&self) -> farcall::Result<(u32, u32, u32)>;
}

struct Shelf;

impl Store for Shelf {
    async fn get(&self, key: &str) -> farcall::Result<Option<Entry>> {
        Ok(Some(Entry { key: key.to_owned(), value: Vec::new(), version: 1 }))
    }

    async fn put(&self, key: &str, value: &[u8]) -> farcall::Result<u64> {
        Ok((key.len() + value.len()) as u64)
    }

    async fn remove(&self, key: &str) -> farcall::Result<bool> {
        Ok(key.is_empty())
    }

    async fn contains(&self, key: &str) -> farcall::Result<bool> {
        Ok(!key.is_empty())
    }

    async fn length(&self, key: &str) -> farcall::Result<u64> {
        if key.is_empty() { Err(farcall::Error::new("no key")) } else { Ok(key.len() as u64) }
    }

    async fn append(&self, key: &str, value: &[u8], version: u64) -> farcall::Result<u64> {
        if key.is_empty() {
            Err(farcall::Error::new("no key"))
        } else {
            Ok(version + value.len() as u64)
        }
    }

    async fn rename(&self, from: &str, to: &str) -> farcall::Result<()> {
        if from == to { Err(farcall::Error::new("the same")) } else { Ok(()) }
    }

    async fn keys(&self, prefix: &str, limit: u32) -> farcall::Result<Vec<String>> {
        Ok((0..limit).map(|number| format!("{prefix}{number}")).collect())
    }

    async fn count(&self) -> farcall::Result<u64> {
        Ok(1)
    }

    async fn version(&self) -> farcall::Result<(u32, u32, u32)> {
        Ok((1, 2, 3))
    }
}

async fn serve(address: &str) -> Result<(), Box<dyn Error>> {
    let store = Remote::<dyn Store>::new(Shelf);
    let _serving = farcall::Server::new()
        .export("store", store)
        .listen(&format!("tcp://{address}"))
        .start()
        .await?;
    std::future::pending().await
}

async fn call(address: &str) -> Result<(), Box<dyn Error>> {
    let store = farcall::connect::<dyn Store>(&format!("tcp://{address}#store")).await?;
    println!("{:?}", store.get("key").await?);
    println!("{}", store.put("key", b"value").await?);
    println!("{}", store.remove("key").await?);
    println!("{}", store.contains("key").await?);
    println!("{:?}", store.length("key").await?);
    println!("{:?}", store.append("key", b"value", 1).await?);
    println!("{:?}", store.rename("key", "other").await?);
    println!("{:?}", store.keys("key", 3).await?);
    println!("{}", store.count().await?);
    println!("{:?}", store.version().await?);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("serve"), Some(address)) => runtime.block_on(serve(&address)),
        (Some("call"), Some(address)) => runtime.block_on(call(&address)),
        _ => Err("serve ADDRESS or call ADDRESS".into()),
    }
}
