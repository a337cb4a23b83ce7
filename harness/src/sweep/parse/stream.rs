//! The streams of a plan.

use serde::Deserialize;
use toml::Spanned;

use super::written::{MOST_MIB, Written, mib};
use super::{Text, Wrong, list, mix, number, one_line, only_for, span, wrong};
use crate::ingest::quoted;
use crate::page::Page;
use crate::sweep::builtin::recordings;
use crate::sweep::plan::Length;
use crate::sweep::plan::{Load, Stream, What};
use crate::words::near;
use crate::workload::{self, Setup};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStream {
    profile: Option<Spanned<String>>,
    file: Option<Spanned<RawFiles>>,
    fit: Option<Spanned<RawFiles>>,
    recorded: Option<Spanned<String>>,
    mix: Option<Spanned<mix::RawMix>>,
    loads: Option<Spanned<Vec<Spanned<f64>>>>,
    loads_mib: Option<Spanned<Vec<Spanned<Written>>>>,
    ops: Option<Spanned<i64>>,
    hours: Option<Spanned<f64>>,
    days: Option<Spanned<f64>>,
    own_area: Option<bool>,
    recorded_cap: Option<Spanned<i64>>,
    area: Option<Spanned<String>>,
    snapshot: Option<Spanned<String>>,
}

/// A path, or those of a trace and of other texts of its board, in any order.
#[derive(Clone, Deserialize)]
#[serde(untagged, expecting = "a path is allowed, or a list of those of a trace and other texts")]
enum RawFiles {
    One(String),
    Several(Vec<String>),
}

/// The most ops of a stream.
const MOST_OPS: i64 = 1_000_000_000_000;
/// Hours of a day.
const DAY: f64 = 24.0;

/// A stream of a plan.
///
/// # Errors
/// Nothing or several things that its ops come from, a key that is for streams of another kind, a
/// value that is not allowed.
pub(super) fn stream(
    raw: &Spanned<RawStream>,
    text: &Text<'_>,
    page: Page,
) -> Result<Stream, Wrong> {
    let (place, what, raw) = (raw.span(), what(raw, text, page)?, raw.get_ref());
    let made = matches!(what, What::Profile(_) | What::Fitted(_));
    let read = matches!(what, What::File(_) | What::Fitted(_) | What::Recorded(_));
    let (loads_for, read_for) = ("a profile or a fit", "a recording or a file");
    only_for(&[
        (span(raw.loads.as_ref()), "loads", made, loads_for),
        (span(raw.loads_mib.as_ref()), "loads_mib", made, loads_for),
        (span(raw.recorded_cap.as_ref()), "recorded_cap", read, read_for),
        (span(raw.area.as_ref()), "area", read, read_for),
        (span(raw.snapshot.as_ref()), "snapshot", read, read_for),
    ])?;
    let length = length(raw, &what)?;
    let loads = match (&raw.loads, &raw.loads_mib, &what) {
        (Some(_), Some(also), _) => {
            return wrong(also, "a stream states its LOAD once: as loads (shares) or as loads_mib");
        }
        (Some(loads), None, _) => list(loads.clone(), "loads", load)?,
        (None, Some(loads), _) => list(loads.clone(), "loads_mib", |raw| {
            Ok(Load::Pages(mib(raw, "load_mib", (1, MOST_MIB), page)?))
        })?,
        (None, None, What::Profile(profile)) => vec![Load::Share(profile.default_load)],
        (None, None, What::Mix(mix)) => mix.load_pages().map(Load::Pages).into_iter().collect(),
        (None, None, _) => Vec::new(),
    };
    if let (What::Mix(_), Some(true)) = (&what, raw.own_area) {
        let why = "own_area is for a recording or a file only; a mix runs on the boards";
        return Err((place, why.to_string()));
    }
    let cap = raw.recorded_cap.as_ref();
    let cap = cap.map(|cap| number(cap, "recorded_cap", 0, 63)).transpose()?;
    let beside = raw.file.as_ref().or(raw.fit.as_ref()).map(files).transpose()?;
    Ok(Stream {
        at: text.place(place),
        // A stream file states no area; a recording and some profiles do. What is fitted goes to
        // the boards where there are some.
        own_area: raw.own_area.unwrap_or_else(|| match &what {
            What::Profile(profile) => profile.area.is_some(),
            What::Fitted(_) | What::Mix(_) => false,
            What::File(_) | What::Recorded(_) => true,
        }),
        area: raw.area.as_ref().map(|area| area.get_ref().clone()),
        snapshot: raw.snapshot.as_ref().map(|path| path.get_ref().clone()),
        what,
        beside: beside.unwrap_or_default().1,
        loads,
        length,
        recorded_cap: cap.map(|cap| cap as u32),
    })
}

