//! Where background work runs, and whether the calling code may block.

use crate::{
    context,
    error::{Error, ErrorKind},
};
use std::{
    cell::Cell,
    future::poll_fn,
    panic::{self, UnwindSafe},
    pin::pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};
use tokio::{
    runtime::{Builder, Handle, RuntimeFlavor},
    task::block_in_place,
    time::Sleep,
};

/// The runtime of the calling code, or, where it has none, that of a thread of the library's own, started now.
pub(crate) fn background() -> Result<Handle, Error> {
    match Handle::try_current() {
        Ok(handle) => has(|| drop(tokio::time::sleep(Duration::ZERO)), "timers").map(|()| handle),
        Err(_) => own(),
    }
}

/// Refuses a runtime that was built without sockets. To be called within one.
///
/// # Errors
/// `NoRuntime`, saying how to build it.
pub fn check_sockets() -> Result<(), Error> {
    #[cfg(unix)]
    has(|| drop(tokio::net::UnixDatagram::unbound()), "sockets")?;
    Ok(())
}

/// Whether the runtime of the calling code was built with what `uses` needs: tokio panics where it was not, and tells by nothing else.
fn has(uses: impl Fn() + UnwindSafe, what: &str) -> Result<(), Error> {
    panic::catch_unwind(uses).map_err(|_| {
        let text = format!(
            "the tokio runtime of this code was built without {what}: build it with `enable_all()`"
        );
        Error::of(ErrorKind::NoRuntime, text)
    })
}

/// Runs what is likely to take long: where the runtime has several threads, another one looks after this one's tasks and sockets meanwhile.
pub(crate) fn at_length(run: impl FnOnce()) {
    let flavor = Handle::try_current().map(|handle| handle.runtime_flavor());
    match flavor {
        Ok(RuntimeFlavor::MultiThread) => block_in_place(run),
        _ => run(),
    }
}

/// The runtime of the library's own thread.
pub(crate) fn own() -> Result<Handle, Error> {
    static OWN: OnceLock<Result<Handle, Error>> = OnceLock::new();
    OWN.get_or_init(start).clone()
}

fn start() -> Result<Handle, Error> {
    let failed = |error: std::io::Error| {
        Error::of(
            ErrorKind::NoRuntime,
            format!("farcall's background thread did not start: {error}"),
        )
    };
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let handle = runtime.handle().clone();
    let body = move || runtime.block_on(std::future::pending::<()>());
    thread::Builder::new().name("farcall".to_owned()).spawn(body).map_err(failed)?;
    Ok(handle)
}

/// Whether the calling code is polled by a runtime, so that blocking would stop everything else there.
pub(crate) fn in_async() -> bool {
    context::with(|context| context.is_some()) || (Handle::try_current().is_ok() && has_budget())
}

/// Whether tokio counts the calling code's steps. It does for tasks and for `block_on`, and not for threads that may block
/// (`spawn_blocking`, `block_in_place`, threads that merely entered a runtime). It gives a task at most 128 steps, so one of
/// 129 is refused.
fn has_budget() -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    (0..=128).any(|_| match tokio::task::coop::poll_proceed(&mut cx) {
        Poll::Ready(step) => {
            step.made_progress();
            false
        }
        Poll::Pending => true,
    })
}

/// Runs a future to its end in the background and blocks this thread meanwhile.
///
/// # Errors
/// `WaitInAsync` in async code; `NoRuntime`; those of the future.
pub fn wait<T: Send + 'static>(
    future: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    refuse_wait()?;
    let (sender, result) = std::sync::mpsc::sync_channel(1);
    let body = async move {
        let _ = sender.send(future.await);
    };
    background()?.spawn(body);
    result.recv().unwrap_or_else(|_| {
        Err(Error::of(ErrorKind::NoRuntime, "the runtime that was to do this was shut down"))
    })
}

/// Runs a future to its end on this thread, which sleeps while there is nothing to do. Its timers and tasks are those of the runtime of
/// the calling code, or of the library's own thread.
///
/// # Errors
/// `WaitInAsync` in async code; `NoRuntime`.
pub fn wait_here<T>(future: impl Future<Output = T>) -> Result<T, Error> {
    refuse_wait()?;
    Ok(background()?.block_on(future))
}

/// Runs a future in any code: its timers, sockets and tasks are those of the runtime of the calling code, or of the library's own thread.
///
/// # Errors
/// `NoRuntime`; those of the future.
///
/// # Cancel safety
/// That of the future.
pub async fn anywhere<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let handle = background()?;
    let mut future = pin!(future);
    poll_fn(|cx| {
        let _entered = handle.enter();
        future.as_mut().poll(cx)
    })
    .await
}

thread_local! {
    /// Another task of this thread was woken, and whoever spins on it does not know.
    static STIRRED: Cell<bool> = const { Cell::new(false) };
}

/// Says that another task was woken which may be of this thread: whoever spins on it lets the others run first.
pub fn stir() {
    STIRRED.set(true);
}

/// Whether another task was woken since this was asked last.
pub(crate) fn take_stir() -> bool {
    STIRRED.take()
}

/// Lets a future run in the background, on the runtime of the calling code or on that of the library's own thread.
///
/// # Errors
/// `NoRuntime`.
pub fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
    background()?.spawn(future);
    Ok(())
}

/// Waits for so long, in any code: the clock is that of the runtime of the calling code or of the library's own thread.
///
/// # Errors
/// `NoRuntime`.
pub fn sleep(time: Duration) -> Result<Sleep, Error> {
    let handle = background()?;
    let _entered = handle.enter();
    Ok(tokio::time::sleep(time))
}

/// Runs a future that needs no runtime of its own to its end, on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// What `.wait()` says in async code.
pub(crate) fn refuse_wait() -> Result<(), Error> {
    if !in_async() {
        return Ok(());
    }
    let text = "`.wait()` would block the thread that async code runs on: write `.await`";
    Err(Error::of(ErrorKind::WaitInAsync, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn async_code_is_told_from_threads_that_may_block() {
        assert!(!in_async());
        let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        {
            let _entered = runtime.enter();
            assert!(!in_async());
        }
        runtime.block_on(async {
            assert!(in_async());
            assert!(tokio::spawn(async { in_async() }).await.unwrap());
            assert!(!tokio::task::spawn_blocking(in_async).await.unwrap());
            let inside = tokio::spawn(async { block_in_place(in_async) });
            assert!(!inside.await.unwrap());
        });
    }
}
