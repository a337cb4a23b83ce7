//! How to make the report again, what it assumes, and what its words mean.

use std::io::{self, Write};

use super::escape::Escaped;
use super::names;
use super::ways::Page;
use crate::after_failure;
use crate::metric::{cause_column, columns};
use crate::report::csv;
use crate::sweep::{Stream, What, emit};

/// Writes it; `command` is the line of the file COMMAND.
pub(super) fn write(page: &Page<'_>, command: &str, out: &mut dyn Write) -> io::Result<()> {
    let plan = &page.ready.plan;
    writeln!(
        out,
        "<p>This line, in the folder that it names, writes every file of this report again, byte \
         for byte, with any number of threads:</p>\n<pre class=\"wide\" tabindex=\"0\">{}</pre>",
        Escaped(command)
    )?;
    let last = plan.seed.wrapping_add(plan.seeds.saturating_sub(1));
    writeln!(out, "<dl class=\"facts\">")?;
    let rows = &page.findings.summary.rows;
    let requests = rows.iter().fold(0_u64, |sum, row| sum.saturating_add(row.requests));
    let facts = [
        (
            "Version",
            format!("cmalab {}, columns of schema {}", env!("CARGO_PKG_VERSION"), csv::SCHEMA),
        ),
        ("Plan", plan.name.clone()),
        ("Seeds", format!("{} to {last}: one stream of each profile for each", plan.seed)),
        (
            "Requests",
            format!("{} in {} configurations and policies", names::whole(requests), rows.len()),
        ),
        ("Board time", list(page.all_covers().into_iter())),
        ("After a failure", after(page)),
        (
            "Pages",
            list(plan.environments.iter().map(|spec| format!("{spec}: {}", spec.entry().about))),
        ),
        (
            "Streams",
            list(plan.streams.iter().map(|stream| match &stream.what {
                What::Profile(profile) => format!("{}: {}", profile.name, profile.about),
                What::Fitted(_) => format!("{}: drawn from what was fitted to it", stream.name()),
                What::File(_) | What::Recorded(_) => format!("{}: a recording", stream.name()),
                What::Mix(mix) => format!("{}: {}", mix.name, mix.about()),
            })),
        ),
        (
            "Policies",
            list(plan.policies.iter().map(|spec| format!("{spec}: {}", spec.entry().about))),
        ),
        (
            "Callers",
            list(plan.boards.iter().map(|board| {
                format!("board {}: {}, {}", board.name, board.caller.name, board.caller.about)
            })),
        ),
    ];
    for (label, text) in facts.into_iter().filter(|(_, text)| !text.is_empty()) {
        writeln!(out, "<div><dt>{label}</dt><dd>")?;
        for line in text.lines() {
            writeln!(out, "<p>{}</p>", Escaped(line))?;
        }
        writeln!(out, "</dd></div>")?;
    }
    writeln!(out, "</dl>")?;
    model(page, out)?;
    writeln!(
        out,
        "<details>\n<summary>The plan as it was run, all defaults filled in</summary>\n\
         <pre class=\"wide\" tabindex=\"0\">{}</pre>\n</details>",
        Lines(&emit(page.ready))
    )?;
    glossary(out)
}

/// Text of several lines: the lines stay.
struct Lines<'a>(&'a str);

impl std::fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.lines().try_for_each(|line| writeln!(f, "{}", Escaped(line)))
    }
}

fn list(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

fn after(page: &Page<'_>) -> String {
    let text = page.ready.plan.after_failure.to_string();
    let name = text.split(':').next().unwrap_or(&text);
    let about = after_failure::ENTRIES.iter().find(|entry| entry.name == name);
    about.map_or_else(|| text.clone(), |entry| format!("{text}: {}", entry.about))
}

/// What is measured, and what is assumed.
fn model(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let profiles = page.ready.plan.streams.iter().filter_map(Stream::profile);
    let mut profiles: Vec<_> = profiles.map(|p| format!("{}: {}", p.name, p.source)).collect();
    profiles.dedup();
    writeln!(
        out,
        "<h3>What is a model here</h3>\n<ul>\n\
         <li>Placement is not a model: the search of the <code>kernel</code> policy is checked \
         against recordings of real kernels, placement by placement.</li>\n\
         <li>Streams of a profile are a <b>model</b> of what drivers ask for. Intervals speak of \
         streams of that profile and no other; one that is fitted from a trace of the board itself \
         is nearer to it.</li>\n\
         <li>What pages do while an area is emptied (the environment) is a <b>model</b>, stated \
         above; so is every time and latency.</li>\n\
         <li>What a caller does after a failure changes every rate, but for the requests to the \
         first failure.</li>"
    )?;
    for profile in profiles {
        writeln!(out, "<li>Sizes and times of {}</li>", Escaped(profile))?;
    }
    writeln!(out, "</ul>")
}

/// What the words of the tables and files mean.
fn glossary(out: &mut dyn Write) -> io::Result<()> {
    const WORDS: [(&str, &str); 8] = [
        ("stream", "one sequence of requests: a profile with one seed, or a recording"),
        ("LOAD", "the most pages live at once, were every request granted; rho = LOAD / area"),
        (
            "aligned LOAD",
            "the least area that the alignment of the requests leaves possible at a \
                          cap, whatever the policy",
        ),
        ("structural", "aligned LOAD is above the area: only size, cap or another pool can help"),
        (
            "withheld",
            "refused although as many pages were free as were asked for: ENOMEM with free \
                      pages",
        ),
        ("cap", "CONFIG_CMA_ALIGNMENT: DMA callers ask for the order min(ceil_log2(count), cap)"),
        (
            "flagged",
            "worse than the baseline in some size class, in streams of one row: it may look good \
                     by refusing the large requests. A warning: with many rows some are flagged by \
                     chance",
        ),
        ("baseline", "the kernel's own search, which others are compared with"),
    ];
    writeln!(out, "<h3>Words</h3>\n<dl class=\"words\">")?;
    for (word, means) in WORDS {
        writeln!(out, "<dt>{}</dt><dd>{}</dd>", Escaped(word), Escaped(means))?;
    }
    writeln!(
        out,
        "</dl>\n<details>\n<summary>Columns of cells.csv and summary.csv</summary>\n\
         <dl class=\"words\">"
    )?;
    for column in columns() {
        let cause = crate::cause::Cause::ALL.into_iter().find(|c| cause_column(*c) == column.name);
        let about = match cause {
            Some(cause) if column.about.is_empty() => cause.name(),
            _ => column.about,
        };
        writeln!(
            out,
            "<dt>{}</dt><dd>{} <small>{}</small></dd>",
            Escaped(column.name),
            Escaped(about),
            Escaped(column.unit)
        )?;
    }
    writeln!(
        out,
        "</dl>\n<p>In summary.csv a name that ends in <code>_mean</code>, <code>_median</code>, \
         <code>_low</code>, <code>_high</code> or <code>_method</code> is that number over the \
         streams, the ends of its 95 % interval, and how that was made.</p>\n</details>"
    )
}
