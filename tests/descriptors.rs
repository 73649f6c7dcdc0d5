//! A server that runs out of descriptors: it accepts no more for the time being, says so, serves those that it has, and goes on.

#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "hardening/attacker.rs"]
mod attacker;

use attacker::{Attacker, Said, hello};
use farcall::{Limits, Remote, Server};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    collections::VecDeque,
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// Descriptors that the server may have, and clients that want one each, all at a time.
const DESCRIPTORS: u64 = 64;
const CLIENTS: usize = 120;
/// Clients that stay, at most, while others wait.
const STAY: usize = 20;

const SERVES_AT: &str = "FARCALL_TEST_SERVES_AT";

#[farcall::remote]
trait Work {
    async fn double(&self, number: u64) -> farcall::Result<u64>;
}

struct Worker;

impl Work for Worker {
    async fn double(&self, number: u64) -> farcall::Result<u64> {
        Ok(2 * number)
    }
}

/// In a process of its own, serves with few descriptors. In this one, that nobody told it is all there is to see.
#[tokio::test]
async fn serves_where_it_is_told() {
    let address = match env::var(SERVES_AT) {
        Err(missing) => return assert_eq!(missing, env::VarError::NotPresent),
        Ok(address) => address,
    };
    let maximum = getrlimit(Resource::Nofile).maximum;
    let few = Rlimit { current: Some(DESCRIPTORS), maximum };
    setrlimit(Resource::Nofile, few).expect("less can always be had");
    let mut limits = Limits::default();
    limits.handshakes = 2 * CLIENTS;
    let server = Server::new().export("work", Remote::<dyn Work>::new(Worker)).limits(limits);
    let running = server.listen(&address).start().await.expect("a fresh address");
    println!("serves at {}", running.address());
    panic!("{}", running.failed().await);
}

/// Such a process, and where it serves. Killed when it is dropped.
struct Process(Child, String);

impl Process {
    fn at(address: &str) -> Self {
        let mut child = Command::new(env::current_exe().expect("this test has a path"))
            .args(["--exact", "serves_where_it_is_told", "--nocapture"])
            .env(SERVES_AT, address)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut lines = lines.map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once("serves at ")?.1.to_owned()));
        Self(child, address.expect("it serves"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().expect("it is ours");
        self.0.wait().expect("it is ours");
    }
}

#[test]
fn more_clients_than_descriptors_have_their_turn() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().display();
    for address in [&format!("unix://{path}/a.sock"), "tcp://127.0.0.1:0"] {
        let process = Process::at(address);
        let first = farcall::connect::<dyn Work>(&process.1).wait().expect("it serves");
        let connect = |_| {
            let mut client = Attacker::connect(&process.1);
            client.send(&[hello()]);
            client
        };
        let waiting: Vec<_> = (0..CLIENTS).map(connect).collect();
        // They are accepted in the order in which they came, and more of them wait than can be.
        let mut served = VecDeque::new();
        for mut client in waiting {
            assert_eq!(client.next(), Said::Hello);
            assert_eq!(first.double(21).wait(), Ok(42));
            served.push_back(client);
            if served.len() > STAY {
                served.pop_front();
            }
        }
        let last = farcall::connect::<dyn Work>(&process.1).wait().expect("it goes on");
        assert_eq!(last.double(21).wait(), Ok(42));
    }
}
