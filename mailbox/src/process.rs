//! A process that sends to others by their names, and receives from them.

use crate::{
    Action, Error, Kind, Message, ProcessId, Result,
    door::Door,
    inbox::Came,
    links::{Dial, LinkInfo, Links},
    post::Patience,
    writing::Writing,
};
use farcall_core::stub::Remote;
use serde::{Serialize, de::DeserializeOwned};
use std::{future::Future, sync::Arc, time::Duration};

/// A process that sends to others by their names, and receives from them. Between two processes there is one link, which is made when
/// either of them first uses it, and serves both ways.
///
/// Messages from one process are taken in the order in which it sent them. Of each sender [`PLACES`](crate::PLACES) wait to be taken; then
/// it waits. A message of another type than the one that is asked for stays where it is.
#[derive(Clone, Debug)]
pub struct Correspondent {
    links: Arc<Links>,
}

impl Correspondent {
    /// A process that finds others by `dial`. [`door`](Self::door) is what they find.
    #[must_use]
    pub fn new(me: ProcessId, dial: Dial) -> Self {
        Self { links: Arc::new(Links::new(me, dial)) }
    }

    /// Where others find it.
    #[must_use]
    pub fn door(&self) -> Remote<dyn Door> {
        Remote::from_arc(Arc::clone(&self.links))
    }

    /// This process, with the name that it has claimed.
    #[must_use]
    pub fn id(&self) -> &ProcessId {
        self.links.me()
    }

    /// The links that are alive, in the order of the others' names.
    #[must_use]
    pub fn links(&self) -> Vec<LinkInfo> {
        self.links.all()
    }

    /// Sends a message to the process of that name: done when it has a place there.
    ///
    /// # Errors
    /// `NoSuchProcess` if none is found within 10 s; `ProcessGone` if it ends meanwhile: then it is not known whether it has the message.
    pub fn send_to<T: Serialize + DeserializeOwned + 'static>(
        &self,
        name: &str,
        value: &T,
    ) -> Action<()> {
        self.post(name, value, Patience::Endless)
    }

    /// Sends a message if there is a place for it now. A link that is not there yet is made.
    ///
    /// # Errors
    /// `Full`; `NoAnswer`, if the process hangs; and those of [`send_to`](Self::send_to).
    pub fn try_send_to<T: Serialize + DeserializeOwned + 'static>(
        &self,
        name: &str,
        value: &T,
    ) -> Action<()> {
        self.post(name, value, Patience::None)
    }

    /// Sends a message if there is a place for it in time.
    ///
    /// # Errors
    /// `TimedOut`: it was surely not sent; `NoAnswer`, [`ANSWER`](crate::ANSWER) later, if the process hangs; and those of
    /// [`send_to`](Self::send_to).
    pub fn send_to_timeout<T: Serialize + DeserializeOwned + 'static>(
        &self,
        name: &str,
        value: &T,
        time: Duration,
    ) -> Action<()> {
        self.post(name, value, Patience::For(time))
    }

    /// Takes the next message of any process, and waits for one.
    ///
    /// # Errors
    /// `OtherLetters` if it is of another type; a call's `Decode` if it is no `T` after all, which it is lost with.
    pub fn recv<T: DeserializeOwned + Send + 'static>(&self) -> Action<Message<T>> {
        self.take(None, Patience::Endless)
    }

    /// Takes the next message of any process, if there is one.
    ///
    /// # Errors
    /// `Empty`, and those of [`recv`](Self::recv).
    pub fn try_recv<T: DeserializeOwned + Send + 'static>(&self) -> Action<Message<T>> {
        self.take(None, Patience::None)
    }

    /// Takes the next message of any process, if one comes in time.
    ///
    /// # Errors
    /// `TimedOut`, and those of [`recv`](Self::recv).
    pub fn recv_timeout<T: DeserializeOwned + Send + 'static>(
        &self,
        time: Duration,
    ) -> Action<Message<T>> {
        self.take(None, Patience::For(time))
    }

    /// Takes the next message of the process of that name, and waits for one.
    ///
    /// # Errors
    /// `NoSuchProcess`; `ProcessGone` if it ends and has left nothing; and those of [`recv`](Self::recv).
    pub fn recv_from<T: DeserializeOwned + Send + 'static>(
        &self,
        name: &str,
    ) -> Action<Message<T>> {
        self.take(Some(name.to_owned()), Patience::Endless)
    }

    /// Takes the next message of the process of that name, if there is one. Makes no link.
    ///
    /// # Errors
    /// `Empty`, and those of [`recv`](Self::recv).
    pub fn try_recv_from<T: DeserializeOwned + Send + 'static>(
        &self,
        name: &str,
    ) -> Action<Message<T>> {
        self.take(Some(name.to_owned()), Patience::None)
    }

    /// Takes the next message of the process of that name, if one comes in time.
    ///
    /// # Errors
    /// `TimedOut`, and those of [`recv_from`](Self::recv_from).
    pub fn recv_from_timeout<T: DeserializeOwned + Send + 'static>(
        &self,
        name: &str,
        time: Duration,
    ) -> Action<Message<T>> {
        self.take(Some(name.to_owned()), Patience::For(time))
    }

    fn post<T: Serialize + DeserializeOwned + 'static>(
        &self,
        name: &str,
        value: &T,
        patience: Patience,
    ) -> Action<()> {
        let (kind, letter) = (Kind::of::<T>(), Writing::of(value));
        let (links, name) = (Arc::clone(&self.links), name.to_owned());
        Action::new(async move { links.send(&name, kind, letter?, patience).await })
    }

    fn take<T: DeserializeOwned + Send + 'static>(
        &self,
        from: Option<String>,
        patience: Patience,
    ) -> Action<Message<T>> {
        let links = Arc::clone(&self.links);
        Action::new(async move {
            let kind = Kind::of::<T>();
            let next = next(&links, from.as_deref(), &kind, patience);
            let came = match patience {
                Patience::Endless => next.await?,
                Patience::For(time) => within(time, next).await?,
                Patience::None => {
                    links.inbox().take(from.as_deref(), &kind)?.ok_or(Error::Empty)?
                }
            };
            Ok(Message { value: came.message.read()?, sender: came.sender })
        })
    }
}

async fn next(links: &Links, from: Option<&str>, kind: &Kind, patience: Patience) -> Result<Came> {
    let Some(name) = from else { return links.inbox().next(None, kind).await };
    tokio::select! {
        biased;
        came = links.inbox().next(Some(name), kind) => came,
        gone = links.gone(name, patience) => {
            // What it has left is there still.
            links.inbox().take(Some(name), kind)?.ok_or(gone)
        }
    }
}

async fn within<T>(time: Duration, taken: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(time, taken).await.unwrap_or(Err(Error::TimedOut))
}
