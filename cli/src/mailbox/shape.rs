//! What a type is made of, as far as its name says it: enough to write and read values of Rust's own types, and of no others.

mod reading;
mod writing;

use farcall::mailbox::Kind;
use serde_json::Value;

pub(super) use reading::value;

/// Types within types.
const DEPTH: usize = 32;
/// Items of an array.
const ITEMS: usize = 1 << 20;

/// What a type is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    Bool,
    Unsigned(Width),
    Signed(Width),
    F32,
    F64,
    Char,
    Text,
    /// Bytes, each of them any.
    Bytes,
    Unit,
    Option(Box<Self>),
    List(Box<Self>),
    Tuple(Vec<Self>),
    Map(Box<Self>, Box<Self>),
}

/// Bits of a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Width {
    W8,
    W16,
    W32,
    W64,
    W128,
}

impl Shape {
    /// What the letters of a mailbox are made of. None, if their type is none of Rust's own: then only its program knows.
    pub(super) fn of(kind: &Kind) -> Option<Self> {
        let mut parsing = Parsing { rest: kind.as_str() };
        let shape = parsing.shape(0)?;
        parsing.rest.is_empty().then_some(shape)
    }

    /// The bytes of a letter that says this.
    pub(super) fn letter(&self, value: &Value) -> Result<Vec<u8>, String> {
        postcard::to_allocvec(&writing::Shaped { shape: self, value })
            .map_err(|_| writing::why(self, value))
    }

    /// What a letter says.
    pub(super) fn value(&self, letter: &[u8]) -> Result<Value, String> {
        value(self, letter)
    }

    /// Whether a value takes no bytes, so that there could be any number of them in few.
    fn is_empty(&self) -> bool {
        match self {
            Self::Unit => true,
            Self::Tuple(items) => items.iter().all(Self::is_empty),
            _ => false,
        }
    }
}

/// A type's name while it is read.
struct Parsing<'a> {
    rest: &'a str,
}

impl<'a> Parsing<'a> {
    fn shape(&mut self, depth: usize) -> Option<Shape> {
        if depth > DEPTH {
            return None;
        }
        if self.eat("(") {
            let items = self.until(")", depth)?;
            return Some(if items.is_empty() { Shape::Unit } else { Shape::Tuple(items) });
        }
        if self.eat("[") {
            return self.array(depth);
        }
        let name = self.word();
        let arguments = if self.eat("<") { self.until(">", depth)? } else { Vec::new() };
        named(name, arguments)
    }

    fn array(&mut self, depth: usize) -> Option<Shape> {
        let item = self.shape(depth + 1)?;
        self.eat(";").then_some(())?;
        let length: usize = self.word().parse().ok()?;
        let ends = self.eat("]") && length <= ITEMS && !item.is_empty();
        ends.then(|| Shape::Tuple(vec![item; length]))
    }

    fn until(&mut self, end: &str, depth: usize) -> Option<Vec<Shape>> {
        let mut all = Vec::new();
        while !self.eat(end) {
            all.push(self.shape(depth + 1)?);
            if !self.eat(",") && !self.rest.trim_start().starts_with(end) {
                return None;
            }
        }
        Some(all)
    }

    fn eat(&mut self, what: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(what);
        rest.inspect(|rest| self.rest = rest).is_some()
    }

    fn word(&mut self) -> &'a str {
        let text = self.rest.trim_start();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let (word, rest) = text.split_at(text.find(|c| !is_word(c)).unwrap_or(text.len()));
        self.rest = rest;
        word
    }
}

