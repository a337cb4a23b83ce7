//! Collecting the sizes of one stream.

use std::collections::BTreeMap;

use super::{Least, SizeTried, Sizing, differs, is_as_large, is_like};
use crate::answer::summary::{Streams, SummaryRow};
use crate::metric::AREA_LOADS;
use crate::stats::{Interval, median, median_interval, quantile, quantile_interval};
use crate::sweep::{Block, Load, Plan, Ready};

/// Boards alike but for their sizes (the first of them), and stream, LOAD, environment, cap,
/// policy.
type Key = (usize, usize, Option<usize>, usize, usize, usize);

/// Collects the sizes of a plan, block by block: what it holds is of one stream.
pub(in crate::answer) struct Ladders<'a> {
    ready: &'a Ready,
    stream: usize,
    open: BTreeMap<Key, Vec<Tried>>,
    done: Vec<Sizing>,
}

/// One size under one policy.
struct Tried {
    size: SizeTried,
    /// Pages of what the sizes are of: of all areas, or of the one that differs.
    of_pages: u64,
    row: SummaryRow,
    /// For each stream its LOAD in pages, and whether it fails.
    streams: Vec<(u64, bool)>,
    /// For each area of the board, up to the fourth, LOAD of each stream in it.
    in_areas: Vec<Vec<u64>>,
    largest_request: Option<u64>,
}

impl Tried {
    /// Looks at one area, which has so many pages, in place of all.
    fn narrow(&mut self, pages: u64, area: usize) {
        self.of_pages = pages;
        let loads = self.in_areas.get(area).into_iter().flatten();
        self.streams.iter_mut().zip(loads).for_each(|(stream, load)| stream.0 = *load);
        self.size.per_load = pages as f64 / self.row.area_loads[area].unwrap_or(f64::NAN);
    }
}

impl<'a> Ladders<'a> {
    pub(in crate::answer) fn new(ready: &'a Ready) -> Self {
        Self { ready, stream: 0, open: BTreeMap::new(), done: Vec::new() }
    }

    /// Takes the results of a configuration, and its rows.
    pub(in crate::answer) fn add(&mut self, block: &Block, rows: &[SummaryRow]) {
        if block.at.stream != self.stream {
            self.close();
            self.stream = block.at.stream;
        }
        let plan = &self.ready.plan;
        let Some(board) = block.at.board else { return };
        // A LOAD that is a share of the area makes another stream on each board.
        if matches!(plan.load(&block.at), Some(Load::Share(_))) {
            return;
        }
        let at = block.at;
        let like = plan.boards.iter().position(|other| is_like(other, &plan.boards[board]));
        let like = like.unwrap_or(board);
        for row in rows {
            let streams = Streams(&block.values[row.policy]);
            let loads_of = |name: &'static str| streams.counts(name).map(Option::unwrap_or_default);
            let loads = loads_of("load_max_pages");
            let several = plan.boards[board].areas.len() > 1;
            let areas = if several { &AREA_LOADS[..] } else { &[] };
            let failed = streams.first_unserved().into_iter().map(|first| first.is_some());
            let pages = plan.boards[board].pages();
            let tried = Tried {
                size: SizeTried {
                    board,
                    pages,
                    per_load: pages as f64 / row.load_pages.unwrap_or(f64::NAN),
                    streams: row.streams,
                    failed: row.lost,
                    interval: row.lost_interval,
                    structural: row.structural,
                },
                of_pages: pages,
                row: row.clone(),
                streams: loads.zip(failed).collect(),
                in_areas: areas.iter().map(|name| loads_of(name).collect()).collect(),
                largest_request: streams.counts("request_max_pages").flatten().max(),
            };
            let key = (like, at.stream, at.load, at.environment, at.cap, row.policy);
            self.open.entry(key).or_default().push(tried);
        }
    }

    /// Everything, in the order of boards, streams, LOADs, environments, caps and policies.
    pub(in crate::answer) fn end(mut self) -> Vec<Sizing> {
        self.close();
        self.done
    }

    fn close(&mut self) {
        for (key, tried) in std::mem::take(&mut self.open) {
            self.done.extend(sizing(self.ready, key, tried));
        }
    }
}

