//! Gives the files to the workers, and those of a lost worker to another one.

use crate::{
    bar::Bar,
    build::{Site, Worker},
    crew::Crew,
    files::Part,
    job::{Failure, Job, Report, Reports},
};
use farcall::{Remote, Server};
use std::{fmt, time::Duration};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

/// How often a file is given to a worker before the build fails.
const TRIES: usize = 5;
/// How long a worker may take to join before the first file.
const PATIENCE: Duration = Duration::from_secs(30);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
/// Workers that have joined, with their processes.
type Joined = mpsc::Receiver<(Remote<dyn Worker>, u32)>;

/// What a build came to.
#[derive(Default)]
pub struct Built {
    files: usize,
    bytes: u64,
    packed: u64,
    workers: usize,
    lost: usize,
    /// How often a file was given to a worker again.
    again: usize,
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, bytes, packed, workers, lost, again } = self;
        writeln!(f, "{workers} workers, {lost} of them lost, {again} files begun again")?;
        write!(f, "{files} files of {bytes} bytes packed into {packed}, all verified")
    }
}

pub struct Coordinator {
    pub parts: Vec<Part>,
    /// Worker processes to start.
    pub workers: usize,
    /// Kill the first worker that reports progress.
    pub lose: bool,
}

impl Coordinator {
    /// Serves the site at the address until every file is packed and verified.
    pub async fn run(self, address: &str) -> Result<Built> {
        let (join, mut joined) = mpsc::channel(1);
        let site = Remote::<dyn Site>::from_fn(move |worker, process| {
            let join = join.clone();
            async move {
                let joined = join.send((worker, process)).await;
                joined.map_err(|_| farcall::Error::new("the build is over"))?;
                join.closed().await;
                Ok(())
            }
        });
        let running = Server::new().export("build", site).listen(address).start().await?;
        eprintln!("workers join at {}", running.address());
        let mut crew = Crew::start(self.workers, running.address())?;
        let built = self.build(&mut joined, &mut crew).await;
        drop(joined);
        running.shutdown().await;
        built
    }

    async fn build(mut self, joined: &mut Joined, crew: &mut Crew) -> Result<Built> {
        let bytes = self.parts.iter().map(|part| part.bytes).sum();
        let built = Built { files: self.parts.len(), bytes, ..Built::default() };
        let (reports, mut reported) = mpsc::channel(1);
        let mut site = Building { bar: Bar::new(bytes), built, hands: Vec::new(), withheld: None };
        while site.hands.len() < self.workers.max(1) {
            let next = timeout(PATIENCE, joined.recv()).await;
            let (worker, process) = next.ok().flatten().ok_or("a worker has not joined")?;
            site.take_on(worker, process);
        }
        let mut jobs = JoinSet::new();
        loop {
            while let Some(number) = site.idle()
                && let Some(part) = self.parts.pop()
            {
                let job = site.job(number, part, self.lose.then(|| reports.clone()));
                jobs.spawn(async move { (number, job.run().await, job.part) });
            }
            if jobs.is_empty() {
                break;
            }
            tokio::select! {
                Some((worker, process)) = joined.recv() => site.take_on(worker, process),
                Some(report) = reported.recv() => site.lose(report, crew),
                Some(done) = jobs.join_next() => {
                    let (number, result, part) = done?;
                    self.parts.extend(site.settle(number, result, part)?);
                }
            }
        }
        match self.parts.is_empty() {
            true => Ok(site.built),
            false => Err("no worker is left".into()),
        }
    }
}

/// What goes on at the site.
struct Building {
    bar: Bar,
    built: Built,
    hands: Vec<Hand>,
    /// The report whose sender was killed, and hears no answer.
    withheld: Option<Report>,
}

struct Hand {
    worker: Remote<dyn Worker>,
    process: u32,
    idle: bool,
}

impl Hand {
    fn is_lost(&self) -> bool {
        Remote::why_closed(&self.worker).is_some()
    }
}

impl Building {
    fn take_on(&mut self, worker: Remote<dyn Worker>, process: u32) {
        self.built.workers += 1;
        self.bar.say(&format!("process {process} is worker {}", self.hands.len()));
        self.hands.push(Hand { worker, process, idle: true });
    }

    fn idle(&self) -> Option<usize> {
        self.hands.iter().position(|hand| hand.idle && !hand.is_lost())
    }

    /// The part for a worker, which another one checks: itself only where it is alone.
    fn job(&mut self, number: usize, part: Part, reports: Option<Reports>) -> Job {
        self.hands[number].idle = false;
        let (before, after) = self.hands.split_at(number);
        let mut others = after.iter().skip(1).chain(before).filter(|hand| !hand.is_lost());
        let worker = self.hands[number].worker.clone();
        let checker = others.next().map_or_else(|| worker.clone(), |hand| hand.worker.clone());
        Job { part, number, worker, checker, bar: self.bar.clone(), reports }
    }

    /// Kills the first worker that reports, while it waits for the answer: it is in the middle of its part.
    fn lose(&mut self, report: Report, crew: &mut Crew) {
        if self.withheld.is_none() && crew.kill(self.hands[report.worker].process) {
            self.withheld = Some(report);
        }
    }

    /// The part, if it is to be done again.
    fn settle(
        &mut self,
        number: usize,
        result: std::result::Result<u64, Failure>,
        mut part: Part,
    ) -> Result<Option<Part>> {
        let path = part.path.display();
        self.hands[number].idle = true;
        match result {
            Ok(packed) => {
                self.built.packed += packed;
                Ok(None)
            }
            Err(Failure::Unreadable(why)) => Err(format!("{path}: {why}").into()),
            Err(Failure::Wrong) => Err(format!("{path} is not what it was").into()),
            Err(Failure::Call(why)) if part.tries == TRIES => Err(format!("{path}: {why}").into()),
            Err(Failure::Call(why)) => {
                self.bar.say(&format!("worker {number} has not packed {path}: {why}"));
                self.built.lost = self.hands.iter().filter(|hand| hand.is_lost()).count();
                self.built.again += 1;
                part.tries += 1;
                Ok(Some(part))
            }
        }
    }
}
