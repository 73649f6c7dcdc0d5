//! Payloads: bytes in shared memory, sent back and summed. The client calls `.wait()`, the servant is the same for all of them.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use farcall::{Payload, Remote};

use super::{Flavour, service, stay, trust};
use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::stopwatch::{Measured, Stopwatch};
use crate::work::{self, Work};

/// This file's rows.
pub const ROWS: &[&dyn Row] =
    &[&Sent::Loaned, &Sent::Trusted, &Sent::Refilled, &Sent::Heap, &Sent::Slice];

/// How the client comes by what it sends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// One loan, filled before the first call.
    Loaned,
    /// The same, and the server trusts its client.
    Trusted,
    /// A loan for each call, filled while the time runs.
    Refilled,
    /// One payload on the heap, filled before the first call.
    Heap,
    /// A `&[u8]`, and the server trusts its client.
    Slice,
}

impl Row for Sent {
    fn name(&self) -> &'static str {
        match self {
            Self::Loaned => "farcall-loan",
            Self::Trusted => "farcall-loan-trust",
            Self::Refilled => "farcall-loan-fill",
            Self::Heap => "farcall-heap",
            Self::Slice => "farcall-slice-trust",
        }
    }

    fn about(&self) -> &'static str {
        match self {
            Self::Loaned => {
                "`farcall-wait` with a loaned `Payload`, filled once, before the time runs; the servant reads it in copies \
                 of 8 KiB, or sends it back"
            }
            Self::Trusted => {
                "`farcall-loan`, and the server trusts its client: the servant reads in place"
            }
            Self::Refilled => {
                "`farcall-loan` with a new loan for each call, into which the bytes are copied while the time runs"
            }
            Self::Heap => {
                "`farcall-wait` with a `Payload` on the heap, filled once: it is copied into shared memory by each call"
            }
            Self::Slice => {
                "`farcall-wait` with a `&[u8]`, and the server trusts its client: each call copies it into shared memory, and the \
                 servant reads it there"
            }
        }
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Shm]
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        match self {
            _ if work == Work::LETTER_CALL => false,
            // It would come back as a `Vec`, as that of `farcall-wait` does.
            Self::Slice => matches!(work, Work::Sum(length) if length < work::MAX_FRAME),
            _ => matches!(work, Work::Echo(_) | Work::Sum(_)),
        }
    }

    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, address: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        let servant = Remote::<dyn Store>::new(Servant);
        let server = farcall::Server::new().export("bench", servant).listen(&address.to_string());
        let server = if matches!(self, Self::Trusted | Self::Slice) {
            trust::clients_of(server)
        } else {
            server
        };
        Flavour::CurrentThread.build()?.block_on(async { stay(server.start().await?, ready).await })
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        let address = service(&address.to_string());
        let store = farcall::connect::<dyn Store>(&address).wait()?;
        Ok(Box::new(PayloadDriver { sent: *self, store }))
    }
}

#[farcall::remote]
trait Store {
    async fn echo(&self, data: Payload) -> farcall::Result<Payload>;
    async fn sum(&self, data: Payload) -> farcall::Result<u64>;
    async fn sum_slice(&self, data: &[u8]) -> farcall::Result<u64>;
}

struct Servant;

impl Store for Servant {
    async fn echo(&self, data: Payload) -> farcall::Result<Payload> {
        Ok(data)
    }

    async fn sum(&self, data: Payload) -> farcall::Result<u64> {
        Ok(sum_of(&data))
    }

    async fn sum_slice(&self, data: &[u8]) -> farcall::Result<u64> {
        Ok(work::sum(data))
    }
}

/// Reads all bytes.
fn sum_of(data: &Payload) -> u64 {
    let mut sum = 0;
    data.for_each_chunk(|bytes| sum += work::sum(bytes));
    sum
}

/// The same, with what [`work::mark`] makes of pieces of 8 KiB.
fn mark_of(data: &Payload) -> u64 {
    let mut mark = 0_u64;
    data.for_each_chunk(|bytes| mark = mark.wrapping_add(work::mark(bytes)));
    mark
}

struct PayloadDriver {
    sent: Sent,
    store: Remote<dyn Store>,
}

impl PayloadDriver {
    fn loan(&self, data: &[u8]) -> Payload {
        let mut loan = self.store.loan(data.len());
        loan.copy_from_slice(data);
        loan.into()
    }

    /// Times `call` with one payload of these bytes after the other.
    fn each(
        &self,
        data: Vec<u8>,
        time: Duration,
        call: impl Fn(Payload) -> Result<()>,
    ) -> Result<Measured> {
        let kept = match self.sent {
            Sent::Refilled => return Stopwatch::run(time, || call(self.loan(&data))),
            Sent::Loaned | Sent::Trusted => self.loan(&data),
            Sent::Heap | Sent::Slice => Payload::from(data),
        };
        Stopwatch::run(time, || call(kept.clone()))
    }
}

impl Driver for PayloadDriver {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        match work {
            Work::Echo(length) => {
                let data = work::pattern(length);
                let echoed = self.store.echo(self.loan(&data)).wait()?;
                ensure!(echoed.to_vec() == data, "another echo");
                let mark = work::mark(&data);
                self.each(data, time, |payload| {
                    ensure!(mark_of(&self.store.echo(payload).wait()?) == mark, "another echo");
                    Ok(())
                })
            }
            Work::Sum(length) => {
                let data = work::pattern(length);
                let sum = work::sum(&data);
                if self.sent == Sent::Slice {
                    return Stopwatch::run(time, || {
                        ensure!(self.store.sum_slice(&data).wait()? == sum, "a wrong sum");
                        Ok(())
                    });
                }
                self.each(data, time, |payload| {
                    ensure!(self.store.sum(payload).wait()? == sum, "a wrong sum");
                    Ok(())
                })
            }
            _ => bail!("only payloads here"),
        }
    }
}
