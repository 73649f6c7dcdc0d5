//! The network: what happens to the bytes that go through it, and who listens on it.

use super::{
    relay::{self, Toll},
    transport::{self, Listeners},
};
use crate::transport::{Peer, Wire, wire};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// Bytes that a wire takes in each direction before the relay has taken any.
const CAPACITY: usize = 64 << 10;
/// Bytes of a piece, unless they are chopped smaller.
const PIECE: usize = 16 << 10;

/// Which way bytes go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// From the side that has connected to the side that has accepted: calls, as a rule.
    ToServer,
    /// Back: answers, as a rule.
    ToClient,
}

/// A network in memory, with addresses of its own and faults that are set while it is in use. They concern all its wires, those that there are
/// and those to come. Clones are the same network.
#[derive(Clone)]
pub struct Network(Arc<Inner>);

/// What a network is made of.
pub(super) struct Inner {
    pub(super) number: u32,
    pub(super) listeners: Listeners,
    faults: watch::Sender<Faults>,
    /// Bytes that were taken and not yet given on, each way.
    under_way: watch::Sender<[usize; 2]>,
}

/// The faults as they are now.
#[derive(Clone, Copy, Default, Debug)]
struct Faults {
    ways: [Lane; 2],
    /// Bytes of a piece; 0: as many as come.
    piece: usize,
    /// How often all wires were cut.
    cuts: u64,
    /// Connections still to be refused.
    refused: usize,
}

/// Those of one way, and what has passed.
#[derive(Clone, Copy, Default, Debug)]
struct Lane {
    delay: Duration,
    held: bool,
    /// Bytes until the wire is cut.
    left: Option<usize>,
    passed: usize,
}

