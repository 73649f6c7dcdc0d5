//! Text out of bytes: what a fuzzer changes by one bit is often a whole word.

#![allow(unreachable_pub, reason = "public to the fuzz targets alone")]

/// Each byte below 128 is its character, each other one a word of the list.
pub fn spell(bytes: &[u8], words: &[&str]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte.checked_sub(128) {
            None => text.push(char::from(*byte)),
            Some(number) => text.push_str(words[usize::from(number) % words.len()]),
        }
    }
    text
}
