//! One object.

mod paste;

use serde_json::{Map, Value, json};

use super::Shown;
use super::figures::{Often, SCHEMA, alone, meets, more_pages, stage, unit, verdict};
use super::words::{changes, headline, target, why_not};
use crate::recommend::{
    Base, Candidate, Client, Evidence, Found, Lever, Point, SizeAlone, Task, WhyNot, Work,
};
use crate::reproduce::{Reproduction, Yardstick};
use crate::workload::changed::{Back, Changed, Proposal};

/// For programs: one object. What is not known is null; what there is only where something was
/// searched is null where nothing was.
pub fn json(shown: &Shown<'_>) -> Value {
    let (task, advice) = (shown.task, shown.advice);
    let inputs = task.works.iter().enumerate().map(|(index, work)| {
        let held = advice.reproduced.get(index).and_then(Option::as_ref);
        input(work, held)
    });
    let pasted = shown.paste.and_then(|pasted| pasted.text.as_ref());
    let mut all = json!({
        "schema": SCHEMA,
        "verdict": verdict(shown),
        "headline": headline(shown),
        "target": { "text": target(task), "mtbf_us": task.target.mtbf_us() },
        "time_unit": unit(task),
        "why_not": advice.why_not.map(|why| not_advised(shown, why)),
        "board": board(&task.base),
        "inputs": inputs.collect::<Vec<_>>(),
        "seed": task.seed,
        "any_placement": advice.yardstick.as_ref().map(any_placement),
        "recommended": shown.paste.map(|pasted| pasted.recommended.to_json()),
        "paste": pasted.and_then(|made| made.as_ref().ok()).map(paste::json),
        "no_paste": pasted.and_then(|made| made.as_ref().err()).map(ToString::to_string),
    });
    let found = advice.found.as_ref();
    let fields = SEARCHED.map(|(key, value)| (key.to_string(), found.map(|it| value(task, it))));
    let fields = fields.into_iter().map(|(key, value)| (key, value.unwrap_or(Value::Null)));
    all.as_object_mut().expect("it is one").extend(fields);
    all
}

/// What writes a field of what was found.
type Field = fn(&Task, &Found) -> Value;

/// What there is where something was searched.
const SEARCHED: [(&str, Field); 15] = [
    ("load_pages", |_, found| json!(found.survey.load_pages)),
    ("aligned_load_pages", |_, found| {
        let caps = found.survey.aligned_load_pages.iter().enumerate();
        caps.map(|(cap, pages)| json!({ "cap": cap, "pages": pages })).collect()
    }),
    ("clients", |_, found| found.survey.clients.iter().map(client).collect()),
    ("candidates", |task, found| {
        found.ranked.iter().enumerate().map(|(at, one)| candidate(task, at, one)).collect()
    }),
    ("chosen", |_, found| json!(found.chosen)),
    ("smallest", |_, found| json!(found.smallest)),
    ("curves", |task, found| found.curves.iter().flatten().map(|at| point(task, at)).collect()),
    ("size_alone", |_, found| json!(alone(found.size))),
    ("least_pages", |_, found| match found.size {
        SizeAlone::Least(pages) => json!(pages),
        SizeAlone::None | SizeAlone::Open => Value::Null,
    }),
    ("baseline", |_, found| json!(found.baseline)),
    ("most_pages", |_, found| json!(found.most_pages)),
    ("barred", |_, found| json!(found.barred)),
    ("ops", |_, found| json!(found.ops)),
    ("length_us", |_, found| json!(found.length_us)),
    ("is_cut", |_, found| json!(found.is_cut)),
];

/// What any placement of what is asked for needs, in pages.
fn any_placement(needs: &Yardstick) -> Value {
    let bounds = &needs.bounds;
    json!({
        "load_pages": bounds.load_pages,
        "aligned_load_pages": bounds.aligned_load_pages,
        "lower_pages": bounds.lower_pages,
        "upper_pages": bounds.upper_pages,
        "first_fit_pages": needs.first_fit_pages,
        "is_whole": needs.is_whole,
    })
}

fn not_advised(shown: &Shown<'_>, why: WhyNot) -> Value {
    let (task, advice) = (shown.task, shown.advice);
    let (kind, work, sessions, record_us) = match why {
        WhyNot::NotReproduced(work) => ("not-reproduced", work, None, None),
        WhyNot::Grows { work, .. } => ("grows", work, None, None),
        WhyNot::TooShort { work, sessions, record_us } => {
            ("too-short", work, Some(sessions), record_us)
        }
    };
    json!({
        "kind": kind,
        "input": task.works[work].name,
        "sessions": sessions,
        "record_us": record_us,
        "text": why_not(task, advice, why),
    })
}

