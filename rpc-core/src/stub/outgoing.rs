//! One outgoing call while its arguments are encoded.

use super::{
    Brought, Call, Options, Parcel, Remote, ahead::Ahead, bulk::Bulk, call::Flight, handle::Handle,
};
use crate::{
    buffer::Buffer,
    codec::Encoder,
    context,
    driver::{Apart, Carried, Deadline, Encoded, Order},
    error::Error,
    host,
    interface::{Description, Interface, Method, Timeout},
    payload::may_hold,
    tail::Tail,
};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;

/// One outgoing call while its arguments are encoded. Generated code makes it, fills it and sends it.
#[derive(Debug)]
pub struct Outgoing<'a> {
    handle: &'a Arc<Handle>,
    options: &'a Options,
    interface: &'static Description,
    method: &'static Method,
    encoder: Encoder,
    /// The payloads and references of the arguments, in the order of their indices.
    parcel: Parcel,
    /// The arguments up to the first large one, if that found memory of the wire.
    bulk: Option<Box<Bulk>>,
    /// It belongs to a stream.
    apart: Option<Apart>,
    failed: Option<Error>,
}

impl<'a> Outgoing<'a> {
    /// Begins a call.
    #[must_use]
    pub fn new<I: Interface + ?Sized>(remote: &'a Remote<I>, method: &'static Method) -> Self {
        Self::on::<I>(&remote.handle, &remote.options, method)
    }

    /// Begins a call on what another call will return.
    #[must_use]
    pub fn ahead<I: Interface + ?Sized, E>(
        call: &'a Call<Remote<I>, E>,
        method: &'static Method,
    ) -> Self {
        let (handle, options) = call.ahead();
        Self::on::<I>(handle, options, method)
    }

    fn on<I: Interface + ?Sized>(
        handle: &'a Arc<Handle>,
        options: &'a Options,
        method: &'static Method,
    ) -> Self {
        Self {
            handle,
            options,
            interface: I::DESCRIPTION,
            method,
            encoder: Encoder::new(),
            parcel: Parcel::default(),
            bulk: None,
            apart: None,
            failed: None,
        }
    }

