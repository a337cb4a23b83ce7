//! What is left of a stream, in every form.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Before, Form, Shrink, write_forms};
use crate::cli::context::{Context, Format};
use crate::cli::failure::Failure;
use crate::cli::given::Setup;
use crate::diagnose::{AreaState, Asked, Hole, Known, RangeState};
use crate::op::Op;
use crate::report::diagnosis::{Cell, Map, Wanted};
use crate::shrink::{Refusal, Seen, Shrunk, Subject, debugfs, stream_test, write};
use crate::words::{self, percent_of, table};

/// The most ops that the text shows.
const MOST: usize = 64;

/// What was given and what is left of it.
pub(super) struct Report<'a> {
    pub(super) setup: &'a Setup,
    pub(super) subject: &'a Subject,
    pub(super) shrunk: &'a Shrunk,
    pub(super) before: Before,
    pub(super) seed: u64,
}

impl Report<'_> {
    /// Writes what `args` ask for.
    pub(super) fn write(&self, args: &Shrink, context: &Context) -> Result<(), Failure> {
        let form = |form: Form| self.form(form).map(String::into_bytes);
        if write_forms(args, context, Form::Stream, &form)? {
            return Ok(());
        }
        context.report(None, &[args.out.as_deref()], |out| match context.format {
            Format::Text | Format::Html | Format::Sarif => Ok(self.text(out)?),
            Format::Json => Ok(writeln!(out, "{:#}", self.json())?),
            Format::Csv => {
                let text = self.form(Form::Stream).map_err(Failure::because)?;
                Ok(out.write_all(text.as_bytes())?)
            }
        })?;
        Ok(())
    }

    /// Why it fails, in a sentence.
    fn why(&self) -> String {
        match &self.shrunk.seen {
            Seen::Refused(refusal) => format!("{}: {}", refusal.cause, refusal.why),
            Seen::Broken(violation) => violation.to_string(),
        }
    }

    /// The result, or why it cannot be said so: a sentence that ends "failed to …".
    fn form(&self, form: Form) -> Result<String, String> {
        match form {
            Form::Stream => self.stream().map(|(text, _)| text),
            Form::Case => {
                Err("write a stream as a case: only a case that breaks a law is one".into())
            }
            Form::Test => {
                let (text, environment) = self.stream()?;
                let under = self.setup.under();
                let seen = &self.shrunk.seen;
                Ok(stream_test(&text, &under, (&environment, self.seed), seen))
            }
            Form::Debugfs => {
                self.debugfs().map_err(|why| format!("bring this about by debugfs: {why}"))
            }
        }
    }

    /// The text of the stream, and the environment that it must be run under.
    fn stream(&self) -> Result<(String, String), String> {
        let mut text = Vec::new();
        let under = self.setup.under();
        let written = write(&self.shrunk.subject, &under, &[self.why()], &mut text);
        let written = written.map_err(|error| error.to_string())?;
        let environment = self.setup.environment.to_string();
        let environment = written.map_or(environment, str::to_string);
        Ok((String::from_utf8_lossy(&text).into_owned(), environment))
    }

    fn debugfs(&self) -> Result<String, String> {
        match &self.shrunk.seen {
            Seen::Refused(refusal) => debugfs(&self.shrunk.subject, refusal),
            Seen::Broken(_) => Err("a law that a policy breaks is nothing a board shows".into()),
        }
    }

    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let Setup { name, format, policy, environment, .. } = self.setup;
        let (cap, after) = (self.setup.under().cap, &self.shrunk.subject);
        writeln!(out, "{}", self.why())?;
        writeln!(out)?;
        writeln!(out, "{name}: {format}, policy {policy} at cap {cap}, environment {environment}")?;
        match &self.before {
            Before::Refused(found) => {
                let (op, line, cause) = (found.op, found.line, found.cause);
                let place = if line > 0 { format!(" at line {line}") } else { String::new() };
                writeln!(
                    out,
                    "kept: refusal of op {op}{place} for the cause {cause}, and the free share"
                )?;
            }
            Before::Broken(violation) => {
                let (law, op) = (violation.law, violation.op);
                writeln!(out, "kept: law {law}, broken at op {op}")?;
            }
        }
        writeln!(out)?;
        table::write(out, ",before,left", &self.sizes())?;
        let tries = self.shrunk.tries;
        let end = if self.shrunk.is_smallest {
            "no single change makes it smaller"
        } else {
            "the runs were used up, more may be possible: --tries N"
        };
        writeln!(out, "{tries} runs; {end}")?;
        writeln!(out)?;
        let rows = self.ops();
        table::write(out, "op,,id,pages,order,", &rows[..rows.len().min(MOST)])?;
        if rows.len() > MOST {
            writeln!(out, "and {} more: --format csv", rows.len() - MOST)?;
        }
        match &self.shrunk.seen {
            Seen::Refused(refusal) => picture(after, refusal, out)?,
            Seen::Broken(_) => {}
        }
        if let Ok((_, needed)) = self.stream()
            && needed != environment.to_string()
        {
            writeln!(out, "\nthe recording is to be replayed with --environment {needed}")?;
        }
        Ok(())
    }

    /// Counts before and after.
    fn sizes(&self) -> Vec<Vec<String>> {
        let (before, after) = (self.subject, &self.shrunk.subject);
        let asked = |subject: &Subject| {
            let pages = subject.items.iter().map(|item| match item.timed.op {
                Op::Alloc { request, .. } => request.count(),
                _ => 0,
            });
            pages.fold(0_u64, u64::saturating_add)
        };
        let row = |what: &str, before: String, after: String| vec![what.to_string(), before, after];
        let pages = |subject: &Subject| subject.area.pages();
        let mut rows = vec![
            row("ops", before.items.len().to_string(), after.items.len().to_string()),
            row("pages asked for", asked(before).to_string(), asked(after).to_string()),
            row("pages of the area", pages(before).to_string(), pages(after).to_string()),
        ];
        if let (Before::Refused(found), Seen::Refused(refusal)) = (&self.before, &self.shrunk.seen)
        {
            let (free, left) = (found.free_pages, refusal.free_pages);
            let shares = (percent_of(free, pages(before)), percent_of(left, pages(after)));
            rows.push(row("free pages", free.to_string(), left.to_string()));
            rows.push(row("free share", shares.0, shares.1));
        }
        rows
    }

    /// A row for each op.
    fn ops(&self) -> Vec<Vec<String>> {
        let subject = &self.shrunk.subject;
        let places = subject.places(&self.setup.under());
        let page = |pfn| subject.area.page_of(pfn).map_or_else(String::new, |at| at.to_string());
        let last = subject.items.len().saturating_sub(1);
        let rows = subject.items.iter().zip(&places).enumerate().map(|(at, (item, place))| {
            let (kind, id, count, order, mut note) = match item.timed.op {
                Op::Alloc { id, request, dma } => {
                    let place = place.map(|pfn| format!("at page {}", page(pfn)));
                    let order = request.align();
                    let order = if dma { format!("{order} (dma)") } else { order.to_string() };
                    let note = place.unwrap_or_else(|| "refused".to_string());
                    ("alloc", id.to_string(), request.count().to_string(), order, note)
                }
                Op::Free { id, part } => {
                    let count = part.map_or_else(String::new, |part| part.count.to_string());
                    let from = part.map(|part| format!("from its page {}", part.offset));
                    ("free", id.to_string(), count, String::new(), from.unwrap_or_default())
                }
                Op::Pin(run) | Op::Unpin(run) => {
                    let kind = if matches!(item.timed.op, Op::Pin(_)) { "pin" } else { "unpin" };
                    let note = format!("at page {}", page(run.pfn));
                    (kind, String::new(), run.count.to_string(), String::new(), note)
                }
            };
            if let (Seen::Broken(violation), true) = (&self.shrunk.seen, at == last) {
                note = format!("law {} broken", violation.law);
            }
            if let Some(ending) = item.ending {
                let then =
                    ending.then.err().map_or_else(String::new, |then| format!(", then {then}"));
                note += &format!(", {} claims busy{then}", ending.busy);
            }
            vec![at.to_string(), kind.to_string(), id, count, order, note]
        });
        rows.collect()
    }

    fn json(&self) -> Value {
        let (before, after, under) = (self.subject, &self.shrunk.subject, self.setup.under());
        let kept = match &self.before {
            Before::Refused(found) => json!({
                "cause": found.cause.name(), "op": found.op, "line": found.line,
                "free_pages": found.free_pages,
            }),
            Before::Broken(violation) => json!({ "law": violation.law, "op": violation.op }),
        };
        let free = match &self.shrunk.seen {
            Seen::Refused(refusal) => Some(refusal.free_pages),
            Seen::Broken(_) => None,
        };
        let (stream, debugfs) = (self.stream(), self.debugfs());
        json!({
            "schema": 1,
            "file": self.setup.name,
            "format": self.setup.format,
            "policy": self.setup.policy.to_string(),
            "cap": under.cap,
            "environment": self.setup.environment.to_string(),
            "kept": kept,
            "why": self.why(),
            "ops_before": before.items.len(),
            "ops_after": after.items.len(),
            "area_pages_before": before.area.pages(),
            "area_pages_after": after.area.pages(),
            "free_pages_after": free,
            "runs": self.shrunk.tries,
            "is_smallest": self.shrunk.is_smallest,
            "stream": stream.as_ref().ok().map(|(text, _)| text),
            "stream_environment": stream.as_ref().ok().map(|(_, environment)| environment),
            "test": self.form(Form::Test).ok(),
            "debugfs": debugfs.as_ref().ok(),
            "debugfs_why_not": debugfs.as_ref().err(),
        })
    }
}

