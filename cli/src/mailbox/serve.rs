//! `farcall mailbox serve`: mailboxes that belong to no process that uses them.

use super::wording::{bytes, capacity, duration, on_crash, policy};
use crate::{
    failure::Failure,
    output::Output,
    store::{self, Found},
};
use farcall::{
    Address, Error, Remote, Running, Server,
    mailbox::{Capacity, Kind, OnCrash, Policy, Terms, service_of},
};
use farcall_mailbox::{Host, Post};
use serde_json::json;
use std::{path::PathBuf, time::Duration};

/// Hosts mailboxes. Which they are, and where, it says on standard output when they can be used; it ends when it gets SIGTERM or SIGINT:
/// then no letter is taken or given any more, and those that are taken can be acked for a while.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Addresses or configured names. `NAME.dead`, for the letters that nobody acks, is beside each.
    #[arg(value_name = "ADDRESS", required = true)]
    addresses: Vec<String>,
    /// How many letters each holds: `zero`, `unbounded`, or a number.
    #[arg(long, value_name = "N", default_value = "64", value_parser = capacity)]
    capacity: Capacity,
    /// Who gets a letter: `pair`, `first-receiver`, `round-robin`, `least-loaded`, `sticky` (by the letter's key), `sticky=sender`.
    #[arg(long, value_name = "POLICY", default_value = "first-receiver", value_parser = policy)]
    policy: Policy,
    /// What becomes of a letter that is not acked: `redeliver[=N]`, `drop`, `return`, `close`. Default: `redeliver=5`, and `return` if the
    /// capacity is zero.
    #[arg(long, value_name = "WHAT", value_parser = on_crash)]
    on_crash: Option<OnCrash>,
    /// Bytes of letters that each holds at most.
    #[arg(long, value_name = "BYTES", default_value = "1GiB", value_parser = bytes)]
    ceiling: u64,
    /// The type of the letters, such as `String`. Without it the first process that attaches says it.
    #[arg(long, value_name = "TYPE")]
    kind: Option<String>,
    /// Keeps the letters in files in this folder, so that they outlive this command and the machine. A letter that was sent, taken or acked is
    /// on the disk before anybody is told so. The parameters are kept too.
    #[arg(long, value_name = "DIR")]
    durable: Option<PathBuf>,
    /// How long letters that are taken can still be acked once it is told to end.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    grace: Duration,
}

/// A mailbox, and where it is.
struct Hosted {
    name: String,
    listen: String,
    host: Host,
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let ending = Ending::new()?;
    if arguments.durable.is_some() && arguments.capacity == Capacity::Zero {
        let text = "a mailbox of capacity `zero` keeps no letters: leave `--durable` out, or say how many it may keep";
        return Err(Failure::Usage(text.to_owned()));
    }
    let mut all: Vec<Hosted> = Vec::new();
    for address in &arguments.addresses {
        let (name, listen) = (service_of(address), endpoint_of(address));
        if all.iter().any(|other| other.name == name) {
            let text = format!(
                "two mailboxes are called `{name}`: name them apart, after a `#` at the end of the address"
            );
            return Err(Failure::Usage(text));
        }
        let host = arguments.host(&name).await?;
        all.push(Hosted { name, listen, host });
    }
    let servers = start(&all, output).await?;
    tokio::select! {
        error = failed(&servers) => return Err(error.into()),
        () = ending.told(1) => {}
    }
    end(all, servers, &arguments, &ending).await;
    Ok(())
}

impl Arguments {
    fn terms(&self) -> Terms {
        let on_crash = self.on_crash.unwrap_or(Terms::of(self.capacity).on_crash);
        let Self { capacity, ceiling, policy, .. } = *self;
        Terms { capacity, ceiling, policy, on_crash }
    }

