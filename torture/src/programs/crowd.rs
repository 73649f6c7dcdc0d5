//! A process full of clients: each has a connection and a task of its own, and calls all the time.

use super::{
    bench::{Bench, Coin, Counts, Token},
    caller::{Begun, Caller, To},
    client::{DEADLINE, connecting},
    loans::Shelf,
    orders::orders,
    roles::{Crowd as Role, Load, settle},
    work::Work,
};
use anyhow::{Result, bail, ensure};
use farcall::Remote;
use fastrand::Rng;
use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    runtime::Builder,
    sync::{mpsc, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

/// Between two calls of a client, at most.
const REST: Duration = Duration::from_millis(40);
/// How much later than its deadline a call may end, on a machine that is busy.
const LATE: Duration = Duration::from_secs(1);
/// A call that was on its way when its server died may fail; one of so many must not.
const ATTEMPTS: usize = 3;
/// Of a hundred calls, so many are small.
const SMALL: usize = 50;
/// Items of a stream.
const ITEMS: u64 = 50;
/// Milliseconds that some calls take, so that there are always some under way.
const LINGER: u32 = 20;
/// How long those wait that change their mind, at most.
const CHANGE_OF_MIND: Duration = Duration::from_millis(3);

/// Calls until nobody gives orders any more.
pub(crate) fn run(role: Role) -> Result<()> {
    settle()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(play(role))
}

/// What the clients of a process have in common.
struct Crowd {
    caller: Caller,
    /// Microseconds of the longest call.
    longest: AtomicU64,
    /// Microseconds of small calls, since they were asked for.
    took: Mutex<Vec<u32>>,
    /// Objects that were lent.
    counts: Arc<Counts>,
}

impl Crowd {
    /// How many microseconds 999 of 1000 small calls have taken at most since this was last asked.
    fn tail(&self) -> u32 {
        let mut took = mem::take(&mut *self.took());
        took.sort_unstable();
        let tail = took.len().saturating_sub(1) * 999 / 1000;
        took.get(tail).copied().unwrap_or_default()
    }

    fn took(&self) -> MutexGuard<'_, Vec<u32>> {
        self.took.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn play(role: Role) -> Result<()> {
    let Role { call, clients, seed, load } = role;
    let Some(address) = call.addresses.into_iter().next() else { bail!("at which address?") };
    let caller = Caller::open(call.number, &call.journal)?;
    let (longest, took, counts) = (AtomicU64::new(0), Mutex::default(), Arc::default());
    let crowd = Arc::new(Crowd { caller, longest, took, counts });
    // The roll that is called, and who has answered.
    let (roll, calls) = watch::channel(0_u64);
    let (present, mut answers) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    for number in 0..clients {
        let address = address.clone();
        let random = Rng::with_seed(seed ^ call.number << 32 ^ number as u64);
        let (crowd, calls, present) = (Arc::clone(&crowd), calls.clone(), present.clone());
        tasks.spawn(async move {
            let connected = connect(&address, load).await;
            let connected = connected.map_err(|error| format!("cannot connect: {error}"));
            let Ok((remote, bench)) = connected.map_err(|error| drop(present.send(Err(error))))
            else {
                return;
            };
            if present.send(Ok(())).is_ok() {
                Client { crowd, remote, bench, random, wrong: None }.live(calls, &present).await;
            }
        });
    }
    let mut all = async || {
        let mut ill = None;
        for _ in 0..clients {
            match answers.recv().await {
                Some(Ok(())) => {}
                Some(Err(error)) => ill = Some(error),
                None => ill = Some("the clients are gone".to_owned()),
            }
        }
        ill
    };
    if let Some(error) = all().await {
        bail!(error);
    }
    println!("ready");
    let mut orders = orders();
    while let Some(order) = orders.recv().await {
        match &*order {
            "call roll" => {
                roll.send_modify(|number| *number += 1);
                match all().await {
                    None => println!("well"),
                    Some(error) => println!("ill: {error}"),
                }
            }
            "say longest" => println!("longest {}", crowd.longest.load(Ordering::Relaxed)),
            "say tail" => println!("tail {}", crowd.tail()),
            other => bail!("an unknown order: {other}"),
        }
    }
    drop(roll);
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    Ok(())
}

/// Makes the connections of a client: for calls, and for objects and streams if there are to be some.
async fn connect(
    address: &str,
    load: Load,
) -> farcall::Result<(Remote<dyn Work>, Option<Remote<dyn Bench>>)> {
    let remote = connecting(address).await?;
    let bench = match load {
        Load::Mixed => Some(farcall::connect(&format!("{address}#bench")).await?),
        Load::Calls => None,
    };
    Ok((remote, bench))
}

/// A client.
struct Client {
    crowd: Arc<Crowd>,
    remote: Remote<dyn Work>,
    bench: Option<Remote<dyn Bench>>,
    random: Rng,
    /// What was wrong since the roll was last called.
    wrong: Option<String>,
}

impl Client {
    /// Calls, and answers when the roll is called, until no roll can be.
    async fn live(
        mut self,
        mut roll: watch::Receiver<u64>,
        present: &mpsc::UnboundedSender<Result<(), String>>,
    ) {
        loop {
            let rest = REST.mul_f64(self.random.f64());
            match timeout(rest, roll.changed()).await {
                Ok(Ok(())) => {
                    let answered = self.answer().await;
                    drop(present.send(self.wrong.take().map_or(answered, Err)));
                }
                Ok(Err(_)) => return,
                Err(_) => match self.bench.clone() {
                    Some(bench) if self.random.u8(..8) == 0 => {
                        if let Err(error) = self.mix(&bench).await {
                            self.wrong = Some(format!("{error:#}"));
                        }
                    }
                    _ => self.call().await,
                },
            }
        }
    }

    /// One of a few calls is answered.
    async fn answer(&self) -> Result<(), String> {
        let mut failed = None;
        for _ in 0..ATTEMPTS {
            failed = self.end(self.crowd.caller.run(self.to(), 8, 8), false).await;
            if failed.is_none() {
                break;
            }
        }
        failed.map_or(Ok(()), |error| Err(format!("the server does not answer: {error}")))
    }

    /// Makes a call of chance's choice.
    async fn call(&mut self) {
        let mut size = |most| self.random.usize(..most);
        let (kind, sent, length, time) = (size(100), size(200), size(200), self.random.f64());
        let (caller, to) = (&self.crowd.caller, self.to());
        let begun = match kind {
            0..SMALL => caller.run(to, sent, length),
            50..60 => caller.again(to),
            60..70 => caller.begin(to, "again", |remote, call| remote.linger(call, LINGER)),
            70..80 => caller.tell(to),
            80..86 => caller.run(to, sent << 8, length << 8),
            86..92 => caller.lend(to, 8 + (sent << 8), 8 + (length << 8), Arc::new(Shelf::full())),
            92..96 => caller.run(to, sent, 0).given_up(),
            _ => {
                let begun = caller.run(to, sent, length);
                let call = begun.call();
                let ended = begun.ended(&caller.journal);
                if timeout(CHANGE_OF_MIND.mul_f64(time), ended).await.is_err() {
                    caller.note_dropped(call);
                }
                return;
            }
        };
        self.end(begun, kind < SMALL).await;
    }

    /// Has a stream, or an object, go one way or the other.
    async fn mix(&mut self, bench: &Remote<dyn Bench>) -> Result<()> {
        let number = self.random.u64(..);
        match self.random.u8(..4) {
            0 => {
                let mut items = bench.flow(number, ITEMS).await?;
                for want in 0..ITEMS {
                    let item = items.recv().await.transpose()?;
                    ensure!(item == Some(want), "{item:?} came instead of {want}");
                }
            }
            1 => {
                let (sender, receiver) = farcall::channel(4);
                let drained = bench.drain(number, receiver);
                for item in 0..ITEMS {
                    sender.send(item).await?;
                }
                sender.finish();
                ensure!(drained.await?.into_iter().eq(0..ITEMS), "other items came");
            }
            2 => {
                let token = bench.make(number).await?;
                ensure!(token.number().await? == number, "another object came");
            }
            _ => {
                let coin = Coin::new(number, &self.crowd.counts);
                let token = Remote::<dyn Token>::new(coin);
                let back = bench.pass(number, token.clone()).await?;
                ensure!(back.same_object(&token), "another object came back");
            }
        }
        Ok(())
    }

    /// Waits until a call has ended, in time. Its error, if it failed.
    async fn end(&self, begun: Begun, is_small: bool) -> Option<farcall::Error> {
        let (began, call) = (Instant::now(), begun.call());
        let failed = begun.ended(&self.crowd.caller.journal).await;
        let took = began.elapsed();
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.crowd.longest.fetch_max(micros, Ordering::Relaxed);
        if is_small {
            self.crowd.took().push(micros.try_into().unwrap_or(u32::MAX));
        }
        if took > DEADLINE + LATE {
            self.crowd.caller.note_late(call);
        }
        if failed.is_some() {
            // Whoever is refused at once is not to fill the journal with it.
            sleep(REST).await;
        }
        failed
    }

    fn to(&self) -> To<'_> {
        To { server: 0, remote: &self.remote }
    }
}
