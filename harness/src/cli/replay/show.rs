//! What came of files under policies.

use std::io::{self, Write};

use serde_json::json;

use super::{File, Run};
use crate::cause::Cause;
use crate::metric::{self, Value};
use crate::replay::Comparison;
use crate::words::{self, table};

/// For people.
pub(super) fn text(measured: &[(&File, Vec<Run>)], out: &mut dyn Write) -> io::Result<()> {
    for (number, (file, runs)) in measured.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        about(file, runs, out)?;
        writeln!(out)?;
        let rows: Vec<_> = runs.iter().map(row).collect();
        let head = [
            "policy",
            "cap",
            "requests",
            "granted",
            "refused",
            "with free pages",
            "of all",
            "of satisfiable",
            "first at request",
            "area in use then",
        ];
        table::write(out, &head, &rows)?;
        writeln!(out)?;
        for run in runs {
            causes(file, run, out)?;
        }
    }
    Ok(())
}

fn about(file: &File, runs: &[Run], out: &mut dyn Write) -> io::Result<()> {
    let kind = file.format.name;
    let name = file.source.name();
    writeln!(out, "{name}: {kind}, errno as kernel {}", file.kernel.name)?;
    if let Some(area) = &file.area {
        let (range, order) = (area.ranges()[0], area.order_per_bit());
        write!(out, "area {}: {} pages at pfn {}, ", area.name(), area.pages(), range.pfn)?;
        writeln!(out, "order_per_bit {order}")?;
    }
    let tally = &file.survey.tally;
    write!(out, "{} rows, {} allocs", tally.rows, tally.allocs)?;
    if tally.allocs > 0 {
        let share = percent(Value::share(tally.dma.into(), tally.allocs.into()));
        let dma = tally.dma;
        write!(out, "; {dma} of them follow the cap ({share}), the others keep their order")?;
    }
    writeln!(out)?;
    if file.is_recorded() {
        writeln!(out, "recorded with cap {}", file.survey.cap)?;
    }
    if let Some(found) = &file.checked {
        let Comparison { equal, different, unanswered, .. } = found;
        writeln!(
            out,
            "policy {} answers {equal} calls as traced, {different} differently; of {unanswered} \
             the trace does not say",
            file.kernel.policy
        )?;
    }
    if file.survey.no_pages > 0 {
        let rows = file.survey.no_pages;
        writeln!(out, "{rows} allocs of no pages are answered before there is a request")?;
    }
    if let Some(run) = runs.first().filter(|_| tally.rows > 0) {
        let load = (run.replayed.value("load_max_pages"), run.replayed.value("load_measured"));
        writeln!(out, "LOAD {} pages, {} of the area", load.0, percent(load.1))?;
    }
    Ok(())
}

fn row(run: &Run) -> Vec<String> {
    let value = |column| run.replayed.value(column);
    let withheld: u64 = Cause::ALL
        .iter()
        .filter(|cause| cause.is_withheld())
        .map(|cause| count(value(metric::cause_column(*cause))))
        .sum();
    vec![
        run.policy.clone(),
        run.cap.to_string(),
        value("requests").to_string(),
        value("grants").to_string(),
        value("refused").to_string(),
        withheld.to_string(),
        percent(value("withheld_per_request")),
        percent(value("withheld_per_satisfiable")),
        value("requests_to_first_failure").to_string(),
        percent(value("utilisation_at_first_failure")),
    ]
}

fn count(value: Value) -> u64 {
    if let Value::Count(count) = value { count } else { 0 }
}

/// A share in percent, with three decimals; nothing for none.
fn percent(value: Value) -> String {
    value.number().map_or_else(String::new, |share| words::percent(share, 3))
}

fn causes(file: &File, run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let by_cause: Vec<_> = Cause::ALL
        .iter()
        .map(|cause| (cause, count(run.replayed.value(metric::cause_column(*cause)))))
        .filter(|(_, refused)| *refused > 0)
        .map(|(cause, refused)| format!("{cause} {refused}"))
        .collect();
    let Some(failure) = &run.replayed.first_failure else {
        return writeln!(out, "{} at cap {}: nothing was refused", run.policy, run.cap);
    };
    writeln!(out, "{} at cap {}: refused by cause: {}", run.policy, run.cap, by_cause.join(", "))?;
    let printed = failure.errno.map_or_else(
        || format!("kernel {} prints nothing", file.kernel.name),
        |errno| format!("ret: {errno}"),
    );
    let (line, cause, why) = (failure.line, failure.cause, &failure.why);
    writeln!(out, "    first at line {line}, {printed}, {cause}: {why}")
}

/// One object.
pub(super) fn json(measured: &[(&File, Vec<Run>)], out: &mut dyn Write) -> io::Result<()> {
    let mut files = Vec::new();
    for (file, runs) in measured {
        let mut list = Vec::new();
        for Run { policy, cap, replayed } in runs {
            let mut metrics = serde_json::Map::new();
            for (column, value) in metric::columns().zip(&replayed.values) {
                let value = match value {
                    Value::None => json!(null),
                    Value::Count(count) => json!(count),
                    Value::Micro(_) => json!(value.number()),
                };
                metrics.insert(column.name.to_string(), value);
            }
            let first_failure = replayed.first_failure.as_ref().map_or(json!(null), |failure| {
                json!({
                    "line": failure.line,
                    "at_us": failure.at_us,
                    "cause": failure.cause.name(),
                    "errno": failure.errno,
                    "why": failure.why,
                })
            });
            list.push(json!({
                "policy": policy,
                "cap": cap,
                "environment": file.environment.to_string(),
                "metrics": metrics,
                "first_failure": first_failure,
            }));
        }
        files.push(json!({
            "file": file.source.name(),
            "format": file.format.name,
            "kernel": file.kernel.name,
            "area_pages": file.area.as_ref().map(cma_policies::Area::pages),
            "rows": file.survey.tally.rows,
            "allocs": file.survey.tally.allocs,
            "allocs_that_follow_the_cap": file.survey.tally.dma,
            "as_traced": file.checked.as_ref().map(|found| json!({
                "equal": found.equal,
                "different": found.different,
                "unanswered": found.unanswered,
            })),
            "warnings": file.survey.warnings,
            "runs": list,
        }));
    }
    writeln!(out, "{:#}", json!({ "schema": 1, "files": files }))
}

/// A row for each file, policy and cap.
pub(super) fn csv(measured: &[(&File, Vec<Run>)], out: &mut dyn Write) -> io::Result<()> {
    let columns: Vec<_> = metric::columns().map(|column| column.name).collect();
    let head = format!(
        "schema,file,kernel,policy,cap,environment,{},first_failure_line,first_failure_cause,\
         first_failure_errno",
        columns.join(",")
    );
    let runs = measured.iter().flat_map(|(file, runs)| runs.iter().map(move |run| (file, run)));
    let rows = runs.map(|(file, Run { policy, cap, replayed })| {
        let (cap, environment) = (cap.to_string(), file.environment.to_string());
        let mut row: Vec<String> =
            ["1", file.source.name(), file.kernel.name, policy, &cap, &environment]
                .map(String::from)
                .to_vec();
        row.extend(replayed.values.iter().map(Value::to_string));
        let first = replayed.first_failure.as_ref();
        row.push(words::csv::optional(first.map(|first| first.line)));
        row.push(words::csv::optional(first.map(|first| first.cause)));
        row.push(words::csv::optional(first.and_then(|first| first.errno)));
        row
    });
    words::csv::table(out, &head, rows)
}
