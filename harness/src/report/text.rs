//! The table on the terminal, for whoever has to decide what the board gets.

mod answer;

use std::io::{self, Write};

use super::words::length;
use crate::answer::{BLAME, Compared, Findings, Summary, SummaryRow};
use crate::cause::Cause;
use crate::metric::CLASSES;
use crate::stats::{anytime, no_failure_bound};
use crate::sweep::Ready;
use crate::words::{self, table::aligned};

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
    write(ready, &findings.summary, bold, out)
}

/// Writes a block for each stream and LOAD: a row for each cap and policy, baseline first, and one
/// sentence on what it says. `bold` sets the headings off, on a terminal.
///
/// # Errors
/// Where the output takes no more.
pub fn write(ready: &Ready, summary: &Summary, bold: bool, out: &mut dyn Write) -> io::Result<()> {
    for compared in Compared::all(ready, summary) {
        write_block(&Block { ready, compared }, bold, out)?;
    }
    writeln!(
        out,
        "ENOMEM with free pages: requests refused although enough pages were free, of those that \
         found enough free.\nIn brackets: nominal 95 % intervals over the streams; of few \
         streams, or rare refusals, they end too low.\nOf more than \
         {ALL_SHOWN} policies the baseline and the best better one\nare shown; one that does not \
         align (*), or refuses more requests of some size, is not called better.\nAll of \
         them: summary.csv and cells.csv."
    )
}

/// The rows of one stream and LOAD.
struct Block<'a> {
    ready: &'a Ready,
    compared: Compared<'a>,
}

impl Block<'_> {
    /// The rows to show for a cap, in order.
    fn shown(&self, cap: usize) -> Vec<&SummaryRow> {
        let Some(baseline) = self.compared.baseline(cap) else {
            return self.compared.of_cap(cap).iter().collect();
        };
        if self.compared.of_cap(cap).len() > ALL_SHOWN {
            return [baseline].into_iter().chain(self.compared.best(cap)).collect();
        }
        let others = self.compared.of_cap(cap).iter().filter(|row| row.policy != baseline.policy);
        [baseline].into_iter().chain(others).collect()
    }

    /// The policy's name, marked where it does not align.
    fn name(&self, row: &SummaryRow) -> String {
        let mark = if self.ready.aligned[row.policy] { "" } else { " *" };
        let dropped = match (row.dropped, row.streams) {
            (false, _) => String::new(),
            (true, 0) => " (not run)".to_string(),
            (true, streams) => format!(" (dropped after {streams})"),
        };
        format!("{}{mark}{dropped}", self.ready.plan.policies[row.policy])
    }
}

