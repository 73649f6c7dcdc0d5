//! What every transport owes: one suite, written once, on each place and on each kind of runtime.

#[path = "conformance/pipelining.rs"]
mod pipelining;
#[path = "conformance/place.rs"]
mod place;
#[path = "conformance/river.rs"]
mod river;
#[path = "conformance/streams.rs"]
mod streams;
#[path = "conformance/work.rs"]
mod work;

#[path = "conformance/actors.rs"]
mod actors;
#[path = "conformance/arguments.rs"]
mod arguments;
#[path = "conformance/blocking.rs"]
mod blocking;
#[path = "conformance/bodies.rs"]
mod bodies;
#[path = "conformance/builds.rs"]
mod builds;
#[path = "conformance/cancel.rs"]
mod cancel;
#[path = "conformance/concurrency.rs"]
mod concurrency;
#[path = "conformance/context.rs"]
mod context;
#[path = "conformance/currents.rs"]
mod currents;
#[path = "conformance/deadlines.rs"]
mod deadlines;
#[path = "conformance/functions.rs"]
mod functions;
#[path = "conformance/nested.rs"]
mod nested;
#[path = "conformance/objects.rs"]
mod objects;
#[path = "conformance/order.rs"]
mod order;
#[path = "conformance/parts.rs"]
mod parts;
#[path = "conformance/payloads.rs"]
mod payloads;
#[path = "conformance/promises.rs"]
mod promises;
#[path = "conformance/results.rs"]
mod results;
#[path = "conformance/scopes.rs"]
mod scopes;
#[path = "conformance/services.rs"]
mod services;

/// Tests of one place: those of tasks on both kinds of runtime, those of threads that block once.
macro_rules! tests {
    (
        $place:ident
        tasks { $($module:ident: $($case:ident)+;)* }
        threads { $($threads:ident: $($blocking:ident)+;)* }
    ) => {
        $(mod $module {
            $(mod $case {
                use crate::{$module::$case, place::{self, Place}};

                #[test]
                fn on_one_thread() {
                    place::one_thread($case(Place::$place));
                }

                #[test]
                fn on_several_threads() {
                    place::several_threads($case(Place::$place));
                }
            })+
        })*
        mod threads {
            $($(#[test]
            fn $blocking() {
                crate::place::on_a_thread(|| {
                    crate::$threads::$blocking(crate::place::Place::$place);
                });
            })+)*
        }
    };
}

