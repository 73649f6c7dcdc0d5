//! A client process: threads and tasks that call whenever they may, and calls that it is told to make.

use super::{
    arguments::{Call as Role, settle},
    journal::Journal,
    ledger::Number,
    loans::{LARGE, Shelf, is_intact, stamped},
    work::{Work, answer},
};
use anyhow::{Context, Result, bail};
use farcall::{Call, Executed, Limits, Payload, Remote};
use fastrand::Rng;
use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::runtime::{Builder, Runtime};

/// The deadline of every call.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// Threads that call and wait.
const THREADS: usize = 2;
/// Calls that tasks have in flight at a time, at most.
const IN_FLIGHT: usize = 8;
/// Bytes of a call or an answer that is larger than a ring.
const VAST: u32 = 12 << 20;
/// A call that was on its way when its server died may fail; one of so many must not.
const ATTEMPTS: usize = 3;

/// Calls until it is told to end, or its parent is gone.
pub(crate) fn run(role: Role) -> Result<()> {
    settle()?;
    let client = Arc::new(Client::start(role)?);
    println!("ready");
    for number in 0..THREADS {
        let client = Arc::clone(&client);
        thread::spawn(move || client.call_from_a_thread(number));
    }
    let tasks = Arc::clone(&client);
    thread::spawn(move || tasks.call_from_tasks());
    for order in io::stdin().lines() {
        match order?.split_once(' ').unwrap_or_default() {
            ("let", "go") => client.gate.open(),
            ("let", "pause") => {
                client.gate.close();
                println!("paused");
            }
            ("let", "probe") => match client.probe() {
                Ok(()) => println!("well"),
                Err(error) => println!("ill: {error:#}"),
            },
            (what, server) => client.make(what, server.parse()?)?,
        }
    }
    Ok(())
}

struct Client {
    number: u64,
    next: AtomicU64,
    journal: Journal,
    gate: Gate,
    /// What it holds of what servers have lent to it.
    shelf: Arc<Shelf>,
    /// What threads call through.
    of_threads: Vec<Server>,
    /// What tasks call through.
    of_tasks: Vec<Server>,
    runtime: Runtime,
}

/// A server, and the handle on its service.
struct Server {
    number: u64,
    address: String,
    remote: Mutex<Remote<dyn Work>>,
}

