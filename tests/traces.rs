//! What a subscriber is told: every event and span that the documentation names, and a warning.

#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/place.rs"]
mod place;

use farcall::{
    Address, Error, Remote, Server,
    transport::{BoxFuture, Listener, Transport, Wire},
};
use std::{
    fmt, io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tracing::{Event, Metadata, Subscriber, field, span, subscriber::DefaultGuard};

#[farcall::remote]
trait Sundial {
    async fn hour(&self) -> farcall::Result<u8>;
}

struct Gnomon;

impl Sundial for Gnomon {
    async fn hour(&self) -> farcall::Result<u8> {
        tracing::info!(target: "farcall::sundial", "read");
        Ok(12)
    }
}

/// What was told: the target, then the text of an event, or `span` and its name, then the other fields' names.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    /// What this thread is told as long as the guard lives.
    fn to_this_thread() -> (Self, DefaultGuard) {
        let told = Self::default();
        let log = Log { told: told.clone(), spans: AtomicU64::new(0) };
        (told, tracing::subscriber::set_default(log))
    }

    fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, line: &str) -> bool {
        self.lines().iter().any(|told| told == line)
    }

    async fn until(&self, line: &str) {
        while !self.has(line) {
            tokio::task::yield_now().await;
        }
    }

    fn tell(&self, fields: &Fields, of: &Metadata<'_>) {
        let names = fields.names.join(" ");
        self.lines().push(format!("{} {} {names}", of.target(), fields.text));
    }
}

/// Listens to all that farcall tells, in the order in which it does.
struct Log {
    told: Told,
    spans: AtomicU64,
}

#[derive(Default)]
struct Fields {
    text: String,
    names: Vec<&'static str>,
}

impl field::Visit for Fields {
    fn record_debug(&mut self, field: &field::Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.text = format!("{value:?}"),
            name => self.names.push(name),
        }
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("farcall")
    }
    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let name = attributes.metadata().name();
        let mut fields = Fields { text: format!("span {name}"), names: Vec::new() };
        attributes.record(&mut fields);
        self.told.tell(&fields, attributes.metadata());
        span::Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.told.tell(&fields, event.metadata());
    }
    fn enter(&self, _: &span::Id) {
        self.told.lines().push("entered".to_owned());
    }
    fn exit(&self, _: &span::Id) {
        self.told.lines().push("left".to_owned());
    }
}

/// A transport at whose addresses nobody can listen for long.
struct Broken;

impl Transport for Broken {
    fn scheme(&self) -> &'static str {
        "broken"
    }
    fn connect<'a>(&'a self, _: &'a Address) -> BoxFuture<'a, Result<Wire, Error>> {
        Box::pin(async { Err(Error::new("nobody connects")) })
    }
    fn listen<'a>(&'a self, _: &'a Address) -> BoxFuture<'a, Result<Box<dyn Listener>, Error>> {
        Box::pin(async { Ok(Box::new(Self) as Box<dyn Listener>) })
    }
}

impl Listener for Broken {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Wire>> {
        Box::pin(async { Err(io::Error::other("it breaks")) })
    }
    fn address(&self) -> String {
        "broken://here".to_owned()
    }
}

/// One attempt, one connection, one call, one end.
#[test]
fn every_documented_event_and_span_is_told() {
    let (told, _guard) = Told::to_this_thread();
    let page = include_str!("../src/lib.rs");
    for name in ["listening", "accepted", "stopped listening", "not connected", "connected"]
        .into_iter()
        .chain(["connection lost", "connection ended", "call", "serve"])
    {
        assert!(page.contains(&format!("`{name}`")), "{name} is not documented");
    }
    place::one_thread(async {
        let connecting = farcall::connect::<dyn Sundial>("inproc://traced");
        let early = connecting.within(Duration::from_millis(50));
        early.await.expect_err("nobody listens");
        told.until("farcall::connection not connected error").await;

        let server = Server::new().export("it", Remote::<dyn Sundial>::new(Gnomon));
        let running = server.listen("inproc://traced").start().await.expect("it listens");
        told.until("farcall::endpoint listening addresses").await;
        let connecting = farcall::connect::<dyn Sundial>("inproc://traced");
        let sundial = connecting.await.expect("it listens");
        told.until("farcall::endpoint accepted peer").await;
        told.until("farcall::connection connected peer").await;

        told.lines().clear();
        assert_eq!(sundial.hour().await, Ok(12));
        let want = [
            "farcall::call call method",
            "farcall::call span serve interface method chain",
            "entered",
            "farcall::sundial read ",
            "left",
        ];
        assert_eq!(told.lines()[..want.len()], want);

        drop(sundial);
        told.until("farcall::connection connection lost peer why bound").await;
        told.until("farcall::connection connection ended peer why").await;
        running.shutdown().await;

        farcall::register(Arc::new(Broken));
        let server = Server::new().export("it", Remote::<dyn Sundial>::new(Gnomon));
        let running = server.listen("broken://here").start().await.expect("it listens at first");
        running.failed().await;
        told.until("farcall::endpoint stopped listening address error").await;
    });
}

#[test]
fn tcp_warns_beyond_loopback() {
    let (told, _guard) = Told::to_this_thread();
    let warning = "farcall_transports::tcp tcp is unauthenticated and unencrypted: whoever reaches this port may call; \
                   listen on 127.0.0.1, or behind something that authenticates address";
    place::one_thread(async {
        for (address, warns) in [("tcp://127.0.0.1:0", false), ("tcp://0.0.0.0:0", true)] {
            let server = Server::new().export("it", Remote::<dyn Sundial>::new(Gnomon));
            let _running = server.listen(address).start().await.expect("it listens");
            assert_eq!(told.has(warning), warns, "{address}: {:?}", told.lines());
        }
    });
}
