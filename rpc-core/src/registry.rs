//! Export 0 of an endpoint: finds a service by its name, and compares what the two builds know of its interface.

use crate::{
    codec::{Budget, Decoder, Encoder},
    described::Differences,
    driver::{Opened, Reply},
    error::{Error, ErrorKind, Executed},
    id::{MethodId, ObjectId},
    interface::{Description, Method, Mode, Timeout},
    skeleton::{Home, Local, Object, Request, Task},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The one method of export 0.
pub(crate) static LOOKUP: Method = Method {
    id: MethodId::of("lookup"),
    name: "lookup",
    signature: "(&str, &str, u64) -> Result<Bound, Error>",
    docs: "Finds a service by its name and its interface.",
    mode: Mode {
        oneway: false,
        idempotent: true,
        no_cancel: false,
        unordered: false,
        exclusive: false,
        returns_object: false,
    },
    timeout: Timeout::Default,
};

static ROOT: Description = Description {
    name: "Root",
    docs: "Export 0 of every endpoint.",
    methods: &[Method { ..LOOKUP }],
    type_arguments: &[],
};

/// What `lookup` answers.
#[derive(Serialize, Deserialize, Debug)]
struct Bound {
    slot: u32,
    generation: u16,
    /// Name and signature of each method, unless the two builds know the same.
    methods: Option<Vec<(String, String)>>,
}

/// What a client looks up.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The service; none: the endpoint's first.
    pub service: Option<String>,
    /// The interface.
    pub interface: &'static Description,
    /// The endpoint, for people.
    pub address: String,
}

impl Wanted {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut encoder = Encoder::new();
        encoder.str(self.service.as_deref().unwrap_or_default());
        encoder.str(&self.interface.full_name());
        encoder.value(&self.interface.fingerprint())?;
        out.extend_from_slice(&encoder.finish().0);
        Ok(())
    }
}

/// Reads what `lookup` answered.
pub(crate) fn read_reply(
    reply: Reply,
    wanted: &Wanted,
) -> Result<(ObjectId, Option<Arc<Differences>>), Error> {
    let Opened { values, start, .. } = match reply {
        Reply::Ok(body) => body.open(),
        Reply::App(..) => {
            return Err(Error::of(
                ErrorKind::Protocol,
                "the peer's `lookup` failed in its own way",
            ));
        }
        Reply::Failed(error) => {
            let text = format!("{} ({})", error.text(), wanted.address);
            return Err(Error::of(error.kind(), text).executed_as(error.executed()));
        }
    };
    let budget = Budget { bytes: 1 << 20, depth: 8 };
    let mut decoder = Decoder::new(values.get(start..).unwrap_or_default(), budget);
    let bound: Bound = decoder.owned()?;
    decoder.end()?;
    let object = ObjectId { slot: bound.slot, generation: bound.generation };
    let differences = bound.methods.map(|theirs| {
        let theirs: Vec<_> = theirs.iter().map(|(name, text)| (&**name, &**text)).collect();
        Arc::new(Differences::between(wanted.interface, &theirs))
    });
    Ok((object, differences))
}

/// The services of an endpoint.
#[derive(Debug)]
pub(crate) struct Registry {
    services: Vec<(String, Local)>,
    home: Home,
}

impl Registry {
    pub(crate) fn host(services: Vec<(String, Local)>) -> Local {
        Local::new(Arc::new(Self { services, home: Home::default() }))
    }

    fn find(&self, service: &str, interface: &str) -> Result<&Local, Error> {
        let named = self.services.iter().find(|(name, _)| service.is_empty() || name == service);
        let (name, object) = named.ok_or_else(|| self.no_service(service))?;
        let found = object.description().full_name();
        if found == interface {
            return Ok(object);
        }
        let text = format!(
            "the service `{name}` has the interface `{found}` and not `{interface}`: connect with `dyn {found}`, or write another service after `#`"
        );
        Err(Error::of(ErrorKind::WrongInterface, text))
    }

    fn no_service(&self, service: &str) -> Error {
        let names: Vec<_> = self.services.iter().map(|(name, _)| format!("`{name}`")).collect();
        let text = match names.as_slice() {
            [] => "the endpoint exports no service: export one before it listens".to_owned(),
            names => format!(
                "there is no service `{service}`, there is {}: write its name after `#` in the address, or export it",
                names.join(", ")
            ),
        };
        Error::of(ErrorKind::NoSuchService, text)
    }

    fn answer(&self, request: &Request) -> Result<Bound, Error> {
        let mut arguments = request.arguments();
        let (service, interface) = (arguments.str()?, arguments.str()?);
        let fingerprint: u64 = arguments.owned()?;
        arguments.end()?;
        let object = self.find(service, interface)?;
        let id = request.link().lend(object)?;
        let description = object.description();
        let same = description.fingerprint() == fingerprint;
        let methods = (!same).then(|| description.signatures());
        Ok(Bound { slot: id.slot, generation: id.generation, methods })
    }
}

impl Object for Registry {
    fn description(&self) -> &'static Description {
        &ROOT
    }

    fn home(&self) -> &Home {
        &self.home
    }

    fn start(self: Arc<Self>, method: MethodId, request: Request, _task: &mut Task) {
        if method != LOOKUP.id {
            return request.unknown(method, &ROOT);
        }
        match self.answer(&request) {
            Ok(bound) => request.reply::<Bound, Error>(Ok(bound)),
            Err(error) => request.refuse(error.executed_as(Executed::No)),
        }
    }
}
