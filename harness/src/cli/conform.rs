//! `cmalab conform`: every law over policies.

use std::io::{self, Write};

use clap::Args;
use serde_json::{Value, json};

use super::context::{Context, Show};
use super::failure::{Exit, Failure};
use super::policies::policies;
use crate::law::conformance::{Effort, Report, conform};
use crate::words::csv;

/// Holds policies against every law that their promises bind them to.
///
/// All small cases first, then random ones, until a law is broken; then the smallest case found
/// that breaks it. Exit status 1 if one is broken.
///
/// Examples:
///   cmalab conform
///   cmalab conform --policy zoned:share=0.25,order=8 --cases 5000 --seed 3
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Conform {
    /// Policies, as `name` or `name:key=value,…`, with commas between; may be given several times
    /// [default: all of them]
    #[arg(long, value_name = "POLICY,…", default_value = "all", hide_default_value = true)]
    policy: Vec<String>,
    /// Random cases for each
    #[arg(long, default_value_t = Effort::TEST.cases)]
    cases: u64,
    /// The most acts of a random case
    #[arg(long, default_value_t = Effort::TEST.acts)]
    acts: u64,
    /// Seed of the random cases
    #[arg(long, default_value_t = Effort::TEST.seed)]
    seed: u64,
}

/// Judges them.
///
/// # Errors
/// A policy name that is wrong.
pub(super) fn run(args: &Conform, context: &Context) -> Result<Exit, Failure> {
    let specs = policies(&args.policy, &context.catalog)?;
    let effort =
        Effort { cases: args.cases, acts: args.acts, seed: args.seed, depth: Effort::TEST.depth };
    let judged: Vec<_> = specs
        .iter()
        .map(|spec| (spec.to_string(), conform(&|area| spec.build(area), effort)))
        .collect();
    context.show(None, &[], &judged)?;
    let clean = judged.iter().all(|(_, report)| report.is_clean());
    Ok(if clean { Exit::Good } else { Exit::Bad })
}

impl Show for Vec<(String, Report)> {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        self.iter().try_for_each(|(policy, report)| writeln!(out, "{policy}: {report}"))
    }

    fn json(&self) -> Value {
        let policies: Vec<_> = self.iter().map(|(policy, report)| json(policy, report)).collect();
        json!({ "schema": 1, "policies": policies })
    }

    fn csv(&self) -> (String, Vec<Vec<String>>) {
        let verdicts = self.iter().flat_map(|(policy, report)| {
            report.verdicts.iter().map(move |verdict| (policy, verdict))
        });
        let rows = verdicts.map(|(policy, verdict)| {
            let broken = verdict.broken.as_ref().map(|broken| &broken.violation);
            let (law, cases) = (verdict.law.to_string(), verdict.cases.to_string());
            vec!["1".to_string(), policy.clone(), law, cases, csv::optional(broken)]
        });
        ("schema,policy,law,cases,broken".to_string(), rows.collect())
    }
}

fn json(policy: &str, report: &Report) -> Value {
    let laws: Vec<_> = report
        .verdicts
        .iter()
        .map(|verdict| {
            let broken = verdict.broken.as_ref().map(
                |broken| json!({ "what": broken.violation.to_string(), "steps": broken.lines }),
            );
            json!({ "law": verdict.law, "cases": verdict.cases, "broken": broken })
        })
        .collect();
    json!({
        "policy": policy,
        "areas_built": report.areas_built,
        "areas_refused": report.areas_refused,
        "laws": laws,
    })
}
