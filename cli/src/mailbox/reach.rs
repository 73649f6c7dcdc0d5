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
    names.extend(private()?);
    Ok(names.into_iter().collect())
}

/// The names that somebody listens at, or has listened at, in the private directory.
#[cfg(unix)]
fn private() -> Result<Vec<String>, Failure> {
    let directory = farcall_transports::unix::private_directory()?;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let scheme = [(".shm", "shm"), (".sock", "unix")];
        let found = scheme.iter().find_map(|(end, scheme)| Some((name.strip_suffix(end)?, scheme)));
        names.extend(found.map(|(name, scheme)| format!("{scheme}://{name}#{name}")));
    }
    Ok(names)
}

#[cfg(not(unix))]
fn private() -> Result<Vec<String>, Failure> {
    Ok(Vec::new())
}

/// Whether there is no mailbox, which is no failure where nobody has said that there is one.
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
