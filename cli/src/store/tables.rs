//! What is in a file of letters, and how changes are made to it.

use farcall::mailbox::{Kind, ProcessId, Terms};
use farcall_core::stub::Enclosures;
use farcall_mailbox::{
    Contents, Which, Writing,
    engine::{Change, Kept, Letter, LetterId},
};
use redb::{Database, ReadableTable, Table, TableDefinition, WriteTransaction};
use serde::{Serialize, de::DeserializeOwned};

/// What there is of the whole: [`FORMAT`], [`HEAD`], [`TERMS`], [`KIND`].
const ABOUT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");
/// By mailbox and id: who has sent a letter, its key, its bytes, and those of its payloads.
const LETTERS: TableDefinition<'_, (u8, u64), &[u8]> = TableDefinition::new("letters");
/// By mailbox and id: how often a letter was delivered, and who has taken it last. None, as long as nobody has.
const TAKEN: TableDefinition<'_, (u8, u64), &[u8]> = TableDefinition::new("taken");
/// By mailbox: the id of the next letter.
const NEXT: TableDefinition<'_, u8, u64> = TableDefinition::new("next");
/// By mailbox: who did not ack a letter, if it has closed itself.
const CLOSED: TableDefinition<'_, u8, &[u8]> = TableDefinition::new("closed");

/// The key of this layout's number.
const FORMAT: &str = "format";
/// The key of what the file's head says of its geometry, where nothing protects it.
const HEAD: &str = "head";
/// The key of the parameters.
const TERMS: &str = "terms";
/// The key of the letters' type.
const KIND: &str = "kind";
/// This layout.
const VERSION: u32 = 2;

type Keyed<'t> = Table<'t, (u8, u64), &'static [u8]>;

/// Makes changes, all or none.
pub(super) fn apply(
    database: &Database,
    changes: &[(Which, Change)],
    kind: Option<&Kind>,
) -> Result<(), redb::Error> {
    let writing = begin(database)?;
    {
        let mut letters = writing.open_table(LETTERS)?;
        let mut taken = writing.open_table(TAKEN)?;
        for (which, change) in changes {
            match change {
                Change::Accepted(letter) | Change::Buried(letter) => {
                    insert(&writing, &mut letters, *which, letter)?;
                }
                Change::Taken { letter, deliveries, by } => {
                    let key = (number(*which), letter.0);
                    if letters.get(key)?.is_some() {
                        taken.insert(key, &encode(&(deliveries, by))?[..])?;
                    }
                }
                Change::PutBack { letter, deliveries } => {
                    let key = (number(*which), letter.0);
                    let known =
                        taken.remove(key)?.map(|known| decode(known.value())).transpose()?;
                    if let Some((_, by)) = known.filter(|_: &(u32, ProcessId)| *deliveries > 0) {
                        taken.insert(key, &encode(&(deliveries, by))?[..])?;
                    }
                }
                Change::Over(letter) => {
                    let key = (number(*which), letter.0);
                    letters.remove(key)?;
                    taken.remove(key)?;
                }
                Change::Closed { by } => {
                    writing.open_table(CLOSED)?.insert(number(*which), &encode(by)?[..])?;
                }
            }
        }
        if let Some(kind) = kind {
            writing.open_table(ABOUT)?.insert(KIND, kind.as_str().as_bytes())?;
        }
    }
    writing.commit()?;
    Ok(())
}

fn insert(
    writing: &WriteTransaction,
    letters: &mut Keyed<'_>,
    which: Which,
    letter: &Letter,
) -> Result<(), redb::Error> {
    let Letter { id, sender, key, writing: says, .. } = letter;
    // Encoded here, a payload is its bytes.
    let entry = (&**sender, key, &says.bytes, says.enclosed.payloads());
    letters.insert((number(which), id.0), &encode(&entry)?[..])?;
    let mut next = writing.open_table(NEXT)?;
    let known = next.get(number(which))?.map_or(0, |known| known.value());
    next.insert(number(which), known.max(id.0.saturating_add(1)))?;
    Ok(())
}