impl Client {
    fn start(role: Role) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let connect = |(number, address): (usize, &String), inside: bool| -> Result<Server> {
            let connecting = connecting(address);
            let remote = match inside {
                true => runtime.block_on(connecting.into_future())?,
                false => connecting.wait()?,
            };
            let (number, address) = (number as u64, address.clone());
            Ok(Server { number, address, remote: Mutex::new(remote) })
        };
        let all = |inside| {
            role.addresses.iter().enumerate().map(move |one| connect(one, inside)).collect()
        };
        let (of_threads, of_tasks): (Result<_>, Result<_>) = (all(false), all(true));
        Ok(Self {
            number: role.number,
            next: AtomicU64::new(0),
            journal: Journal::open(&role.journal)?,
            gate: Gate::default(),
            shelf: Arc::new(Shelf::new()),
            of_threads: of_threads?,
            of_tasks: of_tasks?,
            runtime,
        })
    }

    fn call_from_a_thread(&self, number: usize) {
        let mut random = Rng::with_seed(self.number << 8 | number as u64);
        loop {
            let _pass = self.gate.pass();
            let server = &self.of_threads[random.usize(..self.of_threads.len())];
            self.begin_any(server, &mut random).wait(&self.journal);
        }
    }

    fn call_from_tasks(&self) {
        let mut random = Rng::with_seed(self.number << 8 | 0xff);
        loop {
            let _pass = self.gate.pass();
            self.runtime.block_on(async {
                let mut calls = Vec::new();
                for _ in 0..random.usize(1..=IN_FLIGHT) {
                    let server = &self.of_tasks[random.usize(..self.of_tasks.len())];
                    calls.push(self.begin_any(server, &mut random));
                }
                for call in calls {
                    call.ended(&self.journal).await;
                }
            });
        }
    }

    /// Begins a call of chance's choice.
    fn begin_any(&self, server: &Server, random: &mut Rng) -> Begun {
        let mut size = |most| random.usize(..most);
        match size(100) {
            0..60 => self.begin_run(server, size(200), size(200)),
            60..72 => self.begin(server, "again", |remote, call| remote.again(call)),
            72..84 => self.begin_one_way(server),
            84..92 => self.begin_run(server, size(300_000), size(300_000)),
            92..95 => {
                let sent = if server.lends() && size(20) == 0 { LARGE } else { 8 + size(1 << 20) };
                let length = [0, 8 + size(1 << 20)][size(2)];
                self.begin_loan(server, sent, length)
            }
            _ => Begun { ending: Ending::Dropped, ..self.begin_run(server, size(200), 0) },
        }
    }

    fn begin_run(&self, server: &Server, sent: usize, length: usize) -> Begun {
        let bytes: Vec<u8> = (0..sent).map(|number| number as u8).collect();
        let call = self.note_made(server, "once");
        let want = answer(call, &bytes, length);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        Begun { call, ending: Ending::Bytes(server.remote().run(call, &bytes, length), want) }
    }

    /// Lends so many bytes, for a payload of so many, or for one that the server holds.
    fn begin_loan(&self, server: &Server, sent: usize, length: usize) -> Begun {
        let call = self.note_made(server, "once");
        let remote = server.remote();
        let payload = stamped(remote.loan(sent), call);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        // What a liar lends may change.
        let shelf = if server.lies() { Arc::new(Shelf::full()) } else { Arc::clone(&self.shelf) };
        let ending = Ending::Loan(remote.lend(call, payload, length), shelf);
        Begun { call, ending }
    }

    fn begin(
        &self,
        server: &Server,
        manner: &str,
        make: impl FnOnce(&Remote<dyn Work>, u64) -> Call<Vec<u8>>,
    ) -> Begun {
        let call = self.note_made(server, manner);
        let ending = Ending::Bytes(make(&server.remote(), call), answer(call, &[], 0));
        Begun { call, ending }
    }

    fn begin_one_way(&self, server: &Server) -> Begun {
        let call = self.note_made(server, "oneway");
        Begun { call, ending: Ending::Nothing(server.remote().tell(call)) }
    }

    fn note_made(&self, server: &Server, manner: &str) -> u64 {
        let call = self.next.fetch_add(1, Ordering::Relaxed);
        let call = Number { client: self.number, server: server.number, call }.number();
        note(&self.journal, call, "made", manner);
        call
    }

    /// Makes a call that it was told to make, on a thread of its own.
    fn make(self: &Arc<Self>, what: &str, server: usize) -> Result<()> {
        let server = self.of_threads.get(server).context("which server?")?;
        let begun = match what {
            "hold" => self.begin(server, "once", |remote, call| remote.hold(call)),
            "brink" => self.begin(server, "once", |remote, call| remote.brink(call)),
            "vast" => {
                let call = self.note_made(server, "once");
                let want = answer(call, &[], VAST as usize);
                Begun { call, ending: Ending::Bytes(server.remote().vast(call, VAST), want) }
            }
            "send" => self.begin_run(server, VAST as usize, 0),
            _ => bail!("an unknown order: {what}"),
        };
        let client = Arc::clone(self);
        client.gate.enter();
        thread::spawn(move || {
            let _pass = Pass(&client.gate);
            begun.wait(&client.journal);
        });
        Ok(())
    }

    /// Each server answers through each connection, but for those that lie; and where memory is shared, that is free again. What was held is
    /// still what it was.
    fn probe(&self) -> Result<()> {
        if !self.shelf.clear() {
            bail!("a payload that is held here has changed");
        }
        let servers = self.of_threads.iter().chain(&self.of_tasks);
        for server in servers.filter(|server| !server.lies()) {
            let mut failed = None;
            for _ in 0..ATTEMPTS {
                let begun = match server.lends() {
                    true => self.begin_loan(server, LARGE, LARGE),
                    false => self.begin_loan(server, 8, 8),
                };
                failed = begun.wait(&self.journal);
                if failed.is_none() {
                    break;
                }
            }
            if let Some(error) = failed {
                bail!("server {} does not answer: {error}", server.number);
            }
        }
        Ok(())
    }
}

impl Server {
    /// Its memory is shared: what no frame holds finds room there.
    fn lends(&self) -> bool {
        self.address.starts_with("shm://")
    }

