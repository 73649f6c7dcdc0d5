//! What came of the futures that were dropped, and what was wrong.

use super::{act::ACTS, cut::End};

/// Violations that are listed one by one; of more there is only the number.
const LISTED: usize = 20;

/// The sums of one act.
#[derive(Clone, Copy, Default, Debug)]
struct Sums {
    ready: usize,
    dropped: usize,
    silent: usize,
    /// The most polls after which it was dropped.
    most: usize,
    last: Option<End>,
}

/// The sums, and what was wrong.
#[derive(Debug)]
pub(super) struct Tally {
    acts: [Sums; ACTS.len()],
    violations: Vec<String>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { acts: [Sums::default(); ACTS.len()], violations: Vec::new() }
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

    /// Takes in how a future ended that was polled so often at most.
    pub(super) fn take(&mut self, act: usize, polls: usize, end: End) {
        let sums = &mut self.acts[act];
        match end {
            End::Ready => sums.ready += 1,
            End::Dropped => {
                sums.dropped += 1;
                sums.most = sums.most.max(polls);
            }
            End::Silent => sums.silent += 1,
        }
        sums.last = Some(end);
    }

    /// How the last future of an act has ended.
    pub(super) fn last(&self, act: usize) -> Option<End> {
        self.acts[act].last
    }

    /// Looks at the whole: what waits for nothing is ready at last, and the rest never is.
    pub(super) fn end(&mut self) {
        for (sums, act) in self.acts.iter().zip(&ACTS) {
            let wrong = match () {
                () if !act.ends && sums.most == 0 => "was never dropped after a poll",
                () if act.ends && sums.ready == 0 => "was never ready",
                () if !act.ends && sums.ready > 0 => "was ready",
                () => continue,
            };
            self.violations.push(format!("`{}` {wrong}", act.name));
        }
    }

    /// Lines for people.
    pub(super) fn print(&self) {
        for (sums, act) in self.acts.iter().zip(&ACTS) {
            let Sums { ready, dropped, silent, most, .. } = sums;
            println!(
                "  {:<12} {dropped:>6} dropped, after {most:>2} polls at most; {ready:>5} ready, {silent:>4} silent",
                act.name
            );
        }
        match self.violations.len() {
            0 => println!("  violations none"),
            count => println!("  violations {count}"),
        }
        self.violations.iter().take(LISTED).for_each(|what| println!("    {what}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tally in which every act was as it should be.
    fn full() -> Tally {
        let mut tally = Tally::default();
        for (number, act) in ACTS.iter().enumerate() {
            tally.take(number, 1, End::Dropped);
            tally.take(number, 2, if act.ends { End::Ready } else { End::Silent });
        }
        tally
    }

    #[track_caller]
    fn check(mut tally: Tally, want: &[String]) {
        tally.end();
        assert_eq!(tally.violations, want);
        assert_eq!(tally.is_clean(), want.is_empty());
    }

    #[test]
    fn what_is_as_it_should_be_is_clean() {
        check(full(), &[]);
        assert_eq!(full().last(0), Some(End::Ready));
    }

    #[test]
    fn what_was_not_tested_is_found() {
        let mut tally = full();
        tally.acts[0].ready = 0;
        check(tally, &[format!("`{}` was never ready", ACTS[0].name)]);
        let endless = ACTS.iter().position(|act| !act.ends).expect("one does not end");
        let mut tally = full();
        tally.acts[endless].most = 0;
        check(tally, &[format!("`{}` was never dropped after a poll", ACTS[endless].name)]);
    }

    #[test]
    fn what_must_not_end_and_ends_is_found() {
        let endless = ACTS.iter().position(|act| !act.ends).expect("one does not end");
        let mut tally = full();
        tally.take(endless, 3, End::Ready);
        check(tally, &[format!("`{}` was ready", ACTS[endless].name)]);
    }

    #[test]
    fn what_is_objected_to_counts() {
        let mut tally = full();
        tally.object("a leak".to_owned());
        check(tally, &["a leak".to_owned()]);
    }
}
