//! What a trace is replayed on: the area, and what was live in it before.

use std::sync::Arc;

use cma_policies::{Area, Request, Run};

use super::asking::asking;
use super::residents::{Known, Residents};
use super::scan::{Name, Scan, Traced};
use crate::board::Asking;
use crate::ingest::{DEFAULT_CAP, Paged, Ranges, Source, quoted};
use crate::kernel::MAX_RANGES;
use crate::op::Op;
use crate::reader::Options;
use crate::timeline::{CapShown, Layout, likely_sizes};
use crate::words::{counted, is_or_are, near};

/// What a trace is replayed on.
#[derive(Clone, Debug)]
pub(in crate::reader) struct Plan {
    /// The kernel that printed it.
    pub(super) kernel: Option<Arc<str>>,
    /// The area whose events are replayed.
    pub(super) name: Name,
    pub(super) area: Area,
    /// What was live before the trace began, ascending: buffer `n` is number `n`.
    pub(super) residents: Vec<Run>,
    /// The cap of its requests, and what shows it where the caller does not state it.
    pub(super) cap: u32,
    pub(super) cap_shown: Option<CapShown>,
    /// How its clients ask.
    pub(super) asking: Asking,
    /// How large its pages are, and what says so.
    pub(super) paged: Paged,
    pub(super) warnings: Vec<String>,
}

impl Plan {
    /// The plan for what `scan` found in `source`; where that is nothing to replay, why.
    pub(super) fn new(mut scan: Scan, options: &Options, source: &Source) -> Result<Self, String> {
        let mut warnings = Vec::new();
        let paged = Paged::of(scan.page());
        let name = choose(&scan, options.area.as_deref(), &mut warnings)?;
        let traced = scan.traced.remove(&name).unwrap_or_default();
        let stated = scan.areas.stated(name.as_ref(), options.snapshot.is_some());
        if let (None, Some(snapshot)) = (&stated, &options.snapshot) {
            let (snapshot, area) = (quoted(snapshot.name()), shown(&name));
            return Err(format!("the snapshot {snapshot} has no debugfs file of area {area}"));
        }
        let bitmaps = stated.map_or(&[][..], |(_, bitmaps)| bitmaps);
        let area = area(&scan, &name, &traced, options, &mut warnings)?;
        let cap_shown = options.recorded_cap.is_none().then(|| traced.orders.shown());
        let cap = options.recorded_cap.or(cap_shown.as_ref().map(|shown| shown.cap));
        let cap = cap.unwrap_or(DEFAULT_CAP);
        let asking = asking(&scan, &name, &traced);
        let known = Known { scan: &scan, name: &name, area: &area, traced: &traced, bitmaps, cap };
        let residents = Residents::new(&known, source).map_err(|error| error.why)?;
        warnings.extend(residents.words);
        let residents = residents.runs;
        if let Some(first) = &scan.first_odd {
            let (lines, are) = (counted(scan.odd, "line"), is_or_are(scan.odd));
            warnings.push(format!("{lines} {are} wrong, the first: {first}"));
        }
        let says = |name| format!("{name} says nothing of its board: no line of it is known");
        warnings.extend(scan.unknown.iter().map(says));
        let kernel = scan.kernel;
        Ok(Self { kernel, name, area, residents, cap, cap_shown, asking, paged, warnings })
    }

    /// The number of the first buffer that the trace asks for: after those of [`Plan::warm_up`].
    pub(super) fn first_id(&self) -> u64 {
        (2 * self.residents.len() + self.area.ranges().len() - 1) as u64
    }

    /// Ops that bring an empty area under the kernel's first fit into the state at the start.
    ///
    /// Each hole in front of a resident is taken by a temporary buffer of order 0, so that the
    /// lowest free page is where the resident belongs; at last the temporary ones are given back.
    pub(super) fn warm_up(&self) -> Vec<Op> {
        let mut ops = Vec::new();
        let mut temporary = Vec::new();
        let (mut range, mut taken) = (0, 0);
        let alloc = |id, count, ops: &mut Vec<Op>| {
            if let Ok(request) = Request::new(count, 0) {
                ops.push(Op::Alloc { id, request, dma: false });
            }
        };
        let mut fill = |bits: u64, ops: &mut Vec<Op>| {
            if bits > 0 {
                let number = (self.residents.len() + temporary.len()) as u64;
                temporary.push(number);
                alloc(number, bits << self.area.order_per_bit(), ops);
            }
        };
        for (id, run) in (0..).zip(&self.residents) {
            let Some(own) = self.area.range_of(*run) else { continue };
            while range < own {
                fill(self.area.bits(range) - taken, &mut ops);
                (range, taken) = (range + 1, 0);
            }
            let bit = self.area.pfn_to_bit(range, run.pfn);
            let Some(gap) = bit.checked_sub(taken) else { continue };
            fill(gap, &mut ops);
            alloc(id, run.count, &mut ops);
            taken = bit + self.area.pages_to_bits(run.count);
        }
        ops.extend(temporary.into_iter().map(|id| Op::Free { id, part: None }));
        ops
    }
}

