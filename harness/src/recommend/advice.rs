//! From what a board does to what to change on it.

use cma_policies::Catalog;

use super::bench::{Bench, Watch};
use super::search::{Found, search};
use super::survey::{Survey, survey};
use super::work::{Failed, Work};
use super::{Base, Limits};
use crate::op::Timed;
use crate::reproduce::{NotReproduced, Reproduction, Yardstick, reproduce_watched, yardstick};
use crate::sweep::{Length, Target};
use crate::words::mib;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Task {
    /// What the board does.
    pub works: Vec<Work>,
    /// The board as it is.
    pub base: Base,
    /// What must not be changed.
    pub limits: Limits,
    /// How rare failures are to be.
    pub target: Target,
    /// The first seed.
    pub seed: u64,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Advice {
    /// For each work whether streams drawn from it fail as its file did: none where it is of no file,
    /// or that does not say how its requests ended.
    pub reproduced: Vec<Option<Reproduction>>,
    /// Why nothing is advised, where that is so.
    pub why_not: Option<WhyNot>,
    /// What was found; none where nothing was searched.
    pub found: Option<Found>,
    /// What any placement of the first stream of the first work needs, and what the kernel's does.
    pub yardstick: Option<Yardstick>,
}

/// Why nothing is advised. The number is that of the work.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum WhyNot {
    /// Streams that are drawn from what was fitted do not fail as the file did.
    NotReproduced(usize),
    /// Somebody asks for more and more, and gives nothing back: no size is enough for good.
    Grows {
        /// Which.
        work: usize,
        /// Pages in an hour that are never given back (of a recording in as many ops as microseconds).
        pages_per_hour: u64,
    },
    /// The file is too short to draw streams from.
    TooShort {
        /// Which.
        work: usize,
        /// Sessions in it that came to their end.
        sessions: u64,
        /// How long to record at least, in microseconds (of a recording in ops), so that it has enough
        /// of them; none where it has none at all.
        record_us: Option<u64>,
    },
}

/// The longest stream: a day.
const LONGEST_US: u64 = 24 * Length::HOUR_US;
/// About as many ops a stream has at most.
const MOST_OPS: f64 = (1u64 << 20) as f64;
/// Board time that is looked at for the pace, in microseconds.
const LOOK_US: u64 = LONGEST_US;

/// Sessions below which streams say nothing that the file does not.
const LEAST_SESSIONS: u64 = 8;
/// As many are enough.
const ENOUGH_SESSIONS: u64 = 30;

/// Answers `task`, with at most so many ops.
///
/// # Errors
/// A stream that cannot be drawn, a policy that breaks a law.
pub fn advise(
    task: &Task,
    catalog: &Catalog,
    most_ops: u64,
    watch: &dyn Watch,
) -> Result<Advice, Failed> {
    let look = look(task, watch)?;
    let length_us = length_us(task, &look);
    let mut advice = Advice { reproduced: Vec::new(), why_not: None, found: None, yardstick: None };
    for (index, work) in task.works.iter().enumerate() {
        let held = held(work)?;
        let fails = held.as_ref().is_some_and(|shown| !shown.holds() && !is_near(shown));
        let why = too_short(index, work).or_else(|| grows(index, work));
        let why = why.or(fails.then_some(WhyNot::NotReproduced(index)));
        advice.why_not = advice.why_not.or(why);
        advice.reproduced.push(held);
    }
    if advice.why_not.is_some() {
        return Ok(advice);
    }
    let span = (task.target, length_us);
    let limits = (task.seed, most_ops);
    let mut bench = Bench::new(&task.works, task.base.ground, span, limits, watch);
    advice.found = Some(search(&mut bench, look, &task.base, &task.limits, catalog)?);
    advice.yardstick = placed(task)?;
    Ok(advice)
}

/// Ops that are packed: what any placement of them needs takes about a second.
const PACKED: usize = 1 << 15;

/// What any placement of what the board does needs.
fn placed(task: &Task) -> Result<Option<Yardstick>, Failed> {
    let Base { pages, most_pages, cap, ground, .. } = &task.base;
    let Some(work) = task.works.first() else { return Ok(None) };
    let stream = work.open(task.seed, pages.unwrap_or(*most_pages), ground.page);
    let ops = stream.map_err(|error| Failed::Draw(work.name.clone(), error))?.ops;
    let before = ops.before().to_vec();
    let all = before.into_iter().map(|op| Timed { at_us: 0, op }).chain(ops.take(PACKED));
    yardstick(all, *cap, ground.order_per_bit)
        .map_err(|violation| Failed::Broken("kernel".to_string(), violation))
}

/// Who asks for what; says what any area needs.
fn look(task: &Task, watch: &dyn Watch) -> Result<Survey, Failed> {
    let pages = task.base.pages.unwrap_or(task.base.most_pages);
    let page = task.base.ground.page;
    let look =
        survey(&task.works, (pages, page), (LOOK_US, (*task.base.caps.end()).max(task.base.cap)))?;
    let aligned = look.aligned_load_pages[task.base.cap as usize];
    watch.found(&format!(
        "LOAD {}, aligned LOAD at cap {} {}: no area below that can do",
        mib(look.load_pages, page),
        task.base.cap,
        mib(aligned, page)
    ));
    watch.expect(look.ops as f64 / look.time_us.max(1) as f64 * task.target.mtbf_us());
    Ok(look)
}

