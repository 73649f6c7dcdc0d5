//! Producer, consumer and host are killed at each of their steps: at each frame that they send or receive, at each point of storing, and
//! between the things that they do. No letter is lost or comes twice, and there is as much room as before.

use crate::{
    ledger::{FIRST, Ledger, drain_all, restored},
    mortal::Step,
    play::{NOTE, ROOM},
    stage::{Puppet, Stage, everywhere, over_each},
};
use std::collections::BTreeSet;

/// How a play has ended.
struct Played {
    /// What the process that has played said.
    said: Vec<String>,
    /// Nobody was killed before it had ended.
    is_whole: bool,
}

/// Has a process killed at its first step of each kind, at its second, and so on, until a play ends without that. Each play has a number.
fn at_every_step(kinds: &[Step], mut play: impl FnMut(Death) -> Played) -> Vec<Played> {
    let mut all = Vec::new();
    for step in kinds {
        for number in 1.. {
            let first = FIRST * (all.len() as u32 + 1);
            all.push(play(Death { step: *step, number, first }));
            if all.last().is_some_and(|played| played.is_whole) {
                break;
            }
        }
    }
    all
}

/// When somebody is killed.
#[derive(Clone, Copy)]
struct Death {
    step: Step,
    number: u64,
    /// The first of the letters that no other play has.
    first: u32,
}

fn is_note(answer: &str) -> bool {
    answer.starts_with(NOTE)
}

/// A process plays until it is killed, or has ended in good order.
fn play(stage: &Stage, death: Death, command: &str) -> Played {
    let mut player = stage.mortal(death.step, death.number);
    player.tell(command);
    let mut said = Vec::new();
    while said.last().is_none_or(|last: &String| is_note(last))
        && let Some(answer) = player.hear_or_end()
    {
        said.push(answer);
    }
    player.kill();
    let last = said.last().map_or(NOTE, String::as_str);
    assert!(is_note(last) || last == "ok", "{said:?}");
    let is_whole = !is_note(last);
    Played { said, is_whole }
}

/// It was killed before each thing that it does, and after each.
#[track_caller]
fn check_all_were_there(all: &[Played]) {
    let ends: BTreeSet<_> = all.iter().map(|played| played.said.len()).collect();
    let whole = ends.last().copied().unwrap_or_default();
    assert!((1..whole).all(|end| ends.contains(&end)), "{ends:?} of {whole}");
}

#[test]
fn a_producer_is_killed_at_every_step() {
    everywhere(|stage| {
        let (mut host, address) = stage.host(&format!("bounded={ROOM}"));
        let mut worker = stage.attached(&address);
        let mut ledger = Ledger::default();
        let all = at_every_step(&[Step::Noting, Step::Wiring], |death| {
            worker.tell("work");
            let played = play(stage, death, &format!("produce {address} {}", death.first));
            // It comes behind all that was accepted.
            assert_eq!(host.ask("send 0"), "sent");
            let came = worker.hear();
            ledger.found.extend(came.split_whitespace().map(|word| (word.parse().unwrap(), 1)));
            ledger.read(&played.said);
            ledger.check();
            played
        });
        ledger.found.append(&mut restored(&mut host, ROOM));
        ledger.check();
        check_all_were_there(&all);
    });
}

#[test]
fn a_consumer_is_killed_at_every_step() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=8 pair");
        let all = at_every_step(&[Step::Noting, Step::Wiring], |death| {
            let letters: Vec<_> = (death.first..).take(6).collect();
            let listed: Vec<_> = letters.iter().map(ToString::to_string).collect();
            assert_eq!(host.ask(&format!("send_all {}", listed.join(" "))), "sent 6");
            let played = play(stage, death, &format!("consume {address}"));
            let mut ledger = Ledger::default();
            ledger.tried.extend(&letters);
            ledger.sent.extend(&letters);
            ledger.read(&played.said);
            ledger.found.append(&mut drain_all(&mut host));
            ledger.check();
            played
        });
        assert_eq!(restored(&mut host, 8), []);
        check_all_were_there(&all);
    });
}

#[test]
fn a_durable_host_is_killed_at_every_step() {
    over_each(|stage| {
        let (address, file) = (stage.address(), stage.file());
        let keep = format!("keep {address} {}", file.display());
        let mut ledger = Ledger::default();
        let all = at_every_step(&[Step::Storing, Step::Wiring], |death| {
            let mut host = stage.mortal(death.step, death.number);
            host.tell(&keep);
            let mut user = stage.puppet();
            user.tell(&format!("use {address} {}", death.first));
            let (mut said, mut next) = (Vec::new(), None);
            while said.last().is_none_or(|last: &String| is_note(last)) {
                if next.is_none() && host.has_died() {
                    next = Some(keeping(stage, &keep));
                }
                said.extend(user.hear_soon());
            }
            let is_whole = next.is_none() && said.last().is_some_and(|last| last == "ok");
            let _next = next.unwrap_or_else(|| {
                host.kill();
                keeping(stage, &keep)
            });
            assert_eq!(user.ask(&format!("attach {address}")), "ok");
            ledger.read(&said);
            ledger.found.append(&mut restored(&mut user, ROOM));
            ledger.check();
            Played { said, is_whole }
        });
        let gone = all.iter().filter(|played| played.said.ends_with(&["MailboxGone".to_owned()]));
        let during: BTreeSet<_> = gone.map(|played| last_word(&played.said)).collect();
        let each = ["acks", "asks", "takes", "tries"];
        assert!(each.iter().all(|word| during.contains(word)), "{during:?}");
    });
}

/// A process that hosts what is kept.
fn keeping(stage: &Stage, keep: &str) -> Puppet {
    let mut host = stage.puppet();
    assert_eq!(host.ask(keep), "ok");
    host
}

/// What was being done when it ended badly.
fn last_word(said: &[String]) -> &str {
    let note = said.iter().rev().find_map(|answer| answer.strip_prefix(NOTE));
    note.and_then(|note| note.split(' ').next()).unwrap_or_default()
}
