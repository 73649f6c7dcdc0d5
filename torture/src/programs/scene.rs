//! A scene: a folder with sockets and journals, the processes in it, and the ledger of what they do.

use super::{
    arguments::Transport,
    child::Child,
    ledger::Ledger,
    leftovers::{self, named_memory, names},
    roles::Load,
};
use anyhow::Result;
use std::{collections::BTreeSet, fs, path::PathBuf};
use tempfile::TempDir;

/// Where a program plays.
pub(crate) struct Scene {
    folder: TempDir,
    transport: Transport,
    /// Where servers with ports listen, once they have one.
    ports: Vec<Option<String>>,
    started: usize,
    clients: u64,
    pub(crate) ledger: Ledger,
    /// The named memory of before.
    memory: BTreeSet<String>,
}

/// A client process and its number.
pub(crate) struct Client {
    pub(crate) number: u64,
    pub(crate) child: Child,
}

impl Scene {
    /// An empty one.
    pub(crate) fn new(transport: Transport) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("torture-").tempdir()?;
        for part in ["sockets", "journals", "errors"] {
            fs::create_dir(folder.path().join(part))?;
        }
        Ok(Self {
            folder,
            transport,
            ports: vec![None; 2],
            started: 0,
            clients: 0,
            ledger: Ledger::default(),
            memory: named_memory(),
        })
    }

    /// Where a server listens.
    pub(crate) fn address(&self, server: usize) -> String {
        match (self.transport, &self.ports[server]) {
            (Transport::Tcp, Some(address)) => address.clone(),
            // No client of this host has that address: the port is free when its owner is dead.
            (Transport::Tcp, None) => "tcp://127.0.0.2:0".to_owned(),
            _ => format!(
                "{}://{}",
                self.transport.scheme(),
                self.socket(&format!("server-{server}")).display()
            ),
        }
    }

    /// Where both servers listen.
    pub(crate) fn addresses(&self) -> [String; 2] {
        [self.address(0), self.address(1)]
    }

    /// A path for a socket.
    pub(crate) fn socket(&self, name: &str) -> PathBuf {
        self.folder.path().join("sockets").join(name)
    }

    /// Starts a server, and waits until it listens.
    pub(crate) fn serve(&mut self, server: usize) -> Result<Child> {
        let mut child = self.begin_server(server)?;
        let address = child.hear("ready")?;
        self.ports[server] = Some(address);
        Ok(child)
    }

    /// Starts a server.
    pub(crate) fn begin_server(&mut self, server: usize) -> Result<Child> {
        let journal = self.journal(&format!("server-{server}"));
        self.begin(
            format!("server {server}"),
            vec!["serve".to_owned(), journal, self.address(server)],
        )
    }

    /// Starts a client of these addresses, and waits until it is connected.
    pub(crate) fn call(&mut self, addresses: &[String]) -> Result<Client> {
        let mut client = self.begin_client(addresses)?;
        client.child.hear("ready")?;
        Ok(client)
    }

    /// Starts a client.
    pub(crate) fn begin_client(&mut self, addresses: &[String]) -> Result<Client> {
        let number = self.clients;
        self.clients += 1;
        let journal = self.journal(&format!("client-{number}"));
        let mut arguments = vec!["call".to_owned(), number.to_string(), journal];
        arguments.extend_from_slice(addresses);
        Ok(Client { number, child: self.begin(format!("client {number}"), arguments)? })
    }

    /// Starts so many clients of the first server, in one process.
    pub(crate) fn begin_crowd(&mut self, clients: usize, seed: u64, load: Load) -> Result<Client> {
        self.begin_many(("crowd", clients, seed, load), self.address(0))
    }

    /// Starts so many clients in that role, in one process, of a server at that address.
    pub(crate) fn begin_many(
        &mut self,
        (role, clients, seed, load): (&str, usize, u64, Load),
        address: String,
    ) -> Result<Client> {
        let number = self.clients;
        self.clients += 1;
        let journal = self.journal(&format!("client-{number}"));
        let (clients, seed, load) = (clients.to_string(), seed.to_string(), load.word().to_owned());
        let arguments =
            [role.to_owned(), clients, seed, load, number.to_string(), journal, address];
        Ok(Client { number, child: self.begin(format!("{role} {number}"), arguments.to_vec())? })
    }

    /// Starts a server in another role and at another address than the first one's.
    pub(crate) fn begin_server_at(&mut self, role: &str, address: String) -> Result<Child> {
        let journal = self.journal("server-0");
        self.begin(role.to_owned(), vec![role.to_owned(), journal, address])
    }

    /// Kills a client.
    pub(crate) fn kill_client(&mut self, mut client: Client) -> Result<()> {
        self.ledger.died(client.number);
        client.child.kill()
    }

    /// Reads the journals into the ledger, but for those of these clients, and looks for what was left behind. To be called when
    /// all processes have ended.
    pub(crate) fn close(&mut self, liars: &[u64]) -> Result<()> {
        let journals = self.folder.path().join("journals");
        for name in names(&journals) {
            let lies = liars.iter().any(|client| name == format!("client-{client}"));
            if !lies && !name.ends_with(".lies") {
                self.ledger.read(&fs::read_to_string(journals.join(&name))?)?;
            }
        }
        for name in names(&self.folder.path().join("sockets")) {
            self.ledger.object(format!("the path {name} was left behind"));
        }
        for name in named_memory().difference(&self.memory) {
            self.ledger
                .object(format!("the memory {name} was left behind, or is another program's"));
        }
        Ok(())
    }

    /// Keeps the folder for somebody to look at. Where it is.
    pub(crate) fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    fn journal(&self, name: &str) -> String {
        self.folder.path().join("journals").join(name).display().to_string()
    }

    fn begin(&mut self, name: String, arguments: Vec<String>) -> Result<Child> {
        self.started += 1;
        let errors = self.folder.path().join("errors").join(format!("{name} {}", self.started));
        Child::start(name, &arguments, errors)
    }
}

/// Objects to what processes hold more than they held.
pub(crate) fn compare(
    ledger: &mut Ledger,
    who: &str,
    before: leftovers::Holds,
    after: leftovers::Holds,
) {
    for (what, before, after) in [
        ("descriptors", before.descriptors, after.descriptors),
        ("mappings of segments", before.mappings, after.mappings),
    ] {
        if after > before {
            ledger.object(format!("{who} holds {after} {what}, and held {before}"));
        }
    }
}
