//! How long a stream is, out of TOML.

use std::ops::Range;

use toml::Spanned;

use super::{RawStream, Wrong, number};
use crate::sweep::length::Length;
use crate::sweep::plan::What;

/// The most ops of a stream.
const MOST_OPS: i64 = 1_000_000_000_000;
/// Hours of a day.
const DAY: f64 = 24.0;

/// The key that is stated, and where: no stream has two.
fn stated(raw: &RawStream) -> Result<Option<(&'static str, Range<usize>)>, Wrong> {
    let keys = [
        raw.ops.as_ref().map(|raw| ("ops", raw.span())),
        raw.hours.as_ref().map(|raw| ("hours", raw.span())),
        raw.days.as_ref().map(|raw| ("days", raw.span())),
    ];
    let mut stated = keys.into_iter().flatten();
    match (stated.next(), stated.next()) {
        (Some((first, _)), Some((second, span))) => {
            let why = format!(
                "a stream states its length once: here it has {first} and {second}; one of ops, \
                 hours and days is allowed"
            );
            Err((span, why))
        }
        (stated, _) => Ok(stated),
    }
}

/// The length of a stream of this kind.
///
/// # Errors
/// Two lengths, one that is not allowed, or one of what is run as it was recorded.
pub(super) fn length(raw: &RawStream, what: &What) -> Result<Length, Wrong> {
    let stated = stated(raw)?;
    if let What::File(_) | What::Recorded(_) = what {
        return match stated {
            None => Ok(Length::File),
            Some((key, span)) => Err((
                span,
                format!(
                    "{key} is for a profile, a fit or a mix only; what was recorded is run to its end"
                ),
            )),
        };
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
    if let Some(length) = Length::of_hours(*raw.get_ref() * unit) {
        return Ok(length);
    }
    let most = Length::MOST_HOURS / unit;
    let why = format!(
        "{key} is {}; board time above 0 and at most {most} {key} (ten years) is allowed",
        raw.get_ref()
    );
    Err((raw.span(), why))
}
