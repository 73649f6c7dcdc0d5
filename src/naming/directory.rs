//! The registry itself: a table of names, bounded, each held for as long as its owner's connection lasts.

use super::{
    Binding, Change, Entry, NAME_BYTES, NAMES, NAMES_OF_ONE, Names, Watch, Watcher, watching,
};
use farcall_core::{
    address::is_name,
    context::peer,
    error::{Error, ErrorKind},
    stub::{AnyRemote, Remote},
    transport::Peer,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak},
};
use tokio::task::AbortHandle;
use watching::Watches;

/// The registry of this process: every call gives a handle on the same one. It can be exported, as [`SERVICE`](super::SERVICE).
#[must_use]
pub fn local() -> Remote<dyn Names> {
    static LOCAL: LazyLock<Arc<Directory>> = LazyLock::new(|| Arc::new(Directory::default()));
    Remote::from_arc(Arc::clone(&LOCAL))
}

/// A registry of its own, without names.
#[must_use]
pub fn empty() -> Remote<dyn Names> {
    Remote::new(Directory::default())
}

/// A registry.
#[derive(Default)]
struct Directory {
    table: Arc<Mutex<Table>>,
}

#[derive(Default)]
struct Table {
    names: BTreeMap<String, Held>,
    watches: Watches,
    next: u64,
}

/// A name that is bound.
struct Held {
    entry: Entry,
    binding: Binding,
    owner: Arc<Peer>,
    /// Which binding it is in the order of all.
    number: u64,
    ending: AbortHandle,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.ending.abort();
    }
}

/// What becomes of one that holds the name already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    Stays,
    Goes,
}

impl Directory {
    fn lock(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
    }

    fn put(&self, name: &str, mut entry: Entry, holder: Holder) -> Result<Option<Held>, Error> {
        check_name(name)?;
        let owner = caller();
        entry.admit(&owner)?;
        let mut table = self.lock();
        table.check_room(name, &owner, holder)?;
        table.next += 1;
        let number = table.next;
        let ending = forget_when_closed(&self.table, &entry.object, name, number);
        let binding = entry.binding(name, &owner);
        table.watches.tell(&Change::Bound(binding.clone()));
        let held = Held { entry, binding, owner, number, ending };
        Ok(table.names.insert(name.to_owned(), held))
    }

    fn look<T>(&self, name: &str, look: impl FnOnce(&Held) -> T) -> Result<T, Error> {
        let table = self.lock();
        match table.names.get(name).filter(|held| !held.is_over()) {
            Some(held) => Ok(look(held)),
            None => Err(table.unbound(name)),
        }
    }
}

impl Table {
    fn check_room(&self, name: &str, owner: &Peer, holder: Holder) -> Result<(), Error> {
        let held = self.names.get(name).filter(|held| !held.is_over());
        if let Some(held) = held
            && holder == Holder::Stays
        {
            let text = format!(
                "`{name}` is bound to a `{}` by {}: bind another name, or `rebind` this one",
                held.binding.interface, held.binding.owner
            );
            return Err(Error::of(ErrorKind::AddressInUse, text));
        }
        let own = |held: &&Held| is_same(&held.owner, owner);
        let adds = held.as_ref().is_none_or(|held| !own(held));
        if adds && self.names.values().filter(own).count() >= NAMES_OF_ONE {
            let text =
                format!("this process has bound {NAMES_OF_ONE} names, which are the most for one");
            return Err(Error::of(ErrorKind::Overloaded, text));
        }
        if held.is_none() && self.names.len() >= NAMES {
            let text = format!("{NAMES} names are bound in this registry, which are the most");
            return Err(Error::of(ErrorKind::Overloaded, text));
        }
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Option<Held> {
        let removed = self.names.remove(name);
        if removed.is_some() {
            self.watches.tell(&Change::Unbound(name.to_owned()));
        }
        removed
    }

    fn unbound(&self, name: &str) -> Error {
        let mut near: Vec<_> = self
            .names
            .keys()
            .map(|known| (strsim::jaro_winkler(known, name), known))
            .filter(|(likeness, _)| *likeness > 0.8)
            .collect();
        near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let near: Vec<_> = near.iter().take(3).map(|(_, known)| format!("`{known}`")).collect();
        let text = match (near.as_slice(), self.names.len()) {
            ([], 0) => format!("nothing is bound as `{name}`, nor as anything else"),
            ([], 1) => format!("nothing is bound as `{name}`: one other name is bound"),
            ([], count) => {
                format!("nothing is bound as `{name}`: {count} names are, and none is near it")
            }
            (near, _) => format!("nothing is bound as `{name}`: near it is {}", near.join(", ")),
        };
        Error::of(ErrorKind::NoSuchService, text)
    }
}

impl Held {
    /// Its owner has gone, and it will be forgotten.
    fn is_over(&self) -> bool {
        self.entry.object.why_closed().is_some()
    }
}

impl Names for Directory {
    async fn bind(&self, name: &str, entry: Entry) -> Result<(), Error> {
        self.put(name, entry, Holder::Stays).map(drop)
    }

