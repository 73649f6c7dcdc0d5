//! smoke
use farcall::{Remote, Server};
#[farcall::remote]
trait Bench {
    async fn add(&self, a: u64, b: u64) -> farcall::Result<u64>;
    async fn echo(&self, data: &[u8]) -> farcall::Result<Vec<u8>>;
}
struct Servant;
impl Bench for Servant {
    async fn add(&self, a: u64, b: u64) -> farcall::Result<u64> {
        Ok(a + b)
    }
    async fn echo(&self, data: &[u8]) -> farcall::Result<Vec<u8>> {
        Ok(data.to_vec())
    }
}
async fn go(address: &str) {
    let running = Server::new()
        .export("bench", Remote::<dyn Bench>::new(Servant))
        .listen(address)
        .start()
        .await
        .unwrap();
    let at = running.addresses()[0].clone();
    let bench = farcall::connect::<dyn Bench>(&at).await.unwrap();
    for i in 0..1000 {
        assert_eq!(bench.add(i, 2).await.unwrap(), i + 2);
    }
    for size in [0, 1, 100, 5000, 100_000, 1 << 20, 10 << 20] {
        let data = vec![7; size];
        assert_eq!(bench.echo(&data).await.unwrap(), data);
    }
    let calls: Vec<_> = (0..5000).map(|i| bench.add(i, 1)).collect();
    let mut failed = 0;
    for (i, call) in calls.into_iter().enumerate() {
        match call.await {
            Ok(v) => assert_eq!(v, i as u64 + 1),
            Err(e) => {
                failed += 1;
                if failed == 1 {
                    println!("{e}")
                }
            }
        }
    }
    println!("failed {failed}");
    running.shutdown().await;
}
#[tokio::test]
async fn inproc() {
    go("inproc://smoke").await
}
#[tokio::test]
async fn unix() {
    go("unix:///tmp/farcall-smoke.sock").await
}
#[tokio::test]
async fn tcp() {
    go("tcp://127.0.0.1:0").await
}
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tcp_mt() {
    go("tcp://127.0.0.1:0").await
}
#[test]
fn blocking() {
    let running = farcall::Server::new()
        .export("bench", Remote::<dyn Bench>::new(Servant))
        .listen("tcp://127.0.0.1:0");
    let rt =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let running = rt.block_on(running.start()).unwrap();
    let at = running.addresses()[0].clone();
    let bench = farcall::connect::<dyn Bench>(&at).wait().unwrap();
    for i in 0..1000 {
        assert_eq!(bench.add(i, 2).wait().unwrap(), i + 2);
    }
    let near = Remote::<dyn Bench>::new(Servant);
    assert_eq!(near.add(1, 2).wait().unwrap(), 3);
}