fn shown(name: &Name) -> String {
    name.as_ref().map_or_else(|| "(no name)".to_string(), |name| quoted(name))
}

/// The area that is asked for, else the one with most events.
fn choose(scan: &Scan, asked: Option<&str>, warnings: &mut Vec<String>) -> Result<Name, String> {
    let list = scan.traced.iter();
    let list = list.map(|(name, traced)| format!("{} {}", shown(name), traced.events));
    let list = list.collect::<Vec<_>>().join(", ");
    if let Some(asked) = asked {
        let found = scan.traced.keys().find(|name| name.as_deref() == Some(asked));
        return found.cloned().ok_or_else(|| {
            let near = near(asked, scan.traced.keys().filter_map(|name| name.as_deref()));
            format!("no event is of area {}; areas and their events: {list}{near}", quoted(asked))
        });
    }
    // Of equals the first one.
    let most = scan.traced.iter().rev().max_by_key(|(_, traced)| traced.events);
    let (name, _) = most.ok_or("it has no event of a CMA area")?;
    if scan.traced.len() > 1 || scan.others > 0 {
        let others =
            if scan.others > 0 { format!(", others {}", scan.others) } else { String::new() };
        warnings.push(format!(
            "events of several areas: {list}{others}; that of {} are taken, --area names another",
            shown(name)
        ));
    }
    Ok(name.clone())
}

/// The area by what the caller says, what debugfs, the events or the boot log state, and at last
/// by the pages that were seen.
fn area(
    scan: &Scan,
    name: &Name,
    traced: &Traced,
    options: &Options,
    warnings: &mut Vec<String>,
) -> Result<Area, String> {
    let given = &options.geometry;
    let (layout, _) = scan.areas.stated(name.as_ref(), options.snapshot.is_some()).unzip();
    let layout = layout.cloned().unwrap_or_default();
    let order_per_bit = given.order_per_bit.or(layout.order_per_bit).unwrap_or(0);
    let label = name.as_deref().unwrap_or("cma");
    if let Some((stated, total)) = layout.total.zip(traced.total)
        && stated != total
        && options.snapshot.is_some()
    {
        return Err(format!(
            "the snapshot states {stated} pages of area {label}, its events {total}; one of the same \
             area is needed"
        ));
    }
    if let Some(ranges) = &given.ranges {
        return Area::new(label, order_per_bit, &ranges.0)
            .map_err(|error| format!("no area has the ranges {ranges}: {error}"));
    }
    if given.base_pfn.is_none()
        && given.pages.is_none()
        && let Some(ranges) = ranges(scan, name, &layout, traced, options, warnings)
    {
        return Area::new(label, order_per_bit, &ranges)
            .map_err(|error| format!("no area has the ranges of {}: {error}", shown(name)));
    }
    let reserved = traced.span.and_then(|span| scan.areas.reserved_around(name.as_ref(), span));
    let quantum = scan.quantum();
    let low = traced.span.map(|(low, _)| low - low % quantum);
    let base = given.base_pfn.or(layout.base(0)).or(reserved.map(|(base, _)| base));
    let pages = given.pages.or(layout.total).or(traced.total).or(reserved.map(|(_, pages)| pages));
    let pages = pages.or(scan.listed(name));
    let base_pfn = base.or(low);
    let seen = || {
        let (_, high) = traced.span?;
        let granule = 1u64.checked_shl(order_per_bit)?;
        let end = high.checked_next_multiple_of(quantum)?;
        end.checked_sub(base_pfn?)?.checked_next_multiple_of(granule)
    };
    let Some((base_pfn, count)) = base_pfn.zip(pages.or_else(seen)) else {
        return Err(
            "its events place nothing, so where the area lies is not known; --base-pfn and \
                    --pages state it"
                .to_string(),
        );
    };
    if base.is_none() || pages.is_none() {
        warnings.push(format!(
            "nothing states the area; by the pages seen it has base_pfn={base_pfn} pages={count} \
             order_per_bit={order_per_bit}; --snapshot, or --base-pfn, --pages and --order-per-bit, \
             state it"
        ));
    }
    Area::new(label, order_per_bit, &[Run::new(base_pfn, count)]).map_err(|error| {
        format!(
            "no area has {count} pages at base_pfn {base_pfn} with order_per_bit \
             {order_per_bit}: {error}"
        )
    })
}

