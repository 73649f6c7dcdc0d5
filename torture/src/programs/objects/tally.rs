//! What came of the rounds: deeds that were done, failed, or came out wrong; and tokens that were made and dropped.

use super::{
    play::DEEDS,
    tokens::{Fate, Tokens},
};
use std::{mem, time::Duration};

/// Violations that are listed one by one; of more there is only the number.
const LISTED: usize = 20;
/// How a call or a stream may fail whose way leads over a dead process.
const SAYS_SO: [&str; 4] = ["Disconnected", "Broken", "Pipeline", "Unreachable"];
/// Rounds without a kill from which on each deed must have been done in one of them.
const ENOUGH: usize = 8;

/// The sums, and what was wrong.
#[derive(Default, Debug)]
pub(super) struct Tally {
    did: [usize; DEEDS.len()],
    /// Those of rounds without a kill, and the longest of each.
    calm: [usize; DEEDS.len()],
    longest: [Duration; DEEDS.len()],
    calm_rounds: usize,
    failed: usize,
    made: usize,
    died: usize,
    tokens: [Tokens; super::PEERS],
    violations: Vec<String>,
}

impl Tally {
    /// Something is wrong.
    pub(super) fn object(&mut self, what: String) {
        self.violations.push(what);
    }

    pub(super) fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// A round without a kill begins.
    pub(super) fn calm(&mut self) {
        self.calm_rounds += 1;
    }

    /// Takes in what a survivor has noted in a round, in which `victim` was killed, if anybody: every token that it ever made is dropped, once.
    pub(super) fn read(&mut self, who: usize, victim: Option<usize>, journal: &str) {
        for line in journal.lines() {
            if !self.take(who, line) && !self.take_deed(who, victim, line) {
                self.object(format!("{who}: {line}"));
            }
        }
        for token in self.tokens[who].alive() {
            self.object(format!("token {token} of {who} was never dropped"));
        }
    }

    /// Takes in what the dead has noted. It will have no more to say: another process takes its place.
    pub(super) fn read_dead(&mut self, who: usize, journal: &str) {
        for line in journal.lines() {
            let excused = line.starts_with("did ") || line.starts_with("failed ");
            if !self.take(who, line) && !excused {
                self.object(format!("the dead {who}: {line}"));
            }
        }
        self.died += mem::take(&mut self.tokens[who]).alive().len();
    }

    /// Looks at the whole: what is never done is not tested.
    pub(super) fn end(&mut self) {
        for (deed, done) in self.calm.into_iter().enumerate() {
            if done == 0 && self.calm_rounds >= ENOUGH {
                let rounds = self.calm_rounds;
                self.object(format!("`{}` was never done in {rounds} calm rounds", DEEDS[deed]));
            }
        }
    }

    /// Takes in a line about a token. Whether it is one.
    fn take(&mut self, who: usize, line: &str) -> bool {
        let Some((what, token)) = line.split_once(' ') else { return false };
        let Ok(token) = token.parse() else { return false };
        let tokens = &mut self.tokens[who];
        let wrong = match what {
            "made" => {
                self.made += 1;
                tokens.make(token)
            }
            "dropped" => tokens.remove(token),
            _ => return false,
        };
        if let Err(fate) = wrong {
            let before = match fate {
                Fate::Unknown => "was not made",
                Fate::Made => "was made already",
                Fate::Dropped => "was dropped already",
            };
            self.object(format!("{who}: {line}, which {before}"));
        }
        true
    }

    /// Takes in a line about a deed. Whether it is one.
    fn take_deed(&mut self, who: usize, victim: Option<usize>, line: &str) -> bool {
        let words: Vec<_> = line.splitn(4, ' ').collect();
        match words[..] {
            ["did", deed, micros] => {
                let Ok(deed) = deed.parse::<usize>() else { return false };
                let Ok(micros) = micros.parse() else { return false };
                if deed >= DEEDS.len() {
                    return false;
                }
                self.did[deed] += 1;
                if victim.is_none() {
                    self.calm[deed] += 1;
                    let took = Duration::from_micros(micros);
                    self.longest[deed] = self.longest[deed].max(took);
                }
            }
            ["failed", hands, kind, why] => {
                let Ok(hands) = hands.parse::<u8>() else { return false };
                self.failed += 1;
                match victim {
                    None => self.object(format!("{who}, though nobody was hurt: {kind} {why}")),
                    Some(victim) if hands & 1 << victim == 0 => {
                        self.object(format!("{who}, though only {victim} was hurt: {kind} {why}"));
                    }
                    Some(victim) if !SAYS_SO.contains(&kind) => {
                        self.object(format!("{who}, of {victim}, which was killed: {kind} {why}"));
                    }
                    Some(_) => {}
                }
            }
            _ => return false,
        }
        true
    }

