//! Which pages were emptied, and when.

use cma_policies::Run;

/// A run that was emptied and may fill again, or the part of one that is in one bucket.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: u64,
    end: u64,
    since_us: u64,
}

/// Runs that were emptied and may fill again: disjoint, cut at the borders of buckets.
#[derive(Clone, Debug)]
pub(super) struct Vacated {
    /// From bucket `first` on, pieces ascending in each.
    buckets: Vec<Vec<Piece>>,
    first: u64,
    /// A bucket has `2^order` pages: so many that an area has no more than 2^16 of them.
    order: u32,
    noted: u32,
}

/// Pages of a bucket are at least `2^10`: a few buffers, so that few pieces are moved at a change.
const LEAST_ORDER: u32 = 10;

/// Runs are looked through for those that are full again at every so many notes.
const TIDY_EVERY: u32 = 4096;

impl Vacated {
    /// Nothing was emptied of what lies in `span`.
    pub(super) fn new(span: Run) -> Self {
        let order = cma_policies::ceil_log2(span.count).saturating_sub(16).max(LEAST_ORDER);
        let first = span.pfn.0 >> order;
        let buckets = vec![Vec::new(); ((span.end().0 >> order) - first) as usize + 1];
        Self { buckets, first, order, noted: 0 }
    }

    /// The parts of `run` in each bucket: its index, first page, and the page past the last.
    fn parts(&self, run: Run) -> impl Iterator<Item = (usize, u64, u64)> + use<> {
        let Self { order, first, .. } = *self;
        let (start, end) = (run.pfn.0, run.end().0);
        let buckets = if start < end { start >> order..((end - 1) >> order) + 1 } else { 0..0 };
        buckets.map(move |bucket| {
            let border = bucket << order;
            let (start, end) = (start.max(border), end.min(border.saturating_add(1 << order)));
            (bucket.wrapping_sub(first) as usize, start, end)
        })
    }

    /// Forgets what was known of `run`.
    pub(super) fn forget(&mut self, run: Run) {
        for (bucket, start, end) in self.parts(run) {
            if let Some(pieces) = self.buckets.get_mut(bucket) {
                cut(pieces, start, end, None);
            }
        }
    }

    /// `run`, which lies in the span, is empty since `at_us`. Runs older than `full_us` by then are
    /// full again.
    pub(super) fn note(&mut self, run: Run, at_us: u64, full_us: u64) {
        for (bucket, start, end) in self.parts(run) {
            cut(&mut self.buckets[bucket], start, end, Some(Piece { start, end, since_us: at_us }));
        }
        self.noted += 1;
        if self.noted.is_multiple_of(TIDY_EVERY) {
            for pieces in &mut self.buckets {
                pieces.retain(|piece| at_us.saturating_sub(piece.since_us) < full_us);
            }
        }
    }

    /// Visits `run` piece by piece in order, each with the moment since when it is empty; none for
    /// pages that never were, or so long ago that they are full again.
    pub(super) fn pieces(&self, run: Run, mut visit: impl FnMut(Run, Option<u64>)) {
        for (bucket, start, end) in self.parts(run) {
            let mut at = start;
            let pieces = self.buckets.get(bucket).map_or(&[][..], Vec::as_slice);
            let first = pieces.partition_point(|piece| piece.end <= start);
            for piece in pieces[first..].iter().take_while(|piece| piece.start < end) {
                if piece.start > at {
                    visit(Run::new(at, piece.start - at), None);
                    at = piece.start;
                }
                let until = piece.end.min(end);
                visit(Run::new(at, until - at), Some(piece.since_us));
                at = until;
            }
            if at < end {
                visit(Run::new(at, end - at), None);
            }
        }
    }
}

/// Takes `[start, end)` out of the pieces of a bucket, and puts `fresh` there.
fn cut(pieces: &mut Vec<Piece>, start: u64, end: u64, fresh: Option<Piece>) {
    let first = pieces.partition_point(|piece| piece.end <= start);
    let past = first + pieces[first..].partition_point(|piece| piece.start < end);
    let touched = &pieces[first..past];
    let front = touched.first().filter(|piece| piece.start < start);
    let front = front.map(|piece| Piece { end: start, ..*piece });
    let back = touched.last().filter(|piece| piece.end > end);
    let back = back.map(|piece| Piece { start: end, ..*piece });
    // Nearly always one piece takes the place of one, or comes or goes.
    let mut at = first;
    for piece in [front, fresh, back].into_iter().flatten() {
        if at < past {
            pieces[at] = piece;
        } else {
            pieces.insert(at, piece);
        }
        at += 1;
    }
    if at < past {
        pieces.drain(at..past);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(vacated: &Vacated, start: u64, count: u64) -> Vec<(u64, u64, Option<u64>)> {
        let mut found = Vec::new();
        let visit = |run: Run, since| found.push((run.pfn.0, run.count, since));
        vacated.pieces(Run::new(start, count), visit);
        found
    }

    #[test]
    fn later_runs_cut_earlier_ones() {
        let mut vacated = Vacated::new(Run::new(0, 1 << 15));
        vacated.note(Run::new(10, 10), 1, 100);
        vacated.note(Run::new(14, 2), 2, 100);
        vacated.forget(Run::new(18, 5));
        let want =
            [(5, 5, None), (10, 4, Some(1)), (14, 2, Some(2)), (16, 2, Some(1)), (18, 7, None)];
        assert_eq!(pieces(&vacated, 5, 20), want);
        assert_eq!(pieces(&vacated, 15, 2), [(15, 1, Some(2)), (16, 1, Some(1))]);
        vacated.note(Run::new(0, 100), 3, 100);
        assert_eq!(pieces(&vacated, 5, 20), [(5, 20, Some(3))]);
    }

    #[test]
    fn it_is_what_a_table_by_page_would_say() {
        let mut draws = crate::seed::Seed::new(1).rng();
        let (mut vacated, mut table) = (Vacated::new(Run::new(0, 1 << 15)), vec![None; 64]);
        for at_us in 0..2000 {
            let start = draws.below(60);
            // Across the border of two buckets.
            let run = Run::new(1000 + start, 1 + draws.below(64 - start));
            let since = (draws.below(3) > 0).then_some(at_us);
            match since {
                Some(_) => vacated.note(run, at_us, u64::MAX),
                None => vacated.forget(run),
            }
            table[start as usize..][..run.count as usize].fill(since);
            let mut seen = Vec::new();
            let visit = |run: Run, since| seen.extend(vec![since; run.count as usize]);
            vacated.pieces(Run::new(1000, 64), visit);
            assert_eq!(seen, table);
        }
    }

    #[test]
    fn what_is_full_again_is_forgotten_in_the_end() {
        let mut vacated = Vacated::new(Run::new(0, 1 << 15));
        for n in 0..u64::from(TIDY_EVERY) * 3 {
            vacated.note(Run::new(n * 2, 1), n, 100);
        }
        assert_eq!(vacated.buckets.iter().map(Vec::len).sum::<usize>(), 100);
    }
}
