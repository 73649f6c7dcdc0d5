//! Peers that break the rules of a stream: it ends with an error that says so, and nothing else does.

mod ends;

use super::{
    Receiver, Sender, channel,
    inlet::Intake,
    messages::{CREDIT, END, Ending, ITEMS, Inlet, OPEN, Outlet, PART, told},
    outlet::Source,
    queue::{Keeps, Queue, WINDOW},
};
use crate::{
    error::{Error, ErrorKind},
    stub::{Outgoing, Remote},
};

type Items = Remote<Inlet<u64>>;

/// A receiver of numbers with room for four, and what an attacker has of it.
fn receiver() -> (Receiver<u64>, Items) {
    let queue = Queue::new(4, Keeps::All);
    let remote = Intake::new(&queue).remote();
    (Receiver::new(queue), remote)
}

/// The same, which has given credit to an outlet that nobody reads.
fn joined() -> (Receiver<u64>, Items, Remote<Outlet<u64>>) {
    let queue = Queue::new(4, Keeps::All);
    let intake = Intake::new(&queue);
    let outlet = Source::<u64>::new(&Queue::new(4, Keeps::All)).remote();
    intake.join(outlet.clone());
    (Receiver::new(queue), intake.remote(), outlet)
}

async fn send(inlet: &Items, count: u32, encoded: u32) {
    let call = told(inlet, &ITEMS, |call: &mut Outgoing<'_>| {
        call.value(&count.to_le_bytes());
        (0..encoded).for_each(|number| call.value(&u64::from(number)));
    });
    assert_eq!(call.await, Ok(()));
}

async fn ends_with(receiver: &mut Receiver<u64>, items: u64, kind: ErrorKind, text: &str) {
    for number in 0..items {
        assert_eq!(receiver.recv().await, Some(Ok(number)));
    }
    let error = receiver.recv().await.expect("it fails").expect_err("it fails");
    assert!(error.kind() == kind && error.text().contains(text), "{error}");
    assert_eq!(receiver.recv().await, None);
}

#[tokio::test]
async fn more_items_than_there_is_credit_for() {
    let (mut receiver, inlet) = receiver();
    send(&inlet, 3, 3).await;
    send(&inlet, 2, 2).await;
    ends_with(&mut receiver, 3, ErrorKind::Protocol, "more than it may").await;
}

#[tokio::test]
async fn more_bytes_than_there_is_credit_for() {
    let (mut receiver, inlet, _outlet) = joined();
    // Nothing is taken of the last part, so nothing comes back for it.
    for _ in 0..2 {
        let bytes = vec![0; WINDOW];
        let call = told(&inlet, &PART, |call| {
            call.bytes(&bytes);
            call.value(&true);
        });
        assert_eq!(call.await, Ok(()));
    }
    ends_with(&mut receiver, 0, ErrorKind::Decode, "").await;
}

#[tokio::test]
async fn items_that_are_none() {
    let (mut receiver, inlet) = receiver();
    send(&inlet, 1, 1).await;
    send(&inlet, 2, 1).await;
    ends_with(&mut receiver, 1, ErrorKind::Decode, "").await;
    let (mut receiver, inlet) = self::receiver();
    send(&inlet, 1, 2).await;
    ends_with(&mut receiver, 0, ErrorKind::Decode, "").await;
    let (mut receiver, inlet) = self::receiver();
    send(&inlet, u32::MAX, 0).await;
    ends_with(&mut receiver, 0, ErrorKind::Protocol, "more than it may").await;
}

#[tokio::test]
async fn an_item_without_end() {
    let (mut receiver, inlet, _outlet) = joined();
    let part = vec![0; 64 << 10];
    for _ in 0..=256 {
        let call = told(&inlet, &PART, |call| {
            call.bytes(&part);
            call.value(&false);
        });
        assert_eq!(call.await, Ok(()));
        tokio::task::yield_now().await;
    }
    ends_with(&mut receiver, 0, ErrorKind::TooLarge, "limits.frame").await;
}

#[tokio::test]
async fn items_after_the_end() {
    let (mut receiver, inlet) = receiver();
    send(&inlet, 1, 1).await;
    for end in [None, Some(Error::new("another end"))] {
        assert_eq!(told(&inlet, &END, |call| call.value(&Ending(end))).await, Ok(()));
    }
    send(&inlet, 1, 1).await;
    assert_eq!(receiver.recv().await, Some(Ok(0)));
    assert_eq!(receiver.recv().await, None);
}

/// A sender, and what an attacker has of it.
fn sender() -> (Sender<u64>, Remote<Outlet<u64>>) {
    let queue = Queue::new(4, Keeps::All);
    let remote = Source::new(&queue).remote();
    (Sender::new(queue), remote)
}

async fn is_closed(sender: &Sender<u64>, text: &str) {
    let error = sender.closed().await;
    assert!(error.kind() == ErrorKind::Protocol && error.text().contains(text), "{error}");
    assert!(sender.send(1).await.is_err());
}

#[tokio::test]
async fn too_much_credit() {
    let (sender, outlet) = sender();
    let credit = |items: u64, bytes: u64| {
        told(&outlet, &CREDIT, move |call| {
            call.value(&items);
            call.value(&bytes);
        })
    };
    assert_eq!(credit(1 << 40, 1 << 40).await, Ok(()));
    assert_eq!(sender.send(1).await, Ok(()));
    assert_eq!(credit(u64::MAX, 0).await, Ok(()));
    is_closed(&sender, "too much credit").await;
}

#[tokio::test]
async fn a_stream_that_is_opened_twice() {
    let (sender, outlet) = sender();
    let (_receiver, inlet) = receiver();
    for _ in 0..2 {
        let call = told(&outlet, &OPEN, |call| {
            call.value(&inlet);
            call.value(&4_u64);
            call.value(&1024_u64);
        });
        assert_eq!(call.await, Ok(()));
    }
    is_closed(&sender, "opened twice").await;
}

#[tokio::test]
async fn an_end_that_is_passed_outside_of_a_call() {
    let (sender, mut receiver) = channel::<u64>(1);
    let error = crate::codec::Encoder::new().value(&sender).expect_err("there is no call");
    assert_eq!(error.kind(), ErrorKind::Encode);
    drop(sender);
    ends_with(&mut receiver, 0, ErrorKind::Cancelled, "before it had finished").await;
}

#[test]
fn threads_send_and_receive() {
    let (sender, mut receiver) = channel(2);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0..1000 {
                assert_eq!(sender.send_wait(number), Ok(()));
            }
            sender.finish();
        });
        for number in 0..1000_u64 {
            assert_eq!(receiver.recv_wait(), Some(Ok(number)));
        }
        assert_eq!(receiver.recv_wait(), None);
    });
}
