//! What a choice says.

use super::doubts::{as_recorded, served, unlike};
use super::time::{at_least, covered, span};
use crate::answer::{
    Barred, Candidate, Choice, Inside, Kconfig, Lead, More, Need, Note, Summary, SummaryRow,
    Verdict, Without, Worst,
};
use crate::board::MadeBy;
use crate::page::Page;
use crate::stats::Trend;
use crate::sweep::{Cell, Length, Ready, Target};
use crate::words::{counted, mib, percent, size_cells};

/// A configuration in a few words: `384 MiB (board one), cap 4, policy kernel`.
pub(super) fn name(ready: &Ready, candidate: &Candidate) -> String {
    let &Candidate { board, pages, cap, policy, .. } = candidate;
    configuration(ready, board, pages, (cap, policy))
}

fn configuration(
    ready: &Ready,
    board: Option<usize>,
    pages: u64,
    (cap, policy): (usize, usize),
) -> String {
    let plan = &ready.plan;
    let board = board.map(|board| &plan.boards[board]);
    let board = board.map(|board| {
        let pools = match board.areas.len() {
            1 => String::new(),
            areas => format!(", {areas} areas"),
        };
        format!(" (board {}{pools})", board.name)
    });
    let (cap, policy) = (plan.caps[cap], &plan.policies[policy]);
    let size = mib(pages, plan.page);
    format!("{size}{}, cap {cap}, policy {policy}", board.unwrap_or_default())
}

/// Which stream is looked at, and why.
pub(in crate::report) fn worst(ready: &Ready, worst: &Worst) -> String {
    let Cell { at, policy, seed } = worst.cell;
    format!(
        "of {} under {} the stream of seed {seed} fails first, at request {}",
        ready.plan.streams[at.stream].name(),
        configuration(ready, at.board, ready.board(&at).pages(), (at.cap, policy)),
        worst.requests
    )
}

/// Which stream is just inside the target, and why.
pub(in crate::report) fn just_inside(ready: &Ready, inside: &Inside) -> String {
    let Cell { at, policy, seed } = inside.cell;
    let named = configuration(ready, at.board, ready.board(&at).pages(), (at.cap, policy));
    let stream = ready.plan.streams[at.stream].name();
    let meets = format!("{named} meets the target by least; of {stream} the stream of seed {seed}");
    match inside.aligned_load_pages {
        Some(pages) => format!(
            "{meets} goes well though it needs most: {} as its requests are aligned",
            mib(pages, ready.plan.page)
        ),
        None => format!("{meets} fails first, as all of them do in the end"),
    }
}

/// What has to be written.
pub fn need(need: &Need) -> String {
    match need {
        Need::Default { size, by } => {
            let or = if *by == MadeBy::Dts { " or a dts node" } else { "" };
            let (size, booted) = (mib(size.pages, size.page), size.booted());
            match booted.is_whole {
                true => format!("default area of {size}: cma={}M{or}", booted.mib),
                false => format!(
                    "default area of {size}, which no kernel makes: the next is cma={}M{or}",
                    booted.mib
                ),
            }
        }
        Need::Node { area, size, clients } => {
            let whom = match clients.as_slice() {
                [] => String::new(),
                clients => format!(" for {}", clients.join(", ")),
            };
            let (size, booted) = (mib(size.pages, size.page), size.booted());
            let no = if booted.is_whole { "" } else { ", which no kernel makes: the next is" };
            let cells = size_cells(booted.mib.saturating_mul(1 << 20)).replace('`', "");
            let colon = if booted.is_whole { ":" } else { "" };
            format!("dts node {area} of {size}{whom}{no}{colon} {cells}")
        }
        Need::Policy { policy, area: None } => format!("kernel patch: policy {policy}"),
        Need::Policy { policy, area: Some(area) } => {
            format!("kernel patch: policy {policy} in area {area}")
        }
        Need::OrderPerBit { order, area } => {
            format!("order_per_bit {order} in area {area}: kernel patch")
        }
        Need::Ranges { ranges, area } => format!(
            "{ranges} ranges of area {area}: kernel patch (cma= and a dts node make one range)"
        ),
        Need::Cap(cap, taken) => {
            let limits = match taken {
                Kconfig::All => "",
                Kconfig::NotOld => " (4.x kernels take 4 to 12 only)",
                Kconfig::None => " (kernel patch: Kconfig takes 2 to 12 only)",
            };
            format!("CONFIG_CMA_ALIGNMENT={cap}{limits}")
        }
    }
}

