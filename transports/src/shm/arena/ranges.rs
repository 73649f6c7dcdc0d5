//! Which pages of an arena are free: ranges in private memory, of which the smallest that fits is taken, at the lowest place.

use std::collections::BTreeMap;

/// Free ranges of pages.
#[derive(Debug)]
pub(super) struct Ranges {
    /// Where each begins, and how many pages it has. None ends where another begins.
    free: BTreeMap<u32, u32>,
    pages: u32,
    used: u32,
    /// Ranges that are taken, and how many may be.
    taken: usize,
    most: usize,
}

impl Ranges {
    /// So many free pages, of which at most so many ranges may be taken at a time.
    pub(super) fn new(pages: u32, most: usize) -> Self {
        let free = (pages > 0).then_some((0, pages));
        Self { free: free.into_iter().collect(), pages, used: 0, taken: 0, most }
    }

    /// Takes `pages` that follow each other, and tells where they begin.
    pub(super) fn take(&mut self, pages: u32) -> Option<u32> {
        if pages == 0 || pages > self.pages || self.taken >= self.most {
            return None;
        }
        let fitting = self.free.iter().filter(|(_, length)| **length >= pages);
        let (start, length) = fitting.min_by_key(|(_, length)| **length).map(|(s, l)| (*s, *l))?;
        self.free.remove(&start);
        if length > pages {
            self.free.insert(start + pages, length - pages);
        }
        self.used += pages;
        self.taken += 1;
        Some(start)
    }

    /// Gives back what [`take`](Self::take) gave.
    pub(super) fn free(&mut self, mut start: u32, mut pages: u32) {
        self.used -= pages;
        self.taken -= 1;
        if let Some((before, length)) = self.free.range(..start).next_back().map(|(s, l)| (*s, *l))
            && before + length == start
        {
            self.free.remove(&before);
            (start, pages) = (before, length + pages);
        }
        if let Some(length) = self.free.remove(&(start + pages)) {
            pages += length;
        }
        self.free.insert(start, pages);
    }

    /// Whether more than half of the pages are taken.
    pub(super) fn is_short(&self) -> bool {
        self.used > self.pages / 2
    }

    /// All pages, taken or not.
    pub(super) fn pages(&self) -> usize {
        self.pages as usize
    }

    /// Pages that are taken.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn used(&self) -> u32 {
        self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_one_range_again() {
        let mut ranges = Ranges::new(10, 10);
        let [a, b, c] = [3, 4, 3].map(|pages| ranges.take(pages).expect("there is room"));
        assert_eq!([a, b, c], [0, 3, 7]);
        assert_eq!(ranges.take(1), None);
        ranges.free(a, 3);
        ranges.free(c, 3);
        assert_eq!(ranges.take(4), None, "six are free, but not together");
        ranges.free(b, 4);
        assert_eq!((ranges.used(), ranges.take(10)), (0, Some(0)));
        assert_eq!((ranges.take(0), ranges.take(u32::MAX)), (None, None));
    }

    #[test]
    fn the_smallest_range_that_fits_is_taken() {
        let mut ranges = Ranges::new(20, 10);
        let taken = [5, 1, 2, 1, 11].map(|pages| ranges.take(pages).expect("there is room"));
        ranges.free(taken[0], 5);
        ranges.free(taken[2], 2);
        assert_eq!(ranges.take(2), Some(taken[2]));
        assert!(ranges.is_short());
        ranges.free(taken[4], 11);
        assert!(!ranges.is_short());
    }

    #[test]
    fn one_range_more_than_the_limit_is_refused() {
        let mut ranges = Ranges::new(100, 3);
        (0..3).for_each(|at| assert_eq!(ranges.take(1), Some(at)));
        assert_eq!(ranges.take(1), None);
        ranges.free(1, 1);
        assert_eq!(ranges.take(1), Some(1));
        assert_eq!(Ranges::new(0, 3).take(1), None);
    }

    #[test]
    fn ranges_never_overlap_and_nothing_is_lost() {
        let mut ranges = Ranges::new(64, 64);
        let mut held: Vec<(u32, u32)> = Vec::new();
        let mut random = 1_u32;
        for _ in 0..if cfg!(miri) { 200 } else { 20_000 } {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let pages = 1 + (random >> 8) % 12;
            if random >> 31 == 1 && !held.is_empty() {
                let (start, pages) = held.swap_remove((random >> 16) as usize % held.len());
                ranges.free(start, pages);
            } else if let Some(start) = ranges.take(pages) {
                let apart =
                    |other: &(u32, u32)| start + pages <= other.0 || other.0 + other.1 <= start;
                assert!(start + pages <= 64 && held.iter().all(apart));
                held.push((start, pages));
            }
            assert_eq!(held.iter().map(|(_, pages)| pages).sum::<u32>(), ranges.used());
        }
        held.into_iter().for_each(|(start, pages)| ranges.free(start, pages));
        assert_eq!(ranges.take(64), Some(0));
    }
}
