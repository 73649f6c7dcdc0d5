//! The ledger: what callers and servants have noted about each call, and which promises that breaks.

use anyhow::{Context, Result, bail};
use std::collections::{HashMap, HashSet};

/// Violations that are listed one by one; of more there is only the number.
const LISTED: usize = 20;

/// How often a call may run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    Once,
    Again,
    OneWay,
}

/// What a caller was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ending {
    /// It was answered, with the right bytes.
    Answered,
    /// It was answered with others.
    Wrong,
    /// It failed, and surely did not run.
    No,
    /// It failed, and may have run.
    Maybe,
    /// It failed, and has run.
    Yes,
    /// The caller gave it up.
    Dropped,
}

/// What the server of a call is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Server {
    /// Neither it nor the caller is hurt: each call must be answered.
    Unharmed,
    /// It may die.
    Mortal,
    /// What it answers means nothing, but the caller must be told something.
    Liar,
}

#[derive(Clone, Copy, Default, Debug)]
struct Entry {
    made: Option<Manner>,
    ended: Option<Ending>,
    late: bool,
    ran: u32,
}

/// Every call of a run.
#[derive(Default, Debug)]
pub(crate) struct Ledger {
    calls: HashMap<u64, Entry>,
    /// Clients that did not live to see their calls end.
    dead: HashSet<u64>,
    /// What is no call, and no good either.
    others: Vec<String>,
}

/// The number of a call: of the client that makes it, of the server at which, and which one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Number {
    pub(crate) client: u64,
    pub(crate) server: u64,
    pub(crate) call: u64,
}

impl Number {
    pub(crate) fn of(number: u64) -> Self {
        Self { client: number >> 40, server: number >> 36 & 0xf, call: number & 0xf_ffff_ffff }
    }

    pub(crate) fn number(self) -> u64 {
        self.client << 40 | self.server << 36 | self.call
    }
}

/// What came of a run.
#[derive(Default, Debug)]
pub(crate) struct Verdict {
    made: usize,
    ran: usize,
    again: usize,
    answered: usize,
    no: usize,
    maybe: usize,
    yes: usize,
    dropped: usize,
    orphaned: usize,
    /// The first of the broken promises, and how many more there are.
    violations: Vec<String>,
    more: usize,
}

impl Ledger {
    /// Takes in a journal.
    pub(crate) fn read(&mut self, journal: &str) -> Result<()> {
        journal.lines().try_for_each(|line| {
            self.note(line).with_context(|| format!("a journal says `{line}`"))
        })
    }

    /// A client was killed: what it had not ended will not end.
    pub(crate) fn died(&mut self, client: u64) {
        self.dead.insert(client);
    }

    /// Something else is wrong.
    pub(crate) fn object(&mut self, what: String) {
        self.others.push(what);
    }

    /// Reads a line of a journal: `made 7 once`, `ended 7 answered`, `ran 7`.
    fn note(&mut self, line: &str) -> Result<()> {
        let mut words = line.split(' ');
        let (what, number) = (words.next(), words.next().context("a number is missing")?);
        let entry = self.calls.entry(number.parse()?).or_default();
        match (what, words.next()) {
            (Some("ran"), None) => entry.ran += 1,
            (Some("made"), Some(manner)) => entry.made = Some(Manner::of(manner)?),
            (Some("ended"), Some("late")) => entry.late = true,
            (Some("ended"), Some(ending)) => entry.ended = Some(Ending::of(ending)?),
            _ => bail!("not a line of a journal"),
        }
        Ok(())
    }

    /// Holds every call against the promises.
    pub(crate) fn judge(&self, server: impl Fn(Number) -> Server) -> Verdict {
        let mut verdict = Verdict::default();
        self.others.iter().for_each(|what| verdict.violate(what.clone()));
        for (number, entry) in &self.calls {
            let number = Number::of(*number);
            let orphaned = self.dead.contains(&number.client);
            verdict.count(*entry, orphaned);
            if let Some(what) = broken(*entry, orphaned, server(number)) {
                let Number { client, server, call } = number;
                verdict
                    .violate(format!("call {call} of client {client} at server {server} {what}"));
            }
        }
        verdict
    }
}

