//! What a fuzzer does to two arenas: one side lends, the other borrows and gives back, and either may lie. Nothing is read out of
//! bounds, a lender errs only where somebody has lied, what a program holds is not written over, and honest sides lose nothing.

use super::{Borrower, HOME, Lender};
use crate::shm::{
    doorbell::Doorbell,
    forked::Origin,
    mapping::{Ours, Theirs},
    ring::{Geometry, Writable},
    segment,
};
use farcall_core::{
    payload::{Loan, Payload},
    transport::{Need, Purpose},
};
use std::{cell::OnceCell, collections::VecDeque, io, sync::Arc};

/// Bytes of the arena: the smallest that there is.
const ARENA: usize = 1 << 20;
/// Where the borrower's segment says how many blocks it has given back, and which.
const RETURNED: usize = 0x580;
const RETURNS: usize = 0x1000;

/// Takes the bytes for steps, one or more bytes each.
pub(crate) fn run(bytes: &[u8]) {
    thread_local! {
        static MEMORY: OnceCell<Memory> = const { OnceCell::new() };
    }
    MEMORY.with(|memory| {
        let mut sides = Sides::new(memory.get_or_init(Memory::new));
        let mut bytes = bytes.iter().copied();
        while let Some(step) = bytes.next()
            && !sides.over
        {
            let mut byte = || bytes.next().unwrap_or(0);
            match step % 12 {
                0 | 1 => sides.loan(step, u16::from_le_bytes([byte(), byte()])),
                2 | 3 => sides.lend(byte(), if step < 230 { 1 } else { usize::from(step) * 2 }),
                4 => sides.arrive(),
                5 => sides.give_back(byte()),
                6 => sides.send_home(byte()),
                7 => sides.come_home(),
                8 => drop(pick(&mut sides.own, byte())),
                9 => sides.make_room(step, [byte(), byte()]),
                10 => sides.copy(byte()),
                _ => sides.lie(step, [byte(), byte(), byte()]),
            }
        }
        sides.finish();
    });
}

/// The segments, which are the same for all runs: to map new ones takes longer than a run.
struct Memory {
    lender: (Ours, Theirs, Geometry),
    borrower: (Ours, Theirs, Geometry),
    bell: Arc<Doorbell>,
}

impl Memory {
    fn new() -> Self {
        let origin = Origin::here().expect("there is memory");
        let side = |arena| {
            let geometry = segment::geometry(arena).expect("a size that arenas have");
            let ours = segment::create(&geometry, origin).expect("there is memory");
            let memory = ours.memory().expect("it is its own").try_clone().expect("it is open");
            let theirs = segment::open(memory, &geometry, origin).expect("as it should be");
            (ours, theirs, geometry)
        };
        let bell = Arc::new(Doorbell::new().expect("there are descriptors"));
        Self { lender: side(ARENA), borrower: side(0), bell }
    }
}

/// A payload, and what its bytes are.
type Filled = (Payload, u8);

/// Both sides, and what is on its way between them.
struct Sides<'a> {
    lender: Lender,
    borrower: Arc<Borrower>,
    /// What the borrower writes.
    segment: &'a Ours,
    /// The lender's program has these.
    own: Vec<Filled>,
    coming: VecDeque<(u32, u32, u8)>,
    /// The borrower's program has these.
    borrowed: Vec<Filled>,
    going: VecDeque<(u32, u32, u8)>,
    count: u8,
    /// Somebody lied.
    lied: bool,
    /// The lender found out.
    over: bool,
}

impl<'a> Sides<'a> {
    fn new(memory: &'a Memory) -> Self {
        let Memory { lender: (ours, theirs, geometry), borrower, bell } = memory;
        borrower.0.store(RETURNED, 0);
        let pair = ((borrower.0.clone(), borrower.2), (theirs.clone(), *geometry));
        Self {
            lender: Lender::new(ours.clone(), geometry, borrower.1.clone(), borrower.2),
            borrower: Arc::new(Borrower::new(pair.0, pair.1, Arc::clone(bell))),
            segment: &borrower.0,
            own: Vec::new(),
            coming: VecDeque::new(),
            borrowed: Vec::new(),
            going: VecDeque::new(),
            count: 0,
            lied: false,
            over: false,
        }
    }

    /// What the other side may have lied about.
    fn believed<T>(&mut self, said: io::Result<T>) -> Option<T> {
        if let Err(error) = &said {
            assert!(self.lied, "{error}");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            self.over = true;
        }
        said.ok()
    }

    fn fill(&mut self, mut loan: Loan, keep: usize) {
        self.count = self.count.wrapping_add(1);
        loan.fill(self.count);
        loan.truncate(keep);
        self.own.push((loan.into(), self.count));
    }

    fn loan(&mut self, step: u8, length: u16) {
        let length = usize::from(length) * (1 + usize::from(step / 12 % 4) * 5);
        let purpose = if step < 128 { Purpose::Loan } else { Purpose::Copy };
        let loan = self.lender.loan(length, purpose);
        if let Some(Some(loan)) = self.believed(loan) {
            assert_eq!(loan.len(), length);
            self.fill(loan, 1 + length / (1 + usize::from(step % 2)));
        }
    }

    /// Lends a block a number of times, if it can be.
    fn lend(&mut self, number: u8, times: usize) {
        if self.own.is_empty() {
            return;
        }
        let (payload, byte) = &self.own[usize::from(number) % self.own.len()];
        let block = payload.block().expect("a block of the arena");
        for others in 0..times {
            let can = self.lender.can_lend(&**block, times - 1 - others);
            let lent = self.lender.lend(Arc::clone(block));
            assert!(!can || lent.is_ok(), "it can be lent");
            if let Ok((block, length)) = lent {
                self.coming.push_back((block, length, *byte));
            }
        }
    }

