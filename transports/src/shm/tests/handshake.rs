//! Handshakes of peers that get it wrong, byte by byte.

use super::*;
use crate::shm::handshake;
use rustix::{
    event::{EventfdFlags, eventfd},
    fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create},
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
    pipe::pipe,
};
use std::{
    io::{ErrorKind, IoSlice, Read},
    mem::MaybeUninit,
    os::fd::AsFd,
};

const ARENA: u64 = 64 << 20;
const LENGTH: u64 = 0x2000 + (512 << 10) + ARENA;
const SEALS: SealFlags =
    SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::FUTURE_WRITE).union(SealFlags::SEAL);

/// A message as PROTOCOL.md has it.
fn message(version: u32, what: u32, numbers: [u64; 4]) -> Vec<u8> {
    let mut message = [&b"farcshm\n"[..], &version.to_le_bytes(), &what.to_le_bytes()].concat();
    numbers.iter().for_each(|number| message.extend_from_slice(&number.to_le_bytes()));
    message.resize(64, 0);
    message
}

fn segment() -> Vec<u8> {
    message(1, 1, [LENGTH, 512 << 10, (32 << 10) - 16, ARENA])
}

fn memory(length: u64, seals: SealFlags) -> OwnedFd {
    let memory = memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING);
    let memory = memory.expect("there is such memory");
    ftruncate(&memory, length).expect("it is not sealed yet");
    fcntl_add_seals(&memory, seals).expect("it can be sealed");
    memory
}

fn doorbell() -> OwnedFd {
    eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).expect("there are descriptors left")
}

fn send_with(socket: &Socket, bytes: &[u8], descriptors: &[OwnedFd]) {
    let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)));
    }
    let bytes = [IoSlice::new(bytes)];
    sendmsg(socket, &bytes, &mut control, SendFlags::empty()).expect("it is open");
}

/// What a server says to a client that sends this, and what the client gets.
async fn serve(bytes: &[u8], descriptors: &[OwnedFd]) -> (io::Result<Wire>, Vec<u8>) {
    let (mut client, server) = Socket::pair().expect("a pair of sockets");
    send_with(&client, bytes, descriptors);
    client.shutdown(std::net::Shutdown::Write).expect("it is open");
    server.set_nonblocking(true).expect("it can");
    let server = UnixStream::from_std(server).expect("a runtime");
    let offer = Offer::new(Memory::default());
    let accepted = connecting::accept(server, offer, "shm://test").await;
    let mut answer = Vec::new();
    if accepted.is_err() {
        let _ = client.read_to_end(&mut answer);
    }
    (accepted, answer)
}

async fn refuses(bytes: &[u8], descriptors: &[OwnedFd], kind: ErrorKind, text: &str) -> Vec<u8> {
    let (accepted, answer) = serve(bytes, descriptors).await;
    let error = accepted.expect_err(text);
    assert_eq!(error.kind(), kind, "{text}: {error}");
    assert!(error.to_string().contains(text), "{text}: {error}");
    answer
}

#[test]
fn what_is_no_segment_is_refused() {
    run(async {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(LENGTH).expect("there is room");
        let (_, end_of_pipe) = pipe().expect("there are descriptors left");
        let good = || memory(LENGTH, SEALS);
        for (descriptors, text) in [
            (vec![], "0 descriptors"),
            (vec![good(), doorbell()], "2 descriptors"),
            (vec![good(), doorbell(), doorbell(), doorbell()], "more descriptors"),
            (vec![memory(LENGTH, SealFlags::empty()), doorbell(), doorbell()], "sealed"),
            (
                vec![memory(LENGTH, SEALS - SealFlags::FUTURE_WRITE), doorbell(), doorbell()],
                "sealed",
            ),
            (vec![memory(LENGTH, SEALS - SealFlags::SHRINK), doorbell(), doorbell()], "sealed"),
            (vec![memory(LENGTH, SEALS | SealFlags::WRITE), doorbell(), doorbell()], "sealed"),
            (vec![file.into(), doorbell(), doorbell()], "sealed"),
            (vec![doorbell(), doorbell(), doorbell()], "sealed"),
            (vec![memory(LENGTH - 1, SEALS), doorbell(), doorbell()], "size"),
            (vec![memory(4096, SEALS), doorbell(), doorbell()], "size"),
            (vec![memory(1 << 40, SEALS), doorbell(), doorbell()], "size"),
            (vec![good(), doorbell(), end_of_pipe], "doorbell is none"),
            (vec![good(), good(), doorbell()], "doorbell is none"),
        ] {
            refuses(&segment(), &descriptors, ErrorKind::InvalidData, text).await;
        }
    });
}

