//! Mailboxes as they are reached from a shell: by an address or a name, and those that are there without being asked for.

use crate::failure::Failure;
use farcall::{Config, ErrorKind, Remote, mailbox::Kind};
use farcall_mailbox::{About, Attached, Member, Post, ProcessId, Seat};
use std::{collections::BTreeSet, time::Duration};

/// This process, seen from a host.
struct Here;

impl Member for Here {}

/// A mailbox that was reached.
pub(super) struct Reached {
    pub(super) post: Remote<dyn Post>,
    pub(super) about: About,
}

/// Reaches the mailbox at an address, or of a configured name, within a time.
pub(super) async fn reach(address: &str, within: Duration) -> Result<Reached, Failure> {
    let post = farcall::connect::<dyn Post>(address).within(within).await?;
    let about = post.about().await?;
    Ok(Reached { post, about })
}

impl Reached {
    /// Attaches this process, for letters of a type.
    pub(super) async fn attach(&self, kind: Kind) -> Result<Remote<dyn Seat>, Failure> {
        let member = Remote::<dyn Member>::new(Here);
        let who = Attached { process: ProcessId::own(), kind, terms: None, member };
        let (seat, _) = self.post.attach(who).await?;
        Ok(seat)
    }
}

/// The names of what may be mailboxes: those that are configured, and those in this user's private directory.
pub(super) fn names() -> Result<Vec<String>, Failure> {
    let config = Config::load()?;
    let mut names: BTreeSet<String> = config.services().map(ToOwned::to_owned).collect();
    for (scheme, name) in private()? {
        let address = format!("{scheme}://{name}#{name}");
        let default = config.connect_address(&name).map(|address| address.to_string());
        let is_default = default.as_ref() == Ok(&address);
        names.insert(if is_default { name } else { address });
    }
    Ok(names.into_iter().collect())
}

/// The names that somebody listens at, or has listened at, in the private directory, each with its scheme.
#[cfg(unix)]
fn private() -> Result<Vec<(&'static str, String)>, Failure> {
    let directory = farcall_transports::unix::private_directory()?;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let schemes = [(".shm", "shm"), (".sock", "unix")];
        let named = |(end, scheme)| Some((scheme, name.strip_suffix(end)?.to_owned()));
        names.extend(schemes.into_iter().find_map(named));
    }
    Ok(names)
}

#[cfg(not(unix))]
fn private() -> Result<Vec<(&'static str, String)>, Failure> {
    Ok(Vec::new())
}

/// Reaches a mailbox, if there is one: that there is none is no failure where nobody has said that there is.
pub(super) async fn find(name: &str, within: Duration) -> Result<Option<Reached>, Failure> {
    let post = match farcall::connect::<dyn Post>(name).within(within).await {
        Ok(post) => post,
        Err(error) if is_absence(error.kind()) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let about = post.about().await?;
    Ok(Some(Reached { post, about }))
}

fn is_absence(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Unreachable
            | ErrorKind::TimedOut
            | ErrorKind::NoSuchService
            | ErrorKind::WrongInterface
    )
}
