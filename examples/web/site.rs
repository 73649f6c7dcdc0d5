//! What the site has to say: the interface between the two processes, which knows nothing of HTTP's bytes, and the handler behind it.

use crate::part;
use farcall::{Remote, Server};
use serde::{Deserialize, Serialize};
use std::{
    process,
    sync::atomic::{AtomicU64, Ordering},
};

/// A request.
#[derive(Serialize, Deserialize, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub body: String,
}

/// An answer.
#[derive(Serialize, Deserialize, Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

#[farcall::remote]
pub trait Site {
    async fn answer(&self, asked: Asked) -> farcall::Result<Answer>;
}

#[derive(Default)]
struct Handler {
    visits: AtomicU64,
}

impl Site for Handler {
    async fn answer(&self, asked: Asked) -> farcall::Result<Answer> {
        let (status, text) = match (&*asked.method, &*asked.path) {
            ("GET", "/") => {
                let visit = self.visits.fetch_add(1, Ordering::Relaxed) + 1;
                (200, format!("visit {visit} to process {}", process::id()))
            }
            ("POST", "/shout") => (200, asked.body.to_uppercase()),
            ("GET", "/bug") => panic!("a bug of the handler's"),
            ("GET", path) if path.starts_with("/square/") => square(&path["/square/".len()..]),
            (_, path) => (404, format!("there is nothing at {path}")),
        };
        Ok(Answer { status, text })
    }
}

fn square(text: &str) -> (u16, String) {
    match text.parse().ok().and_then(|number: u64| number.checked_mul(number)) {
        Some(square) => (200, square.to_string()),
        None => (400, format!("`{text}` is no number that can be squared")),
    }
}

/// Handles requests for as long as the process lives that has started this one.
pub async fn handle(service: &str) -> crate::Result<()> {
    // One request asks for a panic: that is no news.
    std::panic::set_hook(Box::new(|_| {}));
    let site = Remote::<dyn Site>::new(Handler::default());
    let running = Server::new().export(service, site).listen(service).start().await?;
    part::while_parent_lives(async { Err(running.failed().await.into()) }).await
}
