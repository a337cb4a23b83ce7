//! Signs: what a text shows of the kernel that printed it, and the releases each holds for.

use super::{KERNELS, Kernel, Span};

/// Something that some releases do and others do not. Which ones is said by the rows of [`KERNELS`]
/// that begin and end it, and nowhere else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    /// `cma_alloc: alloc failed`: a failure line without the area.
    LineUnnamed,
    /// `cma_alloc: AREA: alloc failed`.
    LineNamed,
    /// A failure line with the area, whatever function prints it: vendors took `__cma_alloc` over
    /// before mainline had it.
    LineOfArea,
    /// `__cma_alloc: AREA: alloc failed`.
    LineInner,
    /// `__cma_alloc_frozen: AREA: alloc failed`.
    LineFrozen,
    /// Of many failure lines some are hidden, and `callbacks suppressed` is printed.
    LineLimited,
    /// The free runs follow every failure line, whatever the configuration is.
    ListAlways,
    /// Runs of a list are pages where order_per_bit is above 0; before, they are bits, and one that
    /// does not exist is the last.
    ListInPages,
    /// One record has the whole list, from `number of available pages:` to the tail.
    ListInOneRecord,
    /// A record `range N:` for each range of a list.
    ListOfRanges,
    /// `ret` begins as -16: it is printed where no place is found.
    BusyUnfound,
    /// A request of more pages than the area has gets its failure line and its events.
    TooLargePrinted,
    /// `cma_alloc`: the one event of a call.
    EventAlone,
    /// `cma_alloc_start`, `cma_alloc_busy_retry` and `cma_alloc_finish`.
    Events,
    /// `cma_alloc_start` with `count=`, and no counts of the area.
    StartPlain,
    /// `available_count=` and `total_count=` in `cma_alloc_start`.
    StartTotals,
    /// `cma_alloc_finish` without `errorno=`.
    FinishPlain,
    /// `errorno=` in `cma_alloc_finish`.
    FinishErrno,
    /// The pfn of a failed call is that of the last try, or -1.
    PfnTried,
    /// The pfn of a failed call is 0.
    PfnZero,
    /// `name:` in the debug line of a call.
    DebugNamed,
    /// Several requests claim pages at once, and make each other fail with -16.
    ClaimsAtOnce,
    /// An area is a multiple of a pageblock, not of the largest block of the page allocator.
    PageblockAligned,
    /// `alloc_pages_success` and `alloc_pages_fail` in sysfs.
    Counters,
    /// `release_pages_success` in sysfs.
    CounterOfReleases,
    /// `total_pages` and `available_pages` in sysfs.
    CountersOfPages,
    /// `ranges/N/` in debugfs.
    RangesInDebugfs,
}

const COUNT: usize = Sign::RangesInDebugfs as usize + 1;

const SPANS: [Span; COUNT] = spans();

const fn spans() -> [Span; COUNT] {
    let mut spans = [Span::ALL; COUNT];
    let mut row = 0;
    while row < KERNELS.len() {
        let Kernel { since, begins, ends, .. } = KERNELS[row];
        let mut at = 0;
        while at < begins.len() {
            spans[begins[at] as usize].first = since;
            at += 1;
        }
        at = 0;
        while at < ends.len() {
            spans[ends[at] as usize].end = since;
            at += 1;
        }
        row += 1;
    }
    spans
}

impl Sign {
    /// The releases that show it.
    pub const fn span(self) -> Span {
        SPANS[self as usize]
    }
}

/// What the lines of a text show together.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Seen {
    span: Span,
    mixed: bool,
}

impl Seen {
    /// A line shows this: a sign, or a span of releases.
    pub fn note(&mut self, shown: impl Into<Span>) {
        let shown = shown.into();
        match self.span.and(shown) {
            Some(both) => self.span = both,
            None => {
                self.mixed = true;
                // Of several kernels, the newest one.
                if shown.first > self.span.first {
                    self.span = shown;
                }
            }
        }
    }

    /// The releases that can have printed all of it; every release, where lines contradict each
    /// other: then they are of several kernels.
    pub const fn span(&self) -> Span {
        if self.mixed { Span::ALL } else { self.span }
    }

    /// The row that it looks like: of those that answer calls as the oldest possible one does, the
    /// newest; for lines of several kernels, that of the newest of them.
    pub fn kernel(&self) -> &'static Kernel {
        let mainline = KERNELS.iter().filter(|row| !row.vendor);
        let (first, last) = (self.span.first, self.span.end);
        let before = mainline.clone().rfind(|row| row.since <= first);
        let oldest = before.unwrap_or(&KERNELS[0]);
        let alike = mainline.filter(|row| oldest.since <= row.since && row.since < last);
        let alike = alike.take_while(|row| row.answers() == oldest.answers());
        alike.last().unwrap_or(oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Sign::*;

    fn named(signs: &[Sign]) -> (Option<String>, &'static str) {
        let mut seen = Seen::default();
        signs.iter().for_each(|sign| seen.note(*sign));
        (seen.span().name(), seen.kernel().name)
    }

    #[test]
    fn signs_together_name_the_releases_and_the_row() {
        for (signs, releases, row) in [
            (&[][..], None, "6.1"),
            (&[EventAlone], Some("up to 5.12"), "5.12"),
            (&[StartPlain, FinishPlain], Some("5.13-6.2"), "6.1"),
            (&[FinishErrno], Some("6.3+"), "6.12"),
            (&[FinishErrno, PfnTried], Some("6.3-6.14"), "6.12"),
            (&[StartPlain, PfnZero], Some("6.15-6.17"), "6.15"),
            (&[StartTotals, PfnZero], Some("6.18+"), "7.0"),
            // Of two kernels.
            (&[FinishPlain, StartTotals], None, "7.0"),
            (&[StartTotals, FinishPlain], None, "7.0"),
        ] {
            let (name, kernel) = named(signs);
            assert_eq!((name.as_deref(), kernel), (releases, row), "{signs:?}");
        }
    }

    #[test]
    fn a_span_shows_a_sign_wholly_in_part_or_not() {
        assert_eq!(StartTotals.span().shows(BusyUnfound), Some(true));
        assert_eq!(LineNamed.span().shows(BusyUnfound), Some(false));
        assert_eq!(LineInner.span().shows(BusyUnfound), None);
        assert_eq!(Span::ALL.shows(ListInPages), None);
    }

    /// A sign that no row begins or ends would hold for every release.
    #[test]
    fn every_sign_is_begun_once_and_ended_once_at_most_and_its_span_is_not_empty() {
        let mut changes = [(0, 0); COUNT];
        for row in KERNELS {
            row.begins.iter().for_each(|sign| changes[*sign as usize].0 += 1);
            row.ends.iter().for_each(|sign| changes[*sign as usize].1 += 1);
        }
        for (index, (change, span)) in changes.into_iter().zip(SPANS).enumerate() {
            assert!(matches!(change, (0, 1) | (1, 0 | 1)), "sign {index}: {change:?}");
            assert!(span.first < span.end, "sign {index}: {span:?}");
        }
    }
}
