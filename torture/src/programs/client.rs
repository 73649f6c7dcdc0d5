//! A client process: threads and tasks that call whenever they may, and calls that it is told to make.

use super::{
    caller::{Begun, Caller, To},
    gate::Gate,
    loans::{LARGE, Shelf},
    roles::{Call as Role, settle},
    work::Work,
};
use anyhow::{Context, Result, bail};
use farcall::{Limits, Remote};
use fastrand::Rng;
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    caller: Caller,
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
            caller: Caller::open(role.number, &role.journal)?,
            gate: Gate::default(),
            shelf: Arc::new(Shelf::new()),
            of_threads: of_threads?,
            of_tasks: of_tasks?,
            runtime,
        })
    }

    fn call_from_a_thread(&self, number: usize) {
        let mut random = Rng::with_seed(self.caller.number << 8 | number as u64);
        loop {
            let _pass = self.gate.pass();
            let server = &self.of_threads[random.usize(..self.of_threads.len())];
            self.begin_any(server, &mut random).wait(&self.caller.journal);
        }
    }

    fn call_from_tasks(&self) {
        let mut random = Rng::with_seed(self.caller.number << 8 | 0xff);
        loop {
            let _pass = self.gate.pass();
            self.runtime.block_on(async {
                let mut calls = Vec::new();
                for _ in 0..random.usize(1..=IN_FLIGHT) {
                    let server = &self.of_tasks[random.usize(..self.of_tasks.len())];
                    calls.push(self.begin_any(server, &mut random));
                }
                for call in calls {
                    call.ended(&self.caller.journal).await;
                }
            });
        }
    }

    /// Begins a call of chance's choice.
    fn begin_any(&self, server: &Server, random: &mut Rng) -> Begun {
        let mut size = |most| random.usize(..most);
        let remote = server.remote();
        let to = server.to(&remote);
        match size(100) {
            0..60 => self.caller.run(to, size(200), size(200)),
            60..72 => self.caller.again(to),
            72..84 => self.caller.tell(to),
            84..92 => self.caller.run(to, size(300_000), size(300_000)),
            92..95 => {
                let sent = if server.lends() && size(20) == 0 { LARGE } else { 8 + size(1 << 20) };
                let length = [0, 8 + size(1 << 20)][size(2)];
                self.lend(server, to, sent, length)
            }
            _ => self.caller.run(to, size(200), 0).given_up(),
        }
    }

    fn lend(&self, server: &Server, to: To<'_>, sent: usize, length: usize) -> Begun {
        // What a liar lends may change.
        let shelf = if server.lies() { Arc::new(Shelf::full()) } else { Arc::clone(&self.shelf) };
        self.caller.lend(to, sent, length, shelf)
    }

    /// Makes a call that it was told to make, on a thread of its own.
    fn make(self: &Arc<Self>, what: &str, server: usize) -> Result<()> {
        let server = self.of_threads.get(server).context("which server?")?;
        let remote = server.remote();
        let to = server.to(&remote);
        let begun = match what {
            "hold" => self.caller.begin(to, "once", |remote, call| remote.hold(call)),
            "brink" => self.caller.begin(to, "once", |remote, call| remote.brink(call)),
            "vast" => self.caller.vast(to, VAST),
            "send" => self.caller.run(to, VAST as usize, 0),
            _ => bail!("an unknown order: {what}"),
        };
        drop(remote);
        let client = Arc::clone(self);
        client.gate.enter();
        thread::spawn(move || {
            let _pass = client.gate.entered();
            begun.wait(&client.caller.journal);
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
                let remote = server.remote();
                let length = if server.lends() { LARGE } else { 8 };
                let begun = self.lend(server, server.to(&remote), length, length);
                drop(remote);
                failed = begun.wait(&self.caller.journal);
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
    fn to<'a>(&self, remote: &'a Remote<dyn Work>) -> To<'a> {
        To { server: self.number, remote }
    }

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

/// To that address, with the deadline of all calls.
pub(crate) fn connecting(address: &str) -> farcall::Connecting<dyn Work> {
    let mut limits = Limits::default();
    limits.deadline = DEADLINE;
    farcall::connect::<dyn Work>(address).limits(limits)
}
