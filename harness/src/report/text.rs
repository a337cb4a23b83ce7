//! The table on the terminal, for whoever has to decide what the board gets.

mod answer;

use std::io::{self, Write};

use super::words::{both_rates, last, length, size_class_of, streams};
use crate::answer::{BLAME, Compared, Findings, Summary, SummaryRow};
use crate::cause::Cause;
use crate::stats::{anytime, no_failure_bound};
use crate::sweep::Ready;
use crate::words::{self, pages_of, table::aligned, table::folded, wrapped};

/// Columns of a line.
const WIDTH: usize = 100;

/// Policies of which all rows are shown; of more the baseline and the best other one.
const ALL_SHOWN: usize = 4;

/// Rows of a block that are flagged in so many words.
const MOST_FLAGGED: usize = 3;

/// Writes the answer first, then what it rests on: see [`write()`].
///
/// # Errors
/// Where the output takes no more.
pub fn write_findings(
    ready: &Ready,
    findings: &Findings,
    bold: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    answer::write(ready, findings, bold, out)?;
    write(ready, &findings.summary, bold, out)?;
    let said = last(ready, findings);
    if !said.is_empty() {
        writeln!(out)?;
    }
    said.iter().try_for_each(|text| lines(out, text, ("", "    ")))
}

/// A sentence, in lines of a terminal. A number stays with its unit.
fn lines(out: &mut dyn Write, text: &str, starts: (&str, &str)) -> io::Result<()> {
    let text = &text.replace(" %", "\u{a0}%").replace("< ", "<\u{a0}");
    wrapped(text, WIDTH, starts).iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// Writes a block for each stream and LOAD: a row for each cap and policy, baseline first, and one
/// sentence on what it says. `bold` sets the headings off, on a terminal.
///
/// # Errors
/// Where the output takes no more.
pub fn write(ready: &Ready, summary: &Summary, bold: bool, out: &mut dyn Write) -> io::Result<()> {
    for block in Compared::all(ready, summary) {
        write_block(&block, bold, out)?;
    }
    let legend = [
        "ENOMEM with free pages: requests refused although enough pages were free, of those that found \
         enough free."
            .to_string(),
        "In brackets: nominal 95 % intervals over the streams; of few streams, or rare refusals, they \
         end too low."
            .to_string(),
        format!(
            "Of more than {ALL_SHOWN} policies the baseline and the best better one are shown; one that \
             does not align (*), or refuses more requests of some size, is not called better."
        ),
        "All of them: summary.csv and cells.csv.".to_string(),
    ];
    legend.iter().try_for_each(|text| lines(out, text, ("", "    ")))
}

/// The rows to show for a cap, in order.
fn shown<'a>(block: &Compared<'a>, cap: usize) -> Vec<&'a SummaryRow> {
    let all = block.of_cap(cap);
    let baseline = block.baseline(cap);
    if baseline.is_some() && all.len() > ALL_SHOWN {
        return baseline.into_iter().chain(block.best(cap)).collect();
    }
    let others = all.iter().filter(|row| baseline.is_none_or(|base| row.policy != base.policy));
    baseline.into_iter().chain(others).collect()
}

/// The policy's name, marked where it does not align.
fn name(ready: &Ready, row: &SummaryRow) -> String {
    let mark = if ready.aligned[row.policy] { "" } else { " *" };
    let dropped = match (row.dropped, row.streams) {
        (false, _) => String::new(),
        (true, 0) => " (not run)".to_string(),
        (true, streams) => format!(" (dropped after {streams})"),
    };
    format!("{}{mark}{dropped}", ready.plan.policies[row.policy])
}

/// Columns of a table that are folded where a line is too long, the first first: the first refused
/// request, the rate, causes.
const FOLDS: [usize; 3] = [4, 2, 3];

