//! Lines around a failure that name no call: drivers, busy ranges, private prints, shells.

use super::window::Id;
use super::{AlignFrom, Assembler, Place, Reported, SECOND_US, seen::Kind};

/// Lines within which a driver reports the failure of its call.
const DRIVER_LINES: u64 = 16;

/// Lines within which one line belongs to the line before.
const AT_ONCE_LINES: u64 = 4;

/// Lines within which the failure of a shell's request follows: a page may be dumped in between.
const SHELL_LINES: u64 = 64;

/// Busy ranges, one after the other.
#[derive(Clone, Copy, Debug)]
struct Ranges {
    /// How many.
    count: u64,
    /// Pages of the shortest: a range may begin before the claim, where a free block does.
    pages: u64,
    last_start: u64,
    /// The smallest step forward from one to the next.
    step: Option<u64>,
    /// One was tried again, or a later one stands before it.
    back: bool,
    last: Place,
}

/// What busy ranges say of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Claims {
    /// How many claims were busy, as far as printed.
    pub(super) count: u64,
    /// Pages of a claim.
    pub(super) pages: u64,
    /// The order, by the steps: after a busy claim the search goes on mask + 1 further.
    pub(super) align: Option<u32>,
}

/// A developer's print of a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Search {
    pub(super) size: u64,
    pub(super) nr: u64,
    pub(super) mask: u64,
    /// It found nothing.
    pub(super) nothing: bool,
}

impl Search {
    /// The order that its mask stands for.
    pub(super) fn align(self) -> Option<u32> {
        order(self.mask)
    }
}

fn order(mask: u64) -> Option<u32> {
    let unit = mask.checked_add(1)?;
    unit.is_power_of_two().then(|| unit.trailing_zeros())
}

/// The last lines that name no call.
#[derive(Debug, Default)]
pub(super) struct Near {
    ranges: Option<Ranges>,
    search: Option<(Search, Place)>,
    mask: Option<(u64, u64, u64, Place)>,
    written: Option<(u64, Place)>,
}

impl Near {
    /// `[start, end) PFNs busy`.
    pub(super) fn claimed(&mut self, start: u64, end: u64, at: Place) {
        let pages = end.saturating_sub(start);
        let goes_on = |ranges: &&mut Ranges| ranges.last.is_near(at, AT_ONCE_LINES, SECOND_US);
        let Some(ranges) = self.ranges.as_mut().filter(goes_on) else {
            let (count, step, back) = (1, None, false);
            self.ranges = Some(Ranges { count, pages, last_start: start, step, back, last: at });
            return;
        };
        match start.checked_sub(ranges.last_start) {
            Some(0) | None => ranges.back = true,
            Some(step) => ranges.step = Some(ranges.step.map_or(step, |known| known.min(step))),
        }
        ranges.count += 1;
        ranges.pages = ranges.pages.min(pages);
        ranges.last_start = start;
        ranges.last = at;
    }

    /// The busy ranges just before `at`, where they are of so many pages.
    pub(super) fn take_claims(&mut self, count: Option<u64>, at: Place) -> Option<Claims> {
        let ranges = self.ranges.take()?;
        let fits = ranges.last.is_near(at, AT_ONCE_LINES, SECOND_US)
            && count.is_none_or(|count| count == ranges.pages);
        let step = ranges.step.filter(|_| !ranges.back);
        fits.then(|| Claims {
            count: ranges.count,
            pages: ranges.pages,
            align: step.and_then(|step| order(step - 1)),
        })
    }

    /// A request was written to debugfs.
    pub(super) fn wrote(&mut self, count: u64, at: Place) {
        self.written = Some((count, at));
    }

    /// Whether a request for so many pages came through debugfs.
    pub(super) fn take_written(&mut self, count: u64, at: Place) -> bool {
        let near = |written: &mut (u64, Place)| {
            written.0 == count && written.1.is_near(at, SHELL_LINES, u64::MAX)
        };
        self.written.take_if(near).is_some()
    }

    /// The print of a search for so many pages, which may be more of them than bits.
    pub(super) fn take_search(&mut self, count: u64, at: Place) -> Option<Search> {
        let near = |search: &mut (Search, Place)| {
            search.0.nr == count && search.1.is_near(at, DRIVER_LINES, SECOND_US)
        };
        self.search.take_if(near).map(|(search, _)| search)
    }

