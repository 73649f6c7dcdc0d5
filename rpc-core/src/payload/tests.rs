//! What a payload is made of, and how it is read and encoded.

use super::*;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Read};

/// A block whose bytes somebody else might write.
struct Foreign(Vec<u8>);

impl Block for Foreign {
    fn length(&self) -> usize {
        self.0.len()
    }

    fn read(&self, offset: usize, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0[offset..offset + bytes.len()]);
    }

    fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.0);
    }

    fn as_slice(&self) -> Option<&[u8]> {
        None
    }

    unsafe fn as_slice_unchecked(&self) -> &[u8] {
        &self.0
    }

    fn as_mut_slice(&mut self) -> Option<&mut [u8]> {
        None
    }

    fn truncate(&mut self, _length: usize) {}

    fn is_borrowed(&self) -> bool {
        true
    }
}

fn numbered(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 % 251) as u8).collect()
}

/// The same bytes in every kind of memory.
fn every_kind(bytes: &[u8]) -> [Payload; 5] {
    let mut loan = Loan::heap(bytes.len() + 7);
    loan[..bytes.len()].copy_from_slice(bytes);
    loan.truncate(bytes.len());
    let around = Arc::new(Buffer::from([b"<<", bytes, b">"].concat()));
    [
        Payload::from(bytes.to_vec()),
        Payload::from(Bytes::copy_from_slice(bytes)),
        loan.into(),
        Payload::part(&around, 2..2 + bytes.len()),
        Payload::of_block(Arc::new(Foreign(bytes.to_vec()))),
    ]
}

#[test]
fn its_bytes_are_read_the_same_wherever_they_are() {
    let lengths = [0, 1, 100, 16 << 10, 100_000];
    for length in lengths.into_iter().take(if cfg!(miri) { 3 } else { 5 }) {
        let bytes = numbered(length);
        for payload in every_kind(&bytes) {
            assert_eq!((payload.len(), payload.is_empty()), (length, length == 0));
            assert_eq!(payload.to_vec(), bytes);
            let mut chunks = Vec::new();
            payload.for_each_chunk(|chunk| chunks.extend_from_slice(chunk));
            assert_eq!(chunks, bytes);
            let mut read = Vec::new();
            payload.reader().read_to_end(&mut read).expect("memory does not fail");
            assert_eq!(read, bytes);
            let split: Vec<_> = payload.reader().split(7).filter_map(Result::ok).collect();
            assert_eq!(
                split,
                BufRead::split(&bytes[..], 7).filter_map(Result::ok).collect::<Vec<_>>()
            );
            let mut some = [9; 10];
            let count = payload.copy_to(length / 2, &mut some);
            assert_eq!(some[..count], bytes[length / 2..][..count]);
            assert_eq!(count, (length - length / 2).min(10));
            assert_eq!(payload.copy_to(length + 1, &mut some), 0);
            assert_eq!(payload.copy_to(usize::MAX, &mut some), 0);
            assert_eq!(format!("{payload:?}"), format!("Payload {{ len: {length}, .. }}"));
        }
    }
}

#[test]
fn there_is_a_slice_where_nobody_else_can_write() {
    let [foreign, rest @ ..] = {
        let mut all = every_kind(b"bytes");
        all.reverse();
        all
    };
    assert_eq!(foreign.try_as_slice(), None);
    // SAFETY: nobody writes the vector.
    assert_eq!(unsafe { foreign.as_slice_unchecked() }, b"bytes");
    for payload in rest {
        assert_eq!(payload.try_as_slice(), Some(&b"bytes"[..]));
        // SAFETY: there is a slice anyway.
        assert_eq!(unsafe { payload.as_slice_unchecked() }, b"bytes");
    }
}

