//! What a model does wrong on purpose, so that it must fail.

/// What is left out or in the wrong order. All false: the protocol.
#[derive(Clone, Copy, Default)]
pub(crate) struct Mutant {
    /// The wire is armed without a look at what is there already: arming after the last check.
    pub(crate) arms_blindly: bool,
    /// A task that goes to sleep does not arm the wire.
    pub(crate) sleeps_disarmed: bool,
    /// A task that goes to sleep while the background task is at work does not tell it.
    pub(crate) sleeps_unseen: bool,
    /// A task that goes to sleep has looked for its result before it left its waker, and not again.
    pub(crate) checks_first: bool,
    /// A task that has stopped spinning is counted as a receiver until it sleeps.
    pub(crate) spins_too_long: bool,
    /// A holder that leaves frames behind does not say so.
    pub(crate) hides_the_rest: bool,
    /// A thread that has received for others leaves the wire silent.
    pub(crate) leaves_silence: bool,
    /// A thread that has received leaves as if nobody else waited.
    pub(crate) leaves_others: bool,
    /// A thread that leaves as the last one does not see that it was missed.
    pub(crate) leaves_blindly: bool,
    /// The background task does not look again after a while.
    pub(crate) no_timer: bool,
    /// The background task forgets, after its work, what it was told during it.
    pub(crate) forgets: bool,
}