    /// What it answers means nothing.
    fn lies(&self) -> bool {
        self.address.ends_with("#target")
    }

    /// The handle. Whoever lied has lost the connection for good: then there is a new one.
    fn remote(&self) -> MutexGuard<'_, Remote<dyn Work>> {
        let mut remote = self.remote.lock().unwrap_or_else(PoisonError::into_inner);
        if self.lies() && Remote::why_closed(&remote).is_some() {
            let address = self.address.clone();
            let connecting = thread::spawn(move || connecting(&address).wait());
            if let Ok(Ok(another)) = connecting.join() {
                *remote = another;
            }
        }
        remote
    }
}

fn connecting(address: &str) -> farcall::Connecting<dyn Work> {
    let mut limits = Limits::default();
    limits.deadline = DEADLINE;
    farcall::connect::<dyn Work>(address).limits(limits)
}

/// A call on its way.
#[must_use]
struct Begun {
    call: u64,
    ending: Ending,
}

enum Ending {
    /// Answered with these bytes, if all is well.
    Bytes(Call<Vec<u8>>, Vec<u8>),
    /// Answered with a payload that is what it says; it is held then.
    Loan(Call<Payload>, Arc<Shelf>),
    Nothing(Call<()>),
    Dropped,
}

impl Begun {
    /// Waits until it has ended, and notes how. Its error, if it failed.
    fn wait(self, journal: &Journal) -> Option<farcall::Error> {
        let ended = match self.ending {
            Ending::Bytes(call, want) => how(call.wait().map(|bytes| bytes == want)),
            Ending::Loan(call, shelf) => {
                how(call.wait().map(|payload| is_intact(&payload) && shelf.put(payload)))
            }
            Ending::Nothing(call) => how(call.wait().map(|()| true)),
            Ending::Dropped => ("dropped", None),
        };
        note(journal, self.call, "ended", ended.0);
        ended.1
    }

    /// The same in async code.
    async fn ended(self, journal: &Journal) {
        let ended = match self.ending {
            Ending::Bytes(call, want) => how(call.await.map(|bytes| bytes == want)),
            Ending::Loan(call, shelf) => {
                how(call.await.map(|payload| is_intact(&payload) && shelf.put(payload)))
            }
            Ending::Nothing(call) => how(call.await.map(|()| true)),
            Ending::Dropped => ("dropped", None),
        };
        note(journal, self.call, "ended", ended.0);
    }
}

fn how(result: farcall::Result<bool>) -> (&'static str, Option<farcall::Error>) {
    match result {
        Ok(true) => ("answered", None),
        Ok(false) => ("wrong", None),
        Err(error) => match error.executed() {
            Executed::No => ("no", Some(error)),
            Executed::Maybe => ("maybe", Some(error)),
            Executed::Yes => ("yes", Some(error)),
        },
    }
}

/// Without its journal a client is worth nothing.
fn note(journal: &Journal, call: u64, what: &str, how: &str) {
    if let Err(error) = journal.note(format_args!("{what} {call} {how}")) {
        eprintln!("the journal cannot be written: {error}");
        std::process::exit(1);
    }
}

/// Whether there may be calls, and how many callers have some.
#[derive(Default)]
struct Gate {
    state: Mutex<(bool, usize)>,
    changed: Condvar,
}

/// A caller that has calls.
struct Pass<'a>(&'a Gate);

impl Gate {
    fn open(&self) {
        self.lock().0 = true;
        self.changed.notify_all();
    }

    /// Lets nobody in, and waits until all are out.
    fn close(&self) {
        let mut state = self.lock();
        state.0 = false;
        let out = self.changed.wait_while(state, |state| state.1 > 0);
        drop(out);
    }

    /// Waits until it is open.
    fn pass(&self) -> Pass<'_> {
        let state = self.changed.wait_while(self.lock(), |state| !state.0);
        state.unwrap_or_else(PoisonError::into_inner).1 += 1;
        Pass(self)
    }

    /// Goes in, open or not.
    fn enter(&self) {
        self.lock().1 += 1;
    }

    fn lock(&self) -> MutexGuard<'_, (bool, usize)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.lock().1 -= 1;
        self.0.changed.notify_all();
    }
}
