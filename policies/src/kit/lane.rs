//! Where the holes are that are long enough, for one alignment.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::longest::Longest;
use super::words::Words;
use crate::mutant::mutate;

/// Coordinates of a block: 2^8. A block is looked through word by word, so it is short; the maxima
/// above grow with the number of blocks, so it is not shorter.
const BLOCK: u32 = 8;
/// Values under one maximum: 2^4, one cache line.
const FAN: u32 = 4;

/// For each block of coordinates a bound on the holes whose first aligned coordinate is in it: none
/// is longer, counted from there on. Above the blocks the maxima of 16 each, up to one of all.
///
/// A hole that comes into being raises the bound of one block. A hole that goes lowers nothing: the
/// bound stays until a search finds that nothing in the block is so long, and then becomes what is
/// there. So a change costs one or two stores, and what a search has to find out it finds out once.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// Aligned are the multiples of `2^order`.
    pub(super) order: u32,
    longest: Longest,
    /// The bounds, then the maxima above them, level after level: rows of whole groups.
    bounds: Vec<i32>,
    /// Where each level starts in `bounds`; the last has one group.
    levels: Vec<usize>,
}

/// What a look for a hole finds.
#[derive(Clone, Copy)]
enum Found {
    /// The first aligned coordinate of a hole that is long enough, and the end of that hole.
    Hole(usize, usize),
    /// The longest there is from an aligned coordinate on.
    Longest(usize),
}

/// The members of a group that are at least `least`, as a bit each.
#[inline(always)]
fn at_least(group: &[i32], least: i32) -> u32 {
    let mut members = 0;
    for (member, &bound) in group.iter().enumerate() {
        members |= u32::from(bound >= least) << member;
    }
    members
}

impl Lane {
    /// For multiples of `2^order`, over what is free in `words`.
    pub(super) fn new(order: u32, words: &Words) -> Self {
        let group = 1 << FAN;
        let mut levels = vec![0];
        let mut values = ((words.end() >> BLOCK) + 1).next_multiple_of(group);
        let mut all = values;
        while values > group {
            values = (values >> FAN).next_multiple_of(group);
            levels.push(all);
            all += values;
        }
        let longest = Longest::default();
        let mut lane = Self { order, longest, bounds: vec![0; all], levels };
        let mut end = 0;
        loop {
            let start = words.next_free(end, words.end());
            if start == words.end() {
                return lane;
            }
            end = words.free_end(start);
            lane.join(start, end);
        }
    }

    const fn up(&self, at: usize) -> usize {
        let mask = (1 << self.order) - 1;
        (at + mask) & !mask
    }

    const fn down(&self, at: usize) -> usize {
        at & !((1 << self.order) - 1)
    }

    /// `run` is used now, of the hole that ends at `end`.
    #[inline]
    pub(super) fn split(&mut self, run: &Range<usize>, end: usize) {
        // What is left before the run has its first aligned coordinate where the hole had it.
        let place = self.up(run.end);
        if place < end {
            self.raise(place, end - place);
        }
        self.longest.split(run, place..end);
    }

    /// The hole `[start, end)` is there now, in place of what parts of it were.
    #[inline]
    pub(super) fn join(&mut self, start: usize, end: usize) {
        let place = self.up(start);
        if place < end {
            self.raise(place, end - place);
            self.longest.join(place..end);
        }
    }

    /// From `place` on `length` coordinates are free.
    #[inline]
    fn raise(&mut self, place: usize, length: usize) {
        let length = length as i32;
        let mut at = place >> BLOCK;
        for &level in &self.levels {
            let bound = &mut self.bounds[level + at];
            if *bound >= length {
                return;
            }
            *bound = length;
            at >>= FAN;
        }
    }

    /// Nothing in `block` is longer than `length`.
    fn lower(&mut self, block: usize, length: usize) {
        let mut at = block;
        let length = mutate!(LowBound: length => length.saturating_sub(1));
        let mut length = length as i32;
        for &level in &self.levels {
            if self.bounds[level + at] == length {
                return;
            }
            self.bounds[level + at] = length;
            let group = level + (at >> FAN << FAN);
            length = self.bounds[group..group + (1 << FAN)].iter().copied().max().unwrap_or(0);
            at >>= FAN;
        }
    }

    /// Goes down from the member `at` of `level`, whose bound is at least `least`, to the first
    /// (`last`: to the last) block under it with one.
    #[inline]
    fn descend(&self, mut level: usize, mut at: usize, least: i32, last: bool) -> usize {
        while level > 0 {
            level -= 1;
            let group = self.levels[level] + (at << FAN);
            let members = at_least(&self.bounds[group..group + (1 << FAN)], least);
            debug_assert!(members != 0, "a maximum is that of its group");
            at = (at << FAN)
                + if last { members.ilog2() } else { members.trailing_zeros() } as usize;
        }
        at
    }

    /// The first block from `from` on whose bound is at least `least`.
    #[inline]
    fn first_block(&self, from: usize, least: i32, visits: &mut u64) -> Option<usize> {
        // From the first block on, the top speaks for all.
        let (mut level, mut at) = if from == 0 { (self.levels.len() - 1, 0) } else { (0, from) };
        while level < self.levels.len() && self.levels[level] + at < self.level_end(level) {
            *visits += 1;
            let first = at >> FAN << FAN;
            let group = self.levels[level] + first;
            let ahead = u32::MAX << (at - first);
            let members = at_least(&self.bounds[group..group + (1 << FAN)], least) & ahead;
            if members != 0 {
                let at = first + members.trailing_zeros() as usize;
                *visits += level as u64;
                return Some(self.descend(level, at, least, false));
            }
            at = (at >> FAN) + 1;
            level += 1;
        }
        None
    }

