//! A plan as TOML, as it was run: with every default filled in.

use std::fmt::Write;

use super::length::Length;
use super::mix::{MixOf, table};
use super::plan::{FIRST_FAILURE, Load, Plan, Stream, What};
use super::stop::Stop;
use super::stream::{Checked, Ready};
use crate::board::{Board, BoardArea, Caller};
use crate::ingest::DEFAULT_CAP;
use crate::words::PAGES_IN_MIB;

/// The plan as a text that [`parse`](super::parse) makes the same plan of, and that says how many
/// ops and cells there are.
#[must_use]
pub fn emit(ready: &Ready) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write_plan(&ready.plan, &ready.checked, &mut out);
    out
}

/// As [`emit`], of a plan whose files nobody has looked into: without what only they say.
#[must_use]
pub fn emit_unread(plan: &Plan) -> String {
    let mut out = String::new();
    let checked = vec![Checked::default(); plan.streams.len()];
    let _ = write_plan(plan, &checked, &mut out);
    out
}

pub(super) fn quote(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn list<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", "))
}

fn write_plan(plan: &Plan, checked: &[Checked], out: &mut String) -> std::fmt::Result {
    let most = if plan.is_adaptive() { "at most " } else { "" };
    writeln!(
        out,
        "# As run, all defaults filled in: {most}{} cells.",
        plan.cell_count().unwrap_or(u64::MAX)
    )?;
    writeln!(out, "name = {}", quote(&plan.name))?;
    writeln!(out, "seed = {}", plan.seed)?;
    writeln!(out, "seeds = {}", plan.seeds)?;
    if let Some(Stop { failed_share }) = plan.stop {
        writeln!(out, "stop = {{ failed_share = {failed_share:?} }}")?;
    }
    if let Some(target) = plan.target {
        writeln!(out, "target = {}", quote(&target.to_string()))?;
    }
    if plan.until_first_failure {
        writeln!(out, "until = {}", quote(FIRST_FAILURE))?;
    }
    let policies =
        plan.policies.iter().map(|policy| format!("  {},\n", quote(&policy.to_string())));
    writeln!(out, "policies = [\n{}]", policies.collect::<String>())?;
    writeln!(out, "caps = {}", list(&plan.caps, u32::to_string))?;
    writeln!(out, "environments = {}", list(&plan.environments, |e| quote(&e.to_string())))?;
    writeln!(out, "after_failure = {}", quote(&plan.after_failure.to_string()))?;
    for board in &plan.boards {
        write_board(board, out)?;
    }
    for (stream, known) in plan.streams.iter().zip(checked) {
        write_stream(plan, stream, known, out)?;
    }
    Ok(())
}

/// The LOADs of a stream, which are all shares or all pages.
fn loads(loads: &[Load]) -> String {
    let text = list(loads, |load| match load {
        Load::Share(share) => format!("{share:?}"),
        Load::Pages(pages) => (pages / PAGES_IN_MIB).to_string(),
    });
    let is_share = loads.iter().any(|load| matches!(load, Load::Share(_)));
    format!("{} = {text}", if is_share { "loads" } else { "loads_mib" })
}

fn write_board(board: &Board, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n[[boards]]\nname = {}", quote(&board.name))?;
    writeln!(out, "caller = {}", quote(board.caller.name))?;
    if !board.callers.is_empty() {
        let caller = |(client, caller): &(String, &Caller)| {
            format!("{} = {}", quote(client), quote(caller.name))
        };
        let callers: Vec<_> = board.callers.iter().map(caller).collect();
        writeln!(out, "callers = {{ {} }}", callers.join(", "))?;
    }
    writeln!(out, "areas = [")?;
    for BoardArea { area, clients, policy } in &board.areas {
        let run = area.ranges()[0];
        write!(
            out,
            "  {{ name = {}, pages = {}, base_pfn = {}, order_per_bit = {}",
            quote(area.name()),
            run.count,
            run.pfn,
            area.order_per_bit()
        )?;
        if !clients.is_empty() {
            write!(out, ", clients = {}", list(clients, |client| quote(client)))?;
        }
        if let Some(policy) = policy {
            write!(out, ", policy = {}", quote(&policy.to_string()))?;
        }
        writeln!(out, " }},")?;
    }
    writeln!(out, "]")
}

