//! Streams whose other end breaks their rules: the stream ends, for the servant with an error that says so, and the connection goes on.

use crate::{
    attacker::{Attacker, Said, call, call_with, id, releasing, varint},
    fortress::attacked,
};
use farcall::ErrorKind;
use farcall_core::{frame::Descriptor, id::ObjectId};
use std::ops::RangeInclusive;

/// An attacker, the service, and the object of a stream's that one of its methods has lent.
struct Stream {
    attacker: Attacker,
    target: ObjectId,
    object: ObjectId,
}

impl Stream {
    /// One that the servant receives from, with credit for four items.
    fn into(address: &str) -> Self {
        Self::of(address, "sink")
    }

    /// One that the servant sends into.
    fn out_of(address: &str) -> Self {
        Self::of(address, "source")
    }

    fn of(address: &str, method: &str) -> Self {
        let (mut attacker, target) = Attacker::bound(address, "target", 0);
        attacker.send(&[call(Some(id(1)), target, method, &[])]);
        let object = attacker.lent();
        Self { attacker, target, object }
    }

    /// A one-way call on the stream's object.
    fn tell(&mut self, method: &str, arguments: &[u8]) {
        self.attacker.send(&[call(None, self.object, method, arguments)]);
    }

    /// A batch that says that it has `count` items, and has others.
    fn items(&mut self, count: u32, encoded: &[u8]) {
        self.tell("items", &[&count.to_le_bytes(), encoded].concat());
    }

    /// The servant has had so many items and this end, and the connection goes on.
    #[track_caller]
    fn ends(self, items: u64, why: &str) {
        self.ends_within(items..=items, why);
    }

    /// The same, where it depends on the servant's speed how many items there are.
    #[track_caller]
    fn ends_within(mut self, items: RangeInclusive<u64>, why: &str) {
        self.attacker.send(&[call(Some(id(2)), self.target, "verdict", &[])]);
        let (count, text) = loop {
            match self.attacker.next() {
                Said::Ok(call, verdict) if call == id(2) => break parse(&verdict),
                Said::Other => {}
                other => panic!("no verdict: {other:?}"),
            }
        };
        assert!(items.contains(&count) && text.contains(why), "{count} items, {text}");
    }
}

fn parse(verdict: &[u8]) -> (u64, String) {
    let (count, text) = verdict.split_first().expect("a number first");
    let text = text.get(text.iter().position(|byte| *byte < 0x80).map_or(0, |at| at + 1)..);
    (u64::from(*count), String::from_utf8_lossy(text.unwrap_or_default()).into_owned())
}

#[test]
fn items_without_credit_end_the_stream() {
    attacked(|_, address| {
        let mut stream = Stream::into(address);
        stream.items(3, &[1, 2, 3]);
        stream.items(2, &[4, 5]);
        stream.ends(3, "more than it may");
        let mut stream = Stream::into(address);
        stream.items(u32::MAX, &[]);
        stream.ends(0, "more than it may");
    });
}

#[test]
fn bytes_without_credit_end_the_stream() {
    attacked(|_, address| {
        let mut stream = Stream::into(address);
        let part = [&varint(64 << 10)[..], &vec![0; 64 << 10], &[0]].concat();
        (0..10).for_each(|_| stream.tell("part", &part));
        stream.ends(0, "more than it may");
        // Batches of nothing have their four bytes.
        let mut stream = Stream::into(address);
        (0..140_000).for_each(|_| stream.items(0, &[]));
        stream.ends(0, "more than it may");
    });
}

#[test]
fn items_that_are_none_end_the_stream() {
    attacked(|_, address| {
        for (count, encoded) in [(2, &[1][..]), (1, &[1, 2]), (1, &[0x80, 0])] {
            let mut stream = Stream::into(address);
            stream.items(count, encoded);
            stream.ends(0, "");
        }
        let mut stream = Stream::into(address);
        stream.items(1, &[1]);
        stream.tell("end", &[9]);
        stream.ends(1, "");
    });
}

#[test]
fn nothing_comes_after_the_end() {
    attacked(|_, address| {
        let mut stream = Stream::into(address);
        stream.items(1, &[1]);
        stream.tell("end", &[0]);
        stream.tell("end", &[0]);
        stream.items(1, &[2]);
        stream.ends(1, "finished");
    });
}

#[test]
fn a_sender_that_is_given_back_has_not_finished() {
    attacked(|_, address| {
        let mut stream = Stream::into(address);
        stream.items(1, &[1]);
        let released = releasing(stream.object, 1);
        stream.attacker.send(&[released]);
        stream.ends(1, "dropped before it had finished");
    });
}

#[test]
fn too_much_credit_ends_the_stream() {
    attacked(|_, address| {
        for credit in [[u64::MAX, 0], [0, u64::MAX], [1 << 41, 1 << 41]] {
            let mut stream = Stream::out_of(address);
            let encoded = credit.map(varint).concat();
            stream.tell("credit", &encoded);
            stream.ends_within(0..=4, "too much credit");
        }
    });
}

#[test]
fn items_to_nowhere_end_the_stream() {
    attacked(|_, address| {
        let mut stream = Stream::out_of(address);
        let open = [&[0][..], &varint(1000), &varint(1000)].concat();
        let open = call_with(None, stream.object, "open", (&[Descriptor::Null], &open));
        stream.attacker.send(&[open]);
        stream.ends_within(0..=8, "");
    });
}

/// Who never gives credit holds four items, as long as he stays.
#[test]
fn credit_that_is_never_given_holds_up_nobody_else() {
    attacked(|_, address| {
        let idle = Stream::out_of(address);
        let mut stopped = Stream::out_of(address);
        stopped.tell("stop", &[]);
        stopped.ends_within(0..=4, "the receiver of this stream was dropped");
        let last = Stream::into(address);
        drop(idle.attacker);
        last.ends_within(0..=4, "nobody wants more items");
    });
}

#[test]
fn other_methods_are_refused() {
    attacked(|_, address| {
        let mut stream = Stream::into(address);
        stream.attacker.send(&[call(Some(id(2)), stream.object, "credit", &[])]);
        let Said::Refused(_, error) = stream.attacker.next() else { panic!("it was not refused") };
        assert_eq!(error.kind(), ErrorKind::Unimplemented);
        assert!(error.text().contains("it has join, items, part, end"), "{error}");
    });
}
