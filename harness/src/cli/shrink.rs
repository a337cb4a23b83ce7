//! `cmalab shrink`: the smallest stream that still fails for the same cause.

mod case;
mod input;
mod show;

use std::path::PathBuf;
use std::time::Instant;

use self::input::Input;
pub(super) use self::input::{bytes, is_text};
use self::show::Report;
use super::bar::{self, QUICK};
use super::context::Context;
use super::failure::{Exit, Failure};
use super::given::{Given, Setup};
use super::size::order;
use crate::oracle::{Violation, name};
use crate::replay::Under;
use crate::shrink::{Found, Goal, Limits, Progress, Subject, find, shrink};
use clap::{Args, ValueEnum};

/// The smallest stream that still fails for the same cause.
///
/// Keeps the cause of a refusal and the share of the area that is free then, or the law that the
/// policy breaks; takes away clients, sessions (what one client does until it holds nothing again),
/// buffers, single ops, then pages of each request and orders. Reads what `replay` reads, and what
/// a fuzzer left: the bytes of a case, which name their own area and policy. Deterministic.
///
/// Examples:
///   cmalab shrink stream.csv --policy kernel --cap 8 -o small.csv
///   cmalab shrink trace.txt --line 812 --keep-sizes --area-too
///   cmalab shrink stream.csv --policy best-fit --as test -o tests/best_fit.rs
///   cmalab shrink stream.csv --as debugfs > on-the-board.sh
///   cmalab shrink fuzz/artifacts/laws/crash-1f2e --as case -o smaller
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Shrink {
    /// A stream, recording, trace or case of a fuzzer; "-" is standard input
    #[arg(value_name = "STREAM")]
    stream: PathBuf,
    /// The policy, as `name` or `name:key=value,…` [default: the file's, else its
    /// kernel's]
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// CONFIG_CMA_ALIGNMENT that dma rows follow [default: as recorded]
    #[arg(long, value_name = "ORDER", value_parser = order)]
    cap: Option<u32>,
    #[command(flatten)]
    given: Given,
    /// The file is the bytes of a case, whatever it looks like
    #[arg(long)]
    case: bool,
    /// Number of the op whose refusal is kept, from 0 on [default: the first with free pages]
    #[arg(long, value_name = "N", conflicts_with = "line")]
    op: Option<usize>,
    /// Line of the op whose refusal is kept, as `replay` says it
    #[arg(long, value_name = "N")]
    line: Option<u64>,
    /// What is kept
    #[arg(long, value_enum, default_value = "auto")]
    keep: Keep,
    /// Percent of the area by which the share of free pages may drop
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    tolerance: f64,
    /// The area may become smaller too; the share of free pages may not
    #[arg(long)]
    area_too: bool,
    /// Requests keep their pages and orders
    #[arg(long)]
    keep_sizes: bool,
    /// The most runs of a smaller stream
    #[arg(long, value_name = "N", default_value_t = Limits::TRIES)]
    tries: u64,
    /// What is written to --out, or printed in place of the report; several with commas between then,
    /// or given several times
    #[arg(long = "as", value_enum, value_name = "FORM,…", value_delimiter = ',')]
    forms: Vec<Form>,
    /// Writes the result to this file, and the report to standard output; "-" is standard output,
    /// without the report
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Keep {
    /// The cause of a refusal and the share of free pages.
    Cause,
    /// The law that the policy breaks.
    Law,
    /// The law where one is broken, else the cause.
    Auto,
}

/// A form of the result.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Form {
    /// A stream; a recording where it has pins or busy claims.
    Stream,
    /// The bytes of a case: only of one that breaks a law.
    Case,
    /// A Rust test.
    Test,
    /// Shell lines that write to the debugfs files of a board.
    Debugfs,
}

/// The most refusals that are looked at.
const MOST: usize = 1 << 20;

