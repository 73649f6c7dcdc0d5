//! A mailbox at an address: opened by the process that hosts it, or attached to by another one.

use super::{Access, Action, Capacity, Error, Kind, OnCrash, Policy, Result, Terms};
use crate::{Remote, Running, Server};
use farcall_core::{
    address::{Address, is_name},
    error::ErrorKind,
};
use farcall_mailbox::{Host, Post};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, marker::PhantomData, ops::Deref, sync::Arc, time::Duration};
use tokio::time::Instant;

/// The service of a mailbox whose address names neither a service nor itself.
const SERVICE: &str = "mailbox";
/// How long to look for the host of a mailbox.
const TRYING: Duration = Duration::from_secs(10);
/// How long to do so first, where the mailbox could be hosted by this process just as well.
const TURN: Duration = Duration::from_millis(100);

/// A mailbox for letters of type `T`, as this process has it. What it does are the methods of [`Access`].
///
/// Clones are the same. When the last one of the process that hosts it is dropped, the mailbox is gone.
pub struct Mailbox<T> {
    access: Access<T>,
    host: Option<Arc<Running>>,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Mailbox<T> {
    /// A mailbox to be hosted by this process, at an address or a configured name. The mailbox of letters that died is beside it, as the
    /// service `NAME.dead`.
    pub fn host(address: &str) -> Hosting<T> {
        let terms = Terms::of(Capacity::Bounded(64));
        Hosting { address: address.to_owned(), terms, on_crash: None, letters: PhantomData }
    }

    /// Attaches to a mailbox of another process, by its address or its configured name. It keeps trying for 10 s.
    ///
    /// # Errors
    /// `OtherLetters`, `MailboxBusy`, `Closed`; a call's `Unreachable`, `NoSuchService`.
    pub fn attach(name: &str) -> Action<Self> {
        let name = name.to_owned();
        Action::new(async move { Self::join(&name, None, TRYING).await })
    }

    async fn join(name: &str, wanted: Option<Terms>, within: Duration) -> Result<Self> {
        let post = crate::connect::<dyn Post>(name).within(within).await?;
        let access = Access::new(post, wanted);
        access.attach().await?;
        Ok(Self { access, host: None })
    }
}

impl<T> Mailbox<T> {
    /// Whether this process hosts it.
    #[must_use]
    pub fn is_host(&self) -> bool {
        self.host.is_some()
    }

    /// Where it can be reached, if this process hosts it.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        self.host.as_ref().map_or(&[], |running| running.addresses())
    }

    /// The first address.
    #[must_use]
    pub fn address(&self) -> &str {
        self.addresses().first().map_or("", String::as_str)
    }
}

impl<T> Deref for Mailbox<T> {
    type Target = Access<T>;

    fn deref(&self) -> &Access<T> {
        &self.access
    }
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self { access: self.access.clone(), host: self.host.clone() }
    }
}

impl<T> fmt::Debug for Mailbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("access", &self.access).field("host", &self.host).finish()
    }
}

/// What a mailbox without room is told.
const NO_ROOM: &str = "a mailbox for 0 letters never accepts one: say `Capacity::Zero`, where a letter is accepted when a receiver takes it";

/// A mailbox to be opened. Made by [`Mailbox::host`]; its parameters are part of the mailbox.
#[must_use = "nothing is hosted before it is opened"]
pub struct Hosting<T> {
    address: String,
    terms: Terms,
    on_crash: Option<OnCrash>,
    letters: PhantomData<fn(T) -> T>,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Hosting<T> {
    /// How many letters it holds. Default: `Bounded(64)`.
    pub fn capacity(mut self, capacity: Capacity) -> Self {
        self.terms.capacity = capacity;
        self
    }

    /// Bytes of letters that it holds, whatever the capacity. Default: 1 GiB.
    pub fn ceiling(mut self, bytes: u64) -> Self {
        self.terms.ceiling = bytes;
        self
    }

    /// Who gets a letter. Default: `FirstReceiver`.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.terms.policy = policy;
        self
    }

    /// What becomes of a letter that is not acked. Default: `Redeliver { max: 5 }`, and `Return` if the capacity is zero.
    pub fn on_crash(mut self, on_crash: OnCrash) -> Self {
        self.on_crash = Some(on_crash);
        self
    }

    /// Opens the mailbox, or attaches to it if another process hosts it with the same parameters.
    ///
    /// # Errors
    /// `OtherParameters` if it exists with others, `OtherLetters`; a call's errors, as those of [`Server::start`], and for a capacity of
    /// `Bounded(0)`.
    pub fn open(self) -> Action<Mailbox<T>> {
        let on_crash = self.on_crash.unwrap_or(Terms::of(self.terms.capacity).on_crash);
        let (address, terms) = (self.address, Terms { on_crash, ..self.terms });
        Action::new(async move {
            if terms.capacity == Capacity::Bounded(0) {
                return Err(Error::Call(crate::Error::new(NO_ROOM)));
            }
            let (until, mut turn) = (Instant::now() + TRYING, TURN);
            loop {
                match open(&address, terms).await {
                    Err(Error::Call(error)) if error.kind() == ErrorKind::AddressInUse => {}
                    opened => return opened,
                }
                // Whoever listens there may be about to go: then it is free a moment later.
                let left = until.saturating_duration_since(Instant::now());
                match Mailbox::join(&address, Some(terms), turn.min(left)).await {
                    Err(Error::Call(error))
                        if error.kind() == ErrorKind::Unreachable && turn < left => {}
                    joined => return joined,
                }
                turn *= 2;
            }
        })
    }
}

impl<T> fmt::Debug for Hosting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, terms, on_crash, .. } = self;
        f.debug_struct("Hosting")
            .field("address", address)
            .field("terms", terms)
            .field("on_crash", on_crash)
            .finish()
    }
}

async fn open<T: Serialize + DeserializeOwned + Send + 'static>(
    address: &str,
    terms: Terms,
) -> Result<Mailbox<T>> {
    let host = Host::new(terms, Kind::of::<T>());
    let (service, dead) = (service_of(address), host.dead());
    let post = Remote::<dyn Post>::new(host.clone());
    let mut server = Server::new().export(&service, post);
    if let Some(dead) = dead {
        server = server.export(&format!("{service}.dead"), Remote::<dyn Post>::new(dead));
    }
    let running = server.listen(&without_service(address)).start().await?;
    Ok(Mailbox { access: Access::near(host), host: Some(Arc::new(running)) })
}

/// What a mailbox is called at its endpoint: a configured name, the address's service, or its place if that is a name.
#[must_use]
pub fn service_of(address: &str) -> String {
    let Ok(parsed) = address.parse::<Address>() else { return address.to_owned() };
    let place = Some(parsed.place()).filter(|place| is_name(place));
    parsed.service().or(place).unwrap_or(SERVICE).to_owned()
}

fn without_service(address: &str) -> String {
    match address.parse::<Address>() {
        Ok(parsed) => parsed.without_service().to_string(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_called_after_their_addresses() {
        let check = |address: &str, want: &str| assert_eq!(service_of(address), want, "{address}");
        check("jobs", "jobs");
        check("shm://jobs", "jobs");
        check("tcp://127.0.0.1:7000", "mailbox");
        check("tcp://127.0.0.1:7000#jobs", "jobs");
        check("unix:///run/a.sock", "mailbox");
    }
}
