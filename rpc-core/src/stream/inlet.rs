//! What takes the items of a sender in another process.

use super::{
    Item,
    messages::{END, Ending, Grant, ITEMS, Inlet, JOIN, Outlet},
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
    sync::{Arc, Mutex, PoisonError},
};

/// Takes items into a queue. When it is gone, no more come.
pub(super) struct Intake<T: Item> {
    queue: Queue<T>,
    allowed: Arc<Allowed>,
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

    /// A batch has come. Its bytes may go beyond the credit, if there was any.
    fn take(&self, items: usize, bytes: usize) -> Result<(), Error> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match left.0.checked_sub(items) {
            Some(rest) if left.1 > 0 => {
                *left = (rest, left.1 - bytes as i64);
                Ok(())
            }
            _ => Err(Error::of(ErrorKind::Protocol, "the sender has sent more than it may")),
        }
    }
}

impl<T: Item> Intake<T> {
    /// Takes items into `queue`; whoever sends them has credit for as many as that holds.
    pub(super) fn new(queue: &Queue<T>) -> Arc<Self> {
        let allowed = Allowed::new(queue.capacity());
        Arc::new(Self { queue: queue.clone(), allowed, home: Home::default() })
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

    fn take(
        &self,
        method: MethodId,
        arguments: &mut Arguments<'_>,
        bytes: usize,
    ) -> Result<(), Error> {
        if method == ITEMS.id {
            let count: [u8; 4] = arguments.value()?;
            let count = u32::from_le_bytes(count) as usize;
            self.allowed.take(count, bytes)?;
            let mut batch = VecDeque::new();
            for _ in 0..count {
                batch.push_back(arguments.owned()?);
            }
            arguments.end()?;
            self.queue.push_batch(batch, bytes);
        } else if method == JOIN.id {
            self.join(arguments.owned()?);
        } else {
            self.queue.end(arguments.owned::<Ending>()?.into());
        }
        Ok(())
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
        if ![ITEMS.id, JOIN.id, END.id].contains(&method) {
            return request.unknown(method, self.description());
        }
        let bytes = request.values().len();
        let taken = self.take(method, &mut request.arguments(), bytes);
        if let Err(why) = &taken {
            self.queue.fail(why);
        }
        request.reply::<(), Error>(taken);
    }
}

impl<T: Item> Drop for Intake<T> {
    fn drop(&mut self) {
        self.queue.end(End::Failed(unfinished()));
    }
}
