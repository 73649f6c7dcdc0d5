//! What a puppet does as a process with a name.

use crate::puppet::{done, number};
use farcall::mailbox::{Action, Error, Message, Process};
use std::{str::SplitWhitespace, time::Duration};
use tokio::runtime::Runtime;

/// A process with a name, once it has claimed one.
#[derive(Default)]
pub(crate) struct Named(Option<Process>);

impl Named {
    /// Whether a command is one of these.
    pub(crate) fn knows(command: &str) -> bool {
        const COMMANDS: [&str; 12] = [
            "claim",
            "release",
            "links",
            "send_to",
            "try_send_to",
            "send_to_timeout",
            "send_text_to",
            "recv_from",
            "try_recv_from",
            "recv_from_timeout",
            "recv_any",
            "try_recv_any",
        ];
        COMMANDS.contains(&command)
    }

    /// Does it. What comes is answered with its sender's number before it.
    pub(crate) fn obey(
        &mut self,
        command: &str,
        mut words: SplitWhitespace<'_>,
        runtime: Option<&Runtime>,
    ) -> Result<String, Error> {
        let name = words.next().unwrap_or_default();
        let time = Duration::from_millis(20);
        let ok = || Ok("ok".to_owned());
        if command == "claim" {
            self.0 = Some(done(Process::claim(name), runtime)?);
            return ok();
        }
        let process = self.0.clone().expect("it has a name");
        let sent = |action: Action<()>| done(action, runtime).map(|()| "sent".to_owned());
        let came = |action: Action<Message<u32>>| {
            done(action, runtime).map(|message| format!("{} {}", message.sender().pid, *message))
        };
        match command {
            "release" => {
                self.0 = None;
                ok()
            }
            "links" => {
                let links = process.links().into_iter();
                let links: Vec<_> = links
                    .map(|link| format!("{}:{}/{}", link.peer.name, link.sent, link.received))
                    .collect();
                Ok(links.join(" "))
            }
            "send_to" => sent(process.send_to(name, &number(words.next()))),
            "try_send_to" => sent(process.try_send_to(name, &number(words.next()))),
            "send_to_timeout" => sent(process.send_to_timeout(name, &number(words.next()), time)),
            "send_text_to" => {
                sent(process.send_to(name, &words.next().unwrap_or_default().to_owned()))
            }
            "recv_from" => came(process.recv_from(name)),
            "try_recv_from" => came(process.try_recv_from(name)),
            "recv_from_timeout" => came(process.recv_from_timeout(name, time)),
            "recv_any" => came(process.recv()),
            _ => came(process.try_recv()),
        }
    }
}
