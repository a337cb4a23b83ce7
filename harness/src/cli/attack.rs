//! `cmalab attack`: the worst stream for a policy.

mod show;
mod tried;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use cma_policies::{BASELINE, Run};

use self::tried::Tried;
use super::bar;
use super::context::Context;
use super::failure::{Exit, Failure};
use super::policies::policies;
use super::size::{Ranges, page, pages};
use crate::codec::Act;
use crate::harm::adversary::ADVERSARIES;
use crate::harm::archive::Archive;
use crate::harm::search::{Effort, search};
use crate::harm::{Align, Goal, Refusal, confirm, evaluate, followed, played, realised};
use crate::ingest::{StreamWriter, stated, strange};
use crate::op::Timed;
use crate::page::Page;
use crate::size::Size;
use crate::words::counted;

/// Searches the worst stream for a policy: ENOMEM with as much free memory as possible.
///
/// A stream is the worse the less LOAD it needs: with M the most pages that are live or asked for up
/// to its first refusal, harm is 1 - M / area. No request is above n. Three ways are tried: known
/// adversaries (`cmalab list adversaries`), a local search, and cases that a fuzzer has found. Each
/// is set beside the M at which Robson's adversary refuses any policy, and beside first fit's
/// guarantee. What is printed has been run again under the laws of the policy.
///
/// Examples:
///   cmalab attack --policy kernel,best-fit --pages 256,4M
///   cmalab attack --policy kernel --pages 1024 --from corpora/champions -o worst.csv
///   cmalab attack --policy zoned --from crash-1f2e --case --champions my-champions
///   cmalab replay worst.csv
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Attack {
    /// Policies, as `name` or `name:key=value,…`, with commas between; may be given several times
    #[arg(long, value_name = "POLICY,…", default_value = BASELINE)]
    policy: Vec<String>,
    /// Pages of the area, 16 to 65536, or its size as 4M; several with commas between, or given
    /// several times
    #[arg(long, value_name = "PAGES,…", value_delimiter = ',', default_value = "1024",
        value_parser = Size::in_pages)]
    pages: Vec<Size>,
    /// KiB of a page: 4, 16 or 64
    #[arg(long, value_name = "KIB", default_value = "4", value_parser = page)]
    page_kib: Page,
    /// Ranges of the area in the kernel's order, in place of --pages
    #[arg(long, value_name = "BASE:PAGES,…", value_parser = Ranges::parse,
        conflicts_with_all = ["pages", "champions"])]
    ranges: Option<Ranges>,
    /// n, the largest count that is asked, a power of two, or its size [default: up to an eighth of
    /// the area]
    #[arg(long, value_name = "PAGES", value_parser = Size::in_pages)]
    largest: Option<Size>,
    /// What requests are aligned to: none, dma (cap 8) or dma:CAP
    #[arg(long, default_value = "none", value_parser = align)]
    align: Align,
    /// Programs that the local search tries for each policy and area; 0 leaves it out
    #[arg(long, value_name = "N", default_value_t = 80_000)]
    tries: u64,
    /// Of the tries, programs that begin from nothing; the better half of them goes on each time
    #[arg(long, value_name = "N", default_value_t = 32,
        value_parser = clap::value_parser!(u64).range(1..=65536))]
    climbs: u64,
    /// The local search does without fills and combs, with single requests and frees alone
    #[arg(long)]
    plain: bool,
    /// The seed of the local search
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads; 0 is one for each core. The result does not depend on them
    #[arg(long, short, value_name = "N", default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(..=1024))]
    jobs: u32,
    /// A folder of cases to try too: champions or a fuzzer's corpus, files that end with .case or
    /// have no extension; or a stream, a trace or a recording, as `cmalab generate` writes one; or,
    /// with --case, one case. "-" is standard input
    #[arg(long, value_name = "DIR|FILE")]
    from: Option<PathBuf>,
    /// The file of --from is the bytes of a case, whatever it looks like
    #[arg(long, requires = "from")]
    case: bool,
    /// Keeps what the search and the cases did as champions in this folder, where it is the worst
    #[arg(long, value_name = "DIR", alias = "keep")]
    champions: Option<PathBuf>,
    /// Writes the worst stream of all to this file; "-" is standard output, without the report
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn align(text: &str) -> Result<Align, String> {
    Align::parse(text).ok_or_else(|| "none, dma and dma:CAP with a cap below 64 are allowed".into())
}

