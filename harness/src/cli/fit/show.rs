//! A fit as text, JSON and CSV.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cli::context::Show;

use crate::span::span;
use crate::words::{self, mib, percent, table};
use crate::workload::fit::{DISTANCES, Fit, Requested};

/// Microseconds as people read them; of a recording ops.
fn time(us: u64, in_ops: bool) -> String {
    if in_ops { format!("{us} ops") } else { span(us as f64) }
}

fn align(class: &Requested) -> String {
    class.align.map_or_else(|| "dma".to_string(), |align| align.to_string())
}

fn share(part: u128, whole: u128) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// A fit to the file of this name, of whose classes so many are shown.
pub(super) struct Fitted<'a> {
    pub(super) name: &'a str,
    pub(super) fit: &'a Fit,
    pub(super) top: usize,
}

impl Show for Fitted<'_> {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        text(self, out)
    }

    fn json(&self) -> Value {
        json(self.name, self.fit)
    }

    fn csv(&self) -> (String, Vec<Vec<String>>) {
        csv(self.fit)
    }
}

fn text(&Fitted { name, fit, top }: &Fitted<'_>, out: &mut dyn Write) -> io::Result<()> {
    let in_ops = fit.is_in_ops();
    let (sessions, stay) = fit.sessions();
    writeln!(
        out,
        "{name}: a {}, {} requests in {} ops over {}; LOAD {} pages ({})",
        fit.format,
        fit.requests,
        fit.ops(),
        time(fit.end_us(), in_ops),
        fit.load_pages(),
        mib(fit.load_pages(), fit.paged.page)
    )?;
    writeln!(out, "{}", fit.paged)?;
    if in_ops {
        writeln!(out, "a recording has no time: lifetimes and times between requests are in ops")?;
    }
    writeln!(out, "streams are drawn from {sessions} sessions; {stay} more stay to the end")?;
    for phase in fit.phases().iter().filter(|phase| phase.burst) {
        let (from, to) = (time(phase.from_us, in_ops), time(phase.to_us, in_ops));
        writeln!(out, "burst from {from} to {to}: {} requests", phase.requests)?;
    }
    writeln!(out)?;
    let all: u128 = fit.classes.iter().map(Requested::pages).sum();
    let row = |class: &Requested| {
        let lifetime =
            |at: usize| class.lifetimes_us.map_or_else(String::new, |us| time(us[at], in_ops));
        vec![
            class.client.clone(),
            class.count.to_string(),
            align(class),
            class.requests.to_string(),
            percent(share(class.pages(), all), 1),
            lifetime(0),
            lifetime(1),
            lifetime(2),
            class.live_at_end.to_string(),
            class.between_us.map_or_else(String::new, |us| time(us, in_ops)),
            percent(share(class.in_bursts.into(), class.requests.into()), 0),
        ]
    };
    let head = "client,pages,align,requests,of pages,life 10 %,50 %,90 %,live,between,in bursts";
    let rows: Vec<_> = fit.classes.iter().take(top).map(row).collect();
    table::write(out, head, &rows)?;
    if fit.classes.len() > top {
        writeln!(out, "… and {} classes with fewer pages", fit.classes.len() - top)?;
    }
    writeln!(out, "\ndistance between the file and drawn streams of its length, 0 to 1:")?;
    for ((_, about), value) in DISTANCES.iter().zip(fit.distances.0) {
        writeln!(out, "  {value:.3}  {about}")?;
    }
    let (largest, chance) = (fit.distances.largest(), fit.between_draws);
    writeln!(out, "the distance: {largest:.3}; two drawn streams are {chance:.3} apart")?;
    for left_out in fit.left_out.warnings() {
        writeln!(out, "not fitted: {left_out}")?;
    }
    Ok(())
}

/// One object. Times are in microseconds, of a recording in ops.
fn json(name: &str, fit: &Fit) -> Value {
    // Six decimals, as everywhere in a file.
    let decimal = |value: f64| (value * 1e6).round() / 1e6;
    let distances = DISTANCES.iter().zip(fit.distances.0);
    let distances: serde_json::Map<_, _> =
        distances.map(|((key, _), value)| ((*key).to_string(), json!(decimal(value)))).collect();
    let classes = fit.classes.iter().map(|class| {
        json!({
            "client": class.client, "pages": class.count, "align": class.align,
            "dma": class.align.is_none(), "requests": class.requests,
            "in_bursts": class.in_bursts, "live_at_end": class.live_at_end,
            "lifetime_p10_p50_p90": class.lifetimes_us, "between_p50": class.between_us,
        })
    });
    let phases = fit.phases().iter().map(|phase| {
        json!({
            "from": phase.from_us, "to": phase.to_us, "requests": phase.requests,
            "burst": phase.burst,
        })
    });
    let (sessions, stay) = fit.sessions();
    json!({
        "schema": 1, "file": name, "format": fit.format,
        "unit_of_time": if fit.is_in_ops() { "ops" } else { "us" },
        "requests": fit.requests, "ops": fit.ops(), "end": fit.end_us(),
        "load_pages": fit.load_pages(), "sessions": sessions, "stay": stay,
        "classes": classes.collect::<Vec<_>>(), "phases": phases.collect::<Vec<_>>(),
        "distances": distances, "distance": decimal(fit.distances.largest()),
        "between_draws": decimal(fit.between_draws), "not_fitted": fit.left_out.warnings(),
        "page_kib": fit.paged.page.kib(), "page_kib_stated": fit.paged.by.is_some(),
    })
}

/// A row for each class; each ends with the distances.
fn csv(fit: &Fit) -> (String, Vec<Vec<String>>) {
    let unit = if fit.is_in_ops() { "ops" } else { "us" };
    let distances: Vec<_> = DISTANCES.iter().map(|(key, _)| format!("distance_{key}")).collect();
    let head = format!(
        "client,pages,align,requests,in_bursts_requests,live_at_end_requests,\
         lifetime_p10_{unit},lifetime_p50_{unit},lifetime_p90_{unit},between_p50_{unit},\
         fit_distance,{},page_kib",
        distances.join(",")
    );
    let row = |class: &Requested| {
        let lives =
            class.lifetimes_us.map_or_else(Default::default, |us| us.map(|us| us.to_string()));
        let counts = [class.requests, class.in_bursts, class.live_at_end];
        let mut row = vec![class.client.clone(), class.count.to_string(), align(class)];
        row.extend(counts.map(|count| count.to_string()));
        row.extend(lives);
        row.push(words::csv::optional(class.between_us));
        let all = [fit.distances.largest()].into_iter().chain(fit.distances.0);
        row.extend(all.map(|distance| format!("{distance:.6}")));
        row.push(fit.paged.page.kib().to_string());
        row
    };
    (head, fit.classes.iter().map(row).collect())
}
