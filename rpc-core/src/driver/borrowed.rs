//! The objects that the peer has lent, while there are handles on them; and how references are written into a frame, and read.
//!
//! Whether a handle was the last one is decided under the connection's lock: a descriptor that comes while the last handle is dying makes
//! a new one in the same entry, and the dying one then finds that it is not the one that is known.

use super::{Link, State, counters::Counters, waiter::Wakes};
use crate::{
    clock,
    conn::{Reference, Standing},
    described::{Described, Differences},
    error::{Error, ErrorKind},
    frame::Descriptor,
    id::ObjectId,
    interface::Description,
    skeleton::{Local, Object},
    stub::{Handle, Passed},
};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};
use tokio::sync::Notify;

/// An object of the peer's.
pub(crate) struct Borrowed {
    pub(crate) link: Arc<Link>,
    pub(crate) id: ObjectId,
    /// The wire in the order of wires, beyond which the object cannot be reached.
    pub(crate) epoch: u32,
    described: Arc<Described>,
    /// What was found out of the interface that it was first had as.
    compared: OnceLock<(&'static Description, Option<Arc<Differences>>)>,
    ended: OnceLock<Error>,
    waiting: Notify,
    stand_in: Mutex<Option<Weak<dyn Object>>>,
}

impl Borrowed {
    /// What the two builds know differently of this interface, if the object has it.
    pub(crate) fn differences(
        &self,
        interface: &'static Description,
    ) -> Result<Option<&Arc<Differences>>, Error> {
        if self.compared.get().is_none() {
            let found = self.described.compare(interface)?;
            let _ = self.compared.set((interface, found));
        }
        match self.compared.get() {
            Some((of, found)) if std::ptr::eq(*of, interface) => Ok(found.as_ref()),
            Some((_, found)) => self.described.compare(interface).map(|_| found.as_ref()),
            None => Ok(None),
        }
    }

    /// The interface as the peer has described it.
    pub(crate) fn interface(&self) -> Option<&'static Description> {
        self.described.learnt()
    }

    /// The object of this process that passes calls on to it: one, as long as it is there.
    pub(crate) fn stand_in(&self, make: impl FnOnce() -> Arc<dyn Object>) -> Local {
        let mut kept = self.stand_in.lock().unwrap_or_else(PoisonError::into_inner);
        let object = kept.as_ref().and_then(Weak::upgrade).unwrap_or_else(|| {
            let made = make();
            *kept = Some(Arc::downgrade(&made));
            if let Some(why) = self.ended.get() {
                // Too late to be told by `end`. Nobody is lent it yet: this takes no connection's lock.
                Local::new(Arc::clone(&made)).break_off(why);
            }
            made
        });
        Local::new(object)
    }

    /// Calls on it can only fail from now on. The first reason counts. To be called under no lock: it wakes.
    pub(crate) fn end(&self, why: &Error) {
        if self.ended.set(why.clone()).is_ok() {
            self.waiting.notify_waiters();
            let kept = self.stand_in.lock().unwrap_or_else(PoisonError::into_inner);
            let stand_in = kept.as_ref().and_then(Weak::upgrade);
            drop(kept);
            if let Some(object) = stand_in {
                Local::new(object).break_off(why);
            }
        }
    }

    /// Why calls on it can only fail, once that is so.
    pub(crate) fn why_ended(&self) -> Option<Error> {
        self.ended.get().cloned()
    }

    /// Waits until calls on it can only fail, and says why.
    pub(crate) async fn ended(&self) -> Error {
        loop {
            let ended = self.waiting.notified();
            if let Some(why) = self.ended.get() {
                return why.clone();
            }
            ended.await;
        }
    }
}

impl fmt::Debug for Borrowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Borrowed").field(&self.described.name()).field(&self.id).finish()
    }
}

/// What a connection keeps of references.
#[derive(Default, Debug)]
pub(super) struct Handles {
    /// The handle on each borrowed object, by its slot.
    borrowed: HashMap<u32, Weak<Handle>>,
    /// The peer's interfaces, in the order in which it has described them.
    described: Vec<Arc<Described>>,
    /// My interfaces that I have described, with their places in that order, by address.
    describing: HashMap<usize, u32>,
    pub(super) counters: Counters,
}

impl Handles {
    pub(super) fn is_empty(&self) -> bool {
        self.borrowed.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.borrowed.len()
    }

    /// The wire is gone: the handles are given out, to be ended outside of the lock.
    pub(super) fn take_all(&mut self) -> Vec<Arc<Handle>> {
        self.described.clear();
        self.describing.clear();
        self.counters.clear_objects();
        self.borrowed.drain().filter_map(|(_, handle)| handle.upgrade()).collect()
    }

    /// The peer has described its next interface.
    pub(super) fn describe(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let described = Described::decode(bytes).map_err(|error| {
            let text = format!("the peer described an interface wrongly: {error}");
            Error::of(ErrorKind::Protocol, text)
        })?;
        self.described.push(Arc::new(described));
        Ok(())
    }
}

impl Link {
    /// A handle on an object of the peer's is gone.
    pub(crate) fn give_back(&self, id: ObjectId, epoch: u32, handle: &Handle) {
        let mut state = self.lock();
        let known = state.handles.borrowed.get(&id.slot);
        if state.epoch != epoch || known.is_none_or(|known| !std::ptr::eq(known.as_ptr(), handle)) {
            return;
        }
        let gone = state.handles.borrowed.remove(&id.slot);
        state.handles.counters.give_back(id.slot);
        state.conn.release(clock::now(), id);
        let over = state.unused && state.is_unused();
        let waker = if over || state.is_due_earlier() { state.notify() } else { None };
        drop(state);
        drop(gone);
        super::wake(waker);
    }
}

