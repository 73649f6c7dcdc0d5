//! Every frame there and back, every prefix refused, nothing panics.

use super::*;
use crate::{error::ErrorKind, id::MethodId};
use proptest::prelude::*;

const CALL: CallId = CallId { slot: 300, generation: 7 };
const OBJECT: ObjectId = ObjectId { slot: 2, generation: 1 };

/// Three bytes inline, none inline, 100 bytes beside the frame.
const PAYLOADS: &[u8] = &[3, 3 << 1, 0, 0xc9, 1];

/// None, an object of the sender's, one of the receiver's, and what a call will return.
const REFERENCES: &[u8] = &[4, 0, 1, 2, 1, 3, 2, 0, 0, 3, 0xac, 2, 7];

fn samples() -> Vec<Frame<'static>> {
    let bare = CallHeader {
        call: Some(CALL),
        target: Target::Export(OBJECT),
        method: MethodId::of("add"),
        remaining: None,
        chain: None,
        trace: None,
        metadata: &[],
        references: References::default(),
        payloads: Table::default(),
    };
    let full = CallHeader {
        call: None,
        remaining: Some(10_000),
        chain: Some(u64::MAX),
        trace: Some(&[9; 25]),
        metadata: b"\x01k\x01v",
        ..bare.clone()
    };
    let payloads = Table::of(PAYLOADS);
    let loaded = CallHeader { payloads, ..full.clone() };
    let bulky = CallHeader { payloads: payloads.with_values(), ..full.clone() };
    let references = References::of(REFERENCES);
    let referring = CallHeader { references, target: Target::Answer(CALL), ..loaded.clone() };
    let with_values = ReturnHeader { payloads: payloads.with_values(), ..ReturnHeader::of(CALL) };
    let kept = ReturnHeader { kept: true, references, payloads, call: CALL };
    let hello = Hello {
        version: VERSION,
        features: 0,
        peer: [1; 16],
        host: [2; 16],
        processor: 0,
        frame: 16 << 20,
        serving: 1024,
    };
    let header = ReturnHeader::of(CALL);
    let error = Error::of(ErrorKind::Overloaded, "busy");
    vec![
        Frame::Hello(hello),
        Frame::Call(bare, b"arguments"),
        Frame::Call(full, b""),
        Frame::Call(loaded, b"argumentsabc"),
        Frame::Call(bulky, b"abc"),
        Frame::Return(with_values, Outcome::App(b"abc")),
        Frame::Return(header, Outcome::Ok(b"value")),
        Frame::Return(ReturnHeader { payloads, ..header }, Outcome::Ok(b"valueabc")),
        Frame::Return(ReturnHeader { payloads, ..header }, Outcome::App(b"abc")),
        Frame::Return(header, Outcome::App(b"")),
        Frame::Return(header, Outcome::Rpc(error.clone())),
        Frame::Return(header, Outcome::Cancelled),
        Frame::Finish(CALL),
        Frame::Call(referring, b"argumentsabc"),
        Frame::Return(kept, Outcome::App(b"abc")),
        Frame::Return(ReturnHeader { kept: true, ..header }, Outcome::Cancelled),
        Frame::Release(Releases::of(&[2, 1, 0xff, 0xff, 0xff, 0xff, 15])),
        Frame::Release(Releases::of(&[2, 1, 1, 3, 0, 2])),
        Frame::Broken(OBJECT, error.clone()),
        Frame::Interface(b"described"),
        Frame::Ping(u64::MAX),
        Frame::Pong(0),
        Frame::Goodbye { accepted: 128 },
        Frame::Abort(error),
        Frame::Unimplemented(99),
        Frame::Unknown(200),
    ]
}

fn encoded(frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    bytes
}

#[test]
fn every_frame_goes_there_and_back() {
    for frame in samples() {
        assert_eq!(Frame::decode(&encoded(&frame)), Ok(frame));
    }
}

#[test]
fn a_null_call_has_at_most_16_bytes_of_header() {
    let header = CallHeader {
        call: Some(CallId { slot: 1023, generation: u16::MAX }),
        target: Target::Export(ObjectId { slot: 1, generation: 0 }),
        method: MethodId(u32::MAX),
        remaining: Some(10_000),
        chain: None,
        trace: None,
        metadata: &[],
        references: References::default(),
        payloads: Table::default(),
    };
    let mut bytes = Vec::new();
    header.encode(&mut bytes);
    assert!(bytes.len() <= 16, "{} bytes", bytes.len());
}

#[test]
fn a_cut_frame_is_refused_or_shorter() {
    for frame in samples() {
        let bytes = encoded(&frame);
        for end in 0..bytes.len() {
            assert_ne!(Frame::decode(&bytes[..end]), Ok(frame.clone()), "{frame:?} cut at {end}");
        }
    }
}

#[test]
fn a_table_has_a_place_for_each_payload() {
    let entries = [(3, Place::Inline), (0, Place::Inline), (100, Place::Beside)];
    let entries = entries.map(|(length, place)| Entry { length, place });
    let table = Table::of(PAYLOADS);
    assert!(table.entries().eq(entries));
    assert_eq!((table.inline(), table.is_empty()), (3, false));
    let mut bytes = Vec::new();
    Table::encode(entries.into_iter(), &mut bytes);
    assert_eq!(bytes, PAYLOADS);
    Table::encode([].into_iter(), &mut bytes);
    assert_eq!(bytes, PAYLOADS);
    assert!(Table::default().is_empty() && Table::default().entries().next().is_none());
}

