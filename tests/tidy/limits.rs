//! Every limit has a test that reaches one more.

use crate::{
    Finding, code,
    tree::{File, Tree},
};

/// Where the limits are.
const LIMITS: &str = "rpc-core/src/limits.rs";
/// Each with its test, and the file that has it.
const TESTS: &[(&str, &str, &str)] = &[
    ("handshake_frame", "tests/hardening/wire.rs", "the_largest_frame_passes_and_no_larger"),
    ("handshake_time", "tests/hardening/wire.rs", "slow_handshakes_are_closed"),
    ("handshakes", "tests/hardening/floods.rs", "half_open_connections_do_not_keep_others_out"),
    ("frame", "tests/hardening/wire.rs", "the_largest_frame_passes_and_no_larger"),
    ("decoded", "rpc-core/src/codec/tests/attacks.rs", "prices"),
    ("depth", "rpc-core/src/codec/tests/attacks.rs", "recursion"),
    ("serving", "rpc-core/src/conn/tests/serving.rs", "one_call_beyond_the_limit_is_refused"),
    ("cancelled", "tests/hardening/floods.rs", "calls_that_insist_are_paused"),
    ("arrived_bytes", "tests/hardening/torrent.rs", "bytes_that_wait_to_be_started_have_a_bound"),
    ("pipelined_per_answer", "tests/conformance/pipelining.rs", "has_bounds_that_can_be_set"),
    ("pipelined", "tests/conformance/pipelining.rs", "has_bounds_that_can_be_set"),
    ("outbox_calls", "tests/conformance/concurrency.rs", "has_a_bound"),
    ("outbox_bytes", "tests/conformance/concurrency.rs", "has_a_bound_in_bytes"),
    ("outbox_payloads", "tests/room.rs", "what_waits_is_bounded"),
    ("outbound", "tests/hardening/floods.rs", "peers_that_do_not_read_are_paused"),
    ("stalled", "tests/hardening/floods.rs", "peers_that_do_not_read_are_closed"),
    ("overhead", "rpc-core/src/conn/tests/flood.rs", "a_flood_ends_the_connection"),
    ("objects", "rpc-core/src/conn/tests/objects.rs", "one_object_beyond_the_limit_is_refused"),
    ("interfaces", "rpc-core/src/conn/tests/flood.rs", "interfaces_are_described_up_to_a_limit"),
    (
        "interface_bytes",
        "rpc-core/src/conn/tests/flood.rs",
        "interfaces_are_described_up_to_a_limit",
    ),
    (
        "strays",
        "rpc-core/src/conn/tests/serving.rs",
        "calls_on_objects_that_are_not_lent_end_the_connection_after_64",
    ),
    ("metadata_entries", "rpc-core/src/conn/tests/calls.rs", "metadata_has_a_bound"),
    ("metadata_bytes", "rpc-core/src/conn/tests/calls.rs", "metadata_has_a_bound"),
    ("deadline", "tests/hardening/servers.rs", "a_server_that_never_answers_is_dialled_again"),
    (
        "ping_after",
        "rpc-core/src/conn/tests/silence.rs",
        "a_silent_peer_is_asked_at_15_seconds_and_dead_at_30",
    ),
    (
        "dead_after",
        "rpc-core/src/conn/tests/silence.rs",
        "a_silent_peer_is_asked_at_15_seconds_and_dead_at_30",
    ),
];

/// Limits without a test, and those whose test is gone.
pub(crate) fn limits(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.get(LIMITS) else { return Vec::new() };
    let finding = |(name, line): (&str, usize)| {
        let Some((_, path, test)) = TESTS.iter().find(|(limit, ..)| *limit == name) else {
            let what = format!(
                "`{name}` has no test that reaches one more: name it in tests/tidy/limits.rs"
            );
            return Some(Finding::new(LIMITS, line, what));
        };
        let is_there = tree.get(path).is_some_and(|file| has(file, test));
        let what = || format!("`{test}`, the test of `{name}`, is not in {path}");
        (!is_there).then(|| Finding::new(LIMITS, line, what()))
    };
    fields(file).filter_map(finding).collect()
}

/// The fields of the struct, and their lines.
fn fields(file: &File) -> impl Iterator<Item = (&str, usize)> {
    let lines = file.code.lines().zip(1..);
    let of_struct = lines.skip_while(|(line, _)| !line.starts_with("pub struct Limits {")).skip(1);
    of_struct.take_while(|(line, _)| *line != "}").filter_map(|(line, number)| {
        let (name, _) = line.trim().strip_prefix("pub ")?.split_once(": ")?;
        Some((name, number))
    })
}

fn has(file: &File, test: &str) -> bool {
    code::functions(&file.code).iter().any(|function| function.name == test)
}