fn board(base: &Base) -> Value {
    let page_bytes = base.ground.page.bytes();
    json!({
        "area": base.name,
        "areas": base.areas,
        "taken": base.taken,
        "pages": base.pages,
        "bytes": base.pages.map(|pages| pages * page_bytes),
        "cap": base.cap,
        "page_bytes": page_bytes,
        "step_bytes": base.step_pages * page_bytes,
        "most_pages": base.most_pages,
    })
}

fn input(work: &Work, held: Option<&Reproduction>) -> Value {
    let held = held.filter(|held| held.is_known()).map(|held| {
        json!({
            "recorded": held.refused.recorded,
            "predicted": held.refused.predicted,
            "low": held.refused.range.map(|(low, _)| low),
            "high": held.refused.range.map(|(_, high)| high),
            "holds": held.holds(),
        })
    });
    json!({ "name": work.name, "weight": work.weight, "reproduced": held })
}

fn client(client: &Client) -> Value {
    let sizes = client.sizes.iter();
    let sizes = sizes.map(|(pages, requests)| json!({ "pages": pages, "requests": requests }));
    json!({
        "name": client.name,
        "requests": client.requests,
        "most_pages": client.most_pages,
        "life_us": client.life_us(),
        "sizes": sizes.collect::<Vec<_>>(),
    })
}

fn candidate(task: &Task, at: usize, one: &Candidate) -> Value {
    let mut all = json!({
        "rank": at + 1,
        "text": changes(&task.base, one),
        "changes": one.levers.iter().map(|own| lever(&task.base, own)).collect::<Vec<_>>(),
        "class": one.class().name(),
        "pages": one.config.pages(),
        "more_pages": more_pages(task, one),
        "stage": stage(one),
        "verdict": meets(one.verdict),
        "anomalies": one.anomalies,
    });
    all.as_object_mut().expect("it is one").extend(seen(task, one.evidence()));
    all
}

fn point(task: &Task, point: &Point) -> Value {
    let mut all = json!({ "pages": point.pages, "cap": point.cap });
    all.as_object_mut().expect("it is one").extend(seen(task, &point.evidence));
    all
}

fn seen(task: &Task, evidence: &Evidence) -> Map<String, Value> {
    let often = Often::of(task, evidence);
    [
        ("mtbf_us", json!(often.mtbf_us)),
        ("mtbf_low_us", json!(often.low_us)),
        ("mtbf_high_us", json!(often.high_us)),
        ("at_risk_us", json!(often.at_risk_us)),
        ("failures", json!(evidence.failed)),
        ("streams", json!(evidence.streams)),
        ("fell_back", json!(evidence.fell_back)),
        ("ops", json!(evidence.ops)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_string(), value))
    .collect()
}

fn lever(base: &Base, lever: &Lever) -> Value {
    match lever {
        Lever::Size(pages) => json!({
            "kind": "size", "area": base.name, "from_pages": base.pages, "to_pages": pages,
        }),
        Lever::Cap(cap) => json!({ "kind": "cap", "from": base.cap, "to": cap }),
        Lever::Pool { clients, pages } => {
            json!({ "kind": "pool", "clients": clients, "pages": pages })
        }
        Lever::Driver(proposal) => driver(proposal),
        Lever::Policy(policy) => json!({ "kind": "policy", "policy": policy.to_string() }),
    }
}

fn driver(proposal: &Proposal) -> Value {
    let mut all = match &proposal.change {
        Changed::Trim { client, from, to } => {
            json!({ "kind": "trim", "client": client, "from_pages": from, "to_pages": to })
        }
        Changed::Keep { client } => json!({ "kind": "keep", "client": client }),
        Changed::Fewer { client, pages, most } => {
            json!({ "kind": "fewer", "client": client, "pages": pages, "most_buffers": most })
        }
        Changed::Order { client, back } => {
            let (back, within_us) = match back {
                Back::BeforeAsking { within_us } => ("before-asking", Some(within_us)),
                Back::OldestFirst => ("oldest-first", None),
                Back::NewestFirst => ("newest-first", None),
            };
            json!({ "kind": "order", "client": client, "back": back, "within_us": within_us })
        }
    };
    all["saves_pages"] = json!(proposal.saves_pages);
    all["costs_pages"] = json!(proposal.costs_pages);
    all["assumes"] = json!(proposal.change.assumes());
    all
}
