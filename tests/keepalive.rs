//! Signs of life across a network: a peer that gives none is taken for dead, one that is merely slow is not; and what needs no answer does
//! not wait for one.

#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/place.rs"]
mod place;
#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/work.rs"]
mod work;

use farcall::{
    ErrorKind, Executed, Limits, Remote, Running, Server,
    testing::{Network, Way},
};
use place::{one_thread, several_threads};
use std::time::Duration;
use work::{Seen, Watch, Work, outline, worker};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(1000);

struct Bench {
    network: Network,
    work: Remote<dyn Work>,
    watch: Watch,
    running: Running,
}

impl Bench {
    /// A client that asks for signs of life after one time, and gives its peer up after another.
    async fn new(ping_after: Duration, dead_after: Duration) -> Self {
        let mut limits = Limits::default();
        (limits.ping_after, limits.dead_after) = (ping_after, dead_after);
        Self::within(limits, Limits::default()).await
    }

    async fn within(of_client: Limits, of_server: Limits) -> Self {
        let network = Network::new();
        let address = network.address("it");
        let (work, watch) = worker();
        let server = Server::new().export("it", work).limits(of_server).listen(&address);
        let running = server.start().await.expect("a fresh address");
        let connecting = farcall::connect::<dyn Work>(&address).limits(of_client);
        let work = connecting.await.expect("it is served").timeout(LONG);
        Self { network, work, watch, running }
    }
}

fn on_a_network<F: Future<Output = ()>>(limits: (u64, u64), test: impl Fn(Bench) -> F) {
    let (ping_after, dead_after) =
        (Duration::from_millis(limits.0), Duration::from_millis(limits.1));
    one_thread(async { test(Bench::new(ping_after, dead_after).await).await });
    several_threads(async { test(Bench::new(ping_after, dead_after).await).await });
}

/// Long before the deadline of its calls. The next wire serves again.
#[test]
fn a_silent_peer_is_taken_for_dead() {
    on_a_network((50, 150), async |mut bench| {
        let Bench { network, work, watch, .. } = &mut bench;
        for number in 1..=2 {
            let call = work.pass(number);
            assert_eq!(watch.next().await, Seen::Began(number));
            network.hold(Way::ToClient);
            let error = call.await.expect_err("nothing comes");
            assert_eq!(outline(&error), (ErrorKind::Disconnected, Executed::Maybe));
            let want = "the peer has been silent for too long, a ping included: taken for dead";
            assert_eq!(error.text(), want);
            // Only now can the server find that nobody is there.
            network.heal();
            assert_eq!(watch.next().await, Seen::Dropped(number));
        }
        assert_eq!(work.quick(3).await, Ok(3));
    });
}

/// Whoever serves finds it too, and lets go of what it has of that peer: while a call runs, and while none does.
#[test]
fn a_silent_client_is_let_go() {
    let test = async |is_called: bool| {
        let mut short = Limits::default();
        (short.ping_after, short.dead_after) =
            (Duration::from_millis(50), Duration::from_millis(150));
        let mut bench = Bench::within(Limits::default(), short).await;
        let Bench { network, work, watch, running } = &mut bench;
        assert_eq!(work.quick(1).await, Ok(1));
        assert_eq!(watch.next().await, Seen::Began(1));
        let call = is_called.then(|| work.pass(2));
        if is_called {
            assert_eq!(watch.next().await, Seen::Began(2));
        }
        assert_eq!(running.connections(), 1);
        network.hold(Way::ToServer);
        while running.connections() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if is_called {
            assert_eq!(watch.next().await, Seen::Dropped(2));
        }
        network.heal();
        let lost = call.map(async |call| call.await.expect_err("its servant was dropped"));
        if let Some(lost) = lost {
            assert_eq!(outline(&lost.await), (ErrorKind::Disconnected, Executed::Maybe));
        }
        assert_eq!(work.idempotent().quick(3).await, Ok(3));
    };
    for is_called in [true, false] {
        one_thread(test(is_called));
        several_threads(test(is_called));
    }
}

/// A client that calls nobody finds that its server is gone: it may hold objects, or wait for what a stream brings.
#[test]
fn an_idle_client_notices_too() {
    on_a_network((50, 150), async |bench| {
        let Bench { network, work, .. } = &bench;
        assert_eq!(work.quick(1).await, Ok(1));
        let connection = Remote::connection(work).expect("it is elsewhere");
        network.hold(Way::ToClient);
        let why = connection.closed().await;
        assert_eq!(outline(&why), (ErrorKind::Disconnected, Executed::Maybe));
        network.heal();
        assert_eq!(work.quick(2).await, Ok(2));
    });
}

/// One that answers when it is asked is not, however long its calls take.
#[test]
fn a_slow_peer_is_alive() {
    on_a_network((20, 20_000), async |mut bench| {
        let Bench { network, work, watch, .. } = &mut bench;
        let call = work.pass(1);
        assert_eq!(watch.next().await, Seen::Began(1));
        let before = network.passed(Way::ToClient);
        // Ten pongs, each with its length before it.
        while network.passed(Way::ToClient) < before + 10 * 6 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        watch.open(1);
        assert_eq!(call.await, Ok(1));
        assert_eq!(watch.next().await, Seen::Ended(1));
    });
}

/// Nor is one whose frame takes longer to arrive, or to be sent, than it may be silent.
#[test]
fn a_slow_frame_is_a_sign_of_life() {
    on_a_network((500, 1000), async |bench| {
        let Bench { network, work, .. } = &bench;
        for way in [Way::ToClient, Way::ToServer] {
            // At most 256 KiB are under way at a time.
            network.delay(way, Duration::from_millis(60));
            let data = vec![7; 8 << 20];
            let arrived = match way {
                Way::ToClient => work.fill(data.len()).await,
                Way::ToServer => work.echo(&data).await,
            };
            assert_eq!(arrived.map(|arrived| arrived == data), Ok(true), "{way:?}");
            network.heal();
        }
    });
}

/// A call that is given up is so at its servant one way later: nothing comes back meanwhile.
#[test]
fn giving_up_takes_one_way() {
    on_a_network((20_000, 40_000), async |mut bench| {
        let Bench { network, work, watch, .. } = &mut bench;
        for number in 0..10 {
            let call = work.pass(number);
            assert_eq!(watch.next().await, Seen::Began(number));
            network.hold(Way::ToClient);
            drop(call);
            assert_eq!(watch.next().await, Seen::Dropped(number));
            network.heal();
        }
        assert_eq!(work.quick(10).await, Ok(10));
    });
}
