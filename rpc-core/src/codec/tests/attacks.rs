//! Bytes that a peer sends to hurt: the decode attacks of the catalogue, each with its outcome.

use super::decode;
use crate::codec::{Budget, Decoder};
use crate::limits::Limits;
use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fmt::Debug};

const CUT: &str = "the bytes end inside of it";
const VARINT: &str = "a number is malformed or out of range";
const LENGTH: &str = "a length is larger than the bytes that follow it";
const TEXT: &str = "a text is not UTF-8";
const CHAR: &str = "a char is not one Unicode character";
const DEPTH: &str = "it is nested deeper than the limit `depth` allows";
const MEMORY: &str = "it takes more memory than the limit `decoded` allows";

fn check<T: DeserializeOwned + Debug + 'static>(bytes: &[u8], want: &str) {
    let name = std::any::type_name::<T>();
    let want =
        format!("cannot decode `{name}`: {want}; the two builds may disagree about this type");
    assert_eq!(decode::<T>(bytes).unwrap_err().text(), want);
}

/// The length 2^60.
const HUGE: [u8; 9] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];

#[test]
fn numbers() {
    let maximum = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(decode(&maximum), Ok(u64::MAX));
    check::<u64>(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], VARINT);
    check::<u64>(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00], VARINT);
    check::<u64>(&[0x80, 0x00], VARINT);
    check::<u64>(&[0x81, 0x80, 0x00], VARINT);
    check::<u64>(&[0x80; 40], VARINT);
    check::<u64>(&[0x80; 9], CUT);
    check::<u64>(&[], CUT);
    check::<u32>(&[0xff, 0xff, 0xff, 0xff, 0x10], VARINT);
    check::<i32>(&[0xff, 0xff, 0xff, 0xff, 0x1f], VARINT);
    check::<u16>(&[0xff, 0xff, 0x04], VARINT);
    check::<u16>(&maximum, VARINT);
    check::<u128>(&[0x80, 0x00], VARINT);
    check::<u128>(&[0xff; 40], VARINT);
    check::<u128>(&[[0xff; 18].as_slice(), &[0x04]].concat(), VARINT);
    check::<f64>(&[0; 7], CUT);
    check::<bool>(&[2], "a boolean is neither 0 nor 1");
    check::<Option<u8>>(&[2, 0], "the mark of an option is neither 0 nor 1");
}

#[test]
fn texts_and_lengths() {
    check::<char>(&[4, 0xf4, 0x90, 0x80, 0x80], CHAR); // 0x110000
    check::<char>(&[3, 0xed, 0xa0, 0x80], CHAR); // a surrogate
    check::<char>(&[0], CHAR);
    check::<char>(&[2, b'a', b'b'], CHAR);
    check::<char>(&HUGE, LENGTH);
    check::<String>(&[1, 0xff], TEXT);
    check::<Vec<String>>(&[1, 1, 0xff], TEXT);
    check::<String>(&[2, b'a'], LENGTH);
    for bytes in [HUGE.as_slice(), &[5, 1, 2, 3, 4]] {
        check::<String>(bytes, LENGTH);
        check::<Vec<u8>>(bytes, LENGTH);
        check::<Bytes>(bytes, LENGTH);
        check::<(String,)>(bytes, LENGTH);
        check::<Box<[u16]>>(bytes, LENGTH);
        check::<Vec<Vec<u64>>>(bytes, LENGTH);
        check::<BTreeMap<u8, u8>>(bytes, LENGTH);
        check::<BTreeMap<(), u8>>(bytes, if bytes == HUGE { MEMORY } else { LENGTH });
    }
    check::<Vec<()>>(&HUGE, MEMORY);
    check::<Vec<[(); 3]>>(&HUGE, MEMORY);
    check::<BTreeMap<(), ()>>(&HUGE, MEMORY);
    check::<Vec<u8>>(&[0x80, 0x00], VARINT);
}

#[test]
fn words_about_the_type() {
    #[derive(Serialize, Deserialize, Debug)]
    enum Two {
        First,
        Second(u8),
    }
    check::<Two>(&[2], "invalid value: integer `2`, expected variant index 0 <= i < 2");
    check::<std::num::NonZeroU8>(&[0], "invalid value: integer `0`, expected a nonzero u8");
    #[derive(Serialize, Deserialize, Debug)]
    #[serde(untagged)]
    enum Untagged {
        Number(u8),
    }
    let ask = "it must be told what follows, which the bytes do not say (untagged, flattened)";
    check::<Untagged>(&[1], ask);
    let bytes = [1, 2, 3];
    let mut decoder = Decoder::new(&bytes, Budget::of(&Limits::default(), 3));
    assert_eq!(decoder.value(), Ok(1_u8));
    let want = "2 bytes are left after the last value; the two builds may disagree about its type";
    assert_eq!(decoder.end().unwrap_err().text(), want);
}

#[test]
fn a_sequence_that_takes_fewer_elements() {
    #[derive(Debug)]
    struct First;
    impl<'de> Deserialize<'de> for First {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = First;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("elements")
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(
                    self,
                    mut seq: A,
                ) -> Result<First, A::Error> {
                    seq.next_element::<u8>().map(|_| First)
                }
            }
            deserializer.deserialize_seq(Visitor)
        }
    }
    assert!(decode::<First>(&[1, 7]).is_ok());
    check::<First>(&[2, 7, 8], "a sequence has more elements than its type takes");
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum List {
    End,
    Link(Box<Self>),
}