    fn arrive(&mut self) {
        let Some((number, length, byte)) = self.coming.pop_front() else { return };
        let payload = self.borrower.borrow(number, length, None);
        if let Some(payload) = self.believed(payload) {
            self.borrowed.push((payload, byte));
        }
    }

    fn give_back(&mut self, number: u8) {
        if let Some(borrowed) = pick(&mut self.borrowed, number) {
            self.check(&borrowed);
        }
    }

    fn copy(&mut self, number: u8) {
        let from = if number < 128 { &mut self.borrowed } else { &mut self.own };
        if !from.is_empty() {
            let copy = from[usize::from(number) % from.len()].clone();
            from.push(copy);
        }
    }

    fn send_home(&mut self, number: u8) {
        let Some((payload, byte)) = pick(&mut self.borrowed, number) else { return };
        let mut block = payload.into_block().expect("a block of the lender's");
        let can = self.borrower.can_send_home(&block);
        let sent = self.borrower.send_home(&mut block);
        assert_eq!(sent.is_some(), can);
        match sent {
            Some((number, length)) => self.going.push_back((number, length, byte)),
            None => self.borrowed.push((Payload::of_block(block), byte)),
        }
    }

    fn come_home(&mut self) {
        let Some((number, length, byte)) = self.going.pop_front() else { return };
        let payload = self.lender.take_home(number, length);
        if let Some(payload) = self.believed(payload) {
            assert!(payload.try_as_slice().is_some(), "its own block again");
            if !self.lied {
                self.own.push((payload, byte));
            }
        }
    }

    fn make_room(&mut self, step: u8, [length, more]: [u8; 2]) {
        let lengths =
            |count: u8| (0..count % 4).map(|at| (usize::from(length) << 8) + usize::from(at) + 1);
        let need = |count: u8| Need {
            lengths: lengths(count).collect(),
            beside: usize::from(count % 4) + usize::from(count / 4) * 17,
        };
        let needs = vec![need(more), need(step / 12)];
        let could = needs.iter().map(|need| self.lender.could_carry(need)).collect::<Vec<_>>();
        let made = self.lender.make_room(needs.clone());
        match self.believed(made) {
            Some(Some((at, loans))) => {
                assert!(could[at]);
                let lengths: Vec<_> = loans.iter().map(|loan| loan.len()).collect();
                assert_eq!(lengths, needs[at].lengths);
                loans.into_iter().for_each(|loan| self.fill(loan, usize::MAX));
                let awaited = self.lender.has_awaited();
                assert_eq!(self.believed(awaited).flatten(), None);
            }
            Some(None) => {
                let awaited = self.lender.has_awaited();
                let none = needs.iter().all(|need| need.lengths.is_empty());
                assert!(self.over || none || self.believed(awaited) == Some(Some(false)));
            }
            None => {}
        }
    }

    /// The borrower gives back what it likes, or either says what it likes with a frame.
    fn lie(&mut self, step: u8, [number, low, high]: [u8; 3]) {
        let (number, value) = (u32::from(number), u32::from(u16::from_le_bytes([low, high])));
        let value = [value, value << 12, value << 16][usize::from(step / 12 % 3)];
        match step / 36 {
            // The first bytes of a corpus are more often small: few runs lie.
            0 | 1 => return,
            2 => self.segment.store(RETURNS + (value as usize % 1024) * 4, number),
            3 => self.segment.store(RETURNED, value),
            4 => {
                let payload = self.borrower.borrow(number, value, None);
                self.lied = true;
                if let Some(payload) = self.believed(payload) {
                    assert_eq!(payload.len(), value as usize);
                    self.borrowed.push((payload, 0));
                }
            }
            5 => self.coming.push_back((value, number << 8, 0)),
            _ => self.going.push_back((HOME | number, value, 0)),
        }
        self.lied = true;
    }

    /// Its beginning and its end are as they were.
    fn check(&self, (payload, byte): &Filled) {
        for offset in [0, payload.len().saturating_sub(64)] {
            let mut found = [*byte; 64];
            payload.copy_to(offset, &mut found);
            assert!(self.lied || found == [*byte; 64], "a payload was written over");
        }
    }

    /// What the lender's program holds is as it was. Of honest sides everything comes back, and then there is room for all.
    fn finish(mut self) {
        for (payload, byte) in &self.own {
            let bytes = payload.try_as_slice().expect("its own");
            assert!(bytes.iter().step_by(1021).all(|found| found == byte), "it was written over");
        }
        if self.lied {
            return;
        }
        while !self.coming.is_empty() {
            self.arrive();
        }
        while !self.going.is_empty() {
            self.come_home();
        }
        while !self.borrowed.is_empty() {
            self.give_back(0);
        }
        self.own.clear();
        assert_eq!(self.lender.used(), 0, "pages are lost");
        let need = Need { lengths: vec![ARENA], beside: 1024 };
        assert!(self.lender.could_carry(&need));
        let made = self.lender.make_room(vec![need]).expect("nobody has lied");
        assert!(made.is_some(), "there is room for all of it");
    }
}

fn pick(from: &mut Vec<Filled>, number: u8) -> Option<Filled> {
    (!from.is_empty()).then(|| from.swap_remove(usize::from(number) % from.len()))
}
