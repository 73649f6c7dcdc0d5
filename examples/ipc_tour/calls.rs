//! The measurement of farcall's calls: an echo there and back, and many calls that are under way at a time.

use super::{
    Result,
    far::Far,
    means::Means,
    measure::{FILL, FLOOD, Measured, ROUNDS, WARM, median},
    strace, traces,
    wires::{LENGTH, Message},
};
use farcall::{Call, Remote, Server};
use std::{
    collections::VecDeque,
    io,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Calls that are under way at a time.
pub const AHEAD: usize = 64;

#[farcall::remote]
trait Echo {
    async fn echo(&self, message: &[u8]) -> farcall::Result<Vec<u8>>;
    async fn take(&self, message: &[u8]) -> farcall::Result<()>;
}

struct Echoing;

impl Echo for Echoing {
    async fn echo(&self, message: &[u8]) -> farcall::Result<Vec<u8>> {
        Ok(message.to_vec())
    }

    async fn take(&self, message: &[u8]) -> farcall::Result<()> {
        let whole = message.len() == LENGTH;
        if whole { Ok(()) } else { Err(farcall::Error::new("a message was cut")) }
    }
}

/// The other process, and the way to its servant.
pub struct Echoes {
    remote: Remote<dyn Echo>,
    far: Far,
    _folder: TempDir,
}

impl Echoes {
    pub fn start(means: Means) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let place = folder.path().join("echo").display().to_string();
        let mut far = Far::start(&["far", means.name(), &place])?;
        let remote = farcall::connect::<dyn Echo>(&far.place()?).wait()?;
        Ok(Self { remote, far, _folder: folder })
    }

    /// Makes so many calls, one after the other: how long each took.
    pub fn round_trips(&self, count: usize) -> Result<Vec<Duration>> {
        let message: Message = [FILL; LENGTH];
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let begun = Instant::now();
            let back = self.remote.echo(&message).wait()?;
            times.push(begun.elapsed());
            if back != message {
                return Err("another message came back".into());
            }
        }
        Ok(times)
    }

    /// Makes many calls at a time: how many in a second.
    fn rate(&self) -> Result<f64> {
        let message: Message = [FILL; LENGTH];
        let mut under_way: VecDeque<Call<()>> = VecDeque::new();
        let begun = Instant::now();
        for _ in 0..FLOOD {
            if under_way.len() == AHEAD
                && let Some(oldest) = under_way.pop_front()
            {
                oldest.wait()?;
            }
            under_way.push_back(self.remote.take(&message));
        }
        under_way.into_iter().try_for_each(Call::wait)?;
        Ok(FLOOD as f64 / begun.elapsed().as_secs_f64())
    }

    pub fn end(self) -> Result<()> {
        drop(self.remote);
        Ok(self.far.end()?)
    }
}

pub fn measure(means: Means) -> Result<Measured> {
    let echoes = Echoes::start(means)?;
    echoes.round_trips(WARM)?;
    let round_trip = median(&mut echoes.round_trips(ROUNDS)?);
    let places = traces::left(echoes.far.id(), |marked| echoes.remote.take(marked).wait())?;
    let rate = echoes.rate()?;
    echoes.end()?;
    Ok(Measured { round_trip, rate, cost: strace::cost(means), places })
}

/// Serves until its input ends.
pub fn serve(means: Means, place: &str) -> Result<()> {
    let address = address(means, place);
    let server = Server::new().export("echo", Remote::<dyn Echo>::new(Echoing)).listen(&address);
    serve_until_end(server)
}

/// Starts a server, says where it is, and ends it in good order.
pub fn serve_until_end(server: Server) -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let running = runtime.block_on(server.start())?;
    println!("{}", running.address());
    io::copy(&mut io::stdin(), &mut io::sink())?;
    runtime.block_on(running.shutdown());
    Ok(())
}

/// Where one of farcall's means is: at a path, or a port of this host.
pub fn address(means: Means, place: &str) -> String {
    match means.scheme() {
        Some("tcp") | None => "tcp://127.0.0.1:0".to_owned(),
        Some(scheme) => format!("{scheme}://{place}"),
    }
}
