//! Environment variables, which override the file: `FARCALL__SERVICES__NAME__KEY` and `FARCALL__LIMITS__KEY`.

use super::{
    Config, limits,
    service::{self, Service},
    value::{Place, Raw, Value, unknown, wrong},
};
use farcall_core::{address::is_name, error::Error};

/// What all of the variables begin with. Case does not count, here and in what follows.
const PREFIX: &str = "farcall__";
/// What may follow.
const SECTIONS: [&str; 2] = ["services", "limits"];

/// Reads one variable into `config`, if it is one of ours.
pub(super) fn read(config: &mut Config, variable: &str, text: &str) -> Result<(), Error> {
    let lower = variable.to_ascii_lowercase();
    let Some(path) = lower.strip_prefix(PREFIX) else { return Ok(()) };
    let place = Place::Variable(variable);
    if text.trim().is_empty() {
        return Err(wrong(&place, "it is empty: set it to something, or unset it"));
    }
    let (section, rest) = path.split_once("__").unwrap_or((path, ""));
    match section {
        "limits" => limits::set(&mut config.limits, &value(&place, rest, text)),
        "services" => {
            let (name, key) = rest.rsplit_once("__").unwrap_or((rest, ""));
            if !is_name(name) || key.is_empty() {
                let what = "it names no service or no key: it is FARCALL__SERVICES__NAME__KEY, with the key CONNECT, \
                            LISTEN or SPIN";
                return Err(wrong(&place, what));
            }
            let service = config.services.entry(service::key(name));
            service.or_insert_with(|| Service::named(name)).set(&value(&place, key, text))
        }
        _ => Err(wrong(&place, &unknown("section", section, &SECTIONS))),
    }
}

fn value<'a>(place: &Place<'a>, key: &'a str, text: &'a str) -> Value<'a> {
    let one = |text: &'a str| Value {
        key,
        key_place: place.clone(),
        place: place.clone(),
        raw: Raw::Text(text.trim()),
    };
    if key != "listen" {
        return one(text);
    }
    Value { raw: Raw::List(text.split(',').map(one).collect()), ..one(text) }
}
