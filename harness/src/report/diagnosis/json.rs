//! One object, written as the failures come: a log of any length needs no memory.

#![expect(non_camel_case_types, reason = "the type of each value is named as its key is")]

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::Serializer;
use serde_json::value::RawValue;

use super::groups::{Report, Shown};
use super::plain::seconds;
use super::words;
use crate::boot::{Asked, At, Story};
use crate::diagnose::{
    Advice, AreaHeld, AreaState, AsRecommended, Bounds, BusyPlaces, CapHeld, Confidence, Counter,
    Cut, Failure, FreeMemory, Held, Holder, Holding, NotCma, Outcome, Resident, Stated,
};
use crate::ingest::log::FreeBlocks;

/// The version of the object.
pub const SCHEMA: u32 = 1;

/// What is written as an object, with its keys in this order.
macro_rules! object {
    ($($key:ident: $value:expr),* $(,)?) => {{
        #[derive(Serialize)]
        struct Object<$($key),*> {
            $($key: $key),*
        }
        Object { $($key: $value),* }
    }};
    // The last one is there only where it is known.
    ($($key:ident: $value:expr),*; $last:ident: $known:expr) => {{
        #[derive(Serialize)]
        struct Object<$($key),*> {
            $($key: $key,)*
            #[serde(skip_serializing_if = "Option::is_none")]
            $last: Option<u64>,
        }
        Object { $($key: $value,)* $last: $known }
    }};
}

/// Pages by cap, in the order of the list.
struct ByCap<'a>(&'a [(u32, u64)]);

impl Serialize for ByCap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// Seconds with six decimals, always.
fn time(us: Option<u64>) -> Option<Box<RawValue>> {
    us.and_then(|us| RawValue::from_string(seconds(us)).ok())
}

fn failure_json(failure: &Failure) -> impl Serialize + '_ {
    let incident = &failure.incident;
    let fit = failure.would_fit;
    object! {
        source: &*incident.source,
        line: incident.line,
        time_s: time(incident.time_us),
        kernel: incident.era.name.as_deref(),
        area: incident.area.as_deref(),
        count: incident.count,
        align: failure.align.map(|(order, _)| order),
        align_from: failure.align.map(|(_, from)| from.name()),
        ret: incident.ret,
        busy_retries: incident.busy_retries,
        list: failure.list.map(|list| object! {
            runs: list.runs,
            free: list.free,
            total: list.total,
            largest_run: list.largest_run,
            largest_usable: list.largest_usable,
            complete: list.complete,
        }),
        verdict: failure.verdict_name(),
        confidence: failure.confidence.name(),
        why: words::why(failure),
        // Every number is null where the state of the area is not known.
        would_fit: object! {
            max_align: fit.and_then(|fit| fit.max_align),
            at: fit.and_then(|fit| fit.at),
            largest_count_at_this_align: fit.map(|fit| fit.largest_count_at_this_align),
        },
        duplicates: incident.duplicates,
        bounds: bounds_json(failure),
        device: incident.who.device.as_deref(),
        task: incident.who.task.as_ref().and_then(|task| task.comm.as_deref()),
        pid: incident.who.task.as_ref().and_then(|task| task.pid),
        client: incident.who.client,
        caller: incident.who.caller.map(|caller| caller.name),
        reported_by_driver: incident.outcome == Outcome::Reported,
        driver_line: incident.who.driver_line.as_ref().map(|(_, line)| *line),
        outcome: incident.outcome.name(),
        outcome_confidence: incident.outcome.confidence().map(Confidence::name),
        holders: incident.who.holders.iter().map(holder_json).collect::<Vec<_>>(),
        driver_piece_line: incident.who.piece_line.filter(|_| incident.is_half_reported()),
    }
}

fn holder_json(holder: &Holder) -> impl Serialize + '_ {
    object! {
        task: holder.task.comm.as_deref(),
        pid: holder.task.pid,
        buffers: holder.buffers,
        pages: holder.pages,
    }
}