/// The area at the refusal.
fn picture(subject: &Subject, refusal: &Refusal, out: &mut dyn Write) -> io::Result<()> {
    let (request, area) = (refusal.request, &subject.area);
    let range = |(number, range): (usize, &cma_policies::Run)| {
        let inside = refusal.holes.iter().filter(|hole| range.contains(**hole));
        let hole =
            |hole: &cma_policies::Run| Hole { start: hole.pfn.0 - range.pfn.0, count: hole.count };
        RangeState {
            number: number as u32,
            base_pfn: Some(range.pfn.0),
            pages: Some(range.count),
            holes: inside.map(hole).collect(),
        }
    };
    let state = AreaState {
        name: None,
        ranges: area.ranges().iter().enumerate().map(range).collect(),
        order_per_bit: area.order_per_bit(),
        total: Some(area.pages()),
        free: Some(refusal.free_pages),
        available: None,
        longest: None,
        shown: None,
        complete: true,
        placed: true,
        known: Known::Bitmap,
        live: None,
        asked: Asked::default(),
    };
    let wanted = Wanted { count: request.count(), align: request.align(), instead: None };
    let Some(map) = Map::strip(&state, Some(&wanted)) else { return Ok(()) };
    writeln!(out)?;
    for range in &map.ranges {
        let glyphs: String = range.cells.iter().map(Cell::glyph).collect();
        writeln!(out, "  |{glyphs}|")?;
    }
    let cell = words::pages(map.cell_pages);
    let maps = [&map];
    let looks = Map::looks(&maps).map(|look| format!(", {} {}", look.glyph, look.words));
    writeln!(out, "  a character is {cell}{}", looks.collect::<String>())
}
