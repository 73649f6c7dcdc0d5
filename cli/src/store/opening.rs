//! How a file of letters is made, and how one that is there is checked before it is believed.

use super::{
    Disk,
    error::{damaged, said},
    head,
    reserve::Reserve,
    tables,
};
use crate::{failure::Failure, mailbox::terms_text};
use farcall::mailbox::{Kind, Terms};
use farcall_mailbox::{Contents, Store};
use redb::{Builder, Database};
use std::{
    fs::{self, File, OpenOptions},
    io, panic,
    path::Path,
};

/// Bytes of a file that are kept in memory: the host has the letters themselves.
const CACHE: usize = 8 << 20;

/// A mailbox on disk.
pub(crate) struct Found {
    pub(crate) disk: Disk,
    pub(crate) contents: Contents,
}

/// Opens the mailbox of a name in a folder, and makes it if it is not there.
///
/// # Errors
/// Another process has it; its parameters or its type are others; it is damaged; the folder cannot be written.
pub(crate) fn open(
    folder: &Path,
    name: &str,
    terms: Terms,
    kind: Option<Kind>,
) -> Result<Found, Failure> {
    let path = folder.join(format!("{name}.redb"));
    if !path.exists() {
        make(folder, &path, terms)?;
    }
    let (database, found, contents) = checked(&path)?;
    if found != terms {
        return Err(Failure::Failed(format!(
            "the mailbox in {} has the parameters {}, and was to be served with {}: say the same, or use another folder",
            path.display(),
            terms_text(&found),
            terms_text(&terms)
        )));
    }
    let reserve = Reserve::new(folder.join(format!("{name}.reserve")));
    let disk = Disk { path, database: Some(database), reserve, is_loose: true };
    typed(Found { disk, contents }, kind)
}

/// The same, with letters of that type.
fn typed(mut found: Found, kind: Option<Kind>) -> Result<Found, Failure> {
    let Some(wanted) = kind else { return Ok(found) };
    match &found.contents.kind {
        Some(kind) if *kind != wanted => Err(Failure::Failed(format!(
            "the letters in {} are `{kind}` and not `{wanted}`: say the same type, or none",
            found.disk.path.display()
        ))),
        Some(_) => Ok(found),
        None => {
            found.disk.commit(&[], Some(&wanted)).map_err(Failure::Failed)?;
            found.contents.kind = Some(wanted);
            Ok(found)
        }
    }
}

/// Opens a file that is there.
pub(super) fn database(path: &Path) -> Result<Database, redb::Error> {
    head::open(&builder(), path)
}

/// Makes the file of an empty mailbox. It has its name only when it is whole.
fn make(folder: &Path, path: &Path, terms: Terms) -> Result<(), Failure> {
    let failed = |at: &Path, error: redb::Error| Failure::Failed(said(at, &error));
    private_folder(folder).map_err(|error| failed(folder, error.into()))?;
    let unfinished = path.with_extension("redb.new");
    let create = || builder().create_file(private_file(&unfinished)?);
    let created = create().or_else(|error| match error {
        redb::DatabaseError::DatabaseAlreadyOpen => Err(error),
        // What somebody has left who was killed meanwhile.
        _ => {
            fs::remove_file(&unfinished)?;
            create()
        }
    });
    let database = created.map_err(|error| failed(&unfinished, error.into()))?;
    let begun = head::fixed(&unfinished).map_err(redb::Error::from);
    let begun = begun.and_then(|head| tables::begin_file(&database, terms, &head));
    begun.map_err(|error| failed(&unfinished, error))?;
    drop(database);
    let named = fs::rename(&unfinished, path).and_then(|()| sync_folder(folder));
    named.map_err(|error| failed(path, error.into()))
}

/// Opens a file, and reads all of it: what it should say about itself, and every letter.
fn checked(path: &Path) -> Result<(Database, Terms, Contents), Failure> {
    let check = || {
        let mut database = database(path)?;
        database.check_integrity()?;
        let loaded = tables::load(&database)?;
        tables::check_head(&database, &head::fixed(path)?)?;
        // What is wrong where nothing is written is found by writing there.
        tables::apply(&database, &[], None)?;
        Ok::<_, redb::Error>((loaded, database))
    };
    match quietly(check) {
        Ok(Ok((Some((terms, contents)), database))) => Ok((database, terms, contents)),
        Ok(Ok((None, _))) => Err(Failure::Failed(format!(
            "{} was written by another version of this command: use that one",
            path.display()
        ))),
        Ok(Err(error)) => Err(Failure::Failed(said(path, &error))),
        Err(_) => {
            Err(Failure::Failed(damaged(path, "what it says about itself contradicts itself")))
        }
    }
}

/// Runs what may panic, since the file may say anything, without a word about it.
fn quietly<T>(run: impl FnOnce() -> T) -> std::thread::Result<T> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let ran = panic::catch_unwind(panic::AssertUnwindSafe(run));
    panic::set_hook(hook);
    ran
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    // The layout that later versions of redb read too.
    builder.set_cache_size(CACHE).create_with_file_format_v3(true);
    builder
}

/// Makes a folder that only its user may enter, if there is none, and sees to it that it outlives the machine.
fn private_folder(folder: &Path) -> io::Result<()> {
    let new = folder.ancestors().take_while(|of| !of.as_os_str().is_empty() && !of.exists());
    let new: Vec<_> = new.collect();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    new.into_iter().filter_map(Path::parent).try_for_each(sync_folder)
}

/// Makes a file that only its user may read, if there is none.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Sees to it that the names in a folder outlive the machine.
fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
