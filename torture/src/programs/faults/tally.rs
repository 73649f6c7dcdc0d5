//! What came of the sessions: how each call ended, how often it ran, and whether that fits.

use super::session::{Cut, Played};
use farcall::{Error, ErrorKind, Executed};

/// Violations that are listed one by one; of more there is only the number.
const LISTED: usize = 20;

/// A call that was made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    name: &'static str,
    pub(super) call: u64,
    /// How often the same was tried before.
    pub(super) attempt: usize,
    outcome: Outcome,
    /// How often it has begun to run, and come to its end.
    pub(super) begun: u32,
    pub(super) ended: u32,
}

/// How a call ended.
#[derive(Clone, Debug)]
enum Outcome {
    Done,
    GivenUp,
    Failed(Error),
    /// It was answered, but what it led to has failed.
    FailedAfter(Error),
    Wrong(String),
}

/// The sums, and what was wrong.
#[derive(Default, Debug)]
pub(super) struct Tally {
    sessions: usize,
    done: usize,
    given_up: usize,
    no: usize,
    maybe: usize,
    yes: usize,
    after: usize,
    again: usize,
    violations: Vec<String>,
}

impl Made {
    pub(super) fn done(name: &'static str, call: u64) -> Self {
        Self::of(name, call, Outcome::Done)
    }

    pub(super) fn given_up(name: &'static str, call: u64) -> Self {
        Self::of(name, call, Outcome::GivenUp)
    }

    pub(super) fn failed(name: &'static str, call: u64, error: Error) -> Self {
        Self::of(name, call, Outcome::Failed(error))
    }

    pub(super) fn failed_after(name: &'static str, call: u64, error: Error) -> Self {
        Self::of(name, call, Outcome::FailedAfter(error))
    }

    pub(super) fn wrong(name: &'static str, call: u64, what: String) -> Self {
        Self::of(name, call, Outcome::Wrong(what))
    }

    fn of(name: &'static str, call: u64, outcome: Outcome) -> Self {
        Self { name, call, attempt: 0, outcome, begun: 0, ended: 0 }
    }

    /// It may be run again.
    fn is_idempotent(&self) -> bool {
        self.name == "again"
    }

    /// Which promise it breaks, in a session that was cut once.
    fn broken(&self) -> Option<String> {
        let Self { attempt, outcome, begun, ended, .. } = self;
        if *begun > 1 && !self.is_idempotent() {
            return Some(format!("ran {begun} times"));
        }
        match outcome {
            Outcome::GivenUp => None,
            Outcome::Wrong(what) => Some(what.clone()),
            Outcome::Done | Outcome::FailedAfter(_) if *ended == 0 => {
                Some("was answered and did not run to its end".to_owned())
            }
            Outcome::Done => None,
            Outcome::Failed(error) | Outcome::FailedAfter(error) if *attempt > 0 => {
                Some(format!("failed again, though the wire is whole: {error}"))
            }
            Outcome::Failed(error) if self.is_idempotent() => {
                Some(format!("was not sent again: {error}"))
            }
            // What was borrowed over a wire that is gone is broken.
            Outcome::FailedAfter(error) if error.kind() == ErrorKind::Broken => None,
            Outcome::Failed(error) | Outcome::FailedAfter(error)
                if error.kind() != ErrorKind::Disconnected =>
            {
                Some(format!("failed with {:?}, which is not what happened: {error}", error.kind()))
            }
            Outcome::FailedAfter(_) => None,
            Outcome::Failed(error) => match error.executed() {
                Executed::No if *begun > 0 => Some(format!("ran: {error}")),
                Executed::Yes if *begun == 0 => Some(format!("did not run: {error}")),
                _ => None,
            },
        }
    }
}

impl Tally {
    /// Something is wrong.
    pub(super) fn object(&mut self, what: String) {
        self.violations.push(what);
    }

    pub(super) fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// Takes in a session that was cut, or was not.
    pub(super) fn read(&mut self, cut: Option<Cut>, played: &Played) {
        self.judge(&cut.map_or("whole".to_owned(), |cut| cut.to_string()), &played.made);
    }

    fn judge(&mut self, session: &str, made: &[Made]) {
        self.sessions += 1;
        for made in made {
            self.count(made);
            if let Some(what) = made.broken() {
                self.object(format!("{session}: `{}` {what}", made.name));
            }
        }
        let failed =
            made.iter().filter(|made| !matches!(made.outcome, Outcome::Done | Outcome::GivenUp));
        let failed = failed.count();
        if failed > 1 || failed == 1 && session == "whole" {
            self.object(format!("{session}: {failed} steps failed, of which one at most was cut"));
        }
    }

    /// Looks at the whole: after so many sessions, whatever can become of a call has.
    pub(super) fn end(&mut self, enough: usize) {
        if self.sessions < enough {
            return;
        }
        for (count, what) in [
            (self.done, "was answered"),
            (self.maybe, "failed and may have run"),
            (self.after, "was answered, and led to what failed"),
            (self.again, "ran again"),
        ] {
            if count == 0 {
                self.violations.push(format!("no call {what}, in {} sessions", self.sessions));
            }
        }
    }

