//! A wire's relay: the task that takes bytes from each end and gives them to the other as the network's faults let it.

use super::network::{Inner, Way};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf},
    sync::mpsc,
    task::yield_now,
    time::{Instant, sleep_until},
};

/// Pieces under way at a time, each way; then nothing more is taken.
const PIECES: usize = 16;

/// One way of a wire, and the network that says what happens on it.
pub(super) struct Toll {
    pub(super) network: Arc<Inner>,
    pub(super) way: Way,
}

/// Bytes, and when they arrive.
type Piece = (Instant, Vec<u8>);

/// Carries bytes both ways until both ends have closed, one of them is gone, or the wire is cut.
pub(super) async fn run(
    cut: impl Future<Output = ()>,
    (there, client): (Toll, DuplexStream),
    (back, server): (Toll, DuplexStream),
) {
    let (from_client, to_client) = tokio::io::split(client);
    let (from_server, to_server) = tokio::io::split(server);
    let both = async {
        tokio::try_join!(
            carry(&there, from_client, to_server),
            carry(&back, from_server, to_client),
        )
    };
    tokio::select! {
        biased;
        () = cut => {}
        _ = both => {}
    }
}

async fn carry(
    toll: &Toll,
    from: ReadHalf<DuplexStream>,
    to: WriteHalf<DuplexStream>,
) -> io::Result<()> {
    let (pieces, coming) = mpsc::channel(PIECES);
    let under_way = UnderWay { toll, bytes: AtomicUsize::new(0) };
    tokio::try_join!(take(&under_way, from, pieces), give(&under_way, to, coming))?;
    Ok(())
}

async fn take(
    under_way: &UnderWay<'_>,
    mut from: ReadHalf<DuplexStream>,
    pieces: mpsc::Sender<Piece>,
) -> io::Result<()> {
    loop {
        let mut piece = vec![0; under_way.toll.piece()];
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return Ok(());
        }
        piece.truncate(length);
        under_way.add(length);
        let due = Instant::now() + under_way.toll.delay();
        if pieces.send((due, piece)).await.is_err() {
            return Ok(());
        }
    }
}

async fn give(
    under_way: &UnderWay<'_>,
    mut to: WriteHalf<DuplexStream>,
    mut coming: mpsc::Receiver<Piece>,
) -> io::Result<()> {
    while let Some((due, piece)) = coming.recv().await {
        if due > Instant::now() {
            sleep_until(due).await;
        }
        under_way.toll.opens().await;
        let (passed, cut) = under_way.toll.pass(piece.len());
        to.write_all(&piece[..passed]).await?;
        under_way.remove(piece.len());
        if cut {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        // Whoever receives may see this piece without the next.
        yield_now().await;
    }
    to.shutdown().await
}

/// Counts what was taken and not given on, also when the wire is cut.
struct UnderWay<'a> {
    toll: &'a Toll,
    bytes: AtomicUsize,
}

impl UnderWay<'_> {
    fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.toll.took(bytes);
    }

    fn remove(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.toll.gave(bytes);
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.toll.gave(*self.bytes.get_mut());
    }
}
