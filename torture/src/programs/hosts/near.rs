//! A process full of clients: each has connections of its own, makes calls of which the ledger knows, and has streams and objects go
//! through.

use super::{
    flow::Flow,
    limits,
    phase::{PHASES, Phase},
};
use crate::programs::{
    bench::Bench,
    caller::{Begun, Caller, To},
    client::DEADLINE,
    loans::Shelf,
    orders::orders,
    roles::{Crowd as Role, settle},
    work::Work,
};
use anyhow::{Result, bail};
use farcall::{ErrorKind, Remote};
use fastrand::Rng;
use std::{
    sync::{
        Arc,
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
const REST: Duration = Duration::from_millis(60);
/// How much later than its deadline a call may end, on a machine that is busy.
pub(super) const LATE: Duration = Duration::from_secs(3);
/// How long a client tries to be answered when the roll is called.
const ROLL: Duration = Duration::from_secs(60);
/// Milliseconds that some calls take, so that there are always some under way.
const LINGER: u32 = 40;
/// How long those wait that change their mind, at most.
const CHANGE_OF_MIND: Duration = Duration::from_millis(10);
/// How long is tried to connect where nobody can be reached.
pub(super) const TRY: Duration = Duration::from_millis(1500);

/// Calls until nobody gives orders any more.
pub(crate) fn run(role: Role) -> Result<()> {
    settle()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(play(role))
}

/// What the clients of a process have in common.
struct Crowd {
    caller: Caller,
    flow: Flow,
    /// Microseconds of the longest call.
    longest: AtomicU64,
    /// Calls that failed because their peer was gone.
    lost: AtomicU64,
    /// Streams and callbacks that failed in a phase in which none need.
    failed: AtomicU64,
}

async fn play(role: Role) -> Result<()> {
    let Role { call, clients, seed, .. } = role;
    let Some(address) = call.addresses.into_iter().next() else { bail!("at which address?") };
    let caller = Caller::open(call.number, &call.journal)?;
    let [longest, lost, failed] = Default::default();
    let crowd = Arc::new(Crowd { caller, flow: Flow::new(seed), longest, lost, failed });
    // The phase that begins, and who has noticed.
    let (phase, phases) = watch::channel(0_usize);
    let (present, mut answers) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    for number in 0..clients {
        let remote = farcall::connect(&address).limits(limits()).await?;
        let bench = farcall::connect(&format!("{address}#bench")).limits(limits()).await?;
        let random = Rng::with_seed(seed ^ call.number << 32 ^ number as u64);
        let (crowd, phases, present) = (Arc::clone(&crowd), phases.clone(), present.clone());
        let client = Client { crowd, remote, bench, random, phase: 0, wrong: None };
        tasks.spawn(client.live(phases, present));
    }
    println!("ready");
    let mut orders = orders();
    while let Some(order) = orders.recv().await {
        match order.split_once(' ').unwrap_or((&order, "")) {
            ("phase", number) => {
                phase.send_replace(number.parse()?);
                let mut ill = None;
                for _ in 0..clients {
                    match answers.recv().await {
                        Some(Ok(())) => {}
                        Some(Err(error)) => ill = Some(error),
                        None => ill = Some("the clients are gone".to_owned()),
                    }
                }
                println!("{}", ill.map_or("well".to_owned(), |error| format!("ill: {error}")));
            }
            ("try", "") => println!("tried {}", try_to_connect(&address).await),
            ("tell", "") => {
                let (longest, lost) = (&crowd.longest, &crowd.lost);
                let (streams, passed, broken) = crowd.flow.counts();
                println!(
                    "told {} {} {streams} {passed} {broken} {}",
                    longest.load(Ordering::Relaxed),
                    lost.swap(0, Ordering::Relaxed),
                    crowd.failed.swap(0, Ordering::Relaxed),
                );
            }
            _ => bail!("an unknown order: {order}"),
        }
    }
    drop(phase);
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    Ok(())
}

/// Makes a new connection, where that is not to be had. How long that was tried, and what it came to.
async fn try_to_connect(address: &str) -> String {
    let began = Instant::now();
    let connected = farcall::connect::<dyn Work>(address).limits(limits()).within(TRY).await;
    let took = began.elapsed().as_millis();
    match connected {
        Ok(_) => format!("{took} Connected"),
        Err(error) => format!("{took} {:?} {error}", error.kind()),
    }
}

/// A client.
struct Client {
    crowd: Arc<Crowd>,
    remote: Remote<dyn Work>,
    bench: Remote<dyn Bench>,
    random: Rng,
    /// The number of the phase, which its calls have instead of a server's.
    phase: usize,
    /// What was wrong in this phase.
    wrong: Option<String>,
}

impl Client {
    /// Calls, and answers when a phase begins, until none can.
    async fn live(
        mut self,
        mut phases: watch::Receiver<usize>,
        present: mpsc::UnboundedSender<Result<(), String>>,
    ) {
        loop {
            let rest = REST.mul_f64(self.random.f64());
            match timeout(rest, phases.changed()).await {
                Ok(Ok(())) => {
                    let answered = self.answer().await;
                    drop(present.send(self.wrong.take().map_or(answered, Err)));
                    self.phase = *phases.borrow();
                }
                Ok(Err(_)) => return,
                Err(_) if self.random.u8(..6) == 0 => self.mix().await,
                Err(_) => self.call().await,
            }
        }
    }

    /// A call is answered, sooner or later.
    async fn answer(&self) -> Result<(), String> {
        let began = Instant::now();
        loop {
            let Some(error) = self.end(self.crowd.caller.run(self.to(), 8, 8)).await else {
                return Ok(());
            };
            if began.elapsed() > ROLL {
                return Err(format!("the server does not answer: {error}"));
            }
        }
    }

    /// Makes a call of chance's choice.
    async fn call(&mut self) {
        let mut size = |most| self.random.usize(..most);
        let (kind, sent, length, time) = (size(100), size(200), size(200), self.random.f64());
        let (caller, to) = (&self.crowd.caller, self.to());
        let begun = match kind {
            0..45 => caller.run(to, sent, length),
            45..55 => caller.again(to),
            55..75 => caller.begin(to, "again", |remote, call| remote.linger(call, LINGER)),
            75..82 => caller.tell(to),
            82..87 => caller.run(to, sent << 8, length << 8),
            87..90 => caller.lend(to, 8 + (sent << 8), 8 + (length << 8), Arc::new(Shelf::full())),
            90..95 => caller.run(to, sent, 0).given_up(),
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
        self.end(begun).await;
    }

    /// Has a stream, or an object, go one way or the other.
    async fn mix(&mut self) {
        match self.crowd.flow.go(&self.bench, &mut self.random).await {
            Ok(None) => {}
            Ok(Some(error)) => {
                let Crowd { flow, failed, .. } = &*self.crowd;
                flow.note_broken();
                let Phase { name, harms, .. } = PHASES[self.phase];
                if !harms {
                    eprintln!("a stream or a callback failed ({name}): {error}");
                    failed.fetch_add(1, Ordering::Relaxed);
                }
                sleep(REST).await;
            }
            Err(error) => self.wrong = Some(format!("{error:#}")),
        }
    }

    /// Waits until a call has ended, in time. Its error, if it failed.
    async fn end(&self, begun: Begun) -> Option<farcall::Error> {
        let (began, call) = (Instant::now(), begun.call());
        let failed = begun.ended(&self.crowd.caller.journal).await;
        let took = began.elapsed();
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.crowd.longest.fetch_max(micros, Ordering::Relaxed);
        if took > DEADLINE + LATE {
            self.crowd.caller.note_late(call);
        }
        if let Some(error) = &failed {
            let is_lost = error.kind() == ErrorKind::Disconnected;
            self.crowd.lost.fetch_add(u64::from(is_lost), Ordering::Relaxed);
            // Whoever is refused at once is not to fill the journal with it.
            sleep(REST).await;
        }
        failed
    }

    fn to(&self) -> To<'_> {
        To { server: self.phase as u64, remote: &self.remote }
    }
}
