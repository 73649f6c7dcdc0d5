//! Ten methods under tarpc: `serve ADDRESS` or `call ADDRESS`.

use std::error::Error;

use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tarpc::serde_transport::tcp;
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::{client, context};

/// What is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    key: String,
    value: Vec<u8>,
    version: u64,
}

#[tarpc::service]
trait Store {
    async fn get(key: String) -> Option<Entry>;
    async fn put(key: String, value: Vec<u8>) -> u64;
    async fn remove(key: String) -> bool;
    async fn contains(key: String) -> bool;
    async fn length(key: String) -> Result<u64, String>;
    async fn append(key: String, value: Vec<u8>, version: u64) -> Result<u64, String>;
    async fn rename(from: String, to: String) -> Result<(), String>;
    async fn keys(prefix: String, limit: u32) -> Vec<String>;
    async fn count() -> u64;
    async fn version() -> (u32, u32, u32);
}

#[derive(Clone)]
struct Shelf;

impl Store for Shelf {
    async fn get(self, _: context::Context, key: String) -> Option<Entry> {
        Some(Entry { key, value: Vec::new(), version: 1 })
    }

    async fn put(self, _: context::Context, key: String, value: Vec<u8>) -> u64 {
        (key.len() + value.len()) as u64
    }

    async fn remove(self, _: context::Context, key: String) -> bool {
        key.is_empty()
    }

    async fn contains(self, _: context::Context, key: String) -> bool {
        !key.is_empty()
    }

    async fn length(self, _: context::Context, key: String) -> Result<u64, String> {
        if key.is_empty() { Err("no key".to_owned()) } else { Ok(key.len() as u64) }
    }

    async fn append(
        self,
        _: context::Context,
        key: String,
        value: Vec<u8>,
        version: u64,
    ) -> Result<u64, String> {
        if key.is_empty() { Err("no key".to_owned()) } else { Ok(version + value.len() as u64) }
    }

    async fn rename(self, _: context::Context, from: String, to: String) -> Result<(), String> {
        if from == to { Err("the same".to_owned()) } else { Ok(()) }
    }

    async fn keys(self, _: context::Context, prefix: String, limit: u32) -> Vec<String> {
        (0..limit).map(|number| format!("{prefix}{number}")).collect()
    }

    async fn count(self, _: context::Context) -> u64 {
        1
    }

    async fn version(self, _: context::Context) -> (u32, u32, u32) {
        (1, 2, 3)
    }
}

async fn serve(address: &str) -> Result<(), Box<dyn Error>> {
    let mut connections = tcp::listen(address, Bincode::default).await?;
    while let Some(connection) = connections.next().await {
        let calls = BaseChannel::with_defaults(connection?).execute(Shelf.serve());
        tokio::spawn(calls.for_each(|call| async {
            tokio::spawn(call);
        }));
    }
    Ok(())
}

async fn call(address: &str) -> Result<(), Box<dyn Error>> {
    let connection = tcp::connect(address, Bincode::default).await?;
    let store = StoreClient::new(client::Config::default(), connection).spawn();
    let now = context::current;
    let key = || "key".to_owned();
    println!("{:?}", store.get(now(), key()).await?);
    println!("{}", store.put(now(), key(), b"value".to_vec()).await?);
    println!("{}", store.remove(now(), key()).await?);
    println!("{}", store.contains(now(), key()).await?);
    println!("{:?}", store.length(now(), key()).await?);
    println!("{:?}", store.append(now(), key(), b"value".to_vec(), 1).await?);
    println!("{:?}", store.rename(now(), key(), "other".to_owned()).await?);
    println!("{:?}", store.keys(now(), key(), 3).await?);
    println!("{}", store.count(now()).await?);
    println!("{:?}", store.version(now()).await?);
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