fn not_cma_json(one: &NotCma) -> impl Serialize + '_ {
    let memory = |memory: FreeMemory| {
        object! {
            free_kb: memory.free_kb,
            free_cma_kb: memory.cma_kb,
            cma_pages: memory.cma_pages,
        }
    };
    object! {
        kind: one.kind.name(),
        count: one.count,
        source: &*one.source,
        line: one.line,
        time_s: time(one.time_us),
        text: &*one.text,
        device: one.device.as_deref(),
        order: one.order,
        memory: one.memory.map(memory),
        cma_too_large: one.cma_is_too_large().is_some(),
        about: words::not_cma(one),
    }
}

fn busy_json(row: &BusyPlaces) -> impl Serialize + '_ {
    object! {
        pages: row.pages,
        align: row.align,
        places: row.places,
        requests: row.requests,
        source: &*row.source,
        line: row.line,
        time_s: time(row.time_us),
        at_end: row.at_end,
    }
}

/// Pages that bound the request; null where nothing is known.
fn bounds_json(failure: &Failure) -> Option<impl Serialize + '_> {
    let bounds = failure.incident.bounds.as_deref();
    let slots = failure.slots();
    let pages = |of: fn(&Bounds) -> &Option<Stated>| Some(of(bounds?).as_ref()?.pages);
    (bounds.is_some() || slots.is_some()).then(|| {
        object! {
            area_pages: failure.total().or_else(|| pages(|bounds| &bounds.area)),
            all_areas_pages: pages(|bounds| &bounds.all),
            least_free_pages: pages(|bounds| &bounds.free),
            slot_pages: slots.map(|slots| slots.slot),
            stranded_pages: slots.map(|slots| slots.stranded),
            most_buffers: slots.and_then(|slots| slots.most),
            held: bounds.and_then(|bounds| bounds.held.as_deref()).map(held_json),
            available_pages: pages(|bounds| &bounds.available),
        }
    })
}

fn held_json(held: &Held) -> impl Serialize + '_ {
    let (bytes, buffers) = held.sum();
    let holding = |of: &'_ Holding| {
        object! { label: of.label.to_string(), bytes: of.bytes, buffers: of.buffers }
    };
    object! {
        source: &*held.source,
        line: held.line,
        bytes: bytes,
        buffers: buffers,
        cached_bytes: held.cached.0,
        of: held.of.iter().map(holding).collect::<Vec<_>>(),
    }
}

fn resident_json<'a>(area: &'a AreaState, resident: &'a Resident) -> impl Serialize + 'a {
    object! {
        area: area.name.as_deref(),
        count: resident.count,
        align: resident.align,
        blocks: resident.blocks,
        stranded_pages: resident.stranded_pages,
        confidence: resident.confidence.name(),
        recoverable: ByCap(&resident.recoverable),
    }
}

fn area_json(area: &AreaState) -> impl Serialize + '_ {
    object! {
        name: area.name.as_deref(),
        pages: area.total,
        base_pfn: area.ranges.first().and_then(|range| range.base_pfn),
        order_per_bit: area.order_per_bit,
        free: area.stated_free(),
        largest_run: area.largest_run(),
        complete: area.complete;
        available: area.available
    }
}

/// Writes the beginning of the object.
///
/// # Errors
/// Where the output takes no more.
pub fn head(out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\"schema\": {SCHEMA}, \"failures\": [")
}

/// Writes `failure`; `first` of all or not.
///
/// # Errors
/// Where the output takes no more.
pub fn failure(failure: &Failure, first: bool, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(if first { b"\n" } else { b",\n" })?;
    Ok(serde_json::to_writer(&mut *out, &failure_json(failure))?)
}

