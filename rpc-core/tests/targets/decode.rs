//! Values: decoding never panics, never builds more than its budget, and what decodes encodes to a value that is equal.

use bytes::Bytes;
use farcall_core::{
    codec::{Budget, Decoder, Encoder},
    error::Error,
    limits::Limits,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fmt::Debug, num::NonZeroU32};

#[derive(PartialEq, Debug, Serialize, Deserialize)]
enum Shape {
    Empty,
    Newtype(Box<Self>),
    Tuple(u8, i64),
    Struct { name: String, parts: Vec<Self> },
}

#[derive(PartialEq, Debug, Serialize, Deserialize)]
struct Everything {
    unsigned: (u8, u16, u32, u64, u128),
    signed: (i8, i16, i32, i64, i128),
    other: (bool, char, (), NonZeroU32),
    array: [u16; 3],
    boxed: Option<Box<Self>>,
}

#[derive(PartialEq, Debug, Serialize, Deserialize)]
struct Tree(Vec<Self>);

type Large = [u64; 32];

/// Takes the first byte for a type and the rest for a value of it.
pub fn run(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    match first % 14 {
        0 => check::<(u64, i128, bool, char)>(bytes),
        1 => check::<String>(bytes),
        2 => check::<Vec<u8>>(bytes),
        3 => check::<Bytes>(bytes),
        4 => check::<Vec<Option<Large>>>(bytes),
        5 => check::<Vec<()>>(bytes),
        6 => check::<BTreeMap<String, Vec<u16>>>(bytes),
        7 => check::<Shape>(bytes),
        8 => check::<Everything>(bytes),
        9 => check::<Tree>(bytes),
        10 => check::<Result<(u8, String), Error>>(bytes),
        11 => check::<Vec<(Box<str>, Option<Vec<Bytes>>)>>(bytes),
        12 => borrowed(bytes),
        _ => several(bytes),
    }
}

fn decoder(bytes: &[u8]) -> Decoder<'_> {
    Decoder::new(bytes, Budget::of(&Limits::default(), bytes.len()))
}

fn check<T>(bytes: &[u8])
where
    T: Serialize + DeserializeOwned + PartialEq + Debug + 'static,
{
    let mut decoder = decoder(bytes);
    let Ok(value) = decoder.owned::<T>() else { return };
    let whole = decoder.end().is_ok();
    let mut encoder = Encoder::new();
    encoder.value(&value).expect("what was decoded can be encoded");
    let (head, tail) = encoder.finish();
    let mut again: Vec<u8> = head.to_vec();
    again.extend(tail.iter().flat_map(|tail| tail.iter()));
    assert!(again.len() <= bytes.len(), "there is one encoding, but for maps with doubles");
    let generous = Budget { bytes: usize::MAX, depth: 1 << 10 };
    assert_eq!(Decoder::new(&again, generous).owned::<T>().as_ref(), Ok(&value));
    // Postcard, which is more tolerant, agrees.
    assert_eq!(postcard::from_bytes::<T>(&again).as_ref(), Ok(&value));
    if whole {
        assert_eq!(postcard::from_bytes::<T>(bytes).as_ref(), Ok(&value));
    }
}

/// Slices of the frame itself.
fn borrowed(bytes: &[u8]) {
    let mut decoder = decoder(bytes);
    let Ok(slice) = decoder.bytes() else { return };
    let Ok(text) = decoder.str() else { return };
    assert!(slice.len() + text.len() < bytes.len());
    let _ = decoder.value::<(&str, Option<&[u8]>)>();
    let _ = decoder.end();
}

/// Arguments, one after the other.
fn several(bytes: &[u8]) {
    let mut decoder = decoder(bytes);
    while let Ok(number) = decoder.value::<u32>() {
        let failed = match number % 4 {
            0 => decoder.owned::<String>().is_err(),
            1 => decoder.owned::<Vec<u8>>().is_err(),
            2 => decoder.value::<Option<(f32, f64)>>().is_err(),
            _ => decoder.bytes().is_err(),
        };
        if failed {
            return;
        }
    }
    let _ = decoder.end();
}
