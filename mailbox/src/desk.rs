//! What a process uses a mailbox by: an attachment in the host's own process, or one to another process.

use crate::{
    Counts, Error, Host, Kind, ProcessId, Result, Terms,
    bundle::{Bundle, End},
    engine::{LetterId, Manner, Until},
    host::Chair,
    parcel::{Parcel, Writings},
    post::{Attached, Member, Patience, Post, Seat},
    writing::Writing,
};
use farcall_core::{stub::Remote, transport::BoxFuture};
use std::sync::Arc;
use tokio::task::coop;

/// A mailbox that is to be used.
pub(crate) enum Entrance {
    /// Hosted by this process.
    Near(Host),
    /// Of another process, or of something that serves as a mailbox.
    Far(Remote<dyn Post>),
}

/// This process, seen from the host.
struct Here;

impl Member for Here {}

impl Entrance {
    /// Attaches at once, if that can be.
    pub(crate) fn sit(&self, kind: &Kind) -> Option<Result<(Desk, Terms)>> {
        let Self::Near(host) = self else { return None };
        Some(host.sit(kind).map(|chair| (Desk::Near(Arc::new(chair)), host.terms())))
    }

    /// Attaches.
    pub(crate) async fn attach(&self, kind: &Kind, wanted: Option<Terms>) -> Result<(Desk, Terms)> {
        let post = match self {
            Self::Near(host) => {
                return Ok((Desk::Near(Arc::new(host.sit(kind)?)), host.terms()));
            }
            Self::Far(post) => post,
        };
        let member = Remote::<dyn Member>::new(Here);
        let process = ProcessId::own();
        let who = Attached { process, kind: kind.clone(), terms: wanted, member };
        let (seat, terms) = post.attach(who).await?;
        Ok((Desk::Far(seat), terms))
    }
}

/// An attachment. What is begun here is on its way before it is awaited.
///
/// The futures are boxed where they are made: a call's is large, and would be moved with each that wraps it.
#[derive(Clone)]
pub(crate) enum Desk {
    Near(Arc<Chair>),
    Far(Remote<dyn Seat>),
}

/// Something that was begun.
pub(crate) type Begun<T> = BoxFuture<'static, Result<T>>;

impl Desk {
    pub(crate) fn send(&self, key: u64, letter: Writing, patience: Patience) -> Begun<LetterId> {
        match self {
            Self::Near(chair) => near(chair.post(key, letter, patience)),
            Self::Far(seat) => {
                let limited = patience.limited(seat);
                let seat = limited.as_ref().unwrap_or(seat);
                let sent = match letter.is_short() {
                    true => seat.send(key, &letter.bytes, patience),
                    false => seat.send_all(key, Parcel::one(letter), patience),
                };
                match patience {
                    Patience::Endless => Box::pin(sent),
                    _ => Box::pin(async move { sent.await.map_err(Error::of_answer) }),
                }
            }
        }
    }

    pub(crate) fn send_all(&self, key: u64, letters: Parcel) -> Begun<LetterId> {
        match self {
            Self::Near(chair) => near(chair.post_all(key, letters, Patience::Endless)),
            Self::Far(seat) => Box::pin(seat.send_all(key, letters, Patience::Endless)),
        }
    }

    pub(crate) fn recv(&self, most: u32, patience: Patience) -> Begun<Bundle> {
        let desk = self.clone();
        match self {
            Self::Near(chair) => {
                let taken = chair.take(most, Manner::Held, patience);
                near(async move {
                    let (senders, letters, held) = taken.await?.into_parts();
                    Ok(Bundle::new(senders, letters, End::Near(held), desk))
                })
            }
            Self::Far(seat) => {
                let limited = patience.limited(seat);
                let taken = limited.as_ref().unwrap_or(seat).recv(most, patience);
                Box::pin(async move {
                    let taken = taken.await.map_err(Error::of_answer)?;
                    let (senders, letters, lease) = taken.open()?;
                    Ok(Bundle::new(senders, letters, End::Far(lease), desk))
                })
            }
        }
    }

    /// What letters say that are acked as they are taken.
    pub(crate) fn recv_acked(&self, most: u32) -> Begun<Writings> {
        match self {
            Self::Near(chair) => {
                let taken = chair.take_acked(most);
                near(async move { Ok(Writings::Near(taken.await?.into_iter())) })
            }
            Self::Far(seat) => {
                let taken = seat.recv_acked(most);
                Box::pin(
                    async move { Ok(Writings::Far(taken.await?.open().ok_or(Error::Uneven)?)) },
                )
            }
        }
    }

    pub(crate) fn receipt(&self, letter: LetterId, until: Until) -> Begun<ProcessId> {
        match self {
            Self::Near(chair) => near(chair.ask(letter, until)),
            Self::Far(seat) => Box::pin(seat.receipt(letter, until)),
        }
    }

    pub(crate) async fn counts(&self) -> Result<Counts> {
        match self {
            Self::Near(chair) => Ok(chair.count()),
            Self::Far(seat) => seat.counts().await,
        }
    }
}

/// What is done in this process never waits where there is something: other tasks have their turn all the same.
pub(crate) fn near<T>(done: impl Future<Output = Result<T>> + Send + 'static) -> Begun<T> {
    Box::pin(async move {
        coop::consume_budget().await;
        done.await
    })
}
