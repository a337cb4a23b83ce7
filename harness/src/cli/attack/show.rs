//! What an attack came to, for people and scripts.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Row;
use crate::cli::context::Format;
use crate::cli::table::quote;
use crate::harm::{Goal, bounds};
use crate::words::{percent_of, table};

pub(super) fn write(rows: &[Row], format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => text(rows, out),
        Format::Json => {
            let rows: Vec<_> = rows.iter().map(json).collect();
            writeln!(out, "{:#}", json!({ "schema": 1, "attacks": rows }))
        }
        Format::Csv => csv(rows, out),
    }
}

/// M of first fit's guarantee, where the policy has it.
fn guaranteed(goal: &Goal) -> Option<u64> {
    let policy = goal.policy.build(goal.area()).ok()?;
    bounds::guaranteed(goal, policy.promises())
}

fn ratio(need: u64, of: u64) -> f64 {
    need as f64 / of as f64
}

fn text(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    let head = [
        "policy",
        "pages",
        "n",
        "by",
        "",
        "M",
        "harm",
        "free then",
        "of area",
        "ops",
        "cause",
        "M / Robson's",
        "M / guarantee",
    ];
    let line = |row: &Row| {
        let Row { goal, means, detail, hit, .. } = row;
        let robson = bounds::adversary(goal.pages, goal.largest);
        let mut line = vec![
            goal.policy.to_string(),
            goal.pages.to_string(),
            goal.largest.to_string(),
            (*means).to_string(),
            detail.clone(),
        ];
        if let Some((refusal, _)) = hit {
            let guarantee = guaranteed(goal).filter(|pages| *pages > 0);
            line.extend([
                refusal.need.to_string(),
                format!("{:.3}", goal.harm(refusal.need)),
                refusal.free.to_string(),
                percent_of(refusal.free, goal.pages),
                refusal.op.to_string(),
                refusal.cause.to_string(),
                format!("{:.3}", ratio(refusal.need, robson)),
                guarantee.map_or(String::new(), |of| format!("{:.3}", ratio(refusal.need, of))),
            ]);
        }
        line
    };
    let lines: Vec<_> = rows.iter().map(line).collect();
    table::write(out, &head, &lines)
}

fn csv(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "schema,policy,pages,largest,align,means,detail,load_pages,harm,free_pages,free_share,ops,\
         count,cause,adversary_load_pages,load_per_adversary,guaranteed_load_pages,\
         load_per_guaranteed"
    )?;
    for Row { goal, means, detail, hit, .. } in rows {
        let Goal { policy, pages, largest, align } = goal;
        let policy = quote(&policy.to_string());
        write!(out, "1,{policy},{pages},{largest},{align},{means},{},", quote(detail))?;
        let robson = bounds::adversary(*pages, *largest);
        let guarantee = guaranteed(goal);
        let number = guarantee.map_or(String::new(), |pages| pages.to_string());
        let Some((refusal, _)) = hit else {
            writeln!(out, ",,,,,,,{robson},,{number},")?;
            continue;
        };
        let (harm, share) = (goal.harm(refusal.need), ratio(refusal.free, *pages));
        let per = guarantee.filter(|pages| *pages > 0);
        let per = per.map_or(String::new(), |of| format!("{:.4}", ratio(refusal.need, of)));
        writeln!(
            out,
            "{},{harm:.4},{},{share:.4},{},{},{},{robson},{:.4},{number},{per}",
            refusal.need,
            refusal.free,
            refusal.op,
            refusal.count,
            refusal.cause,
            ratio(refusal.need, robson),
        )?;
    }
    Ok(())
}

fn json(row: &Row) -> Value {
    let Row { goal, means, detail, hit, .. } = row;
    let worst = hit.as_ref().map(|(refusal, _)| {
        json!({
            "load_pages": refusal.need,
            "harm": goal.harm(refusal.need),
            "free_pages": refusal.free,
            "ops": refusal.op,
            "count": refusal.count,
            "longest_usable": refusal.usable,
            "cause": refusal.cause.name(),
        })
    });
    json!({
        "policy": goal.policy.to_string(),
        "pages": goal.pages,
        "largest": goal.largest,
        "align": goal.align.to_string(),
        "means": means,
        "detail": detail,
        "worst": worst,
        "adversary_load_pages": bounds::adversary(goal.pages, goal.largest),
        "guaranteed_load_pages": guaranteed(goal),
    })
}