/// Which promise a call breaks.
fn broken(entry: Entry, orphaned: bool, server: Server) -> Option<&'static str> {
    let Some(manner) = entry.made else { return Some("ran and was never made") };
    if entry.ended.is_none() && !orphaned {
        return Some("hangs");
    }
    if entry.late {
        return Some("ended after its deadline");
    }
    if server == Server::Liar {
        return None;
    }
    if entry.ran > 1 && manner != Manner::Again {
        return Some("ran twice");
    }
    match entry.ended {
        Some(Ending::Wrong) => Some("was answered with other bytes"),
        Some(Ending::Answered) if entry.ran == 0 && manner != Manner::OneWay => {
            Some("was answered and never ran")
        }
        Some(Ending::No) if entry.ran > 0 => Some("ran, and its caller was told that it did not"),
        Some(Ending::Yes) if entry.ran == 0 => {
            Some("did not run, and its caller was told that it did")
        }
        Some(Ending::No | Ending::Maybe | Ending::Yes) if server == Server::Unharmed => {
            Some("failed, though nobody was hurt")
        }
        _ => None,
    }
}

impl Manner {
    fn of(word: &str) -> Result<Self> {
        Ok(match word {
            "once" => Self::Once,
            "again" => Self::Again,
            "oneway" => Self::OneWay,
            _ => bail!("an unknown manner"),
        })
    }
}

impl Ending {
    fn of(word: &str) -> Result<Self> {
        Ok(match word {
            "answered" => Self::Answered,
            "wrong" => Self::Wrong,
            "no" => Self::No,
            "maybe" => Self::Maybe,
            "yes" => Self::Yes,
            "dropped" => Self::Dropped,
            _ => bail!("an unknown ending"),
        })
    }
}

impl Verdict {
    /// No promise was broken.
    pub(crate) fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// Takes in what came of another run.
    pub(crate) fn add(&mut self, other: &Self) {
        for (count, other) in [
            (&mut self.made, other.made),
            (&mut self.ran, other.ran),
            (&mut self.again, other.again),
            (&mut self.answered, other.answered),
            (&mut self.no, other.no),
            (&mut self.maybe, other.maybe),
            (&mut self.yes, other.yes),
            (&mut self.dropped, other.dropped),
            (&mut self.orphaned, other.orphaned),
            (&mut self.more, other.more),
        ] {
            *count += other;
        }
        other.violations.iter().for_each(|what| self.violate(what.clone()));
    }

    /// Lines for people.
    pub(crate) fn print(&self) {
        let Self { made, ran, again, answered, no, maybe, yes, dropped, orphaned, .. } = self;
        println!(
            "  calls      {made} made; {answered} answered; failed: {no} did not run, {maybe} may have run, {yes} have"
        );
        println!(
            "             {dropped} given up; {orphaned} died with their caller; {ran} ran, {again} of them again"
        );
        match self.violations.len() + self.more {
            0 => println!("  violations none"),
            count => println!("  violations {count}"),
        }
        self.violations.iter().for_each(|what| println!("    {what}"));
    }

    fn violate(&mut self, what: String) {
        if self.violations.len() < LISTED {
            self.violations.push(what);
        } else {
            self.more += 1;
        }
    }