    async fn host(&self, name: &str) -> Result<Host, Failure> {
        let (terms, kind) = (self.terms(), self.kind.as_deref().map(Kind::named));
        match (&self.durable, kind) {
            (Some(folder), kind) => {
                let Found { disk, contents } = store::open(folder, name, terms, kind)?;
                Ok(Host::kept(terms, contents, Box::new(disk)).await?)
            }
            (None, Some(kind)) => Ok(Host::new(terms, kind)),
            (None, None) => Ok(Host::untyped(terms)),
        }
    }
}

/// Where to listen for a mailbox.
fn endpoint_of(address: &str) -> String {
    match address.parse::<Address>() {
        Ok(parsed) => parsed.without_service().to_string(),
        Err(_) => address.to_owned(),
    }
}

/// Serves all mailboxes, those at one address together, and says where they are.
async fn start(all: &[Hosted], output: Output) -> Result<Vec<Running>, Failure> {
    let mut servers = Vec::new();
    for (at, first) in all.iter().enumerate() {
        if all[..at].iter().any(|other| other.listen == first.listen) {
            continue;
        }
        let here: Vec<_> = all.iter().filter(|other| other.listen == first.listen).collect();
        let mut server = Server::new().listen(&first.listen);
        for Hosted { name, host, .. } in &here {
            server = server.export(name, Remote::<dyn Post>::new(host.clone()));
            if let Some(dead) = host.dead() {
                server = server.export(&format!("{name}.dead"), Remote::<dyn Post>::new(dead));
            }
        }
        let running = server.start().await?;
        for Hosted { name, .. } in here {
            let address = |address: &String| format!("{address}#{name}");
            let addresses: Vec<_> = running.addresses().iter().map(address).collect();
            let object = json!({ "mailbox": name, "addresses": addresses });
            output.line(&object, &format!("{name} {}", addresses.join(" ")))?;
        }
        servers.push(running);
    }
    Ok(servers)
}

async fn failed(servers: &[Running]) -> Error {
    let mut failures: Vec<_> = servers.iter().map(|server| Box::pin(server.failed())).collect();
    std::future::poll_fn(|cx| {
        let failed = failures.iter_mut().find_map(|failed| match failed.as_mut().poll(cx) {
            std::task::Poll::Ready(error) => Some(error),
            std::task::Poll::Pending => None,
        });
        failed.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
    })
    .await
}

/// Lets those who have letters ack them, and answers what was asked. Told to end once more, it ends at once.
async fn end(all: Vec<Hosted>, servers: Vec<Running>, arguments: &Arguments, ending: &Ending) {
    all.iter().for_each(|hosted| hosted.host.close());
    let drained = async {
        while all.iter().any(|hosted| hosted.host.counts().held > 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let acked = tokio::time::timeout(arguments.grace, drained);
    let drain = async {
        let _ = acked.await;
        for server in servers {
            server.shutdown().await;
        }
    };
    tokio::select! {
        () = drain => {}
        () = ending.told(2) => {}
    }
    for Hosted { name, host, .. } in all {
        let counts = host.counts();
        let left = counts.ready + counts.held;
        match &arguments.durable {
            Some(folder) => {
                host.finish().await;
                let folder = folder.display();
                eprintln!("farcall: `{name}` ends with {left} letters, which are kept in {folder}");
            }
            None if left > 0 => {
                eprintln!("farcall: `{name}` ends with {left} letters, which are lost");
            }
            None => {}
        }
    }
}

/// What tells this process to end.
struct Ending(tokio::sync::watch::Receiver<u32>);

impl Ending {
    fn new() -> Result<Self, Failure> {
        let (told, ending) = tokio::sync::watch::channel(0);
        let mut signals = Signals::new()?;
        tokio::spawn(async move {
            loop {
                signals.next().await;
                told.send_modify(|times| *times += 1);
            }
        });
        Ok(Self(ending))
    }

    /// Waits until it has been told to end so often.
    async fn told(&self, times: u32) {
        let _ = self.0.clone().wait_for(|told| *told >= times).await;
    }
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 2]);

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?]))
    }

    async fn next(&mut self) {
        let [terminate, interrupt] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Result<Self, Failure> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
