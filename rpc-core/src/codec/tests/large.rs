//! Where the head ends, what is moved, and what is left behind by an error.

use crate::codec::{Budget, Decoder, Encoder};
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use bytes::Bytes;
use serde::{Serialize, Serializer, ser};
use std::fmt;

const BULK: usize = 32 << 10;

/// Where the bytes went: the head's length and the tail's, if any. Together they are postcard's.
fn check(write: impl FnOnce(&mut Encoder), want: &[u8], split: (usize, Option<usize>)) {
    let mut encoder = Encoder::new();
    write(&mut encoder);
    let (head, tail) = encoder.finish();
    assert_eq!((head.len(), tail.as_ref().map(|tail| tail.len())), split);
    let tail = tail.as_deref().unwrap_or_default();
    assert!([&head[..], tail].concat() == want);
}

#[test]
fn the_first_bulk_value_starts_the_tail() {
    let small = vec![7; BULK - 1];
    let bulk = vec![8; BULK];
    let text = "x".repeat(BULK);
    let postcard = |value: &(u8, &[u8], u8)| postcard::to_stdvec(value).unwrap();

    let want = postcard(&(1, &small, 2));
    let write = |encoder: &mut Encoder| {
        encoder.value(&1_u8).unwrap();
        encoder.bytes(&small);
        encoder.value(&2_u8).unwrap();
    };
    check(write, &want, (BULK + 4, None));

    let want = postcard(&(1, &bulk, 2));
    let split = (4, Some(BULK + 1));
    let write = |encoder: &mut Encoder| {
        encoder.value(&1_u8).unwrap();
        encoder.bytes(&bulk);
        encoder.value(&2_u8).unwrap();
    };
    check(write, &want, split);
    let write = |encoder: &mut Encoder| {
        encoder.owned(1_u8).unwrap();
        encoder.owned(bulk.clone()).unwrap();
        encoder.owned(2_u8).unwrap();
    };
    check(write, &want, split);
    let write = |encoder: &mut Encoder| {
        encoder.owned(1_u8).unwrap();
        encoder.owned(Bytes::from(bulk.clone())).unwrap();
        encoder.owned(2_u8).unwrap();
    };
    check(write, &want, split);

    let want = postcard::to_stdvec(&(&text, &bulk, &text, "end")).unwrap();
    let write = |encoder: &mut Encoder| {
        encoder.owned(text.clone()).unwrap();
        encoder.owned(bulk.clone()).unwrap();
        encoder.str(&text);
        encoder.str("end");
    };
    check(write, &want, (3, Some(3 * BULK + 3 + 3 + 4)));
}

#[test]
fn a_bulk_value_is_moved_and_bytes_that_others_hold_are_shared() {
    let vector = vec![1_u8; BULK];
    let shared = Bytes::from(vec![1_u8; BULK]);

    let place = vector.as_ptr();
    let mut encoder = Encoder::new();
    encoder.owned(vector).unwrap();
    assert_eq!(encoder.finish().1.unwrap().as_ptr(), place);

    let place = shared.as_ptr();
    let mut encoder = Encoder::new();
    encoder.owned(shared.clone()).unwrap();
    assert_eq!(encoder.finish().1.unwrap().as_ptr(), place);

    let mut encoder = Encoder::new();
    encoder.owned(shared.clone()).unwrap();
    encoder.value(&7_u8).unwrap();
    let tail = encoder.finish().1.unwrap();
    assert_ne!(tail.as_ptr(), place);
    assert_eq!((&tail[..BULK], &tail[BULK..]), (&shared[..], &[7][..]));
}

#[test]
fn bytes_that_are_a_large_part_of_what_they_came_in_are_shared() {
    fn check(lengths: [usize; 2], shares: [bool; 2]) {
        let mut encoder = Encoder::new();
        let values = lengths.map(|length| Bytes::from(vec![1; length]));
        values.iter().for_each(|bytes| encoder.owned(bytes.clone()).unwrap());
        let whole = Bytes::copy_from_slice(&[&[9; 100], &*encoder.finish().0].concat());
        let budget = Budget::of(&Limits::default(), whole.len());
        let mut decoder = Decoder::new(&whole[100..], budget).keeping(Some(&whole));
        let read: [Bytes; 2] = [(); 2].map(|()| decoder.owned().unwrap());
        decoder.end().unwrap();
        assert_eq!(read, values);
        let within = |bytes: &Bytes| whole.as_ptr_range().contains(&bytes.as_ptr());
        assert_eq!(read.each_ref().map(within), shares);
    }
    check([10_000, 5_000], [true, false]);
    check([10_000, 20_000], [false, true]);
    check([10_000, 10_000], [false, false]);
}

/// Says how long it is when asked to, and fails after its first field.
struct Refuses;

impl Serialize for Refuses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use ser::SerializeTuple;
        let mut tuple = serializer.serialize_tuple(2)?;
        tuple.serialize_element(&7_u8)?;
        Err(ser::Error::custom("no"))
    }
}

impl fmt::Display for Refuses {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

#[test]
fn a_value_that_fails_to_encode_leaves_nothing_behind() {
    struct Endless;
    impl Serialize for Endless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_seq(None)?;
            unreachable!()
        }
    }
    struct Shown;
    impl Serialize for Shown {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&Refuses)
        }
    }
    fn check<T: Serialize + 'static>(value: T, want: &str) {
        let want = format!("cannot encode `{}`: {want}", std::any::type_name::<T>());
        let want = Err(Error::of(ErrorKind::Encode, want));
        let mut encoder = Encoder::new();
        encoder.value(&1_u8).unwrap();
        assert_eq!(encoder.value(&value), want);
        encoder.bytes(&[0; BULK]);
        assert_eq!(encoder.owned(value), want);
        encoder.value(&2_u8).unwrap();
        let (head, tail) = encoder.finish();
        assert_eq!((head[0], head.len()), (1, 4));
        assert_eq!(tail.map(|tail| tail.len()), Some(BULK + 1));
    }
    check(Refuses, "its implementation of `Serialize` or `Display` failed");
    check((1_u8, vec![Refuses]), "its implementation of `Serialize` or `Display` failed");
    check(Shown, "its implementation of `Serialize` or `Display` failed");
    let unknown = "a sequence or map in it does not know its length in advance: collect it first";
    check(Endless, unknown);
}
