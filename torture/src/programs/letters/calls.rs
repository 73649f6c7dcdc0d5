//! Whether the producer of a letter could be called by those who had it.

use super::{
    judge::{Case, Fates},
    records::Calls,
};

impl Case<'_> {
    /// A producer that lives is reached, each time once; one that does not is known to be gone.
    pub(super) fn check_calls(&mut self) {
        let Fates { producers, host_died, .. } = self.fates;
        let Calls { begun, heard, answered, gone } = self.letter.calls;
        let is_dead = producers.get(self.producer).is_some_and(|person| person.killed);
        if heard > begun || answered > heard {
            self.object(format!(
                "of {begun} calls its producer heard {heard}, answered {answered}"
            ));
        }
        if gone > 0 && !is_dead && !host_died {
            self.object("its producer lives, and was said to be gone");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::letters::judge::tests::{REDELIVER, fates, found, found_of};

    const ACKED: &str = "took 1 0 10, acks 1";

    #[test]
    fn a_producer_that_is_reached_or_dead_is_as_it_should_be() {
        let fates = fates(REDELIVER);
        let heard = format!("{ACKED}, calls, called heard");
        let reached = found(&fates, "tries, gave-up, heard", [&heard, ""], 0);
        assert_eq!(reached.violations, [""; 0]);
        // The consumer was killed before it could hear the answer.
        let killed = ["", "took 1 0 10, calls"];
        let again = "took 2 0 10, calls, called heard, acks 2";
        let twice = found(&fates, "tries, gave-up, heard, heard", [again, killed[1]], 0);
        assert_eq!(twice.violations, [""; 0]);
        let gone = "took 1 0 11, calls, called gone, acks 1";
        assert_eq!(found_of(1, &fates, "tries", [gone, ""], 0).violations, [""; 0]);
        let host_died = Fates { host_died: true, ..fates };
        let gone = "took 1 0 10, calls, called gone, acks 1";
        assert_eq!(found(&host_died, "tries, gave-up", [gone, ""], 0).violations, [""; 0]);
    }

    #[test]
    fn a_producer_that_is_not_reached() {
        let fates = fates(REDELIVER);
        let gone = format!("{ACKED}, calls, called gone");
        let want = "its producer lives, and was said to be gone";
        assert_eq!(found(&fates, "tries, gave-up", [&gone, ""], 0).violations, [want]);
        let heard = format!("{ACKED}, calls, called heard");
        let want = "of 1 calls its producer heard 0, answered 1";
        assert_eq!(found(&fates, "tries, gave-up", [&heard, ""], 0).violations, [want]);
        let want = "of 1 calls its producer heard 2, answered 1";
        let twice = found(&fates, "tries, gave-up, heard, heard", [&heard, ""], 0);
        assert_eq!(twice.violations, [want]);
    }
}
