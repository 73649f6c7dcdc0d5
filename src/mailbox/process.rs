//! A process that has claimed a name.

use super::{Action, Error, Result};
use crate::{Running, Server};
use farcall_core::error::ErrorKind;
use farcall_mailbox::{Correspondent, Dial, Door, ProcessId};
use std::{fmt, ops::Deref, sync::Arc};

/// A process that has claimed a name, under which others send to it. What it does are the methods of [`Correspondent`].
///
/// Clones are the same. When the last one is dropped, or the process dies, the name is free.
#[derive(Clone)]
pub struct Process {
    correspondent: Correspondent,
    running: Arc<Running>,
}

impl Process {
    /// Claims a name. It is resolved as the names of services are: by default, processes of this user on this host find it; with
    /// `services.NAME` in the configuration, others do.
    ///
    /// # Errors
    /// `NameTaken` while another process has it; a call's errors, as those of [`Server::start`].
    pub fn claim(name: &str) -> Action<Self> {
        let name = name.to_owned();
        Action::new(async move {
            let me = ProcessId { name: name.clone(), ..ProcessId::own() };
            let correspondent = Correspondent::new(me, dial());
            let server = Server::new().export(&name, correspondent.door()).listen(&name);
            let running = server.start().await.map_err(|error| match error.kind() {
                ErrorKind::AddressInUse => Error::NameTaken { name: name.clone() },
                _ => error.into(),
            })?;
            ProcessId::set_own_name(&name);
            Ok(Self { correspondent, running: Arc::new(running) })
        })
    }

    /// Where it can be reached.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        self.running.addresses()
    }
}

/// Finds processes by their names.
fn dial() -> Dial {
    Box::new(|name, within| {
        Box::pin(async move {
            let mut connecting = crate::connect::<dyn Door>(&name);
            if let Some(within) = within {
                connecting = connecting.within(within);
            }
            let found: Result<_> = Ok(connecting.await?);
            found
        })
    })
}

impl Deref for Process {
    type Target = Correspondent;

    fn deref(&self) -> &Correspondent {
        &self.correspondent
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Process").field(&self.correspondent).finish()
    }
}