    async fn rebind(&self, name: &str, entry: Entry) -> Result<Option<Binding>, Error> {
        let before = self.put(name, entry, Holder::Goes)?;
        Ok(before.map(|held| held.binding.clone()))
    }

    async fn unbind(&self, name: &str) -> Result<(), Error> {
        let owner = self.look(name, |held| Arc::clone(&held.owner))?;
        if !is_same(&owner, &caller()) {
            let by = self.look(name, |held| held.binding.owner.clone())?;
            let text = format!("`{name}` is bound by {by}, which alone unbinds it");
            return Err(Error::of(ErrorKind::PermissionDenied, text));
        }
        let removed = self.lock().remove(name);
        drop(removed);
        Ok(())
    }

    async fn lookup(&self, name: &str) -> Result<Binding, Error> {
        self.look(name, |held| held.binding.clone())
    }

    async fn reach(&self, name: &str) -> Result<AnyRemote, Error> {
        self.look(name, |held| held.entry.object.clone())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Binding>, Error> {
        let table = self.lock();
        let names = table.names.range(prefix.to_owned()..);
        let names = names.take_while(|(name, _)| name.starts_with(prefix));
        let bound = names.filter(|(_, held)| !held.is_over());
        Ok(bound.map(|(_, held)| held.binding.clone()).collect())
    }

    async fn watch(
        &self,
        prefix: &str,
        watcher: Remote<dyn Watcher>,
    ) -> Result<Remote<dyn Watch>, Error> {
        if prefix.len() > NAME_BYTES {
            let text = format!("names, and prefixes of names, have at most {NAME_BYTES} bytes");
            return Err(Error::of(ErrorKind::Address, text));
        }
        let watch = self.lock().watches.add(prefix, watcher)?;
        Ok(Remote::new(watch))
    }
}

/// Forgets a binding when its owner's connection has ended.
fn forget_when_closed(
    table: &Arc<Mutex<Table>>,
    object: &AnyRemote,
    name: &str,
    number: u64,
) -> AbortHandle {
    let (table, object, name) = (Arc::downgrade(table), object.clone(), name.to_owned());
    let closed = async move {
        object.closed().await;
        let forgotten = Weak::upgrade(&table).and_then(|table| {
            let mut table = lock(&table);
            table
                .names
                .get(&name)
                .is_some_and(|held| held.number == number)
                .then(|| table.remove(&name))
        });
        drop(forgotten);
    };
    tokio::spawn(closed).abort_handle()
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who makes the call that is being served.
fn caller() -> Arc<Peer> {
    peer().unwrap_or_else(|| Arc::new(Peer::new("inproc", "this process")))
}

/// Both are surely one process, or one connection.
fn is_same(a: &Peer, b: &Peer) -> bool {
    let process = |peer: &Peer| (peer.uid, peer.pid);
    (a.pid.is_some() && process(a) == process(b)) || a == b
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.len() > NAME_BYTES || !is_name(name) {
        let shown: String = name.chars().take(NAME_BYTES).collect();
        let text =
            format!("{shown:?} is no name: a name is 1 to {NAME_BYTES} of `A-Z a-z 0-9 _ . -`");
        return Err(Error::of(ErrorKind::Address, text));
    }
    Ok(())
}