    /// An argument that is not a bulk one, by reference.
    pub fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        let encoder = &mut self.encoder;
        let encoded = match std::mem::needs_drop::<T>() {
            true => self.parcel.collect(|| encoder.value(value)),
            false => encoder.value(value),
        };
        if let Err(error) = encoded {
            self.failed.get_or_insert(error);
        }
    }

    /// An argument of type `&[u8]`.
    pub fn bytes(&mut self, bytes: &[u8]) {
        if bytes.len() < Bulk::LEAST || !self.begin_bulk(bytes) {
            self.encoder.bytes(bytes);
        }
    }

    /// An argument of type `&str`.
    pub fn str(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// An argument passed by value. `Vec<u8>`, `String` and `Bytes` are moved or copied whole.
    pub fn owned<T: Serialize + 'static>(&mut self, value: T) {
        let encoder = &mut self.encoder;
        let encoded = match may_hold::<T>() {
            true => self.parcel.collect(|| encoder.owned(value)),
            false => encoder.owned(value),
        };
        if let Err(error) = encoded {
            self.failed.get_or_insert(error);
        }
    }

    /// Writes over the first bytes of the first argument, which has at least as many.
    pub(crate) fn overwrite(&mut self, bytes: [u8; 4]) {
        self.encoder.overwrite(bytes);
    }

    /// Bytes of the arguments so far.
    pub(crate) fn length(&self) -> usize {
        self.encoder.written()
    }

    /// The arguments, if they have more than so many bytes and nothing travels beside them: then the call cannot be made any more.
    pub(crate) fn take_large(&mut self, bytes: usize) -> Option<(Buffer, Option<Tail>)> {
        let is_plain = self.parcel.is_empty() && self.failed.is_none();
        (is_plain && self.encoder.written() > bytes)
            .then(|| std::mem::take(&mut self.encoder).finish())
    }

    /// Makes room for so many bytes of arguments, before the first.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.encoder = Encoder::with_capacity(bytes);
    }

    /// Whether less than so many bytes are written, and nothing travels beside: what else may do so is known only when it is encoded.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.encoder.written() < bytes && self.parcel.is_empty()
    }

    /// Makes it part of a stream.
    pub(crate) fn set_apart(&mut self, apart: Apart) {
        self.apart = Some(apart);
    }

    /// Copies a large argument, and those before it, straight to where the peer reads them. False if it was not done.
    fn begin_bulk(&mut self, bytes: &[u8]) -> bool {
        let Some(link) = self.handle.far().filter(|_| self.bulk.is_none()) else { return false };
        let bulk = Bulk::begin(&mut self.encoder, bytes, |length| link.room_for_copy(length));
        self.bulk = bulk.map(Box::new);
        self.bulk.is_some()
    }

    /// Sends the call.
    pub fn send<T, E>(self) -> Call<T, E>
    where
        T: DeserializeOwned + 'static,
        E: DeserializeOwned + From<Error> + 'static,
    {
        let (method, options) = (self.method, self.options);
        let flight = self.begin();
        Call::new(match method.mode.returns_object {
            true => flight.with(Ahead::new(method, options)),
            false => flight,
        })
    }

    fn begin(self) -> Flight {
        if let Some(error) = self.failed {
            return Flight::failed(error);
        }
        if let Err(error) = self.handle.check(self.interface, self.method) {
            return Flight::failed(error);
        }
        let link = match self.handle.link() {
            Ok(link) => link,
            Err(error) => return Flight::failed(error.clone()),
        };
        let (mut head, mut tail) = self.encoder.finish();
        let block = self.bulk.and_then(|bulk| bulk.finish(&mut head, &mut tail));
        let encoded = Encoded { head: &mut head, tail: &mut tail, block };
        let payloads = match link.enclose(self.parcel, encoded) {
            Ok(payloads) => payloads,
            Err(error) => return Flight::failed(error),
        };
        let timeout = match (self.options.timeout, self.method.timeout) {
            (Some(timeout), _) | (None, Timeout::After(timeout)) => Some(timeout),
            (None, Timeout::Never) => None,
            (None, Timeout::Default) => Some(link.default_deadline()),
        };
        let mut order = Order::new(self.handle.target(), self.method, head);
        order.idempotent |= self.options.idempotent;
        order.deadline = timeout.map_or(Deadline::Never, Deadline::After);
        order.carried.clone_from(&self.options.carried);
        (order.tail, order.payloads, order.apart) = (tail, payloads, self.apart);
        if order.apart.is_none() {
            context::with(|context| {
                if let Some(context) = context {
                    inherit(&mut order, context);
                }
            });
        }
        tracing::trace!(target: "farcall::call", method = self.method.name, "call");
        match link.call(order, self.handle) {
            Ok(call) => Flight::begun(Arc::clone(self.handle), call),
            Err(error) => Flight::failed(error),
        }
    }
}

/// Passes a call on that this process serves: its arguments as they came, with what came beside them. The deadline, the chain, the trace
/// and the metadata are those of the call that is being served.
pub(crate) fn pass_on(
    handle: &Arc<Handle>,
    method: &'static Method,
    values: &[u8],
    brought: Brought,
) -> Flight {
    let link = match handle.link() {
        Ok(link) => link,
        Err(error) => return Flight::failed(error.clone()),
    };
    let (mut head, mut tail) = (Buffer::with_capacity(values.len()), None);
    head.extend_from_slice(values);
    let encoded = Encoded { head: &mut head, tail: &mut tail, block: None };
    let payloads = match link.enclose(brought.pass_on(), encoded) {
        Ok(payloads) => payloads,
        Err(error) => return Flight::failed(error),
    };
    let mut order = Order::new(handle.target(), method, head);
    (order.tail, order.payloads) = (tail, payloads);
    context::with(|context| {
        let Some(context) = context else { return };
        order.carried = context
            .metadata
            .as_ref()
            .map(|metadata| Arc::new(Carried { trace: None, metadata: Arc::clone(metadata) }));
        inherit(&mut order, context);
    });
    match link.call(order, handle) {
        Ok(call) => Flight::begun(Arc::clone(handle), call),
        Err(error) => Flight::failed(error),
    }
}

/// A call made while serving one ends no later, and belongs to the same chain and trace.
fn inherit(order: &mut Order, context: &context::Context) {
    order.deadline = order.deadline.or_at(context.deadline);
    order.chain = Some(host::deeper(context.chain));
    if let Some(trace) = &context.trace
        && order.carried.as_ref().is_none_or(|own| own.trace.is_none())
    {
        let own = order.carried.as_deref().cloned().unwrap_or_default();
        order.carried = Some(Arc::new(Carried { trace: Some(**trace), ..own }));
    }
}
