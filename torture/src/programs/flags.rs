//! Arguments that have a name and a value: `--seed 7`.

use anyhow::{Context, Result, bail, ensure};
use std::{num::NonZeroU64, str::FromStr};

/// Those that nobody has asked for yet.
pub(crate) struct Flags(Vec<(String, String)>);

impl Flags {
    /// Takes arguments two by two.
    ///
    /// # Errors
    /// If one has no name, or no value.
    pub(crate) fn of(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut flags = Vec::new();
        while let Some(name) = arguments.next() {
            ensure!(name.starts_with("--"), "unknown argument: {name}");
            let value =
                arguments.next().with_context(|| format!("{name} wants a value behind it"))?;
            flags.push((name, value));
        }
        Ok(Self(flags))
    }

    /// What a flag says, the last time it is given; none if it is not.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let value = self.0.iter().rfind(|(given, _)| given == name).map(|(_, value)| value.clone());
        self.0.retain(|(given, _)| given != name);
        value
    }

    /// What a flag says in figures.
    ///
    /// # Errors
    /// If it says none.
    pub(crate) fn number<T: FromStr>(&mut self, name: &str, otherwise: T) -> Result<T> {
        let Some(text) = self.take(name) else { return Ok(otherwise) };
        text.parse().ok().with_context(|| format!("{name} wants a number, not `{text}`"))
    }

    /// How many, of what there must be one at least.
    ///
    /// # Errors
    /// If it says none, or 0.
    pub(crate) fn count(&mut self, name: &str, otherwise: usize) -> Result<usize> {
        let Some(text) = self.take(name) else { return Ok(otherwise) };
        let count = text.parse::<NonZeroU64>().ok().and_then(|count| count.get().try_into().ok());
        count.with_context(|| format!("{name} wants a number from 1 on, not `{text}`"))
    }

    /// # Errors
    /// If one is left, for then nobody knows it.
    pub(crate) fn end(self) -> Result<()> {
        match self.0.first() {
            Some((name, _)) => bail!("unknown argument: {name}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(line: &str) -> Result<Flags> {
        Flags::of(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn what_is_asked_for_is_found() {
        let mut flags = flags("--seed 7 --rounds 3 --seed 8").expect("good arguments");
        assert_eq!(flags.number("--seed", 1).ok(), Some(8));
        assert_eq!(flags.count("--rounds", 100).ok(), Some(3));
        assert_eq!(flags.count("--clients", 200).ok(), Some(200));
        assert_eq!(flags.take("--seed"), None);
        assert!(flags.end().is_ok());
    }

    #[test]
    fn what_nobody_asks_for_is_refused() {
        for line in ["7", "-x 1", "--seed"] {
            assert!(flags(line).is_err(), "{line}");
        }
        let mut flags = flags("--seed x --rounds 0 --other 1").expect("names and values");
        assert!(flags.number("--seed", 1).is_err());
        assert!(flags.count("--rounds", 1).is_err());
        assert!(flags.end().is_err());
    }
}
