//! A plan as TOML, as it was run: with every default filled in.

use std::fmt::Write;

use super::plan::{Plan, Stream, What};
use super::stream::{Checked, Ready};
use crate::ingest::DEFAULT_CAP;

/// The plan as a text that [`parse`](super::parse) makes the same plan of, and that says how many
/// ops and cells there are.
#[must_use]
pub fn emit(ready: &Ready) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write_plan(&ready.plan, &ready.checked, &mut out);
    out
}

fn quote(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn list<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", "))
}

fn write_plan(plan: &Plan, checked: &[Checked], out: &mut String) -> std::fmt::Result {
    writeln!(out, "# As run, all defaults filled in: {} cells.", plan.cells().len())?;
    writeln!(out, "name = {}", quote(&plan.name))?;
    writeln!(out, "seed = {}", plan.seed)?;
    writeln!(out, "seeds = {}", plan.seeds)?;
    let policies =
        plan.policies.iter().map(|policy| format!("  {},\n", quote(&policy.to_string())));
    writeln!(out, "policies = [\n{}]", policies.collect::<String>())?;
    writeln!(out, "caps = {}", list(&plan.caps, u32::to_string))?;
    writeln!(out, "environments = {}", list(&plan.environments, |e| quote(&e.to_string())))?;
    writeln!(out, "after_failure = {}", quote(plan.after_failure.name()))?;
    for board in &plan.boards {
        let (area, run) = (&board.area, board.area.ranges()[0]);
        writeln!(out, "\n[[boards]]\nname = {}", quote(&board.name))?;
        writeln!(
            out,
            "areas = [{{ name = {}, pages = {}, base_pfn = {}, order_per_bit = {} }}]",
            quote(area.name()),
            run.count,
            run.pfn,
            area.order_per_bit()
        )?;
    }
    for (stream, known) in plan.streams.iter().zip(checked) {
        write_stream(plan, stream, known, out)?;
    }
    Ok(())
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
            writeln!(out, "loads = {}", list(&stream.loads, |load| format!("{load:?}")))?;
            writeln!(out, "ops = {} # of each cell; seeds: {}", stream.ops, plan.seeds_of(stream))?;
        }
        What::File(path) => writeln!(out, "file = {}", quote(path))?,
        What::Recorded(recording) => writeln!(out, "recorded = {}", quote(recording.name))?,
    }
    if stream.profile().is_none() {
        writeln!(out, "# {} ops in each cell, one seed", known.ops)?;
        if stream.recorded_cap != DEFAULT_CAP {
            writeln!(out, "recorded_cap = {}", stream.recorded_cap)?;
        }
    }
    writeln!(out, "own_area = {}", stream.own_area)?;
    if let (true, Some(area)) = (stream.own_area, &known.area) {
        let (run, order) = (area.ranges()[0], area.order_per_bit());
        writeln!(out, "# {} pages, base_pfn {}, order_per_bit {order}", run.count, run.pfn)?;
    }
    Ok(())
}