fn write_block(block: &Block<'_>, bold: bool, out: &mut dyn Write) -> io::Result<()> {
    let (ready, first) = (block.ready, &block.compared.rows[0]);
    let plan = &ready.plan;
    let stream = &plan.streams[first.at.stream];
    let pages = ready.board(&first.at).pages();
    let load = plan.load(&first.at).map(|load| load.share_of(pages)).or(first.load);
    let rows: Vec<_> = block.compared.rows.iter().collect();
    let length = length(ready, &rows);
    let counts = || rows.iter().map(|row| row.streams);
    let streams = match (counts().min().unwrap_or(0), counts().max().unwrap_or(0)) {
        (_, 0) => "no stream".to_string(),
        (1, 1) => "one stream".to_string(),
        (least, most) if least == most => format!("{most} streams"),
        (_, most) => format!("up to {most} streams"),
    };
    let short = first.falls_short(ready).map(|load| format!(", reached {}", percent(load)));
    let (on, off) = if bold { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    writeln!(
        out,
        "{on}{}{}: LOAD {} of {} pages{}, {streams}{}{off}",
        stream.name(),
        place(block),
        load.map_or_else(String::new, percent),
        pages,
        short.unwrap_or_default(),
        length,
    )?;
    let mut table = vec![
        ["cap", "policy", "ENOMEM with free pages", "causes", "first refused request", "used then"]
            .map(String::from),
    ];
    for cap in 0..plan.caps.len() {
        for (index, row) in block.shown(cap).into_iter().enumerate() {
            let cap = if index == 0 { plan.caps[cap].to_string() } else { String::new() };
            table.push([
                cap,
                block.name(row),
                withheld(row),
                causes(row),
                first_failure(row),
                row.utilisation.map_or_else(|| "-".to_string(), percent),
            ]);
        }
    }
    write_aligned(&table, out)?;
    let flagged = || block.compared.flattered();
    for row in flagged().take(MOST_FLAGGED) {
        writeln!(out, "  {}", worse(block, row))?;
    }
    if flagged().count() > MOST_FLAGGED {
        writeln!(out, "  !  and {} more such rows", flagged().count() - MOST_FLAGGED)?;
    }
    if let Some(sentence) = reading(block) {
        writeln!(out, "  {sentence}")?;
    }
    writeln!(out)
}

/// What a policy that refuses more of some size gets instead of praise.
fn worse(block: &Block<'_>, row: &SummaryRow) -> String {
    let sizes = row.worse_classes.iter().map(|&class| match CLASSES[class] {
        (low, u64::MAX) => format!("{low} pages and more"),
        (low, high) => format!("{low} to {high} pages"),
    });
    let sizes: Vec<_> = sizes.collect();
    let cap = block.ready.plan.caps[row.at.cap];
    format!(
        "!  {} at cap {cap} has a lower rate, but is worse for {}",
        block.name(row),
        sizes.join(", ")
    )
}

/// Where and on which pages a block runs, as far as the plan has several.
fn place(block: &Block<'_>) -> String {
    let (plan, at) = (&block.ready.plan, &block.compared.rows[0].at);
    let board = at.board.filter(|_| plan.boards.len() > 1);
    let environment = Some(at.environment).filter(|_| plan.environments.len() > 1);
    let board = board.map(|board| format!(" on board {}", plan.boards[board].name));
    let environment = environment.map(|index| format!(", pages {}", plan.environments[index]));
    board.into_iter().chain(environment).collect()
}

/// Writes a table, its first column to the right.
fn write_aligned<const N: usize>(table: &[[String; N]], out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<_> = table.iter().map(<[String; N]>::as_slice).collect();
    aligned(out, "  ", &rows, |column| column == 0)
}

fn percent(share: f64) -> String {
    words::percent(share, 1)
}

/// A share in hundredths of a percent.
fn fine(share: f64) -> String {
    words::percent(share, 2)
}

/// R2 with its interval; with no such refusal what that still allows.
fn withheld(row: &SummaryRow) -> String {
    let rate = row.rates[BLAME];
    if row.ended_early > 0 {
        return format!("- (ended at first failure: {})", row.ended_early);
    }
    let Some(mean) = rate.mean else { return "-".to_string() };
    let count: u64 = withheld_counts(row).map(|(_, count)| count).sum();
    if count == 0 && row.streams > 1 {
        let bound = if row.stopped {
            anytime::share_interval(0, row.streams).high.unwrap_or(1.0)
        } else {
            no_failure_bound(row.streams)
        };
        return format!("none (< {} of streams)", percent(bound));
    }
    if count == 0 {
        return "none".to_string();
    }
    let share = fine(mean);
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
    let all: u64 = withheld_counts(row).map(|(_, count)| count).sum();
    let mut causes: Vec<_> = withheld_counts(row).filter(|(_, count)| *count > 0).collect();
    causes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    if causes.is_empty() {
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
fn reading(block: &Block<'_>) -> Option<String> {
    let plan = &block.ready.plan;
    let base = block.compared.baseline(0)?;
    let at_first = base.rates[BLAME].mean?;
    let (cap, name) = (plan.caps[0], block.name(base));
    if at_first == 0.0 {
        return Some(format!(
            "-> at cap {cap} {name} refuses no request of these streams for which enough pages are \
             free"
        ));
    }
    let other_caps = (1..plan.caps.len()).filter_map(|index| {
        let mean = block.compared.baseline(index)?.rates[BLAME].mean?;
        Some((mean, plan.caps[index]))
    });
    let mut texts = Vec::new();
    if let Some((mean, cap)) = other_caps.min_by(|a, b| a.0.total_cmp(&b.0))
        && mean < at_first
    {
        texts.push(format!("at cap {cap} {}", none_or(mean)));
    }
    if let Some(row) = block.compared.best(0)
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
        texts.push(format!("with {} {}{picked}{doubt}", block.name(row), none_or(mean)));
    }
    if texts.is_empty() {
        texts.push("no other cap and no other policy of this plan does better".to_string());
    }
    let all = fine(at_first);
    Some(format!(
        "-> at cap {cap} {name} refuses {all} of the requests for which enough pages are free; {}",
        texts.join("; ")
    ))
}

/// The same; what was not seen is not 0 %.
fn none_or(share: f64) -> String {
    if share == 0.0 { "none in these streams".to_string() } else { fine(share) }
}
