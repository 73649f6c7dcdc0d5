//! A mailbox as a stream of letters, and as a sink of them.

use crate::{Access, Action, Error, Letter, Receipt, Result};
use futures_core::Stream;
use futures_sink::Sink;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// The letters of a mailbox, one after the other. It ends when the mailbox is closed or gone. Nothing is taken that was not asked for.
pub struct Letters<T> {
    access: Access<T>,
    taking: Option<Action<Letter<T>>>,
}

impl<T> Letters<T> {
    pub(crate) fn new(access: Access<T>) -> Self {
        Self { access, taking: None }
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Stream for Letters<T> {
    type Item = Result<Letter<T>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let taking = this.taking.get_or_insert_with(|| this.access.recv());
        let taken = ready!(Pin::new(taking).poll(cx));
        this.taking = None;
        Poll::Ready(match taken {
            Err(Error::Closed { .. } | Error::MailboxGone(_)) => None,
            letter => Some(letter),
        })
    }
}

impl<T> fmt::Debug for Letters<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Letters").field(&self.access).finish()
    }
}

/// A sink of letters. It is ready when the letter before was accepted.
pub struct Outgoing<T> {
    access: Access<T>,
    sending: Option<Action<Receipt>>,
}

impl<T> Outgoing<T> {
    pub(crate) fn new(access: Access<T>) -> Self {
        Self { access, sending: None }
    }

    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let Some(sending) = &mut self.sending else { return Poll::Ready(Ok(())) };
        let sent = ready!(Pin::new(sending).poll(cx));
        self.sending = None;
        Poll::Ready(sent.map(drop))
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Sink<T> for Outgoing<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.poll_sent(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, value: T) -> Result<()> {
        self.sending = Some(self.access.send(&value));
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.poll_sent(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.poll_sent(cx)
    }
}

impl<T> fmt::Debug for Outgoing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Outgoing").field(&self.access).finish()
    }
}
