//! Rates by size of the request: a rate over all sizes can be made better by refusing the large
//! ones.

use std::io::{self, Write};

use super::escape::Escaped;
use super::names::{self, Seen, percent};
use super::table::{self, Field, Row, numbers, words};
use super::ways::Page;
use crate::metric::CLASSES;
use crate::report::summary::{ClassCounts, SummaryRow};
use crate::report::time::covers;
use crate::sweep::Configuration;

/// Writes a table for each stream.
pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<p>Refused requests of all requests of a size, and below that those of them that found \
         enough pages free, pooled over the streams of the row. These shares have no interval of \
         their own: whether a policy is worse than the baseline in a class (▲) is asked stream by \
         stream, as a paired difference with its interval. Where it is, the policy is flagged and \
         never recommended, whatever its rate over all sizes.</p>"
    )?;
    let (cases, more) = page.cases();
    for at in &cases {
        let all = page.rows(*at);
        let ways = all.len();
        let whole = |(_, _, row): &(_, _, &SummaryRow)| row.streams > 0 && row.ended_early == 0;
        let rows: Vec<_> = all.into_iter().filter(whole).collect();
        let left = ways - rows.len();
        if left > 0 {
            not_shown(page, at, left, out)?;
        }
        if rows.is_empty() {
            continue;
        }
        let run: Vec<_> = rows.iter().map(|(_, _, row)| *row).collect();
        let covers = covers(page.ready, &run);
        let asked = |class: &usize| rows.iter().any(|(_, _, row)| row.classes[*class].requests > 0);
        let there: Vec<usize> = (0..CLASSES.len()).filter(asked).collect();
        let mut columns = vec![words("Policy and cap")];
        columns.extend(there.iter().map(|class| numbers(TITLES[*class])));
        columns.push(numbers("Streams"));
        columns.push(numbers("By pages (R3)"));
        columns.push(words("Dominance"));
        let rows: Vec<_> = rows
            .iter()
            .map(|(way, _, row)| Row {
                class: super::sure::class(page, row),
                fields: fields(&page.name_of(*way, row), row, &there),
            })
            .collect();
        let title = format!("By size of the request: {}; {covers}", page.place(at));
        table::write(&title, &columns, &rows, page.ways_left(), out)?;
    }
    super::left_out(more, out)
}

/// What a table does not have, and why.
fn not_shown(
    page: &Page<'_>,
    at: &Configuration,
    left: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(
        out,
        "<p>{}, {} left out: ended at the first failure, so that there are no rates over the length \
         of streams, or not run.</p>",
        Escaped(page.place(at)),
        names::counted(left, "cap and policy", "caps and policies"),
    )
}

const TITLES: [&str; CLASSES.len()] =
    ["1 to 16 pages", "17 to 256 pages", "257 to 2048 pages", "2049 pages and more"];

fn fields(name: &str, row: &SummaryRow, there: &[usize]) -> Vec<Field> {
    let mut fields = vec![table::text(name)];
    fields.extend(there.iter().map(|class| field(row, *class)));
    fields.push(table::number(Some(row.streams as f64), &names::whole(row.streams)));
    let pages = &row.rates[BY_PAGES];
    fields.push(table::sure(pages.mean, &names::seen(pages, row.streams)));
    let worse: Vec<_> = row.worse_classes.iter().map(|class| names::class(*class)).collect();
    fields.push(table::text(&match worse.is_empty() {
        true => "not worse in any class".to_string(),
        false => format!("▲ worse for {}", worse.join(" and ")),
    }));
    fields
}

/// The place of R3 among the rates.
const BY_PAGES: usize = 2;

fn field(row: &SummaryRow, class: usize) -> Field {
    let ClassCounts { requests, refused, withheld } = row.classes[class];
    if requests == 0 {
        return table::number(None, "–");
    }
    let share = |count: u64| count as f64 / requests as f64;
    let mark = if row.worse_classes.contains(&class) { "▲ " } else { "" };
    let seen = match refused {
        0 => Seen { value: "none seen".into(), sure: format!("of {}", names::whole(requests)) },
        _ => Seen {
            value: format!("{mark}{}", percent(share(refused))),
            sure: format!("{} withheld; of {}", percent(share(withheld)), names::whole(requests)),
        },
    };
    table::sure(Some(share(refused)), &seen)
}