/// The ranges of an area of several, in its order: as debugfs states them, else by the pages seen.
fn ranges(
    scan: &Scan,
    name: &Name,
    layout: &Layout,
    traced: &Traced,
    options: &Options,
    warnings: &mut Vec<String>,
) -> Option<Vec<Run>> {
    let mut layout = layout.clone();
    layout.total = layout.total.or(traced.total);
    layout.order_per_bit = options.geometry.order_per_bit.or(layout.order_per_bit);
    if layout.bases.len() > 1 {
        if let Some(ranges) = layout.ranges() {
            return Some(of_this_boot(ranges, name, (traced, scan.quantum()), warnings));
        }
        let (_, bitmaps) = scan.areas.stated(name.as_ref(), options.snapshot.is_some())?;
        layout.sizes = likely_sizes(bitmaps, &layout, |end| traced.last_below(end));
        let ranges = layout.ranges()?;
        warnings.push(format!(
            "no file states how long the ranges are; by their bitmaps and the pages seen they are \
             {}",
            Ranges(ranges.clone())
        ));
        return Some(ranges);
    }
    let ranges = layout.base(0).is_none().then(|| apart(traced, scan.quantum()))??;
    warnings.push(format!(
        "the pages seen lie further apart than the area is long, so it has several ranges, which \
         nothing states; by the pages seen they are {}; --snapshot with the files of \
         /sys/kernel/debug/cma/{}/ranges states them",
        Ranges(ranges.clone()),
        name.as_deref().unwrap_or("AREA")
    ));
    Some(ranges)
}

/// Pages that both have.
fn shared(one: Run, other: Run) -> u64 {
    one.end().0.min(other.end().0).saturating_sub(one.pfn.0.max(other.pfn.0))
}

/// The ranges that debugfs states; those of the pages seen, where these are as long and lie
/// elsewhere.
fn of_this_boot(
    stated: Vec<Run>,
    name: &Name,
    (traced, quantum): (&Traced, u64),
    warnings: &mut Vec<String>,
) -> Vec<Run> {
    let outside = |run: Run| {
        let inside = stated.iter().map(|range| shared(*range, run)).sum::<u64>();
        inside < run.count
    };
    if !traced.touched.iter().any(|(run, ())| outside(run)) {
        return stated;
    }
    let counts = |ranges: &[Run]| ranges.iter().map(|run| run.count).collect::<Vec<_>>();
    let Some(seen) = apart(traced, quantum).filter(|seen| counts(seen) == counts(&stated)) else {
        return stated;
    };
    warnings.push(format!(
        "debugfs states the ranges {} of area {}, and its events are of pages elsewhere, as after \
         another boot; by the pages seen they are {}",
        Ranges(stated.clone()),
        shown(name),
        Ranges(seen.clone())
    ));
    seen
}

/// The ranges that the pages seen allow, where these lie further apart than the area has pages: the
/// widest gaps are between ranges, and what is left is at the end of the last one.
fn apart(traced: &Traced, quantum: u64) -> Option<Vec<Run>> {
    let (total, (low, high)) = (traced.total?, traced.span?);
    let around = |run: Run| {
        let start = run.pfn.0 - run.pfn.0 % quantum;
        Some(Run::new(start, run.end().0.checked_next_multiple_of(quantum)? - start))
    };
    if around(Run::new(low, high - low))?.count <= total {
        return None;
    }
    let mut ranges: Vec<Run> = Vec::new();
    for (run, ()) in traced.touched.iter() {
        let run = around(run)?;
        match ranges.last_mut() {
            Some(last) if last.end() >= run.pfn => {
                *last = Run::new(last.pfn.0, run.end().0.max(last.end().0) - last.pfn.0);
            }
            _ => ranges.push(run),
        }
    }
    let mut left = total.checked_sub(ranges.iter().map(|run| run.count).sum())?;
    // A gap that is no longer than what is left may be one in which no buffer was.
    while let Some((at, gap)) = narrowest(&ranges).filter(|(_, gap)| *gap <= left) {
        ranges[at] = Run::new(ranges[at].pfn.0, ranges[at].count + gap + ranges[at + 1].count);
        ranges.remove(at + 1);
        left -= gap;
    }
    ranges.sort_by_key(|run| traced.firsts.iter().position(|pfn| run.contains(Run::new(*pfn, 1))));
    let last = ranges.last_mut()?;
    *last = Run::new(last.pfn.0, last.count + left);
    (ranges.len() > 1 && ranges.len() <= MAX_RANGES).then_some(ranges)
}

/// The narrowest gap between two of `ranges`, which ascend: after which, and its pages.
fn narrowest(ranges: &[Run]) -> Option<(usize, u64)> {
    let gaps = ranges.windows(2).map(|two| two[1].pfn.0 - two[0].end().0);
    gaps.enumerate().min_by_key(|(_, gap)| *gap)
}
