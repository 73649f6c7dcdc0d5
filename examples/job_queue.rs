//! A queue of jobs whose workers die: a job is taken, done, and only then acked; that of a worker who dies before goes to another one.
//!
//! `cargo run --release --example job_queue` starts the workers, kills some of them at work, and checks that every job was done.
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::mailbox::{Capacity, Mailbox, OnCrash, Policy};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    env,
    process::{Child, Command},
    time::Duration,
};

const JOBS: u64 = 60;
const WORKERS: usize = 3;
/// Workers that are killed, one after each so many jobs.
const KILLED: usize = 3;
const BETWEEN: usize = 15;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What has come of a job.
#[derive(Serialize, Deserialize)]
struct Done {
    job: u64,
    square: u64,
    /// How often the job was given out.
    deliveries: u32,
}

async fn work(jobs: &str, done: &str) -> Result<()> {
    let jobs = Mailbox::<u64>::attach(jobs).await?;
    let done = Mailbox::<Done>::attach(done).await?;
    // Until the mailbox is gone, or this process.
    while let Some(job) = jobs.next().await {
        let job = job?;
        tokio::time::sleep(Duration::from_millis(3)).await;
        let deliveries = job.delivery_count();
        done.send(&Done { job: *job, square: *job * *job, deliveries }).await?;
        job.ack();
    }
    Ok(())
}

fn start(jobs: &str, done: &str) -> Result<Child> {
    Ok(Command::new(env::current_exe()?).args(["work", jobs, done]).spawn()?)
}

async fn oversee() -> Result<()> {
    let [name, results] = ["jobs", "done"].map(|what| format!("{what}-{}", std::process::id()));
    let jobs = Mailbox::<u64>::host(&name)
        .capacity(Capacity::Unbounded)
        .policy(Policy::LeastLoaded)
        .on_crash(OnCrash::Redeliver { max: 5 })
        .open()
        .await?;
    let done = Mailbox::<Done>::host(&results).open().await?;
    for job in 0..JOBS {
        jobs.send(&job).await?;
    }
    let mut workers = (0..WORKERS).map(|_| start(&name, &results)).collect::<Result<Vec<_>>>()?;
    let (mut squares, mut came, mut again) = (BTreeMap::new(), 0, 0);
    while (squares.len() as u64) < JOBS {
        // A worker that dies between the result and the ack has its job done twice, and never not at all.
        let Done { job, square, deliveries } = done.recv_now().await?;
        again += u32::from(deliveries > 1);
        squares.insert(job, square);
        came += 1;
        if came % BETWEEN == 0 && came / BETWEEN <= KILLED {
            workers[0].kill()?;
            workers[0].wait()?;
            workers.rotate_left(1);
            workers[WORKERS - 1] = start(&name, &results)?;
        }
    }
    for worker in &mut workers {
        worker.kill()?;
        worker.wait()?;
    }
    if !squares.into_iter().eq((0..JOBS).map(|job| (job, job * job))) {
        return Err("a job was lost".into());
    }
    println!("{JOBS} jobs done, {KILLED} workers killed, {again} jobs given out again");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    match &env::args().collect::<Vec<_>>()[..] {
        [_, _, jobs, done] => work(jobs, done).await,
        _ => oversee().await,
    }
}