/// What the sizes say; none where there is only one, or nothing is asked for.
fn sizing(ready: &Ready, key: Key, mut tried: Vec<Tried>) -> Option<Sizing> {
    let (_, stream, load, environment, cap, policy) = key;
    // Stable: boards of one size stay in the order of the plan.
    tried.sort_by_key(|tried| tried.size.pages);
    // Of boards with several areas those that follow each other: no area shrinks on the way.
    let boards = &ready.plan.boards;
    // What a race left out says nothing.
    tried.retain(|tried| tried.row.streams > 0);
    let mut last = tried.first()?.size.board;
    tried.retain(|tried| {
        let follows = is_as_large(&boards[tried.size.board], &boards[last]);
        if follows {
            last = tried.size.board;
        }
        follows
    });
    let on: Vec<_> = tried.iter().map(|tried| &boards[tried.size.board]).collect();
    let area = differs(&on);
    // One beyond those that are measured is seen with all others.
    let is_measured = |area: &usize| {
        tried.iter().any(|tried| tried.row.area_loads.get(*area).is_some_and(Option::is_some))
    };
    let area = area.filter(is_measured);
    if let Some(area) = area {
        for tried in &mut tried {
            tried.narrow(boards[tried.size.board].areas[area].area.pages(), area);
        }
    }
    let shared = share_loads(&mut tried);
    // What asks for nothing has no area / LOAD.
    let asks = tried.iter().any(|tried| tried.streams.iter().any(|(load, _)| *load > 0));
    if tried.len() < 2 || !asks {
        return None;
    }
    let least = Ladder::of(&tried);
    let largest_request = tried.iter().filter_map(|tried| tried.largest_request).max();
    let first = &tried[0].row;
    let of_all = first.load_pages.filter(|_| area.is_none());
    let of_area = area.and_then(|area| first.area_loads[area]);
    let load_pages = of_area.or(of_all).filter(|_| shared.is_none()).or(shared);
    Some(Sizing {
        stream,
        load,
        environment,
        cap,
        policy,
        area,
        load_pages: load_pages.unwrap_or(f64::NAN),
        // Of several areas that of all together is measured.
        aligned_load_pages: first.aligned_load_pages.filter(|_| area.is_none()),
        certified_per_load: largest_request
            .filter(|_| every_claim_succeeds(&ready.plan, environment))
            .filter(|_| first.aligned_load_pages <= first.load_pages)
            .filter(|_| is_first_fit(&ready.plan, cap, policy, tried[0].size.board))
            .map(|largest| 1.0 + f64::from(ceil_log2(largest))),
        anomalies: least.anomalies,
        least: least.over_streams(first.stopped),
        sizes: tried.into_iter().map(|tried| tried.size).collect(),
    })
}

/// A stream is the same on every board, and so is its LOAD: where it was ended early it was not
/// measured. The mean LOAD of all streams, where some were.
fn share_loads(tried: &mut [Tried]) -> Option<f64> {
    if tried.iter().all(|tried| tried.row.ended_early == 0) {
        return None;
    }
    let streams = tried.iter().map(|tried| tried.streams.len()).max().unwrap_or(0);
    let load = |stream: usize| {
        let loads = tried.iter().filter_map(|tried| Some(tried.streams.get(stream)?.0));
        loads.max().unwrap_or(0)
    };
    let loads: Vec<u64> = (0..streams).map(load).collect();
    let known = loads.iter().filter(|load| **load > 0).count();
    let mean = loads.iter().map(|load| *load as f64).sum::<f64>() / known as f64;
    for tried in tried {
        tried.streams.iter_mut().zip(&loads).for_each(|(own, load)| own.0 = *load);
        tried.size.per_load = tried.of_pages as f64 / mean;
    }
    (known > 0).then_some(mean)
}

/// Whether nothing but the bitmap keeps a grant from being made: no theorem knows of busy pages. Pins
/// of `pinned` are those of a stream; one that has pins runs on its own area.
fn every_claim_succeeds(plan: &Plan, environment: usize) -> bool {
    matches!(plan.environments[environment].to_string().as_str(), "quiet" | "pinned")
}

/// The least k with `number` <= 2^k: of any `number`, those above 2^63 too.
fn ceil_log2(number: u64) -> u32 {
    u64::BITS - number.saturating_sub(1).leading_zeros()
}

/// Whether the theorem on first-fit holds: the lowest fit in one area of one range, page by page,
/// unaligned.
fn is_first_fit(plan: &Plan, cap: usize, policy: usize, board: usize) -> bool {
    let [area] = plan.boards[board].areas.as_slice() else { return false };
    let built = area.policy.as_ref().unwrap_or(&plan.policies[policy]).build(area.area.clone());
    let lowest = built.is_ok_and(|policy| policy.promises().lowest);
    let pages = area.area.ranges().len() == 1 && area.area.order_per_bit() == 0;
    lowest && plan.caps[cap] == 0 && pages
}

