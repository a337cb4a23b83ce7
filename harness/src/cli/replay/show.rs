//! What came of files under policies.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{File, Run};
use crate::board::Asking;
use crate::cause::Cause;
use crate::cli::cap::{json_of_cap, said};
use crate::cli::context::Show;
use crate::ingest;
use crate::metric;
use crate::replay::{Comparison, Mismatch, Refusals, given_back};
use crate::report::words::{clients_ask, fails};
use crate::words::{self, csv, table};

/// A file, and what came of it under policies.
pub(super) type Measured<'a> = (&'a File, Vec<Run>);

impl Show for Vec<Measured<'_>> {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        text(self, out)
    }

    fn json(&self) -> Value {
        json!({ "schema": 1, "files": self.iter().map(json).collect::<Vec<_>>() })
    }

    /// A row for each file, policy and cap.
    fn csv(&self) -> (String, Vec<Vec<String>>) {
        let columns: Vec<_> = metric::columns().map(|column| column.name).collect();
        let head = format!(
            "schema,file,kernel,policy,cap,environment,{},first_failure_line,first_failure_cause,\
             first_failure_errno,refused_by_area,withheld_per_request_by_area,\
             withheld_per_satisfiable_by_area",
            columns.join(",")
        );
        let runs = self.iter().flat_map(|(file, runs)| runs.iter().map(move |run| (file, run)));
        (head, runs.map(|(file, run)| fields(file, run)).collect())
    }
}

fn text(measured: &[Measured<'_>], out: &mut dyn Write) -> io::Result<()> {
    for (number, (file, runs)) in measured.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        about(file, runs, out)?;
        writeln!(out)?;
        let rows: Vec<_> = runs.iter().map(row).collect();
        let head = "policy,cap,requests,granted,refused,with free pages,of all,of satisfiable,\
                    first at request,area in use then";
        table::write(out, head, &rows)?;
        writeln!(out)?;
        for run in runs {
            causes(file, run, out)?;
        }
    }
    Ok(())
}

fn about(file: &File, runs: &[Run], out: &mut dyn Write) -> io::Result<()> {
    let kind = file.setup.format;
    let name = file.source.name();
    writeln!(out, "{name}: {kind}, errno as kernel {}", file.setup.rules())?;
    if let Some(area) = &file.area {
        let (placed, order) = (ingest::placed(area), area.order_per_bit());
        let size = words::size_of(area.pages(), file.survey.paged.page);
        writeln!(out, "area {}: {placed} ({size}), order_per_bit {order}", area.name())?;
        if let tail @ 1.. = ingest::tail(area) {
            let tail = words::pages_of(tail, file.survey.paged.page);
            writeln!(out, "{tail} of it have no bit and are never granted")?;
        }
    }
    let tally = &file.survey.tally;
    write!(
        out,
        "{}, {}",
        words::counted(tally.rows, "row"),
        words::counted(tally.allocs, "alloc")
    )?;
    if tally.allocs > 0 {
        let share = percent(metric::Value::share(tally.dma.into(), tally.allocs.into()));
        let dma = tally.dma;
        write!(out, "; {dma} of them follow the cap ({share}), the others keep their order")?;
    }
    writeln!(out)?;
    if file.is_recorded() {
        cap(file, out)?;
    }
    if let Some(found) = &file.checked {
        let Comparison { equal, different, unanswered, .. } = found;
        writeln!(
            out,
            "policy {} answers {} as traced, {different} differently; of {unanswered} \
             the trace does not say",
            file.setup.kernel.policy,
            words::counted(*equal, "call")
        )?;
        if let Some(differs) = differs(found) {
            writeln!(out, "{differs}")?;
        }
    }
    if file.survey.no_pages > 0 {
        let rows = file.survey.no_pages;
        let (allocs, are) = (words::counted(rows, "alloc"), words::is_or_are(rows));
        writeln!(out, "{allocs} of no pages {are} answered before there is a request")?;
    }
    if let Some(warning) = file.parts() {
        writeln!(out, "{warning}")?;
    }
    if file.survey.refused > 0 && file.is_recorded() {
        writeln!(out, "{}", given_back(file.survey.refused))?;
    }
    if let Some(run) = runs.first().filter(|_| tally.rows > 0) {
        let (load, share) =
            (run.replayed.value("load_max_pages"), run.replayed.value("load_measured"));
        let load = load.number().map_or(0, |load| load as u64);
        let load = words::pages_of(load, file.survey.paged.page);
        writeln!(out, "LOAD {load}, {} of the area", percent(share))?;
    }
    if file.setup.format == "trace" {
        for said in clients_ask(clients(file), file.survey.paged.page) {
            writeln!(out, "{said}")?;
        }
    }
    // A stream that states none is of no board.
    if file.is_recorded() || file.survey.paged.by.is_some() {
        writeln!(out, "{}", file.survey.paged)?;
    }
    Ok(())
}

