//! From a name in a registry to a handle: looks it up, and dials the owner; again whenever the connection to that was lost.

use super::{At, Binding, Names, local};
use crate::transports::{self, is_local};
use farcall_core::{
    __private::Interface,
    address::Address,
    error::{Error, ErrorKind},
    limits::Limits,
    payload::Trusted,
    stub::{self, Connect, DialWire, Remote},
    transport::Wire,
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// The first pause between attempts, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// How long a registry may take, once somebody has connected and it is asked anew.
const PATIENCE: Duration = Duration::from_secs(5);

/// How to connect.
pub(crate) struct How {
    pub(crate) within: Duration,
    pub(crate) limits: Limits,
    pub(crate) trusted: Option<Trusted>,
}

/// Connects to the owner of a name. Tries until the name is bound, or `within` has passed.
pub(crate) async fn connect<I: Interface + ?Sized>(at: At, how: How) -> Result<Remote<I>, Error> {
    let until = Instant::now() + how.within;
    let left = || until.saturating_duration_since(Instant::now());
    let wanted = I::DESCRIPTION.full_name();
    let (names, binding) = first(&at, &wanted, until).await?;
    let usable = binding.usable();
    let Some(nearest) = usable.first() else {
        let object = names.timeout(left()).reach(&at.name).await?;
        return object.to();
    };
    let service = nearest.service().map(ToOwned::to_owned);
    let (local, address) = (is_local(nearest), format!("{at} at {nearest}"));
    let spin = at.spin;
    stub::connect(Connect {
        dial: redialler(at, wanted, service.clone()),
        address,
        service,
        local,
        spin,
        limits: how.limits.into(),
        trusted: how.trusted,
        within: left(),
    })
    .await
}

/// The registry that has the name, connected.
pub(super) async fn registry(at: &At, within: Duration) -> Result<Remote<dyn Names>, Error> {
    match &at.registry {
        Some(address) => crate::connect::<dyn Names>(&address.to_string()).within(within).await,
        None => Ok(local()),
    }
}

/// Asks until the name is bound to what is wanted.
async fn first(
    at: &At,
    wanted: &str,
    until: Instant,
) -> Result<(Remote<dyn Names>, Binding), Error> {
    let left = || until.saturating_duration_since(Instant::now());
    let names = registry(at, left()).await?;
    let mut pause = PAUSE.0;
    loop {
        match look_up(&names.timeout(left()), at, wanted).await {
            Ok(binding) => return Ok((names, binding)),
            Err(error) if error.kind() != ErrorKind::Unreachable || left() <= pause => {
                return Err(error);
            }
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(PAUSE.1);
    }
}

/// What the name is bound to, if it is what is wanted. `Unreachable`: not yet, or not at the moment.
async fn look_up(names: &Remote<dyn Names>, at: &At, wanted: &str) -> Result<Binding, Error> {
    let binding = names.lookup(&at.name).await.map_err(|error| match error.kind() {
        ErrorKind::NoSuchService | ErrorKind::Disconnected | ErrorKind::TimedOut => {
            Error::of(ErrorKind::Unreachable, format!("{} ({at})", error.text()))
        }
        _ => error,
    })?;
    if binding.interface == wanted {
        return Ok(binding);
    }
    let found = &binding.interface;
    let text = format!(
        "`{}` is bound to a `{found}` and not to a `{wanted}`: connect with `dyn {found}`, or look another name up ({at})",
        at.name
    );
    Err(Error::of(ErrorKind::WrongInterface, text))
}

/// Dials whoever owns the name by then.
fn redialler(at: At, wanted: String, service: Option<String>) -> DialWire {
    let shared = Arc::new((at, wanted, service));
    Box::new(move || {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let (at, wanted, service) = &*shared;
            dial(at, wanted, service.as_deref()).await
        })
    })
}

async fn dial(at: &At, wanted: &str, service: Option<&str>) -> Result<Wire, Error> {
    let names = registry(at, PATIENCE).await?;
    let binding = look_up(&names.timeout(PATIENCE), at, wanted).await?;
    let usable = binding.usable().into_iter().filter(|address| address.service() == service);
    let mut troubles = Vec::new();
    for address in usable {
        match connect_once(&address).await {
            Ok(wire) => return Ok(wire),
            Err(error) => troubles.push(error.text().to_owned()),
        }
    }
    let text = match troubles.as_slice() {
        [] => format!("the owner of {at} does not listen where it did: connect again"),
        troubles => format!("the owner of {at} cannot be reached: {}", troubles.join("; ")),
    };
    Err(Error::of(ErrorKind::Unreachable, text))
}

async fn connect_once(address: &Address) -> Result<Wire, Error> {
    transports::find(address)?.connect(address).await
}
