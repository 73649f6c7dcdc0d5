//! The network that tests hurt: each fault does what it says, and the library lives through it, with every call accounted for.

#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/place.rs"]
mod place;
#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/work.rs"]
mod work;

use farcall::{
    ErrorKind, Executed, Remote, Running, Server,
    testing::{Network, Way},
};
use place::{one_thread, several_threads};
use std::time::{Duration, Instant};
use work::{Seen, Watch, Work, outline, worker};

/// A client and a server on a network, on either kind of runtime.
fn on_a_network<F: Future<Output = ()>>(test: impl Fn(Bench) -> F) {
    one_thread(async { test(Bench::new().await).await });
    several_threads(async { test(Bench::new().await).await });
}

struct Bench {
    network: Network,
    work: Remote<dyn Work>,
    watch: Watch,
    address: String,
    running: Running,
}

impl Bench {
    async fn new() -> Self {
        let network = Network::new();
        let address = network.address("it");
        let (work, watch) = worker();
        let running = serve(&address, work).await.expect("a fresh address");
        let work = farcall::connect::<dyn Work>(&address).await.expect("it is served");
        Self { network, work, watch, address, running }
    }
}

async fn serve(address: &str, work: Remote<dyn Work>) -> farcall::Result<Running> {
    Server::new().export("it", work).listen(address).start().await
}

#[test]
fn without_faults_it_is_like_any_other() {
    on_a_network(async |mut bench| {
        let Bench { network, work, watch, address, running } = &mut bench;
        assert_eq!(running.addresses(), [address.as_str()]);
        for length in [0, 1000, 1 << 20] {
            let data = vec![7; length];
            assert!(work.echo(&data).await.is_ok_and(|echo| echo == data), "{length} bytes");
        }
        assert!([Way::ToServer, Way::ToClient].iter().all(|way| network.passed(*way) > 1 << 20));
        watch.so_far();
        let error = serve(address, worker().0).await.expect_err("it is taken");
        assert_eq!(error.kind(), ErrorKind::AddressInUse);
    });
}

/// Whoever waits for a held answer does so until its deadline, and what was held arrives in the end.
#[test]
fn what_is_held_arrives_later() {
    on_a_network(async |mut bench| {
        let Bench { network, work, watch, .. } = &mut bench;
        let hasty = work.timeout(Duration::from_millis(20));
        network.hold(Way::ToServer);
        let error = hasty.quick(1).await.expect_err("it does not arrive");
        assert_eq!(outline(&error), (ErrorKind::TimedOut, Executed::Maybe));
        network.resume(Way::ToServer);
        network.hold(Way::ToClient);
        let call = work.quick(2);
        network.holds(Way::ToClient).await;
        let error = hasty.quick(3).await.expect_err("its answer does not arrive");
        assert_eq!(outline(&error), (ErrorKind::TimedOut, Executed::Maybe));
        network.heal();
        assert_eq!(call.await, Ok(2));
        assert_eq!(work.quick(4).await, Ok(4));
        assert!(watch.so_far().contains(&Seen::Began(2)));
    });
}

#[test]
fn a_cut_is_the_end_of_a_wire_and_not_of_a_handle() {
    on_a_network(async |mut bench| {
        let Bench { network, work, watch, .. } = &mut bench;
        let (once, twice) = (work.pass(1), work.idempotent().pass(2));
        assert_eq!((watch.next().await, watch.next().await), (Seen::Began(1), Seen::Began(2)));
        network.cut();
        let error = once.await.expect_err("it was lost");
        assert_eq!(outline(&error), (ErrorKind::Disconnected, Executed::Maybe));
        while watch.next().await != Seen::Began(2) {}
        watch.open(1);
        assert_eq!(twice.await, Ok(2));
    });
}

/// The wire is cut after the n-th byte, for every n that a call has: it is answered, or says that it may have run. A handle of its own for
/// each, since one whose wires do not last waits longer and longer before it dials.
#[test]
fn every_byte_may_be_the_last() {
    on_a_network(async |mut bench| {
        let Bench { network, work, watch, address, .. } = &mut bench;
        for way in [Way::ToServer, Way::ToClient] {
            let before = network.passed(way);
            assert_eq!(work.quick(1).await, Ok(1));
            let length = network.passed(way) - before;
            assert!((1..100).contains(&length), "{length} bytes");
            for bytes in 0..=length {
                let work = farcall::connect::<dyn Work>(address).await.expect("it is served");
                watch.so_far();
                network.cut_after(way, bytes);
                let result = work.quick(1).await;
                let runs = watch.so_far().len();
                match &result {
                    Ok(number) => assert_eq!((*number, runs), (1, 1), "after {bytes} bytes"),
                    Err(error) => {
                        let want = (ErrorKind::Disconnected, Executed::Maybe);
                        assert_eq!(outline(error), want, "after {bytes} bytes: {error}");
                        assert!(runs <= 1, "after {bytes} bytes it ran {runs} times");
                    }
                }
                network.heal();
            }
        }
    });
}

#[test]
fn pieces_of_one_byte_are_frames_in_the_end() {
    on_a_network(async |bench| {
        bench.network.chop(1);
        let data: Vec<u8> = (0..=255).cycle().take(3000).collect();
        let calls: Vec<_> = (0..10).map(|number| bench.work.quick(number)).collect();
        assert_eq!(bench.work.echo(&data).await, Ok(data));
        for (number, call) in (0..).zip(calls) {
            assert_eq!(call.await, Ok(number));
        }
    });
}

#[test]
fn a_delay_is_waited_for_each_way() {
    on_a_network(async |bench| {
        let delay = Duration::from_millis(15);
        bench.network.delay(Way::ToServer, delay);
        bench.network.delay(Way::ToClient, delay);
        let begun = Instant::now();
        let calls: Vec<_> = (0..10).map(|number| bench.work.quick(number)).collect();
        for (number, call) in (0..).zip(calls) {
            assert_eq!(call.await, Ok(number));
        }
        assert!(begun.elapsed() >= 2 * delay, "it cannot have taken less");
    });
}

#[test]
fn a_client_tries_again_when_it_is_refused() {
    on_a_network(async |bench| {
        bench.network.refuse(3);
        bench.network.cut();
        let idempotent = bench.work.idempotent();
        assert_eq!(idempotent.quick(1).await, Ok(1));
        bench.network.refuse(usize::MAX);
        let connecting = farcall::connect::<dyn Work>(&bench.address);
        let refused = connecting.within(Duration::from_millis(50)).await;
        assert_eq!(refused.expect_err("it is refused").kind(), ErrorKind::Unreachable);
        bench.network.heal();
        farcall::connect::<dyn Work>(&bench.address).await.expect("it is served");
    });
}

#[test]
fn a_pair_has_no_address() {
    several_threads(async {
        let network = Network::new();
        let (client, server) = network.pair();
        let (work, _watch) = worker();
        tokio::spawn(farcall::serve_over(server, work));
        let work = farcall::connect_over::<dyn Work>(client).await.expect("it is served");
        assert_eq!(work.quick(1).await, Ok(1));
        network.cut();
        let error = work.quick(2).await.expect_err("it is not made anew");
        assert_eq!(error.kind(), ErrorKind::Disconnected);
        let stranger = farcall::connect::<dyn Work>("fault://4294967295/it").await;
        let text = "there is no network for fault://4294967295/it: ask a `Network` for its address, and keep it as long as that is used";
        assert_eq!(stranger.expect_err("there is none").text(), text);
    });
}