fn write_length(plan: &Plan, stream: &Stream, out: &mut String) -> std::fmt::Result {
    let seeds = plan.seeds_of(stream);
    match stream.length {
        Length::Ops(ops) => writeln!(out, "ops = {ops} # of each cell; seeds: {seeds}"),
        Length::Time(us) => {
            let hours = us as f64 / Length::HOUR_US as f64;
            writeln!(out, "hours = {hours:?} # of board time, of each cell; seeds: {seeds}")
        }
        Length::File | Length::Unstated => Ok(()),
    }
}

/// The mix, a line for each part.
fn write_mix(mix: &MixOf, out: &mut String) -> std::fmt::Result {
    if mix.built_in.is_some() {
        return writeln!(out, "mix = {}", mix.value());
    }
    writeln!(out, "mix = [")?;
    for part in &mix.parts {
        writeln!(out, "  {},", table(part))?;
    }
    writeln!(out, "]")
}

fn write_stream(
    plan: &Plan,
    stream: &Stream,
    known: &Checked,
    out: &mut String,
) -> std::fmt::Result {
    writeln!(out, "\n[[streams]]")?;
    match &stream.what {
        What::Profile(profile) => {
            writeln!(out, "profile = {}", quote(profile.name))?;
            writeln!(out, "{}", loads(&stream.loads))?;
            write_length(plan, stream, out)?;
        }
        What::Fitted(path) => {
            writeln!(out, "fit = {}", quote(path))?;
            let own = known.fit.as_ref().map(|fit| fit.load_pages());
            match (stream.loads.as_slice(), own) {
                ([Load::Pages(pages)], Some(own)) if *pages == own => {
                    writeln!(out, "# LOAD is that of the file, {own} pages")?;
                }
                ([], _) => {}
                _ => writeln!(out, "{}", loads(&stream.loads))?,
            }
            write_length(plan, stream, out)?;
        }
        What::File(path) => writeln!(out, "file = {}", quote(path))?,
        What::Recorded(recording) => writeln!(out, "recorded = {}", quote(recording.name))?,
        What::Mix(mix) => {
            write_mix(mix, out)?;
            if let [Load::Pages(pages)] = stream.loads[..] {
                writeln!(out, "# LOAD is that of all parts, {pages} pages")?;
            }
            write_length(plan, stream, out)?;
        }
    }
    if let What::File(_) | What::Recorded(_) = stream.what {
        writeln!(out, "# {} ops in each cell, one seed", known.ops)?;
    }
    if let Some(sum) = known.sum {
        // So that a sweep is not resumed, nor shards merged, over files that have changed since.
        writeln!(out, "# sum over what was in the file: {sum:016x}")?;
    }
    for (key, value) in [("area", &stream.area), ("snapshot", &stream.snapshot)] {
        if let Some(value) = value {
            writeln!(out, "{key} = {}", quote(value))?;
        }
    }
    if let What::Mix(_) = stream.what {
        return Ok(());
    }
    if stream.profile().is_none() && stream.recorded_cap != DEFAULT_CAP {
        writeln!(out, "recorded_cap = {}", stream.recorded_cap)?;
    }
    writeln!(out, "own_area = {}", stream.own_area)?;
    if let (true, Some(area)) = (stream.own_area, &known.area) {
        let (run, order) = (area.ranges()[0], area.order_per_bit());
        writeln!(out, "# {} pages, base_pfn {}, order_per_bit {order}", run.count, run.pfn)?;
    }
    Ok(())
}
