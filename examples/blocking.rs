//! A server and a client without a runtime in sight: every future of this library can be waited for with `.wait()`.
//!
//! `cargo run --example blocking` starts the server as a second process; `-- serve` is that server.
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::Remote;
use std::{env, process::Command};

/// Counts words. `&mut self`: calls on one object run one at a time, in order.
#[farcall::remote]
trait Words {
    async fn add(&mut self, text: &str) -> farcall::Result<()>;
    async fn total(&self) -> farcall::Result<usize>;
}

#[derive(Default)]
struct Counter {
    words: usize,
}

impl Words for Counter {
    async fn add(&mut self, text: &str) -> farcall::Result<()> {
        self.words += text.split_whitespace().count();
        Ok(())
    }

    async fn total(&self) -> farcall::Result<usize> {
        Ok(self.words)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if env::args().nth(1).as_deref() == Some("serve") {
        return Ok(farcall::serve("words", Remote::<dyn Words>::new(Counter::default())).wait()?);
    }
    let mut server = Command::new(env::current_exe()?).arg("serve").spawn()?;
    let counted = count();
    server.kill()?;
    println!("{:<16} {:>6}", "words counted", counted?);
    Ok(())
}

fn count() -> farcall::Result<usize> {
    let mut words = farcall::connect::<dyn Words>("words").wait()?;
    words.add("one after the other").wait()?;

    // A call is on its way when it is made, so these are all in flight before the first is waited for.
    let calls: Vec<_> = (0..100).map(|_| words.add("or a hundred at once")).collect();
    for call in calls {
        call.wait()?;
    }

    // A handle is cheap to clone, and each thread may have one.
    let add = |mut words: Remote<dyn Words>| words.add("or from four threads").wait();
    let handles = std::iter::repeat_n(words.clone(), 4);
    let threads: Vec<_> = handles.map(|words| std::thread::spawn(move || add(words))).collect();
    for thread in threads {
        thread.join().map_err(|_| farcall::Error::new("a thread panicked"))??;
    }
    words.total().wait()
}