    /// Lines for people.
    pub(super) fn print(&self) {
        let Self { sessions, done, given_up, no, maybe, yes, after, again, .. } = self;
        println!("  sessions   {sessions}");
        println!(
            "  calls      {done} done, {given_up} given up; failed: {no} did not run, {maybe} may have run, {yes} have, {after} after their answer"
        );
        println!("  idempotent {again} ran again");
        match self.violations.len() {
            0 => println!("  violations none"),
            count => println!("  violations {count}"),
        }
        self.violations.iter().take(LISTED).for_each(|what| println!("    {what}"));
    }

    fn count(&mut self, made: &Made) {
        self.again += usize::from(made.begun > 1);
        match &made.outcome {
            Outcome::Done => self.done += 1,
            Outcome::GivenUp => self.given_up += 1,
            Outcome::FailedAfter(_) => self.after += 1,
            Outcome::Wrong(_) => {}
            Outcome::Failed(error) => match error.executed() {
                Executed::No => self.no += 1,
                Executed::Maybe => self.maybe += 1,
                Executed::Yes => self.yes += 1,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ErrorKind, executed: Executed) -> Error {
        Error::of(kind, "why").executed_as(executed)
    }

    fn lost(executed: Executed) -> Error {
        error(ErrorKind::Disconnected, executed)
    }

    /// What is said of a call that has begun and ended so often.
    #[track_caller]
    fn check(made: Made, (begun, ended): (u32, u32), want: Option<&str>) {
        let said = Made { begun, ended, ..made.clone() }.broken();
        let is_as_wanted = match (&said, want) {
            (Some(said), Some(want)) => said.starts_with(want),
            (said, want) => said.is_none() && want.is_none(),
        };
        assert!(is_as_wanted, "{made:?}, {begun} begun, {ended} ended: {said:?}, not {want:?}");
    }

    #[test]
    fn what_is_as_promised_is_clean() {
        check(Made::done("quick", 1), (1, 1), None);
        check(Made::done("again", 1), (2, 1), None);
        check(Made::given_up("slow", 1), (0, 0), None);
        check(Made::given_up("slow", 1), (1, 0), None);
        check(Made::failed("quick", 1, lost(Executed::No)), (0, 0), None);
        check(Made::failed("quick", 1, lost(Executed::Maybe)), (1, 0), None);
        check(Made::failed("quick", 1, lost(Executed::Yes)), (1, 1), None);
        check(Made::failed_after("make", 1, lost(Executed::Maybe)), (1, 1), None);
    }

    #[test]
    fn what_ran_too_often_or_not_at_all() {
        check(Made::done("quick", 1), (2, 2), Some("ran 2 times"));
        check(Made::given_up("slow", 1), (2, 0), Some("ran 2 times"));
        check(Made::done("quick", 1), (1, 0), Some("was answered and did not"));
        check(Made::done("again", 1), (0, 0), Some("was answered and did not"));
        check(Made::failed_after("make", 1, lost(Executed::No)), (0, 0), Some("was answered and"));
        check(Made::failed("quick", 1, lost(Executed::No)), (1, 1), Some("ran: "));
        check(Made::failed("quick", 1, lost(Executed::Yes)), (0, 0), Some("did not run: "));
    }

    #[test]
    fn what_should_not_have_failed() {
        let made = Made::failed("quick", 1, lost(Executed::No));
        check(Made { attempt: 1, ..made }, (0, 0), Some("failed again"));
        check(Made::failed("again", 1, lost(Executed::Maybe)), (1, 0), Some("was not sent again"));
        let broken = error(ErrorKind::Broken, Executed::No);
        check(Made::failed("quick", 1, broken.clone()), (0, 0), Some("failed with Broken"));
        check(Made::failed_after("make", 1, broken), (1, 1), None);
        let late = error(ErrorKind::TimedOut, Executed::Maybe);
        check(Made::failed("quick", 1, late.clone()), (1, 0), Some("failed with TimedOut"));
        check(Made::failed_after("flow", 1, late), (1, 1), Some("failed with TimedOut"));
        check(Made::wrong("quick", 1, "the answer".to_owned()), (1, 1), Some("the answer"));
    }

    #[test]
    fn one_cut_fails_one_step() {
        let failed = || Made::failed("quick", 1, lost(Executed::No));
        for (session, made, count) in [
            ("cut", vec![failed()], 0),
            ("cut", vec![failed(), failed()], 1),
            ("whole", vec![failed()], 1),
        ] {
            let mut tally = Tally::default();
            tally.judge(session, &made);
            assert_eq!(tally.violations.len(), count, "{session}, {made:?}");
            assert_eq!(tally.is_clean(), count == 0);
        }
    }

    #[test]
    fn what_was_never_seen_is_found() {
        let mut tally =
            Tally { sessions: 9, done: 1, maybe: 1, after: 1, again: 1, ..Tally::default() };
        tally.end(9);
        assert!(tally.is_clean());
        (tally.done, tally.maybe, tally.after, tally.again) = (0, 0, 0, 0);
        tally.end(10);
        assert!(tally.is_clean());
        tally.end(9);
        assert_eq!(tally.violations.len(), 4);
    }
}