/// A stream is so many times as long as the target, where that is short: it begins on an empty board, and
/// is not to end before that is full.
const LONGER: f64 = 8.0;

/// The board time of a stream: [`LONGER`] times the target, at most a day, and no more ops than a core
/// runs in a second or so.
fn length_us(task: &Task, look: &Survey) -> u64 {
    let by_ops = look.time_us.max(1) as f64 * MOST_OPS / look.ops.max(1) as f64;
    by_ops.min(LONGER * task.target.mtbf_us()).min(LONGEST_US as f64).max(1.0) as u64
}

/// Whether streams of a work fail as its file did.
fn held(work: &Work) -> Result<Option<Reproduction>, Failed> {
    let Some(fit) = work.fit().filter(|fit| fit.has_outcomes()) else { return Ok(None) };
    reproduce_watched(fit, &|| {}).map_err(|error| match error {
        NotReproduced::Draw(error) => Failed::Draw(work.name.clone(), error),
        NotReproduced::Broken(violation) => Failed::Broken("kernel".to_string(), violation),
    })
}

/// Odds of streams and file that differ by no more than this are near enough to advise by; a long file
/// is hardly ever within the range of its streams.
const NEAR: f64 = 1.5;

fn is_near(shown: &Reproduction) -> bool {
    let odds = |share: f64| share / (1.0 - share).max(f64::MIN_POSITIVE);
    let (Some(recorded), Some(predicted)) = (shown.refused.recorded, shown.refused.predicted)
    else {
        return false;
    };
    let times = odds(recorded) / odds(predicted);
    recorded > 0.0 && predicted > 0.0 && (1.0 / NEAR..=NEAR).contains(&times)
}

/// Buffers of a class from which on it is one that grows.
const MANY: u64 = 8;

/// Whether a class of buffers is asked for through at least half of the file, and none of it is ever
/// given back.
fn grows(index: usize, work: &Work) -> Option<WhyNot> {
    let fit = work.fit()?;
    let end_us = fit.end_us().max(1);
    let leaks = fit.classes.iter().filter(|class| {
        let spans = class.between_us.unwrap_or(0).saturating_mul(class.requests) >= end_us / 2;
        class.requests >= MANY && class.live_at_end == class.requests && spans
    });
    let pages: u128 = leaks.map(crate::workload::fit::Requested::pages).sum();
    let pages_per_hour = pages * u128::from(Length::HOUR_US) / u128::from(end_us);
    let pages_per_hour = u64::try_from(pages_per_hour).unwrap_or(u64::MAX);
    (pages > 0).then_some(WhyNot::Grows { work: index, pages_per_hour })
}

fn too_short(index: usize, work: &Work) -> Option<WhyNot> {
    let fit = work.fit()?;
    let (sessions, _) = fit.sessions();
    let is_closed = fit.manners().iter().any(|manner| manner.holds.is_some());
    if is_closed || sessions >= LEAST_SESSIONS {
        return None;
    }
    let each = fit.end_us().max(1) / sessions.max(1);
    let record_us = (sessions > 0).then(|| each.saturating_mul(ENOUGH_SESSIONS));
    Some(WhyNot::TooShort { work: index, sessions, record_us })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ingest::Source;
    use crate::reader::Options;
    use crate::recommend::Origin;
    use crate::workload::fit::Fit;

    /// A client that asks every two seconds for so many requests, beside one that gives back.
    fn work(leaks: u64) -> Work {
        let mut rows = Vec::new();
        for at in 0..300_u64 {
            let us = at * 2_000_000;
            if at < leaks {
                rows.push(format!("{us},alloc,{},16,dma,leak,", 1000 + at));
            }
            rows.push(format!("{},alloc,{at},64,dma,steady,", us + 1));
            rows.push(format!("{},free,{at},,,,", us + 1_000_000));
        }
        let text = format!("at_us,op,id,count,align,client,area\n{}\n", rows.join("\n"));
        let source = Source::bytes("leak.csv", text.into_bytes());
        let fit = Fit::read(&source, &Options::default()).unwrap();
        Work { name: "leak.csv".to_string(), origin: Origin::Fit(Arc::new(fit)), weight: 1.0 }
    }

    /// Found by a simulated leak, for which a larger area was recommended.
    #[test]
    fn what_is_asked_for_to_the_end_and_never_given_back_grows() {
        // 16 pages in each two seconds of ten minutes.
        let Some(WhyNot::Grows { pages_per_hour, .. }) = grows(0, &work(300)) else {
            panic!("{:?}", grows(0, &work(300)));
        };
        assert!((28_700..=28_900).contains(&pages_per_hour), "{pages_per_hour}");
        // What was asked for at the beginning and stays is no leak.
        assert_eq!(grows(0, &work(40)), None);
        assert_eq!(grows(0, &work(0)), None);
    }
}
