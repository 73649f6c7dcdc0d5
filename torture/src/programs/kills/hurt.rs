//! How somebody is killed, step by step.

use super::{
    Step, Victim,
    stage::{Stage, YOUNG},
};
use crate::programs::arguments::Transport;
use anyhow::{Context, Result};
use rustix::process::Signal;
use std::{
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
};

impl Stage {
    /// Hurts the victim at that step.
    pub(super) fn hurt(&mut self, victim: Victim, step: Step) -> Result<()> {
        match step {
            Step::Random => self.kill(victim),
            Step::Starting => self.kill_starting(victim),
            Step::Accepting | Step::Handshake => match victim {
                Victim::Server => self.kill_accepting(step),
                Victim::Client => self.kill_connecting(step),
            },
            Step::Before => {
                self.server()?.signal(Signal::STOP)?;
                self.pass(5_000);
                self.kill_and_let_go(victim)
            }
            Step::Within => {
                self.make("hold", "holding")?;
                self.kill(victim)
            }
            Step::Reply => {
                self.make("brink", "on the brink")?;
                self.pass(100);
                self.kill(victim)
            }
            Step::HalfReply => {
                self.make("vast", "vast")?;
                self.client()?.signal(Signal::STOP)?;
                self.server()?.tell("answer")?;
                self.pass(5_000);
                self.kill_and_let_go(victim)
            }
            Step::HalfCall => {
                self.server()?.signal(Signal::STOP)?;
                self.client()?.tell(&format!("send {YOUNG}"))?;
                self.pass(5_000);
                self.kill_and_let_go(victim)
            }
            Step::Draining => self.kill_draining(victim),
            Step::Stopped => {
                self.signal(victim, Signal::STOP)?;
                self.pass(50_000);
                self.signal(victim, Signal::CONT)
            }
        }
    }

    /// Has the young client make a call at the young server, and waits until that says so.
    fn make(&mut self, what: &str, heard: &str) -> Result<()> {
        self.client()?.tell(&format!("{what} {YOUNG}"))?;
        self.server()?.hear(heard).map(drop)
    }

    fn kill(&mut self, victim: Victim) -> Result<()> {
        match victim {
            Victim::Server => self.young_server.take().context("no server")?.kill(),
            Victim::Client => {
                let client = self.young_client.take().context("no client")?;
                self.scene.kill_client(client)
            }
        }
    }

    /// Kills one, and lets the other go on if it was stopped.
    fn kill_and_let_go(&mut self, victim: Victim) -> Result<()> {
        self.kill(victim)?;
        match victim {
            Victim::Server => self.signal(Victim::Client, Signal::CONT),
            Victim::Client => self.signal(Victim::Server, Signal::CONT),
        }
    }

    fn kill_starting(&mut self, victim: Victim) -> Result<()> {
        self.kill(victim)?;
        match victim {
            Victim::Server => {
                self.young_server = Some(self.scene.begin_server(YOUNG)?);
            }
            Victim::Client => {
                let addresses = self.scene.addresses();
                self.young_client = Some(self.scene.begin_client(&addresses)?);
            }
        }
        self.pass(10_000);
        self.kill(victim)
    }

    /// Connects to the server without being a client, and kills it.
    fn kill_accepting(&mut self, step: Step) -> Result<()> {
        let address = self.scene.address(YOUNG);
        let (_, place) = address.split_once("://").context("an address")?;
        let mut stream: Box<dyn Write> = match self.transport {
            Transport::Tcp => Box::new(TcpStream::connect(place)?),
            _ => Box::new(UnixStream::connect(place)?),
        };
        if step == Step::Handshake {
            stream.write_all(self.half_a_handshake())?;
            self.pass(2_000);
        }
        self.kill(Victim::Server)
    }

    /// Has a client connect to what is no server, and kills it.
    fn kill_connecting(&mut self, step: Step) -> Result<()> {
        self.kill(Victim::Client)?;
        let path = self.scene.socket("puppet");
        let puppet = Puppet::listen(self.transport, &path)?;
        self.young_client = Some(self.scene.begin_client(&[puppet.address(self.transport)?])?);
        let mut stream = puppet.accept()?;
        if step == Step::Handshake {
            stream.write_all(self.half_a_handshake())?;
            self.pass(2_000);
        }
        self.kill(Victim::Client)?;
        if self.transport != Transport::Tcp {
            fs::remove_file(path)?;
        }
        Ok(())
    }

    fn half_a_handshake(&self) -> &'static [u8] {
        match self.transport {
            Transport::Shm => b"farcshm\n\x01\0\0\0\x01\0\0\0",
            _ => b"\x2f\0\0\0\x01fcal\x01\0",
        }
    }

    fn kill_draining(&mut self, victim: Victim) -> Result<()> {
        self.make("hold", "holding")?;
        let server = self.server()?;
        server.tell("drain")?;
        server.hear("draining")?;
        self.pass(2_000);
        self.kill(victim)?;
        if victim == Victim::Client {
            // Nobody holds it up any more, but for calls that it has accepted.
            self.young_server.take().context("no server")?.end()?;
        }
        Ok(())
    }
}

/// What listens and is no server.
enum Puppet {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Puppet {
    fn listen(transport: Transport, path: &Path) -> Result<Self> {
        Ok(match transport {
            Transport::Tcp => Self::Tcp(TcpListener::bind("127.0.0.1:0")?),
            _ => Self::Unix(UnixListener::bind(path)?),
        })
    }

    fn address(&self, transport: Transport) -> Result<String> {
        Ok(match self {
            Self::Tcp(listener) => format!("tcp://{}", listener.local_addr()?),
            Self::Unix(listener) => {
                let address = listener.local_addr()?;
                let path = address.as_pathname().context("a path")?.display();
                format!("{}://{path}", transport.scheme())
            }
        })
    }

    fn accept(&self) -> Result<Box<dyn Write>> {
        Ok(match self {
            Self::Tcp(listener) => Box::new(listener.accept()?.0),
            Self::Unix(listener) => Box::new(listener.accept()?.0),
        })
    }
}
