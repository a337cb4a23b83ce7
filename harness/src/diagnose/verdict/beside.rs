//! A list whose failure line was hidden: refused as what the lines beside it were refused.

use super::super::{Beside, Confidence, Incident, Options};
use super::fit::Fit;
use super::known::Known;
use super::{Finding, Why, order, refusal};
use crate::cause::Cause;

/// What each request beside the list would have been refused for.
struct Said<'a> {
    beside: &'a Beside,
    fits: bool,
    verdict: Option<Cause>,
}

/// What is likely; `None` where its line is there, or no other line says anything.
pub(super) fn decide(incident: &Incident, options: &Options) -> Option<Finding> {
    if incident.count.is_some() {
        return None;
    }
    let said = incident.beside.iter().map(|beside| as_asked(incident, beside, options));
    // What fits would have been granted, if it was not refused with this very list.
    let refused: Vec<_> = said.filter(|one| one.beside.equal || !one.fits).collect();
    // Asked again and again while nothing changed; once, the next request may be another one.
    let equal = refused.iter().filter(|one| one.beside.equal && one.beside.lines > 1);
    // Where a size was seen only once, others were most likely not seen at all.
    let is_all = incident.beside.iter().all(|beside| beside.lines > 1);
    let all = agreed(refused.iter()).filter(|said| is_all || said.beside.equal);
    let Some(said) = all.or_else(|| agreed(equal)) else {
        let layout =
            |said: &Said<'_>| matches!(said.verdict, Some(Cause::Fragmentation | Cause::Alignment));
        let is_layout = !refused.is_empty() && refused.iter().all(layout);
        return is_layout.then_some(Finding::undecidable(Why::BesideEither));
    };
    let Beside { count, line, equal, .. } = *said.beside;
    Some(Finding::new(said.verdict?, Confidence::Likely, Why::Beside { count, line, equal }))
}

/// The first of these, where all say the same.
fn agreed<'a>(mut said: impl Iterator<Item = &'a Said<'a>>) -> Option<&'a Said<'a>> {
    let first = said.next()?;
    said.all(|one| one.verdict == first.verdict).then_some(first)
}

fn as_asked<'a>(incident: &Incident, beside: &'a Beside, options: &Options) -> Said<'a> {
    let (count, align, ret) = (Some(beside.count), beside.align, beside.ret);
    let asked = Incident { count, align, ret, beside: Vec::new(), ..incident.clone() };
    let known = Known::of(&asked, order(&asked, options));
    let fits = known.fit.is_some_and(|(fit, _)| fit == Fit::Fits);
    Said { beside, fits, verdict: refusal::decide(&known).verdict }
}