#[derive(Serialize, Deserialize, Debug)]
struct Tree(Vec<Self>);

#[derive(Serialize, Deserialize, Debug)]
struct Chain {
    next: Option<Box<Self>>,
}

#[derive(Serialize, Deserialize, Debug)]
struct Only(Option<Box<Self>>);

#[derive(Serialize, Deserialize, Debug)]
struct Map(BTreeMap<u8, Self>);

#[test]
fn recursion() {
    for levels in [65, 45_000, 1_000_000] {
        let bytes = vec![1; levels];
        check::<List>(&bytes, DEPTH);
        check::<Tree>(&bytes, DEPTH);
        check::<Chain>(&bytes, DEPTH);
        check::<Only>(&bytes, DEPTH);
        check::<Map>(&bytes.repeat(2), DEPTH);
    }
    let mut deepest = vec![1; 63];
    deepest.push(0);
    assert!(decode::<List>(&deepest).is_ok());
    assert!(decode::<Tree>(&deepest).is_ok());
    assert!(decode::<Chain>(&deepest[32..]).is_ok());
}

#[test]
fn siblings_are_not_depth() {
    let lists: Vec<List> = (0..1000).map(|_| List::Link(Box::new(List::End))).collect();
    assert_eq!(decode(&postcard::to_stdvec(&lists).unwrap()), Ok(lists));
    let wide = vec![vec![Some(1_u8)]; 1000];
    assert_eq!(decode(&postcard::to_stdvec(&wide).unwrap()), Ok(wide));
}

/// A frame full of small encodings of large things.
#[test]
fn amplifiers() {
    type Large = [u64; 32];
    #[derive(Serialize, Deserialize, Debug)]
    struct Wide([Option<Large>; 32]);
    #[derive(Serialize, Deserialize, Debug)]
    struct Boxed(Box<Wide>);

    // A million; under Miri less, but too much all the same.
    let all = if cfg!(miri) { 140_800 } else { 1_000_000 };
    let zeros = |elements: usize| {
        let mut bytes = postcard::to_stdvec(&elements).unwrap();
        bytes.resize(bytes.len() + all, 0);
        bytes
    };
    check::<Vec<Option<Large>>>(&zeros(all), MEMORY);
    check::<BTreeMap<u32, Option<Large>>>(&zeros(all / 2), MEMORY);
    check::<Vec<Boxed>>(&zeros(all / 32), MEMORY);
    check::<Vec<Option<u64>>>(&zeros(all), MEMORY);
    check::<Vec<Vec<u8>>>(&zeros(all), MEMORY);
    // The whole budget is 8 bytes for each byte of the frame.
    assert!(decode::<Vec<u64>>(&zeros(all)).is_ok());
    assert!(decode::<Vec<(u16, u32)>>(&zeros(all / 2)).is_ok());
}

/// The budget is charged exactly: one byte less is an error.
#[test]
fn prices() {
    fn check<T: Serialize + DeserializeOwned + 'static>(value: T, price: usize) {
        let bytes = postcard::to_stdvec(&value).unwrap();
        let decode = |bytes_allowed| {
            let budget = Budget { bytes: bytes_allowed, depth: 8 };
            Decoder::new(&bytes, budget).owned::<T>().is_ok()
        };
        assert!(decode(price), "{price} is too little");
        assert!(price == 0 || !decode(price - 1), "{price} is too much");
    }
    check((1_u64, [2_u8; 4], Some('c'), Ok::<u8, u16>(1)), 0);
    check(vec![1_u64; 10], 80);
    check(vec![(1_u8, [1_u16; 3]); 10], 80);
    check(vec![Some([1_u32; 3]); 10], 160);
    check(vec![vec![1_u16; 3]; 2], 2 * size_of::<Vec<u16>>() + 12);
    check(BTreeMap::from([(1_u32, 2_u8), (2, 3)]), 10);
    check(String::from("12345"), 5);
    check(vec![1_u8; 5], 5);
    check(Bytes::from_static(b"12345"), 5);
    check((String::from("12345"), vec![1_u8; 5]), 10);
    check(Box::new([1_u64; 3]), 24);
    check(vec![Some(Box::new((1_u64, 2_u64))); 2], 2 * size_of::<usize>() + 32);
    check(vec![(); 7], 7);
}

#[test]
fn values_of_one_decoder_share_its_budget() {
    let bytes = postcard::to_stdvec(&("abc", "def")).unwrap();
    let mut decoder = Decoder::new(&bytes, Budget { bytes: 5, depth: 8 });
    assert_eq!(decoder.owned(), Ok("abc".to_owned()));
    assert!(decoder.owned::<String>().unwrap_err().text().contains(MEMORY));
}

#[test]
fn budgets_follow_the_frame() {
    let limits = Limits::default();
    let budget = |frame| Budget::of(&limits, frame);
    assert_eq!(budget(0), Budget { bytes: 1 << 20, depth: 64 });
    assert_eq!(budget(16 << 20), Budget { bytes: 128 << 20, depth: 64 });
    assert_eq!(budget(usize::MAX).bytes, usize::MAX);
}
