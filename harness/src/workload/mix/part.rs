//! One of those that run together.

use std::sync::Arc;

use super::super::fit::Fit;
use super::super::{Failure, Profile, Setup, SetupError, Workload};
use super::played::Played;
use super::rounds::Rounds;
use crate::board::Asking;
use crate::ingest::Paged;
use crate::op::{Op, Timed};
use crate::page::Page;
use crate::seed::Seed;

/// Where the ops of a part come from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A profile, and its LOAD in pages.
    Profile(&'static Profile, u64),
    /// What was fitted to a file, and LOAD in pages.
    Fit(Arc<Fit>, u64),
    /// A file as it is: once, or again and again where it says so.
    File(Arc<Played>, bool),
}

/// One of those that run together.
#[derive(Clone, Debug)]
pub struct Part {
    /// Where its ops come from.
    pub origin: Origin,
    /// What its clients are called in place of their names, followed by 0, 1 ….
    pub called: Option<String>,
}

/// A part's stream before it is merged: its own ids and numbers of clients.
pub(super) struct Alone {
    pub(super) clients: Vec<String>,
    pub(super) before: Vec<Op>,
    pub(super) ops: Box<dyn Iterator<Item = Timed>>,
}

impl From<Workload> for Alone {
    fn from(made: Workload) -> Self {
        Self { clients: made.clients, before: made.before, ops: made.ops }
    }
}

impl Part {
    /// LOAD that is planned for, in pages.
    pub fn load_pages(&self) -> u64 {
        match &self.origin {
            Origin::Profile(_, pages) | Origin::Fit(_, pages) => *pages,
            Origin::File(file, _) => file.load_pages,
        }
    }

    /// The cap that its calls show, of a trace.
    pub(super) fn cap(&self) -> Option<u32> {
        match &self.origin {
            Origin::Profile(..) => None,
            Origin::Fit(fit, _) => fit.cap_shown.as_ref()?.exactly(),
            Origin::File(file, _) => file.cap,
        }
    }

    /// How the clients of its file ask, where it has one.
    pub(super) fn asking(&self) -> Option<&Asking> {
        match &self.origin {
            Origin::Profile(..) => None,
            Origin::Fit(fit, _) => Some(&fit.asking),
            Origin::File(file, _) => Some(&file.asking),
        }
    }

    /// Whether there can be such a part.
    pub(super) fn check(&self, page: Page) -> Result<(), SetupError> {
        match &self.origin {
            Origin::Profile(profile, pages) => profile.check(*pages, page),
            Origin::Fit(fit, _) if fit.is_in_ops() => Err(SetupError::NoTime),
            Origin::Fit(fit, pages) => fit.check(*pages),
            Origin::File(file, true) if file.end_us == 0 || file.ops == 0 => {
                Err(SetupError::NoLength)
            }
            Origin::File(..) => Ok(()),
        }
    }

    /// Its stream, for a seed of its own: without an end, but for a file that is played once.
    pub(super) fn open(
        &self,
        page: Page,
        seed: Seed,
        failed: &Failure,
    ) -> Result<Alone, SetupError> {
        Ok(match &self.origin {
            Origin::Profile(profile, pages) => {
                // All of an area that has so many pages.
                let setup = Setup { area_pages: *pages, load: 1.0, seed, ops: u64::MAX };
                profile.open_in(&setup, page)?.into()
            }
            Origin::Fit(fit, pages) => fit.open(*pages, &seed, u64::MAX)?.into(),
            Origin::File(file, repeat) => Alone {
                clients: file.clients.clone(),
                before: file.before.clone(),
                ops: Box::new(Rounds::new(file, *repeat, failed)?),
            },
        })
    }

    /// How large the pages of its file are, where it has one.
    pub(super) fn paged(&self) -> Option<Paged> {
        match &self.origin {
            Origin::Profile(..) => None,
            Origin::Fit(fit, _) => Some(fit.paged),
            Origin::File(file, _) => Some(file.paged),
        }
    }

    /// Whether somebody without a name may ask. In a profile client 0 is nobody.
    pub(super) const fn has_nameless(&self) -> bool {
        !matches!(self.origin, Origin::Profile(..))
    }

    /// Whether parts of buffers are given back.
    pub(super) fn frees_parts(&self) -> bool {
        match &self.origin {
            Origin::File(file, _) => file.frees_parts,
            Origin::Profile(..) | Origin::Fit(..) => false,
        }
    }

    /// Pages of its typical buffers.
    pub(super) fn sizes(&self, page: Page) -> Vec<u64> {
        match &self.origin {
            Origin::Profile(profile, _) => profile.sizes_in(page),
            Origin::Fit(fit, _) => fit.sizes(),
            Origin::File(file, _) => file.sizes.clone(),
        }
    }
}