/// What one way came to.
struct Row {
    goal: Goal,
    means: &'static str,
    /// Which adversary, which file.
    detail: String,
    /// Nothing where no request was refused with a page of LOAD to spare.
    hit: Option<Hit>,
}

/// A refusal, and what led there.
struct Hit {
    refusal: Refusal,
    stream: Vec<Timed>,
    /// The acts and the LOAD limit, where it was no adversary and no stream.
    program: Option<(Vec<Act>, u16)>,
}

/// Steps of the bar for each goal.
const STEPS: u64 = 100;

/// Attacks them.
///
/// # Errors
/// A policy, area or n that is wrong, a file that cannot be read, a policy that breaks a law.
pub(super) fn run(args: &Attack, context: &Context) -> Result<Exit, Failure> {
    let goals = goals(args, context)?;
    let tried = tried::open(args)?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(args.jobs as usize).build();
    let threads =
        threads.map_err(|error| Failure::because(format_args!("start the threads: {error}")))?;
    let style = bar::style("{wide_bar} {percent} %, {eta} left");
    let bar = bar::bar(Some(STEPS * goals.len() as u64), style, context.progress);
    let mut archive = match &args.champions {
        Some(path) => {
            fs::create_dir_all(path).map_err(|error| unkept(path, &error))?;
            Some(Archive::new(path, context.catalog.clone()))
        }
        None => None,
    };
    let mut rows = Vec::new();
    for (at, goal) in goals.iter().enumerate() {
        let beat = |share: f64| bar.set_position(STEPS * at as u64 + (share * STEPS as f64) as u64);
        let attacked = threads.install(|| attacked(goal, args, &tried, &beat));
        attacked.iter().try_for_each(confirmed)?;
        // At once: what comes after it may take hours, and be broken off.
        if let Some(archive) = &mut archive {
            attacked.iter().try_for_each(|row| keep(row, archive))?;
        }
        rows.extend(attacked);
    }
    bar.finish_and_clear();
    // First what took long: the file may turn out not to be writable.
    let results = [args.out.as_deref()];
    context.show(None, &results, &rows)?;
    if let Some(path) = &args.out {
        write_worst(&rows, path, context)?;
    }
    Ok(Exit::Good)
}

/// Runs what was found once more, under the laws of the policy.
fn confirmed(row: &Row) -> Result<(), Failure> {
    let Some(Hit { refusal, stream, .. }) = &row.hit else { return Ok(()) };
    let confirmed = confirm(&row.goal, stream)?;
    if confirmed == Some(*refusal) {
        return Ok(());
    }
    Err(Failure::Violated(format!("{}: {refusal:?}, but {confirmed:?}", row.goal)))
}

fn goals(args: &Attack, context: &Context) -> Result<Vec<Goal>, Failure> {
    let attack = |error| Failure::because(format_args!("attack {error}"));
    let mut goals = Vec::new();
    let page = args.page_kib;
    let from_zero = |size: &Size| Ok(vec![Run::new(0, pages("--pages", *size, page)?)]);
    let areas = match &args.ranges {
        Some(ranges) => vec![ranges.of(page)?.0],
        None => args.pages.iter().map(from_zero).collect::<Result<_, Failure>>()?,
    };
    let largest = args.largest.map(|size| pages("--largest", size, page)).transpose()?;
    for policy in policies(&args.policy, &context.catalog)? {
        for ranges in &areas {
            let mut goal = Goal::over(policy.clone(), ranges.clone()).map_err(attack)?;
            if let Some(largest) = largest {
                goal = goal.with_largest(largest).map_err(attack)?;
            }
            if let Some(warning) = strange(&goal.area()) {
                context.warn(&warning);
            }
            goals.push(goal.with_align(args.align));
        }
    }
    Ok(goals)
}

/// What `acts` come to, with what is in their reach.
fn hit(goal: &Goal, acts: &[Act], limit: u64) -> Option<Hit> {
    let outcome = evaluate(goal, acts, limit);
    let made = realised(goal, acts, limit, &outcome);
    let acts = made.map_or_else(|| acts.to_vec(), |(acts, _)| acts);
    let (outcome, stream) = played(goal, &acts, limit);
    let refusal = outcome.refusal.filter(|refusal| refusal.need < goal.pages)?;
    // Above the pages of the area a limit says nothing.
    let limit = limit.min(goal.pages).min(u16::MAX.into()) as u16;
    Some(Hit { refusal, stream, program: Some((acts, limit)) })
}