/// Where the ops of a stream come from: one of the keys that say so.
fn what(raw: &Spanned<RawStream>, text: &Text<'_>, page: Page) -> Result<What, Wrong> {
    let RawStream { profile, file, recorded, fit, mix, .. } = raw.get_ref();
    match (profile, file, recorded, fit, mix) {
        (Some(name), None, None, None, None) => workload::profile(name.get_ref())
            .map(What::Profile)
            .or_else(|error| wrong(name, error.to_string())),
        (None, Some(path), None, None, None) => Ok(What::File(files(path)?.0)),
        (None, None, Some(name), None, None) => {
            let found = recordings().iter().find(|recording| recording.name == name.get_ref());
            let Some(found) = found else {
                let names: Vec<_> = recordings().iter().map(|recording| recording.name).collect();
                let near = near(name.get_ref(), names.iter().copied());
                let (asked, names) = (quoted(name.get_ref()), names.join(", "));
                let why = format!(
                    "no recording {asked} is built in; there are {names}; others are read with \
                     file = …{near}"
                );
                return wrong(name, why);
            };
            Ok(What::Recorded(found))
        }
        (None, None, None, Some(path), None) => Ok(What::Fitted(files(path)?.0)),
        (None, None, None, None, Some(raw)) => Ok(What::Mix(mix::mix(raw, text, page)?)),
        _ => wrong(
            raw,
            "a stream is one of profile = …, file = …, fit = …, mix = … and recorded = …",
        ),
    }
}

/// The file that names a stream, and the others.
fn files(raw: &Spanned<RawFiles>) -> Result<(String, Vec<String>), Wrong> {
    let paths = match raw.get_ref() {
        RawFiles::One(path) => std::slice::from_ref(path),
        RawFiles::Several(paths) => paths,
    };
    let Some((first, beside)) = paths.split_first() else {
        return wrong(raw, "the list names no file; a trace and texts of its board are allowed");
    };
    let beside = beside.iter().map(|path| one_line(path, raw)).collect::<Result<_, _>>()?;
    Ok((one_line(first, raw)?, beside))
}

fn load(raw: &Spanned<f64>) -> Result<Load, Wrong> {
    let (load, most) = (*raw.get_ref(), Setup::MAX_LOAD);
    if load > 0.0 && load <= most {
        return Ok(Load::Share(load));
    }
    let why = format!("load {load} is a share of the area; above 0 and at most {most} is allowed");
    wrong(raw, why)
}

/// The length of a stream of this kind: no stream states two, and what is run as it was recorded
/// none.
fn length(raw: &RawStream, what: &What) -> Result<Length, Wrong> {
    let keys = [
        span(raw.ops.as_ref()).map(|span| ("ops", span)),
        span(raw.hours.as_ref()).map(|span| ("hours", span)),
        span(raw.days.as_ref()).map(|span| ("days", span)),
    ];
    let mut stated = keys.into_iter().flatten();
    match (what, stated.next(), stated.next()) {
        (_, Some((first, _)), Some((second, span))) => {
            let why = format!(
                "a stream states its length once: here it has {first} and {second}; one of ops, \
                 hours and days is allowed"
            );
            return Err((span, why));
        }
        (What::File(_) | What::Recorded(_), Some((key, span)), None) => {
            let why = format!(
                "{key} is for a profile, a fit or a mix only; what was recorded is run to its end"
            );
            return Err((span, why));
        }
        (What::File(_) | What::Recorded(_), ..) => return Ok(Length::File),
        _ => {}
    }
    match (&raw.ops, &raw.hours, &raw.days) {
        (Some(ops), ..) => Ok(Length::Ops(number(ops, "ops", 1, MOST_OPS)?)),
        (None, Some(hours), _) => time(hours, "hours", 1.0),
        (None, None, Some(days)) => time(days, "days", DAY),
        (None, None, None) if matches!(what, What::Fitted(_)) => Ok(Length::Unstated),
        (None, None, None) => Ok(Length::DEFAULT),
    }
}

/// So many units of so many hours.
fn time(raw: &Spanned<f64>, key: &str, unit: f64) -> Result<Length, Wrong> {
    let (time, most) = (*raw.get_ref(), Length::MOST_HOURS / unit);
    let why = || {
        format!(
            "{key} is {time}; board time above 0 and at most {most} {key} (ten years) is allowed"
        )
    };
    Length::of_hours(time * unit).map_or_else(|| wrong(raw, why()), Ok)
}
