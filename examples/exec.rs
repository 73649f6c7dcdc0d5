//! A transport of one's own: `exec://PROGRAM` starts a program and calls it over its standard input and output.
//!
//! `cargo run --example exec` is both the caller and, started by itself with `SERVE` set, the program (Unix).
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::{
    Address, Error, ErrorKind, Peer, Remote,
    transport::{BoxFuture, Listener, Transport, Wire, wire_of},
};
use std::{
    env, io,
    os::fd::{AsFd, OwnedFd},
    process::{Command, Stdio},
    sync::Arc,
};
use tokio::net::unix::pipe;

struct Exec;

impl Transport for Exec {
    fn scheme(&self) -> &'static str {
        "exec"
    }

    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, Result<Wire, Error>> {
        let wire = start(to.place()).map_err(|error| {
            let text = format!("{to} cannot be started ({error}): name a program that serves");
            Error::of(ErrorKind::Address, text)
        });
        Box::pin(std::future::ready(wire))
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<Box<dyn Listener>, Error>> {
        let text = format!("{at} cannot be listened at: use `serve_over` in the program itself");
        Box::pin(std::future::ready(Err(Error::of(ErrorKind::Address, text))))
    }
}

/// Starts a program that ends when its standard input does, and makes a wire of its pipes.
fn start(program: &str) -> io::Result<Wire> {
    let mut command = Command::new(program);
    command.env("SERVE", "stdio").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let missing = || io::Error::other("the child has no pipes");
    let output = child.stdout.take().ok_or_else(missing)?;
    let input = child.stdin.take().ok_or_else(missing)?;
    let wire = wire_between(output, input, &format!("process {}", child.id()));
    std::thread::spawn(move || child.wait());
    wire
}

fn wire_between(
    reader: impl Into<OwnedFd>,
    writer: impl Into<OwnedFd>,
    peer: &str,
) -> io::Result<Wire> {
    let reader = pipe::Receiver::from_owned_fd(reader.into())?;
    let writer = pipe::Sender::from_owned_fd(writer.into())?;
    Ok(wire_of(reader, writer, Peer::new("exec", peer)))
}

#[farcall::remote]
trait Speller {
    async fn spell(&self, word: &str) -> farcall::Result<String>;
}

struct Letters;

impl Speller for Letters {
    async fn spell(&self, word: &str) -> farcall::Result<String> {
        let letters: Vec<_> = word.to_uppercase().chars().map(String::from).collect();
        Ok(letters.join("-"))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    if env::var_os("SERVE").is_some() {
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        let output = io::stdout().as_fd().try_clone_to_owned()?;
        let wire = wire_between(input, output, "parent")?;
        return Ok(farcall::serve_over(wire, Remote::<dyn Speller>::new(Letters)).await?);
    }
    farcall::register(Arc::new(Exec));
    let address = format!("exec://{}", env::current_exe()?.display());
    let speller = farcall::connect::<dyn Speller>(&address).await?;
    for word in ["far", "call"] {
        println!("{word:<6} {}", speller.spell(word).await?);
    }
    Ok(())
}