fn need(hit: Option<&Hit>) -> u64 {
    hit.map_or(u64::MAX, |hit| hit.refusal.need)
}

/// The share of the work that is done before the search, very roughly.
const FIRST: f64 = 0.2;

/// Every way against one goal.
fn attacked(goal: &Goal, args: &Attack, tried: &Tried, beat: &dyn Fn(f64)) -> Vec<Row> {
    let row = |means, detail: &str, hit: Option<Hit>| Row {
        goal: goal.clone(),
        means,
        detail: detail.to_string(),
        hit,
    };
    let known = ADVERSARIES.iter().enumerate().map(|(number, adversary)| {
        let beat = |share: f64| beat(FIRST * (number as f64 + share) / ADVERSARIES.len() as f64);
        let hit = adversary.worst(goal, &beat).map(|hit| {
            let stream = adversary.stream(goal, &hit);
            Hit { refusal: hit.refusal, stream, program: None }
        });
        row("adversary", adversary.name, hit)
    });
    let mut rows: Vec<_> = known.min_by_key(|row| need(row.hit.as_ref())).into_iter().collect();
    if let Some((name, ops)) = &tried.stream {
        // All of it, and no more than the area has, where what does not fit is left out.
        let hits = [u64::MAX, goal.pages].map(|limit| followed(goal, ops, limit));
        let least = hits.into_iter().flatten().min_by_key(|(refusal, _)| refusal.need);
        let least = least.filter(|(refusal, _)| refusal.need < goal.pages);
        let hit = least.map(|(refusal, stream)| Hit { refusal, stream, program: None });
        rows.push(row("stream", name, hit));
    }
    let cases = &tried.cases;
    let of_cases = cases.iter().map(|(name, case)| {
        let limits = [case.most_live(), goal.pages];
        let hits = limits.into_iter().filter_map(|limit| hit(goal, &case.acts, limit));
        row("cases", name, hits.min_by_key(|hit| hit.refusal.need))
    });
    if let Some(mut row) = of_cases.min_by_key(|row| need(row.hit.as_ref())) {
        if row.hit.is_none() {
            row.detail = counted(cases.len() as u64, "file");
        }
        rows.push(row);
    }
    if args.tries > 0 {
        let Attack { tries, climbs, seed, plain, .. } = *args;
        let beat = |share: f64| beat(FIRST + (1.0 - FIRST) * share);
        let found = search(goal, Effort { tries, climbs, seed, folded: !plain }, &beat);
        let hit = found.and_then(|found| hit(goal, &found.acts, found.load_limit.into()));
        rows.push(row("search", &counted(tries, "try"), hit));
    }
    beat(1.0);
    rows
}

/// Keeps the program where it is worse than any champion.
fn keep(row: &Row, archive: &mut Archive) -> Result<(), Failure> {
    let Some(Hit { refusal, program: Some((acts, limit)), .. }) = &row.hit else { return Ok(()) };
    let kept = archive.offer(&row.goal, acts, *limit, refusal);
    kept.map_err(|error| unkept(&archive.folder, &error))?;
    Ok(())
}

fn unkept(folder: &Path, error: &std::io::Error) -> Failure {
    Failure::because(format_args!("keep champions in {}: {error}", folder.display()))
}

/// Writes the stream with the greatest harm, the first of equals.
fn write_worst(rows: &[Row], path: &Path, context: &Context) -> Result<(), Failure> {
    let hits = rows.iter().filter_map(|row| Some((&row.goal, row.hit.as_ref()?)));
    let harm = |(goal, hit): &(&Goal, &Hit)| goal.harm(hit.refusal.need);
    let worst = hits.reduce(|worst, other| if harm(&other) > harm(&worst) { other } else { worst });
    let Some((goal, Hit { refusal, stream, .. })) = worst else {
        return Err(Failure::because("write the worst stream: nothing was refused"));
    };
    let cap = match goal.align {
        Align::None => 0,
        Align::Dma { cap } => cap,
    };
    let own = [
        ("policy", goal.policy.to_string()),
        ("load_pages", refusal.need.to_string()),
        ("largest", goal.largest.to_string()),
        ("cap", cap.to_string()),
    ];
    let pairs = [&own[..], &stated(&goal.area())].concat();
    context.output(Some(path), |out| {
        let writer = StreamWriter::new(out, &pairs, &[], false)?;
        Ok(writer.write_all(stream.iter().copied())?)
    })
}
