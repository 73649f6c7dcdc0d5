//! What sends the items of a queue to a receiver in another process, as far as there is credit.

use super::{
    Item,
    messages::{CREDIT, END, Ending, ITEMS, Inlet, OPEN, Outlet, PART, STOP, send, sent, tell},
    queue::{Queue, unwanted},
};
use crate::{
    buffer::Buffer,
    error::{Error, ErrorKind},
    id::MethodId,
    interface::{Description, Interface},
    runtime,
    skeleton::{Arguments, Home, Local, Object, Request, Task},
    stub::{Call, Outgoing, Remote},
    tail::Tail,
};
use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};
use tokio::sync::oneshot;

/// Bytes of a batch from which on nothing is added to it.
const BATCH: usize = 32 << 10;
/// Bytes up to which a batch goes at once.
const WHOLE: usize = 96 << 10;
/// Bytes of a part of a larger one.
const PART_BYTES: usize = 64 << 10;
/// No receiver gives more credit than this, in items or bytes.
const MOST: u64 = 1 << 40;

/// Takes credit for a queue, and hears when nobody receives any more. When it is gone, nobody does.
pub(super) struct Source<T: Item> {
    queue: Queue<T>,
    credit: Arc<Credit<T>>,
    home: Home,
}

/// What may be sent, and where to.
struct Credit<T: Item>(Mutex<Left<T>>);

struct Left<T: Item> {
    items: u64,
    bytes: i64,
    inlet: Option<Remote<Inlet<T>>>,
    waker: Option<Waker>,
}

impl<T: Item> Source<T> {
    pub(super) fn new(queue: &Queue<T>) -> Arc<Self> {
        let left = Left { items: 0, bytes: 0, inlet: None, waker: None };
        let credit = Arc::new(Credit(Mutex::new(left)));
        Arc::new(Self { queue: queue.clone(), credit, home: Home::default() })
    }

    /// A reference to it, to be passed.
    pub(super) fn remote(self: &Arc<Self>) -> Remote<Outlet<T>> {
        let object: Arc<dyn Object> = Arc::clone(self) as _;
        Remote::at_home(&Local::new(object))
    }

    /// Items go there from now on, with so much credit at first.
    ///
    /// # Errors
    /// They do already; there is no runtime.
    pub(super) fn open(
        &self,
        inlet: Remote<Inlet<T>>,
        items: u64,
        bytes: u64,
    ) -> Result<(), Error> {
        self.credit.add(items, bytes)?;
        {
            let mut left = self.credit.lock();
            if left.inlet.is_some() {
                return Err(Error::of(ErrorKind::Protocol, "the stream was opened twice"));
            }
            left.inlet = Some(inlet.clone());
        }
        let pump = Pump {
            queue: self.queue.clone(),
            credit: Arc::clone(&self.credit),
            inlet,
            items: VecDeque::new(),
            length: 0,
        };
        runtime::background()?.spawn(pump.run());
        Ok(())
    }

    fn take(&self, method: MethodId, arguments: &mut Arguments<'_>) -> Result<(), Error> {
        if method == OPEN.id {
            let inlet = arguments.owned()?;
            let (items, bytes) = (arguments.owned()?, arguments.owned()?);
            self.open(inlet, items, bytes)
        } else if method == CREDIT.id {
            self.credit.add(arguments.owned()?, arguments.owned()?)
        } else {
            self.end(unwanted());
            Ok(())
        }
    }

    fn end(&self, why: Error) {
        self.queue.close(why);
        self.credit.wake();
    }
}

impl<T: Item> Object for Source<T> {
    fn description(&self) -> &'static Description {
        Outlet::<T>::DESCRIPTION
    }

    fn home(&self) -> &Home {
        &self.home
    }

    fn start(self: Arc<Self>, method: MethodId, request: Request, _task: &mut Task) {
        if ![OPEN.id, CREDIT.id, STOP.id].contains(&method) {
            return request.unknown(method, self.description());
        }
        let taken = self.take(method, &mut request.arguments());
        if let Err(why) = &taken {
            self.end(why.clone());
        }
        request.reply::<(), Error>(taken);
    }
}

impl<T: Item> Drop for Source<T> {
    fn drop(&mut self) {
        let inlet = self.credit.lock().inlet.take();
        let lost = inlet.as_ref().and_then(Remote::why_closed);
        self.end(lost.unwrap_or_else(unwanted));
    }
}

impl<T: Item> Credit<T> {
    fn add(&self, items: u64, bytes: u64) -> Result<(), Error> {
        let mut left = self.lock();
        if items > MOST || bytes > MOST || left.items > MOST || left.bytes > MOST as i64 {
            return Err(Error::of(ErrorKind::Protocol, "the receiver gives too much credit"));
        }
        left.items += items;
        left.bytes += bytes as i64;
        drop(left);
        self.wake();
        Ok(())
    }

