//! A client that knows farcall from PROTOCOL.md alone: plays the session that the page ends with, byte by byte, over TCP.

use farcall::{Remote, Server};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    time::Duration,
};

#[farcall::remote]
trait Adder {
    async fn add(&self, a: u64, b: u64) -> farcall::Result<u64>;
}

struct Servant;

impl Adder for Servant {
    async fn add(&self, a: u64, b: u64) -> farcall::Result<u64> {
        Ok(a + b)
    }
}

/// A piece of what one side sends.
#[derive(Clone, Copy, Debug)]
enum Piece {
    Byte(u8),
    /// `..`
    Any,
    /// `**`
    Rest,
}

/// What one side sends before the other does.
struct Turn {
    by_client: bool,
    pieces: Vec<Piece>,
}

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("PROTOCOL.md");
    fs::read_to_string(path).expect("PROTOCOL.md is there")
}

/// The session that the page shows.
fn session(page: &str) -> Vec<Turn> {
    let (_, session) = page.split_once("```session\n").expect("the page shows a session");
    let (session, _) = session.split_once("```").expect("the session ends");
    let mut turns: Vec<Turn> = Vec::new();
    for line in session.lines().filter(|line| !line.is_empty()) {
        let (side, rest) = line.split_at(1);
        let by_client = side == ">";
        let pieces = pieces(rest.split(';').next().unwrap_or_default());
        match turns.last_mut().filter(|turn| turn.by_client == by_client) {
            Some(turn) => turn.pieces.extend(pieces),
            None => turns.push(Turn { by_client, pieces }),
        }
    }
    turns
}

fn pieces(line: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (at, part) in line.split('"').enumerate() {
        if at % 2 == 1 {
            pieces.extend(part.bytes().map(Piece::Byte));
            continue;
        }
        pieces.extend(part.split_whitespace().map(|word| match word {
            ".." => Piece::Any,
            "**" => Piece::Rest,
            digits => Piece::Byte(u8::from_str_radix(digits, 16).expect("two digits")),
        }));
    }
    pieces
}

/// Sends what the client sends.
fn send(stream: &mut TcpStream, pieces: &[Piece]) {
    let byte = |piece: &Piece| match piece {
        Piece::Byte(byte) => *byte,
        other => panic!("the client knows what it sends: {other:?}"),
    };
    let bytes: Vec<u8> = pieces.iter().map(byte).collect();
    stream.write_all(&bytes).expect("the server reads");
}

/// Receives the frames that the server sends, and compares.
fn receive(stream: &mut TcpStream, mut pieces: &[Piece]) {
    while !pieces.is_empty() {
        let mut length = [0; 4];
        stream.read_exact(&mut length).expect("the server answers");
        let mut frame = vec![0; u32::from_le_bytes(length) as usize];
        stream.read_exact(&mut frame).expect("a frame is whole");
        for &found in length.iter().chain(&frame) {
            match pieces.split_first().expect("the server sends no more than that") {
                (Piece::Rest, _) => break,
                (Piece::Any, rest) => pieces = rest,
                (Piece::Byte(wanted), rest) => {
                    assert_eq!(found, *wanted, "in {frame:02x?}, before {rest:?}");
                    pieces = rest;
                }
            }
        }
        if let [Piece::Rest, rest @ ..] = pieces {
            pieces = rest;
        }
    }
}

#[test]
fn the_session_on_the_page_is_what_happens() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = Server::new()
        .export("adder", Remote::<dyn Adder>::new(Servant))
        .listen("tcp://127.0.0.1:0");
    let running = runtime.block_on(server.start()).expect("a port is free");
    let address = running.addresses()[0].trim_start_matches("tcp://");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out is possible");
    let turns = session(&page());
    assert!(turns.len() >= 8, "only {} turns", turns.len());
    for turn in &turns {
        match turn.by_client {
            true => send(&mut stream, &turn.pieces),
            false => receive(&mut stream, &turn.pieces),
        }
    }
    runtime.block_on(running.shutdown());
}
