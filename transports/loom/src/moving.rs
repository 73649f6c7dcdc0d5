//! Publishing against consuming: frames arrive whole and in order, through wraps and a full ring, and nothing is written over.

use crate::{
    ring::Geometry,
    wire::{Ends, explore, push, take},
};
use loom::thread;

/// Pushes frames while another thread takes what it finds; what is left is taken at the end.
fn explore_moving(geometry: Geometry, lengths: &'static [usize], looks: usize) {
    explore(move || {
        let Ends { mut producer, mut consumer, .. } = Ends::new(geometry);
        let sender = thread::spawn(move || {
            let mut sent = 0;
            for length in lengths {
                if push(&mut producer, sent + 1, *length) {
                    sent += 1;
                }
            }
            sent
        });
        let mut received = 0;
        let mut look = |consumer: &mut _| {
            let found = take(consumer);
            if let Some(number) = found {
                received += 1;
                assert_eq!(number, received, "out of order");
            }
            found.is_some()
        };
        for _ in 0..looks {
            look(&mut consumer);
            consumer.tell();
        }
        let sent = sender.join().unwrap();
        while look(&mut consumer) {}
        assert_eq!(received, sent, "lost");
    });
}

#[test]
fn frames_arrive_whole_and_in_order() {
    explore_moving(Geometry::small(4, 4), &[4, 8], 2);
}

#[test]
fn a_frame_of_several_lines_arrives_whole() {
    explore_moving(Geometry::small(4, 4), &[52, 4], 2);
}

#[test]
fn a_ring_that_wraps_is_not_written_over() {
    explore_moving(Geometry::small(4, 4), &[4, 4, 4, 52], 3);
}

#[test]
fn a_ring_that_begins_anew_is_not_written_over() {
    explore_moving(Geometry::small(4, 1), &[4, 4, 4], 3);
}
