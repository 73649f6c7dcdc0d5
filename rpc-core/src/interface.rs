//! What the macro says about an interface: its name, its methods, and how a servant is hosted behind it.

use crate::{
    id::MethodId,
    skeleton::{Local, Request, Task},
};
use std::{sync::Arc, time::Duration};

/// A trait under `#[remote]`. Implemented by the macro for `dyn Trait`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an interface",
    note = "write `#[farcall::remote]` above the trait, and name it as `dyn Trait`"
)]
pub trait Interface: 'static {
    /// Everything known of the interface at run time.
    const DESCRIPTION: &'static Description;
}

/// That `dyn Trait` can be served by a `T`. Implemented by the macro for every `T: Trait`.
#[diagnostic::on_unimplemented(
    message = "`{T}` does not implement the interface `{Self}`",
    label = "implement the trait for `{T}`"
)]
pub trait Hosts<T>: Interface {
    /// Makes `servant` reachable by calls.
    fn host(servant: T) -> Local;
}

/// That a `T` can serve `dyn Trait` while it is shared. Implemented by the macro for interfaces without `&mut self`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has `&mut self` methods, so its servant cannot be shared",
    note = "use `Remote::new(servant)`, which gives the servant to its object"
)]
pub trait HostsShared<T>: Hosts<T> {
    /// Makes `servant` reachable by calls.
    fn host_shared(servant: Arc<T>) -> Local;
}

/// That a function of type `F` can serve `dyn Trait`. Implemented by the macro for interfaces of one method.
#[diagnostic::on_unimplemented(
    message = "one function cannot serve `{Self}`",
    label = "`from_fn` is for interfaces of one method, all of whose arguments can be owned",
    note = "implement the trait for a type of yours, and use `Remote::new`"
)]
pub trait HostsFunction<F>: Interface {
    /// Makes `function` reachable by calls.
    fn host_function(function: F) -> Local;
}

/// Starts one call on a shared servant: decodes, and gives the rest to `task`. Generated.
pub type StartShared<T> = fn(crate::skeleton::Common<T>, MethodId, Request, &mut Task);

/// Starts one call on a servant that serves one call at a time. Generated.
pub type StartExclusive<T> = fn(crate::skeleton::Exclusive<T>, MethodId, Request, &mut Task);

/// An interface at run time.
#[derive(Debug)]
pub struct Description {
    /// Its name on the wire: the trait's, unless `#[remote(name = "..")]` says otherwise.
    pub name: &'static str,
    /// The trait's doc comment.
    pub docs: &'static str,
    /// Its methods, in the trait's order.
    pub methods: &'static [Method],
    /// The `type_name` of each argument of a generic trait.
    pub type_arguments: &'static [fn() -> &'static str],
}

/// A method at run time.
#[derive(Debug)]
pub struct Method {
    /// The hash of its name on the wire.
    pub id: MethodId,
    /// Its name on the wire.
    pub name: &'static str,
    /// The types of its arguments and of its result, as written: `(&str, u64) -> Result<Vec<u8>, E>`.
    pub signature: &'static str,
    /// Its doc comment.
    pub docs: &'static str,
    /// How it may be called.
    pub mode: Mode,
    /// Its deadline, where the trait names one.
    pub timeout: Timeout,
}

/// The deadline of a method's calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timeout {
    /// The endpoint's: [`Limits::deadline`](crate::limits::Limits::deadline).
    Default,
    /// None: `#[remote(timeout = none)]`.
    Never,
    /// This long: `#[remote(timeout = "60s")]`.
    After(Duration),
}

/// What a method's attributes say. All `false` by default.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Mode {
    /// `oneway`: the caller gets no reply.
    pub oneway: bool,
    /// `idempotent`: it may run twice.
    pub idempotent: bool,
    /// `no_cancel`: it runs to its end even if the caller has gone.
    pub no_cancel: bool,
    /// `unordered`: once it has proved slow it may start after calls that came later.
    pub unordered: bool,
    /// `&mut self`: it runs alone.
    pub exclusive: bool,
    /// It returns a `Remote`: calls can be made on what it returns before that is known.
    pub returns_object: bool,
}

impl Mode {
    /// As it is described to a peer.
    pub(crate) fn bits(self) -> u8 {
        let all = [
            self.oneway,
            self.idempotent,
            self.no_cancel,
            self.unordered,
            self.exclusive,
            self.returns_object,
        ];
        all.iter().enumerate().fold(0, |bits, (at, set)| bits | u8::from(*set) << at)
    }

    /// As a peer has described it.
    pub(crate) fn of_bits(bits: u8) -> Self {
        let has = |at: u8| bits & 1 << at != 0;
        Self {
            oneway: has(0),
            idempotent: has(1),
            no_cancel: has(2),
            unordered: has(3),
            exclusive: has(4),
            returns_object: has(5),
        }
    }

    /// Its calls run to their end, whatever becomes of the caller.
    pub(crate) fn runs_out(self) -> bool {
        self.no_cancel || self.exclusive
    }
}

impl Description {
    /// Calls on the object run one at a time: some method takes `&mut self`.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        self.methods.iter().any(|method| method.mode.exclusive)
    }

    /// The method with this id.
    #[must_use]
    pub fn method(&self, id: MethodId) -> Option<&'static Method> {
        self.methods.iter().find(|method| method.id == id)
    }

    /// Name and signature of each method.
    pub(crate) fn signatures(&self) -> Vec<(String, String)> {
        let own = |method: &Method| (method.name.to_owned(), method.signature.to_owned());
        self.methods.iter().map(own).collect()
    }

    /// The name with the arguments of a generic trait: `Store<String, u64>`.
    #[must_use]
    pub fn full_name(&self) -> String {
        if self.type_arguments.is_empty() {
            return self.name.to_owned();
        }
        let arguments: Vec<_> = self.type_arguments.iter().map(|name| name()).collect();
        format!("{}<{}>", self.name, arguments.join(", "))
    }

    /// A hash of everything two builds must agree on: each method's name and signature, whatever their order, and the type arguments.
    /// 64-bit FNV-1a of each line, summed.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let line = |text: &[&str]| {
            let bytes = text.iter().flat_map(|part| part.bytes().chain([0]));
            bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
        };
        let methods = self.methods.iter().map(|method| line(&[method.name, method.signature]));
        let own = line(&[&self.full_name()]);
        methods.fold(own, u64::wrapping_add)
    }
}
