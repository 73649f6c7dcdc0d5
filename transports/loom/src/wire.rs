//! Both ends of one direction, and how a model explores them.

use crate::ring::{Consumer, Geometry, Producer, Room, heap::Heap};
use loom::model::Builder;

pub(crate) struct Ends {
    pub(crate) producer: Producer<Heap, Heap>,
    pub(crate) consumer: Consumer<Heap, Heap>,
    pub(crate) sender: Heap,
    pub(crate) receiver: Heap,
}

impl Ends {
    pub(crate) fn new(geometry: Geometry) -> Self {
        let (sender, receiver) = (Heap::new(&geometry), Heap::new(&geometry));
        let producer = Producer::new(sender.clone(), receiver.clone(), geometry);
        let consumer = Consumer::new(receiver.clone(), sender.clone(), geometry);
        Self { producer, consumer, sender, receiver }
    }
}

/// Pushes a frame that differs from all others of its model. False if there is no room.
pub(crate) fn push(producer: &mut Producer<Heap, Heap>, number: u8, length: usize) -> bool {
    let frame = vec![number; length];
    producer.push([&frame[..]].into_iter(), 0).unwrap() == Room::Yes
}

/// Takes the next frame and checks that it is whole; its number.
pub(crate) fn take(consumer: &mut Consumer<Heap, Heap>) -> Option<u8> {
    let found = consumer.find().unwrap()?;
    let mut bytes = Vec::new();
    consumer.take(found, &mut bytes);
    assert!(bytes.iter().all(|byte| *byte == bytes[0]), "half a frame: {bytes:?}");
    Some(bytes[0])
}

/// Explores every interleaving.
pub(crate) fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = None;
    builder.max_branches = 20_000;
    builder.check(model);
}
