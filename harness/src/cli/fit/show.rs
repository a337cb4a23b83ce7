//! A fit as text, JSON and CSV.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cli::context::Show;

use crate::page::Page;
use crate::report::words::clients_ask;
use crate::reproduce::{Figure, Forecast, Reproduction, STREAMS};
use crate::span::span;
use crate::words::{self, mib, percent, table};
use crate::workload::fit::{DISTANCES, Fit, Holds, Manner, Requested};

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
    pub(super) reproduction: Option<&'a Reproduction>,
    pub(super) predictions: Vec<Predicted>,
}

/// What is expected: pages of the area, the cap, and the share of refused requests.
pub(super) type Predicted = (u64, u32, Forecast);

impl Show for Fitted<'_> {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        text(self, out)
    }

    fn json(&self) -> Value {
        json(self)
    }

    fn csv(&self) -> (String, Vec<Vec<String>>) {
        csv(self.fit)
    }
}

fn text(fitted: &Fitted<'_>, out: &mut dyn Write) -> io::Result<()> {
    let &Fitted { name, fit, top, reproduction, .. } = fitted;
    let in_ops = fit.is_in_ops();
    reproduced(reproduction, (in_ops, fit.paged.page), out)?;
    predicted(&fitted.predictions, fit.paged.page, out)?;
    let (sessions, stay) = fit.sessions();
    let (load, before) = (fit.load_pages(), fit.before_pages());
    let beside = if before > 0 {
        format!(", beside {before} pages that were there before")
    } else {
        String::new()
    };
    writeln!(
        out,
        "{name}: a {}, {} requests in {} ops over {}; LOAD {} pages ({}){beside}",
        fit.format,
        fit.requests,
        fit.ops(),
        time(fit.end_us(), in_ops),
        load,
        mib(load, fit.paged.page)
    )?;
    writeln!(out, "{}", fit.paged)?;
    if fit.format == "trace" {
        let clients = fit.clients().iter().map(|client| (&fit.asking, client.as_str()));
        for said in clients_ask(clients, fit.paged.page) {
            writeln!(out, "{said}")?;
        }
    }
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
    writeln!(out)?;
    for manner in fit.manners().iter().filter(|manner| shown(manner)) {
        writeln!(out, "{}", said(manner, in_ops, fit.paged.page))?;
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

/// What was recorded against what is predicted.
fn reproduced(
    reproduction: Option<&Reproduction>,
    (in_ops, page): (bool, Page),
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some(one) = reproduction else {
        return writeln!(
            out,
            "whether it reproduces the file is not known: nothing states the area; --snapshot, or \
             --base-pfn and --pages, do\n"
        );
    };
    let rate =
        |share: Option<f64>| share.map_or_else(|| "-".to_string(), |share| percent(share, 2));
    let verdict =
        if one.holds() { "it reproduces the file" } else { "it does NOT reproduce the file" };
    let [low, high] = one.refused.range.map_or([None; 2], |(low, high)| [Some(low), Some(high)]);
    writeln!(
        out,
        "{verdict}: {} of the requests were refused, {} are predicted for the same board ({} to {} in \
         {STREAMS} streams, cap {}, {})",
        rate(one.refused.recorded),
        rate(one.refused.predicted),
        rate(low),
        rate(high),
        one.cap,
        mib(one.area.pages(), page),
    )?;
    if !one.holds() {
        writeln!(
            out,
            "so rates that are predicted from it for other boards are not to be relied on"
        )?;
    }
    writeln!(out)?;
    let when = |us: f64| time(us as u64, in_ops);
    let pages = |pages: f64| format!("{pages:.0}");
    let share = |share: f64| percent(share, 2);
    let mut rows = vec![
        row("refused", &one.refused, &share),
        row("first refusal", &one.first_us, &when),
        row("most pages held", &one.most_pages, &pages),
    ];
    let sizes = one.by_size.iter();
    rows.extend(
        sizes.map(|(size, figure)| row(&format!("refused of {size} pages"), figure, &share)),
    );
    table::write(out, "figure,recorded,predicted,lowest,highest,agrees", &rows)?;
    writeln!(out)
}

/// What is expected of other areas.
fn predicted(all: &[Predicted], page: Page, out: &mut dyn Write) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let row = |(pages, cap, expected): &Predicted| {
        let (low, high) = expected.range;
        let shares = [expected.predicted, low, high].map(|share| percent(share, 2));
        let mut row = vec![mib(*pages, page), cap.to_string()];
        row.extend(shares);
        row
    };
    writeln!(out, "predicted for one run as long as the file (95 %):")?;
    table::write(out, "area,cap,refused,lowest,highest", &all.iter().map(row).collect::<Vec<_>>())?;
    writeln!(out)
}

fn row(name: &str, figure: &Figure, shown: &dyn Fn(f64) -> String) -> Vec<String> {
    let or_none = |value: Option<f64>| value.map_or_else(|| "none".to_string(), shown);
    let range = figure.range.map_or([None; 2], |(low, high)| [Some(low), Some(high)]);
    let mut highest = or_none(range[1]);
    if figure.without > 0 && range[1].is_some() {
        highest += &format!(" (none in {})", figure.without);
    }
    let agrees = if figure.agrees() { "yes" } else { "NO" };
    let (recorded, predicted) = (or_none(figure.recorded), or_none(figure.predicted));
    [name.to_string(), recorded, predicted, or_none(range[0]), highest, agrees.to_string()].to_vec()
}

/// Whether there is anything to say of what a kind of clients does.
const fn shown(manner: &Manner) -> bool {
    manner.refusals > 0 || manner.holds.is_some()
}

/// What a kind of clients does after a refusal, and what shows it.
fn said(manner: &Manner, in_ops: bool, page: Page) -> String {
    let name = if manner.kind.is_empty() { "whoever asks" } else { &manner.kind };
    let mut said =
        format!("after a refusal {name} will {} ({})", manner.after.about(), manner.after);
    if let Some(Holds { most_pages, gave, needed }) = manner.holds {
        said += &format!(
            "; it holds up to {most_pages} pages ({}): of {gave} requests before which something \
             was given back, {needed} would have been above that",
            mib(most_pages, page)
        );
    }
    said + &match (manner.refusals, manner.next_us) {
        (refusals, Some(next_us)) => format!(
            "; {} were followed by a request, the same again {} times, {} later in the median",
            words::counted(refusals, "refusal"),
            manner.again,
            time(next_us, in_ops)
        ),
        _ => "; no refusal shows what it does then".to_string(),
    }
}

/// One object. Times are in microseconds, of a recording in ops.
fn json(fitted: &Fitted<'_>) -> Value {
    let &Fitted { name, fit, reproduction, .. } = fitted;
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
    let figure = |figure: &Figure| {
        let (low, high) = figure.range.unzip();
        json!({
            "recorded": figure.recorded.map(decimal), "predicted": figure.predicted.map(decimal),
            "low": low.map(decimal), "high": high.map(decimal),
            "streams_without": figure.without, "agrees": figure.agrees(),
        })
    };
    let reproduction = reproduction.map(|one| {
        let by_size = one.by_size.iter();
        let by_size = by_size.map(|(size, its)| json!({ "pages": size, "refused": figure(its) }));
        json!({
            "reproduces": one.holds(), "streams": STREAMS, "cap": one.cap,
            "area_pages": one.area.pages(), "refused": figure(&one.refused),
            "first_refusal": figure(&one.first_us), "most_pages": figure(&one.most_pages),
            "by_size": by_size.collect::<Vec<_>>(),
        })
    });
    let predictions = fitted.predictions.iter().map(|(pages, cap, expected)| {
        json!({
            "area_pages": pages, "cap": cap, "refused": decimal(expected.predicted),
            "low": decimal(expected.range.0), "high": decimal(expected.range.1),
            "missed": decimal(expected.missed),
        })
    });
    let callers = fit.manners().iter().map(|manner| {
        json!({
            "client": manner.kind, "after_failure": manner.after.to_string(),
            "refusals": manner.refusals, "same_again": manner.again,
            "next_request_p50": manner.next_us,
            "holds_at_most": manner.holds.map(|holds| holds.most_pages),
            "gave_back_before": manner.holds.map(|holds| holds.gave),
            "needed": manner.holds.map(|holds| holds.needed),
        })
    });
    let (sessions, stay) = fit.sessions();
    json!({
        "reproduction": reproduction, "predictions": predictions.collect::<Vec<_>>(),
        "callers": callers.collect::<Vec<_>>(),
        "schema": 1, "file": name, "format": fit.format,
        "unit_of_time": if fit.is_in_ops() { "ops" } else { "us" },
        "requests": fit.requests, "ops": fit.ops(), "end": fit.end_us(),
        "load_pages": fit.load_pages(), "before_pages": fit.before_pages(),
        "sessions": sessions, "stay": stay,
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
