//! A context that a servant keeps is no hold on the wire that its call came by.

use farcall::{
    Context, Peer, Remote,
    transport::{self, Interest, Ready, Wire},
};
use std::{
    sync::{Arc, Mutex},
    task,
    time::Duration,
};
use tokio::runtime::Builder;

#[farcall::remote]
trait Clerk {
    /// Keeps what it knows of the call.
    async fn keep(&self) -> farcall::Result<()>;
}

type Kept = Arc<Mutex<Option<Context>>>;

struct Keeper(Kept);

impl Clerk for Keeper {
    async fn keep(&self) -> farcall::Result<()> {
        *self.0.lock().expect("nobody panics") = farcall::context();
        Ok(())
    }
}

/// The readiness of a wire, and a mark that lives as long as it does.
struct Marked {
    ready: Arc<dyn Ready>,
    _mark: Arc<()>,
}

impl Ready for Marked {
    fn arm(&self) {
        self.ready.arm();
    }

    fn disarm(&self) {
        self.ready.disarm();
    }

    fn poll_readable(&self, cx: &mut task::Context<'_>) -> task::Poll<()> {
        self.ready.poll_readable(cx)
    }

    fn poll_writable(&self, cx: &mut task::Context<'_>) -> task::Poll<()> {
        self.ready.poll_writable(cx)
    }

    fn wait(&self, interest: Interest, timeout: Option<Duration>) {
        self.ready.wait(interest, timeout);
    }
}

#[test]
fn one_that_is_kept_keeps_no_wire() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (near, far) = tokio::io::duplex(64 << 10);
        let wire = |stream| transport::wire(stream, Peer::new("stream", "the other end"));
        let mark = Arc::new(());
        let alive = Arc::downgrade(&mark);
        let far = wire(far);
        let far = Wire { ready: Arc::new(Marked { ready: far.ready, _mark: mark }), ..far };
        let kept = Kept::default();
        let object = Remote::<dyn Clerk>::new(Keeper(Arc::clone(&kept)));
        let serving = tokio::spawn(farcall::serve_over(far, object));
        let clerk = farcall::connect_over::<dyn Clerk>(wire(near)).await.expect("it serves");
        clerk.keep().await.expect("it answers");
        assert!(alive.upgrade().is_some(), "the wire is there");
        drop(clerk);
        serving.await.expect("nobody panics").expect("it has ended");
        let context = kept.lock().expect("nobody panics").take().expect("it was kept");
        assert!(alive.upgrade().is_none(), "the wire is gone, and the context is not");
        let peer = context.clone().scope(async { farcall::peer() }).await.expect("it knows");
        assert_eq!(peer.address, "the other end");
        let loan = context.scope(async { farcall::loan(100_000) }).await;
        assert_eq!(loan.len(), 100_000);
    });
}
