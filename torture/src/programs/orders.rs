//! What a process is told by its parent, line by line.

use std::{io, thread};
use tokio::sync::mpsc;

/// The lines of the standard input.
pub(crate) fn orders() -> mpsc::UnboundedReceiver<String> {
    let (sender, orders) = mpsc::unbounded_channel();
    thread::spawn(move || {
        io::stdin().lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    orders
}
