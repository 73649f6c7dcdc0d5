//! What a frame means to the driver.

use crate::{
    error::{Error, Executed},
    frame::Trace,
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
    /// A call to start.
    Call(IncomingCall<S>),
    /// A call of mine came back with the servant's value.
    Ok(CallId, Values),
    /// A call of mine came back with the servant's error.
    App(CallId, Values),
    /// A call of mine failed.
    Failed(CallId, Error),
    /// The caller has given up a call that I serve.
    Cancel(CallId),
    /// The last reference to this object of mine is gone.
    Released(S),
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
    /// The object.
    pub target: S,
    /// The number of the object.
    pub object: ObjectId,
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
    /// Where its arguments are.
    pub arguments: Values,
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
