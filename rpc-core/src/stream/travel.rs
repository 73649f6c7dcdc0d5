//! Ends of streams as values: the one that travels leaves one of the two objects here, and the other is made where it arrives.

use super::{
    Item, Receiver, Sender,
    inlet::Intake,
    messages::{Inlet, JOIN, OPEN, Outlet, tell},
    outlet::Source,
    queue::{Keeps, Queue, WINDOW},
};
use crate::stub::Remote;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// The most items that a receiver here has room for, whatever the sender's side says.
const MOST: u64 = 1 << 20;

/// Where the other end is, how many items wait on each side, and whether only the last one counts.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
struct Passed<I: crate::interface::Interface>(Remote<I>, u64, bool);

impl<I: crate::interface::Interface> Passed<I> {
    fn of<T>(remote: Remote<I>, queue: &Queue<T>) -> Self {
        Self(remote, queue.capacity() as u64, queue.keeps() == Keeps::Latest)
    }

    fn queue<T>(&self) -> Queue<T> {
        let capacity = usize::try_from(self.1.clamp(1, MOST)).unwrap_or(1);
        Queue::new(capacity, if self.2 { Keeps::Latest } else { Keeps::All })
    }
}

const TWICE: &str = "an end of a stream can be passed once, and before its end";

impl<T: Item> Serialize for Sender<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let queue = self.pass().ok_or_else(|| ser::Error::custom(TWICE))?;
        Passed::of(Intake::new(queue).remote(), queue).serialize(serializer)
    }
}

impl<T: Item> Serialize for Receiver<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (queue, batch) = self.pass().ok_or_else(|| ser::Error::custom(TWICE))?;
        queue.put_back(batch);
        Passed::of(Source::new(queue).remote(), queue).serialize(serializer)
    }
}

impl<'de, T: Item> Deserialize<'de> for Sender<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let passed = Passed::<Inlet<T>>::deserialize(deserializer)?;
        let queue = passed.queue();
        let source = Source::new(&queue);
        let outlet = source.remote();
        tell(&passed.0, &JOIN, |call| call.value(&outlet));
        let capacity = queue.capacity() as u64;
        let opened = source.open(passed.0, capacity, WINDOW as u64);
        opened.map_err(de::Error::custom)?;
        Ok(Self::new(queue))
    }
}

impl<'de, T: Item> Deserialize<'de> for Receiver<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let passed = Passed::<Outlet<T>>::deserialize(deserializer)?;
        let queue = passed.queue();
        let intake = Intake::new(&queue);
        let (inlet, capacity) = (intake.remote(), queue.capacity() as u64);
        // Before anything can come.
        intake.join(passed.0.clone());
        tell(&passed.0, &OPEN, |call| {
            call.value(&inlet);
            call.value(&capacity);
            call.value(&(WINDOW as u64));
        });
        Ok(Self::new(queue))
    }
}
