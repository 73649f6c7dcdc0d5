//! A host that is killed in the midst of many senders and receivers: what was sent is there, and what was acked is not.

use crate::{
    programs::runtime,
    stage::{Running, Stage},
};
use farcall::mailbox::{Error, Mailbox};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// Those that send at the same time, and those that receive.
const SENDERS: u64 = 16;
const RECEIVERS: u64 = 4;
const KILLS: u64 = 5;
/// Letters that are sent between two kills, at least.
const BETWEEN: usize = 200;

/// What is known of the letters, by those who outlive the host.
#[derive(Default)]
struct Ledger {
    /// A send returned.
    sent: BTreeSet<u64>,
    /// How often each was taken, and whether its count said so.
    taken: BTreeMap<u64, Vec<u32>>,
    /// Acks that returned.
    acked: BTreeSet<u64>,
    wrong: Vec<String>,
}

impl Ledger {
    fn take(&mut self, letter: u64, count: u32) {
        self.taken.entry(letter).or_default().push(count);
        if self.acked.contains(&letter) {
            self.wrong.push(format!("{letter} came after its ack"));
        }
    }
}

fn serve(stage: &Stage) -> Running {
    let address = stage.address("jobs");
    stage.serve(&[
        &*address,
        "--durable",
        "store",
        "--capacity",
        "unbounded",
        "--policy",
        "least-loaded",
        "--on-crash",
        "redeliver=1000",
    ])
}

/// Sends letters until it is told to end, and attaches again when the host has died.
async fn send(address: String, first: u64, ledger: Arc<Mutex<Ledger>>, ends: Arc<AtomicBool>) {
    let mut letter = first;
    while !ends.load(Ordering::Relaxed) {
        let Ok(jobs) = Mailbox::<u64>::attach(&address).await else { continue };
        while !ends.load(Ordering::Relaxed) {
            let sent = jobs.send(&letter).await;
            // One that fails is never sent again: whether it was accepted is not known.
            letter += SENDERS;
            match sent {
                Ok(_) => drop(ledger.lock().unwrap().sent.insert(letter - SENDERS)),
                Err(Error::MailboxGone(_)) => break,
                Err(other) => {
                    ledger.lock().unwrap().wrong.push(other.to_string());
                    break;
                }
            }
        }
    }
}

/// Takes letters and acks every other one until it is told to end.
async fn receive(address: String, ledger: Arc<Mutex<Ledger>>, ends: Arc<AtomicBool>) {
    while !ends.load(Ordering::Relaxed) {
        let Ok(jobs) = Mailbox::<u64>::attach(&address).await else { continue };
        while !ends.load(Ordering::Relaxed) {
            let Ok(letter) = jobs.recv().await else { break };
            let (value, count) = (*letter, letter.delivery_count());
            ledger.lock().unwrap().take(value, count);
            if value % 2 == 0 && letter.acked().await.is_ok() {
                ledger.lock().unwrap().acked.insert(value);
            }
        }
    }
}

#[test]
fn nothing_that_was_sent_is_lost_and_nothing_that_was_acked_comes_again() {
    let stage = Stage::new();
    let (ledger, ends) =
        (Arc::new(Mutex::new(Ledger::default())), Arc::new(AtomicBool::new(false)));
    let runtime = runtime();
    let mut host = serve(&stage);
    let address = host.address.clone();
    let senders = (0..SENDERS).map(|first| {
        runtime.spawn(send(address.clone(), first, Arc::clone(&ledger), Arc::clone(&ends)))
    });
    let senders: Vec<_> = senders.collect();
    let receivers = (0..RECEIVERS)
        .map(|_| runtime.spawn(receive(address.clone(), Arc::clone(&ledger), Arc::clone(&ends))));
    let receivers: Vec<_> = receivers.collect();
    for kill in 1..=KILLS {
        let enough = BETWEEN * usize::try_from(kill).unwrap();
        while ledger.lock().unwrap().sent.len() < enough {
            std::thread::yield_now();
        }
        host.child.kill().unwrap();
        host.child.wait().unwrap();
        drop(host);
        host = serve(&stage);
    }
    ends.store(true, Ordering::Relaxed);
    runtime.block_on(async {
        for sender in senders {
            sender.await.unwrap();
        }
        receivers.iter().for_each(tokio::task::JoinHandle::abort);
        drain(&address, &ledger).await;
    });
    check(&ledger.lock().unwrap());
    // What is there in the end is what the store has.
    drop(host);
    let _host = serve(&stage);
    assert_eq!(stage.run(&["mailbox", "peek", &address]).code, 3);
}

/// Takes and acks what is left.
async fn drain(address: &str, ledger: &Mutex<Ledger>) {
    let jobs = Mailbox::<u64>::attach(address).await.unwrap();
    // Letters of receivers that were ended come back.
    while jobs.counts().await.unwrap().held > 0 {}
    loop {
        let letter = match jobs.try_recv().await {
            Ok(letter) => letter,
            Err(Error::Empty) => break,
            Err(error) => panic!("{error}"),
        };
        let (value, count) = (*letter, letter.delivery_count());
        letter.acked().await.unwrap();
        ledger.lock().unwrap().take(value, count);
    }
}

fn check(ledger: &Ledger) {
    assert_eq!(ledger.wrong, [""; 0]);
    let lost: Vec<_> = ledger.sent.iter().filter(|sent| !ledger.taken.contains_key(sent)).collect();
    assert_eq!(lost, [&0; 0], "sent, and never there");
    for (letter, counts) in &ledger.taken {
        // Each delivery says that there was an earlier one: a count may be left out, by one that nobody has seen, and never repeats.
        assert!(counts.is_sorted_by(|one, next| one < next), "{letter}: {counts:?}");
    }
    assert!(ledger.taken.values().any(|counts| counts.len() > 1), "nobody was killed at work");
}