/// Writes what comes after the failures, and the end of the object.
///
/// # Errors
/// Where the output takes no more.
pub fn tail(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let diagnosis = report.diagnosis;
    let all = diagnosis.areas.iter().zip(&diagnosis.residents);
    let residents =
        all.flat_map(|(area, list)| list.iter().map(move |one| resident_json(area, one)));
    out.write_all(b"\n], \"residents\": [")?;
    list(residents, out)?;
    write!(out, "], \"skipped_lines\": {}, \"warnings\": ", diagnosis.skipped_lines)?;
    serde_json::to_writer(&mut *out, &diagnosis.warnings)?;
    write!(out, ", \"lines\": {}, \"cap\": {}", diagnosis.lines, diagnosis.cap)?;
    out.write_all(b", \"areas\": [")?;
    list(diagnosis.areas.iter().map(area_json), out)?;
    out.write_all(b"], \"groups\": [")?;
    list(report.groups.iter().map(group_json), out)?;
    write!(out, "], \"unknown_suppressed\": {}, \"counters\": [", diagnosis.suppressed)?;
    list(diagnosis.counters.iter().map(counter_json), out)?;
    write!(out, "], \"unreported\": {}, \"not_cma\": [", diagnosis.unreported)?;
    list(diagnosis.not_cma.iter().map(not_cma_json), out)?;
    out.write_all(b"], \"busy_places\": [")?;
    list(diagnosis.busy.iter().map(busy_json), out)?;
    if !diagnosis.free_blocks.is_empty() {
        write!(out, "], \"free_blocks\": [")?;
        list(diagnosis.free_blocks.iter().map(blocks_json), out)?;
    }
    if !diagnosis.cut.is_empty() {
        write!(out, "], \"cut\": [")?;
        list(diagnosis.cut.iter().map(cut_json), out)?;
    }
    out.write_all(b"], \"boot\": [")?;
    list(diagnosis.boot.areas.iter().map(|asked| boot_json(asked, &diagnosis.boot)), out)?;
    write!(out, "], \"do\": ")?;
    serde_json::to_writer(&mut *out, &words::act(report))?;
    if let Some(held) = &diagnosis.as_recommended {
        write!(out, ", \"as_recommended\": ")?;
        serde_json::to_writer(&mut *out, &recommended_json(held, report))?;
    }
    writeln!(out, "}}")
}

fn blocks_json(zone: &FreeBlocks) -> impl Serialize + '_ {
    object! { zone: &*zone.zone, cma: zone.cma, pages: zone.pages(), blocks: &zone.blocks[..] }
}

fn cut_json(cut: &Cut) -> impl Serialize + '_ {
    object! { source: &*cut.source, lines: cut.lines, why: &*cut.why }
}

fn boot_json<'a>(asked: &'a Asked, story: &'a Story) -> impl Serialize + 'a {
    let line = |at: &'a At| object! { source: &*at.source, line: at.line };
    object! {
        area: asked.name.as_deref(),
        origin: asked.origin.name(),
        default: asked.default,
        asked_bytes: asked.asked_bytes,
        fate: asked.fate.name(),
        reason: asked.fate.reason(),
        base: asked.base,
        bytes: asked.bytes,
        printed_bytes: asked.printed_bytes,
        instead_bytes: asked.instead,
        page_bytes: story.page.map(|(bytes, _)| bytes),
        step_bytes: story.stride.bytes,
        lines: asked.lines.iter().map(line).collect::<Vec<_>>(),
        text: words::boot::sentence(asked, story),
        cure: words::boot::cure(asked, story),
    }
}

fn recommended_json<'a>(held: &'a AsRecommended, report: &'a Report<'_>) -> impl Serialize + 'a {
    let story = &report.diagnosis.boot;
    let area = |one: &'a AreaHeld| {
        object! {
            name: &*one.area.name,
            bytes: one.area.bytes,
            default: one.area.default,
            verdict: one.holds.name(),
            has_bytes: one.has_bytes(story),
            text: words::recommended::of_area(one, story),
        }
    };
    let cap = |one: &'a CapHeld| {
        object! {
            cap: one.cap,
            verdict: one.holds.name(),
            stated: one.stated.iter().map(|(cap, _)| *cap).collect::<Vec<_>>(),
            calls_order: one.calls.as_ref().map(|calls| calls.order),
            text: words::recommended::whole_cap(one),
        }
    };
    object! {
        verdict: held.verdict().name(),
        areas: held.areas.iter().map(area).collect::<Vec<_>>(),
        cap: held.cap.as_ref().map(cap),
        text: words::recommended::answer(report),
    }
}

fn counter_json(counter: &Counter) -> impl Serialize + '_ {
    object! {
        area: counter.area.as_deref(),
        name: &*counter.name,
        value: counter.value,
        unit: counter.unit(),
    }
}

