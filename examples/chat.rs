//! A chat room. It calls its members back, gives each what was said before as a stream, and notices when one is gone.
//!
//! ```text
//! cargo run --example chat -- room           the room, until it is ended
//! cargo run --example chat -- member NAME    says what stands on standard input, prints what the others say
//! ```
//!
//! `FARCALL__SERVICES__CHAT__LISTEN=tcp://127.0.0.1:7000` before the room and `FARCALL__SERVICES__CHAT__CONNECT=tcp://127.0.0.1:7000` before
//! its members move them from shared memory to TCP.
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::{Receiver, Remote, Server};
use serde::{Deserialize, Serialize};
use std::{
    collections::VecDeque,
    env, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};
use tokio::sync::{broadcast, mpsc};

/// Lines that the room keeps.
const HISTORY: usize = 256;
/// Lines that wait for the slowest member. One that is further behind hears no more.
const BEHIND: usize = 256;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[farcall::remote]
trait Room {
    /// Takes a seat. The member hears every line that is not in the history.
    async fn enter(&self, name: &str, member: Remote<dyn Member>) -> farcall::Result<Entrance>;
}

/// What a member has of the room. Dropping it leaves the room, and so does dying.
#[farcall::remote]
trait Seat {
    async fn say(&self, text: &str) -> farcall::Result<()>;
}

#[farcall::remote]
trait Member {
    async fn hear(&self, line: String) -> farcall::Result<()>;
}

#[derive(Serialize, Deserialize)]
struct Entrance {
    seat: Remote<dyn Seat>,
    history: Receiver<String>,
}

/// The room's side.
struct Hall {
    said: Mutex<VecDeque<String>>,
    news: broadcast::Sender<String>,
}

impl Hall {
    fn lock(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Under one lock with the history: each line is either in it or news, to everybody.
    fn note(&self, line: String) {
        let mut said = self.lock();
        if said.len() == HISTORY {
            said.pop_front();
        }
        said.push_back(line.clone());
        let _ = self.news.send(line);
    }
}

impl Room for Arc<Hall> {
    async fn enter(&self, name: &str, member: Remote<dyn Member>) -> farcall::Result<Entrance> {
        let (sender, history) = farcall::channel(HISTORY);
        let (before, news) = {
            let said = self.lock();
            (said.clone(), self.news.subscribe())
        };
        tokio::spawn(async move {
            for line in before {
                sender.send(line).await?;
            }
            sender.finish();
            Ok::<_, farcall::Error>(())
        });
        tokio::spawn(pass_on(news, member));
        self.note(format!("{name} is here"));
        let seat = Chair { name: name.to_owned(), hall: Self::clone(self) };
        Ok(Entrance { seat: Remote::new(seat), history })
    }
}

/// Tells a member the news, until it is gone or too far behind.
async fn pass_on(mut news: broadcast::Receiver<String>, member: Remote<dyn Member>) {
    while let Ok(line) = news.recv().await {
        if member.hear(line).await.is_err() {
            break;
        }
    }
}

struct Chair {
    name: String,
    hall: Arc<Hall>,
}

impl Seat for Chair {
    async fn say(&self, text: &str) -> farcall::Result<()> {
        self.hall.note(format!("{}: {text}", self.name));
        Ok(())
    }
}

impl Drop for Chair {
    fn drop(&mut self) {
        self.hall.note(format!("{} is gone", self.name));
    }
}

async fn room() -> Result<()> {
    let hall = Hall { said: Mutex::default(), news: broadcast::Sender::new(BEHIND) };
    let room = Remote::<dyn Room>::new(Arc::new(hall));
    let running = Server::new().export("chat", room).listen("chat").start().await?;
    println!("{}", running.address());
    Err(running.failed().await.into())
}

async fn member(name: &str) -> Result<()> {
    let room = farcall::connect::<dyn Room>("chat").await?;
    let (tell, mut heard) = mpsc::channel(1);
    let ear = Remote::<dyn Member>::from_fn(move |line| {
        let tell = tell.clone();
        async move { tell.send(line).await.map_err(|why| farcall::Error::new(why.to_string())) }
    });
    let Entrance { seat, mut history } = room.enter(name, ear).await?;
    while let Some(line) = history.recv().await {
        println!("{}", line?);
    }
    let mut typed = typed();
    loop {
        tokio::select! {
            Some(line) = heard.recv() => println!("{line}"),
            line = typed.recv() => match line {
                Some(line) => seat.say(&line).await?,
                None => return Ok(()),
            },
            why = Remote::closed(&seat) => return Err(why.into()),
        }
    }
}

/// The lines of standard input. They are read by a thread that does not keep the program from ending.
fn typed() -> mpsc::Receiver<String> {
    let (sender, typed) = mpsc::channel(1);
    thread::spawn(move || {
        let lines = io::stdin().lines().map_while(io::Result::ok);
        lines.map(|line| sender.blocking_send(line)).find(std::result::Result::is_err)
    });
    typed
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["room"] => room().await,
        ["member", name] => member(name).await,
        _ => Err("write `room`, or `member` and a name".into()),
    }
}
