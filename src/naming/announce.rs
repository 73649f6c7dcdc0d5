//! An endpoint's names in registries: bound while it runs, and again whenever the connection to the registry was lost.

use super::{At, Change, Entry, Names, Watch, Watcher, resolve};
use farcall_core::{__private::Local, address::Address, error::Error, stub::Remote};
use std::{fmt, time::Duration};
use tokio::task::AbortHandle;

/// The first pause between attempts, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// A name that is bound while this is there.
pub(crate) struct Announced {
    /// None: it was withdrawn.
    names: Option<Remote<dyn Names>>,
    name: String,
    keeping: AbortHandle,
}

/// Binds a name to a service of this process, which listens at `addresses`. Fails if the name is taken, or no registry answers in time.
pub(crate) async fn announce(
    at: At,
    (service, object): &(String, Local),
    addresses: &[String],
    within: Duration,
) -> Result<Announced, Error> {
    let entry = addresses.iter().try_fold(Entry::of_local(object), |entry, address| {
        let address = Address::parse(address)?.with_service(service);
        Ok::<_, Error>(entry.at(&address.to_string()))
    })?;
    let names = resolve::registry(&at, within).await?;
    // A task of its own knows what it has bound, and gives that back if nobody waits for it any more.
    let binding = tokio::spawn(bind_and_keep(names, at.name, entry));
    binding.await.unwrap_or_else(|error| Err(Error::new(format!("a name is not bound: {error}"))))
}

async fn bind_and_keep(
    names: Remote<dyn Names>,
    name: String,
    entry: Entry,
) -> Result<Announced, Error> {
    let watch = bind(&names, &name, &entry).await?;
    let keeping = tokio::spawn(keep(names.clone(), name.clone(), entry, watch)).abort_handle();
    Ok(Announced { names: Some(names), name, keeping })
}

impl Announced {
    /// Unbinds the name, and waits until that is done or cannot be.
    pub(crate) async fn withdraw(mut self) {
        self.keeping.abort();
        if let Some(names) = self.names.take() {
            let _ = names.unbind(&self.name).await;
        }
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        self.keeping.abort();
        if let Some(names) = self.names.take() {
            names.unbind(&self.name).detach();
        }
    }
}

impl fmt::Debug for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Announced").field(&self.name).finish()
    }
}

/// Binds the name. The watch is closed when the connection, and with it the name, is lost.
async fn bind(
    names: &Remote<dyn Names>,
    name: &str,
    entry: &Entry,
) -> Result<Remote<dyn Watch>, Error> {
    let ignores = Remote::<dyn Watcher>::from_fn(|_: Change| async { Ok(()) });
    let watch = names.watch(name, ignores).await?;
    names.bind(name, entry.clone()).await?;
    Ok(watch)
}

/// Binds the name again, whenever it is lost with the connection.
async fn keep(names: Remote<dyn Names>, name: String, entry: Entry, mut watch: Remote<dyn Watch>) {
    loop {
        let why = Remote::closed(&watch).await;
        tracing::debug!(target: "farcall::endpoint", %name, %why, "lost a name");
        let mut pause = PAUSE.0;
        watch = loop {
            match bind(&names, &name, &entry).await {
                Ok(watch) => break watch,
                Err(error) if pause == PAUSE.1 => {
                    tracing::warn!(target: "farcall::endpoint", %name, %error, "not bound again");
                }
                Err(_) => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        };
    }
}