/// Shrinks it.
///
/// # Errors
/// A file, a name or a number that is wrong, and where there is nothing to keep.
pub(super) fn run(args: &Shrink, context: &Context) -> Result<Exit, Failure> {
    if !(0.0..=100.0).contains(&args.tolerance) {
        let tolerance = args.tolerance;
        return Err(Failure::because(format_args!(
            "tolerate a drop of {tolerance} percent; 0 to 100 is allowed"
        )));
    }
    if args.out.is_some() && args.forms.len() > 1 {
        return Err(Failure::because("write several forms to one file; name one of them"));
    }
    let (setup, subject) = match input::open(args, context)? {
        Input::Stream(given) => *given,
        Input::Case(both) => {
            let (policy, case) = *both;
            if let Some(broken) = case::judged(&case, &policy, args)? {
                return case::run(&case, &policy, broken, args, context);
            }
            input::from_case(&case, policy, args, context)?
        }
    };
    let under = setup.under();
    let (goal, before) = args.goal(&subject, &setup, &under)?;
    let limits = Limits { tries: args.tries, area: args.area_too, sizes: !args.keep_sizes };
    let style = "{wide_bar} {pos}/{len} runs, {per_sec}, at most {eta} left, {msg} ops";
    let bar = bar::bar(Some(args.tries), bar::style(style), context.progress);
    let started = Instant::now();
    let watch = &mut |progress: Progress| {
        if started.elapsed() > QUICK {
            bar.set_position(progress.tries);
            bar.set_message(progress.ops.to_string());
        }
    };
    let shrunk = quietly(goal, || shrink(&subject, &under, goal, limits, watch));
    bar.finish_and_clear();
    let shrunk = shrunk?;
    Report { setup: &setup, subject: &subject, shrunk: &shrunk, before, seed: args.given.seed }
        .write(args, context)?;
    Ok(Exit::Good)
}

/// Writes the result in the forms that are asked for, as `form` makes them: `first` to a file where
/// none is named. Whether that was all that was asked for, without a report.
fn write_forms(
    args: &Shrink,
    context: &Context,
    first: Form,
    form: &dyn Fn(Form) -> Result<Vec<u8>, String>,
) -> Result<bool, Failure> {
    let only = match args.forms[..] {
        [only] => Some(only),
        _ => args.out.as_ref().map(|_| first),
    };
    if let Some(only) = only {
        let bytes = form(only).map_err(Failure::because)?;
        context.output(args.out.as_deref(), |out| Ok(out.write_all(&bytes)?))?;
        return Ok(args.out.is_none());
    }
    if args.forms.is_empty() {
        return Ok(false);
    }
    context.output(None, |out| {
        for it in &args.forms {
            // What one form cannot say is no reason to keep back the others.
            match form(*it) {
                Ok(bytes) => out.write_all(&bytes)?,
                Err(why) => writeln!(out, "# failed to {why}")?,
            }
        }
        Ok(())
    })?;
    Ok(true)
}

/// What was found in the stream as it was given.
enum Before {
    Refused(Found),
    Broken(Violation),
}

impl Shrink {
    /// What is to be kept, and where it was found.
    fn goal(
        &self,
        subject: &Subject,
        setup: &Setup,
        under: &Under<'_>,
    ) -> Result<(Goal, Before), Failure> {
        let (found, violation) = find(subject, under, MOST)?;
        let nothing = |what: &str| {
            let (name, policy, cap) = (&setup.name, under.policy, under.cap);
            Failure::Violated(format!("{name} under policy {policy} at cap {cap}: {what}"))
        };
        match (self.keep, violation) {
            (Keep::Law | Keep::Auto, Some(violation)) => {
                return Ok((Goal::Law(violation.law), Before::Broken(violation)));
            }
            (Keep::Law, None) => {
                return Err(nothing("no law is broken, so there is none to keep"));
            }
            _ => {}
        }
        let Some(first) = found.first() else {
            return Err(nothing("nothing is refused, so there is nothing to keep"));
        };
        let named = |it: &&Found| match (self.op, self.line) {
            (Some(op), _) => it.op == op,
            (_, Some(line)) => it.line == line,
            _ => it.cause.is_withheld(),
        };
        let asked = self.op.is_some() || self.line.is_some();
        let kept = found.iter().find(named).or(if asked { None } else { Some(first) });
        let kept = *kept.ok_or_else(|| {
            nothing(&format!(
                "that op is not refused; the first that is is op {}, at line {}",
                first.op, first.line
            ))
        })?;
        let goal = Goal::Refusal {
            cause: kept.cause,
            free_pages: kept.free_pages,
            area_pages: subject.area.pages(),
            tolerance_ppm: (self.tolerance * 10_000.0) as u32,
        };
        Ok((goal, Before::Refused(kept)))
    }
}

/// Runs `body`; where a policy is known to panic, without the message of each panic.
fn quietly<T>(goal: Goal, body: impl FnOnce() -> T) -> T {
    if goal != Goal::Law(name::PANIC) {
        return body();
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let done = body();
    std::panic::set_hook(before);
    done
}
