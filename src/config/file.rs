//! `farcall.toml`: found, and read with the line and column of everything in it.

use super::{
    Config, limits,
    service::{self, Service},
    value::{Place, Raw, Value, unknown, wrong},
};
use farcall_core::{
    address::is_name,
    error::{Error, ErrorKind},
};
use std::{env, fs, io, ops::Range, path::Path};
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

/// The name of the file.
const NAME: &str = "farcall.toml";
/// The variable that names another file.
const VARIABLE: &str = "FARCALL_CONFIG";
/// The tables of the file.
const SECTIONS: [&str; 2] = ["services", "limits"];

/// A file of configuration.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) text: String,
}

impl File {
    /// The file that applies to this process; an empty one where there is none.
    pub(super) fn find() -> Result<Self, Error> {
        match env::var_os(VARIABLE) {
            Some(path) if path.is_empty() => Ok(Self::default()),
            Some(path) => {
                let path = Path::new(&path);
                Self::open(path)
                    .map_err(|error| failed(path, &error, ", which FARCALL_CONFIG names"))
            }
            None => Self::above(&env::current_dir().unwrap_or_default()),
        }
    }

    /// The first one in a folder or one above it.
    pub(super) fn above(folder: &Path) -> Result<Self, Error> {
        for folder in folder.ancestors() {
            let path = folder.join(NAME);
            match Self::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(&path, &error, "")),
                Ok(file) => return Ok(file),
            }
        }
        Ok(Self::default())
    }

    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { text: fs::read_to_string(path)?, name: path.display().to_string() })
    }
}

/// Reads a file's text into `config`.
pub(super) fn read(config: &mut Config, text: &str, name: &str) -> Result<(), Error> {
    let document = Document { text, name };
    let root = DeTable::parse(text).map_err(|error| {
        wrong(&document.place(error.span().unwrap_or_default()), error.message())
    })?;
    for (key, value) in root.get_ref() {
        match key.get_ref().as_ref() {
            "services" => document.services(config, document.table("services", value)?)?,
            "limits" => {
                for (key, value) in document.table("limits", value)? {
                    limits::set(&mut config.limits, &document.value(key, value))?;
                }
            }
            other => {
                return Err(wrong(&document.place(key.span()), &unknown("key", other, &SECTIONS)));
            }
        }
    }
    Ok(())
}

/// A file while it is read.
struct Document<'a> {
    text: &'a str,
    name: &'a str,
}

impl<'a> Document<'a> {
    fn services(&self, config: &mut Config, services: &DeTable<'_>) -> Result<(), Error> {
        for (name, value) in services {
            let place = self.place(name.span());
            let name = name.get_ref().as_ref();
            if !is_name(name) {
                let what =
                    format!("`{name}` is not a name: a name is letters, digits, `_`, `.` and `-`");
                return Err(wrong(&place, &what));
            }
            let mut service = Service::named(name);
            for (key, value) in self.table(name, value)? {
                service.set(&self.value(key, value))?;
            }
            if config.services.insert(service::key(name), service).is_some() {
                let what = format!(
                    "the service `{name}` is there twice: case, `-`, `.` and `_` do not count"
                );
                return Err(wrong(&place, &what));
            }
        }
        Ok(())
    }

    fn table<'v, 'i>(
        &self,
        key: &str,
        value: &'v Spanned<DeValue<'i>>,
    ) -> Result<&'v DeTable<'i>, Error> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => Err(self.value_at(key, value.span(), value).not_a("table")),
        }
    }

    fn value<'v>(
        &'v self,
        key: &'v Spanned<DeString<'_>>,
        value: &'v Spanned<DeValue<'_>>,
    ) -> Value<'v> {
        self.value_at(key.get_ref(), key.span(), value)
    }

    fn value_at<'v>(
        &'v self,
        key: &'v str,
        key_span: Range<usize>,
        value: &'v Spanned<DeValue<'_>>,
    ) -> Value<'v> {
        let raw = match value.get_ref() {
            DeValue::String(text) => Raw::Text(text),
            DeValue::Integer(number) => Raw::Integer(number.as_str(), number.radix()),
            DeValue::Array(list) => {
                let item = |item| self.value_at(key, key_span.clone(), item);
                Raw::List(list.iter().map(item).collect())
            }
            other => Raw::Other(other.type_str()),
        };
        Value { key, key_place: self.place(key_span), place: self.place(value.span()), raw }
    }

    fn place(&self, span: Range<usize>) -> Place<'a> {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place::File {
            name: self.name,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

fn failed(path: &Path, error: &io::Error, whence: &str) -> Error {
    let text = format!("cannot read the configuration {}{whence}: {error}", path.display());
    Error::of(ErrorKind::Configuration, text)
}
