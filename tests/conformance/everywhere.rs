//! Runs a test wherever a wire can be lost and made anew.

use crate::place::{Place, one_thread, several_threads};

/// The places at which a wire can be lost and made anew.
pub(crate) const DIALLED: &[Place] = &[
    Place::Inproc,
    Place::Unix,
    #[cfg(target_os = "linux")]
    Place::Shm,
    Place::Tcp,
];

/// Runs a test at each of them and on each kind of runtime.
pub(crate) fn everywhere<F: Future<Output = ()>>(test: impl Fn(Place) -> F) {
    for place in DIALLED.iter().copied() {
        one_thread(test(place));
        several_threads(test(place));
    }
}
