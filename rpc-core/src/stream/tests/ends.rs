//! Ends in one process: who waits, who gives up, what comes before an error, and what an end may do that was passed.

use super::{channel, ends_with};
use crate::{
    error::{Error, ErrorKind},
    stream::{
        Sender,
        inlet::Intake,
        latest,
        messages::{Inlet, JOIN},
        queue::{Keeps, Queue},
    },
    stub::{Outgoing, Remote},
};
use futures_sink::Sink;
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

#[tokio::test]
async fn several_tasks_send_at_a_time() {
    let (sender, mut receiver) = channel(1);
    let sender = Arc::new(sender);
    for _ in 0..10 {
        let sender = Arc::clone(&sender);
        tokio::spawn(async move {
            for number in 0..100_u64 {
                assert_eq!(sender.send(number).await, Ok(()));
            }
        });
    }
    let closed = tokio::spawn({
        let sender = Arc::clone(&sender);
        async move { sender.closed().await.kind() }
    });
    let receiving = async {
        let mut sum = 0;
        for _ in 0..1000 {
            sum += receiver.recv().await.expect("it goes on").expect("it goes on");
        }
        drop(receiver);
        (sum, closed.await.expect("it does not panic"))
    };
    let received = tokio::time::timeout(Duration::from_secs(60), receiving).await;
    assert_eq!(received, Ok((10 * 99 * 50, ErrorKind::Cancelled)));
}

/// Counts those who hold it.
struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_task_that_gives_up_leaves_no_waker() {
    let (sender, _receiver) = channel(1);
    assert_eq!(sender.try_send(1_u64), Ok(()));
    let nobody = Arc::new(Nobody);
    let waker = Waker::from(Arc::clone(&nobody));
    for _ in 0..3 {
        let mut sending = Box::pin(sender.send(2));
        let mut closing = Box::pin(sender.closed());
        let mut cx = Context::from_waker(&waker);
        assert!(sending.as_mut().poll(&mut cx).is_pending());
        assert!(closing.as_mut().poll(&mut cx).is_pending());
        assert_eq!(Arc::strong_count(&nobody), 4);
    }
    assert_eq!(Arc::strong_count(&nobody), 2);
}

#[tokio::test]
async fn the_last_value_comes_before_the_error() {
    let (sender, mut receiver) = latest();
    assert_eq!((sender.set(1), sender.set(2)), (Ok(()), Ok(())));
    drop(sender);
    assert_eq!(receiver.changed().await, Some(Ok(2)));
    let error = receiver.changed().await.expect("it has not finished").expect_err("it is cut");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(receiver.changed().await, None);
    let (sender, mut receiver) = latest();
    assert_eq!(sender.set(3), Ok(()));
    sender.finish();
    assert_eq!((receiver.changed().await, receiver.changed().await), (Some(Ok(3)), None));
}

#[tokio::test]
async fn a_sink_loses_nothing_that_it_has_taken() {
    let (mut sender, mut receiver) = channel(2);
    for number in 0..2_u64 {
        assert_eq!(poll_fn(|cx| Pin::new(&mut sender).poll_ready(cx)).await, Ok(()));
        assert_eq!(Pin::new(&mut sender).start_send(number), Ok(()));
    }
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(Pin::new(&mut sender).poll_ready(&mut cx), Poll::Pending);
    sender.finish();
    assert_eq!(receiver.recv().await, Some(Ok(0)));
    assert_eq!(receiver.recv().await, Some(Ok(1)));
    assert_eq!(receiver.recv().await, None);
}

/// Encodes a value for a call that is never made.
fn pass(value: &impl serde::Serialize) {
    let intake = Intake::<u64>::new(&Queue::new(1, Keeps::All));
    let inlet: Remote<Inlet<u64>> = intake.remote();
    let mut call = Outgoing::new::<Inlet<u64>>(&inlet, &JOIN);
    call.value(value);
}

#[tokio::test]
async fn an_end_that_was_passed_can_do_no_more() {
    let (sender, mut receiver) = channel::<u64>(4);
    assert_eq!(sender.send(0).await, Ok(()));
    pass(&sender);
    assert_eq!(sender.send(1).await.map_err(|error| error.kind()), Err(ErrorKind::Broken));
    assert!(sender.try_send(1).is_err_and(|(item, _)| item == 1));
    // The frame was never sent, so nobody has finished the stream.
    Sender::finish(sender);
    ends_with(&mut receiver, 1, ErrorKind::Cancelled, "before it had finished").await;
    let (sender, mut receiver) = channel::<u64>(4);
    pass(&receiver);
    let taken = receiver.recv().await.map(|item| item.map_err(|error| error.kind()));
    assert_eq!((taken, receiver.recv().await), (Some(Err(ErrorKind::Broken)), None));
    assert_eq!(sender.closed().await.kind(), ErrorKind::Cancelled);
}

#[tokio::test]
async fn waiting_for_room_ends_with_the_receiver() {
    let (sender, receiver) = channel::<u64>(1);
    assert_eq!(sender.send(0).await, Ok(()));
    let mut sending = pin!(sender.send(1));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(sending.as_mut().poll(&mut cx).is_pending());
    drop(receiver);
    let sent: Result<(), Error> = sending.await;
    assert_eq!(sent.map_err(|error| error.kind()), Err(ErrorKind::Cancelled));
}