/// What to choose, or that nothing can be, and why: one sentence, or two.
pub fn sentence(ready: &Ready, summary: &Summary, choice: &Choice) -> String {
    let first = &choice.ranked[0];
    let named = || format!("{}: {}", name(ready, first), sure(ready, summary, first));
    let nearest = || format!("nearest comes {}", named());
    match (choice.verdict, ready.plan.target) {
        (Verdict::Met, _) => {
            let lead = lead(choice.lead(), ready.plan.page);
            let served = served(choice, |one| name(ready, one));
            let but = as_recorded(ready, choice).or(served);
            let but = but.map(|but| format!("; {but}")).unwrap_or_default();
            format!("choose {}; {lead}{but}", named())
        }
        (Verdict::NotReproduced, _) => format!(
            "none is advised, since what is fitted to {} does not fail as that did; by streams drawn \
             from it {}",
            unlike(ready, choice),
            nearest()
        ),
        (Verdict::NotMet, Some(target)) => {
            format!("no configuration of the plan is proven to meet {target}; {}", nearest())
        }
        (Verdict::NotMet, None) if choice.ranked.iter().all(Candidate::fails_whole) => {
            "no configuration of the plan keeps all streams whole: under each of them every stream of \
             some kind fails"
                .to_string()
        }
        (Verdict::NotMet, None) => {
            format!("no configuration of the plan keeps all streams whole; {}", nearest())
        }
        (Verdict::Structural, _) => format!(
            "no configuration of the plan can: everywhere some stream needs more aligned pages \
             than there are, whatever the placement policy; take a larger area, a lower cap, or a \
             pool of its own for what is large; {}",
            nearest()
        ),
        (Verdict::Overloaded, _) => format!(
            "no configuration of the plan can: a stream has up to {} live at once, which is more \
             than any area that was tried; take a larger one",
            mib(choice.most_live_pages().round() as u64, ready.plan.page)
        ),
    }
}

/// Why this one and not the next.
fn lead(lead: Lead, page: Page) -> String {
    match lead {
        Lead::Alone => "nothing else of the plan does".to_string(),
        Lead::Pages(pages) => format!("the next that does takes {} more", mib(pages, page)),
        Lead::Change => "it is the smallest that does, and needs least change".to_string(),
        Lead::None => "it is one of the smallest that do".to_string(),
    }
}

/// How sure a candidate is: streams, the bound that they allow, and what made them.
pub fn sure(ready: &Ready, summary: &Summary, candidate: &Candidate) -> String {
    let row = &summary.rows[candidate.worst_row];
    match ready.plan.target {
        Some(target) => sure_of_target(ready, target, row, candidate.rows),
        None => sure_of_all(row, candidate),
    }
}

fn sure_of_all(worst: &SummaryRow, candidate: &Candidate) -> String {
    let Candidate { failed, streams, rows, interval, .. } = candidate;
    let what = if *failed == 0 { "passes" } else { "fails" };
    match (*streams, *rows) {
        (..=1, 1) => return one_stream(what),
        (..=1, _) if *failed == 0 => {
            return format!(
                "all streams of {rows} kinds pass; of one kind there is one stream only, which says \
                 nothing about others"
            );
        }
        (..=1, _) => {
            return format!(
                "the one stream of a kind {what}, of {rows} kinds: it says nothing about others"
            );
        }
        _ => {}
    }
    let percent = |end: Option<f64>| percent(end.unwrap_or(1.0), 1);
    let covered = covered(worst.time.as_ref());
    let (of_kinds, of_worst) = match rows {
        1 => (String::new(), ""),
        _ => (format!(" of each of {rows} kinds"), " of the worst kind"),
    };
    let mtbf = worst.time.as_ref().map(|time| {
        format!(", an MTBF of at least {} where the hazard is constant", at_least(time.mtbf_low_us))
    });
    match failed {
        0 => format!(
            "none of {streams} streams{of_kinds}{covered} fails; at 95 % that still allows \
             {}{of_worst}{}",
            percent(interval.high),
            mtbf.unwrap_or_default()
        ),
        _ => format!(
            "{failed} of {streams} streams{of_worst}{covered} {}: {} to {} at 95 %",
            if *failed == 1 { "fails" } else { "fail" },
            percent(interval.low),
            percent(interval.high)
        ),
    }
}

fn one_stream(what: &str) -> String {
    format!("one stream {what}: it says nothing about others")
}