fn group_json<'a>(shown: &'a Shown<'_>) -> impl Serialize + 'a {
    let (group, first) = (shown.group, &shown.group.first);
    let incident = &first.incident;
    let advice = |advice: &Advice| {
        object! {
            kind: advice.what.name(),
            helps: advice.helps,
            text: words::advice(advice),
            cost_pages: advice.cost_pages,
        }
    };
    object! {
        failures: group.failures,
        source: &*incident.source,
        line: incident.line,
        first_s: time(group.first_us),
        last_s: time(group.last_us),
        verdict: first.verdict_name(),
        confidence: first.confidence.name(),
        area: incident.area.as_deref(),
        count: incident.count,
        align: first.align.map(|(order, _)| order),
        ret: incident.ret,
        advice: shown.advice.iter().map(advice).collect::<Vec<_>>(),
    }
}

/// The items of a list, one a line.
fn list(items: impl Iterator<Item = impl Serialize>, out: &mut dyn Write) -> io::Result<()> {
    for (index, item) in items.enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &item)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::sample::{diagnosis, misaligned, undecidable, written};
    use super::*;

    fn object(failures: &[Failure]) -> (String, Value) {
        let text = written(failures, &diagnosis(), |report, out| {
            head(out)?;
            for (index, one) in failures.iter().enumerate() {
                failure(one, index == 0, out)?;
            }
            tail(report, out)
        });
        let value = serde_json::from_str(&text).unwrap();
        (text, value)
    }

    #[test]
    fn a_failure_has_the_keys_of_the_interface() {
        let (text, value) = object(&[misaligned(), undecidable()]);
        assert_eq!(value["schema"], 1);
        let first = &value["failures"][0];
        let list = json!({"runs": 3, "free": 855, "total": 2048, "largest_run": 500,
                          "largest_usable": 245, "complete": true});
        assert_eq!(first["list"], list);
        let fit = json!({"max_align": 7, "at": 640, "largest_count_at_this_align": 245});
        assert_eq!(first["would_fit"], fit);
        assert_eq!(
            (&first["verdict"], &first["confidence"]),
            (&"alignment".into(), &"certain".into())
        );
        assert_eq!((&first["align"], &first["align_from"]), (&8.into(), &"trace".into()));
        assert!(text.contains("\"time_s\":12.345678,"), "{text}");
        let second = &value["failures"][1];
        for key in ["time_s", "kernel", "area", "list"] {
            assert_eq!(second[key], Value::Null, "{key}");
        }
        assert_eq!(second["would_fit"]["max_align"], Value::Null);
        assert_eq!(second["verdict"], "undecidable");
    }

    #[test]
    fn residents_and_the_rest_come_after_the_failures() {
        let (text, value) = object(&[misaligned()]);
        assert_eq!(value["residents"][0]["recoverable"]["4"], 480);
        assert!(text.contains("\"recoverable\":{\"7\":256,\"6\":384,"), "{text}");
        assert_eq!((&value["skipped_lines"], &value["lines"]), (&1.into(), &1234.into()));
        assert_eq!(value["warnings"][0], "read a.log line 3: a number is cut");
        assert_eq!(value["groups"][0]["failures"], 1);
        assert_eq!(value["areas"][0]["pages"], 2048);
        assert_eq!((&value["unknown_suppressed"], &value["counters"]), (&0.into(), &json!([])));
    }

    #[test]
    fn counters_have_a_unit_and_hidden_failures_a_number() {
        let mut found = diagnosis();
        found.suppressed = 283;
        let (area, name) = (Some("vpu".into()), "alloc_pages_fail".into());
        found.counters = vec![
            Counter { area: None, name: "CmaFree".into(), value: 4096 },
            Counter { area, name, value: 456 },
        ];
        let text = written(&[], &found, |report, out| {
            head(out)?;
            tail(report, out)
        });
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["unknown_suppressed"], 283);
        let counters = json!([
            {"area": null, "name": "CmaFree", "value": 4096, "unit": "bytes"},
            {"area": "vpu", "name": "alloc_pages_fail", "value": 456, "unit": "pages"},
        ]);
        assert_eq!(value["counters"], counters);
    }

    #[test]
    fn without_a_failure_it_is_an_object_too() {
        let (_, value) = object(&[]);
        assert_eq!(value["failures"], json!([]));
        assert_eq!(value["groups"], json!([]));
    }
}
