//! A directory tree, served and read through remote calls: in this process, through shared memory, over a Unix
//! socket and over TCP. An open document is an object, its lines are a stream, and a callback hears what happens.
//!
//! ```text
//! cargo run --release --example archive [PATH]            two processes: reads PATH (this project) and checks every byte
//! cargo run --release --example archive -- server [PATH]  serves at the configured addresses until it is ended
//! cargo run --release --example archive -- client         reads from the configured address
//! ```
//!
//! `FARCALL__SERVICES__ARCHIVE__LISTEN=tcp://127.0.0.1:7000` before the server and
//! `FARCALL__SERVICES__ARCHIVE__CONNECT=tcp://127.0.0.1:7000` before the client move both to TCP; no code changes.
#![allow(
    clippy::print_stdout,
    unreachable_pub,
    reason = "an example prints, and a program exports nothing"
)]

mod archive;
mod audience;
mod child;
mod page;
mod reading;
mod row;
mod total;
mod tree;

use archive::Archive;
use child::Child;
use farcall::{Remote, Running, Server};
use reading::Reading;
use row::Row;
use std::{env, path::PathBuf, process::ExitCode};
use total::Total;
use tree::Tree;

const DIFFERS: &str = "what was read through calls is not what is there";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1).peekable();
    let roles = ["client", "server", "child"];
    let role = arguments.next_if(|argument| roles.iter().any(|role| argument == role));
    let root = arguments.next().map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let done = match role.as_deref().and_then(|role| role.to_str()) {
        Some("client") => client().await,
        Some("server") => server(root).await,
        Some(_) => child(root).await,
        None => compare(root).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("archive: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the tree at `root` over every transport and directly, and compares.
async fn compare(root: PathBuf) -> Result<()> {
    let near = Server::new().export("archive", serve(&root)?).listen("inproc://archive");
    let near = near.start().await?;
    let far = Child::start(&root)?;
    let direct = Total::of(&Tree::open(&root)?)?;

    println!("{} read in pieces of {} KiB\n\n{}", root.display(), reading::PIECE >> 10, Row::HEAD);
    let mut equal = true;
    for address in near.addresses().iter().chain(far.addresses()) {
        let reading = Reading::new(&connect(address).await?).await?;
        let same = reading.equal && reading.total == direct;
        println!("{}", Row { address, reading: &reading, equal: same });
        equal &= same;
    }
    far.stop()?;
    near.shutdown().await;
    if equal { Ok(()) } else { Err(DIFFERS.into()) }
}

/// Reads the archive that the configuration names.
async fn client() -> Result<()> {
    let archive = connect("archive").await?;
    let address = Remote::peer(&archive).map(|peer| peer.address.clone()).unwrap_or_default();
    let reading = Reading::new(&archive).await?;
    let row = Row { address: &address, reading: &reading, equal: reading.equal };
    println!("{}\n{row}", Row::HEAD);
    if reading.equal { Ok(()) } else { Err(DIFFERS.into()) }
}

/// Serves the tree at `root` where the configuration says.
async fn server(root: PathBuf) -> Result<()> {
    let running = listen(root).await?;
    Err(running.failed().await.into())
}

/// Serves until the process that started this one closes its standard input, or is no more.
async fn child(root: PathBuf) -> Result<()> {
    let running = listen(root).await?;
    tokio::task::spawn_blocking(child::parent_gone).await?;
    running.shutdown().await;
    Ok(())
}

async fn listen(root: PathBuf) -> Result<Running> {
    let running = Server::new().export("archive", serve(&root)?).listen("archive").start().await?;
    running.addresses().iter().for_each(|address| println!("{address}"));
    Ok(running)
}

fn serve(root: &std::path::Path) -> Result<Remote<dyn Archive>> {
    Ok(Remote::new(Tree::open(root)?))
}

async fn connect(address: &str) -> Result<Remote<dyn Archive>> {
    Ok(farcall::connect(address).await?)
}
