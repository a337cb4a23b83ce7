//! Lines around a failure that name no call: drivers, busy ranges, private prints, shells.

use std::sync::Arc;

use super::aside::Said;
use super::reports::Reports;
use super::seen::Kind;
use super::who::Stack;
use super::window::{Id, Open, Parts};
use super::{AlignFrom, Reported, SECOND_US};
use crate::ingest::log::{SHAPES, Task};
use crate::timeline::{Place, same};

/// Lines within which a driver reports the failure of its call.
const DRIVER_LINES: u64 = 16;

/// Lines within which one line belongs to the line before.
const AT_ONCE_LINES: u64 = 4;

/// Lines within which the failure of a shell's request follows: a page may be dumped in between.
const SHELL_LINES: u64 = 64;

/// The same where the stamps state the time.
const STAMPED_LINES: u64 = 400;

/// Busy ranges, one after the other.
#[derive(Clone, Copy, Debug)]
struct Ranges {
    /// How many.
    count: u64,
    /// Pages of the shortest: a range may begin before the claim, where a free block does.
    pages: u64,
    /// Where the last one ends, which is where the claim does.
    last_end: u64,
    /// The smallest step forward from one to the next.
    step: Option<u64>,
    /// One was tried again, or a later one is before it.
    back: bool,
    first: Place,
    last: Place,
}

impl Ranges {
    fn claims(&self) -> Claims {
        let step = self.step.filter(|_| !self.back);
        Claims {
            count: self.count,
            pages: self.pages,
            align: step.and_then(|step| order(step - 1)),
        }
    }
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

/// What a driver says that got no memory.
#[derive(Clone, Debug)]
pub(super) struct Complaint {
    pub(super) bytes: Option<u64>,
    /// It says that CMA was asked.
    pub(super) cma: bool,
    /// It asks as CMA is asked: by its row, or by what it says.
    pub(super) dma: bool,
    /// The driver and its device.
    pub(super) device: Option<Arc<str>>,
    /// The row of its words.
    pub(super) shape: Option<&'static str>,
}

impl Complaint {
    /// Whether nothing in it is a driver's: no name, no size, no words of one, no CMA.
    pub(super) const fn is_anybodys(&self) -> bool {
        let is_named = self.device.is_some() || self.shape.is_some();
        !is_named && self.bytes.is_none() && !self.cma && !self.dma
    }

    /// Whether its size is that of the call: a row of known words binds it.
    fn is_exact(&self) -> bool {
        SHAPES.iter().any(|row| Some(row.name) == self.shape && row.has_size())
    }
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
    skipped: Option<(Arc<str>, Place)>,
    pub(super) stack: Option<Stack>,
    /// Whose stack follows a failure, as long as no frame says that it asks for memory.
    pub(super) unproved: Option<(Task, Place)>,
    /// What the page allocator refused after a failure, until a frame says who asked it.
    pub(super) as_well: Option<(Id, Said, Place)>,
}

impl Near {
    /// `[start, end) PFNs busy`: the ranges before it, where it does not go on with them.
    fn claimed(&mut self, start: u64, end: u64, at: Place) -> Option<Ranges> {
        let pages = end.saturating_sub(start);
        let goes_on = |ranges: &&mut Ranges| ranges.last.is_near(at, AT_ONCE_LINES, SECOND_US);
        let Some(ranges) = self.ranges.as_mut().filter(goes_on) else {
            let (count, step, back) = (1, None, false);
            let new = Ranges { count, pages, last_end: end, step, back, first: at, last: at };
            return self.ranges.replace(new);
        };
        match end.checked_sub(ranges.last_end) {
            Some(0) | None => ranges.back = true,
            Some(step) => ranges.step = Some(ranges.step.map_or(step, |known| known.min(step))),
        }
        ranges.count += 1;
        ranges.pages = ranges.pages.min(pages);
        ranges.last_end = end;
        ranges.last = at;
        None
    }

    /// A place of this area was skipped.
    pub(super) fn skipped(&mut self, area: Arc<str>, at: Place) {
        self.skipped = Some((area, at));
    }