    fn count(&mut self, entry: Entry, orphaned: bool) {
        self.made += usize::from(entry.made.is_some());
        self.ran += usize::from(entry.ran > 0);
        self.again += usize::from(entry.ran > 1);
        match entry.ended {
            Some(Ending::Answered | Ending::Wrong) => self.answered += 1,
            Some(Ending::No) => self.no += 1,
            Some(Ending::Maybe) => self.maybe += 1,
            Some(Ending::Yes) => self.yes += 1,
            Some(Ending::Dropped) => self.dropped += 1,
            None => self.orphaned += usize::from(orphaned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a journal breaks at such a server, if the client 1 was killed.
    #[track_caller]
    fn check(journal: &str, server: Server, want: &[&str]) {
        let mut ledger = Ledger::default();
        let number = |client| Number { client, server: 1, call: 7 }.number().to_string();
        let journal = journal.replace("C0", &number(0)).replace("C1", &number(1));
        ledger.read(&journal).expect("a journal");
        ledger.died(1);
        let verdict = ledger.judge(|_| server);
        let want: Vec<_> = want.iter().map(|what| (*what).to_owned()).collect();
        assert_eq!(verdict.violations, want, "{journal}");
        assert_eq!(verdict.is_clean(), want.is_empty());
    }

    #[test]
    fn what_is_as_promised_is_clean() {
        for (journal, server) in [
            ("made C0 once\nran C0\nended C0 answered", Server::Unharmed),
            ("ran C0\nmade C0 again\nran C0\nended C0 answered", Server::Mortal),
            ("made C0 oneway\nended C0 answered", Server::Mortal),
            ("made C0 once\nended C0 no", Server::Mortal),
            ("made C0 once\nended C0 maybe", Server::Mortal),
            ("made C0 once\nran C0\nended C0 maybe", Server::Mortal),
            ("made C0 once\nran C0\nended C0 yes", Server::Mortal),
            ("made C0 once\nended C0 dropped", Server::Unharmed),
            ("made C1 once\nran C1", Server::Mortal),
            ("made C1 once", Server::Unharmed),
            ("made C0 once\nended C0 wrong", Server::Liar),
            ("made C0 once\nended C0 answered", Server::Liar),
        ] {
            check(journal, server, &[]);
        }
    }

    #[test]
    fn a_call_that_is_lost_doubled_or_hangs_is_found() {
        let of = |what: &str| format!("call 7 of client 0 at server 1 {what}");
        for (journal, server, want) in [
            ("made C0 once\nran C0\nran C0\nended C0 answered", Server::Mortal, "ran twice"),
            ("made C0 oneway\nran C0\nran C0\nended C0 answered", Server::Mortal, "ran twice"),
            ("made C0 once\nran C0\nran C0\nended C0 dropped", Server::Mortal, "ran twice"),
            ("made C0 once\nended C0 answered", Server::Mortal, "was answered and never ran"),
            ("made C0 again\nended C0 answered", Server::Unharmed, "was answered and never ran"),
            ("made C0 once\nran C0", Server::Mortal, "hangs"),
            ("made C0 once", Server::Liar, "hangs"),
            (
                "made C0 once\nended C0 no\nended C0 late",
                Server::Mortal,
                "ended after its deadline",
            ),
            ("ran C0", Server::Mortal, "ran and was never made"),
            (
                "made C0 once\nended C0 wrong\nran C0",
                Server::Mortal,
                "was answered with other bytes",
            ),
            (
                "made C0 once\nended C0 no\nran C0",
                Server::Mortal,
                "ran, and its caller was told that it did not",
            ),
            (
                "made C0 once\nended C0 yes",
                Server::Mortal,
                "did not run, and its caller was told that it did",
            ),
            ("made C0 once\nended C0 maybe", Server::Unharmed, "failed, though nobody was hurt"),
            ("made C0 once\nended C0 no", Server::Unharmed, "failed, though nobody was hurt"),
        ] {
            check(journal, server, &[&of(want)]);
        }
    }

    #[test]
    fn what_is_found_beside_the_calls_counts_too() {
        let mut ledger = Ledger::default();
        (0..LISTED + 3).for_each(|number| ledger.object(format!("a leftover {number}")));
        let verdict = ledger.judge(|_| Server::Mortal);
        assert!(!verdict.is_clean());
        assert_eq!((verdict.violations.len(), verdict.more), (LISTED, 3));
    }

    #[test]
    fn what_is_no_journal_is_refused() {
        for line in ["", "ran", "ran x", "made 1", "made 1 twice", "ended 1 well", "fell 1"] {
            assert!(Ledger::default().read(&format!("{line}\n")).is_err(), "{line}");
        }
    }

    #[test]
    fn a_number_is_taken_apart_as_it_was_put_together() {
        let number = Number { client: 0x12_3456, server: 3, call: 0xf_1234_5678 };
        assert_eq!(Number::of(number.number()), number);
    }
}
