//! Accepting on a control socket: a task that shakes hands with several clients at once, so that none of them, however
//! slow, keeps another from being accepted.

use super::connecting::{self, Memory, Offer};
use crate::accept::Pauses;
use farcall_core::transport::Wire;
use rustix::io::Errno;
use std::{io, sync::Arc};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};

/// Clients that are shaking hands; then accepting waits.
const SHAKING: usize = 64;
/// Wires that wait to be taken.
const READY: usize = 8;

/// The task, which ends with this.
pub(super) struct Acceptor {
    wires: mpsc::Receiver<io::Result<Wire>>,
    task: AbortHandle,
}

impl Acceptor {
    /// Needs a tokio runtime around it.
    pub(super) fn start(listener: UnixListener, memory: Memory, address: String) -> Self {
        let (sender, wires) = mpsc::channel(READY);
        let door = Door {
            listener,
            memory,
            address: Arc::from(address),
            offer: None,
            pauses: Pauses::new(),
        };
        let task = tokio::spawn(door.run(sender)).abort_handle();
        Self { wires, task }
    }

    /// The next wire.
    ///
    /// # Errors
    /// The listener's end.
    ///
    /// # Cancel safety
    /// A dropped future loses no wire.
    pub(super) async fn accept(&mut self) -> io::Result<Wire> {
        self.wires.recv().await.unwrap_or_else(|| Err(crate::stream::closed()))
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Door {
    listener: UnixListener,
    memory: Memory,
    address: Arc<str>,
    /// What the next wire needs besides its socket.
    offer: Option<io::Result<Offer>>,
    pauses: Pauses,
}

impl Door {
    async fn run(mut self, wires: mpsc::Sender<io::Result<Wire>>) {
        let mut shaking = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.accept(), if shaking.len() < SHAKING => match accepted {
                    Ok((stream, offer)) => {
                        self.pauses.accepted();
                        let address = Arc::clone(&self.address);
                        shaking.spawn(async move { connecting::accept(stream, offer, &address).await });
                    }
                    Err(error) => if let Err(error) = self.pauses.failed(error, &self.address) {
                        let _ = wires.send(Err(error)).await;
                        return;
                    }
                },
                Some(done) = shaking.join_next() => match done {
                    Ok(Ok(wire)) => if wires.send(Ok(wire)).await.is_err() {
                        return;
                    },
                    Ok(Err(error)) => {
                        tracing::warn!(address = &*self.address, %error, "refused a connection");
                    }
                    // A task that is cancelled ends with its runtime.
                    Err(_) => return,
                },
            }
        }
    }

    /// The next client. Whatever descriptors its wire will need are there before it is accepted.
    ///
    /// # Cancel safety
    /// A dropped future loses no client.
    async fn accept(&mut self) -> io::Result<(UnixStream, io::Result<Offer>)> {
        self.pauses.sleep().await;
        if self.offer.is_none() {
            self.offer = match Offer::new(self.memory) {
                Err(error) if is_short(&error) => return Err(error),
                offer => Some(offer),
            };
        }
        let (stream, _) = self.listener.accept().await?;
        let offer = self.offer.take().unwrap_or_else(|| Offer::new(self.memory));
        Ok((stream, offer))
    }
}

/// There are no more descriptors at the moment.
fn is_short(error: &io::Error) -> bool {
    let short = [Errno::MFILE, Errno::NFILE].map(|errno| Some(errno.raw_os_error()));
    short.contains(&error.raw_os_error())
}
