//! Arguments made to hurt whoever decodes them: an error each, and the connection goes on.

use crate::{
    attacker::{Attacker, Said, call, id, varint},
    fortress::attacked,
};
use farcall::{ErrorKind, Executed};

const MEMORY: &str = "it takes more memory than the limit `decoded` allows";
const DEPTH: &str = "it is nested deeper than the limit `depth` allows";
const LENGTH: &str = "a length is larger than the bytes that follow it";
const TEXT: &str = "a text is not UTF-8";
const VARINT: &str = "a number is malformed or out of range";

fn attacks() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let amplifier = [varint(1_000_000), vec![0; 1_000_000]].concat();
    let deep = |depth| [vec![1; depth], vec![0]].concat();
    vec![
        ("nothings", varint(1 << 60), MEMORY),
        ("wide", amplifier, MEMORY),
        ("wide", varint(1 << 60), LENGTH),
        ("nested", deep(45_000), DEPTH),
        ("nested", deep(1_000_000), DEPTH),
        ("text", vec![5, b'a'], LENGTH),
        ("text", varint(u64::MAX), LENGTH),
        ("text", vec![2, 0xc3, 0x28], TEXT),
        ("lent_text", vec![1, 0xff], TEXT),
        ("flag", vec![2], "a boolean is neither 0 nor 1"),
        ("letter", vec![4, 0xf4, 0x90, 0x80, 0x80], "a char is not one Unicode character"),
        ("letter", vec![3, 0xed, 0xa0, 0x80], "a char is not one Unicode character"),
        ("number", vec![0x80, 0], VARINT),
        ("number", vec![0xff; 40], VARINT),
        ("number", vec![], "the bytes end inside of it"),
        ("number", vec![1, 2, 3], "2 bytes are left after the last value"),
        ("map", varint(1 << 40), LENGTH),
    ]
}

#[test]
fn bad_arguments_are_refused() {
    attacked(|_, address| {
        let (mut attacker, target) = Attacker::bound(address, "target", 0);
        for (method, arguments, want) in attacks() {
            attacker.send(&[call(Some(id(1)), target, method, &arguments)]);
            let said = attacker.next();
            let Said::Refused(_, error) = said else { panic!("{method}: {said:?}") };
            assert_eq!(
                (error.kind(), error.executed()),
                (ErrorKind::Decode, Executed::No),
                "{error}"
            );
            assert!(error.text().contains(want), "{method}: {error}");
        }
        attacker.send(&[call(Some(id(2)), target, "number", &[3])]);
        assert_eq!(attacker.next(), Said::Ok(id(2), vec![]));
    });
}

/// A type that panics while it is decoded harms its own call only.
#[test]
fn a_type_that_panics_is_its_callers_error() {
    attacked(|_, address| {
        let (mut attacker, target) = Attacker::bound(address, "target", 0);
        for number in 1..=20 {
            attacker.send(&[call(Some(id(number)), target, "mine", &[1])]);
            let said = attacker.next();
            let Said::Refused(_, error) = said else { panic!("it exploded: {said:?}") };
            assert_eq!((error.kind(), error.executed()), (ErrorKind::Panicked, Executed::Yes));
            assert!(!error.text().contains("a mine"), "{error}");
        }
        attacker.send(&[call(Some(id(2)), target, "number", &[3])]);
        assert_eq!(attacker.next(), Said::Ok(id(2), vec![]));
    });
}
