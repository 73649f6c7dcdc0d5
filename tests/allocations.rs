//! A call on the hot path allocates nothing, neither at its caller nor at its callee: counted for both in one process.

use farcall::{Remote, Server};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Calls that are counted.
const CALLS: usize = 10_000;
/// What a timer, a growing table or the test harness may allocate meanwhile.
const SLACK: usize = 100;

#[farcall::remote]
trait Adder {
    async fn add(&self, a: u64, b: u64) -> farcall::Result<u64>;
    async fn count(&self, text: &str) -> farcall::Result<usize>;
}

struct Servant;

impl Adder for Servant {
    async fn add(&self, a: u64, b: u64) -> farcall::Result<u64> {
        Ok(a + b)
    }

    async fn count(&self, text: &str) -> farcall::Result<usize> {
        Ok(text.len())
    }
}

async fn check(address: &str) {
    let servant = Remote::<dyn Adder>::new(Servant);
    let running =
        Server::new().export("adder", servant).listen(address).start().await.expect("it listens");
    let adder = farcall::connect::<dyn Adder>(&running.addresses()[0]).await.expect("it serves");
    let run = async |calls: usize| {
        for i in 0..calls as u64 {
            assert_eq!(adder.add(i, 1).await, Ok(i + 1));
            assert_eq!(adder.count("borrowed").await, Ok(8));
        }
    };
    run(1000).await;
    let region = Region::new(ALLOCATOR);
    run(CALLS / 2).await;
    let allocated = region.change().allocations;
    assert!(allocated < SLACK, "{address}: {allocated} allocations in {CALLS} calls");
}

#[test]
fn a_hot_call_allocates_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        check("tcp://127.0.0.1:0").await;
        check(&format!("unix://{}/a.sock", folder.path().display())).await;
        #[cfg(target_os = "linux")]
        check(&format!("shm://{}/a.shm", folder.path().display())).await;
        check("inproc://allocations").await;
    });
}
