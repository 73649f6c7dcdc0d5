//! `farcall mailbox ls` and `peek`: looking without taking.

use super::{
    content::Shown,
    reach::{Reached, find, names, reach},
    wording::{capacity_text, duration, on_crash_text, policy_text},
};
use crate::{failure::Failure, output::Output};
use farcall_mailbox::{Peeked, Post, engine::LetterId};
use serde_json::{Value, json};
use std::time::Duration;

/// Letters that are asked for at once.
const PAGE: u32 = 256;

/// Lists mailboxes, with what they hold.
#[derive(clap::Args)]
pub(crate) struct ListArguments {
    /// Addresses or configured names. Without any: what is configured, and what is in this user's private directory.
    #[arg(value_name = "ADDRESS")]
    addresses: Vec<String>,
    /// How long to look for each.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    within: Duration,
}

/// Shows the letters of a mailbox without taking them, in the order in which they were accepted.
#[derive(clap::Args)]
pub(crate) struct PeekArguments {
    /// An address or a configured name.
    address: String,
    /// So many letters at most.
    #[arg(long, value_name = "N", default_value_t = 10)]
    count: u32,
    /// How long to look for the mailbox.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    within: Duration,
}

pub(crate) async fn list(arguments: ListArguments, output: Output) -> Result<(), Failure> {
    let is_asked = !arguments.addresses.is_empty();
    let addresses = if is_asked { arguments.addresses } else { names()? };
    let within = arguments.within;
    let look = |address: String| async move {
        let found = if is_asked {
            reach(&address, within).await.map(Some)
        } else {
            find(&address, within).await
        };
        (address, found)
    };
    let looks: Vec<_> = addresses.into_iter().map(|address| tokio::spawn(look(address))).collect();
    let mut failure = None;
    if !output.is_json() {
        output.line(&Value::Null, HEAD)?;
    }
    for look in looks {
        let Ok((address, found)) = look.await else { continue };
        match found {
            Ok(Some(found)) => output.line(&object(&address, &found), &row(&address, &found))?,
            Ok(None) => {}
            Err(error) => {
                eprintln!("farcall: {address}: {error}");
                failure = Some(Failure::Failed("not every mailbox could be looked at".to_owned()));
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

/// What stands above the rows of [`row`].
const HEAD: &str = "MAILBOX                  LETTERS         CAPACITY  POLICY          ON CRASH     \
                    KEPT     READY   HELD  WAITING  ASKING    DEAD";

fn row(address: &str, found: &Reached) -> String {
    let (about, counts) = (&found.about, found.about.counts);
    let kind = about.kind.as_ref().map_or("any", |kind| kind.as_str());
    format!(
        "{address:<24} {kind:<15} {:<9} {:<15} {:<12} {:<7} {:>6} {:>6} {:>8} {:>7} {:>7}",
        capacity_text(about.terms.capacity),
        policy_text(about.terms.policy),
        on_crash_text(about.terms.on_crash),
        if about.durable { "on disk" } else { "memory" },
        counts.ready,
        counts.held,
        counts.waiting,
        counts.asking,
        counts.dead,
    )
}

fn object(address: &str, found: &Reached) -> Value {
    let (about, terms) = (&found.about, found.about.terms);
    json!({
        "mailbox": address,
        "kind": about.kind.as_ref().map(|kind| kind.as_str()),
        "capacity": capacity_text(terms.capacity),
        "policy": policy_text(terms.policy),
        "on_crash": on_crash_text(terms.on_crash),
        "ceiling": terms.ceiling,
        "durable": about.durable,
        "counts": about.counts,
    })
}

pub(crate) async fn peek(arguments: PeekArguments, output: Output) -> Result<(), Failure> {
    let found = reach(&arguments.address, arguments.within).await?;
    let (mut from, mut left) = (LetterId(0), arguments.count);
    while left > 0 {
        let letters = found.post.peek(from, left.min(PAGE)).await?;
        let Some(last) = letters.last() else { break };
        from = LetterId(last.id.0.saturating_add(1));
        left = left.saturating_sub(u32::try_from(letters.len()).unwrap_or(u32::MAX));
        for letter in &letters {
            show(letter, &found, output)?;
        }
    }
    if left == arguments.count {
        return Err(Failure::Nothing("the mailbox has no letter".to_owned()));
    }
    Ok(())
}

fn show(letter: &Peeked, found: &Reached, output: Output) -> Result<(), Failure> {
    let Peeked { id, sender, deliveries, holder, bytes, payloads, remotes } = letter;
    let kind = found.about.kind.as_ref();
    let shown = Shown { kind, sender, deliveries: *deliveries, bytes };
    let mut object = shown.object();
    object["letter"] = id.0.into();
    object["holder"] = holder.as_ref().map(|of| json!({ "name": of.name, "pid": of.pid })).into();
    object["payloads"] = (*payloads).into();
    object["remotes"] = (*remotes).into();
    let enclosed = match payloads + remotes {
        0 => "",
        _ => ", and encloses more",
    };
    let state = match holder {
        Some(holder) => format!("held by {holder}"),
        None => "ready".to_owned(),
    };
    let from = sender.to_string();
    output.line(
        &object,
        &format!("{:>6}  {from:<22}  {state:<24}  {}{enclosed}", id.0, shown.text()),
    )?;
    Ok(())
}