    fn spend(&self, items: usize, bytes: usize) {
        let mut left = self.lock();
        left.items = left.items.saturating_sub(items as u64);
        left.bytes -= bytes as i64;
    }

    /// How many items may be sent now, at least one.
    fn poll(&self, cx: &mut Context<'_>) -> Poll<usize> {
        let mut left = self.lock();
        if left.items > 0 && left.bytes > 0 {
            return Poll::Ready(usize::try_from(left.items).unwrap_or(usize::MAX));
        }
        let earlier = left.waker.replace(cx.waker().clone());
        drop(left);
        drop(earlier);
        Poll::Pending
    }

    fn wake(&self) {
        let waker = self.lock().waker.take();
        waker.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Left<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that sends.
struct Pump<T: Item> {
    queue: Queue<T>,
    credit: Arc<Credit<T>>,
    inlet: Remote<Inlet<T>>,
    /// Taken out of the queue and not sent.
    items: VecDeque<T>,
    /// Bytes of the last batch: the next one will have as many.
    length: usize,
}

/// What is to be done next.
enum Next {
    Send(usize),
    End(Ending),
    /// Nobody receives any more.
    Stop,
}

impl<T: Item> Pump<T> {
    async fn run(mut self) {
        loop {
            match poll_fn(|cx| self.poll_next(cx)).await {
                Next::Send(most) => {
                    if let Err(why) = self.send(most).await {
                        tell(&self.inlet, &END, |call| call.value(&Ending(Some(why.clone()))));
                        return self.queue.close(why);
                    }
                }
                Next::End(ending) => return tell(&self.inlet, &END, |call| call.value(&ending)),
                Next::Stop => return,
            }
            // What was appended is written meanwhile, and calls of others go between.
            tokio::task::yield_now().await;
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        if self.queue.why_closed().is_some() {
            return Poll::Ready(Next::Stop);
        }
        if self.items.is_empty()
            && let Some(end) = self.queue.ended()
        {
            return Poll::Ready(Next::End(end.into()));
        }
        let most = ready!(self.credit.poll(cx));
        if self.items.is_empty() {
            let taken = ready!(self.queue.poll_take(&mut self.items, most, Some(cx)));
            if let Some(end) = taken.settle() {
                return Poll::Ready(Next::End(end.into()));
            }
        }
        Poll::Ready(Next::Send(most))
    }

    /// Sends a batch.
    async fn send(&mut self, most: usize) -> Result<(), Error> {
        match self.encode(most) {
            Batch::Sent(call) => sent(call).await,
            Batch::Large(count, head, tail) => {
                let more = tail.is_some();
                self.send_parts(head.into(), more).await?;
                if let Some(tail) = tail {
                    self.send_parts(tail, false).await?;
                }
                self.credit.spend(count, 0);
                Ok(())
            }
        }
    }

    fn encode(&mut self, most: usize) -> Batch {
        let mut call = Outgoing::new::<Inlet<T>>(&self.inlet, &ITEMS);
        call.reserve(self.length + 64);
        call.value(&[0_u8; 4]);
        let mut count: u32 = 0;
        while (count as usize) < most && call.has_room(BATCH) {
            let Some(item) = self.items.pop_front() else { break };
            call.owned(item);
            count += 1;
        }
        call.overwrite(count.to_le_bytes());
        if let Some((head, tail)) = call.take_large(WHOLE) {
            return Batch::Large(count as usize, head, tail);
        }
        self.length = call.length();
        self.credit.spend(count as usize, self.length);
        Batch::Sent(send(call))
    }

    fn part(&self, bytes: &[u8], last: bool) -> (Call<()>, oneshot::Receiver<()>) {
        let mut call = Outgoing::new::<Inlet<T>>(&self.inlet, &PART);
        call.bytes(bytes);
        call.value(&last);
        send(call)
    }

    /// Sends some of the bytes of a large batch in parts, each when there is credit for it. `more` will follow.
    async fn send_parts(&mut self, bytes: Tail, more: bool) -> Result<(), Error> {
        let mut at = 0;
        while at < bytes.len() {
            poll_fn(|cx| match self.queue.why_closed() {
                Some(why) => Poll::Ready(Err(why)),
                None => self.credit.poll(cx).map(|_| Ok(())),
            })
            .await?;
            let end = bytes.len().min(at + PART_BYTES);
            self.credit.spend(0, end - at);
            let last = end == bytes.len() && !more;
            sent(self.part(&bytes[at..end], last)).await?;
            at = end;
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// Items, encoded.
enum Batch {
    /// They are on their way.
    Sent((Call<()>, oneshot::Receiver<()>)),
    /// So many of them, too large to be sent at once.
    Large(usize, Buffer, Option<Tail>),
}

/// A pump that is dropped, as when its runtime ends, leaves no sender behind.
impl<T: Item> Drop for Pump<T> {
    fn drop(&mut self) {
        let text = "the runtime that sent the items of this stream was shut down";
        self.queue.close(Error::of(ErrorKind::Disconnected, text));
    }
}