fn write_block(block: &Compared<'_>, bold: bool, out: &mut dyn Write) -> io::Result<()> {
    let (ready, first) = (block.ready, &block.rows[0]);
    let plan = &ready.plan;
    let stream = &plan.streams[first.at.stream];
    let rows: Vec<_> = block.rows.iter().collect();
    let length = length(ready, &rows);
    let (streams, _) = streams(&rows);
    let short = first.falls_short(ready).map(|load| format!(", reached {}", percent(load)));
    let (on, off) = if bold { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let title = format!(
        "{on}{}{}: LOAD {}{}, {streams}{}{off}",
        stream.name(),
        place(block),
        load(ready, first),
        short.unwrap_or_default(),
        length,
    );
    lines(out, &title, ("", "    "))?;
    let mut table = vec![
        ["cap", "policy", "ENOMEM with free pages", "causes", "first refused request", "used then"]
            .map(String::from),
    ];
    for cap in 0..plan.caps.len() {
        for (index, row) in shown(block, cap).into_iter().enumerate() {
            let cap = if index == 0 { plan.caps[cap].to_string() } else { String::new() };
            table.push([
                cap,
                name(block.ready, row),
                withheld(row),
                causes(row),
                first_failure(row),
                row.area_utilisation.map_or_else(|| "-".to_string(), percent),
            ]);
        }
    }
    let table = folded(&table, WIDTH - 2, &FOLDS);
    aligned(out, "  ", &table, |column| column == 0)?;
    let flagged = || block.flattered();
    for row in flagged().take(MOST_FLAGGED) {
        lines(out, &worse(block, row), ("  !  ", "    "))?;
    }
    if flagged().count() > MOST_FLAGGED {
        writeln!(out, "  !  and {} more such rows", flagged().count() - MOST_FLAGGED)?;
    }
    if let Some(sentence) = reading(block) {
        lines(out, &sentence, ("  -> ", "    "))?;
    }
    for (cap, row) in (0..plan.caps.len()).filter_map(|cap| Some((cap, block.baseline(cap)?))) {
        if let Some(rates) = both_rates(block.ready, row) {
            let rates = format!("at cap {} {rates}", plan.caps[cap]);
            lines(out, &rates, ("  -> ", "    "))?;
        }
    }
    writeln!(out)
}

/// LOAD as a share of the area; of several of that which is filled most, where it was measured.
fn load(ready: &Ready, row: &SummaryRow) -> String {
    let board = ready.board(&row.at);
    if board.areas.len() > 1
        && let Some((index, share)) = row.fullest(&board)
    {
        let area = &board.areas[index].area;
        let pages = pages_of(area.pages(), ready.plan.page);
        return format!("{} of {pages} of area {}", percent(share), area.name());
    }
    let pages = board.pages();
    let load = ready.plan.load(&row.at).map(|load| load.share_of(pages)).or(row.load);
    let share = load.map_or_else(String::new, percent);
    format!("{share} of {}", pages_of(pages, ready.plan.page))
}

/// What a policy that refuses more of some size gets instead of praise.
fn worse(block: &Compared<'_>, row: &SummaryRow) -> String {
    let plan = &block.ready.plan;
    let sizes = row.worse_classes.iter().map(|size| size_class_of(*size, plan.page));
    let (sizes, cap) = (sizes.collect::<Vec<_>>(), plan.caps[row.at.cap]);
    format!(
        "{} at cap {cap} has a lower rate, but is worse for {}",
        name(block.ready, row),
        sizes.join(", ")
    )
}

/// Where and on which pages a block runs, as far as the plan has several.
fn place(block: &Compared<'_>) -> String {
    let (plan, at) = (&block.ready.plan, &block.rows[0].at);
    let board = at.board.filter(|_| plan.boards.len() > 1);
    let environment = Some(at.environment).filter(|_| plan.environments.len() > 1);
    let board = board.map(|board| format!(" on board {}", plan.boards[board].name));
    let environment = environment.map(|index| format!(", pages {}", plan.environments[index]));
    board.into_iter().chain(environment).collect()
}

fn percent(share: f64) -> String {
    words::percent(share, 1)
}

/// R2 with its interval; with no such refusal what that still allows.
fn withheld(row: &SummaryRow) -> String {
    let rate = row.rates[BLAME];
    if row.ended_early > 0 {
        return format!("- (ended at first failure: {})", row.ended_early);
    }
    let Some(mean) = rate.mean else { return "-".to_string() };
    let count: u64 = withheld_counts(row).map(|(_, count)| count).sum();
    if count == 0 && row.streams <= 1 {
        return "none".to_string();
    }
    if count == 0 {
        let bound = match row.stopped {
            true => anytime::share_interval(0, row.streams).high.unwrap_or(1.0),
            false => no_failure_bound(row.streams),
        };
        return format!("none (< {} of streams)", percent(bound));
    }
    let share = words::percent(mean, 2);
    match (rate.interval.low, rate.interval.high) {
        (Some(low), Some(high)) => format!("{share} ({:.2}-{:.2})", low * 100.0, high * 100.0),
        _ => share,
    }
}

fn withheld_counts(row: &SummaryRow) -> impl Iterator<Item = (Cause, u64)> {
    let causes = Cause::ALL.into_iter().zip(row.refused);
    causes.filter(|(cause, _)| cause.is_withheld())
}

/// The causes of ENOMEM with free pages and their shares, the most frequent first.
fn causes(row: &SummaryRow) -> String {
    let mut causes: Vec<_> = withheld_counts(row).filter(|(_, count)| *count > 0).collect();
    causes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let all: u64 = causes.iter().map(|(_, count)| count).sum();
    if all == 0 {
        return "-".to_string();
    }
    let share = |count: u64| words::percent(count as f64 / all as f64, 0);
    let texts = causes.into_iter().map(|(cause, count)| format!("{cause} {}", share(count)));
    texts.collect::<Vec<_>>().join(", ")
}

/// R5 with its interval, and in how many streams it never came.
fn first_failure(row: &SummaryRow) -> String {
    let never = row.streams - row.failed;
    let Some(median) = row.first_failure else {
        return match (row.failed, row.streams) {
            (_, 0) => "-".to_string(),
            (0, _) => "never".to_string(),
            (_, streams) => format!("never in {never} of {streams}"),
        };
    };
    let Some(low) = row.first_failure_interval.low else { return format!("{median:.0}") };
    let high = row.first_failure_interval.high;
    let high = high.map_or_else(|| "never".to_string(), |high| format!("{high:.0}"));
    let also = if never > 0 { format!(", never in {never}") } else { String::new() };
    format!("{median:.0} ({low:.0}-{high}){also}")
}

/// One sentence: what the first cap costs, and what another one or another policy would change.
fn reading(block: &Compared<'_>) -> Option<String> {
    let plan = &block.ready.plan;
    let base = block.baseline(0)?;
    let at_first = base.rates[BLAME].mean?;
    let (cap, at_base) = (plan.caps[0], name(block.ready, base));
    if at_first == 0.0 {
        return Some(format!(
            "at cap {cap} {at_base} refuses no request of these streams for which enough pages are \
             free"
        ));
    }
    let other_caps = (1..plan.caps.len()).filter_map(|index| {
        let mean = block.baseline(index)?.rates[BLAME].mean?;
        Some((mean, plan.caps[index]))
    });
    let mut texts = Vec::new();
    if let Some((mean, cap)) = other_caps.min_by(|a, b| a.0.total_cmp(&b.0))
        && mean < at_first
    {
        texts.push(format!("at cap {cap} {}", none_or(mean)));
    }
    if let Some(row) = block.best(0)
        && let Some(mean) = row.rates[BLAME].mean
    {
        let high = row.against_baseline.and_then(|difference| difference.interval.high);
        let sure = high.is_some_and(|high| high < 0.0) || row.streams == 1;
        let doubt = if sure { "" } else { ", which may be chance" };
        // The least of many is low by chance too.
        let others = plan.policies.len() - 1;
        let picked = match others {
            1 => String::new(),
            _ => format!(", the least of {others} policies in these streams"),
        };
        texts.push(format!("with {} {}{picked}{doubt}", name(block.ready, row), none_or(mean)));
    }
    if texts.is_empty() {
        texts.push("no other cap and no other policy of this plan does better".to_string());
    }
    let all = words::percent(at_first, 2);
    Some(format!(
        "at cap {cap} {at_base} refuses {all} of the requests for which enough pages are free; {}",
        texts.join("; ")
    ))
}

/// The same; what was not seen is not 0 %.
fn none_or(share: f64) -> String {
    match share {
        0.0 => "none in these streams".to_string(),
        _ => words::percent(share, 2),
    }
}
