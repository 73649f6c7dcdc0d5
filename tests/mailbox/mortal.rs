//! A process that is killed at one of its steps: when it has made a frame, has given it away, has received one, or has come to a point
//! that it names. The transports are those that it has anyway, with a wire around each of theirs.

use farcall::{
    Address, Error, Loan, Payload,
    transport::{
        BoxFuture, Buffer, Flush, Listener, Need, Purpose, Received, Rx, Tail, Transport, Trusted,
        Tx, Wire,
    },
};
#[cfg(unix)]
use rustix::process::{Signal, getpid, kill_process};
use std::{
    env, io, process,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// At which of its steps: `noting 3`. Of several kinds, since threads take theirs in any order.
pub(crate) const DIES_AT: &str = "FARCALL_TEST_DIES_AT";

/// What a step is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// It has said what it does.
    Noting,
    /// It listens, has a wire, or has appended, flushed or received a frame.
    Wiring,
    /// It is about to store something, or has.
    Storing,
}

/// The kind of step that it is not to survive, and how many of it are left.
static LAST: OnceLock<(String, AtomicU64)> = OnceLock::new();

/// From now on steps are counted, if this process is to die at one.
pub(crate) fn begin() {
    let Ok(last) = env::var(DIES_AT) else { return };
    let (kind, number) = last.split_once(' ').expect("a kind and a number");
    let number = AtomicU64::new(number.parse().expect("a number"));
    LAST.get_or_init(|| (kind.to_owned(), number));
    farcall_transports::all().into_iter().for_each(|all| farcall::register(Arc::new(Mortal(all))));
}

/// A step of this process.
pub(crate) fn step(kind: Step) {
    let Some((_, left)) = LAST.get().filter(|(last, _)| *last == kind.word()) else { return };
    if left.fetch_sub(1, Ordering::Relaxed) == 1 {
        die();
    }
}

impl Step {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Noting => "noting",
            Self::Wiring => "wiring",
            Self::Storing => "storing",
        }
    }
}

/// As `kill -9` does it, where there is that.
fn die() -> ! {
    #[cfg(unix)]
    let _ = kill_process(getpid(), Signal::KILL);
    process::abort()
}

struct Mortal(Arc<dyn Transport>);

impl Transport for Mortal {
    fn scheme(&self) -> &'static str {
        self.0.scheme()
    }

    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, Result<Wire, Error>> {
        Box::pin(async move { self.0.connect(to).await.map(mortal) })
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, Result<Box<dyn Listener>, Error>> {
        Box::pin(async move {
            let listener = self.0.listen(at).await?;
            step(Step::Wiring);
            Ok(Box::new(Accepting(listener)) as Box<dyn Listener>)
        })
    }
}

struct Accepting(Box<dyn Listener>);

impl Listener for Accepting {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Wire>> {
        Box::pin(async { self.0.accept().await.map(mortal) })
    }

    fn address(&self) -> String {
        self.0.address()
    }
}

fn mortal(wire: Wire) -> Wire {
    step(Step::Wiring);
    let Wire { tx, rx, ready, peer } = wire;
    Wire { tx: Arc::new(Sends(tx)), rx: Box::new(Receives(rx)), ready, peer }
}

struct Sends(Arc<dyn Tx>);

impl Tx for Sends {
    fn append(&self, head: &[&[u8]], tail: Option<Tail>) -> io::Result<()> {
        let appended = self.0.append(head, tail);
        step(Step::Wiring);
        appended
    }

    fn append_with(
        &self,
        head: &[&[u8]],
        tail: Option<Tail>,
        beside: Vec<Payload>,
    ) -> io::Result<()> {
        let appended = self.0.append_with(head, tail, beside);
        step(Step::Wiring);
        appended
    }

    fn carries(&self, payload: &Payload, others: usize) -> bool {
        self.0.carries(payload, others)
    }

    fn loan(&self, length: usize, purpose: Purpose) -> Option<Loan> {
        self.0.loan(length, purpose)
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }

    fn could_carry(&self, need: &Need) -> bool {
        self.0.could_carry(need)
    }

    fn make_room(&self, needs: Vec<Need>) -> Option<(usize, Vec<Loan>)> {
        self.0.make_room(needs)
    }

    fn queued(&self) -> usize {
        self.0.queued()
    }

    fn flush(&self) -> io::Result<Flush> {
        let had = self.0.queued() > 0;
        let flushed = self.0.flush();
        if had {
            step(Step::Wiring);
        }
        flushed
    }

    fn close(&self) {
        self.0.close();
    }
}

struct Receives(Box<dyn Rx>);

impl Rx for Receives {
    fn recv(&mut self, frame: &mut Buffer) -> io::Result<Received> {
        let received = self.0.recv(frame);
        if matches!(received, Ok(Received::Frame)) {
            step(Step::Wiring);
        }
        received
    }

    fn payloads(&mut self) -> Vec<Payload> {
        self.0.payloads()
    }

    fn trust(&mut self, trusted: Trusted) {
        self.0.trust(trusted);
    }

    fn partial(&self) -> usize {
        self.0.partial()
    }

    fn set_frame_limit(&mut self, bytes: usize) {
        self.0.set_frame_limit(bytes);
    }

    fn relax(&mut self) {
        self.0.relax();
    }
}
