//! What a board is asked for: streams that can be drawn for any seed.

use std::sync::Arc;

use crate::after_failure::{AfterFailure, Callers};
use crate::board::Asking;
use crate::ingest::IngestError;
use crate::page::Page;
use crate::seed::Seed;
use crate::workload::fit::Fit;
use crate::workload::mix::Mix;
use crate::workload::{Filled, Profile, Setup, SetupError, Workload};

/// Where streams are drawn from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// What was fitted to a file.
    Fit(Arc<Fit>),
    /// A profile, and its LOAD.
    Profile(&'static Profile, Load),
    /// What runs together.
    Mix(Arc<Mix>),
    /// What a list of free runs shows: buffers of one size as far as they fit, a share of the area
    /// whatever its size, and the request that was refused.
    Filled(Filled, f64),
}

/// How much a profile asks for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Load {
    /// So many pages, whatever the area.
    Pages(u64),
    /// A share of the area, whatever its size: clients that take what there is, as in NXP's note.
    Share(f64),
}

/// What a board does for a part of its time.
#[derive(Clone, Debug)]
pub struct Work {
    /// The file, the profile or the mix.
    pub name: String,
    /// Its streams.
    pub origin: Origin,
    /// Its share of board time, as a multiple of those of others; above 0.
    pub weight: f64,
}

/// A drawn stream.
pub(super) struct Stream {
    /// What clients do after a refusal.
    pub callers: Callers,
    pub ops: Workload,
}

impl Work {
    /// Stream `number` on areas of so many pages together.
    pub(super) fn open(
        &self,
        number: u64,
        area_pages: u64,
        page: Page,
    ) -> Result<Stream, SetupError> {
        let seed = Seed::new(number);
        match &self.origin {
            Origin::Fit(fit) => {
                let ops = fit.open(fit.load_pages(), &seed, u64::MAX)?;
                let callers = fit.callers(ops.clients(), AfterFailure::Drop, number);
                Ok(Stream { callers, ops })
            }
            Origin::Mix(mix) => {
                let ops = mix.open(&seed, u64::MAX)?;
                Ok(Stream { callers: mix.callers.clone(), ops })
            }
            Origin::Filled(filled, share) => {
                let load_pages = libm::round(share * area_pages as f64) as u64;
                let ops = filled.open(load_pages, u64::MAX >> 24);
                Ok(Stream { callers: AfterFailure::Drop.into(), ops })
            }
            Origin::Profile(profile, load) => {
                // A stream of so many pages is the same on any area.
                let (area_pages, load) = match *load {
                    Load::Share(share) => (area_pages, share),
                    Load::Pages(pages) => (pages, 1.0),
                };
                let setup = Setup { area_pages, load, seed, ops: u64::MAX };
                let ops = profile.open_in(&setup, page)?;
                Ok(Stream { callers: AfterFailure::Drop.into(), ops })
            }
        }
    }

    /// How its clients ask, as far as files show it.
    pub(super) fn asking(&self) -> Asking {
        match &self.origin {
            Origin::Fit(fit) => fit.asking.clone(),
            Origin::Mix(mix) => mix.asking.clone(),
            Origin::Profile(..) | Origin::Filled(..) => Asking::default(),
        }
    }

    /// Whether its streams count ops in place of time: it is of a recording.
    pub fn is_in_ops(&self) -> bool {
        matches!(&self.origin, Origin::Fit(fit) if fit.is_in_ops())
    }

    /// Whether a larger area is asked for more.
    pub const fn follows_area(&self) -> bool {
        matches!(self.origin, Origin::Profile(_, Load::Share(_)) | Origin::Filled(..))
    }

    /// Whether a seed changes it.
    pub fn is_seeded(&self) -> bool {
        match &self.origin {
            Origin::Profile(profile, _) => profile.seeded,
            Origin::Fit(_) | Origin::Mix(_) => true,
            Origin::Filled(..) => false,
        }
    }

    /// What was fitted to a file, where it is of one.
    pub fn fit(&self) -> Option<&Arc<Fit>> {
        match &self.origin {
            Origin::Fit(fit) => Some(fit),
            Origin::Profile(..) | Origin::Mix(_) | Origin::Filled(..) => None,
        }
    }
}

/// Why nothing could be run.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// A stream cannot be drawn.
    #[error("draw a stream of {0}: {1}")]
    Draw(String, SetupError),
    /// The file of a part of a mix cannot be read any more.
    #[error("{0}")]
    Read(#[from] IngestError),
    /// An area cannot be made.
    #[error("make an area of {0} pages: {1}")]
    Area(u64, cma_policies::BuildError),
    /// A policy cannot be built on it.
    #[error("build policy {0}: {1}")]
    Policy(String, cma_policies::BuildError),
    /// A policy broke a law.
    #[error("run {0}: {1}")]
    Broken(String, crate::oracle::Violation),
}