/// By a target: of the kind of stream that bears least witness, of `kinds`.
fn sure_of_target(ready: &Ready, target: Target, row: &SummaryRow, kinds: usize) -> String {
    let each = if kinds > 1 { format!(" of each of {kinds} kinds") } else { String::new() };
    let Some(length_us) = ready.plan.streams[row.at.stream].drawn_us() else {
        return one_stream(if row.lost == 0 { "passes" } else { "fails" });
    };
    let Some(time) = &row.time else {
        return "the race left it out: it cannot be the answer with another kind of stream".into();
    };
    let seen = &time.evidence;
    let length = span(length_us as f64);
    let so_far = if row.dropped { ", where the race dropped it" } else { "" };
    let streams = match seen.failed {
        0 if seen.streams == 1 => format!("one stream{each} of {length} of board time passes"),
        0 => format!("none of {} streams{each} of {length} of board time fails", seen.streams),
        failed => {
            let fails = match (failed, seen.streams) {
                (_, 1) => format!("the one stream of {length} of board time fails"),
                (1, streams) => format!("1 of {streams} streams of {length} of board time fails"),
                (_, streams) => {
                    format!("{failed} of {streams} streams of {length} of board time fail")
                }
            };
            format!("{fails}{so_far}, after {} at risk", span(seen.at_risk_us as f64))
        }
    };
    match target {
        Target::FailingPerDay(_) if target.is_within(length_us) => format!(
            "{streams}; by itself that is at most {} in a day, at 95 %",
            percent(time.failing_in_a_day_high, 2)
        ),
        _ => format!(
            "{streams}; by itself that is an MTBF of at least {}, at 95 %",
            at_least(time.mtbf_low_us)
        ),
    }
}

/// What has to be known beside a choice.
pub fn notes(ready: &Ready, choice: &Choice) -> Vec<String> {
    choice.notes.iter().map(|one| note(ready, choice, one)).collect()
}

fn note(ready: &Ready, choice: &Choice, note: &Note) -> String {
    let named = |candidate: usize| name(ready, &choice.ranked[candidate]);
    let mib = |pages: &u64| mib(*pages, ready.plan.page);
    match note {
        Note::Less { what, found } => {
            let without = match what {
                Without::Patch => "without a patch of the kernel",
                Without::AllButSize => "with nothing but the size of one area changed",
            };
            match found {
                Some((one, more)) => format!("{without}: {}, {} more", named(*one), mib(more)),
                None => format!("{without}: nothing that was tried does"),
            }
        }
        Note::Patched { candidate, saved } => {
            let needs: Vec<_> = choice.ranked[*candidate].needs.iter().map(need).collect();
            format!(
                "with a patch of the kernel: {}, {} less ({})",
                named(*candidate),
                mib(saved),
                needs.join("; ")
            )
        }
        Note::OneSize => {
            "all boards are of one size: what less, or more, would do was not tried".to_string()
        }
        Note::SmallestDoes => {
            "the smallest board that was tried does: a smaller one may do too".to_string()
        }
        Note::BestOf { all, high, seed } => format!(
            "chosen as the best of {all}: for all of them at once the streams allow {}; confirm \
             it with streams that it was not chosen by: --seed {seed}",
            percent(*high, 1)
        ),
        Note::Whole(target, orders) => {
            let shared = match orders {
                1 => String::new(),
                _ => format!(
                    ", shared by {orders} such orders, one for each cap, policy and kind of board"
                ),
            };
            format!(
                "target {target}: the 95 % hold for the choice as a whole; sizes are tested in \
                 fixed order from the dearest down, up to the first that is not proven{shared}"
            )
        }
        Note::ConstantHazard { target, length_us, seen } => {
            let rests = format!(
                "target {target} is longer than a stream of {}, so the answer rests on a constant \
                 hazard",
                span(*length_us as f64)
            );
            match seen {
                Some((other, seen)) => format!("{rests}: of {} {}", named(*other), trend(seen)),
                None => format!(
                    "{rests}; no smaller board lasted long and failed often enough to show it: \
                     take streams as long as the target"
                ),
            }
        }
        Note::Raced { run_us, planned_us, dropped, rows } => format!(
            "the race ran {} of board time in place of {}, and dropped {dropped} of {} of the summary; \
             that a smaller board fails spared a larger one nothing",
            span(*run_us),
            span(*planned_us),
            counted(*rows as u64, "row")
        ),
        Note::More(what) => more(ready, what),
        Note::PassedOver(one, barred) => {
            let why = match barred {
                Barred::Unaligned => "it grants what is not aligned",
                Barred::Flagged => "it refuses more requests of some size than the kernel's policy",
                Barred::LargerFails => "a larger area fails, so that it may pass by luck",
            };
            format!("not chosen: {}; {why}", named(*one))
        }
        Note::ProfilesAreModels => {
            "model: the streams are made by profiles; another board's streams differ".to_string()
        }
        Note::ShortOfLoad { stream, load } => format!(
            "{} does not reach its LOAD, but {} of all pages: its ops are too few, or it has no more \
             clients",
            ready.plan.streams[*stream].name(),
            percent(*load, 1)
        ),
        Note::PagesAreModels => "model: what claims meet in the pages, and how long they take; no \
                                 board was measured"
            .to_string(),
        Note::MayStop => "the sweep could be stopped early: intervals of the share of failing \
                          streams, and tests, hold at whatever time it stops; those of means and \
                          medians do not allow for it"
            .to_string(),
        Note::OwnArea(1) => "1 stream runs on the area that it states, not on the boards".into(),
        Note::OwnArea(count) => {
            format!("{count} streams run on areas that they state, not on the boards")
        }
    }
}