impl Network {
    /// A network that does no harm yet.
    #[must_use]
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let inner = Arc::new(Inner {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            listeners: Listeners::default(),
            faults: watch::Sender::default(),
            under_way: watch::Sender::default(),
        });
        transport::introduce(&inner);
        Self(inner)
    }

    /// The address on this network that has this name: to be served at, and to be connected to, with a service after `#` if need be.
    #[must_use]
    pub fn address(&self, name: &str) -> String {
        transport::address(self.0.number, name)
    }

    /// The two ends of a wire through this network, the client's and the server's, for [`connect_over`](crate::connect_over) and
    /// [`serve_over`](crate::serve_over). To be called inside of a tokio runtime, which carries what goes through it.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[must_use]
    pub fn pair(&self) -> (Wire, Wire) {
        self.0.pair("pair")
    }

    /// What is sent from now on arrives so much later, in the same order. At most 256 KiB are under way, so it also takes more time then.
    pub fn delay(&self, way: Way, by: Duration) {
        self.0.lane(way, |lane| lane.delay = by);
    }

    /// From now on nothing arrives that way: for both ends the other one is silent.
    pub fn hold(&self, way: Way) {
        self.0.lane(way, |lane| lane.held = true);
    }

    /// What was held arrives, and what comes after it.
    pub fn resume(&self, way: Way) {
        self.0.lane(way, |lane| lane.held = false);
    }

    /// Waits until something has been sent that way and has not arrived.
    ///
    /// # Cancel safety
    /// A dropped future has no effect.
    pub async fn holds(&self, way: Way) {
        let mut under_way = self.0.under_way.subscribe();
        // The sender is in `self`.
        let _ = under_way.wait_for(|bytes| bytes[way as usize] > 0).await;
    }

    /// Cuts every wire, in both directions: what has not arrived is lost.
    pub fn cut(&self) {
        self.0.faults.send_modify(|faults| faults.cuts += 1);
    }

    /// Cuts a wire, in both directions, as soon as so many more bytes have arrived that way; the next byte does not arrive. Once: a
    /// wire that is made after it is whole.
    pub fn cut_after(&self, way: Way, bytes: usize) {
        self.0.lane(way, |lane| lane.left = Some(bytes));
    }

    /// What is sent from now on arrives in pieces of so many bytes at most, both ways; 0: as it comes.
    pub fn chop(&self, bytes: usize) {
        self.0.faults.send_modify(|faults| faults.piece = bytes);
    }

    /// Refuses the next so many attempts to connect.
    pub fn refuse(&self, attempts: usize) {
        self.0.faults.send_modify(|faults| faults.refused = attempts);
    }

    /// Takes all faults back. Wires that were cut remain so.
    pub fn heal(&self) {
        self.0.faults.send_modify(|faults| {
            for lane in &mut faults.ways {
                *lane = Lane { passed: lane.passed, ..Lane::default() };
            }
            (faults.piece, faults.refused) = (0, 0);
        });
    }

    /// The bytes that have arrived that way so far, on all wires.
    #[must_use]
    pub fn passed(&self, way: Way) -> usize {
        self.0.faults.borrow().ways[way as usize].passed
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { number, faults, .. } = &*self.0;
        f.debug_struct("Network")
            .field("number", number)
            .field("faults", &*faults.borrow())
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// The two ends of a wire, the client's first. Needs a runtime around it.
    pub(super) fn pair(self: &Arc<Self>, name: &str) -> (Wire, Wire) {
        let (client, from_client) = tokio::io::duplex(CAPACITY);
        let (server, from_server) = tokio::io::duplex(CAPACITY);
        let cut = self.cut();
        let toll = |way| Toll { network: Arc::clone(self), way };
        let (there, back) = (toll(Way::ToServer), toll(Way::ToClient));
        tokio::spawn(relay::run(cut, (there, from_client), (back, from_server)));
        let mut peer = Peer::new("fault", transport::address(self.number, name));
        peer.carried = true;
        let end = |stream| wire(stream, peer.clone());
        (end(client), end(server))
    }

    /// Whether an attempt to connect is refused. It counts.
    pub(super) fn refuses(&self) -> bool {
        let mut refused = false;
        self.faults.send_if_modified(|faults| {
            refused = faults.refused > 0;
            faults.refused = faults.refused.saturating_sub(1);
            false
        });
        refused
    }

    /// Ends when all wires are cut after this was called.
    fn cut(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut faults = self.faults.subscribe();
        let before = faults.borrow().cuts;
        async move {
            // A network that is gone cuts nothing.
            if faults.wait_for(|faults| faults.cuts != before).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn lane(&self, way: Way, change: impl FnOnce(&mut Lane)) {
        self.faults.send_modify(|faults| change(&mut faults.ways[way as usize]));
    }
}

/// What a relay asks.
impl Toll {
    /// The most bytes of the next piece.
    pub(super) fn piece(&self) -> usize {
        match self.network.faults.borrow().piece {
            0 => PIECE,
            bytes => bytes.min(PIECE),
        }
    }

    /// How much later what is taken now arrives.
    pub(super) fn delay(&self) -> Duration {
        self.network.faults.borrow().ways[self.way as usize].delay
    }

    /// So many bytes were taken.
    pub(super) fn took(&self, bytes: usize) {
        self.network.under_way.send_modify(|under_way| under_way[self.way as usize] += bytes);
    }

    /// So many bytes are under way no more.
    pub(super) fn gave(&self, bytes: usize) {
        self.network.under_way.send_modify(|under_way| under_way[self.way as usize] -= bytes);
    }

    /// Waits until something may arrive.
    pub(super) async fn opens(&self) {
        let mut faults = self.network.faults.subscribe();
        // The sender is in `self`.
        let _ = faults.wait_for(|faults| !faults.ways[self.way as usize].held).await;
    }

    /// How many of so many bytes arrive, and whether the wire is cut after them.
    pub(super) fn pass(&self, bytes: usize) -> (usize, bool) {
        let (mut passed, mut cut) = (bytes, false);
        self.network.faults.send_if_modified(|faults| {
            let lane = &mut faults.ways[self.way as usize];
            if let Some(left) = lane.left {
                (passed, cut) = (bytes.min(left), bytes >= left);
                lane.left = (!cut).then_some(left - passed);
            }
            lane.passed += passed;
            false
        });
        (passed, cut)
    }
}