/// For each stream its least area / LOAD.
struct Ladder {
    /// None where the stream fails at the largest size.
    least: Vec<Option<f64>>,
    at_smallest: u64,
    anomalies: u64,
}

impl Ladder {
    fn of(tried: &[Tried]) -> Self {
        let mut ladder = Self { least: Vec::new(), at_smallest: 0, anomalies: 0 };
        // Where a sweep stops early, sizes have different numbers of streams: those of all.
        let streams = tried.iter().map(|tried| tried.streams.len()).min().unwrap_or(0);
        for stream in 0..streams {
            let failed = |tried: &Tried| tried.streams[stream].1;
            // Behind the last size at which it fails.
            let least = tried.iter().rposition(failed).map_or(0, |last| last + 1);
            let first_pass = tried.iter().position(|tried| !failed(tried)).unwrap_or(least);
            let between = tried.get(first_pass..least).unwrap_or_default();
            ladder.anomalies += between.iter().filter(|tried| failed(tried)).count() as u64;
            ladder.at_smallest += u64::from(least == 0);
            ladder.least.push(
                tried
                    .get(least)
                    .map(|tried| tried.of_pages as f64 / tried.streams[stream].0.max(1) as f64),
            );
        }
        ladder
    }

    fn over_streams(self, stopped: bool) -> Least {
        let least = self.least;
        let named = |interval: Interval| if stopped { interval.of_stopped() } else { interval };
        Least {
            streams: least.len() as u64,
            at_smallest: self.at_smallest,
            above_largest: least.iter().filter(|least| least.is_none()).count() as u64,
            median: median(&least),
            median_interval: named(median_interval(&least)),
            quantile_95: quantile(&least, 0.95),
            quantile_95_interval: named(quantile_interval(&least, 0.95)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::{parse, prepare};
    use cma_policies::builtin;

    /// Sizes of 100, 150 and 200 pages, each with (LOAD, failed) for every stream.
    fn ladder(streams: [&[(u64, bool)]; 3]) -> Ladder {
        let text = "name = \"x\"\npolicies = [\"kernel\"]\n[[boards]]\nname = \"one\"\n\
                    areas = [{ mib = 64 }]\n[[streams]]\nprofile = \"gpu\"\n";
        let ready = prepare(parse("test", text, &builtin::catalog()).unwrap()).unwrap();
        let at = ready.plan.configurations().next().unwrap();
        let columns = crate::metric::columns().count();
        let values = vec![vec![vec![crate::metric::Value::None; columns]]];
        let row = super::super::super::rows_of(&ready, &Block { at, values }).remove(0);
        let tried: Vec<_> = [100, 150, 200]
            .into_iter()
            .zip(streams)
            .map(|(pages, streams)| Tried {
                size: SizeTried {
                    board: 0,
                    pages,
                    per_load: 1.0,
                    streams: streams.len() as u64,
                    failed: 0,
                    interval: Interval::ONE_STREAM,
                    structural: 0,
                },
                of_pages: pages,
                row: row.clone(),
                streams: streams.to_vec(),
                in_areas: Vec::new(),
                largest_request: None,
            })
            .collect();
        Ladder::of(&tried)
    }

    #[test]
    fn the_least_is_the_one_from_which_on_every_larger_one_passes() {
        let found = ladder([
            &[(100, false), (50, true), (80, false), (100, true)],
            &[(100, false), (50, false), (80, true), (100, true)],
            &[(100, false), (50, false), (80, false), (100, true)],
        ]);
        // All pass; from 150 on; it fails at 150 though not at 100; none.
        assert_eq!(found.least, [Some(1.0), Some(3.0), Some(2.5), None]);
        assert_eq!((found.at_smallest, found.anomalies), (1, 1));
        let least = found.over_streams(false);
        assert_eq!((least.streams, least.above_largest), (4, 1));
        assert_eq!(least.median, Some(2.75));
        // One of four passes at the smallest: what half of them need is no bound.
        assert!(least.is_at_most(25) && !least.is_at_most(50));
    }

    #[test]
    fn powers_of_two_that_hold_a_number() {
        let found = [0, 1, 2, 3, 4, 5, 1 << 63, (1 << 63) + 1, u64::MAX].map(ceil_log2);
        assert_eq!(found, [0, 0, 1, 2, 2, 3, 63, 64, 64]);
    }

    #[test]
    fn sizes_with_fewer_streams_are_compared_over_those_of_all() {
        let found = ladder([&[(100, true)], &[(100, false), (100, true)], &[(100, false)]]);
        assert_eq!(found.least, [Some(1.5)]);
    }
}
