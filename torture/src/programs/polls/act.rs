//! The futures that are dropped: one act each, which makes one, has it polled, and holds it against what is promised of it.

use super::{
    calls,
    cut::{Cut, End},
    letters, places,
    stage::Stage,
    streams,
};
use anyhow::Result;
use std::pin::Pin;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One kind of future.
pub(super) struct Act {
    pub(super) name: &'static str,
    /// It is ready at last. The others wait for what does not come.
    pub(super) ends: bool,
    pub(super) run: for<'a> fn(&'a Stage, Cut) -> BoxFuture<'a, Result<End>>,
}

/// The acts of these functions.
macro_rules! acts {
    ($($module:ident :: $name:ident: $ends:literal,)*) => {
        [$(Act {
            name: stringify!($name),
            ends: $ends,
            run: |stage, cut| Box::pin($module::$name(stage, cut)),
        },)*]
    };
}

/// All of them.
pub(super) const ACTS: [Act; 37] = acts![
    calls::quick: true,
    calls::slow: true,
    calls::endless: false,
    calls::stubborn: true,
    calls::large: true,
    calls::lent: true,
    calls::returned: true,
    calls::passed: true,
    calls::ahead: true,
    calls::closed: false,
    streams::recv: true,
    streams::send: true,
    streams::unreceived: false,
    streams::changed: true,
    streams::once: true,
    places::connect: true,
    places::start: true,
    places::serve: false,
    places::shutdown: true,
    places::failed: false,
    places::lookup: true,
    places::bind: true,
    places::watch: true,
    places::announce: true,
    places::resolve: true,
    letters::post: true,
    letters::crowded: false,
    letters::send_all: true,
    letters::take: true,
    letters::empty: false,
    letters::patience: true,
    letters::now: true,
    letters::letters: true,
    letters::values: true,
    letters::receipt: true,
    letters::attach: true,
    letters::open: true,
];
