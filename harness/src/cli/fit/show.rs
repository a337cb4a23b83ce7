//! A fit as text, JSON and CSV.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cli::cap;
use crate::cli::context::Show;
use crate::cli::yardstick::json_of_yardstick;

use crate::after_failure::AfterFailure;
use crate::page::Page;
use crate::report::words::{any_placement_needs, clients_ask};
use crate::reproduce::{Figure, Forecast, OneRun, Reproduction, STREAMS, Yardstick};
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
    pub(super) run: OneRun,
    pub(super) predictions: Vec<Predicted>,
    pub(super) yardstick: Option<Yardstick>,
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
        if self.predictions.is_empty() { csv(self.fit) } else { csv_of_predictions(self) }
    }
}

fn text(fitted: &Fitted<'_>, out: &mut dyn Write) -> io::Result<()> {
    let &Fitted { name, fit, top, reproduction, .. } = fitted;
    let in_ops = fit.is_in_ops();
    reproduced(reproduction, (in_ops, fit.paged.page), out)?;
    predicted(fitted, out)?;
    let (sessions, stay) = fit.sessions();
    let (load, before) = (fit.load_pages(), fit.before_pages());
    let beside = if before > 0 {
        format!(", beside {before} pages that were there before")
    } else {
        String::new()
    };
    let asked = match fit.asked_pages() {
        asked if asked > load => {
            format!("; {asked} pages ({}) with what was refused", mib(asked, fit.paged.page))
        }
        _ => String::new(),
    };
    writeln!(
        out,
        "{name}: a {}, {} in {} over {}; LOAD {} pages ({}){beside}{asked}",
        fit.format,
        words::counted(fit.requests, "request"),
        words::counted(fit.ops(), "op"),
        time(fit.end_us(), in_ops),
        load,
        mib(load, fit.paged.page)
    )?;
    writeln!(out, "{}", fit.paged)?;
    for said in fitted.yardstick.iter().flat_map(|one| any_placement_needs(one, fit.paged.page)) {
        writeln!(out, "{said}")?;
    }
    for said in fit.cap_shown.iter().flat_map(|shown| cap::said(shown, "--predict-cap")) {
        writeln!(out, "{said}")?;
    }
    if fit.format == "trace" {
        let clients = fit.clients().iter().map(|client| (&fit.asking, client.as_str()));
        for said in clients_ask(clients, fit.paged.page) {
            writeln!(out, "{said}")?;
        }
    }
    if in_ops {
        writeln!(out, "a recording has no time: lifetimes and times between requests are in ops")?;
    }
    let holders = fit.manners().iter().filter(|manner| manner.holds.is_some());
    let holders: Vec<&str> = holders.map(called).collect();
    if !holders.is_empty() {
        writeln!(
            out,
            "drawn streams have clients that hold as much as they may: {}",
            holders.join(", ")
        )?;
    }
    if holders.is_empty() || sessions + stay > 0 {
        writeln!(out, "streams are drawn from {sessions} sessions; {stay} more stay to the end")?;
    }
    for phase in fit.phases().iter().filter(|phase| phase.burst) {
        let (from, to) = (time(phase.from_us, in_ops), time(phase.to_us, in_ops));
        let requests = words::counted(phase.requests, "request");
        writeln!(out, "burst from {from} to {to}: {requests}")?;
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
        writeln!(out, "{left_out}")?;
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
    let share = |share: f64| percent(share, 2);
    let rate = |value: Option<f64>| value.map_or_else(|| "-".to_string(), share);
    let (low, high) = one.refused.range.unzip();
    let predicted = format!(
        "{} are predicted for the same board ({} to {} in 95 % of {STREAMS} streams, cap {}, {})",
        rate(one.refused.predicted),
        rate(low),
        rate(high),
        one.cap,
        mib(one.area.pages(), page),
    );
    let recorded = rate(one.refused.recorded);
    if !one.is_known() {
        writeln!(
            out,
            "whether it reproduces the file is not known: the file does not say what was refused; \
             of the requests {predicted}"
        )?;
    } else if one.holds() {
        writeln!(
            out,
            "it reproduces the file{}: {recorded} of the requests were refused, {predicted}",
            but(one)
        )?;
    } else {
        writeln!(
            out,
            "it does NOT reproduce the file: {recorded} of the requests were refused, {predicted}\n\
             so rates that are predicted from it for other boards are not to be relied on"
        )?;
    }
    writeln!(out)?;
    let when = |us: f64| time(us as u64, in_ops);
    let pages = |pages: f64| format!("{pages:.0}");
    let known = one.is_known();
    let mut rows = vec![
        row("refused", (&one.refused, known), &share),
        row("first refusal", (&one.first_us, known), &when),
        row("most pages held", (&one.most_pages, known), &pages),
    ];
    rows.extend(
        one.by_size.iter().map(|(size, figure)| {
            row(&format!("refused of {size} pages"), (figure, known), &share)
        }),
    );
    table::write(out, "figure,recorded,predicted,lowest,highest,agrees", &rows)?;
    if let (without @ 1.., Some(_)) = (one.first_us.without, one.first_us.range) {
        writeln!(
            out,
            "in {without} of the {STREAMS} streams nothing is refused: the time of the first refusal is \
             that of the others"
        )?;
    }
    writeln!(out)
}

/// The figures beside the rate that differ from the file's more than the streams do.
fn but(one: &Reproduction) -> String {
    let sizes = one.by_size.iter().filter(|(_, figure)| !figure.agrees());
    let sizes: Vec<_> = sizes.map(|(size, _)| size.to_string()).collect();
    let first = (!one.first_us.agrees()).then(|| "its first refusal".to_string());
    let most = (!one.most_pages.agrees()).then(|| "the most pages held".to_string());
    let of_sizes = (!sizes.is_empty()).then(|| format!("the rates of {} pages", sizes.join(", ")));
    let names: Vec<_> = [first, most, of_sizes].into_iter().flatten().collect();
    if names.is_empty() { String::new() } else { format!(", but not {}", names.join(", nor ")) }
}

/// What is expected of other areas, and how far that can be relied on.
fn predicted(fitted: &Fitted<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (all, page) = (&fitted.predictions, fitted.fit.paged.page);
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
    let run = words::counted(fitted.run.requests, "request");
    let holds = match fitted.reproduction {
        Some(one) if one.is_known() && one.holds() => " (95 %)",
        Some(one) if one.is_known() => ", not to be relied on: the fit does not reproduce the file",
        _ => ", as far as the fit is like the board: whether it reproduces the file is not known",
    };
    writeln!(out, "predicted for one run of {run}{holds}:")?;
    table::write(out, "area,cap,refused,lowest,highest", &all.iter().map(row).collect::<Vec<_>>())?;
    let wide = all.iter().filter(|(.., expected)| expected.is_wide()).count() as u64;
    if wide > 0 {
        writeln!(
            out,
            "{}: more than four times what is predicted, below 2 % more than three percentage \
             points; a longer trace makes a range narrower",
            words::counted(wide, "wide range")
        )?;
    }
    writeln!(out)
}

/// A figure, and whether the file says what it was.
fn row(name: &str, (figure, known): (&Figure, bool), shown: &dyn Fn(f64) -> String) -> Vec<String> {
    let or_none = |value: Option<f64>| value.map_or_else(|| "none".to_string(), shown);
    let range = figure.range.map_or([None; 2], |(low, high)| [Some(low), Some(high)]);
    let agrees = match (known, figure.agrees()) {
        (false, _) => "-",
        (true, true) => "yes",
        (true, false) => "NO",
    };
    let recorded = if known { or_none(figure.recorded) } else { "-".to_string() };
    let predicted = or_none(figure.predicted);
    let (low, high) = (or_none(range[0]), or_none(range[1]));
    [name.to_string(), recorded, predicted, low, high, agrees.to_string()].to_vec()
}

/// Whether there is anything to say of what a kind of clients does.
const fn shown(manner: &Manner) -> bool {
    manner.refusals > 0 || manner.holds.is_some()
}

/// A kind of clients by its name.
fn called(manner: &Manner) -> &str {
    if manner.kind.is_empty() { "whoever asks" } else { &manner.kind }
}

/// What clients do of which so many buffers go back at once: the oldest, or any.
fn next(back: u64, oldest: bool, is_known: bool) -> String {
    let which = if oldest { " of those held longest" } else { "" };
    let back = match back {
        _ if !is_known => format!(
            "nothing is given back at once, or one buffer{which}, in every second stream, since too \
             few refusals show it"
        ),
        AfterFailure::ALL => "all is given back at once".to_string(),
        0 => "nothing is given back at once".to_string(),
        1 => format!("one buffer{which} is given back at once"),
        _ => format!("{}{which} are given back at once", words::counted(back, "buffer")),
    };
    format!(
        "go on with the next request, and hold as much as it held at most: {back}, and later no \
         buffer before its pages are needed"
    )
}

/// What a kind of clients does after a refusal, and what shows it.
fn said(manner: &Manner, in_ops: bool, page: Page) -> String {
    let does = match manner.after {
        AfterFailure::Next { back, oldest } => next(back, oldest, manner.is_known),
        after => after.about().to_string(),
    };
    let mut said = match (manner.after, manner.is_known) {
        (AfterFailure::Next { .. }, false) => {
            format!("after a refusal {} will {does}", called(manner))
        }
        (_, false) => format!(
            "what {} will do after a refusal too few of them show: streams take drop, retry, session \
             and next in turn",
            called(manner)
        ),
        (after, true) => format!("after a refusal {} will {does} ({after})", called(manner)),
    };
    if let Some(Holds { most_pages, gave, needed }) = manner.holds {
        said += &format!(
            "; it holds up to {} ({}): of {} before which something was given back, {needed} would \
             have been above that",
            words::pages(most_pages),
            mib(most_pages, page),
            words::counted(gave, "request")
        );
        if needed == 0 {
            said += "; nothing shows that it may not hold more, as it may on a larger area";
        }
    }
    said + &match (manner.refusals, manner.next_us) {
        (refusals, Some(next_us)) => format!(
            "; {} {} followed by a request, the same again {}, {} later in the median",
            words::counted(refusals, "refusal"),
            words::was_or_were(refusals),
            words::counted(manner.again, "time"),
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
    let known = reproduction.is_some_and(Reproduction::is_known);
    let figure = |figure: &Figure| {
        let (low, high) = figure.range.unzip();
        json!({
            "recorded": figure.recorded.map(decimal), "predicted": figure.predicted.map(decimal),
            "low": low.map(decimal), "high": high.map(decimal),
            "streams_without": figure.without, "agrees": known.then(|| figure.agrees()),
        })
    };
    let reproduction = reproduction.map(|one| {
        let by_size = one.by_size.iter();
        let by_size = by_size.map(|(size, its)| json!({ "pages": size, "refused": figure(its) }));
        json!({
            "reproduces": known.then(|| one.holds()), "streams": STREAMS, "cap": one.cap,
            "area_pages": one.area.pages(), "refused": figure(&one.refused),
            "first_refusal": figure(&one.first_us), "most_pages": figure(&one.most_pages),
            "by_size": by_size.collect::<Vec<_>>(),
        })
    });
    let predictions = fitted.predictions.iter().map(|(pages, cap, expected)| {
        json!({
            "area_pages": pages, "cap": cap, "refused": decimal(expected.predicted),
            "low": decimal(expected.range.0), "high": decimal(expected.range.1),
            "missed": decimal(expected.missed), "is_wide": expected.is_wide(),
            "requests": fitted.run.requests,
        })
    });
    let callers = fit.manners().iter().map(|manner| {
        json!({
            "client": manner.kind, "after_failure": manner.after.to_string(),
            "is_known": manner.is_known,
            "refusals": manner.refusals, "same_again": manner.again,
            "next_request_p50": manner.next_us,
            "holds_at_most": manner.holds.map(|holds| holds.most_pages),
            "gave_back_before": manner.holds.map(|holds| holds.gave),
            "needed": manner.holds.map(|holds| holds.needed),
        })
    });
    let (sessions, stay) = fit.sessions();
    json!({
        "optimum": fitted.yardstick.as_ref().map(json_of_yardstick),
        "reproduction": reproduction, "predictions": predictions.collect::<Vec<_>>(),
        "callers": callers.collect::<Vec<_>>(),
        "schema": 1, "file": name, "format": fit.format,
        "unit_of_time": if fit.is_in_ops() { "ops" } else { "us" },
        "requests": fit.requests, "ops": fit.ops(), "end": fit.end_us(),
        "load_pages": fit.load_pages(), "asked_pages": fit.asked_pages(), "before_pages": fit.before_pages(),
        "sessions": sessions, "stay": stay,
        "classes": classes.collect::<Vec<_>>(), "phases": phases.collect::<Vec<_>>(),
        "distances": distances, "distance": decimal(fit.distances.largest()),
        "between_draws": decimal(fit.between_draws), "not_fitted": fit.left_out.not_fitted(),
        "taken_otherwise": fit.left_out.taken_otherwise(),
        "page_kib": fit.paged.page.kib(), "page_kib_stated": fit.paged.by.is_some(),
        "recorded_cap": fit.cap, "recorded_cap_shown": fit.cap_shown.as_ref().map(cap::json_of_cap),
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

/// A row for each area and cap that something is predicted for.
fn csv_of_predictions(fitted: &Fitted<'_>) -> (String, Vec<Vec<String>>) {
    let head = "area_pages,cap,requests,refused_share,refused_share_low,refused_share_high,is_wide,\
                reproduces,page_kib";
    let reproduces = fitted.reproduction.filter(|one| one.is_known()).map(Reproduction::holds);
    let row = |(pages, cap, expected): &Predicted| {
        let (low, high) = expected.range;
        let shares = [expected.predicted, low, high].map(|share| format!("{share:.6}"));
        let mut row = vec![pages.to_string(), cap.to_string(), fitted.run.requests.to_string()];
        row.extend(shares);
        row.extend([expected.is_wide().to_string(), words::csv::optional(reproduces)]);
        row.push(fitted.fit.paged.page.kib().to_string());
        row
    };
    (head.to_string(), fitted.predictions.iter().map(row).collect())
}