    fn level_end(&self, level: usize) -> usize {
        self.levels.get(level + 1).copied().unwrap_or(self.bounds.len())
    }

    /// The last block before `end` whose bound is at least `least`.
    fn last_block(&self, end: usize, least: i32) -> Option<usize> {
        let (mut level, mut end) = (0, end);
        while level < self.levels.len() && end > 0 {
            let first = (end - 1) >> FAN << FAN;
            let group = self.levels[level] + first;
            let before = u32::MAX >> (31 - (end - 1 - first));
            let members = at_least(&self.bounds[group..group + (1 << FAN)], least) & before;
            if members != 0 {
                let at = first + members.ilog2() as usize;
                return Some(self.descend(level, at, least, true));
            }
            end = first >> FAN;
            level += 1;
        }
        None
    }

    /// The first hole of `bits` with its first aligned coordinate in `[from, to)`.
    #[inline]
    fn look(&self, words: &Words, from: usize, to: usize, bits: usize, visits: &mut u64) -> Found {
        let (mut at, mut longest) = (from, 0);
        loop {
            *visits += 1;
            let free = words.next_free(at, to);
            let place = self.up(free);
            if free >= to || place >= to {
                return Found::Longest(longest);
            }
            let end = words.free_end(place);
            if end - place >= bits {
                return Found::Hole(place, end);
            }
            longest = longest.max(end - place);
            at = end;
        }
    }

    /// The lowest fit at or after `from`.
    #[inline]
    pub(super) fn first_fit(
        &mut self,
        words: &Words,
        bits: usize,
        from: usize,
        visits: &mut u64,
    ) -> Option<usize> {
        let mut from = from;
        if from > 0 {
            // The hole that it is in has its first aligned coordinate further back.
            let place = self.up(from);
            if place >= words.end() {
                return None;
            }
            *visits += 1;
            let end = words.free_end(place);
            if end - place >= bits {
                return Some(place);
            }
            from = end;
        }
        let least = bits as i32;
        let mut block = from >> BLOCK;
        loop {
            block = self.first_block(block, least, visits)?;
            let start = block << BLOCK;
            let end = words.end().min(start + (1 << BLOCK));
            match self.look(words, start.max(from), end, bits, visits) {
                Found::Hole(place, _) => return Some(place),
                Found::Longest(length) if start >= from => self.lower(block, length),
                Found::Longest(_) => {}
            }
            block += 1;
        }
    }

    /// The highest fit that begins at or before `limit`.
    pub(super) fn highest_fit(
        &mut self,
        words: &Words,
        bits: usize,
        limit: usize,
    ) -> Option<usize> {
        // The hole that it is in may go on past it.
        let limit = self.down(limit);
        let mut end = limit;
        if words.is_free(limit) {
            let hole = words.free_start(limit)..words.free_end(limit);
            let highest = hole.end.checked_sub(bits).map(|place| self.down(place.min(limit)));
            if let Some(place) = highest.filter(|&place| place >= hole.start) {
                return Some(place);
            }
            end = hole.start;
        }
        let mut block = end.div_ceil(1 << BLOCK);
        loop {
            block = self.last_block(block, bits as i32)?;
            let (start, stop) = (block << BLOCK, (block + 1) << BLOCK);
            if let Some(place) = self.highest_in(words, start..end.min(stop), stop <= end, bits) {
                return Some(place);
            }
        }
    }

    /// The highest fit of the holes with their first aligned coordinate in `run`, which is a block
    /// or (not `whole`) the start of one.
    fn highest_in(
        &mut self,
        words: &Words,
        run: Range<usize>,
        whole: bool,
        bits: usize,
    ) -> Option<usize> {
        let (mut at, mut highest) = (run.start, None);
        loop {
            match self.look(words, at, run.end, bits, &mut 0) {
                Found::Hole(_, end) => {
                    highest = Some(self.down(end - bits));
                    at = end;
                }
                Found::Longest(length) => {
                    if whole && highest.is_none() {
                        self.lower(run.start >> BLOCK, length);
                    }
                    return highest;
                }
            }
        }
    }

    /// The longest free run from an aligned coordinate on.
    #[inline]
    pub(super) fn longest(&mut self, words: &Words) -> usize {
        match self.longest.known() {
            Some(length) => length,
            None => self.find_longest(words),
        }
    }

    fn find_longest(&mut self, words: &Words) -> usize {
        self.longest = loop {
            let top = self.levels[self.levels.len() - 1];
            let bound = self.bounds[top..].iter().copied().max().unwrap_or(0);
            let Some(block) = self.first_block(0, bound.max(1), &mut 0) else {
                break Longest::default();
            };
            let end = words.end().min((block + 1) << BLOCK);
            match self.look(words, block << BLOCK, end, bound as usize, &mut 0) {
                Found::Hole(place, hole_end) => {
                    // The others of the block, then those of all others.
                    let in_block = [(block << BLOCK, place), (hole_end, end)].map(|(from, to)| {
                        match self.look(words, from, to, usize::MAX, &mut 0) {
                            Found::Hole(..) => usize::MAX,
                            Found::Longest(length) => length,
                        }
                    });
                    let others = in_block[0].max(in_block[1]).max(self.beside(block));
                    break Longest::new(place..hole_end, others);
                }
                Found::Longest(length) => self.lower(block, length),
            }
        };
        self.longest.len()
    }

    /// The largest bound of another block than `block`.
    fn beside(&self, block: usize) -> usize {
        let (mut at, mut most) = (block, 0);
        for &level in &self.levels {
            let group = level + (at >> FAN << FAN);
            for member in (group..group + (1 << FAN)).filter(|&member| member != level + at) {
                most = most.max(self.bounds[member]);
            }
            at >>= FAN;
        }
        most as usize
    }
}