/// What first failures over age speak for.
fn trend(trend: &Trend) -> String {
    let (early, late) = (trend.early, trend.late);
    let verdict = match trend.rises() {
        true => "it rises: nothing is extrapolated, take streams as long as the target",
        false => "no sign that it rises",
    };
    format!(
        "{} first in the first half of that time ({} at risk), {} in the second ({}); \
         p = {:.2}, {verdict}",
        match early.failures {
            1 => "1 stream fails".to_string(),
            failures => format!("{failures} streams fail"),
        },
        span(early.at_risk),
        late.failures,
        span(late.at_risk),
        trend.p_rising
    )
}

/// What to write into the plan, and what that costs.
fn more(ready: &Ready, more: &More) -> String {
    let hours = more.length_us / Length::HOUR_US as f64;
    let how = match more.seeds {
        seeds if seeds <= ready.plan.seeds => format!(
            "hours = {hours} in the plan, then the same command with --resume, which is another \
             look: 95 % hold for the first only"
        ),
        seeds => format!("seeds = {seeds} in the plan, which is another sweep"),
    };
    format!(
        "to prove it takes {} of board time for each kind of stream (about {} ops in all), if no \
         further one fails: {how}",
        span(more.board_us),
        rounded(more.ops),
    )
}

/// A large number with two digits.
fn rounded(number: f64) -> String {
    match number {
        large if large >= 1e9 => format!("{:.1} G", large / 1e9),
        large if large >= 1e6 => format!("{:.1} M", large / 1e6),
        large if large >= 1e3 => format!("{:.1} k", large / 1e3),
        small => format!("{small:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Size;

    #[test]
    fn what_has_to_be_written() {
        let area = || "vpu".to_string();
        let policy = || "best-fit".to_string();
        let clients = vec!["vpu".to_string(), "gpu".to_string()];
        let size = |pages| Size { pages, page: Page::Kib4, step_pages: 512 };
        let default = |pages, by| Need::Default { size: size(pages), by };
        let node = |pages, clients| Need::Node { area: area(), size: size(pages), clients };
        let table = [
            (default(384 * 256, MadeBy::Dts), "default area of 384 MiB: cma=384M or a dts node"),
            (default(34 * 256, MadeBy::Cmdline), "default area of 34 MiB: cma=34M"),
            (
                default(300, MadeBy::Dts),
                "default area of 1.2 MiB, which no kernel makes: the next is cma=2M or a dts node",
            ),
            (
                node(26 * 256, clients),
                "dts node vpu of 26 MiB for vpu, gpu: size = <0x01a00000> (with two cells <0x0 \
                 0x01a00000>)",
            ),
            (
                node(513, Vec::new()),
                "dts node vpu of 2 MiB, which no kernel makes: the next is size = <0x00400000> (with \
                 two cells <0x0 0x00400000>)",
            ),
            (Need::Cap(6, Kconfig::All), "CONFIG_CMA_ALIGNMENT=6"),
            (
                Need::Cap(3, Kconfig::NotOld),
                "CONFIG_CMA_ALIGNMENT=3 (4.x kernels take 4 to 12 only)",
            ),
            (
                Need::Cap(0, Kconfig::None),
                "CONFIG_CMA_ALIGNMENT=0 (kernel patch: Kconfig takes 2 to 12 only)",
            ),
            (Need::Policy { policy: policy(), area: None }, "kernel patch: policy best-fit"),
            (
                Need::Policy { policy: policy(), area: Some(area()) },
                "kernel patch: policy best-fit in area vpu",
            ),
            (
                Need::OrderPerBit { order: 2, area: area() },
                "order_per_bit 2 in area vpu: kernel patch",
            ),
            (
                Need::Ranges { ranges: 3, area: area() },
                "3 ranges of area vpu: kernel patch (cma= and a dts node make one range)",
            ),
        ];
        for (what, words) in table {
            assert_eq!(need(&what), words);
        }
    }
}