#[test]
fn what_is_no_handshake_is_refused() {
    run(async {
        let http = b"GET /there/is/nothing/of/the/kind HTTP/1.1\r\nHost: localhost:80\r\n\r\n";
        let wrong = ErrorKind::InvalidData;
        refuses(&http[..64], &[], wrong, "check that both ends use this scheme").await;
        refuses(&message(1, 4, [0; 4]), &[], wrong, "nobody knows").await;
        refuses(&message(1, 2, [0; 4]), &[], wrong, "out of turn").await;
        refuses(&message(1, 0, [0; 4]), &[doorbell()], wrong, "without a segment").await;
        refuses(&segment()[..63], &[], ErrorKind::UnexpectedEof, "end of file").await;
        refuses(b"", &[], ErrorKind::UnexpectedEof, "end of file").await;
    });
}

#[test]
fn another_version_or_geometry_is_named_and_answered() {
    run(async {
        let given = || [memory(LENGTH, SEALS), doorbell(), doorbell()];
        let numbers = [LENGTH, 512 << 10, (32 << 10) - 16, ARENA];
        let with = |at: usize, number: u64| {
            let mut numbers = numbers;
            numbers[at] = number;
            message(1, 1, numbers)
        };
        for (sent, text) in [
            (message(2, 1, numbers), "version 2 of shm://, and this side speaks 1"),
            (with(1, 512 << 20), "a ring of 536870912 bytes"),
            (with(1, (512 << 10) - 64), "a ring of 524224 bytes"),
            (with(0, u64::MAX), "in 18446744073709551615 bytes"),
            (with(2, u64::MAX), "does not take"),
            (with(3, ARENA + (1 << 20)), "an arena of 68157440"),
            (with(3, ARENA - 1), "an arena of 67108863"),
            (with(3, 2 << 30), "an arena of 2147483648"),
            (with(3, u64::MAX), "an arena of 18446744073709551615"),
        ] {
            let answer = refuses(&sent, &given(), ErrorKind::Unsupported, text).await;
            assert_eq!(answer, message(1, 3, [0; 4]), "it says that it refuses");
        }
    });
}

#[test]
fn a_client_is_told_why_a_server_is_none() {
    run(async {
        let unsealed = || vec![memory(LENGTH, SealFlags::empty()), doorbell(), doorbell()];
        for (answer, descriptors, kind, text) in [
            (message(1, 3, [0; 4]), vec![], ErrorKind::Unsupported, "the same version of farcall"),
            (message(9, 1, [0; 4]), vec![], ErrorKind::Unsupported, "version 9"),
            (message(1, 2, [0; 4]), vec![], ErrorKind::InvalidData, "out of turn"),
            (segment(), unsealed(), ErrorKind::InvalidData, "sealed"),
        ] {
            let (client, server) = Socket::pair().expect("a pair of sockets");
            send_with(&server, &answer, &descriptors);
            client.set_nonblocking(true).expect("it can");
            let client = UnixStream::from_std(client).expect("a runtime");
            let connected = connecting::connect(client, Memory::default(), "shm://test").await;
            let error = connected.expect_err(text);
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(text), "{error}");
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_nothing_is_given_up() {
    let (_client, server) = UnixStream::pair().expect("a pair of sockets");
    let accepted = connecting::accept(server, Offer::new(Memory::None), "shm://test").await;
    assert_eq!(accepted.expect_err("silence").kind(), ErrorKind::TimedOut);
}

/// The memory that a side gives away cannot be written by whoever receives it, nor change its size.
#[test]
fn a_segment_can_only_be_read_by_its_receiver() {
    run(async {
        let (mut left, right) = UnixStream::pair().expect("a pair of sockets");
        let connecting = connecting::connect(right, Memory::default(), "shm://test");
        let receiving = async {
            let received = handshake::receive(&left).await;
            left = UnixStream::pair().expect("a pair of sockets").0;
            received
        };
        let (received, _) = tokio::join!(receiving, connecting);
        let (_, given) = received.expect("a handshake");
        let memory = given.expect("a segment").memory;
        assert!(rustix::io::pwrite(&memory, b"x", 0).is_err());
        assert!(ftruncate(&memory, 0).is_err());
        assert!(ftruncate(&memory, LENGTH * 2).is_err());
        let hole = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
        assert!(rustix::fs::fallocate(&memory, hole, 0, 4096).is_err());
        assert!(fcntl_add_seals(&memory, SealFlags::WRITE).is_err());
    });
}
