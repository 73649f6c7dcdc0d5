//! `farcall mailbox recv`: letters to standard output. One is acked when it is written, and not before.

use super::{
    content::{Form, Shown},
    reach::reach,
    send::patience,
    wording::duration,
};
use crate::{failure::Failure, output::Output};
use farcall::{
    Remote,
    mailbox::{Error, Kind},
};
use farcall_mailbox::{Lease, Seat};
use std::time::Duration;

/// What would be lost.
const ENCLOSES: &str = "the letter encloses payloads or handles on objects, which cannot be written here, and was put back: take it with a program \
                        that has its type";

/// Takes letters and writes them to standard output, each acked as soon as it is written.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// An address or a configured name.
    address: String,
    /// So many letters.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "follow")]
    count: u64,
    /// Letters without end: until the mailbox is gone, with exit code 1, or none comes in the time-out, or this command is ended.
    #[arg(long)]
    follow: bool,
    /// How long to wait for each letter. `0s`: not at all. Without it: as long as it takes.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    /// Acks them. This is so unless `--no-ack` is there.
    #[arg(long, overrides_with = "no_ack")]
    ack: bool,
    /// Acks none: when the command ends they are given back, and what becomes of them the mailbox's `--on-crash` says.
    #[arg(long)]
    no_ack: bool,
    /// `text`: a line for each, bytes that are no text in hexadecimal. `json`: as with `--json`. `raw`: the bytes of the letter as they
    /// travel, one after the other.
    #[arg(long = "as", value_name = "FORM", value_enum, default_value_t = Form::Text)]
    form: Form,
    /// The type of the letters, where nobody has said it yet.
    #[arg(long, value_name = "TYPE")]
    kind: Option<String>,
    /// How long to look for the mailbox.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    within: Duration,
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let found = reach(&arguments.address, arguments.within).await?;
    let said = arguments.kind.as_deref().map(Kind::named);
    let Some(kind) = said.or(found.about.kind.clone()) else {
        let text = "nobody has sent a letter yet, or said of what type they are: say it with `--kind TYPE` to wait for one";
        return Err(Failure::Nothing(text.to_owned()));
    };
    let seat = found.attach(kind.clone()).await?;
    let output = if arguments.form == Form::Json { Output::new(true) } else { output };
    let mut taking = Taking { seat, kind, arguments: &arguments, output, held: Vec::new() };
    let most = if arguments.follow { u64::MAX } else { arguments.count };
    for taken in 0..most {
        match taking.take().await {
            // A follower is done when nothing more comes.
            Err(Failure::Nothing(_)) if arguments.follow && taken > 0 => break,
            done => done?,
        }
    }
    Ok(())
}

struct Taking<'a> {
    seat: Remote<dyn Seat>,
    kind: Kind,
    arguments: &'a Arguments,
    output: Output,
    /// Letters that are not to be acked: given back at once, they would be taken again.
    held: Vec<Remote<dyn Lease>>,
}

impl Taking<'_> {
    async fn take(&mut self) -> Result<(), Failure> {
        let taken = self.seat.recv(1, patience(self.arguments.timeout)).await?;
        let (senders, letters, lease) = taken.open()?;
        let [(letter, writing)] = &letters[..] else { return Err(Error::Uneven.into()) };
        if !writing.enclosed.is_empty() {
            // Nobody has read it.
            lease.give_back(vec![0], true).await?;
            return Err(Failure::Failed(ENCLOSES.to_owned()));
        }
        let sender = senders.get(letter.sender as usize).ok_or(Error::Uneven)?;
        let (bytes, deliveries) = (&writing.bytes[..], letter.deliveries);
        if self.arguments.form == Form::Raw {
            self.output.bytes(bytes)?;
        } else {
            let shown = Shown { kind: Some(&self.kind), sender, deliveries, bytes };
            self.output.line(&shown.object(), &shown.text())?;
        }
        if self.arguments.no_ack {
            self.held.push(lease);
        } else if lease.acked(vec![0]).await? == 0 {
            return Err(Failure::from(Error::Detached));
        }
        Ok(())
    }
}
