//! A row for each failure. A column never changes its meaning; new ones go to the end.

use std::io::{self, Write};

use super::plain::seconds;
use super::words;
use crate::diagnose::Failure;
use crate::words::csv::{line, optional};

/// The version of the columns: the first of them.
pub const SCHEMA: u32 = 1;

const COLUMNS: &str = "schema,source,line,time_s,kernel,area,count,align,align_from,ret,\
                       busy_retries,runs,free,total,largest_run,largest_usable,complete,verdict,\
                       confidence,max_align,at,largest_count_at_this_align,duplicates,why";

/// Writes the names of the columns.
///
/// # Errors
/// Where the output takes no more.
pub fn head(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{COLUMNS}")
}

/// Writes the row of `failure`.
///
/// # Errors
/// Where the output takes no more.
pub fn row(failure: &Failure, out: &mut dyn Write) -> io::Result<()> {
    let incident = &failure.incident;
    let (list, fit) = (failure.list, failure.would_fit);
    let fields = [
        SCHEMA.to_string(),
        incident.source.to_string(),
        incident.line.to_string(),
        optional(incident.time_us.map(seconds)),
        optional(incident.era.name.as_ref()),
        optional(incident.area.as_ref()),
        optional(incident.count),
        optional(failure.align.map(|(order, _)| order)),
        optional(failure.align.map(|(_, from)| from.name())),
        optional(incident.ret),
        optional(incident.busy_retries),
        optional(list.map(|list| list.runs)),
        optional(list.and_then(|list| list.free)),
        optional(list.and_then(|list| list.total)),
        optional(list.map(|list| list.largest_run)),
        optional(list.and_then(|list| list.largest_usable)),
        optional(list.map(|list| list.complete)),
        failure.verdict_name().to_string(),
        failure.confidence.name().to_string(),
        optional(fit.and_then(|fit| fit.max_align)),
        optional(fit.and_then(|fit| fit.at)),
        optional(fit.map(|fit| fit.largest_count_at_this_align)),
        incident.duplicates.to_string(),
        words::why(failure),
    ];
    writeln!(out, "{}", line(&fields))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{misaligned, undecidable, with};
    use super::*;

    #[test]
    fn a_row_has_a_field_for_each_column() {
        let mut out = Vec::new();
        head(&mut out).unwrap();
        row(&with(&misaligned(), |incident| incident.source = "a,b.log".into()), &mut out).unwrap();
        row(&undecidable(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[1],
            "1,\"a,b.log\",7,12.345678,5.12-6.11,\"linux,cma\",300,8,trace,-12,0,3,855,2048,500,\
             245,true,alignment,certain,7,640,245,0,\
             \"500@513: aligned start 768, 768 + 300 = 1068 > 1013\""
        );
        assert_eq!(
            lines[2],
            "1,a.log,9,,,,1,0,cap,-12,0,,,,,,,undecidable,guess,,,,0,\"-12 means exhausted or \
             migration, and there is no list of free runs\""
        );
        assert_eq!(lines[0].split(',').count() + 1, lines[2].split(',').count());
    }
}
