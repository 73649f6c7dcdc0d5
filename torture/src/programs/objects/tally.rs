//! What came of the rounds: deeds that were done, failed, or came out wrong; and tokens that were made and dropped.

use std::collections::HashMap;

/// Violations that are listed one by one; of more there is only the number.
const LISTED: usize = 20;
/// How a call or a stream may fail whose way leads over a dead process.
const SAYS_SO: [&str; 4] = ["Disconnected", "Broken", "Pipeline", "Unreachable"];

/// The sums, and what was wrong.
#[derive(Default, Debug)]
pub(super) struct Tally {
    did: [usize; 7],
    failed: usize,
    tokens: usize,
    died: usize,
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

    /// Takes in what a survivor has noted in a round: every token that it made is dropped, once.
    pub(super) fn read(&mut self, who: usize, victim: usize, journal: &str) {
        for (token, dropped) in self.lines(Some((who, victim)), journal) {
            if dropped != 1 {
                self.object(format!("token {token} of {who} was dropped {dropped} times"));
            }
        }
    }

    /// Takes in what the dead has noted: no token was dropped twice.
    pub(super) fn read_dead(&mut self, journal: &str) {
        for (token, dropped) in self.lines(None, journal) {
            match dropped {
                0 => self.died += 1,
                1 => {}
                _ => self.object(format!("token {token} of the dead was dropped {dropped} times")),
            }
        }
    }

    /// How often each token was dropped. `of` is whose journal it is, and who was killed.
    fn lines(&mut self, of: Option<(usize, usize)>, journal: &str) -> HashMap<u64, i64> {
        let mut tokens = HashMap::new();
        for line in journal.lines() {
            let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
            match (what, rest.parse::<u64>()) {
                ("made", Ok(token)) => {
                    self.tokens += 1;
                    // One that was made twice would be found as one that was dropped twice.
                    tokens.entry(token).or_insert(0);
                }
                ("dropped", Ok(token)) => *tokens.entry(token).or_insert(0) += 1,
                ("did", Ok(deed)) if of.is_some() => self.did[deed as usize % 7] += 1,
                ("did", Ok(_)) => {}
                ("failed", _) => {
                    if let Some((who, victim)) = of {
                        self.failed(who, victim, rest);
                    }
                }
                _ => self.object(format!("{of:?}: {line}")),
            }
        }
        tokens
    }

    /// Something failed: that must be because of the victim, and say so.
    fn failed(&mut self, who: usize, victim: usize, rest: &str) {
        self.failed += 1;
        let mut words = rest.split(' ');
        let hands = words.next().and_then(|hands| hands.parse::<u8>().ok()).unwrap_or(0);
        let kind = words.next().unwrap_or_default();
        if hands & 1 << victim == 0 {
            self.object(format!("{who}, though only {victim} was hurt: {rest}"));
        } else if !SAYS_SO.contains(&kind) {
            self.object(format!("{who}, of {victim}, which was killed: {rest}"));
        }
    }

    /// Lines for people.
    pub(super) fn print(&self) {
        let Self { did: [lent, handed, kept, used, pipelined, flowed, through], .. } = self;
        println!(
            "  deeds      {lent} lent and come home, {handed} handed on, {kept} kept, {used} used"
        );
        println!("             {pipelined} pipelined, {flowed} streams, {through} through a third");
        println!("             {} failed because of the dead", self.failed);
        println!("  tokens     {} made, {} died with their process", self.tokens, self.died);
        match self.violations.len() {
            0 => println!("  violations none"),
            count => println!("  violations {count}"),
        }
        self.violations.iter().take(LISTED).for_each(|what| println!("    {what}"));
    }
}
