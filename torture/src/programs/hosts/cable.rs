//! A cable between two hosts: a device on either, and a thread that carries packets from one to the other, as well as its path lets it.

use super::{
    namespace::Namespace,
    path::{Counts, Path, Way},
};
use anyhow::{Context, Result, anyhow, ensure};
use fastrand::Rng;
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    future::pending,
    net::Ipv4Addr,
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::{runtime::Builder, sync::oneshot, time::sleep_until};
use tokio_tun::Tun;

/// The addresses of the hosts: of the clients', and of the server's.
pub(super) const ADDRESSES: [Ipv4Addr; 2] =
    [Ipv4Addr::new(10, 77, 0, 1), Ipv4Addr::new(10, 77, 0, 2)];
const MASK: Ipv4Addr = Ipv4Addr::new(255, 255, 255, 0);
/// What the device is called on either host.
const DEVICE: &str = "cable";
/// Bytes of a packet, at most.
const PACKET: usize = 1 << 16;
/// A device that cannot be read is tried again after this.
const AGAIN: Duration = Duration::from_millis(1);

/// Two hosts and the cable.
pub(super) struct Cable {
    hosts: Arc<[Namespace; 2]>,
    shared: Arc<Shared>,
    /// Dropped, it ends the thread.
    stop: Option<oneshot::Sender<()>>,
    carrier: Option<JoinHandle<()>>,
}

struct Shared {
    path: Mutex<Path>,
    counts: Mutex<Counts>,
}

impl Cable {
    /// Makes both hosts and lays the cable.
    ///
    /// # Errors
    /// If this process may not, or the system has no such devices.
    pub(super) fn lay(seed: u64) -> Result<Self> {
        let hosts = Arc::new([Namespace::new()?, Namespace::new()?]);
        let shared = Arc::new(Shared { path: Mutex::new(Path::CLEAN), counts: Mutex::default() });
        let (stop, stopped) = oneshot::channel();
        let (sender, laid) = mpsc::channel();
        let (inside, carried) = (Arc::clone(&hosts), Arc::clone(&shared));
        let carrier = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => return drop(sender.send(Err(error.into()))),
            };
            runtime.block_on(async {
                match devices(&inside) {
                    Ok(devices) => {
                        let told = sender.send(Ok(()));
                        let random = Rng::with_seed(seed);
                        let carrier = Carrier {
                            shared: carried,
                            random,
                            under_way: BinaryHeap::new(),
                            last: [None; 2],
                            number: 0,
                        };
                        if told.is_ok() {
                            carrier.carry(&devices, stopped).await;
                        }
                    }
                    Err(error) => drop(sender.send(Err(error))),
                }
            });
        });
        laid.recv().map_err(|_| anyhow!("the cable's thread panicked"))??;
        Ok(Self { hosts, shared, stop: Some(stop), carrier: Some(carrier) })
    }

    /// Where the clients are.
    pub(super) fn near(&self) -> &Namespace {
        &self.hosts[0]
    }

    /// Where the server is.
    pub(super) fn far(&self) -> &Namespace {
        &self.hosts[1]
    }

    /// From now on packets fare like that.
    pub(super) fn set(&self, path: Path) {
        *lock(&self.shared.path) = path;
    }

    /// Takes the clients' device down, or up again.
    pub(super) fn link(&self, state: &str) -> Result<()> {
        self.near().within(|| {
            let arguments = ["link", "set", "dev", DEVICE, state];
            let said = Command::new("ip").args(arguments).output().context("no command `ip`")?;
            let words = String::from_utf8_lossy(&said.stderr);
            ensure!(said.status.success(), "`ip link` failed: {words}");
            Ok(())
        })
    }

    /// How packets have fared since this was last asked.
    pub(super) fn take_counts(&self) -> Counts {
        std::mem::take(&mut *lock(&self.shared.counts))
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(Err(_)) = self.carrier.take().map(JoinHandle::join) {
            eprintln!("the cable's thread panicked");
        }
    }
}

/// A packet on its way. Those of the same instant arrive as they came.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Packet {
    at: Instant,
    number: u64,
    way: Way,
    bytes: Vec<u8>,
}

/// Who carries them.
struct Carrier {
    shared: Arc<Shared>,
    random: Rng,
    under_way: BinaryHeap<Reverse<Packet>>,
    /// The last that arrived, each way.
    last: [Option<u64>; 2],
    number: u64,
}

impl Carrier {
    async fn carry(mut self, devices: &[Tun; 2], mut stopped: oneshot::Receiver<()>) {
        let (mut near, mut far) = (vec![0; PACKET], vec![0; PACKET]);
        loop {
            let next = self.under_way.peek().map(|Reverse(packet)| packet.at);
            let due = async {
                match next {
                    Some(at) => sleep_until(at.into()).await,
                    None => pending().await,
                }
            };
            let read = tokio::select! {
                _ = &mut stopped => return,
                read = devices[0].recv(&mut near) => read.map(|length| self.take(Way::There, &near[..length])),
                read = devices[1].recv(&mut far) => read.map(|length| self.take(Way::Back, &far[..length])),
                () = due => Ok(()),
            };
            if read.is_err() {
                tokio::time::sleep(AGAIN).await;
            }
            self.deliver(devices);
        }
    }

    fn take(&mut self, way: Way, bytes: &[u8]) {
        let (now, path) = (Instant::now(), *lock(&self.shared.path));
        let times = path.fate(way, &mut self.random, &mut lock(&self.shared.counts));
        for time in times.into_iter().flatten() {
            self.number += 1;
            let (at, number, bytes) = (now + time, self.number, bytes.to_vec());
            self.under_way.push(Reverse(Packet { at, number, way, bytes }));
        }
    }

    /// Delivers what is due, but for what has met a path that was closed meanwhile.
    fn deliver(&mut self, devices: &[Tun; 2]) {
        let now = Instant::now();
        let closed = lock(&self.shared.path).closed;
        while self.under_way.peek().is_some_and(|Reverse(packet)| packet.at <= now) {
            let Some(Reverse(packet)) = self.under_way.pop() else { return };
            let way = packet.way as usize;
            let mut counts = lock(&self.shared.counts);
            // A device that is down takes nothing, nor does one whose queue is full.
            if closed[way] || devices[1 - way].try_send(&packet.bytes).is_err() {
                counts.stopped += 1;
                continue;
            }
            counts.arrived += 1;
            counts.overtaken += u64::from(self.last[way].is_some_and(|last| packet.number < last));
            self.last[way] = self.last[way].max(Some(packet.number));
        }
    }
}

/// A device on each host, with its address.
fn devices(hosts: &[Namespace; 2]) -> Result<[Tun; 2]> {
    let device = |host: &Namespace, address: Ipv4Addr| {
        host.within(|| {
            let made = Tun::builder().name(DEVICE).address(address).netmask(MASK).up().build();
            made.context("no device can be made of /dev/net/tun")?.pop().context("no device")
        })
    };
    Ok([device(&hosts[0], ADDRESSES[0])?, device(&hosts[1], ADDRESSES[1])?])
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
