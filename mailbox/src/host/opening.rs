//! How a hosted mailbox is opened, and how it is ended.

use super::{
    Contents, Host, Shared, State, Store, Which,
    journal::Journal,
    keeping::{Keeping, settle},
};
use crate::{
    Error, Kind, ProcessId, Terms,
    engine::{Engine, terms_of_dead},
};
use farcall_core::error::{self, ErrorKind};
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, OnceLock},
    thread,
};
use tokio::sync::oneshot;

impl Host {
    /// A mailbox for letters of a type, without letters.
    #[must_use]
    pub fn new(terms: Terms, kind: Kind) -> Self {
        Self::of(terms, Arc::new(kind.into()))
    }

    /// A mailbox for letters of the type that the first process to attach says, without letters.
    #[must_use]
    pub fn untyped(terms: Terms) -> Self {
        Self::of(terms, Arc::default())
    }

    fn of(terms: Terms, kind: Arc<OnceLock<Kind>>) -> Self {
        let dead = Arc::new(Shared::new(terms_of_dead(&terms), Arc::clone(&kind), None));
        let seat = dead.lock().engine.attach(ProcessId::own().into()).ok();
        let dead = seat.map(|seat| (dead, seat));
        Self { shared: Arc::new(Shared::new(terms, kind, dead)) }
    }

    /// A mailbox whose letters are kept in a store, with those that it has: letters that were taken and not acked are given back. It makes
    /// no sense with a capacity of zero, where no letter is ever kept.
    ///
    /// A letter is accepted, taken or acked when that is stored, and nobody is told before. An ack that is not waited for
    /// ([`Letter::ack`](crate::Letter::ack)) is stored a little later.
    ///
    /// # Errors
    /// If no thread can be started, or if what comes of the letters that were taken cannot be stored.
    pub async fn kept(
        terms: Terms,
        contents: Contents,
        store: Box<dyn Store>,
    ) -> Result<Self, Error> {
        let journal = Arc::new(Journal::default());
        let kind: Arc<OnceLock<Kind>> = Arc::default();
        if let Some(known) = contents.kind {
            let _ = kind.set(known);
        }
        let shared = |engine, which, ended, dead| {
            let (waiting, members) = (HashMap::default(), HashMap::default());
            let state = Mutex::new(State { engine, waiting, members });
            let keeping =
                Keeping { journal: Arc::clone(&journal), which, ended: Mutex::new(ended) };
            Arc::new(Shared { state, kind: Arc::clone(&kind), keeping: Some(keeping), dead })
        };
        let dead = Engine::restored(terms_of_dead(&terms), contents.dead);
        let dead = shared(dead, Which::Dead, None, None);
        let seat = dead.lock().engine.attach(ProcessId::own().into())?;
        let (ends, ended) = oneshot::channel();
        let letters = Engine::restored(terms, contents.letters);
        let own = shared(letters, Which::Letters, Some(ended), Some((Arc::clone(&dead), seat)));
        start(&journal, &own, &dead, store, ends)
            .map_err(|error| Error::NotStored { why: format!("no thread for it ({error})") })?;
        // What has become of the letters that were taken.
        own.change(|_| ());
        own.stored().await?;
        Ok(Self { shared: own })
    }

    /// Ends it in good order: it takes no more letters and gives none, and those that are taken can still be acked. All that wait fail
    /// with `MailboxGone`.
    pub fn close(&self) {
        let why = error::Error::of(ErrorKind::ShuttingDown, "its host has been told to end");
        let gone = Error::MailboxGone(why);
        let dead = self.shared.dead.as_ref().map(|(dead, _)| dead);
        for shared in [&self.shared].into_iter().chain(dead) {
            shared.change(|engine| engine.suspend(gone.clone()));
        }
    }

    /// Waits until everything is stored, and the store is closed: for a mailbox that is used no more. It is [`close`](Self::close)d.
    pub async fn finish(self) {
        self.close();
        let Some(keeping) = &self.shared.keeping else { return };
        keeping.journal.end();
        let ended = keeping.ended.lock().ok().and_then(|mut ended| ended.take());
        if let Some(ended) = ended {
            let _ = ended.await;
        }
    }
}

/// Starts the thread that stores.
fn start(
    journal: &Arc<Journal>,
    own: &Arc<Shared>,
    dead: &Arc<Shared>,
    mut store: Box<dyn Store>,
    ends: oneshot::Sender<()>,
) -> io::Result<()> {
    let (journal, own, dead) = (Arc::clone(journal), Arc::downgrade(own), Arc::downgrade(dead));
    let run = move || {
        journal.run(&mut *store, &mut |settled| settle(&own, &dead, settled));
        drop(store);
        let _ = ends.send(());
    };
    thread::Builder::new().name("farcall-store".to_owned()).spawn(run).map(drop)
}
