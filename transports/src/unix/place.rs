//! Which path an address means, and the directory that only its user may enter.

use farcall_core::{
    address::{Address, is_name},
    error::{Error, ErrorKind},
};
use rustix::process::geteuid;
use std::{
    env,
    ffi::OsString,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

/// Bytes of the longest path that fits a socket's address.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) const LONGEST: usize = 107;
/// Bytes of the longest path that fits a socket's address.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) const LONGEST: usize = 103;

/// A path on which to listen or to which to connect.
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    /// The address as others can write it.
    pub(crate) address: String,
}

/// What a place is wanted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    Connect,
    Listen,
}

impl Place {
    pub(crate) fn resolve(address: &Address, purpose: Purpose) -> Result<Self, Error> {
        let (place, scheme) = (address.place(), address.scheme());
        let path = if place.starts_with('/') {
            PathBuf::from(place)
        } else if is_name(place) {
            directory_for(purpose)?.join(format!("{place}.{}", extension(address)))
        } else {
            let text = format!(
                "{address} is wrong: write three slashes before an absolute path, as in {scheme}:///run/archive.{}, or a name, as in {scheme}://archive",
                extension(address)
            );
            return Err(Error::of(ErrorKind::Address, text));
        };
        let address = crate::written(scheme, &path.to_string_lossy());
        let length = path.as_os_str().len();
        if length > LONGEST {
            let text = format!(
                "{address} is too long: the path has {length} bytes, and a socket's may have {LONGEST}"
            );
            return Err(Error::of(ErrorKind::Address, text));
        }
        Ok(Self { path, address })
    }
}

/// What the socket of a name ends with: each scheme has its own.
fn extension(address: &Address) -> &str {
    match address.scheme() {
        "unix" => "sock",
        scheme => scheme,
    }
}

/// The directory of the sockets that have a name and no path: `farcall` in `$XDG_RUNTIME_DIR`, or else
/// `/tmp/farcall-UID`. Created if it is missing; only this user may enter it.
///
/// # Errors
/// `PermissionDenied` if it belongs to somebody else, or others may enter it, or it cannot be created.
pub fn private_directory() -> Result<PathBuf, Error> {
    directory_for(Purpose::Listen)
}

/// Whether a user may be at the other end: this one, or root.
pub(crate) fn owner_is_trusted(uid: u32) -> bool {
    uid == 0 || uid == geteuid().as_raw()
}

fn directory_for(purpose: Purpose) -> Result<PathBuf, Error> {
    let directory = directory_in(env::var_os("XDG_RUNTIME_DIR"));
    private(&directory, purpose)?;
    Ok(directory)
}

fn directory_in(runtime: Option<OsString>) -> PathBuf {
    let runtime = runtime.map(PathBuf::from).filter(|path| path.is_absolute() && path.is_dir());
    match runtime {
        Some(runtime) => runtime.join("farcall"),
        None => PathBuf::from(format!("/tmp/farcall-{}", geteuid().as_raw())),
    }
}

/// Sees to it that `directory` is private. Whoever only connects does not create it.
fn private(directory: &Path, purpose: Purpose) -> Result<(), Error> {
    if purpose == Purpose::Listen
        && let Err(error) = DirBuilder::new().mode(0o700).create(directory)
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        let what =
            format!("cannot be created ({error}): set XDG_RUNTIME_DIR to a directory of yours");
        return Err(not_private(directory, &what));
    }
    let metadata = match fs::symlink_metadata(directory) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(not_private(directory, &format!("cannot be read ({error})"))),
    };
    if !metadata.is_dir() {
        return Err(not_private(directory, "is not a directory: remove it"));
    }
    if metadata.uid() != geteuid().as_raw() {
        let what = format!(
            "belongs to user {}: set XDG_RUNTIME_DIR to a directory of yours",
            metadata.uid()
        );
        return Err(not_private(directory, &what));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(not_private(directory, "is open to other users: run chmod 700 on it"));
    }
    Ok(())
}

fn not_private(directory: &Path, what: &str) -> Error {
    let text = format!("the private directory {} {what}", directory.display());
    Error::of(ErrorKind::PermissionDenied, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn resolve(address: &str) -> Result<PathBuf, Error> {
        let address = address.parse().expect("an address");
        Place::resolve(&address, Purpose::Connect).map(|place| place.path)
    }

    #[test]
    fn a_place_is_an_absolute_path_or_a_name() {
        let path = resolve("unix:///run/a.sock#archive").expect("a path");
        assert_eq!(path, Path::new("/run/a.sock"));
        let path = resolve("unix://archive").expect("a name");
        assert!(path.is_absolute() && path.ends_with("archive.sock"), "{}", path.display());
        let path = resolve("shm://archive").expect("a name");
        assert!(path.is_absolute() && path.ends_with("archive.shm"), "{}", path.display());
        for wrong in ["unix://run/a.sock", "unix://./a.sock", "unix://a b"] {
            let error = resolve(wrong).expect_err(wrong);
            assert_eq!(error.kind(), ErrorKind::Address);
            assert!(error.text().contains("three slashes"), "{error}");
        }
    }

    #[test]
    fn the_longest_path_has_107_bytes() {
        assert!(resolve(&format!("unix:///{}", "a".repeat(LONGEST - 1))).is_ok());
        let error = resolve(&format!("unix:///{}", "a".repeat(LONGEST))).expect_err("too long");
        assert_eq!(error.kind(), ErrorKind::Address);
        assert!(error.text().contains("108 bytes") && error.text().contains("107"), "{error}");
    }

    #[test]
    fn the_private_directory_is_below_the_runtime_directory_if_there_is_one() {
        let base = tempfile::tempdir().expect("a directory");
        let below = directory_in(Some(base.path().into()));
        assert_eq!(below, base.path().join("farcall"));
        for none in [None, Some("relative".into()), Some(base.path().join("gone").into())] {
            assert!(directory_in(none).starts_with("/tmp"));
        }
    }

    #[test]
    fn a_private_directory_is_created_and_then_held_to_it() {
        let base = tempfile::tempdir().expect("a directory");
        let directory = base.path().join("farcall");
        private(&directory, Purpose::Connect).expect("it may be missing");
        assert!(!directory.exists());
        private(&directory, Purpose::Listen).expect("it is created");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);

        fs::set_permissions(&directory, fs::Permissions::from_mode(0o750)).expect("it is ours");
        let error = private(&directory, Purpose::Connect).expect_err("open to the group");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(error.text().contains("chmod 700"), "{error}");

        let link = base.path().join("link");
        symlink(&directory, &link).expect("a link");
        let error = private(&link, Purpose::Listen).expect_err("a link");
        assert!(error.text().contains("not a directory"), "{error}");
    }
}
