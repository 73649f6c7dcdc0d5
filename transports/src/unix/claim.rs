//! Taking a path to listen on: one listener at a time, over what a dead one left, and leaving nothing behind.

use super::{not_a_directory, place::LONGEST, place::Place};
use farcall_core::error::{Error, ErrorKind};
use rustix::fs::{FlockOperation, flock};
use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process,
};
use tokio::net::{UnixListener, UnixStream};

/// A path on which this process listens. Dropping it removes the path, if it is still this listener's.
pub(crate) struct Claim {
    path: PathBuf,
    /// Device and inode of the socket.
    socket: Option<(u64, u64)>,
    /// The lock beside the path.
    lock: PathBuf,
    /// Locked while it is open.
    _file: File,
}

impl Claim {
    /// Listens at a place.
    pub(crate) async fn listen(place: &Place) -> Result<(Self, UnixListener), Error> {
        let mut claim = Self::lock(place)?;
        check_nobody_is_there(place).await?;
        let listener = bind(&place.path).map_err(|error| failed(place, &error))?;
        claim.socket = fs::symlink_metadata(&place.path).ok().map(|found| identity(&found));
        Ok((claim, listener))
    }

    fn lock(place: &Place) -> Result<Self, Error> {
        let mut lock = place.path.clone().into_os_string();
        lock.push(".lock");
        let lock = PathBuf::from(lock);
        let file = loop {
            let mut file = open(&lock).map_err(|error| failed(place, &error))?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(taken(place, &mut file)),
                Err(errno) => return Err(failed(place, &errno.into())),
            }
            // A listener that ends removes its lock: then this is the lock of nothing.
            let (Ok(held), Ok(there)) = (file.metadata(), fs::symlink_metadata(&lock)) else {
                continue;
            };
            if identity(&held) == identity(&there) {
                break file;
            }
        };
        let claim = Self { path: place.path.clone(), socket: None, lock, _file: file };
        claim.sign();
        Ok(claim)
    }

    /// Writes into the lock who holds it, for the error of the next one.
    fn sign(&self) {
        let mut file = &self._file;
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", process::id()));
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let found = fs::symlink_metadata(&self.path).ok().map(|found| identity(&found));
        if found.is_some() && found == self.socket {
            let _ = fs::remove_file(&self.path);
        }
        let _ = fs::remove_file(&self.lock);
    }
}

/// What a path is, if it is not a socket.
pub(super) fn other_than_socket(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    match () {
        () if kind.is_socket() => None,
        () if kind.is_symlink() => Some("a symbolic link"),
        () if kind.is_fifo() => Some("a FIFO"),
        () if kind.is_dir() => Some("a directory"),
        () => Some("a file"),
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn open(lock: &Path) -> io::Result<File> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.mode(0o600).custom_flags(no_follow).open(lock)
}

/// With the lock held, a socket at the path is a dead one's, or one of somebody who knows nothing of locks.
async fn check_nobody_is_there(place: &Place) -> Result<(), Error> {
    let Ok(metadata) = fs::symlink_metadata(&place.path) else { return Ok(()) };
    if let Some(what) = other_than_socket(&metadata) {
        let text = format!(
            "cannot listen at {}: the path is {what} and not a socket: remove it, or choose another path",
            place.address
        );
        return Err(Error::of(ErrorKind::Address, text));
    }
    match UnixStream::connect(&place.path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(failed(place, &error)),
        _ => {
            let text = format!(
                "cannot listen at {}: another program listens there: stop it, or choose another path",
                place.address
            );
            Err(Error::of(ErrorKind::AddressInUse, text))
        }
    }
}

/// Binds beside the path and moves the socket there, so that nobody finds it before it is private and listens. Where
/// the longer name does not fit or is taken, binds in place.
///
/// The lock is held: what is there already was left by a process that was killed in the middle of this.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    let beside = path.with_file_name(name);
    let other = fs::symlink_metadata(&beside).is_ok_and(|it| other_than_socket(&it).is_some());
    if other || beside.as_os_str().len() > LONGEST {
        remove(path)?;
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        return Ok(listener);
    }
    remove(&beside)?;
    let listener = UnixListener::bind(&beside)?;
    let moved = fs::set_permissions(&beside, Permissions::from_mode(0o600))
        .and_then(|()| fs::rename(&beside, path));
    if moved.is_err() {
        let _ = fs::remove_file(&beside);
    }
    moved.map(|()| listener)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn taken(place: &Place, file: &mut File) -> Error {
    let mut text = String::new();
    let _ = file.take(16).read_to_string(&mut text);
    let who = match text.trim().parse::<u32>() {
        Ok(pid) if pid == process::id() => "this process".to_owned(),
        Ok(pid) => format!("process {pid}"),
        Err(_) => "another process".to_owned(),
    };
    let text = format!(
        "cannot listen at {}: {who} already listens there: stop it, or choose another path",
        place.address
    );
    Error::of(ErrorKind::AddressInUse, text)
}

fn failed(place: &Place, error: &io::Error) -> Error {
    let address = &place.address;
    let parent = place.path.parent().unwrap_or(&place.path).display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            let text = format!("cannot listen at {address}: create the directory {parent} first");
            Error::of(ErrorKind::Address, text)
        }
        io::ErrorKind::NotADirectory => not_a_directory(address, &place.path),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            let text = format!(
                "may not listen at {address}: choose a path in a directory that this user may write ({error})"
            );
            Error::of(ErrorKind::PermissionDenied, text)
        }
        _ => {
            let text = format!("cannot listen at {address}: check the path ({error})");
            Error::of(ErrorKind::Address, text)
        }
    }
}
