//! What a frame means to the driver.

use crate::{
    error::{Error, Executed},
    frame::{Target, Trace},
    id::{CallId, MethodId, ObjectId},
};
use std::{ops::Range, time::Instant};

/// What a frame means. Positions are offsets into the frame.
#[derive(Clone, PartialEq, Debug)]
pub enum Event<S> {
    /// Nothing to do.
    None,
    /// The peer's Hello: calls can flow.
    Connected,
    /// A call to start, and the object.
    Call(S, IncomingCall<S>),
    /// A call on the object that this other call returns, which runs.
    Pipelined(CallId, IncomingCall<S>),
    /// A call of mine came back with the servant's value.
    Ok(CallId, Contents<S>),
    /// A call of mine came back with the servant's error.
    App(CallId, Contents<S>),
    /// A call of mine failed.
    Failed(CallId, Error),
    /// The caller has given up a call that I serve.
    Cancel(CallId),
    /// The last reference to this object of mine is gone, or an answer that was it is not needed any more.
    Released(Vec<S>),
    /// This object of the peer's is dead.
    Broken(ObjectId, Error),
    /// The peer describes the next of its interfaces, from this offset on.
    Interface(usize),
    /// The peer takes no more calls.
    Refused,
    /// The peer ended the connection.
    Aborted(Error),
}

/// A call to start.
#[derive(Clone, PartialEq, Debug)]
pub struct IncomingCall<S> {
    /// Its number; none for a one-way call.
    pub call: Option<CallId>,
    /// What it is made on, in the caller's words.
    pub target: Target,
    /// The method.
    pub method: MethodId,
    /// When its caller stops waiting.
    pub deadline: Option<Instant>,
    /// The chain of calls it belongs to.
    pub chain: Option<u64>,
    /// The trace it belongs to.
    pub trace: Option<Box<Trace>>,
    /// Where its metadata is.
    pub metadata: Range<usize>,
    /// Its arguments.
    pub arguments: Contents<S>,
}

/// What a call or a return brought.
#[derive(Clone, PartialEq, Debug)]
pub struct Contents<S> {
    /// Where the values are.
    pub values: Values,
    /// The references, in the order of their indices.
    pub references: Vec<Reference<S>>,
}

impl<S> Default for Contents<S> {
    fn default() -> Self {
        Self { values: Values::default(), references: Vec::new() }
    }
}

/// A reference that came with a frame, as it is for its receiver.
#[derive(Clone, PartialEq, Debug)]
pub enum Reference<S> {
    /// It leads nowhere.
    Broken(Error),
    /// An object of the peer's, with the place of its interface among those that the peer has described.
    Borrowed(ObjectId, u32),
    /// An object of mine comes home.
    Home(S),
    /// What this call of the peer's will return, which I still serve.
    Answer(CallId),
}

/// Where the values of a frame are. Behind them are the payloads that are inline.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Values {
    /// Where the table of payloads starts; it ends where the values start.
    pub table: usize,
    /// Where the values start.
    pub start: usize,
    /// They are not in the frame, but in the last payload beside it.
    pub beside: bool,
}

/// A call of mine that failed without an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unsent {
    /// The call.
    pub call: CallId,
    /// Whether it may have run.
    pub executed: Executed,
}
