//! What ends cells and configurations, out of TOML.

use serde::Deserialize;
use toml::Spanned;

use super::{Wrong, quoted};
use crate::sweep::plan::FIRST_FAILURE;
use crate::sweep::stop::Stop;
use crate::sweep::target::Target;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "{ failed_share = a share }")]
pub(super) struct RawStop {
    failed_share: Spanned<f64>,
}

/// The keys of a plan that end something before its time.
pub(super) struct Ends<'a> {
    pub(super) stop: Option<&'a Spanned<RawStop>>,
    pub(super) target: Option<&'a Spanned<String>>,
    pub(super) until: Option<&'a Spanned<String>>,
}

impl Ends<'_> {
    /// When to stop early; the target; and whether a cell ends at its first failure.
    ///
    /// # Errors
    /// A value that is not allowed, or `stop` beside one of the others.
    pub(super) fn build(&self) -> Result<(Option<Stop>, Option<Target>, bool), Wrong> {
        let other = self.target.map(|_| "target").or(self.until.map(|_| "until"));
        if let (Some(stop), Some(other)) = (self.stop, other) {
            let why = format!(
                "stop and {other} exclude each other: stop asks on which side of a share each \
                 configuration lies, target which one meets it; leave one of them out"
            );
            return Err((stop.span(), why));
        }
        let stop = self.stop.map(|raw| stop(raw.get_ref())).transpose()?;
        let target = self
            .target
            .map(|raw| Target::parse(raw.get_ref()).map_err(|why| (raw.span(), why)))
            .transpose()?;
        match self.until {
            None => Ok((stop, target, false)),
            Some(raw) if raw.get_ref() == FIRST_FAILURE => Ok((stop, target, true)),
            Some(raw) => {
                let until = quoted(raw.get_ref());
                let why = format!("until is {until}; \"{FIRST_FAILURE}\" is allowed");
                Err((raw.span(), why))
            }
        }
    }
}

fn stop(raw: &RawStop) -> Result<Stop, Wrong> {
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
