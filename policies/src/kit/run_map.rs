//! Which runs of pages are where, and what each of them is.

use alloc::collections::{BTreeMap, btree_map::Entry};

use crate::run::{Pfn, Run};

/// Disjoint runs of pages, none empty, each with a value: buffers that are live, pins, what was
/// seen of an area. Runs may touch, and stay apart then.
///
/// A balanced tree by the first page: with `n` runs every call costs O(log n), and one that visits
/// or changes several runs O(log n) for each of them. Where a policy gives back what it granted,
/// [`Live`](super::Live) does it in O(1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunMap<V = ()> {
    /// First page to pages and value.
    runs: BTreeMap<Pfn, (u64, V)>,
}

/// Pages as runs that do not touch: [`RunMap::join`] makes one of those that would.
pub type RunSet = RunMap<()>;

impl<V> Default for RunMap<V> {
    fn default() -> Self {
        Self { runs: BTreeMap::new() }
    }
}

impl<V> RunMap<V> {
    /// How many runs there are.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The runs, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Run, &V)> {
        self.runs.iter().map(entry)
    }

    /// The runs that share a page with `run`, whole, ascending.
    pub fn overlapping(&self, run: Run) -> impl DoubleEndedIterator<Item = (Run, &V)> {
        let below = self.runs.range(..=run.pfn).next_back().map(entry);
        let first = below.filter(|(there, _)| there.overlaps(run));
        let from = first.map_or(run.pfn, |(there, _)| there.pfn);
        let end = if run.count > 0 { run.end() } else { from };
        self.runs.range(from..end).map(entry)
    }

    /// Whether a page of `run` is in one.
    pub fn touches(&self, run: Run) -> bool {
        self.last(run).is_some()
    }

    /// The highest run that shares a page with `run`, whole.
    pub fn last(&self, run: Run) -> Option<Run> {
        let below = self.runs.range(..run.end()).next_back().map(entry);
        let there = below.map(|(there, _)| there);
        there.filter(|there| run.count > 0 && there.overlaps(run))
    }

    /// The run that has every page of `run`, which is not empty, and its value.
    pub fn holding(&self, run: Run) -> Option<(Run, &V)> {
        let below = self.runs.range(..=run.pfn).next_back().map(entry);
        below.filter(|(there, _)| run.count > 0 && there.contains(run))
    }

    /// The pages of `run` that are in no run, as runs, ascending.
    pub fn gaps(&self, run: Run) -> impl Iterator<Item = Run> {
        let mut at = run.pfn.0;
        let last = Run { pfn: run.end(), count: 0 };
        let bounds = self.overlapping(run).map(|(there, _)| there).chain([last]);
        bounds.filter_map(move |there| {
            let gap = Run::new(at, there.pfn.0.saturating_sub(at));
            at = there.end().0;
            (gap.count > 0).then_some(gap)
        })
    }

    /// Puts `run` in. Answers whether it did: an empty run, and one that shares a page with what is
    /// there, changes nothing.
    pub fn insert(&mut self, run: Run, value: V) -> bool {
        let free = run.count > 0 && !self.touches(run);
        if free {
            self.runs.insert(run.pfn, (run.count, value));
        }
        free
    }

    /// Takes out the highest run that shares a page with `run`, whole.
    pub fn pop(&mut self, run: Run) -> Option<(Run, V)> {
        let there = self.last(run)?;
        self.remove(there).map(|value| (there, value))
    }

    /// Takes out exactly `run`; `None`, and nothing changes, where it is none of the runs.
    pub fn remove(&mut self, run: Run) -> Option<V> {
        let Entry::Occupied(there) = self.runs.entry(run.pfn) else { return None };
        (there.get().0 == run.count).then(|| there.remove().1)
    }
}

impl<V: Clone> RunMap<V> {
    /// Takes `run` out of the one that has all of it, and answers that one as it was; what is left
    /// before and past `run` keeps the value. `None`, and nothing changes, where none has.
    pub fn take(&mut self, run: Run) -> Option<(Run, V)> {
        if let Some(value) = self.remove(run) {
            return Some((run, value));
        }
        let (there, _) = self.holding(run)?;
        let (_, value) = self.runs.remove(&there.pfn)?;
        self.keep((there.pfn, run.pfn), &value);
        self.keep((run.end(), there.end()), &value);
        Some((there, value))
    }

    /// Takes out every page of `run`; of a run that is in it in part the rest keeps its value.
    pub fn cut(&mut self, run: Run) {
        while let Some((there, value)) = self.pop(run) {
            self.keep((there.pfn, run.pfn), &value);
            self.keep((run.end(), there.end()), &value);
        }
    }

    fn keep(&mut self, (start, end): (Pfn, Pfn), value: &V) {
        if start < end {
            self.runs.insert(start, (end.0 - start.0, value.clone()));
        }
    }
}

impl RunMap<()> {
    /// Puts the pages of `run` in: it becomes one with what it overlaps or touches.
    pub fn join(&mut self, run: Run) {
        if run.count == 0 {
            return;
        }
        let (mut start, mut end) = (run.pfn, run.end());
        while let Some((there, ())) = self.runs.range(..=end).next_back().map(entry)
            && there.end() >= start
        {
            self.runs.remove(&there.pfn);
            (start, end) = (start.min(there.pfn), end.max(there.end()));
        }
        self.runs.insert(start, (end.0 - start.0, ()));
    }
}

