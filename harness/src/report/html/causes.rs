//! By cause: why requests were refused.

use std::io::{self, Write};

use super::axis::Axis;
use super::bars::{Bar, Bars, Part};
use super::escape::Escaped;
use super::names::{self, percent};
use super::ways::{Page, Way};
use crate::cause::Cause;
use crate::report::summary::SummaryRow;
use crate::report::time::covers;
use crate::sweep::Configuration;

/// A cause in words.
fn words(cause: Cause) -> &'static str {
    match cause {
        Cause::TooLarge => "too_large: more pages than the area has",
        Cause::Exhausted => "exhausted: too few pages free",
        Cause::Fragmentation => "fragmentation: enough free, no hole long enough",
        Cause::Alignment => "alignment: a hole long enough, not from an aligned page on",
        Cause::Interrupted => "interrupted: a fatal signal",
        Cause::Migration => "migration: no memory to move pages to",
        Cause::Busy => "busy: every place tried was busy",
        Cause::Transient => "transient: only because of requests in flight",
        Cause::Policy => "policy: a place was there, the policy did not take it",
    }
}

/// Writes a picture for each stream.
pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<p>Every refused request, as a share of all requests. <i>exhausted</i> and \
         <i>too_large</i> mean that the area is too small; every other cause is ENOMEM with free \
         pages (<i>withheld</i>), which size, cap, pools or policy can change.</p>"
    )?;
    let (cases, left) = page.cases();
    let mut clean = Vec::new();
    for (index, at) in cases.iter().enumerate() {
        let (rows, left_out): (Vec<_>, Vec<_>) = page.rows(*at).into_iter().partition(is_whole);
        if !left_out.is_empty() {
            not_drawn(page, at, &left_out, out)?;
        }
        if rows.is_empty() {
            continue;
        }
        let run: Vec<_> = rows.iter().map(|(_, _, row)| *row).collect();
        if rows.iter().all(|(_, _, row)| row.refused.iter().all(|count| *count == 0)) {
            clean.push(format!("{} ({})", page.place(at), covers(page.ready, &run)));
            continue;
        }
        let most = rows.iter().map(|(_, _, row)| refused(row)).fold(0.0, f64::max);
        let bar = |(way, _, row): &Drawn<'_>| Bar {
            label: page.name_of(*way, row),
            numbers: numbers(row),
            parts: parts(row),
        };
        let there =
            |cause: &(usize, Cause)| rows.iter().any(|(_, _, row)| row.refused[cause.0] > 0);
        let kinds = Cause::ALL.into_iter().enumerate().filter(there);
        let bars = Bars {
            id: format!("cause{index}"),
            title: page.place(at),
            x: Axis::percent("refused requests of all requests, %", most),
            bars: rows.iter().map(bar).collect(),
            kinds: kinds.map(|(kind, cause)| (kind, words(cause).to_string())).collect(),
            note: names::sentence(&covers(page.ready, &run)),
        };
        bars.write(out)?;
    }
    for place in clean {
        writeln!(
            out,
            "<p>{}: no request is refused under any cap and policy shown here.</p>",
            Escaped(place)
        )?;
    }
    super::left_out(left, out)
}

/// A way, the number of its row, and that.
type Drawn<'a> = (Way, usize, &'a SummaryRow);

/// Whether a row has rates over the length of its streams.
fn is_whole((_, _, row): &Drawn<'_>) -> bool {
    row.streams > 0 && row.ended_early == 0
}

/// What is not drawn, and why: of streams that ended at their first failure the causes are counted.
fn not_drawn(
    page: &Page<'_>,
    at: &Configuration,
    rows: &[Drawn<'_>],
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(
        out,
        "<p>{} ({}). Not drawn are streams that ended at their first failure, of which there are no \
         rates over their length, and what was not run:</p>\n<ul>",
        Escaped(page.place(at)),
        Escaped(page.covers(at))
    )?;
    for (way, _, row) in rows {
        let causes = Cause::ALL.into_iter().zip(row.refused).filter(|(_, count)| *count > 0);
        let causes: Vec<_> = causes.map(|(cause, count)| format!("{cause} {count}")).collect();
        let what = match row.streams {
            0 => String::new(),
            _ => format!(
                ": {} of {} streams ended at the first failure; refused until then: {}",
                row.ended_early,
                row.streams,
                causes.join(", ")
            ),
        };
        writeln!(out, "<li>{}{}</li>", Escaped(page.name_of(*way, row)), Escaped(what))?;
    }
    writeln!(out, "</ul>")
}

fn share(count: u64, row: &SummaryRow) -> f64 {
    count as f64 / row.requests.max(1) as f64
}

fn refused(row: &SummaryRow) -> f64 {
    share(row.refused.iter().sum(), row)
}

fn parts(row: &SummaryRow) -> Vec<Part> {
    let part = |(kind, (cause, count)): (usize, (Cause, u64))| {
        let share = share(count, row);
        let text = format!("{cause} {} requests, {}", names::whole(count), percent(share));
        (count > 0).then_some(Part { length: share, kind, text })
    };
    Cause::ALL.into_iter().zip(row.refused).enumerate().filter_map(part).collect()
}

/// What is refused in words: the whole, the withheld part with its interval, and the causes.
fn numbers(row: &SummaryRow) -> String {
    let all: u64 = row.refused.iter().sum();
    let streams = names::whole(row.streams);
    if all == 0 {
        let failed = names::failing(row.failed, row.streams, &row.failed_interval);
        return match row.streams {
            1 => "none seen in one stream".to_string(),
            _ => format!("none seen in {streams} streams: {} of streams have one", failed.sure),
        };
    }
    let mut causes: Vec<_> =
        Cause::ALL.into_iter().zip(row.refused).filter(|(_, count)| *count > 0).collect();
    causes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let of_all =
        |count: u64| match (100 * u128::from(count) + u128::from(all / 2)) / u128::from(all) {
            0 => "<\u{2009}1".to_string(),
            share => share.to_string(),
        };
    let causes = causes.into_iter().take(3);
    let causes: Vec<_> =
        causes.map(|(cause, count)| format!("{cause} {}\u{a0}%", of_all(count))).collect();
    let withheld = names::range(&row.rates[0].interval);
    let withheld = withheld.map_or_else(String::new, |range| format!(", withheld {range}"));
    format!("{}{withheld}: {}", percent(refused(row)), causes.join(", "))
}
