//! One object, written as the failures come: a log of any length needs no memory.

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::groups::Report;
use super::plain::seconds;
use crate::diagnose::{Advice, AreaState, Counter, Failure, Resident};

/// The version of the object.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct FailureJson<'a> {
    source: &'a str,
    line: u64,
    time_s: Option<Box<RawValue>>,
    kernel: Option<&'a str>,
    area: Option<&'a str>,
    count: Option<u64>,
    align: Option<u32>,
    align_from: Option<&'static str>,
    ret: Option<i32>,
    busy_retries: Option<u64>,
    list: Option<ListJson>,
    verdict: &'static str,
    confidence: &'static str,
    why: &'a str,
    would_fit: FitJson,
    duplicates: u64,
}

#[derive(Serialize)]
struct ListJson {
    runs: u64,
    free: Option<u64>,
    total: Option<u64>,
    largest_run: u64,
    largest_usable: Option<u64>,
    complete: bool,
}

/// Every number is null where the state of the area is not known.
#[derive(Serialize)]
struct FitJson {
    max_align: Option<u32>,
    at: Option<u64>,
    largest_count_at_this_align: Option<u64>,
}

#[derive(Serialize)]
struct ResidentJson<'a> {
    area: Option<&'a str>,
    count: u64,
    align: u32,
    blocks: Option<u64>,
    stranded_pages: u64,
    confidence: &'static str,
    #[serde(serialize_with = "by_cap")]
    recoverable: &'a [(u32, u64)],
}

#[derive(Serialize)]
struct AreaJson<'a> {
    name: Option<&'a str>,
    pages: Option<u64>,
    base_pfn: Option<u64>,
    order_per_bit: u32,
    free: Option<u64>,
    largest_run: u64,
    complete: bool,
}

#[derive(Serialize)]
struct CounterJson<'a> {
    area: Option<&'a str>,
    name: &'a str,
    value: u64,
    unit: &'static str,
}

#[derive(Serialize)]
struct GroupJson<'a> {
    failures: u64,
    source: &'a str,
    line: u64,
    first_s: Option<Box<RawValue>>,
    last_s: Option<Box<RawValue>>,
    verdict: &'static str,
    confidence: &'static str,
    area: Option<&'a str>,
    count: Option<u64>,
    align: Option<u32>,
    ret: Option<i32>,
    advice: Vec<AdviceJson<'a>>,
}

#[derive(Serialize)]
struct AdviceJson<'a> {
    kind: &'static str,
    helps: bool,
    text: &'a str,
    cost_pages: Option<i64>,
}

fn by_cap<S: Serializer>(pages: &&[(u32, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(pages.len()))?;
    for (cap, pages) in *pages {
        map.serialize_entry(&cap.to_string(), pages)?;
    }
    map.end()
}

/// Seconds with six decimals, always.
fn time(us: Option<u64>) -> Option<Box<RawValue>> {
    us.and_then(|us| RawValue::from_string(seconds(us)).ok())
}

fn failure_json(failure: &Failure) -> FailureJson<'_> {
    let incident = &failure.incident;
    let fit = failure.would_fit;
    FailureJson {
        source: &incident.source,
        line: incident.line,
        time_s: time(incident.time_us),
        kernel: incident.era.name.as_deref(),
        area: incident.area.as_deref(),
        count: incident.count,
        align: failure.align.map(|(order, _)| order),
        align_from: failure.align.map(|(_, from)| from.name()),
        ret: incident.ret,
        busy_retries: incident.busy_retries,
        list: failure.list.map(|list| ListJson {
            runs: list.runs,
            free: list.free,
            total: list.total,
            largest_run: list.largest_run,
            largest_usable: list.largest_usable,
            complete: list.complete,
        }),
        verdict: failure.verdict_name(),
        confidence: failure.confidence.name(),
        why: &failure.why,
        would_fit: FitJson {
            max_align: fit.and_then(|fit| fit.max_align),
            at: fit.and_then(|fit| fit.at),
            largest_count_at_this_align: fit.map(|fit| fit.largest_count_at_this_align),
        },
        duplicates: incident.duplicates,
    }
}

fn resident_json<'a>(area: &'a AreaState, resident: &'a Resident) -> ResidentJson<'a> {
    ResidentJson {
        area: area.name.as_deref(),
        count: resident.count,
        align: resident.align,
        blocks: resident.blocks,
        stranded_pages: resident.stranded_pages,
        confidence: resident.confidence.name(),
        recoverable: &resident.recoverable,
    }
}

fn area_json(area: &AreaState) -> AreaJson<'_> {
    AreaJson {
        name: area.name.as_deref(),
        pages: area.total,
        base_pfn: area.ranges.first().and_then(|range| range.base_pfn),
        order_per_bit: area.order_per_bit,
        free: area.free,
        largest_run: area.largest_run(),
        complete: area.complete,
    }
}

/// Writes the beginning of the object.
///
/// # Errors
/// Where the output takes no more.
pub fn head(out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\"schema\": {SCHEMA}, \"failures\": [")
}

/// Writes `failure`; `first` where none stands before it.
///
/// # Errors
/// Where the output takes no more.
pub fn failure(failure: &Failure, first: bool, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(if first { b"\n" } else { b",\n" })?;
    Ok(serde_json::to_writer(&mut *out, &failure_json(failure))?)
}

/// Writes what stands behind the failures, and the end of the object.
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
    writeln!(out, "]}}")
}

fn counter_json(counter: &Counter) -> CounterJson<'_> {
    CounterJson {
        area: counter.area.as_deref(),
        name: &counter.name,
        value: counter.value,
        unit: counter.unit(),
    }
}

fn group_json<'a>(shown: &'a super::groups::Shown<'_>) -> GroupJson<'a> {
    let (group, first) = (shown.group, &shown.group.first);
    let incident = &first.incident;
    let advice = |advice: &'a Advice| AdviceJson {
        kind: advice.kind,
        helps: advice.helps,
        text: &advice.text,
        cost_pages: advice.cost_pages,
    };
    GroupJson {
        failures: group.failures,
        source: &incident.source,
        line: incident.line,
        first_s: time(group.first_us),
        last_s: time(group.last_us),
        verdict: first.verdict_name(),
        confidence: first.confidence.name(),
        area: incident.area.as_deref(),
        count: incident.count,
        align: first.align.map(|(order, _)| order),
        ret: incident.ret,
        advice: shown.advice.iter().map(advice).collect(),
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
        let fit = json!({"max_align": 6, "at": 576, "largest_count_at_this_align": 245});
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
    fn residents_and_the_rest_stand_behind_the_failures() {
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