fn entry<'a, V>((&pfn, (count, value)): (&'a Pfn, &'a (u64, V))) -> (Run, &'a V) {
    (Run { pfn, count: *count }, value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    fn runs<V: Clone>(map: &RunMap<V>) -> Vec<(u64, u64, V)> {
        map.iter().map(|(run, value)| (run.pfn.0, run.count, value.clone())).collect()
    }

    #[test]
    fn a_run_is_given_back_in_parts_and_once() {
        let mut map = RunMap::default();
        assert!(map.insert(Run::new(100, 10), 'a') && map.insert(Run::new(110, 2), 'b'));
        assert!(!map.insert(Run::new(109, 1), 'c') && !map.insert(Run::new(200, 0), 'c'));
        assert_eq!(map.take(Run::new(104, 2)), Some((Run::new(100, 10), 'a')));
        assert_eq!(map.take(Run::new(104, 2)), None, "taken already");
        assert_eq!(map.take(Run::new(103, 2)), None, "half of it is");
        assert_eq!(map.take(Run::new(109, 2)), None, "of two runs, which only touch");
        assert_eq!(map.take(Run::new(107, 0)), None);
        assert_eq!(runs(&map), [(100, 4, 'a'), (106, 4, 'a'), (110, 2, 'b')]);
        assert_eq!(map.remove(Run::new(106, 3)), None);
        assert_eq!(map.remove(Run::new(106, 4)), Some('a'));
        assert_eq!(map.holding(Run::new(101, 3)), Some((Run::new(100, 4), &'a')));
        assert_eq!((map.len(), map.is_empty()), (2, false));
    }

    #[test]
    fn runs_join_where_they_touch() {
        let mut set = RunSet::default();
        for (pfn, count) in [(10, 5), (20, 5), (15, 5), (0, 1), (u64::MAX - 1, 9), (50, 0)] {
            set.join(Run::new(pfn, count));
        }
        assert_eq!(runs(&set), [(0, 1, ()), (10, 15, ()), (u64::MAX - 1, 1, ())]);
        assert!(set.touches(Run::new(24, 1)) && !set.touches(Run::new(25, 9)));
        assert!(!set.touches(Run::new(24, 0)));
        let gaps = |pfn, count| set.gaps(Run::new(pfn, count)).collect::<Vec<_>>();
        assert_eq!(gaps(0, 30), [Run::new(1, 9), Run::new(25, 5)]);
        assert_eq!((gaps(12, 3), gaps(30, 2)), (vec![], vec![Run::new(30, 2)]));
    }

    /// Every call at random on few pages, beside a table by page.
    #[test]
    fn it_is_what_a_table_by_page_would_say() {
        let (mut map, mut set) = (RunMap::default(), RunSet::default());
        let (mut table, mut joined) = ([None; 64], [false; 64]);
        let mut draw = 1_u64;
        for step in 0..20_000_u64 {
            draw = draw
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let start = (draw >> 40) % 60;
            let run = Run::new(start, (draw >> 20) % 5);
            let pages = start as usize..run.end().0 as usize;
            let there = &mut table[pages.clone()];
            let is_free = there.iter().all(Option::is_none);
            match draw >> 61 {
                0..4 => {
                    let done = map.insert(run, step);
                    assert_eq!(done, is_free && run.count > 0);
                    if done {
                        there.fill(Some(step));
                    }
                }
                4 => {
                    let one = there.first().copied().flatten();
                    let one = one.filter(|one| there.iter().all(|page| *page == Some(*one)));
                    let same = map.holding(run).is_some();
                    assert!(!same || one.is_some());
                    if let Some((_, value)) = map.take(run) {
                        assert_eq!(one, Some(value));
                        there.fill(None);
                    } else {
                        assert!(!same);
                    }
                }
                5 => {
                    map.cut(run);
                    there.fill(None);
                }
                6 => {
                    let last =
                        map.overlapping(run).next_back().map(|(whole, value)| (whole, *value));
                    let popped = map.pop(run);
                    assert_eq!(popped, last);
                    if let Some((whole, _)) = popped {
                        table[whole.pfn.0 as usize..whole.end().0 as usize].fill(None);
                    }
                }
                _ => {
                    set = if joined.iter().all(|page| *page) { RunSet::default() } else { set };
                    joined = if set.is_empty() { [false; 64] } else { joined };
                    set.join(run);
                    joined[pages.clone()].fill(true);
                }
            }
            let mut seen = [None; 64];
            for (run, value) in map.iter() {
                seen[run.pfn.0 as usize..run.end().0 as usize].fill(Some(*value));
            }
            assert_eq!(seen, table, "step {step}");
            let window = Run::new(start, 7.min(64 - start));
            assert_eq!(map.touches(window), map.overlapping(window).next().is_some());
            let held = map
                .overlapping(window)
                .map(|(there, _)| there.end().min(window.end()).0 - there.pfn.max(window.pfn).0);
            let gaps: u64 = map.gaps(window).map(|gap| gap.count).sum();
            assert_eq!(held.sum::<u64>() + gaps, window.count, "step {step}");
            let free = table[start as usize..][..window.count as usize].iter();
            assert_eq!(gaps, free.filter(|page| page.is_none()).count() as u64);
            let rows = joined.chunk_by(|a, b| a == b).filter(|row| row[0]).count();
            assert_eq!(set.len(), rows, "step {step}");
        }
    }
}
