//! The bars of the slowest calls: light ones beside heavy ones. Nothing is bound there, so that the heavy ones may leave
//! one of two cores to the light ones.

use super::filter::Filter;
use super::{Bar, Limit};
use crate::placement::Placement;
use crate::report::Report;
use crate::row::Transport;
use crate::units;
use crate::work::Work;

const OURS: &[&str] = &["farcall-workers"];

/// The heavy ones must not hold up the light ones.
pub fn all(report: &Report, bars: &mut Vec<Bar>) {
    for transport in [Transport::Shm, Transport::Unix, Transport::Tcp] {
        let [beside, alone] = [Work::Beside, Work::Light]
            .map(|work| Filter::new(work).over(transport).at(Placement::Free).of(OURS));
        let slow = |filter: Filter| filter.quickest(report).map(|cell| (cell, cell.p99()));
        bars.push(Bar::ratio(
            format!("{beside}, p99 to that of light alone"),
            Limit::RatioAtMost(2.0),
            slow(beside),
            slow(alone),
            units::duration,
        ));
    }
}