    /// The order and the size of the map by a print of the mask.
    pub(super) fn take_mask(&mut self, count: u64, at: Place) -> Option<(Option<u32>, u64)> {
        let near = |mask: &mut (u64, u64, u64, Place)| {
            mask.2 == count && mask.3.is_near(at, DRIVER_LINES, SECOND_US)
        };
        self.mask.take_if(near).map(|(mask, maxno, _, _)| (order(mask), maxno))
    }
}

impl Assembler {
    /// A developer's print of a search; the last one before a failure is the one that failed.
    pub(super) fn searched(&mut self, search: Search) {
        self.near.search = Some((search, self.at));
    }

    /// A developer's print of mask and size: before the failure, or behind it.
    pub(super) fn masked(&mut self, mask: u64, maxno: u64, bits: u64) {
        let at = self.at;
        let behind = self.window.latest(2).find(|(_, open)| {
            open.has_line
                && open.incident.count == Some(bits)
                && open.last.is_near(at, AT_ONCE_LINES, SECOND_US)
        });
        let Some(id) = behind.map(|(id, _)| id) else {
            self.near.mask = Some((mask, maxno, bits, at));
            return;
        };
        if let Some(open) = self.window.get_mut(id) {
            open.total = open.total.or(Some(maxno));
            let align = order(mask).map(|align| (align, AlignFrom::Debug));
            open.incident.align = open.incident.align.or(align);
        }
    }

    /// A driver says that it got no memory.
    pub(super) fn driver(&mut self, bytes: Option<u64>, cma: bool) {
        let count = bytes.map(|bytes| bytes.div_ceil(4096)).filter(|count| *count > 0);
        if let Some(id) = self.failure_of_driver(count, cma) {
            let at = self.at;
            if let Some(open) = self.window.get_mut(id) {
                open.last = at;
            }
            return;
        }
        let claims = self.near.take_claims(count, self.at);
        if claims.is_none() && count.is_none() && !cma {
            return;
        }
        let key = count.unwrap_or(u64::MAX);
        if let Some(id) = self.seen.find(Kind::Driver, self.at, key) {
            if let Some(open) = self.window.get_mut(id) {
                open.incident.duplicates += 1;
            }
            return;
        }
        let mut open = self.open(Reported::Driver, None);
        open.incident.count = count;
        if let Some(claims) = claims {
            open.incident.reported = Reported::Claims;
            open.incident.busy_retries = Some(claims.count);
            open.incident.tried = Some(true);
            open.incident.align = claims.align.map(|align| (align, AlignFrom::Debug));
        }
        let id = self.window.push(open);
        self.seen.note(Kind::Driver, self.at, key, id);
    }

    /// The failure just before that a driver complains about.
    fn failure_of_driver(&self, count: Option<u64>, cma: bool) -> Option<Id> {
        let near: Vec<(Id, &super::Open)> = self
            .window
            .latest(8)
            .filter(|(_, open)| open.last.is_near(self.at, DRIVER_LINES, SECOND_US))
            .collect();
        let alone = |open: &super::Open| open.incident.reported == Reported::Driver;
        let at_once = |open: &super::Open| open.last.is_near(self.at, AT_ONCE_LINES, SECOND_US);
        if let Some(count) = count {
            let same = |open: &super::Open| open.incident.count == Some(count);
            let found = near.iter().find(|(_, open)| !alone(open) && same(open));
            // Another number may be that of all its buffers.
            let other = near.iter().find(|(_, open)| !alone(open) && !cma && at_once(open));
            return found.or(other).map(|(id, _)| *id);
        }
        let told = |open: &super::Open| !alone(open) || open.incident.count.is_some();
        near.iter().find(|(_, open)| told(open) && at_once(open)).map(|(id, _)| *id)
    }

    /// The drivers' complaints just before a failure line of so many pages: they are of it.
    pub(super) fn drivers_before(&self, at: Place, count: u64) -> Vec<Id> {
        let near = self.window.latest(8).filter(|(_, open)| {
            let incident = &open.incident;
            let told =
                incident.count == Some(count) && open.last.is_near(at, DRIVER_LINES, SECOND_US);
            let untold = incident.count.is_none() && open.last.is_near(at, 2, SECOND_US / 10);
            incident.reported == Reported::Driver && (told || untold)
        });
        near.map(|(id, _)| id).collect()
    }
}
