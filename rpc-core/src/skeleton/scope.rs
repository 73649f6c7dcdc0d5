//! Objects that are taken away from their borrowers all at once.

use super::{Home, Local, Object, Request, Task};
use crate::{
    driver::Link,
    error::{Error, ErrorKind, Executed},
    id::MethodId,
    interface::{Description, Interface},
    stub::Remote,
};
use std::{
    any::Any,
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};
use tokio::sync::Notify;

/// Objects that are lent together, and taken away together: of one session, one tenant, one request.
///
/// [`lend`](Self::lend) gives a handle to pass on. When the scope is revoked or dropped, all of them break, wherever they have got to: new
/// calls fail with the reason, without reaching the servant, and [`Remote::closed`] resolves for those who hold one, those among them who
/// have got it through a third process. Calls that have begun go on to their end.
///
/// An object is in the scope by this handle alone: other handles on it are untouched, and so are objects that its methods return.
pub struct Scope {
    shared: Arc<Revocable>,
}

/// What the objects of a scope share; or what one has alone that passes calls on.
#[derive(Default)]
pub(crate) struct Revocable {
    why: OnceLock<Error>,
    revoked: Notify,
    /// The connections on which each object is lent, by its key.
    lent: Mutex<HashMap<usize, Vec<Weak<Link>>>>,
}

impl Scope {
    /// A scope without objects.
    #[must_use]
    pub fn new() -> Self {
        Self { shared: Arc::default() }
    }

    /// A handle on the same object that lasts as long as the scope does. It is another object to
    /// [`same_object`](Remote::same_object). Each call of this makes one.
    #[must_use]
    pub fn lend<I: Interface + ?Sized>(&self, object: &Remote<I>) -> Remote<I> {
        let (inner, home) = (Remote::hosted(object), Home::default());
        let scoped = Scoped { inner, home, shared: Arc::clone(&self.shared) };
        Remote::home(&Local::new(Arc::new(scoped)))
    }

    /// Takes all objects away. Calls on them fail as `Broken`, with this as the reason. The first reason counts.
    pub fn revoke(&self, why: &str) {
        self.shared.revoke(why);
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        self.shared.revoke("the scope that it was lent in has ended");
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("lent", &self.shared.lock().len())
            .field("revoked", &self.shared.why.get())
            .finish()
    }
}

impl Revocable {
    /// Objects that are taken away from the beginning.
    pub(super) fn broken(why: Error) -> Self {
        Self { why: OnceLock::from(why.executed_as(Executed::No)), ..Self::default() }
    }

    fn revoke(&self, why: &str) {
        let text = format!("the object was taken away by its owner: {why}");
        self.break_off(Error::of(ErrorKind::Broken, text));
    }

    /// Breaks the objects, wherever they are lent. The first reason counts. To be called under no lock.
    pub(super) fn break_off(&self, why: Error) {
        if self.why.set(why.executed_as(Executed::No)).is_err() {
            return;
        }
        // Whoever is lent one from now on finds the reason.
        let lent = std::mem::take(&mut *self.lock());
        for (key, links) in lent {
            for link in links.iter().filter_map(Weak::upgrade) {
                self.why.get().inspect(|why| link.break_object(key, why));
            }
        }
        self.revoked.notify_waiters();
    }

    /// Why the objects were taken away, once they are.
    pub(crate) fn why(&self) -> Option<Error> {
        self.why.get().cloned()
    }

    /// Waits until the objects are taken away.
    pub(crate) async fn ended(&self) -> Error {
        loop {
            let revoked = self.revoked.notified();
            if let Some(why) = self.why() {
                return why;
            }
            revoked.await;
        }
    }

    /// An object is lent on a connection, under that one's lock. Why it is to be broken at once, if it is.
    pub(crate) fn lent(&self, key: usize, link: &Weak<Link>) -> Option<Error> {
        let mut lent = self.lock();
        if let Some(why) = self.why.get() {
            return Some(why.clone());
        }
        let links = lent.entry(key).or_default();
        if !links.iter().any(|known| known.ptr_eq(link)) {
            links.retain(|known| known.strong_count() > 0);
            links.push(Weak::clone(link));
        }
        None
    }

    /// An object is gone: another may have its key.
    pub(super) fn forget(&self, key: usize) {
        self.lock().remove(&key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Vec<Weak<Link>>>> {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An object of a scope.
struct Scoped {
    inner: Local,
    home: Home,
    shared: Arc<Revocable>,
}

impl Object for Scoped {
    fn description(&self) -> &'static Description {
        self.inner.description()
    }

    fn home(&self) -> &Home {
        &self.home
    }

    fn servant(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.shared.why().is_none().then(|| self.inner.servant()).flatten()
    }

    fn revocable(&self) -> Option<&Arc<Revocable>> {
        Some(&self.shared)
    }

    fn inner(&self) -> Option<&Local> {
        Some(&self.inner)
    }

    fn start(self: Arc<Self>, method: MethodId, request: Request, task: &mut Task) {
        match self.shared.why() {
            Some(why) => request.refuse(why.executed_as(Executed::No)),
            None => self.inner.clone().start(method, request, task),
        }
    }
}

impl Drop for Scoped {
    fn drop(&mut self) {
        // The key is the address of what is dropped here.
        let key = std::ptr::from_ref(self) as usize;
        self.shared.forget(key);
        self.inner.revocables().for_each(|revocable| revocable.forget(key));
    }
}
