//! The text of a method's signature: what two builds compare. Its spacing is ours, not the compiler's.

use crate::interface::Method;
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// `(&str, u64) -> Result<Vec<u8>, E>`: the types as written, without names, comments and spacing.
pub(crate) fn text(method: &Method) -> String {
    let arguments: Vec<_> =
        method.arguments.iter().map(|argument| canonical(&argument.ty)).collect();
    format!("({}) -> {}", arguments.join(", "), canonical(&method.result))
}

/// The tokens with one canonical spacing.
pub(crate) fn canonical(tokens: impl ToTokens) -> String {
    let mut text = Text::default();
    text.stream(tokens.to_token_stream());
    text.written
}

#[derive(Default)]
struct Text {
    written: String,
    /// The last token was a word, so that the next word needs a space.
    word: bool,
    /// A comma that is written only if something follows it.
    comma: bool,
}

impl Text {
    fn stream(&mut self, stream: TokenStream) {
        let mut tokens = stream.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.group(group.delimiter(), group.stream()),
                TokenTree::Ident(ident) => self.word(&ident.to_string()),
                TokenTree::Literal(literal) => self.word(&literal.to_string()),
                TokenTree::Punct(punct) => {
                    let mut operator = String::from(punct.as_char());
                    let mut joint = punct.spacing() == Spacing::Joint;
                    while joint && let Some(TokenTree::Punct(next)) = tokens.peek() {
                        if !matches!((operator.as_str(), next.as_char()), (":", ':') | ("-", '>')) {
                            break;
                        }
                        operator.push(next.as_char());
                        joint = next.spacing() == Spacing::Joint;
                        tokens.next();
                    }
                    self.operator(&operator);
                }
            }
        }
    }

    fn group(&mut self, delimiter: Delimiter, stream: TokenStream) {
        let (open, close) = match delimiter {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::None => return self.stream(stream),
        };
        let tuple_of_one = is_tuple_of_one(&delimiter, &stream);
        self.push(open, false);
        self.stream(stream);
        self.comma = false;
        self.push(if tuple_of_one { ",)" } else { close }, false);
    }

    fn word(&mut self, word: &str) {
        // After `<Vec<u8>` in `<Vec<u8> as IntoIterator>::Item`.
        self.word |= word == "as";
        self.push(word, true);
    }

    fn operator(&mut self, operator: &str) {
        match operator {
            "," => self.comma = true,
            ">" => {
                self.comma = false;
                self.push(">", false);
            }
            "->" | "+" | "=" => self.push(&format!(" {operator} "), false),
            ";" | ":" => self.push(&format!("{operator} "), false),
            "'" => {
                self.push("'", true);
                self.word = false;
            }
            _ => self.push(operator, false),
        }
    }

    fn push(&mut self, token: &str, word: bool) {
        if self.comma {
            self.written.push_str(", ");
            self.word = false;
            self.comma = false;
        }
        if self.word && word {
            self.written.push(' ');
        }
        self.written.push_str(token);
        self.word = word;
    }
}

/// `(T,)`, whose comma means something.
fn is_tuple_of_one(delimiter: &Delimiter, stream: &TokenStream) -> bool {
    let is_comma =
        |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    let mut depth = 0_i32;
    let mut commas = 0;
    let mut last = false;
    for token in stream.clone() {
        last = is_comma(&token) && depth == 0;
        commas += i32::from(last);
        if let TokenTree::Punct(punct) = &token {
            depth += match punct.as_char() {
                '<' => 1,
                '>' => -1,
                _ => 0,
            };
        }
    }
    *delimiter == Delimiter::Parenthesis && last && commas == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacing_is_canonical() {
        let check = |written: &str, want: &str| {
            let tokens: TokenStream = written.parse().expect("tokens");
            assert_eq!(canonical(tokens), want);
        };
        check("& str", "&str");
        check("Result < Vec<u8>, E , >", "Result<Vec<u8>, E>");
        check("Option<Option<Vec<u8>>>", "Option<Option<Vec<u8>>>");
        check("HashMap<String,(u8,u16,)>", "HashMap<String, (u8, u16)>");
        check("( u8 , )", "(u8,)");
        check("(Vec<(u8, u8)>,)", "(Vec<(u8, u8)>,)");
        check("(HashMap<u8, u8>,)", "(HashMap<u8, u8>,)");
        check("()", "()");
        check("[ u8 ;4 ]", "[u8; 4]");
        check("[ u8 ; { N+1 } ]", "[u8; {N + 1}]");
        check("std :: io :: Result<()>", "std::io::Result<()>");
        check("Cow < '_ , str >", "Cow<'_, str>");
        check("&'a mut dyn  Fn(u8)->u8", "&'a mut dyn Fn(u8) -> u8");
        check("<Vec<u8>as IntoIterator>::Item", "<Vec<u8> as IntoIterator>::Item");
        check("Remote<dyn Watcher+Send>", "Remote<dyn Watcher + Send>");
        check("Box<dyn Iterator<Item=u8>>", "Box<dyn Iterator<Item = u8>>");
    }
}
