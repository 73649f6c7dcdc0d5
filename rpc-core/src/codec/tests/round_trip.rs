//! What goes in comes out, through the same bytes as postcard's.

use super::decode;
use crate::codec::{Budget, Decoder, Encoder};
use bytes::Bytes;
use proptest::{collection, prelude::*};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{borrow::Cow, collections::BTreeMap, fmt::Debug};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
enum Shape {
    Empty,
    Newtype(Box<Self>),
    Tuple(u8, i64),
    Struct { name: String, parts: Vec<Self> },
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Everything {
    unsigned: (u8, u16, u32, u64, u128),
    signed: (i8, i16, i32, i64, i128),
    floats: (f32, f64),
    other: (bool, char, ()),
    texts: Vec<Option<String>>,
    map: BTreeMap<String, Vec<u16>>,
    array: [u16; 5],
    boxed: Option<Box<Self>>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Newtype(Vec<Option<()>>);

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Unit;

/// By value and by reference alike, these are postcard's bytes, which decode to the same value; no prefix of them does.
fn check<T>(value: T)
where
    T: Serialize + DeserializeOwned + Clone + PartialEq + Debug + 'static,
{
    let want = postcard::to_stdvec(&value).unwrap();
    let mut encoder = Encoder::new();
    encoder.value(&value).unwrap();
    assert_eq!(*encoder.finish().0, want);
    let mut encoder = Encoder::new();
    encoder.owned(value.clone()).unwrap();
    assert_eq!(*encoder.finish().0, want);
    assert_eq!(decode::<T>(&want), Ok(value));
    for length in 0..want.len() {
        assert!(decode::<T>(&want[..length]).is_err(), "{length} of {want:?}");
    }
}

#[test]
fn edges_of_the_primitives() {
    for power in 0..64 {
        let number = 1_u64 << power;
        for number in [number - 1, number, u64::MAX - number] {
            check(number);
            check(number as u32);
            check(number as u16);
            check((number as u8, number as i8, number as i16, number as i32, number as i64));
            check((u128::from(number) << 64 | 1, i128::from(number) << 63, -i128::from(number)));
        }
    }
    check((u128::MAX, i128::MIN, i128::MAX, i64::MIN, i64::MAX));
    check((f32::MIN, f64::INFINITY, -0.0_f64, true, false));
    "\0aé€\u{10ffff}".chars().for_each(check);
}

#[test]
fn shapes_of_serde() {
    check(());
    check(Unit);
    check(vec![(); 300]);
    check(vec![Unit; 3]);
    check([[1_u8, 2], [3, 4]]);
    check(Some(Some(Some(()))));
    check(Newtype(vec![None, Some(())]));
    check(Shape::Newtype(Box::new(Shape::Empty)));
    check(Ok::<Vec<u8>, String>(vec![1, 2]));
    check(BTreeMap::from([((), 7_u8)]));
    check(std::collections::HashMap::from([(1_u8, Unit)]));
    check(std::time::Duration::new(5, 6));
    check((vec![1_u8, 2], String::from("text"), Bytes::from_static(b"bytes")));
}

#[test]
fn borrowed_values_lie_in_the_bytes() {
    #[derive(PartialEq, Debug, Serialize, Deserialize)]
    struct Lines<'a> {
        text: &'a str,
        bytes: &'a [u8],
        #[serde(borrow)]
        maybe: Cow<'a, str>,
    }
    let lines = Lines { text: "text", bytes: b"bytes", maybe: Cow::Borrowed("maybe") };
    let mut encoder = Encoder::new();
    encoder.value(&lines).unwrap();
    encoder.str("é");
    encoder.bytes(&[0xff; 130]);
    let (head, _) = encoder.finish();
    let mut decoder = Decoder::new(&head, Budget { bytes: 0, depth: 1 });
    let read: Lines<'_> = decoder.value().unwrap();
    assert_eq!(read, lines);
    assert!(head.as_ptr_range().contains(&read.text.as_ptr()));
    assert!(matches!(read.maybe, Cow::Borrowed(_)));
    assert_eq!(decoder.str(), Ok("é"));
    assert_eq!(decoder.bytes(), Ok(&[0xff; 130][..]));
    assert_eq!(decoder.end(), Ok(()));
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        Just(Shape::Empty),
        (any::<u8>(), any::<i64>()).prop_map(|(a, b)| Shape::Tuple(a, b))
    ];
    leaf.prop_recursive(6, 64, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|shape| Shape::Newtype(Box::new(shape))),
            (".{0,4}", collection::vec(inner, 0..4))
                .prop_map(|(name, parts)| Shape::Struct { name, parts }),
        ]
    })
}

prop_compose! {
    fn everything()(
        unsigned in any::<(u8, u16, u32, u64, u128)>(),
        signed in any::<(i8, i16, i32, i64, i128)>(),
        floats in any::<(f32, f64)>(),
        other in any::<(bool, char, ())>(),
        texts in collection::vec(proptest::option::of(".{0,9}"), 0..5),
        map in collection::btree_map(".{0,3}", collection::vec(any::<u16>(), 0..5), 0..4),
        array in any::<[u16; 5]>(),
        boxed in any::<bool>(),
    ) -> Everything {
        let boxed = boxed.then(Box::default);
        Everything { unsigned, signed, floats, other, texts, map, array, boxed }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn values_of_any_shape(shape in shape()) {
        check(shape);
    }

    #[test]
    fn values_with_every_type(value in everything()) {
        check(value);
    }

    #[test]
    fn bulk_types(bytes: Vec<u8>, text: String) {
        check(Bytes::from(bytes.clone()));
        check(bytes);
        check(text);
    }

    /// What we accept, postcard accepts, and writing it gives the same bytes: a value has one encoding.
    #[test]
    fn random_bytes(bytes in collection::vec(prop_oneof![0_u8..4, any::<u8>()], 0..24)) {
        fn accepted<T: Serialize + DeserializeOwned + 'static>(bytes: &[u8]) {
            if let Ok(value) = decode::<T>(bytes) {
                assert_eq!(postcard::to_stdvec(&value).unwrap(), bytes);
                assert!(postcard::from_bytes::<T>(bytes).is_ok());
            }
        }
        accepted::<Shape>(&bytes);
        accepted::<Everything>(&bytes);
        accepted::<Vec<(Option<bool>, u16)>>(&bytes);
        accepted::<(i32, u128, char, String)>(&bytes);
        accepted::<Newtype>(&bytes);
    }
}