/// The type of that name with those arguments.
fn named(name: &str, arguments: Vec<Shape>) -> Option<Shape> {
    let mut arguments = arguments.into_iter();
    let (first, second) = (arguments.next(), arguments.next());
    let shape = match (name, first, second) {
        ("bool", None, _) => Shape::Bool,
        ("u8", None, _) => Shape::Unsigned(Width::W8),
        ("u16", None, _) => Shape::Unsigned(Width::W16),
        ("u32", None, _) => Shape::Unsigned(Width::W32),
        ("u64" | "usize", None, _) => Shape::Unsigned(Width::W64),
        ("u128", None, _) => Shape::Unsigned(Width::W128),
        ("i8", None, _) => Shape::Signed(Width::W8),
        ("i16", None, _) => Shape::Signed(Width::W16),
        ("i32", None, _) => Shape::Signed(Width::W32),
        ("i64" | "isize", None, _) => Shape::Signed(Width::W64),
        ("i128", None, _) => Shape::Signed(Width::W128),
        ("f32", None, _) => Shape::F32,
        ("f64", None, _) => Shape::F64,
        ("char", None, _) => Shape::Char,
        ("String" | "str", None, _) => Shape::Text,
        ("Bytes" | "BytesMut" | "ByteBuf", None, _) => Shape::Bytes,
        ("Option", Some(of), None) => Shape::Option(Box::new(of)),
        ("Box" | "Arc" | "Rc", Some(of), None) => of,
        ("Vec", Some(Shape::Unsigned(Width::W8)), None) => Shape::Bytes,
        ("Vec" | "VecDeque" | "BTreeSet" | "HashSet", Some(of), None) if !of.is_empty() => {
            Shape::List(Box::new(of))
        }
        ("BTreeMap" | "HashMap", Some(key), Some(of)) if !key.is_empty() => {
            Shape::Map(Box::new(key), Box::new(of))
        }
        _ => return None,
    };
    Some(shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Serialize, de::DeserializeOwned};
    use serde_json::json;
    use std::collections::BTreeMap;

    /// A value's letter says this, and this makes the same letter.
    #[track_caller]
    fn check<T: Serialize + DeserializeOwned>(of: &T, want: &Value) {
        let shape = Shape::of(&Kind::of::<T>()).expect("one of Rust's own");
        let letter = postcard::to_allocvec(of).expect("it can be encoded");
        assert_eq!(shape.value(&letter).as_ref(), Ok(want));
        assert_eq!(shape.letter(want), Ok(letter));
    }

    #[test]
    fn values_are_those_of_the_types() {
        check(&"a \"letter\"".to_owned(), &json!("a \"letter\""));
        check(&true, &json!(true));
        check(&u64::MAX, &json!(u64::MAX));
        check(&i8::MIN, &json!(-128));
        check(&u128::MAX, &json!(u128::MAX.to_string()));
        check(&1.5_f32, &json!(1.5));
        check(&'x', &json!("x"));
        check(&(), &json!(null));
        check(&vec![1_u8, 255], &json!([1, 255]));
        check(&bytes::Bytes::from_static(b"ab"), &json!([97, 98]));
        check(&Some(7_u16), &json!(7));
        check(&vec![Some(1_i32), None], &json!([1, null]));
        check(&(1_u8, "b".to_owned(), [2_u32, 300]), &json!([1, "b", [2, 300]]));
        check(&BTreeMap::from([("a".to_owned(), vec![1_u32])]), &json!({"a": [1]}));
        check(&BTreeMap::from([(7_u32, true)]), &json!([[7, true]]));
    }

    #[test]
    fn other_types_are_their_program_s_own() {
        for kind in ["Job { number, text }", "Job", "Vec<Job>", "[u8; x]", "Vec<()>", "[(); 9]"] {
            assert_eq!(Shape::of(&Kind::named(kind)), None, "{kind}");
        }
        let deep = format!("{}u8{}", "Vec<".repeat(64), ">".repeat(64));
        assert_eq!(Shape::of(&Kind::named(&deep)), None);
    }

    #[test]
    fn a_value_of_another_type_is_refused_in_words() {
        let check = |kind: &str, value: Value, want: &str| {
            let shape = Shape::of(&Kind::named(kind)).expect("one of Rust's own");
            assert_eq!(shape.letter(&value), Err(want.to_owned()));
        };
        check("u8", json!(256), "`256` is no number from 0 to 255");
        check("i16", json!("7"), "`\"7\"` is no number from -32768 to 32767");
        check("String", json!(7), "`7` is no text");
        check("(u8, u8)", json!([1]), "`[1]` is no list of 2 items");
        check("Vec<bool>", json!([true, 1]), "`1` is neither `true` nor `false`");
        check("HashMap<String, u8>", json!([1]), "`[1]` is no object");
    }

    #[test]
    fn letters_that_are_no_such_values_are_refused() {
        let check = |kind: &str, letter: &[u8]| {
            let shape = Shape::of(&Kind::named(kind)).expect("one of Rust's own");
            assert!(shape.value(letter).is_err(), "{kind}");
        };
        check("String", b"\x02a");
        check("bool", b"\x02");
        check("u8", b"\x01\x01");
        check("Vec<u32>", b"\xff\xff\xff\xff\x0f\x01");
    }
}
