//! Names: those that a handle has already, and those that two methods share.

use crate::{interface::Method, mistakes::Mistakes};
use proc_macro2::Literal;
use syn::ext::IdentExt;

/// The methods of `Remote` and of `Call`, this list and theirs being closed: what is added later is an associated function.
const HANDLE: [&str; 8] =
    ["timeout", "metadata", "idempotent", "local", "same_object", "loan", "wait", "detach"];

/// The methods of the standard library's traits that every handle or every `Call` has.
const STANDARD: [&str; 13] = [
    "clone",
    "clone_from",
    "clone_into",
    "to_owned",
    "into",
    "try_into",
    "borrow",
    "borrow_mut",
    "type_id",
    "fmt",
    "drop",
    "into_future",
    "poll",
];

/// Says which names are taken, and leaves out the methods that stand twice.
pub(super) fn check(methods: &mut Vec<Method>, mistakes: &mut Mistakes) {
    for method in &*methods {
        check_taken(method, mistakes);
    }
    let mut kept: Vec<Method> = Vec::new();
    for method in methods.drain(..) {
        let clash = kept.iter().find_map(|earlier| clash(earlier, &method));
        match clash {
            Some((text, same_name)) => {
                mistakes.at(method.wire_name_tokens(), text);
                if !same_name {
                    kept.push(method);
                }
            }
            None => kept.push(method),
        }
    }
    *methods = kept;
}

fn check_taken(method: &Method, mistakes: &mut Mistakes) {
    let ident = &method.function.sig.ident;
    let name = ident.unraw().to_string();
    let owner = if HANDLE.contains(&name.as_str()) {
        "a handle has a method of that name"
    } else if STANDARD.contains(&name.as_str()) {
        "the standard library gives a handle a method of that name"
    } else {
        return;
    };
    let wire = method.wire_name();
    mistakes.at(
        ident,
        format!("{owner}, which would be called instead: rename this one, and keep `{wire}` on the wire with `#[remote(name = \"{wire}\")]`"),
    );
}

/// What two methods must not share, and whether it is their name in Rust.
fn clash(earlier: &Method, later: &Method) -> Option<(String, bool)> {
    if !earlier.cfgs.is_empty() && !later.cfgs.is_empty() {
        // Either may be there without the other; if both are, the compiler says so.
        return None;
    }
    let (first, second) = (earlier.wire_name(), later.wire_name());
    if earlier.function.sig.ident.unraw() == later.function.sig.ident.unraw() {
        Some((
            format!("the trait has a method `{first}` already: give this one another name"),
            true,
        ))
    } else if first == second {
        Some((
            format!("a method above is called `{first}` on the wire: give this one another name"),
            false,
        ))
    } else if hash(&first) == hash(&second) {
        Some((
            format!(
                "`{second}` and `{first}` have the same id on the wire: give one of them another name there, with `#[remote(name = \"..\")]`"
            ),
            false,
        ))
    } else {
        None
    }
}

/// The id of the method called `name` on the wire, as `MethodId::of` has it.
pub(crate) fn method_id(name: &str) -> Literal {
    let hash = hash(name);
    let text = format!("0x{:04x}_{:04x}", hash >> 16, hash & 0xffff);
    text.parse().unwrap_or_else(|_| Literal::u32_unsuffixed(hash))
}

/// 32-bit FNV-1a.
fn hash(name: &str) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    name.bytes().fold(0x811c_9dc5, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_fnv1a() {
        let check = |name, want: &str| assert_eq!(method_id(name).to_string(), want);
        check("", "0x811c_9dc5");
        check("a", "0xe40c_292c");
        check("foobar", "0xbf9c_f968");
        check("costarring", &method_id("liquid").to_string());
    }
}