/// Where a replay leaves a trace, and what would keep it there.
pub(super) fn differs(found: &Comparison) -> Option<String> {
    let (first, before) = found.first_different.as_ref()?;
    let Mismatch { line, asked, recorded, got, .. } = first;
    let first = format!("line {line}, {asked}: {got} here, {recorded} in the trace");
    Some(match before {
        0 => format!(
            "it differs from the first call on ({first}): what was live before, or where the area \
             lies, is not as taken here; the files of its debugfs (--snapshot), the kernel log of \
             that time beside the trace, or a trace from boot on (trace_event=cma on the kernel's \
             command line) state it"
        ),
        1 => format!("1 call agrees before the first that differs ({first})"),
        _ => format!("{before} calls agree before the first that differs ({first})"),
    })
}

/// The cap of a recording or a trace, and the calls that show it.
fn cap(file: &File, out: &mut dyn Write) -> io::Result<()> {
    let Some(shown) = &file.survey.cap_shown else {
        return writeln!(out, "recorded with cap {}", file.setup.cap);
    };
    said(shown, "--cap").iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn row(run: &Run) -> Vec<String> {
    let value = |column| run.replayed.of_area(column);
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

fn count(value: metric::Value) -> u64 {
    if let metric::Value::Count(count) = value { count } else { 0 }
}

/// A share in percent, with three decimals; nothing for none.
fn percent(value: metric::Value) -> String {
    value.number().map_or_else(String::new, |share| words::percent(share, 3))
}

/// Who asks in a trace, and what is known of how.
fn clients(file: &File) -> impl Iterator<Item = (&Asking, &str)> {
    // Number 0 is nobody, who asked for what was live before.
    let named = file.survey.clients.iter().map(String::as_str).filter(|name| !name.is_empty());
    let nobody = file.survey.clients.iter().all(String::is_empty).then_some("");
    named.chain(nobody).map(|client| (&file.survey.asking, client))
}

/// What share of the requests of a run was not served at all, as far as it is known who asks.
fn unserved(file: &File, run: &Run) -> String {
    let Refusals { unserved, served, open } = run.replayed.refusals;
    let requests = count(run.replayed.of_area("requests"));
    if open > 0 {
        let beyond = count(run.replayed.of_area("refused_beyond_fallback"));
        return fails([unserved + served + open, beyond], requests, file.survey.paged.page);
    }
    let share = percent(metric::Value::share(unserved.into(), requests.into()));
    let (of, are) = (words::counted(requests, "request"), words::is_or_are(unserved));
    format!("{unserved} of {of} {are} served by nobody ({share})")
}

fn causes(file: &File, run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let by_cause: Vec<_> = Cause::ALL
        .iter()
        .map(|cause| (cause, count(run.replayed.of_area(metric::cause_column(*cause)))))
        .filter(|(_, refused)| *refused > 0)
        .map(|(cause, refused)| format!("{cause} {refused}"))
        .collect();
    interrupted(run, out)?;
    let Some(failure) = run.replayed.first_refusal() else {
        return writeln!(out, "{} at cap {}: nothing was refused", run.policy, run.cap);
    };
    writeln!(out, "{} at cap {}: refused by cause: {}", run.policy, run.cap, by_cause.join(", "))?;
    let printed = failure.errno.map_or_else(
        || format!("kernel {} prints nothing", file.setup.kernel.name),
        |errno| format!("ret: {errno}"),
    );
    let (line, cause, why) = (failure.line, failure.cause, &failure.why);
    writeln!(out, "    first at line {line}, {printed}, {cause}: {why}")?;
    if file.setup.format == "trace" {
        writeln!(out, "    {}", unserved(file, run))?;
    }
    Ok(())
}

/// The requests that a signal ended.
fn interrupted(Run { policy, cap, replayed }: &Run, out: &mut dyn Write) -> io::Result<()> {
    let Some(of_area) = &replayed.of_area else { return Ok(()) };
    let ended = count(replayed.value(metric::cause_column(Cause::Interrupted)));
    let (requests, line) = (words::counted(ended, "request"), of_area.interrupted_line);
    writeln!(
        out,
        "{policy} at cap {cap}: a signal ended {requests} (ret: -4), the first on line {line}: that \
         says nothing of the area, and is in no number here"
    )
}

fn json((file, runs): &Measured<'_>) -> Value {
    let run = |Run { policy, cap, replayed }: &Run| {
        let metrics = metric::columns().zip(&replayed.values).map(|(column, value)| {
            let value = match value {
                metric::Value::None => json!(null),
                metric::Value::Count(count) => json!(count),
                metric::Value::Micro(_) => json!(value.number()),
            };
            (column.name.to_string(), value)
        });
        let first_failure = replayed.first_failure.as_ref().map(|failure| {
            json!({
                "line": failure.line,
                "at_us": failure.at_us,
                "cause": failure.cause.name(),
                "errno": failure.errno,
                "why": failure.why,
            })
        });
        json!({
            "policy": policy,
            "cap": cap,
            "environment": file.setup.environment.to_string(),
            "refused_by_area": count(replayed.of_area("refused")),
            "withheld_per_request_by_area": replayed.of_area("withheld_per_request").number(),
            "withheld_per_satisfiable_by_area":
                replayed.of_area("withheld_per_satisfiable").number(),
            "unserved": (replayed.refusals.open == 0).then_some(replayed.refusals.unserved),
            "metrics": metrics.collect::<serde_json::Map<_, _>>(),
            "first_failure": first_failure,
        })
    };
    json!({
        "file": file.source.name(),
        "format": file.setup.format,
        "kernel": file.setup.kernel.name,
        "area_pages": file.area.as_ref().map(cma_policies::Area::pages),
        "rows": file.survey.tally.rows,
        "allocs": file.survey.tally.allocs,
        "allocs_that_follow_the_cap": file.survey.tally.dma,
        "recorded_cap": file.is_recorded().then_some(file.setup.cap),
        "recorded_cap_shown": file.survey.cap_shown.as_ref().map(json_of_cap),
        "asked_by": (file.setup.format == "trace").then(|| asked_by(file)),
        "as_traced": file.checked.as_ref().map(|found| json!({
            "equal": found.equal,
            "different": found.different,
            "unanswered": found.unanswered,
            "equal_before_the_first": found.first_different.as_ref().map(|(_, before)| before),
        })),
        "page_kib": file.survey.paged.page.kib(),
        "page_kib_stated": file.survey.paged.by.is_some(),
        "ranges": file.area.as_ref().map(ranges),
        "pages_without_bit": file.area.as_ref().map(ingest::tail),
        "warnings": file.warnings(),
        "runs": runs.iter().map(run).collect::<Vec<_>>(),
    })
}

/// How the clients of a trace ask.
fn asked_by(file: &File) -> Value {
    let one = |(asking, client): (&Asking, &str)| {
        let shown = asking.of(client);
        let by = shown.map(|shown| shown.by.to_string());
        json!({ "client": client, "caller": shown.map(|shown| shown.caller.name), "by": by })
    };
    clients(file).map(one).collect()
}

/// The ranges in the kernel's order: first page, pages.
fn ranges(area: &cma_policies::Area) -> Value {
    let range = |run: &cma_policies::Run| json!({ "base_pfn": run.pfn.0, "pages": run.count });
    area.ranges().iter().map(range).collect()
}

fn fields(file: &File, Run { policy, cap, replayed }: &Run) -> Vec<String> {
    let (cap, environment) = (cap.to_string(), file.setup.environment.to_string());
    let names = ["1", file.source.name(), file.setup.kernel.name, policy, &cap, &environment];
    let first = replayed.first_failure.as_ref();
    let mut row = names.map(String::from).to_vec();
    row.extend(replayed.values.iter().map(ToString::to_string));
    row.push(csv::optional(first.map(|first| first.line)));
    row.push(csv::optional(first.map(|first| first.cause)));
    row.push(csv::optional(first.and_then(|first| first.errno)));
    let by_area = ["refused", "withheld_per_request", "withheld_per_satisfiable"];
    row.extend(by_area.map(|column| replayed.of_area(column).to_string()));
    row
}