    /// Whether a call that failed in this area skipped places. The lines are rate-limited, and busy
    /// claims may be between them.
    pub(super) fn take_skipped(&mut self, area: Option<&Arc<str>>, at: Place) -> bool {
        let near = |(of, place): &mut (Arc<str>, Place)| {
            same(area, Some(&*of)) && place.is_near(at, STAMPED_LINES, SECOND_US)
        };
        self.skipped.take_if(near).is_some()
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

impl Reports {
    /// `[start, end) PFNs busy`.
    pub(super) fn claimed(&mut self, start: u64, end: u64) {
        if let Some(before) = self.near.claimed(start, end, self.at) {
            self.aside.busy(before.claims(), &self.source, before.first, before.last);
        }
    }

    /// No failure follows the busy ranges that were read.
    pub(super) fn flush_claims(&mut self) {
        if let Some(ranges) = self.near.ranges.take() {
            self.aside.busy(ranges.claims(), &self.source, ranges.first, ranges.last);
        }
    }

    /// The busy ranges just before this line, where they are of so many pages; others are of a
    /// request that did not fail.
    pub(super) fn take_claims(&mut self, count: Option<u64>) -> Option<Claims> {
        let ranges = self.near.ranges?;
        let fits = ranges.last.is_near(self.at, AT_ONCE_LINES, SECOND_US)
            && count.is_none_or(|count| count == ranges.pages);
        if !fits {
            self.flush_claims();
            return None;
        }
        self.near.ranges = None;
        Some(ranges.claims())
    }

    /// A developer's print of a search; the last one before a failure is the one that failed.
    pub(super) fn searched(&mut self, search: Search) {
        self.near.search = Some((search, self.at));
    }

    /// A developer's print of mask and size: before the failure, or after it.
    pub(super) fn masked(&mut self, mask: u64, maxno: u64, bits: u64) {
        let at = self.at;
        let before = self.window.latest(2).find(|(_, open)| {
            open.has.any(Parts::LINE)
                && open.incident.count == Some(bits)
                && open.last.is_near(at, AT_ONCE_LINES, SECOND_US)
        });
        let Some(id) = before.map(|(id, _)| id) else {
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
    pub(super) fn driver(&mut self, said: &Complaint) {
        let Complaint { bytes, cma, .. } = *said;
        let page = if self.page_bytes == 0 { 4096 } else { self.page_bytes };
        let count = bytes.map(|bytes| bytes.div_ceil(page)).filter(|count| *count > 0);
        let key = count.unwrap_or(u64::MAX);
        if self.is_told_again(Kind::Driver, key) {
            return;
        }
        if let Some(id) = self.failure_of_driver(count, said) {
            let at = self.at;
            self.seen.note(Kind::Driver, at, key, id);
            if let Some(open) = self.window.get_mut(id) {
                open.last = at;
            }
            self.reported(id, said);
            return;
        }
        if self.aside.is_of(said.device.as_deref(), bytes, self.at) {
            return;
        }
        if let Some(id) = self.driver_alone(count, cma) {
            self.reported(id, said);
        }
    }

    /// A piece of what a driver says that got no memory: it may be of any failure near it.
    pub(super) fn driver_piece(&mut self) {
        let at = self.at;
        let near = self.window.latest(8).filter(|(_, open)| {
            let limit = if open.last.time_us.is_some() && at.time_us.is_some() {
                STAMPED_LINES
            } else {
                DRIVER_LINES
            };
            open.last.is_near(at, limit, SECOND_US)
        });
        let near: Vec<Id> = near.map(|(id, _)| id).collect();
        for id in near {
            if let Some(open) = self.window.get_mut(id) {
                open.incident.who.piece_line.get_or_insert(at.line);
            }
        }
    }

    /// A driver says so, and nothing before it does: the failure that it reports.
    pub(super) fn driver_alone(&mut self, count: Option<u64>, cma: bool) -> Option<Id> {
        let claims = self.take_claims(count);
        if claims.is_none() && count.is_none() && !cma {
            return None;
        }
        let mut open = self.begin(Reported::Driver, None);
        open.incident.count = count;
        if let Some(claims) = claims {
            open.incident.reported = Reported::Claims;
            open.incident.busy_retries = Some(claims.count);
            open.incident.tried = Some(true);
            open.incident.align = claims.align.map(|align| (align, AlignFrom::Debug));
        }
        let id = self.window.push(open);
        self.seen.note(Kind::Driver, self.at, count.unwrap_or(u64::MAX), id);
        Some(id)
    }

    /// The failure just before that a driver complains about.
    fn failure_of_driver(&self, count: Option<u64>, said: &Complaint) -> Option<Id> {
        let near: Vec<(Id, &Open)> = self
            .window
            .latest(8)
            .filter(|(_, open)| {
                open.last.is_near(self.at, self.reach_of_driver(open, count), SECOND_US)
            })
            .collect();
        let alone = |open: &Open| open.incident.reported == Reported::Driver;
        let at_once = |open: &Open| open.last.is_near(self.at, AT_ONCE_LINES, SECOND_US);
        if let Some(count) = count {
            let same = |open: &Open| open.incident.count == Some(count);
            let found = || near.iter().filter(|(_, open)| !alone(open) && same(open));
            // Of several as large each has its own line.
            let new = found().find(|(_, open)| open.incident.who.driver_line.is_none());
            let found = new.or(found().next());
            // Another number may be that of all its buffers, unless it is that of the call.
            let open_to_others = !said.cma && !said.is_exact();
            let free = |open: &Open| open.incident.who.may_be_of(said.device.as_ref());
            let other = near.iter().find(|(_, open)| !alone(open) && at_once(open) && free(open));
            let other = other.filter(|_| open_to_others);
            return found.or(other).map(|(id, _)| *id);
        }
        let is_sure =
            |open: &Open| !alone(open) || open.incident.count.is_some() || open.held.is_some();
        near.iter().find(|(_, open)| is_sure(open) && at_once(open)).map(|(id, _)| *id)
    }

    /// Lines within which a driver complains about `open`: more where the number of pages is the
    /// same, since the list between the two may be wrapped, and another call print its claims.
    fn reach_of_driver(&self, open: &Open, count: Option<u64>) -> u64 {
        if count.is_none() || open.incident.count != count {
            return DRIVER_LINES;
        }
        let stamped = open.last.time_us.is_some() && self.at.time_us.is_some();
        if stamped { STAMPED_LINES } else { SHELL_LINES }
    }

    /// The drivers' complaints just before a failure line of so many pages: they are of it.
    pub(super) fn drivers_before(&self, at: Place, count: u64) -> Vec<Id> {
        let near = self.window.latest(8).filter(|(_, open)| {
            let incident = &open.incident;
            let sized =
                incident.count == Some(count) && open.last.is_near(at, DRIVER_LINES, SECOND_US);
            let unknown = incident.count.is_none() && open.last.is_near(at, 2, SECOND_US / 10);
            incident.reported == Reported::Driver && (sized || unknown)
        });
        near.map(|(id, _)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::Script;
    use super::*;
    use crate::ingest::log::{Record, Shape};

    fn driver(bytes: Option<u64>, cma: bool) -> Record {
        Record::Driver { bytes, cma, dma: cma, device: None, shape: None }
    }

    fn ranges(script: Script, first: u64, pages: u64, step: u64, count: u64) -> Script {
        (0..count).fold(script, |script, index| {
            let start = first + index * step;
            script.say(Record::PfnsBusy { start, end: start + pages })
        })
    }

    #[test]
    fn busy_ranges_and_then_a_driver_are_one_failure() {
        let script =
            ranges(Script::new(), 0x3a400, 300, 256, 9).say(driver(Some(300 * 4096), false));
        let failure = script.only();
        assert_eq!(failure.incident.reported, Reported::Claims);
        assert_eq!(failure.incident.count, Some(300));
        assert_eq!(failure.align, Some((8, AlignFrom::Debug)));
        assert_eq!(failure.incident.busy_retries, Some(9));
        assert_eq!(failure.verdict_name(), "busy");
    }

    #[test]
    fn busy_ranges_alone_are_none() {
        assert!(ranges(Script::new(), 0x83f0a9, 1, 37, 3).failures().is_empty());
        let script = ranges(Script::new(), 0x1b8000, 0x8000, 0, 2).skip(50);
        assert!(script.failures().is_empty());
    }

    #[test]
    fn other_ranges_are_not_of_the_driver() {
        let script = ranges(Script::new(), 0x1b8000, 0x8000, 256, 2).say(driver(Some(4096), false));
        assert_eq!(script.only().incident.reported, Reported::Driver);
    }

    #[test]
    fn a_driver_next_to_a_failure_belongs_to_it() {
        // Behind it, in front of it, without a size, and with another number.
        let after = Script::new().fail(Shape::Named, 3, -12).say(driver(Some(12000), false));
        assert_eq!(after.only().incident.count, Some(3));
        let front =
            Script::new().say(driver(Some(12288), false)).skip(9).fail(Shape::Named, 3, -12);
        let failure = front.only();
        assert_eq!(
            (failure.incident.line, failure.incident.reported),
            (11, Reported::Line(Shape::Named))
        );
        let without = Script::new().fail(Shape::Named, 3, -12).say(driver(None, true));
        assert_eq!(without.failures().len(), 1);
        let other = Script::new().fail(Shape::Named, 3, -12).say(driver(Some(1 << 20), false));
        assert_eq!(other.failures().len(), 1);
    }

    #[test]
    fn a_piece_of_a_driver_s_line_leaves_open_whether_it_reported_a_failure() {
        let piece = |script: Script| script.say(Record::DriverPiece);
        let near = piece(Script::new().fail(Shape::Named, 3, -12)).only();
        assert!(near.incident.is_half_reported() && !near.incident.is_unreported());
        let far = piece(Script::new().fail(Shape::Named, 3, -12).skip(90)).only();
        assert!(far.incident.is_unreported());
        // Another line is whole.
        let both = Script::new().fail(Shape::Named, 3, -12).say(driver(Some(12288), false));
        let both = piece(both).only();
        assert!(!both.incident.is_half_reported());
        assert!(piece(Script::new()).failures().is_empty());
    }

    #[test]
    fn a_driver_alone_is_a_failure_of_its_own() {
        let two = Script::new().say(driver(None, true)).skip(1).say(driver(None, true));
        assert_eq!(two.words(), ["undecidable", "undecidable"]);
        let sized = Script::new().say(driver(Some(8192 * 4096), false)).only();
        assert_eq!((sized.incident.count, sized.verdict), (Some(8192), None));
        assert!(Script::new().say(driver(None, false)).failures().is_empty());
        let far = Script::new().fail(Shape::Named, 3, -12).skip(90).say(driver(Some(12288), false));
        assert_eq!(far.failures().len(), 2);
    }

    /// The claims of another CPU, or a list that is wrapped, may be between the two.
    #[test]
    fn a_driver_that_names_its_pages_may_come_late() {
        let late = |script: Script, lines| {
            script.fail(Shape::Named, 300, -12).skip(lines).say(driver(Some(300 * 4096), false))
        };
        assert_eq!(late(Script::new(), 40).failures().len(), 1);
        assert_eq!(late(Script::new().at(1_000_001), 200).failures().len(), 1);
    }

    #[test]
    fn the_second_capture_of_a_driver_is_counted_only() {
        let capture = |script: Script| {
            let script = script.at(5_000_123).fail(Shape::Named, 3, -12);
            script.at(5_000_456).say(driver(Some(12288), false)).at(9_000_001)
        };
        assert_eq!(capture(capture(Script::new())).failures().len(), 1);
    }

    #[test]
    fn a_request_through_debugfs_has_order_0() {
        let wrote = |count| Record::DebugfsAlloc { area: None, count };
        let script = Script::new().say(wrote(700)).skip(30).fail(Shape::Named, 700, -16);
        assert_eq!(script.only().align, Some((0, AlignFrom::Debug)));
        let script = Script::new().say(wrote(700)).fail(Shape::Named, 701, -16);
        assert_eq!(script.only().align, Some((8, AlignFrom::Cap)));
    }

    #[test]
    fn numbers_without_end_are_no_panic() {
        let script = ranges(Script::new(), u64::MAX - 9, 5, 1, 4)
            .say(Record::PfnsBusy { start: 9, end: 3 })
            .say(Record::Mask { mask: u64::MAX, offset: 0, maxno: u64::MAX, bits: u64::MAX })
            .say(driver(Some(u64::MAX), true))
            .say(driver(Some(0), true))
            .fail(Shape::Frozen, u64::MAX, -16)
            .list(&[(u64::MAX, u64::MAX)], u64::MAX)
            .fail(Shape::Named, 0, -12)
            .list(&[(0, 0)], 0);
        assert!(!script.failures().is_empty());
    }
}