#[test]
fn a_table_that_cannot_be_is_refused() {
    let check = |table: &[u8], rest: usize, want: Result<usize, FrameError>| {
        let bytes = [table, &vec![0; rest]].concat();
        let decoded = Table::decode(&mut Reader::new(&bytes)).map(|table| table.entries().count());
        assert_eq!(decoded, want, "{table:?} and {rest} bytes");
    };
    let most = [&[64][..], &[0; 64]].concat();
    check(&most, 0, Ok(64));
    check(&[&[65][..], &[0; 65]].concat(), 0, Err(FrameError::Value));
    check(&[0], 0, Err(FrameError::Value));
    check(&[1, 3 << 1], 3, Ok(1));
    check(&[1, 3 << 1], 2, Err(FrameError::Cut));
    check(&[2, 3 << 1, 1 << 1], 3, Err(FrameError::Cut));
    check(&[1, 3 << 1 | 1], 0, Ok(1));
    check(&[1, 1], 0, Err(FrameError::Value));
    check(&[2, 0], 0, Err(FrameError::Cut));
    check(&[1, 0x80, 0], 0, Err(FrameError::Varint));
    let huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    check(&[&[2][..], &huge, &huge].concat(), 8, Err(FrameError::Cut));
}

#[test]
fn values_that_are_beside_are_not_in_the_frame_too() {
    let check = |table: &[u8], rest: usize, want: bool| {
        let bytes = [&[kind::RETURN, 192, 0, 0], table, &vec![0; rest]].concat();
        assert_eq!(Frame::decode(&bytes).is_ok(), want, "{table:?} and {rest} bytes");
    };
    check(PAYLOADS, 3, true);
    check(PAYLOADS, 4, false);
    check(&[1, 3 << 1], 3, false);
    check(&[2, 0xc9, 1, 3 << 1], 3, false);
    check(&[1, 0xc9, 1], 0, true);
    let alone = [kind::RETURN, 64, 0, 0];
    assert_eq!(Frame::decode(&alone), Err(FrameError::Value));
}

#[test]
fn only_values_come_with_references_and_payloads() {
    for outcome in [2, 3, 4] {
        let bytes = [&[kind::RETURN, outcome | 32, 0, 0][..], REFERENCES].concat();
        assert!(Frame::decode(&bytes).is_err(), "{outcome}");
        let bytes = [&[kind::RETURN, outcome | 128, 0, 0][..], PAYLOADS, b"abc"].concat();
        assert_eq!(Frame::decode(&bytes), Err(FrameError::Value), "{outcome}");
    }
}

#[test]
fn references_are_read_as_they_were_written() {
    let object = |slot, generation| ObjectId { slot, generation };
    let descriptors = [
        Descriptor::Null,
        Descriptor::Mine(object(2, 1), 3),
        Descriptor::Yours(object(0, 0)),
        Descriptor::YourAnswer(CALL),
    ];
    assert!(References::of(REFERENCES).descriptors().eq(descriptors));
    let mut bytes = Vec::new();
    References::encode(&descriptors, &mut bytes);
    assert_eq!(bytes, REFERENCES);
    References::encode(&[], &mut bytes);
    assert_eq!(bytes, REFERENCES);
}

#[test]
fn references_that_cannot_be_are_refused() {
    let check = |bytes: &[u8], want: Result<usize, FrameError>| {
        let decoded = References::decode(&mut Reader::new(bytes));
        assert_eq!(decoded.map(|found| found.descriptors().count()), want, "{bytes:?}");
    };
    check(&[&[64][..], &[0; 64]].concat(), Ok(64));
    check(&[&[65][..], &[0; 65]].concat(), Err(FrameError::Value));
    check(&[0], Err(FrameError::Value));
    check(&[2, 0], Err(FrameError::Cut));
    check(&[1, 6], Err(FrameError::Value));
    check(&[1, 1, 0, 0], Err(FrameError::Cut));
}

#[test]
fn a_release_gives_back_something() {
    for bytes in [&[kind::RELEASE][..], &[kind::RELEASE, 1, 0], &[kind::RELEASE, 1, 0, 0]] {
        assert!(Frame::decode(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn varints_have_one_form() {
    let check = |bytes: &[u8], want: Result<u64, FrameError>| {
        assert_eq!(Reader::new(bytes).u64(), want, "{bytes:?}");
    };
    check(&[0], Ok(0));
    check(&[0x7f], Ok(127));
    check(&[0x80, 1], Ok(128));
    check(&[0x80, 0], Err(FrameError::Varint));
    check(&[0x80], Err(FrameError::Cut));
    check(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], Ok(u64::MAX));
    check(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], Err(FrameError::Varint));
    check(&[0x80; 11], Err(FrameError::Varint));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = Frame::decode(&bytes);
    }

    #[test]
    fn what_decodes_encodes_to_the_same_meaning(
        kind in 1_u8..18,
        tail in proptest::collection::vec(any::<u8>(), 0..48),
    ) {
        let bytes = [&[kind][..], &tail].concat();
        if let Ok(frame) = Frame::decode(&bytes) {
            let again = encoded(&frame);
            prop_assert_eq!(Frame::decode(&again), Ok(frame));
        }
    }
}