#[test]
fn a_buffer_is_handed_on_without_a_copy_if_nobody_else_holds_it() {
    let payload = Payload::from(numbered(50_000));
    let at = payload.try_as_slice().expect("it is on the heap").as_ptr();
    let clone = payload.clone();
    let payload = payload.into_buffer().expect_err("somebody else holds it");
    drop(clone);
    assert_eq!(payload.into_buffer().expect("it is alone").as_ptr(), at);
}

#[derive(Serialize, Deserialize)]
struct Nested {
    maybe: Option<Payload>,
    many: Vec<Payload>,
}

fn nested() -> Nested {
    let [a, b, c, ..] = every_kind(b"abc");
    Nested { maybe: Some(a), many: vec![b, c] }
}

fn encode(value: &impl Serialize, list: &mut Vec<Payload>) -> Vec<u8> {
    let mut bytes = Vec::new();
    collect_into(list, || {
        bytes = postcard::to_allocvec(value)?;
        postcard::Result::Ok(())
    })
    .expect("it can be encoded");
    bytes
}

#[test]
fn within_a_scope_it_is_a_place_in_the_list() {
    let mut list = vec![Payload::from(&b"before"[..])];
    let bytes = encode(&nested(), &mut list);
    assert_eq!((bytes.as_slice(), list.len()), (&[1, 1, 2, 2, 3][..], 4));
    let mut list: Vec<_> = list.into_iter().map(Some).collect();
    let decoded = claim_from(&mut list, || postcard::from_bytes::<Nested>(&bytes));
    let decoded = decoded.expect("everything is there");
    assert_eq!(decoded.maybe.expect("there is one").to_vec(), b"abc");
    assert_eq!(decoded.many.len(), 2);
    assert_eq!(list.iter().flatten().count(), 1, "what was not claimed is left");
}

#[test]
fn a_payload_is_claimed_once_and_only_if_it_is_there() {
    let mut list = vec![Some(Payload::new())];
    for bytes in [&[2, 0, 0][..], &[1, 1], &[1, 0]] {
        let decoded = claim_from(&mut list, || postcard::from_bytes::<Vec<Payload>>(bytes));
        assert!(decoded.is_err(), "{bytes:?}");
    }
    assert!(list[0].is_none());
}

#[test]
fn elsewhere_it_is_bytes() {
    for payload in every_kind(&numbered(1000)) {
        let bytes = postcard::to_allocvec(&payload).expect("it can be encoded");
        let same: Payload = postcard::from_bytes(&bytes).expect("it is what was encoded");
        assert_eq!(same.to_vec(), payload.to_vec());
        assert_eq!(bytes, postcard::to_allocvec(&payload.to_vec()).expect("it can be encoded"));
    }
}

/// Encodes something else with a scope of its own on the way, and may fail after it.
struct Wrapper<'a> {
    payload: &'a Payload,
    fails: bool,
}

impl Serialize for Wrapper<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut inner = Vec::new();
        assert_eq!(encode(&vec![self.payload.clone(); 2], &mut inner), [2, 0, 1]);
        assert_eq!(inner.len(), 2);
        let done = self.payload.serialize(serializer);
        if self.fails { Err(serde::ser::Error::custom("it fails")) } else { done }
    }
}

#[test]
fn scopes_are_nested_and_a_failure_leaves_nothing() {
    let payload = &Payload::from(&b"x"[..]);
    let mut list = Vec::new();
    assert_eq!(encode(&Wrapper { payload, fails: false }, &mut list), [0]);
    assert_eq!(list.len(), 1);
    let failing = Wrapper { payload, fails: true };
    let failed = collect_into(&mut list, || postcard::to_allocvec(&failing).map(drop));
    assert!(failed.is_err());
    assert_eq!(list.len(), 1);
    let panicked = std::panic::catch_unwind(|| {
        let _ = collect_into::<()>(&mut Vec::new(), || panic!("in a value's own code"));
    });
    assert!(panicked.is_err());
    assert_eq!(postcard::to_allocvec(payload).expect("no scope is left").len(), 2);
}
