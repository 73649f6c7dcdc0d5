//! A caller: makes calls of which the ledger knows, and notes how each has ended.

use super::{
    journal::Journal,
    ledger::Number,
    loans::{Shelf, is_intact, stamped},
    work::{Work, answer},
};
use farcall::{Call, Executed, Payload, Remote};
use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// One that makes calls, from any thread.
pub(crate) struct Caller {
    pub(crate) number: u64,
    next: AtomicU64,
    pub(crate) journal: Journal,
}

impl Caller {
    /// The caller of that number.
    pub(crate) fn open(number: u64, journal: &Path) -> io::Result<Self> {
        Ok(Self { number, next: AtomicU64::new(0), journal: Journal::open(journal)? })
    }

    /// Sends so many bytes, for an answer of so many.
    pub(crate) fn run(&self, to: To<'_>, sent: usize, length: usize) -> Begun {
        let bytes: Vec<u8> = (0..sent).map(|number| number as u8).collect();
        let call = self.note_made(to, "once");
        let want = answer(call, &bytes, length);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        Begun { call, ending: Ending::Bytes(to.remote.run(call, &bytes, length), want) }
    }

    /// Calls what may be run again.
    pub(crate) fn again(&self, to: To<'_>) -> Begun {
        self.begin(to, "again", |remote, call| remote.again(call))
    }

    /// Calls and awaits no answer.
    pub(crate) fn tell(&self, to: To<'_>) -> Begun {
        let call = self.note_made(to, "oneway");
        Begun { call, ending: Ending::Nothing(to.remote.tell(call)) }
    }

    /// Lends so many bytes, for a payload of so many, or for one that the server holds. It is held on the shelf.
    pub(crate) fn lend(&self, to: To<'_>, sent: usize, length: usize, shelf: Arc<Shelf>) -> Begun {
        let call = self.note_made(to, "once");
        let payload = stamped(to.remote.loan(sent), call);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        Begun { call, ending: Ending::Loan(to.remote.lend(call, payload, length), shelf) }
    }

    /// Asks for so many bytes, which come when the server is told to answer.
    pub(crate) fn vast(&self, to: To<'_>, length: u32) -> Begun {
        let call = self.note_made(to, "once");
        let want = answer(call, &[], length as usize);
        Begun { call, ending: Ending::Bytes(to.remote.vast(call, length), want) }
    }

    /// Makes a call without arguments but its number.
    pub(crate) fn begin(
        &self,
        to: To<'_>,
        manner: &str,
        make: impl FnOnce(&Remote<dyn Work>, u64) -> Call<Vec<u8>>,
    ) -> Begun {
        let call = self.note_made(to, manner);
        Begun { call, ending: Ending::Bytes(make(to.remote, call), answer(call, &[], 0)) }
    }

    /// A call was given up while it was waited for.
    pub(crate) fn note_dropped(&self, call: u64) {
        note(&self.journal, call, "ended", "dropped");
    }

    /// A call has ended after its deadline.
    pub(crate) fn note_late(&self, call: u64) {
        note(&self.journal, call, "ended", "late");
    }

    fn note_made(&self, to: To<'_>, manner: &str) -> u64 {
        let call = self.next.fetch_add(1, Ordering::Relaxed);
        let call = Number { client: self.number, server: to.server, call }.number();
        note(&self.journal, call, "made", manner);
        call
    }
}

/// Who is called.
#[derive(Clone, Copy)]
pub(crate) struct To<'a> {
    /// The server's number.
    pub(crate) server: u64,
    pub(crate) remote: &'a Remote<dyn Work>,
}

/// A call on its way.
#[must_use]
pub(crate) struct Begun {
    call: u64,
    ending: Ending,
}

enum Ending {
    /// Answered with these bytes, if all is well.
    Bytes(Call<Vec<u8>>, Vec<u8>),
    /// Answered with a payload that is what it says; it is held then.
    Loan(Call<Payload>, Arc<Shelf>),
    Nothing(Call<()>),
    Dropped,
}

impl Begun {
    /// Its number.
    pub(crate) fn call(&self) -> u64 {
        self.call
    }

    /// The same, which is given up instead of waited for.
    pub(crate) fn given_up(self) -> Self {
        Self { ending: Ending::Dropped, ..self }
    }

    /// Waits until it has ended, and notes how. Its error, if it failed.
    pub(crate) fn wait(self, journal: &Journal) -> Option<farcall::Error> {
        let ended = match self.ending {
            Ending::Bytes(call, want) => how(call.wait().map(|bytes| bytes == want)),
            Ending::Loan(call, shelf) => {
                how(call.wait().map(|payload| is_intact(&payload) && shelf.put(payload)))
            }
            Ending::Nothing(call) => how(call.wait().map(|()| true)),
            Ending::Dropped => ("dropped", None),
        };
        note(journal, self.call, "ended", ended.0);
        ended.1
    }

    /// The same in async code.
    pub(crate) async fn ended(self, journal: &Journal) -> Option<farcall::Error> {
        let ended = match self.ending {
            Ending::Bytes(call, want) => how(call.await.map(|bytes| bytes == want)),
            Ending::Loan(call, shelf) => {
                how(call.await.map(|payload| is_intact(&payload) && shelf.put(payload)))
            }
            Ending::Nothing(call) => how(call.await.map(|()| true)),
            Ending::Dropped => ("dropped", None),
        };
        note(journal, self.call, "ended", ended.0);
        ended.1
    }
}

fn how(result: farcall::Result<bool>) -> (&'static str, Option<farcall::Error>) {
    match result {
        Ok(true) => ("answered", None),
        Ok(false) => ("wrong", None),
        Err(error) => match error.executed() {
            Executed::No => ("no", Some(error)),
            Executed::Maybe => ("maybe", Some(error)),
            Executed::Yes => ("yes", Some(error)),
        },
    }
}

/// Without its journal a client is worth nothing.
fn note(journal: &Journal, call: u64, what: &str, how: &str) {
    if let Err(error) = journal.note(format_args!("{what} {call} {how}")) {
        eprintln!("the journal cannot be written: {error}");
        std::process::exit(1);
    }
}
