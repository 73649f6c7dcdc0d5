//! This process and this host, as a peer needs to know them.

use crate::{
    frame::{DEPTH, Hello, VERSION},
    limits::Limits,
};
use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// What this process says of itself first.
pub(crate) fn hello(limits: &Limits) -> Hello {
    Hello {
        version: VERSION,
        features: 0,
        peer: *process_id(),
        host: *host_id(),
        processor: processor(),
        frame: u32::try_from(limits.frame).unwrap_or(u32::MAX),
        serving: u32::try_from(limits.serving).unwrap_or(u32::MAX),
    }
}

/// Whether this process and the peer can run only on one and the same processor.
pub(crate) fn shares_one_processor(peer: &Hello) -> bool {
    peer.host == *host_id() && peer.processor != 0 && peer.processor == processor()
}

/// A number that no other chain of calls has, at depth 0.
pub(crate) fn new_chain() -> u64 {
    static NEXT: OnceLock<AtomicU64> = OnceLock::new();
    let next = NEXT.get_or_init(|| AtomicU64::new(random()));
    next.fetch_add(DEPTH + 1, Ordering::Relaxed) & !DEPTH
}

/// Where a connection begins to number the chains of its calls: far from all others.
pub(crate) fn first_chain() -> u64 {
    random() & !DEPTH
}

/// The chain after `chain` of the same connection, at depth 0.
pub(crate) fn next_chain(chain: u64) -> u64 {
    chain.wrapping_add(DEPTH + 1)
}

/// The chain for calls made while serving one of `chain`: one deeper.
pub(crate) fn deeper(chain: u64) -> u64 {
    if chain & DEPTH == DEPTH { chain } else { chain + 1 }
}

/// Whether a call of `inner` was made, directly or not, while serving one of `outer`.
pub(crate) fn is_within(inner: u64, outer: u64) -> bool {
    inner & !DEPTH == outer & !DEPTH && inner & DEPTH > outer & DEPTH
}

/// Between 0 and 1.
pub(crate) fn random_fraction() -> f64 {
    f64::from((random() >> 32) as u32) / f64::from(u32::MAX)
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A number that no other process has: drawn at the first question.
pub fn process_id() -> &'static [u8; 16] {
    static ID: OnceLock<[u8; 16]> = OnceLock::new();
    ID.get_or_init(|| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&random().to_le_bytes());
        id[8..].copy_from_slice(&random().to_le_bytes());
        id
    })
}

/// This host since it was started; zeros where the system does not say.
pub fn host_id() -> &'static [u8; 16] {
    static ID: OnceLock<[u8; 16]> = OnceLock::new();
    ID.get_or_init(|| read_host_id().unwrap_or_default())
}

/// The id that Linux draws at each boot: 32 hexadecimal digits with dashes between.
fn read_host_id() -> Option<[u8; 16]> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let digits: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    bytes.try_into().ok()
}

/// The processor that this process may run on, + 1, if it is one only.
#[cfg(target_os = "linux")]
fn processor() -> u32 {
    use rustix::thread::{CpuSet, sched_getaffinity};
    let Ok(allowed) = sched_getaffinity(None) else { return 0 };
    if allowed.count() != 1 {
        return quota_group().unwrap_or(0);
    }
    let only = (0..CpuSet::MAX_CPU).find(|&number| allowed.is_set(number));
    only.map_or(0, |number| number as u32 + 1)
}

#[cfg(not(target_os = "linux"))]
fn processor() -> u32 {
    0
}

/// Processes of a control group whose quota is one processor or less share one, whichever it is: the group, hashed.
#[cfg(target_os = "linux")]
fn quota_group() -> Option<u32> {
    static GROUP: OnceLock<Option<u32>> = OnceLock::new();
    *GROUP.get_or_init(|| {
        let group = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        let path = group.lines().find_map(|line| line.strip_prefix("0::"))?;
        let quota = std::fs::read_to_string(format!("/sys/fs/cgroup{path}/cpu.max")).ok()?;
        let (limit, period) = quota.trim().split_once(' ')?;
        let (limit, period): (u64, u64) = (limit.parse().ok()?, period.parse().ok()?);
        let hash = crate::id::MethodId::of(path).0 | 1 << 31;
        (limit <= period).then_some(hash)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_knows_what_was_made_within_it() {
        let (outer, other) = (new_chain(), new_chain());
        let inner = deeper(outer);
        assert!(is_within(inner, outer));
        assert!(is_within(deeper(inner), outer));
        assert!(!is_within(outer, outer) && !is_within(inner, inner) && !is_within(inner, other));
    }
}
