//! What a hostile peer can make an endpoint keep is bounded by the endpoint's limits, however much it sends: measured while it does its worst.

#![cfg(unix)]

#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "hardening/attacker.rs"]
mod attacker;
#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "hardening/fortress.rs"]
mod fortress;
#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/place.rs"]
mod place;
#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/work.rs"]
mod work;

use attacker::{Attacker, call, call_at, call_with, encoded, id, prefixed, varint};
use farcall::Limits;
use farcall_core::{
    frame::{Descriptor, Frame, Target},
    id::ObjectId,
};
use fortress::attacked_within;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::{alloc::System, time::Duration};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Attackers of each kind, all at a time.
const TOGETHER: usize = 2;
/// What each of them sends, if it is taken.
const FLOOD: usize = 1 << 20;
/// How long a full socket is taken for a pause.
const PAUSE: Duration = Duration::from_millis(150);
/// The first object that an endpoint lends on a connection.
const FIRST: ObjectId = ObjectId { slot: 1, generation: 0 };

fn narrow() -> Limits {
    let mut limits = Limits::default();
    (limits.frame, limits.arrived_bytes, limits.outbound) = (64 << 10, 128 << 10, 64 << 10);
    (limits.serving, limits.cancelled) = (16, 16);
    (limits.pipelined, limits.pipelined_per_answer, limits.objects) = (64, 64, 256);
    limits.stalled = Duration::from_secs(1000);
    limits
}

/// What one peer may cost: a frame that arrives and one that is answered, what waits to be started or sent, what is served, and as much for
/// all that is small.
fn allowed(limits: &Limits) -> usize {
    let frames = limits.serving + 4;
    2 * (frames * limits.frame + limits.arrived_bytes + limits.outbound)
}

/// Bytes that this process holds.
fn held() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Calls of all numbers but the first twenty, until there are enough.
fn flood(frame: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let numbers = (20..60_000).cycle();
    for number in numbers {
        bytes.extend(prefixed(&frame(number)));
        if bytes.len() > FLOOD {
            return bytes;
        }
    }
    bytes
}

/// What a kind of attacker is called, what it sends first, and then without end; it reads nothing.
type Attack = (&'static str, Vec<Vec<u8>>, Vec<u8>);

fn attacks() -> Vec<Attack> {
    let large = [varint(60_000), vec![7; 60_000]].concat();
    let waits = || vec![call(Some(id(1)), FIRST, "pass", &[1])];
    let busy = || (1..=16).map(|number| call(Some(id(number)), FIRST, "pass", &[1])).collect();
    let item = || encoded(&Frame::Interface(b"\x04Item\0\0"));
    let of = |method: &'static str, arguments: Vec<u8>| {
        move |number| call(Some(id(number)), FIRST, method, &arguments)
    };
    vec![
        ("answers that are not read", vec![], flood(of("fill", varint(50_000)))),
        ("arguments that come back", vec![], flood(of("echo", large.clone()))),
        ("calls beyond those that are served", busy(), flood(of("echo", large.clone()))),
        ("one-way calls", vec![], flood(|_| call(None, FIRST, "tell", &[1]))),
        (
            "calls on an answer",
            waits(),
            flood(|number| call_at(Some(id(number)), Target::Answer(id(1)), "echo", (&[], &large))),
        ),
        (
            "references to an answer",
            waits(),
            flood(|number| {
                let references = [Descriptor::YourAnswer(id(1)); 64];
                call_with(Some(id(number)), FIRST, "quick", (&references, &[1]))
            }),
        ),
        (
            "objects that are lent",
            vec![item()],
            flood(|number| {
                let mine = |slot| Descriptor::Mine(ObjectId { slot, generation: 0 }, 0);
                let references: [_; 64] = std::array::from_fn(|at| mine(at as u32));
                call_with(Some(id(number)), FIRST, "quick", (&references, &[1]))
            }),
        ),
    ]
}

#[test]
fn floods_fill_what_they_may_and_no_more() {
    for (what, first, flood) in attacks() {
        attacked_within(narrow(), |fortress, address| {
            let before = held();
            let mut attackers: Vec<_> = (0..TOGETHER)
                .map(|_| {
                    let (mut attacker, _) = Attacker::bound(address, "work", 0);
                    attacker.send(&first);
                    attacker.push(&flood, flood.len(), PAUSE);
                    attacker
                })
                .collect();
            // A frame that is begun and does not end.
            attackers.iter_mut().for_each(|attacker| attacker.raw(&[0xff, 0xff, 0, 0]));
            fortress.sings();
            let (more, may) = (held().saturating_sub(before), TOGETHER * allowed(&narrow()));
            println!("{address}: {what}: {} of {} kB", more >> 10, may >> 10);
            assert!(more < may, "{address}: {what}: {more} bytes more, and {may} are allowed");
            drop(attackers);
            fortress.watch().open(1 << 24);
            fortress.is_left_to_the_canary();
        });
    }
}
