//! What an attack came to, for people and scripts.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Hit, Row};
use crate::cli::context::Show;
use crate::harm::{Goal, Refusal, bounds};
use crate::words::{csv, percent_of, table};

impl Show for Vec<Row> {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        table::write(out, HEAD, &self.iter().map(line).collect::<Vec<_>>())
    }

    fn json(&self) -> Value {
        json!({ "schema": 1, "attacks": self.iter().map(json).collect::<Vec<_>>() })
    }

    fn csv(&self) -> (String, Vec<Vec<String>>) {
        (COLUMNS.to_string(), self.iter().map(|row| fields(row).to_vec()).collect())
    }
}

/// M of first fit's guarantee, where the policy has it.
fn guaranteed(goal: &Goal) -> Option<u64> {
    // What is proved is proved for one range.
    let [_] = goal.ranges() else { return None };
    let policy = goal.policy.build(goal.area()).ok()?;
    bounds::guaranteed(goal, policy.promises())
}

fn ratio(need: u64, of: u64) -> f64 {
    need as f64 / of as f64
}

const HEAD: &str =
    "policy,pages,n,by,,M,harm,free then,of area,ops,cause,M / Robson's,M / guarantee";

fn line(row: &Row) -> Vec<String> {
    let Row { goal, means, detail, hit, .. } = row;
    let robson = bounds::adversary(goal.pages, goal.largest);
    let (pages, largest) = (goal.pages.to_string(), goal.largest.to_string());
    let mut line =
        vec![goal.policy.to_string(), pages, largest, (*means).to_string(), detail.clone()];
    if let Some(Hit { refusal, .. }) = hit {
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
}

/// The columns of the CSV.
const COLUMNS: &str = "schema,policy,pages,largest,align,means,detail,load_pages,harm,free_pages,\
                       free_share,ops,count,cause,adversary_load_pages,load_per_adversary,\
                       guaranteed_load_pages,load_per_guaranteed";

fn fields(row: &Row) -> [String; 18] {
    let Row { goal, means, detail, hit, .. } = row;
    let Goal { policy, pages, largest, align, .. } = goal;
    let robson = bounds::adversary(*pages, *largest);
    let guarantee = guaranteed(goal);
    let refusal = hit.as_ref().map(|hit| &hit.refusal);
    let count = |of: fn(&Refusal) -> u64| csv::optional(refusal.map(of));
    let share = |share: Option<f64>| share.map_or_else(String::new, |share| format!("{share:.4}"));
    let per = |of: Option<u64>| {
        share(refusal.zip(of).filter(|(_, of)| *of > 0).map(|(it, of)| ratio(it.need, of)))
    };
    [
        "1".to_string(),
        policy.to_string(),
        pages.to_string(),
        largest.to_string(),
        align.to_string(),
        (*means).to_string(),
        detail.clone(),
        count(|refusal| refusal.need),
        share(refusal.map(|refusal| goal.harm(refusal.need))),
        count(|refusal| refusal.free),
        share(refusal.map(|refusal| ratio(refusal.free, *pages))),
        count(|refusal| refusal.op),
        count(|refusal| refusal.count),
        csv::optional(refusal.map(|refusal| refusal.cause)),
        robson.to_string(),
        per(Some(robson)),
        csv::optional(guarantee),
        per(guarantee),
    ]
}

fn json(row: &Row) -> Value {
    let Row { goal, means, detail, hit, .. } = row;
    let worst = hit.as_ref().map(|Hit { refusal, .. }| {
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
