//! A case that breaks a law, smaller.

use std::io::Write;

use cma_policies::Spec;
use serde_json::json;

use super::{Form, Keep, Shrink, write_forms};
use crate::cli::context::{Context, Format};
use crate::cli::failure::{Exit, Failure};
use crate::codec::Case;
use crate::law::conformance::{Broken, judge, smallest};
use crate::oracle::Violation;
use crate::shrink::law_test;

/// The law that `policy` breaks on `case`, where that is what is kept.
pub(super) fn judged(
    case: &Case,
    policy: &Spec,
    args: &Shrink,
) -> Result<Option<Violation>, Failure> {
    if args.keep == Keep::Cause {
        return Ok(None);
    }
    match (judge(case, &|area| policy.build(area)), args.keep) {
        (Err(violation), _) => Ok(Some(violation)),
        (Ok(()), Keep::Law) => Err(Failure::Violated(format!(
            "{} under policy {policy}: no law is broken, so there is none to keep",
            args.stream.display()
        ))),
        (Ok(()), _) => Ok(None),
    }
}

/// Shrinks a case on which `policy` breaks the law of `violation`, and writes what is left.
pub(super) fn run(
    case: &Case,
    policy: &Spec,
    violation: Violation,
    args: &Shrink,
    context: &Context,
) -> Result<Exit, Failure> {
    let mut tries = 0;
    let broken = smallest(case, &|area| policy.build(area), violation, &mut || {
        tries += 1;
        tries <= args.tries
    });
    let smaller = broken.case.as_ref().unwrap_or(case);
    let form = |form: Form| match form {
        Form::Case => Ok(smaller.encode()),
        Form::Test => Ok(law_test(smaller, &policy.to_string(), &broken.violation).into_bytes()),
        Form::Stream => {
            Err("write a case that breaks a law as a stream, which cannot say all of it; \
                 --as case and --as test are possible"
                .to_string())
        }
        Form::Debugfs => {
            Err("bring this about by debugfs: a law that a policy breaks is nothing a board shows"
                .to_string())
        }
    };
    if write_forms(args, context, Form::Case, &form)? {
        return Ok(Exit::Good);
    }
    let used_up = tries > args.tries;
    let acts = (case.acts.len(), smaller.acts.len());
    context.report(None, &[args.out.as_deref()], |out| match context.format {
        Format::Text | Format::Html | Format::Sarif => {
            Ok(text(args, policy, &broken, acts, used_up, out)?)
        }
        Format::Json => {
            let hex: String = smaller.encode().iter().map(|byte| format!("{byte:02x}")).collect();
            let object = json!({
                "schema": 1,
                "file": args.stream.display().to_string(),
                "policy": policy.to_string(),
                "law": broken.violation.law,
                "why": broken.violation.to_string(),
                "acts_before": acts.0,
                "acts_after": acts.1,
                "is_smallest": !used_up,
                "steps": broken.lines,
                "case": hex,
                "test": law_test(smaller, &policy.to_string(), &broken.violation),
            });
            Ok(writeln!(out, "{object:#}")?)
        }
        Format::Csv => Err(Failure::because(
            "write a case that breaks a law as csv; --as case and --as test are possible",
        )),
    })?;
    Ok(Exit::Good)
}

fn text(
    args: &Shrink,
    policy: &Spec,
    broken: &Broken,
    (before, after): (usize, usize),
    used_up: bool,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    writeln!(out, "{}", broken.violation)?;
    writeln!(out)?;
    writeln!(out, "{}: case, policy {policy}", args.stream.display())?;
    writeln!(out, "{before} acts before, {after} left")?;
    if used_up {
        writeln!(out, "the runs were used up, more may be possible: --tries N")?;
    }
    writeln!(out)?;
    for line in &broken.lines {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}
