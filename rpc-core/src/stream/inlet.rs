//! What takes the items of a sender in another process.

use super::{
    Item,
    messages::{END, Ending, Grant, ITEMS, Inlet, JOIN, Outlet, PART},
    queue::{End, Queue, WINDOW},
    sender::unfinished,
};
use crate::{
    error::{Error, ErrorKind},
    id::MethodId,
    interface::{Description, Interface},
    skeleton::{Arguments, Home, Local, Object, Request, Task},
    stub::Remote,
};
use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Takes items into a queue. When it is gone, no more come.
pub(super) struct Intake<T: Item> {
    queue: Queue<T>,
    allowed: Arc<Allowed>,
    /// The parts of a large batch so far.
    parts: Mutex<Vec<u8>>,
    /// Memory for the next batch.
    spare: Mutex<VecDeque<T>>,
    home: Home,
}

/// The credit that the peer has left.
#[derive(Debug)]
pub(super) struct Allowed(Mutex<(usize, i64)>);

impl Allowed {
    fn new(items: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new((items, WINDOW as i64))))
    }

    pub(super) fn add(&self, items: usize, bytes: usize) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *left = (left.0.saturating_add(items), left.1.saturating_add(bytes as i64));
    }

    /// Bytes have come. They may go beyond the credit, if there was any.
    fn take_bytes(&self, bytes: usize) -> Result<(), Error> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if left.1 <= 0 {
            return Err(beyond());
        }
        left.1 -= bytes as i64;
        Ok(())
    }

    fn take_items(&self, items: usize) -> Result<(), Error> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.0 = left.0.checked_sub(items).ok_or_else(beyond)?;
        Ok(())
    }
}

fn beyond() -> Error {
    Error::of(ErrorKind::Protocol, "the sender of this stream has sent more than it may")
}

impl<T: Item> Intake<T> {
    /// Takes items into `queue`; whoever sends them has credit for as many as that holds.
    pub(super) fn new(queue: &Queue<T>) -> Arc<Self> {
        let allowed = Allowed::new(queue.capacity());
        let (parts, spare) = (Mutex::default(), Mutex::default());
        Arc::new(Self { queue: queue.clone(), allowed, parts, spare, home: Home::default() })
    }

    /// A reference to it, to be passed.
    pub(super) fn remote(self: &Arc<Self>) -> Remote<Inlet<T>> {
        let object: Arc<dyn Object> = Arc::clone(self) as _;
        Remote::at_home(&Local::new(object))
    }

    /// Credit goes there from now on.
    pub(super) fn join(&self, outlet: Remote<Outlet<T>>) {
        let grant = Grant::to(outlet, &self.allowed);
        match self.queue.why_closed() {
            Some(_) => grant.stop(),
            None => self.queue.owe(grant),
        }
    }

    fn take(&self, method: MethodId, request: &Request) -> Result<(), Error> {
        let (mut arguments, bytes) = (request.arguments(), request.values().len());
        if method == ITEMS.id {
            self.allowed.take_bytes(bytes)?;
            self.take_items(&mut arguments, bytes)
        } else if method == PART.id {
            let part = arguments.bytes()?;
            let last = arguments.owned()?;
            self.allowed.take_bytes(part.len())?;
            self.take_part(part, last, request)
        } else if method == JOIN.id {
            self.join(arguments.owned()?);
            Ok(())
        } else {
            self.queue.end(arguments.owned::<Ending>()?.into());
            Ok(())
        }
    }

    fn take_items(&self, arguments: &mut Arguments<'_>, bytes: usize) -> Result<(), Error> {
        let count: [u8; 4] = arguments.value()?;
        let count = u32::from_le_bytes(count) as usize;
        self.allowed.take_items(count)?;
        let mut batch = mem::take(&mut *self.spare());
        for _ in 0..count {
            batch.push_back(arguments.owned()?);
        }
        arguments.end()?;
        self.queue.push_batch(&mut batch, bytes);
        batch.clear();
        *self.spare() = batch;
        Ok(())
    }

    fn spare(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is put together here is bounded by itself, so the credit for it goes back at once; that for the last part with the items.
    fn take_part(&self, part: &[u8], last: bool, request: &Request) -> Result<(), Error> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let (length, most) = (parts.len() + part.len(), request.link().frame_limit());
        if length > most {
            let text = format!(
                "an item of a stream has more than {most} bytes: send less at a time, or raise `limits.frame` on the receiving side"
            );
            return Err(Error::of(ErrorKind::TooLarge, text));
        }
        parts.extend_from_slice(part);
        if !last {
            drop(parts);
            self.queue.give_back(part.len());
            return Ok(());
        }
        let whole = mem::take(&mut *parts);
        drop(parts);
        self.take_items(&mut request.assembled(&whole), part.len())
    }
}

impl<T: Item> Object for Intake<T> {
    fn description(&self) -> &'static Description {
        Inlet::<T>::DESCRIPTION
    }

    fn home(&self) -> &Home {
        &self.home
    }

    fn start(self: Arc<Self>, method: MethodId, request: Request, _task: &mut Task) {
        if ![ITEMS.id, PART.id, JOIN.id, END.id].contains(&method) {
            return request.unknown(method, self.description());
        }
        let taken = self.take(method, &request);
        if let Err(why) = &taken {
            self.queue.fail(why);
        }
        request.reply::<(), Error>(taken);
    }
}

impl<T: Item> Drop for Intake<T> {
    fn drop(&mut self) {
        let lost = self.queue.why_lost();
        self.queue.end(End::Failed(lost.unwrap_or_else(unfinished)));
    }
}
