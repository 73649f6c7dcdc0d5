//! `farcall mailbox send`: letters from an argument, or from standard input.

use super::{
    content::{Form, letter},
    reach::reach,
    wording::duration,
};
use crate::{failure::Failure, output::Output};
use farcall::{Remote, mailbox::Kind};
use farcall_mailbox::{Patience, Seat};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, stdin};

/// Sends letters, and says which ones they have become, in the order in which the mailbox has accepted them.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// An address or a configured name.
    address: String,
    /// What the letter says. Without it, standard input to its end is one letter.
    #[arg(value_name = "LETTER")]
    says: Option<String>,
    /// How it is written.
    #[arg(long = "as", value_name = "FORM", value_enum, default_value_t = Form::Text)]
    form: Form,
    /// Each line of standard input is a letter.
    #[arg(long, conflicts_with = "says")]
    lines: bool,
    /// The type of the letters, where nobody has said it yet; `String` if this does not.
    #[arg(long, value_name = "TYPE")]
    kind: Option<String>,
    /// Letters of one key go to one receiver, where the policy is `sticky`.
    #[arg(long, value_name = "N", default_value_t = 0)]
    key: u64,
    /// How long to wait until a letter is accepted. `0s`: not at all. Without it: as long as it takes.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    /// How long to look for the mailbox.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    within: Duration,
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let found = reach(&arguments.address, arguments.within).await?;
    let said = arguments.kind.as_deref().map(Kind::named);
    let kind = said.or(found.about.kind.clone()).unwrap_or_else(Kind::of::<String>);
    let seat = found.attach(kind.clone()).await?;
    let sending = Sending { seat, kind, arguments: &arguments, output };
    match &arguments.says {
        Some(says) => sending.send(says.clone().into_bytes()).await,
        None if arguments.lines => {
            let mut lines = BufReader::new(stdin()).split(b'\n');
            while let Some(line) = lines.next_segment().await? {
                sending.send(line).await?;
            }
            Ok(())
        }
        None => {
            let mut said = Vec::new();
            stdin().read_to_end(&mut said).await?;
            let is_text = arguments.form == Form::Text && sending.kind == Kind::of::<String>();
            if is_text && said.last() == Some(&b'\n') {
                said.pop();
            }
            sending.send(said).await
        }
    }
}

struct Sending<'a> {
    seat: Remote<dyn Seat>,
    kind: Kind,
    arguments: &'a Arguments,
    output: Output,
}

impl Sending<'_> {
    async fn send(&self, said: Vec<u8>) -> Result<(), Failure> {
        let letter = letter(&self.kind, self.arguments.form, said)?;
        let patience = patience(self.arguments.timeout);
        let id = self.seat.send(self.arguments.key, &letter, patience).await?;
        self.output.line(&json!({ "letter": id.0 }), &format!("letter {}", id.0))?;
        Ok(())
    }
}

/// What a time-out of the command line means.
pub(super) fn patience(timeout: Option<Duration>) -> Patience {
    match timeout {
        None => Patience::Endless,
        Some(Duration::ZERO) => Patience::None,
        Some(time) => Patience::For(time),
    }
}
