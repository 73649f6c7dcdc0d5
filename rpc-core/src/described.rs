//! An interface as the peer describes it, and how it differs from what this build knows.

use crate::{
    codec::{Budget, Decoder, Encoder},
    error::{Error, ErrorKind},
    id::MethodId,
    interface::{Description, Method, Mode, Timeout},
    skeleton::UNKNOWN,
};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What the decoding of a description may cost.
const BUDGET: Budget = Budget { bytes: 1 << 20, depth: 8 };

/// An interface as the peer describes it.
#[derive(Debug)]
pub(crate) struct Described {
    name: String,
    fingerprint: u64,
    /// Name and signature of each method, and the bits of its mode.
    methods: Vec<(String, String, u8)>,
    /// What was found out of interfaces of this build.
    compared: Mutex<Vec<(&'static Description, Compared)>>,
    learnt: OnceLock<Option<&'static Description>>,
}

/// None: the two builds know the same.
type Compared = Result<Option<Arc<Differences>>, Error>;

impl Described {
    /// Describes an interface to the peer.
    pub(crate) fn encode(interface: &Description, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut encoder = Encoder::new();
        encoder.str(&interface.full_name());
        encoder.value(&interface.fingerprint())?;
        let methods = interface.methods.iter();
        let methods = methods.map(|method| (method.name, method.signature, method.mode.bits()));
        encoder.value(&methods.collect::<Vec<_>>())?;
        let (head, tail) = encoder.finish();
        out.extend_from_slice(&head);
        out.extend_from_slice(tail.as_deref().unwrap_or_default());
        Ok(())
    }

    /// Reads what the peer has written.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut decoder = Decoder::new(bytes, BUDGET);
        let (name, fingerprint, methods) = (decoder.owned()?, decoder.owned()?, decoder.owned()?);
        decoder.end()?;
        let (compared, learnt) = (Mutex::default(), OnceLock::new());
        Ok(Self { name, fingerprint, methods, compared, learnt })
    }

    /// What the peer calls it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether an object with this interface can be had as one with `interface`, and what the two builds know differently.
    pub(crate) fn compare(&self, interface: &'static Description) -> Compared {
        let mut compared = self.compared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = compared.iter().find(|(of, _)| std::ptr::eq(*of, interface)) {
            return found.clone();
        }
        let found = self.compare_anew(interface);
        compared.push((interface, found.clone()));
        found
    }

    fn compare_anew(&self, interface: &'static Description) -> Compared {
        let name = interface.full_name();
        if self.name == UNKNOWN.name && self.methods.is_empty() {
            return Ok(None);
        }
        if self.name != name {
            return Err(wrong_interface(&self.name, &name));
        }
        if self.fingerprint == interface.fingerprint() {
            return Ok(None);
        }
        let theirs = self.methods.iter().map(|(name, signature, _)| (&**name, &**signature));
        Ok(Some(Arc::new(Differences::between(interface, &theirs.collect::<Vec<_>>()))))
    }

    /// The interface as this process can pass it on, though no build of it may know the trait. None if it has learnt too many.
    pub(crate) fn learnt(&self) -> Option<&'static Description> {
        *self.learnt.get_or_init(|| learn(self))
    }
}

/// Interfaces that a process learns from its peers and keeps, for passing on objects whose trait it does not know.
const LEARNT: usize = 4096;
/// Bytes of their texts.
const LEARNT_BYTES: usize = 16 << 20;

/// What was learnt so far, and its bytes. Descriptions live as long as the process.
static LESSONS: Mutex<(Vec<&'static Description>, usize)> = Mutex::new((Vec::new(), 0));

fn learn(described: &Described) -> Option<&'static Description> {
    let mut lessons = LESSONS.lock().unwrap_or_else(PoisonError::into_inner);
    let (known, bytes) = &mut *lessons;
    if let Some(found) = known.iter().find(|known| described.is_same(known)) {
        return Some(found);
    }
    let methods = described.methods.iter();
    let size: usize = methods.map(|(name, text, _)| name.len() + text.len()).sum();
    let size = size + described.name.len();
    if known.len() >= LEARNT || *bytes + size > LEARNT_BYTES {
        return None;
    }
    let method = |(name, signature, mode): &(String, String, u8)| Method {
        id: MethodId::of(name),
        name: name.clone().leak(),
        signature: signature.clone().leak(),
        docs: "",
        mode: Mode::of_bits(*mode),
        timeout: Timeout::Never,
    };
    let methods: Vec<_> = described.methods.iter().map(method).collect();
    let description: &'static Description = Box::leak(Box::new(Description {
        name: described.name.clone().leak(),
        docs: "",
        methods: methods.leak(),
        type_arguments: &[],
    }));
    known.push(description);
    *bytes += size;
    Some(description)
}

impl Described {
    fn is_same(&self, known: &Description) -> bool {
        let same = |(ours, theirs): (&(String, String, u8), &Method)| {
            (&*ours.0, &*ours.1, ours.2) == (theirs.name, theirs.signature, theirs.mode.bits())
        };
        self.name == known.name
            && self.methods.len() == known.methods.len()
            && self.methods.iter().zip(known.methods).all(same)
    }
}

/// A reference does not lead to an object of the interface that is wanted.
pub(crate) fn wrong_interface(found: &str, wanted: &str) -> Error {
    let text = format!(
        "a reference to a `{found}` came where one to a `{wanted}` is expected: the two sides disagree about the type there"
    );
    Error::of(ErrorKind::WrongInterface, text)
}

/// The methods that the two builds know differently.
#[derive(Debug)]
pub(crate) struct Differences {
    refused: Vec<(MethodId, Error)>,
}

impl Differences {
    /// Compares this build's `interface` with the peer's methods.
    pub(crate) fn between(interface: &'static Description, theirs: &[(&str, &str)]) -> Self {
        let refused = interface.methods.iter().filter_map(|method| {
            let found = theirs.iter().find(|(name, _)| *name == method.name);
            let error = match found {
                Some((_, signature)) if *signature == method.signature => return None,
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

fn missing(interface: &Description, method: &Method, theirs: &[(&str, &str)]) -> Error {
    let ours: Vec<_> = interface.methods.iter().map(|method| method.name).collect();
    let theirs: Vec<_> = theirs.iter().map(|(name, _)| *name).collect();
    let text = format!(
        "`{}` on the other side has no method `{}`, its build is older or newer: it has {}; this build has {}",
        interface.name,
        method.name,
        theirs.join(", "),
        ours.join(", ")
    );
    Error::of(ErrorKind::Unimplemented, text)
}