    /// Lines for people.
    pub(super) fn print(&self) {
        println!("  calm       {} rounds without a kill, of which", self.calm_rounds);
        for (deed, name) in DEEDS.into_iter().enumerate() {
            let (did, calm, longest) = (self.did[deed], self.calm[deed], self.longest[deed]);
            println!("  {name:<12} {did:>6} done, {calm:>6} in calm, the longest in {longest:.1?}");
        }
        println!("  failed     {} because of the dead", self.failed);
        println!("  tokens     {} made, {} died with their process", self.made, self.died);
        match self.violations.len() {
            0 => println!("  violations none"),
            count => println!("  violations {count}"),
        }
        self.violations.iter().take(LISTED).for_each(|what| println!("    {what}"));
    }
}

#[cfg(test)]
#[cfg(test)]
mod tests {
    use super::*;

    /// What a tally says after rounds in which the first process notes this, and the third is killed.
    fn said_after(rounds: &[&str]) -> Vec<String> {
        let mut tally = Tally::default();
        rounds.iter().for_each(|journal| tally.read(0, Some(2), journal));
        tally.violations
    }

    fn check(rounds: &[&str], want: &str) {
        assert_eq!(said_after(rounds), [want], "{rounds:?}");
    }

    #[test]
    fn what_is_as_promised_is_clean() {
        let mut tally = Tally::default();
        tally.read(
            0,
            Some(2),
            "made 1\ndid 0 17\nmade 2\ndropped 2\nfailed 5 Broken a: b\ndropped 1",
        );
        tally.read(0, Some(2), "failed 4 Disconnected a: b\nmade 3\ndropped 3");
        tally.read_dead(1, "made 1\nmade 2\ndropped 1\nfailed 7 TimedOut of: no matter\ndid 0 1");
        // Its successor counts anew.
        tally.read(1, Some(2), "made 1\ndropped 1\ndid 7 5");
        tally.end();
        assert_eq!(tally.violations, [""; 0]);
        assert_eq!((tally.made, tally.died, tally.failed), (6, 1, 2));
        assert_eq!(tally.did, [1, 0, 0, 0, 0, 0, 0, 1]);
        assert!(tally.is_clean());
        tally.object("something".to_owned());
        assert!(!tally.is_clean());
    }

    #[test]
    fn a_token_that_is_never_dropped() {
        check(&["made 1\nmade 2\ndropped 1"], "token 2 of 0 was never dropped");
    }

    #[test]
    fn a_token_that_is_dropped_twice() {
        check(&["made 1\ndropped 1\ndropped 1"], "0: dropped 1, which was dropped already");
        check(&["made 1\ndropped 1", "dropped 1"], "0: dropped 1, which was dropped already");
    }

    #[test]
    fn a_token_that_nobody_made() {
        check(&["dropped 1"], "0: dropped 1, which was not made");
    }

    #[test]
    fn a_token_that_is_made_twice() {
        check(&["made 1\nmade 1\ndropped 1"], "0: made 1, which was made already");
        check(&["made 1\ndropped 1", "made 1\ndropped 1"], "0: made 1, which was dropped already");
    }

    #[test]
    fn lines_that_mean_nothing() {
        for line in [
            "nonsense",
            "made",
            "made x",
            "did 8 1",
            "did 0",
            "did x 1",
            "did 0 x",
            "failed 4 Broken",
        ] {
            check(&[line], &format!("0: {line}"));
        }
        check(&["wrong flow: an item is missing"], "0: wrong flow: an item is missing");
    }

    #[test]
    fn failures_that_nobody_is_to_blame_for() {
        check(&["failed 3 Broken use: why"], "0, though only 2 was hurt: Broken use: why");
        check(&["failed 4 TimedOut use: why"], "0, of 2, which was killed: TimedOut use: why");
        let mut tally = Tally::default();
        tally.read(0, None, "failed 7 Broken use: why");
        assert_eq!(tally.violations, ["0, though nobody was hurt: Broken use: why"]);
    }

    #[test]
    fn what_the_dead_have_done_wrong() {
        for (journal, want) in [
            ("made 1\ndropped 1\ndropped 1", "1: dropped 1, which was dropped already"),
            ("made 1\nmade 1", "1: made 1, which was made already"),
            ("wrong use: a token", "the dead 1: wrong use: a token"),
        ] {
            let mut tally = Tally::default();
            tally.read_dead(1, journal);
            assert_eq!(tally.violations, [want], "{journal}");
        }
    }

    #[test]
    fn deeds_that_are_never_done() {
        let mut tally = Tally::default();
        for deed in 1..DEEDS.len() {
            tally.read(0, None, &format!("did {deed} 1"));
        }
        // That it was done while somebody died does not count.
        tally.read(0, Some(2), "did 0 1");
        (1..ENOUGH).for_each(|_| tally.calm());
        tally.end();
        assert_eq!(tally.violations, [""; 0]);
        tally.calm();
        tally.end();
        assert_eq!(tally.violations, ["`lend` was never done in 8 calm rounds"]);
    }
}
