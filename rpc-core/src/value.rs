//! What may travel: asked once of each type of an interface, in words of our own. Generated code goes on as if the answer were yes.

use crate::{
    error::Error,
    skeleton::{Arguments, Request},
    stub::{Call, Outgoing, Remote},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt::Display, marker::PhantomData};

/// An argument or a result.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel to another process",
    label = "this is not `Serialize + DeserializeOwned + Send + 'static`",
    note = "write `#[derive(serde::Serialize, serde::Deserialize)]` above each type of your own in it"
)]
pub trait Value {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Value for T {}

/// The error of a method.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no place for the failure of the call itself",
    label = "this is not `From<farcall::Error>`",
    note = "write `impl From<farcall::Error> for {Self}`, or return `farcall::Result<T>`"
)]
pub trait Failure {}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> Failure for E {}

/// The result of a method, where the trait writes an alias of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Result`",
    label = "write `farcall::Result<T>`, or `Result<T, E>`"
)]
pub trait ResultOf {
    /// `T`.
    type Value;
    /// `E`.
    type Error;
}

impl<T, E> ResultOf for Result<T, E> {
    type Value = T;
    type Error = E;
}

/// Asks whether `T` may travel.
pub const fn value<T: Value>() {}

/// Asks whether a call may fail with an `E`.
pub const fn failure<E: Failure>() {}

/// How a `T` travels. Its own functions are those of types that may; where there are none, [`Refused`] has the same, so that what
/// [`value`] or [`failure`] has refused is not refused a second time.
#[derive(Debug)]
pub struct Wire<T: ?Sized>(PhantomData<T>);

impl<T: Serialize + ?Sized> Wire<T> {
    /// Encodes an argument that is lent.
    pub fn lend(call: &mut Outgoing<'_>, value: &T) {
        call.value(value);
    }
}

impl<T: Serialize + DeserializeOwned + 'static> Wire<T> {
    /// Encodes an argument.
    pub fn encode(call: &mut Outgoing<'_>, value: T) {
        call.owned(value);
    }

    /// Decodes an argument.
    ///
    /// # Errors
    /// The bytes are not those of a `T`.
    pub fn decode(arguments: &mut Arguments<'_>) -> Result<T, Error> {
        arguments.owned()
    }
}

impl<T, E> Wire<Result<T, E>>
where
    T: Serialize + DeserializeOwned + 'static,
    E: Serialize + DeserializeOwned + From<Error> + 'static,
{
    /// Sends the call.
    pub fn send(call: Outgoing<'_>) -> Call<T, E> {
        call.send()
    }

    /// Answers the call. `said` are the words of its own error, if there are some.
    pub fn reply(request: &Request, result: Result<T, E>, said: Option<String>) {
        request.reply_saying(result, said);
    }
}

/// The functions of a type that may not travel: they are compiled, but never into a program.
pub trait Refused {
    /// See [`Wire::lend`].
    fn lend<V: ?Sized>(_: &mut Outgoing<'_>, _: &V) {}

    /// See [`Wire::encode`].
    fn encode<V>(_: &mut Outgoing<'_>, _: V) {}

    /// See [`Wire::decode`].
    ///
    /// # Errors
    /// Always.
    fn decode<V>(_: &mut Arguments<'_>) -> Result<V, Error> {
        Err(Error::new("a type that cannot travel"))
    }

    /// See [`Wire::send`].
    fn send<V, F>(_: Outgoing<'_>) -> Call<V, F> {
        Call::refused()
    }

    /// See [`Wire::reply`].
    fn reply<R>(_: &Request, _: R, _: Option<String>) {}
}

impl<T: ?Sized> Refused for Wire<T> {}

/// What is peculiar to the results of methods that return an object, by their type, whatever that is called. What it has of its own goes before
/// what [`NoObject`] gives all.
#[derive(Debug)]
pub struct Returned<R>(PhantomData<R>);

impl<I: ?Sized, E> Returned<Result<Remote<I>, E>> {
    /// See [`NoObject::IS_OBJECT`].
    pub const IS_OBJECT: bool = true;
}

impl<I: ?Sized, E: Display> Returned<Result<Remote<I>, E>> {
    /// See [`NoObject::said`].
    #[must_use]
    pub fn said(result: &Result<Remote<I>, E>) -> Option<String> {
        result.as_ref().err().map(ToString::to_string)
    }
}

/// What holds of all other results.
pub trait NoObject {
    /// Whether calls can be made on it before it is there.
    const IS_OBJECT: bool = false;

    /// What the error says, for those that would have been called: in words, since their errors have other types.
    #[must_use]
    fn said<R>(_: &R) -> Option<String> {
        None
    }
}

impl<R> NoObject for Returned<R> {}
