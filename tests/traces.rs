//! What a subscriber is told of one connection: every event and span that the documentation names.

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
use tracing::{Event, Metadata, Subscriber, field, span};

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
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn told() -> MutexGuard<'static, Vec<String>> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens to all that farcall tells, in the order in which it does.
struct Log(AtomicU64);

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

impl Fields {
    fn tell(&self, of: &Metadata<'_>) {
        told().push(format!("{} {} {}", of.target(), self.text, self.names.join(" ")));
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("farcall::")
    }
    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let name = attributes.metadata().name();
        let mut fields = Fields { text: format!("span {name}"), names: Vec::new() };
        attributes.record(&mut fields);
        fields.tell(attributes.metadata());
        span::Id::from_u64(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        fields.tell(event.metadata());
    }
    fn enter(&self, _: &span::Id) {
        told().push("entered".to_owned());
    }
    fn exit(&self, _: &span::Id) {
        told().push("left".to_owned());
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

async fn until_told(line: &str) {
    while !told().iter().any(|told| told == line) {
        tokio::task::yield_now().await;
    }
}

/// One attempt, one connection, one call, one end.
#[test]
fn every_documented_event_and_span_is_told() {
    tracing::subscriber::set_global_default(Log(AtomicU64::new(0))).expect("nobody else listens");
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
        until_told("farcall::connection not connected error").await;

        let server = Server::new().export("it", Remote::<dyn Sundial>::new(Gnomon));
        let running = server.listen("inproc://traced").start().await.expect("it listens");
        until_told("farcall::endpoint listening addresses").await;
        let connecting = farcall::connect::<dyn Sundial>("inproc://traced");
        let sundial = connecting.await.expect("it listens");
        until_told("farcall::endpoint accepted peer").await;
        until_told("farcall::connection connected peer").await;

        told().clear();
        assert_eq!(sundial.hour().await, Ok(12));
        let want = [
            "farcall::call call method",
            "farcall::call span serve interface method chain",
            "entered",
            "farcall::sundial read ",
            "left",
        ];
        assert_eq!(told()[..want.len()], want);

        drop(sundial);
        until_told("farcall::connection connection lost peer why bound").await;
        until_told("farcall::connection connection ended peer why").await;
        running.shutdown().await;

        farcall::register(Arc::new(Broken));
        let server = Server::new().export("it", Remote::<dyn Sundial>::new(Gnomon));
        let running = server.listen("broken://here").start().await.expect("it listens at first");
        running.failed().await;
        until_told("farcall::endpoint stopped listening address error").await;
    });
}