impl State {
    /// The handle that a reference becomes which has come with a frame. Under the lock nothing is dropped here that could have a
    /// destructor of the user's.
    pub(super) fn handle(&mut self, link: &Arc<Link>, reference: Reference<Local>) -> Arc<Handle> {
        match reference {
            Reference::Broken(error) => Arc::new(Handle::Broken(error)),
            Reference::Home(local) => Handle::home(&local),
            Reference::Borrowed(id, interface) => self.borrow(link, id, interface),
            Reference::Answer(call) => self.promise(link, call),
        }
    }

    fn borrow(&mut self, link: &Arc<Link>, id: ObjectId, interface: u32) -> Arc<Handle> {
        let known = self.handles.borrowed.get(&id.slot).and_then(Weak::upgrade);
        if let Some(handle) = known {
            return handle;
        }
        let Some(described) = self.handles.described.get(interface as usize).cloned() else {
            let text = "the peer has not described the interface of an object";
            return Arc::new(Handle::Broken(Error::of(ErrorKind::Protocol, text)));
        };
        let handle = Arc::new(Handle::Borrowed(Borrowed {
            link: Arc::clone(link),
            id,
            epoch: self.epoch,
            described: Arc::clone(&described),
            compared: OnceLock::new(),
            ended: OnceLock::new(),
            waiting: Notify::new(),
            stand_in: Mutex::new(None),
        }));
        self.handles.counters.borrow(id.slot, &described, self.limits.objects);
        self.handles.borrowed.insert(id.slot, Arc::downgrade(&handle));
        handle
    }

    /// An object of the peer's is dead. Its handle is ended, and dropped, outside of the lock.
    pub(super) fn broken(&mut self, id: ObjectId, why: Error, wakes: &mut Wakes) {
        let handle = self.handles.borrowed.get(&id.slot).and_then(Weak::upgrade);
        if let Some(handle) = handle {
            wakes.push_ended(handle, why);
        }
    }

    /// Counts the references that are to go out with a frame, describes interfaces that the peer does not know yet, and writes the
    /// references to `out`.
    pub(super) fn pass(&mut self, passed: &[Passed], out: &mut Vec<u8>) {
        out.clear();
        let descriptors: Vec<_> = passed.iter().map(|passed| self.describe(passed)).collect();
        crate::frame::References::encode(&descriptors, out);
    }

    fn describe(&mut self, passed: &Passed) -> Descriptor {
        match &*passed.handle {
            Handle::Root(link) if self.is_of(link) => {
                self.root.map_or(Descriptor::Null, Descriptor::Yours)
            }
            Handle::Borrowed(borrowed) if self.is_of(&borrowed.link) => {
                match borrowed.epoch == self.epoch {
                    true => Descriptor::Yours(borrowed.id),
                    false => Descriptor::Null,
                }
            }
            Handle::Promised(promised) if self.is_of(&promised.link) => {
                match self.conn.standing(promised.call) {
                    Standing::There => Descriptor::YourAnswer(promised.call),
                    Standing::Ahead | Standing::Gone => Descriptor::Null,
                }
            }
            Handle::Broken(_) => Descriptor::Null,
            Handle::Root(_) | Handle::Near(..) | Handle::Borrowed(_) | Handle::Promised(_) => {
                let local = passed.handle.stand_in(passed.interface);
                match self.announce(local.description()) {
                    Some(interface) => {
                        let (id, broken) = self.lend(local);
                        self.released.extend(broken);
                        Descriptor::Mine(id, interface)
                    }
                    None => Descriptor::Null,
                }
            }
        }
    }

    /// Lends an object once more. One that was taken away meanwhile is broken at once, and given out to be dropped outside of the lock.
    pub(super) fn lend(&mut self, local: Local) -> (ObjectId, Option<Local>) {
        let key = local.key();
        let revoked = local.revocables().find_map(|revocable| revocable.lent(key, &self.link));
        self.handles.counters.lend(key, local.description().name, self.limits.objects);
        let id = self.conn.lend(key, local);
        let broken = revoked.and_then(|why| self.conn.break_object(key, &why));
        broken.iter().for_each(|_| self.handles.counters.take_back(key));
        (id, broken)
    }

    fn is_of(&self, link: &Arc<Link>) -> bool {
        std::ptr::eq(self.link.as_ptr(), Arc::as_ptr(link))
    }

    /// The place of an interface among those that the peer knows of; it is described first where it is new.
    fn announce(&mut self, interface: &'static Description) -> Option<u32> {
        let address = std::ptr::from_ref(interface) as usize;
        if let Some(&place) = self.handles.describing.get(&address) {
            return Some(place);
        }
        let line = self.line.as_ref()?;
        let mut frame = Vec::new();
        let mut description = Vec::new();
        Described::encode(interface, &mut description).ok()?;
        crate::frame::Frame::Interface(&description).encode(&mut frame);
        if let Err(error) = line.tx.append(&[&frame], None) {
            line.end(super::lost(&line.peer, &error));
            return None;
        }
        let place = u32::try_from(self.handles.describing.len()).ok()?;
        self.handles.describing.insert(address, place);
        Some(place)
    }
}
