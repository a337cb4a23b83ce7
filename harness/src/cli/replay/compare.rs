//! What a comparison with a recording found.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::File;
use super::show::differs;
use crate::cli::context::Show;
use crate::replay::{Comparison, FIELDS};

/// A file under a policy, and what the comparison with it found.
pub(super) type Compared<'a> = (&'a File, String, Comparison);

/// A summary of each file and policy, and the first mismatches in full.
impl Show for Vec<Compared<'_>> {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        text(self, out)
    }

    fn json(&self) -> Value {
        json!({ "schema": 1, "comparisons": self.iter().map(json).collect::<Vec<_>>() })
    }

    fn csv(&self) -> (String, Vec<Vec<String>>) {
        let row = |(file, policy, found): &Compared<'_>| {
            let counts = [found.ops, found.fields, found.mismatches].map(|count| count.to_string());
            let names = ["1", file.source.name(), policy, file.setup.kernel.name].map(String::from);
            [&names[..], &counts].concat()
        };
        let head = "schema,file,policy,kernel,ops,fields,mismatches".to_string();
        (head, self.iter().map(row).collect())
    }
}

/// What of a recording was observed, and what was derived from it.
fn evidence(file: &File) -> &'static str {
    if file.setup.kernel.traces_errno() {
        "as recorded"
    } else {
        "the sign of a result and the retries are evidence, -12 against -16 is derived from them"
    }
}

fn text(compared: &[Compared<'_>], out: &mut dyn Write) -> io::Result<()> {
    for (file, policy, found) in compared {
        let Comparison { ops, fields, mismatches, first, .. } = found;
        writeln!(
            out,
            "{} under {policy}, kernel {}: {ops} ops, {fields} fields compared, {mismatches} \
             mismatches",
            file.source.name(),
            file.setup.rules()
        )?;
        if let Some(counts) = compared_fields(found) {
            writeln!(out, "    compared: {counts}")?;
        }
        if let Some(warning) = file.parts() {
            writeln!(out, "    {warning}")?;
        }
        if file.setup.format == "trace" {
            let Comparison { equal, different, unanswered, .. } = found;
            writeln!(
                out,
                "    of its calls {equal} are answered as traced, {different} differently; of \
                 {unanswered} it does not say"
            )?;
            if let Some(differs) = differs(found) {
                writeln!(out, "    {differs}")?;
            }
        }
        if !file.setup.kernel.traces_errno() {
            writeln!(out, "    {}", evidence(file))?;
        }
        for mismatch in first {
            writeln!(out, "    {mismatch}")?;
        }
        let more = mismatches - first.len() as u64;
        if more > 0 {
            writeln!(out, "    and {more} more")?;
        }
    }
    if compared.len() > 1 {
        let sum = |of: fn(&Comparison) -> u64| -> u64 {
            compared.iter().map(|(_, _, found)| of(found)).sum()
        };
        writeln!(
            out,
            "all: {} ops, {} fields compared, {} mismatches",
            sum(|found| found.ops),
            sum(|found| found.fields),
            sum(|found| found.mismatches)
        )?;
    }
    Ok(())
}

/// How many of each field were compared, where there is one that kernels without a counter lack.
fn compared_fields(found: &Comparison) -> Option<String> {
    let as_free = ("avail as free", found.available_as_free);
    let counts = FIELDS.into_iter().zip(found.by_field).chain([as_free]);
    let counts: Vec<_> = counts.filter(|(_, compared)| *compared > 0).collect();
    let is_new = |name: &str| name.starts_with("avail") || name == "lastoff";
    counts.iter().any(|(name, _)| is_new(name)).then(|| {
        let each = counts.iter().map(|(name, compared)| format!("{name} {compared}"));
        each.collect::<Vec<_>>().join(", ")
    })
}

fn json((file, policy, found): &Compared<'_>) -> Value {
    json!({
        "file": file.source.name(),
        "policy": policy,
        "kernel": file.setup.kernel.name,
        "evidence": evidence(file),
        "ops": found.ops,
        "fields": found.fields,
        "compared": FIELDS.iter().zip(&found.by_field).map(|(name, compared)| {
            (name.to_string(), json!(compared))
        }).collect::<serde_json::Map<_, _>>(),
        "avail_as_free": found.available_as_free,
        "mismatches": found.mismatches,
        "calls_equal": found.equal,
        "calls_different": found.different,
        "calls_unanswered": found.unanswered,
        "first": found.first,
        "warnings": file.warnings(),
    })
}