/// Begins a file: an empty mailbox with these parameters.
pub(super) fn begin_file(
    database: &Database,
    terms: Terms,
    head: &[u8],
) -> Result<(), redb::Error> {
    let writing = begin(database)?;
    {
        let mut about = writing.open_table(ABOUT)?;
        about.insert(FORMAT, &encode(&VERSION)?[..])?;
        about.insert(HEAD, head)?;
        about.insert(TERMS, &encode(&terms)?[..])?;
        writing.open_table(LETTERS)?;
        writing.open_table(TAKEN)?;
        writing.open_table(NEXT)?;
        writing.open_table(CLOSED)?;
    }
    writing.commit()?;
    Ok(())
}

/// Whether the head of a file says what it has always said.
pub(super) fn check_head(database: &Database, head: &[u8]) -> Result<(), redb::Error> {
    let about = database.begin_read()?.open_table(ABOUT)?;
    match about.get(HEAD)? {
        Some(written) if written.value() == head => Ok(()),
        _ => Err(broken("its head contradicts the rest")),
    }
}

/// What is in a file: the parameters, and the letters. None: its layout is another one.
pub(super) fn load(database: &Database) -> Result<Option<(Terms, Contents)>, redb::Error> {
    let reading = database.begin_read()?;
    let about = reading.open_table(ABOUT)?;
    let value = |key: &str| about.get(key)?.ok_or_else(|| broken(&format!("`{key}` is missing")));
    if decode::<u32>(value(FORMAT)?.value())? != VERSION {
        return Ok(None);
    }
    let terms = decode(value(TERMS)?.value())?;
    let kind = match about.get(KIND)? {
        Some(kind) => match std::str::from_utf8(kind.value()) {
            Ok(kind) => Some(Kind::named(kind)),
            Err(_) => return Err(broken("the type of the letters is no text")),
        },
        None => None,
    };
    let (letters, taken) = (reading.open_table(LETTERS)?, reading.open_table(TAKEN)?);
    let (next, closed) = (reading.open_table(NEXT)?, reading.open_table(CLOSED)?);
    let kept = |which: Which| {
        let which = number(which);
        let mut kept = Kept {
            letters: Vec::new(),
            next: next.get(which)?.map_or(0, |next| next.value()),
            closed: closed.get(which)?.map(|by| decode(by.value())).transpose()?,
        };
        for entry in letters.range((which, 0)..=(which, u64::MAX))? {
            let (key, letter) = entry?;
            let (_, id) = key.value();
            let (sender, key, bytes, payloads) = decode(letter.value())?;
            let writing = Writing { bytes, enclosed: Enclosures::of_payloads(payloads) };
            let taken = taken.get((which, id))?.map(|taken| decode(taken.value())).transpose()?;
            let (deliveries, by): (u32, Option<ProcessId>) = match taken {
                Some((deliveries, by)) => (deliveries, Some(by)),
                None => (0, None),
            };
            let letter = Letter::delivered(LetterId(id), sender, key, writing, deliveries);
            kept.letters.push((letter, by));
        }
        Ok::<_, redb::Error>(kept)
    };
    let contents = Contents { kind, letters: kept(Which::Letters)?, dead: kept(Which::Dead)? };
    Ok(Some((terms, contents)))
}

fn begin(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut writing = database.begin_write()?;
    // The pages first, and what points to them after that: a page that is damaged later is noticed, and not taken for one that was never
    // written.
    writing.set_two_phase_commit(true);
    Ok(writing)
}

fn number(which: Which) -> u8 {
    match which {
        Which::Letters => 0,
        Which::Dead => 1,
    }
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, redb::Error> {
    postcard::to_allocvec(value).map_err(|error| broken(&error.to_string()))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, redb::Error> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(broken("an entry is too long")),
        Err(error) => Err(broken(&format!("an entry is no such value: {error}"))),
    }
}

fn broken(why: &str) -> redb::Error {
    redb::Error::Corrupted(why.to_owned())
}