/// What an object owes wherever it is.
macro_rules! everywhere {
    ($place:ident) => {
        tests! {
            $place
            tasks {
                actors: serve_one_call_at_a_time serve_their_callers_in_turn survive_a_panic finish_what_they_have_begun
                    take_one_way_calls_in_order refuse_to_wait_for_themselves;
                arguments: of_every_shape of_every_size of_a_generic_interface;
                blocking: async_code_is_refused;
                bodies: run_where_the_servant_is can_be_written_anew;
                cancel: drops_the_handlers_future of_a_call_that_was_awaited spares_what_insists spares_what_is_detached
                    spares_what_outlives_the_handle does_not_concern_one_way_calls leaves_room_for_others;
                concurrency: finishes_in_any_order waits_for_no_answer has_a_bound has_a_bound_in_bytes gives_back_what_is_not_sent reaches_ten_thousand_calls
                    leaves_others_their_turn;
                context: names_the_peer carries_metadata carries_the_trace gives_each_call_a_chain_of_its_own;
                currents: wait_for_no_call overtake_one_way_calls outlive_the_deadline_of_a_call carry_many_references
                    carry_no_more_references_than_a_message share_frames leave_nothing_behind
                    end_with_what_is_never_sent say_that_their_wire_was_cut;
                deadlines: travel_and_are_inherited end_the_wait_and_the_handler do_not_end_what_insists
                    are_kept_one_by_one spare_the_servant_expired_work of_nothing_start_nothing
                    are_kept_beside_busy_calls;
                functions: serve_interfaces_of_one_method take_what_they_can_keep may_change_what_they_own;
                nested: calls_come_back calls_cross_each_other calls_of_others_start_elsewhere calls_that_call_back_need_no_credit;
                objects: are_values have_a_bound_in_each_message are_encoded_in_calls_alone come_home call_back_while_they_are_served
                    are_dropped_with_their_last_handle go_with_their_connection reach_third_processes tell_third_processes_of_their_end
                    tell_third_processes_of_the_end_of_a_service of_another_interface_are_refused by_the_thousand;
                order: of_calls_that_pend of_calls_through_clones_and_options of_large_and_small_calls
                    of_calls_that_turn_out_slow of_slow_unordered_calls_is_given_up of_calls_that_are_forwarded;
                payloads: of_every_size wherever_they_stand beside_other_bulk can_be_kept_and_given_out are_passed_on
                    are_not_copied_where_they_can_be_read come_back_by_the_thousand find_another_way_where_there_is_no_room have_a_bound
                    too_large_for_anything travel_one_way;
                pipelining: goes_as_far_as_one_likes inherits_options names_the_hop_that_failed goes_by_the_type_and_not_by_its_name keeps_the_order
                    gives_handles_that_travel gives_up_what_nobody_waits_for has_a_bound has_bounds_that_can_be_set has_a_bound_in_bytes
                    ends_with_its_connection;
                promises: are_closed_when_the_call_has_failed are_closed_when_the_object_is_taken_away are_closed_when_its_wire_is_lost
                    are_closed_for_those_that_it_was_passed_to are_closed_where_they_are_arguments
                    are_closed_where_they_are_arguments_with_their_object are_closed_where_they_are_arguments_with_their_wire
                    are_one_however_often_they_come;
                results: with_errors_of_ones_own of_servants_that_panic of_panics_beside_other_calls
                    that_cannot_be_encoded too_large_for_a_frame;
                streams: go_both_ways wherever_they_stand of_every_kind_wherever_they_stand end_in_their_own_way tell_the_sender_that_nobody_receives are_bounded
                    slow_only_their_own_sender carry_large_items_and_references
                    pass_through_third_processes
                    of_one_item of_the_latest_item are_streams_and_sinks end_with_their_connection;
                scopes: break_all_that_was_lent_in_them end_when_they_are_dropped let_calls_end_that_have_begun
                    refuse_whom_they_are_shown_late tell_third_processes;
            }
            threads {
                blocking: threads_and_tasks_share threads_wait_for_each_other bulk_goes_through deadlines_are_kept
                    errors_and_panics_arrive;
            }
        }
    };
}

/// What an endpoint owes at each of its addresses.
macro_rules! at_an_address {
    ($place:ident) => {
        tests! {
            $place
            tasks {
                builds: differ_by_method of_objects_differ_by_method of_newer_objects_differ_by_method;
                order: of_calls_on_several_objects of_calls_on_several_objects_that_are_forwarded of_calls_on_objects_beside_a_slow_one;
                services: are_named_by_the_fragment are_the_same_at_each_address may_be_objects_of_another_process
                    take_frames_of_the_size_that_they_say;
            }
            threads {
                blocking: nobody_drives_the_runtime a_busy_caller_is_not_alone;
                parts: let_calls_between;
            }
        }
    };
}

mod near {
    everywhere!(Near);
}

mod stream {
    everywhere!(Stream);
}

mod inproc {
    everywhere!(Inproc);
    mod address {
        at_an_address!(Inproc);
    }
}

mod unix {
    everywhere!(Unix);
    mod address {
        at_an_address!(Unix);
    }
}

#[cfg(target_os = "linux")]
mod shm {
    everywhere!(Shm);
    mod address {
        at_an_address!(Shm);
    }
}

mod tcp {
    everywhere!(Tcp);
    mod address {
        at_an_address!(Tcp);
    }
}
