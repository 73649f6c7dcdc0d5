//! Export 0 of an endpoint: finds a service by its name, and compares what the two builds know of its interface.

use crate::{
    codec::{Budget, Decoder, Encoder},
    driver::{Opened, Reply},
    error::{Error, ErrorKind, Executed},
    id::{MethodId, ObjectId},
    interface::{Description, Method, Mode, Timeout},
    skeleton::{Local, Object, Request, Task},
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

/// The methods that the two builds know differently.
#[derive(Debug)]
pub(crate) struct Differences {
    refused: Vec<(MethodId, Error)>,
}

impl Differences {
    /// Compares this build's `interface` with the peer's methods.
    fn between(interface: &'static Description, theirs: &[(String, String)]) -> Self {
        let refused = interface.methods.iter().filter_map(|method| {
            let found = theirs.iter().find(|(name, _)| name == method.name);
            let error = match found {
                Some((_, signature)) if signature == method.signature => return None,
                Some((_, signature)) => mismatch(interface, method, signature),
                None => missing(interface, method, theirs),
            };
            Some((method.id, error))
        });
        Self { refused: refused.collect() }
    }

    /// Refuses a method that the peer does not know as this build does.
    pub(crate) fn check(&self, method: &Method) -> Result<(), Error> {
        match self.refused.iter().find(|(id, _)| *id == method.id) {
            Some((_, error)) => Err(error.clone()),
            None => Ok(()),
        }
    }
}

fn mismatch(interface: &Description, method: &Method, theirs: &str) -> Error {
    let text = format!(
        "`{}::{}` is `{}` in this build and `{theirs}` on the other side: build both from the same trait, or give the new method \
         another name",
        interface.name, method.name, method.signature
    );
    Error::of(ErrorKind::SignatureMismatch, text)
}

fn missing(interface: &Description, method: &Method, theirs: &[(String, String)]) -> Error {
    let ours: Vec<_> = interface.methods.iter().map(|method| method.name).collect();
    let theirs: Vec<_> = theirs.iter().map(|(name, _)| name.as_str()).collect();
    let text = format!(
        "`{}` on the other side has no method `{}`, its build is older or newer: it has {}; this build has {}",
        interface.name,
        method.name,
        theirs.join(", "),
        ours.join(", ")
    );
    Error::of(ErrorKind::Unimplemented, text)
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
    let methods = bound.methods.as_deref();
    Ok((object, methods.map(|theirs| Arc::new(Differences::between(wanted.interface, theirs)))))
}

/// The services of an endpoint.
#[derive(Debug)]
pub(crate) struct Registry {
    services: Vec<(String, Local)>,
}

impl Registry {
    pub(crate) fn host(services: Vec<(String, Local)>) -> Local {
        Local::new(Arc::new(Self { services }))
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
        let own = |method: &Method| (method.name.to_owned(), method.signature.to_owned());
        let same = description.fingerprint() == fingerprint;
        let methods = (!same).then(|| description.methods.iter().map(own).collect());
        Ok(Bound { slot: id.slot, generation: id.generation, methods })
    }
}

impl Object for Registry {
    fn description(&self) -> &'static Description {
        &ROOT
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
