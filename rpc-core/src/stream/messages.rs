//! What the two sides of a stream between processes say to each other: the interfaces of the inlet and of the outlet.

use super::{Item, inlet::Allowed, queue::End};
use crate::{
    driver::Apart,
    error::Error,
    id::MethodId,
    interface::{Description, Interface, Method, Mode, Timeout},
    stub::{Call, Outgoing, Remote},
};
use serde::{Deserialize, Serialize};
use std::{any::type_name, marker::PhantomData, sync::Arc};
use tokio::sync::oneshot;

/// The interface of what takes items of this type.
#[derive(Debug)]
pub(super) struct Inlet<T>(PhantomData<T>);

/// The interface of what takes credit.
#[derive(Debug)]
pub(super) struct Outlet<T>(PhantomData<T>);

const fn one_way(name: &'static str, signature: &'static str, docs: &'static str) -> Method {
    let mode = Mode {
        oneway: true,
        idempotent: false,
        no_cancel: false,
        unordered: false,
        exclusive: false,
        returns_object: false,
    };
    Method { id: MethodId::of(name), name, signature, docs, mode, timeout: Timeout::Never }
}

/// To the inlet: where credit goes.
pub(super) static JOIN: Method = one_way("join", "(Remote<Outlet>)", "Where credit goes.");
/// To the inlet: four bytes of the count, little-endian, and so many items.
pub(super) static ITEMS: Method = one_way("items", "([u8; 4], T..)", "A batch of items.");
/// To the inlet: a piece of what would be the arguments of `items`, and whether it is the last.
pub(super) static PART: Method = one_way("part", "(&[u8], bool)", "A piece of a large batch.");
/// To the inlet: there are no more.
pub(super) static END: Method =
    one_way("end", "(Option<Error>)", "There are no more items, and why.");
/// To the outlet: where items go, and the first credit in items and bytes.
pub(super) static OPEN: Method =
    one_way("open", "(Remote<Inlet>, u64, u64)", "Where items go, and the first credit.");
/// To the outlet: more credit, in items and bytes.
pub(super) static CREDIT: Method = one_way("credit", "(u64, u64)", "So many items and bytes more.");
/// To the outlet: nobody wants more.
pub(super) static STOP: Method = one_way("stop", "()", "Nobody wants more items.");

impl<T: Item> Interface for Inlet<T> {
    const DESCRIPTION: &'static Description = &Description {
        name: "farcall.Inlet",
        docs: "Takes the items of a stream.",
        methods: &[
            one_way("join", "(Remote<Outlet>)", ""),
            one_way("items", "([u8; 4], T..)", ""),
            one_way("part", "(&[u8], bool)", ""),
            one_way("end", "(Option<Error>)", ""),
        ],
        type_arguments: &[type_name::<T>],
    };
}

impl<T: Item> Interface for Outlet<T> {
    const DESCRIPTION: &'static Description = &Description {
        name: "farcall.Outlet",
        docs: "Takes the credit of a stream.",
        methods: &[
            one_way("open", "(Remote<Inlet>, u64, u64)", ""),
            one_way("credit", "(u64, u64)", ""),
            one_way("stop", "()", ""),
        ],
        type_arguments: &[type_name::<T>],
    };
}

/// How a stream ends, on its way.
#[derive(Serialize, Deserialize, Debug)]
pub(super) struct Ending(pub(super) Option<Error>);

impl From<End> for Ending {
    fn from(end: End) -> Self {
        match end {
            End::Finished => Self(None),
            End::Failed(why) => Self(Some(why)),
        }
    }
}

impl From<Ending> for End {
    fn from(ending: Ending) -> Self {
        ending.0.map_or(Self::Finished, Self::Failed)
    }
}

/// Sends a one-way call of a stream. The second of what it gives is ready once the call has gone out, or will not.
pub(super) fn send(mut call: Outgoing<'_>) -> (Call<()>, oneshot::Receiver<()>) {
    let (gone, has_gone) = oneshot::channel();
    call.set_apart(Apart { gone: Some(gone) });
    (call.send(), has_gone)
}

/// Waits until the call has gone out.
pub(super) async fn sent((call, has_gone): (Call<()>, oneshot::Receiver<()>)) -> Result<(), Error> {
    call.await?;
    // It has gone, or its order was dropped without; that shows in the next one.
    let _ = has_gone.await;
    Ok(())
}

/// Makes a one-way call and goes on: what is wrong with the connection shows elsewhere.
pub(super) fn tell<I: Interface>(
    to: &Remote<I>,
    method: &'static Method,
    with: impl FnOnce(&mut Outgoing<'_>),
) {
    told(to, method, with).detach();
}

/// Makes a one-way call, which is over at once.
pub(super) fn told<I: Interface>(
    to: &Remote<I>,
    method: &'static Method,
    with: impl FnOnce(&mut Outgoing<'_>),
) -> Call<()> {
    let mut call = Outgoing::new::<I>(to, method);
    with(&mut call);
    call.set_apart(Apart::default());
    call.send()
}

/// Where credit goes, whatever the type of the items.
trait Creditor: Send + Sync {
    fn give(&self, items: usize, bytes: usize);
    fn stop(&self);
    fn why_lost(&self) -> Option<Error>;
}

impl<T: Item> Creditor for Remote<Outlet<T>> {
    fn give(&self, items: usize, bytes: usize) {
        tell(self, &CREDIT, |call| {
            call.value(&(items as u64));
            call.value(&(bytes as u64));
        });
    }

    fn stop(&self) {
        tell(self, &STOP, |_| {});
    }

    fn why_lost(&self) -> Option<Error> {
        Self::why_closed(self)
    }
}

/// Gives credit back to whoever sends.
#[derive(Clone)]
pub(super) struct Grant {
    outlet: Arc<dyn Creditor>,
    allowed: Arc<Allowed>,
}

impl Grant {
    pub(super) fn to<T: Item>(outlet: Remote<Outlet<T>>, allowed: &Arc<Allowed>) -> Self {
        Self { outlet: Arc::new(outlet), allowed: Arc::clone(allowed) }
    }

    pub(super) fn give(&self, items: usize, bytes: usize) {
        self.allowed.add(items, bytes);
        self.outlet.give(items, bytes);
    }

    pub(super) fn stop(&self) {
        self.outlet.stop();
    }

    /// Why it can be reached no more, if that is so.
    pub(super) fn why_lost(&self) -> Option<Error> {
        self.outlet.why_lost()
    }
}
