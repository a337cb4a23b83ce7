//! When to stop early, out of TOML.

use serde::Deserialize;
use toml::Spanned;

use super::Wrong;
use crate::sweep::stop::Stop;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "{ failed_share = a share }")]
pub(super) struct RawStop {
    failed_share: Spanned<f64>,
}

pub(super) fn stop(raw: &RawStop) -> Result<Stop, Wrong> {
    let failed_share = *raw.failed_share.get_ref();
    if failed_share > 0.0 && failed_share < 1.0 {
        return Ok(Stop { failed_share });
    }
    let why = format!(
        "failed_share {failed_share} is the share of failing streams that is asked about; above 0 \
         and below 1 is allowed"
    );
    Err((raw.failed_share.span(), why))
}
