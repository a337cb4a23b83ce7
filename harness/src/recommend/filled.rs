//! What boards do that print a failure, but no requests.

use cma_policies::dma_align;

use super::work::{Origin, Work};
use crate::cause::Cause;
use crate::diagnose::{Failure, Options, Resident, diagnose};
use crate::ingest::{IngestError, Source};
use crate::workload::Filled;

/// What texts without requests show of an area.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What fills it, and what was refused.
    pub work: Work,
    /// Its name.
    pub area: Option<String>,
    /// Its pages.
    pub pages: u64,
    /// The cap of its buffers.
    pub cap: u32,
    /// The buffers that fill it.
    pub resident: Resident,
}

/// The first request that found no place though pages were free, in an area whose buffers show in the
/// gaps of a list of free runs. It is taken to be full of the size that holds most of what the list
/// shows: as many as fit at the cap. None where the texts show no such thing.
///
/// # Errors
/// Where one cannot be read.
pub fn filled(sources: &[Source]) -> Result<Option<Shown>, IngestError> {
    let mut first: Option<Failure> = None;
    let is_it = |failure: &Failure| {
        let no_place = matches!(failure.verdict, Some(Cause::Alignment | Cause::Fragmentation));
        no_place && failure.incident.count.is_some() && failure.total().is_some()
    };
    let mut visit = |failure: Failure| {
        if first.is_none() && is_it(&failure) {
            first = Some(failure);
        }
    };
    let found = diagnose(sources, &Options::default(), &mut visit)?;
    let Some(failure) = first else { return Ok(None) };
    let area = failure.incident.area.clone();
    let of_area = found.areas.iter().zip(&found.residents).find(|(own, _)| own.name == area);
    let resident = of_area.and_then(|(_, residents)| residents.first().cloned());
    let (Some(resident), Some(frame), Some(pages)) =
        (resident, failure.incident.count, failure.total())
    else {
        return Ok(None);
    };
    let cap = found.cap_in(area.as_ref());
    let slot = 1u64 << dma_align(resident.count, cap).min(40);
    let pitch = resident.count.div_ceil(slot) * slot;
    let share = (pages / pitch * resident.count) as f64 / pages as f64;
    let filled = Filled { resident: resident.count, frame };
    let name = sources.first().map_or(String::new(), |source| source.name().to_string());
    let work = Work { name, origin: Origin::Filled(filled, share), weight: 1.0 };
    let area = area.map(|name| name.to_string());
    Ok(Some(Shown { work, area, pages, cap, resident }))
}
