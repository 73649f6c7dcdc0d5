//! What this side has lent to the peer, how often, and what came back.

use super::{HOME, Own, broken, pool::Pool};
use crate::{
    shm::{
        mapping::{Ours, Theirs},
        ring::{Geometry, TakenBack},
    },
    stream::lock,
};
use farcall_core::{
    payload::{Block, Loan, Payload},
    transport::{Need, Purpose},
};
use std::{
    any::Any,
    collections::HashMap,
    io,
    sync::{Arc, Mutex},
    task::Waker,
};

/// Bytes from which a loan is worth a block.
const WORTH_A_PAGE: usize = 1024;

/// Lends blocks of this side's arena. When it is gone, with its wire, nothing is lent any more, and nothing is written over.
#[derive(Debug)]
pub(crate) struct Lender {
    pool: Arc<Pool>,
    theirs: Theirs,
    most: usize,
    lends: Mutex<Lends>,
}

#[derive(Debug)]
struct Lends {
    returns: TakenBack,
    /// By number.
    lent: HashMap<u32, Lent>,
    /// The times that all of them are lent.
    count: usize,
}

#[derive(Debug)]
struct Lent {
    block: Arc<Own>,
    times: usize,
}

impl Lender {
    pub(crate) fn new(
        ours: Ours,
        geometry: &Geometry,
        theirs: Theirs,
        of_theirs: Geometry,
    ) -> Self {
        let lends = Lends { returns: TakenBack::new(of_theirs), lent: HashMap::new(), count: 0 };
        let pool = Arc::new(Pool::new(ours, geometry));
        Self { pool, theirs, most: of_theirs.lends(), lends: Mutex::new(lends) }
    }

    /// A block of `length` bytes. `None` if it is not worth one, or there is no room.
    ///
    /// # Errors
    /// `InvalidData` if the peer has given back what it was not lent.
    pub(crate) fn loan(&self, length: usize, purpose: Purpose) -> io::Result<Option<Loan>> {
        if length < WORTH_A_PAGE {
            return Ok(None);
        }
        self.drain()?;
        if purpose == Purpose::Copy && self.pool.is_short() {
            return Ok(None);
        }
        let block = Own::new(&self.pool, length);
        Ok(block.and_then(|block| Loan::of_block(Arc::new(block))))
    }

    /// Blocks for the first of `needs` that there is room for, and which one that is. Otherwise they are awaited, and other loans stand
    /// back.
    ///
    /// # Errors
    /// `InvalidData` if the peer has given back what it was not lent.
    pub(crate) fn make_room(&self, needs: Vec<Need>) -> io::Result<Option<(usize, Vec<Loan>)>> {
        self.drain()?;
        let Some((at, blocks)) = Own::first(&self.pool, needs, self.left()) else {
            return Ok(None);
        };
        let loans = blocks.into_iter().filter_map(|block| Loan::of_block(Arc::new(block)));
        Ok(Some((at, loans.collect())))
    }

    /// Whether there is room now for what is awaited. None if nothing is.
    ///
    /// # Errors
    /// `InvalidData` if the peer has given back what it was not lent.
    pub(crate) fn has_awaited(&self) -> io::Result<Option<bool>> {
        let Some(before) = self.pool.has_awaited(self.left()) else { return Ok(None) };
        self.drain()?;
        Ok(Some(before || self.pool.has_awaited(self.left()) == Some(true)))
    }

    /// Who is told when a block comes free here that is awaited. What comes back from the peer is rung for.
    pub(crate) fn leave_waker(&self, waker: &Waker) {
        self.pool.leave_waker(waker);
    }

    /// Whether there would be room for all of these if nothing were lent.
    pub(crate) fn could_carry(&self, need: &Need) -> bool {
        need.beside <= self.most && self.pool.could_hold(need)
    }

    /// So many more blocks can be lent.
    fn left(&self) -> usize {
        self.most.saturating_sub(lock(&self.lends).count)
    }

    /// Whether this is a block of this side's that can be lent once more, with `others`.
    pub(crate) fn can_lend(&self, block: &dyn Block, others: usize) -> bool {
        let own = (block as &dyn Any).downcast_ref::<Own>();
        own.is_some_and(|own| own.is_of(&self.pool)) && self.has_room(others)
    }

    fn has_room(&self, others: usize) -> bool {
        let has_room = || lock(&self.lends).count + others < self.most;
        has_room() || (self.drain().is_ok() && has_room())
    }

    /// Counts a block as lent once more, and describes it.
    ///
    /// # Errors
    /// `InvalidInput` for what [`can_lend`](Self::can_lend) refuses.
    pub(crate) fn lend(&self, block: Arc<dyn Block>) -> io::Result<(u32, u32)> {
        let block: Arc<dyn Any + Send + Sync> = block;
        let refused = io::ErrorKind::InvalidInput;
        let block = block.downcast::<Own>().map_err(|_| refused)?;
        let mut lends = lock(&self.lends);
        if !block.is_of(&self.pool) || lends.count >= self.most {
            return Err(refused.into());
        }
        let length = u32::try_from(block.length()).map_err(|_| refused)?;
        let number = block.number();
        lends.count += 1;
        lends.lent.entry(number).or_insert(Lent { block, times: 0 }).times += 1;
        Ok((number, length))
    }

    /// A block that the peer sends home with a frame.
    ///
    /// # Errors
    /// `InvalidData` if it was not lent, or is another one than it was.
    pub(crate) fn take_home(&self, number: u32, length: u32) -> io::Result<Payload> {
        let block = lock(&self.lends).take(number & !HOME)?;
        if block.length() != length as usize {
            return Err(broken("a block comes back with another length"));
        }
        Ok(Payload::of_block(block))
    }

    /// Takes in what the peer has given back.
    ///
    /// # Errors
    /// `InvalidData` if it was not lent.
    fn drain(&self) -> io::Result<()> {
        if !self.theirs.is_here() {
            return Ok(());
        }
        let mut back = Vec::new();
        let mut lends = lock(&self.lends);
        loop {
            let count = lends.count;
            let Some(number) = lends.returns.next(&self.theirs, count)? else { break };
            back.push(lends.take(number)?);
        }
        drop(lends);
        drop(back);
        Ok(())
    }

    /// Pages that are taken, after what was given back has been taken in.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn used(&self) -> usize {
        self.drain().expect("an honest peer");
        self.pool.used()
    }
}

impl Lends {
    /// A block is lent once less.
    fn take(&mut self, number: u32) -> io::Result<Arc<Own>> {
        let unknown = || broken("it gives back a block that it was not lent");
        let lent = self.lent.get_mut(&number).ok_or_else(unknown)?;
        lent.times -= 1;
        self.count -= 1;
        let block = Arc::clone(&lent.block);
        if lent.times == 0 {
            self.lent.remove(&number);
        }
        Ok(block)
    }
}
