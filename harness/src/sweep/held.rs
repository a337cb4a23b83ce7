//! The files that a plan is of, on their own boards: how their requests ended there, and whether what
//! was fitted to them ends so as well.

use std::sync::Arc;

use rayon::prelude::*;

use super::failed::Failed;
use super::mix::{From, MixOf, PartOf};
use super::plan::{Plan, Stream, What};
use super::stream::Checked;
use crate::ingest::Source;
use crate::reader::Options;
use crate::reproduce::{Reproduction, reproduce};
use crate::workload::fit::{Asked, Fit};
use crate::workload::mix::{Mix, Origin, Part};

/// How the requests of a file ended on the board that it is of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OnBoard {
    /// The file, by its path.
    pub file: String,
    /// Pages of its area.
    pub area_pages: u64,
    /// The cap that it was made with.
    pub cap: u32,
    /// LOAD in pages, where a plan may ask for another one.
    pub load_pages: Option<u64>,
    /// Its requests.
    pub asked: Asked,
}

impl OnBoard {
    /// That of what was fitted to `file`, where that states its area and what was refused.
    pub(super) fn of(file: &str, fit: &Fit) -> Option<Self> {
        let area_pages = fit.area.as_ref().filter(|_| fit.has_outcomes())?.pages();
        let (load_pages, asked) = (Some(fit.load_pages()), fit.recorded().all());
        Some(Self { file: file.to_string(), area_pages, cap: fit.cap, load_pages, asked })
    }

    /// Those of the parts of a mix that ask for all that their files do.
    pub(super) fn of_parts(stated: &MixOf, made: &Mix) -> Vec<Self> {
        let parts = stated.parts.iter().zip(&made.parts);
        let of = |(part, made): (&PartOf, &Part)| match (&part.from, &made.origin) {
            (From::Fit(path), Origin::Fit(fit, load))
                if part.client.is_none() && *load >= fit.load_pages() =>
            {
                Some(Self { load_pages: None, ..Self::of(path, fit)? })
            }
            _ => None,
        };
        parts.filter_map(of).collect()
    }
}

/// What was fitted to a file, held against it.
#[derive(Clone, Debug)]
pub struct Held {
    /// The file, by its path.
    pub file: String,
    /// What was fitted to it: to all of its clients, also where a plan draws those of some.
    pub fit: Arc<Fit>,
    /// How drawn streams fail on the board of the file, and how it did; none where the file does not
    /// state its area, or not what was refused.
    pub shown: Option<Reproduction>,
}

impl Held {
    /// Whether the fit fails as its file did; none where that is not known.
    pub fn reproduces(&self) -> Option<bool> {
        self.shown.as_ref().map(Reproduction::holds)
    }

    /// How far the shares of refused requests of file and fit are apart.
    pub fn rate_distance(&self) -> Option<f64> {
        let refused = &self.shown.as_ref()?.refused;
        Some((refused.recorded? - refused.predicted?).abs())
    }

    fn new((of, fit): (Of<'_>, Arc<Fit>)) -> Result<Self, Failed> {
        let file = of.files[0].to_string();
        let shown = if fit.has_outcomes() { reproduce(&fit) } else { Ok(None) };
        let shown = shown.map_err(|error| {
            Failed::Run(format!("hold what is fitted to {file} against it: {error}"))
        })?;
        Ok(Self { file, fit, shown })
    }
}

/// What is read for a fit: equal ones are one.
#[derive(PartialEq)]
struct Of<'a> {
    files: Vec<&'a str>,
    area: Option<&'a str>,
    snapshot: Option<&'a str>,
    recorded_cap: Option<u32>,
}

/// Holds each fit of the plan against its file, once, and notes in `checked` which those of each stream
/// are.
///
/// # Errors
/// A file that cannot be read any more; a fit of which no stream can be drawn.
pub(super) fn hold(plan: &Plan, checked: &mut [Checked]) -> Result<Vec<Held>, Failed> {
    let mut fits: Vec<(Of<'_>, Arc<Fit>)> = Vec::new();
    for (stream, known) in plan.streams.iter().zip(checked) {
        for (of, fit) in of_stream(stream, known) {
            let there = fits.iter().position(|(other, _)| *other == of);
            if there.is_none() {
                let whole =
                    |path: &str| Fit::read(&Source::file(path.as_ref()), &Options::default());
                let fit = fit.map_or_else(|| whole(of.files[0]).map(Arc::new), Ok)?;
                fits.push((of, fit));
            }
            let at = there.unwrap_or(fits.len() - 1);
            if !known.fits.contains(&at) {
                known.fits.push(at);
            }
        }
    }
    let held: Vec<_> = fits.into_par_iter().map(Held::new).collect();
    // The first error in the order of the plan, whichever came first.
    held.into_iter().collect()
}

/// The fits that a stream is drawn from; none where that is to one client of its file.
fn of_stream<'a>(stream: &'a Stream, known: &Checked) -> Vec<(Of<'a>, Option<Arc<Fit>>)> {
    let (area, snapshot) = (stream.area.as_deref(), stream.snapshot.as_deref());
    match (&stream.what, &known.fit, &known.mix) {
        (What::Fitted(_), Some(fit), _) => {
            let (files, recorded_cap) = (stream.files().collect(), stream.recorded_cap);
            vec![(Of { files, area, snapshot, recorded_cap }, Some(Arc::clone(fit)))]
        }
        (What::Mix(mix), _, Some(made)) => {
            let parts = mix.parts.iter().zip(&made.parts);
            let of = |(part, made): (&'a PartOf, &Part)| {
                let (From::Fit(path), Origin::Fit(fit, _)) = (&part.from, &made.origin) else {
                    return None;
                };
                let whole = part.client.is_none().then(|| Arc::clone(fit));
                let of = Of { files: vec![path], area: None, snapshot: None, recorded_cap: None };
                Some((of, whole))
            };
            parts.filter_map(of).collect()
        }
        _ => Vec::new(),
    }
}
