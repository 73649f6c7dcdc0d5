//! Just enough of Rust's grammar: comments and literals, words, paths, functions, and what is for tests only.

/// A function with a body.
pub(crate) struct Function {
    pub(crate) name: String,
    /// Where it begins.
    pub(crate) line: usize,
    /// Lines from its name to its last brace.
    pub(crate) lines: usize,
}

/// The text with blanks for what stands in comments, texts and characters. Its lines stay where they are.
pub(crate) fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_word = out.ends_with(is_word);
        match literal(rest, after_word) {
            Some(length) => {
                let (literal, after) = rest.split_at(length);
                out.extend(literal.chars().map(|c| if c == '\n' { c } else { ' ' }));
                rest = after;
            }
            None => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

/// How long the comment or literal is that `text` begins with.
fn literal(text: &str, after_word: bool) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(block_comment(text));
    }
    if let Some(rest) = text.strip_prefix('"') {
        return Some(1 + quoted(rest, '"'));
    }
    if let Some(rest) = text.strip_prefix('\'') {
        let mut chars = rest.chars();
        let is_char = chars.next() == Some('\\') || chars.next() == Some('\'');
        return is_char.then(|| 1 + quoted(rest, '\''));
    }
    let raw = text.strip_prefix(['b', 'c']).unwrap_or(text).strip_prefix('r')?;
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    let body = raw[hashes..].strip_prefix('"').filter(|_| !after_word)?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(text.len() - body.len() + length)
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        match text.as_bytes().get(at..at + 2) {
            Some(b"/*") => depth += 1,
            Some(b"*/") => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a text up to and with the mark that ends it.
fn quoted(text: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == mark => return at + 1,
            _ => {}
        }
    }
    text.len()
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The line of a place, counted from 1.
pub(crate) fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// Where `wanted` stands by itself and not within a longer word.
pub(crate) fn places<'a>(code: &'a str, wanted: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(wanted).map(|(at, _)| at).filter(move |&at| {
        let (before, after) = (&code[..at], &code[at + wanted.len()..]);
        !before.ends_with(is_word) && !after.starts_with(is_word)
    })
}

/// The word that `code` begins with.
pub(crate) fn word(code: &str) -> &str {
    let end = code.find(|c| !is_word(c)).unwrap_or(code.len());
    &code[..end]
}

/// What stands directly below `root` in paths, single or in braces: `sync` in `std::sync::Arc` and in `std::{mem, sync::Arc}`.
pub(crate) fn children<'a>(code: &'a str, root: &str) -> Vec<(&'a str, usize)> {
    let mut found = Vec::new();
    for at in places(code, root) {
        let Some(rest) = code[at + root.len()..].strip_prefix("::") else { continue };
        let begin = code.len() - rest.len();
        let Some(group) = rest.strip_prefix('{') else {
            found.push((word(rest), begin));
            continue;
        };
        let mut depth = 0;
        let mut begins = true;
        for (offset, c) in group.char_indices() {
            match c {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                _ if is_word(c) && begins => {
                    found.push((word(&group[offset..]), begin + 1 + offset));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    found
}

/// Every function that has a body.
pub(crate) fn functions(code: &str) -> Vec<Function> {
    let function = |at: usize| {
        let rest = code[at + 2..].trim_start();
        let name = word(rest);
        let begin = code.len() - rest.len();
        let body = begin + body(rest).filter(|_| !name.is_empty())?;
        let end = body + block(&code[body..]);
        let (line, last) = (line_of(code, at), line_of(code, end));
        Some(Function { name: name.to_owned(), line, lines: last - line + 1 })
    };
    places(code, "fn").filter_map(function).collect()
}

/// Where the body begins of the function, module or item that begins here; `None` if it ends without one.
fn body(code: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(at),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// How long the block is that begins here with a brace.
fn block(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// The file says at its head that only tests see it.
pub(crate) fn is_for_tests(code: &str) -> bool {
    test_attributes(code, "#![cfg(").next().is_some()
}

/// Where the items begin that only tests see, behind their attribute.
fn test_items(code: &str) -> impl Iterator<Item = usize> {
    test_attributes(code, "#[cfg(")
}

/// Where the attributes end that begin so and ask for `test`.
fn test_attributes(code: &str, begin: &str) -> impl Iterator<Item = usize> {
    code.match_indices(begin).filter_map(|(at, _)| {
        let attribute = &code[at..at + code[at..].find(']')? + 1];
        let for_tests = places(attribute, "test").next().is_some() && !attribute.contains("not(");
        for_tests.then_some(at + attribute.len())
    })
}

/// The names of modules in files of their own that only tests see.
pub(crate) fn test_modules(code: &str) -> Vec<&str> {
    let module = |at: usize| {
        let item = code[at..].trim_start();
        let name = word(item.split_once("mod ")?.1);
        (item.starts_with("mod ") && item[4 + name.len()..].starts_with(';')).then_some(name)
    };
    test_items(code).filter_map(module).collect()
}

/// The code with blanks for the items that only tests see.
pub(crate) fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    for at in test_items(code) {
        let Some(brace) = body(&code[at..]) else { continue };
        if at < out.len() {
            continue;
        }
        let end = at + brace + block(&code[at + brace..]);
        out.push_str(&code[out.len()..at]);
        out.extend(code[at..end].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
    }
    out.push_str(&code[out.len()..]);
    out
}
