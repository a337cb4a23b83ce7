//! Which policy a case is for.

use cma_policies::{Catalog, Spec};

/// Bytes of a choice.
pub(super) const BYTES: usize = 1 + KNOBS;

pub(super) const KNOBS: usize = 7;

/// A policy and its parameters as numbers: what they mean is up to the catalog that is asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Choice {
    /// Which entry of the catalog, modulo their number.
    pub which: u8,
    /// One for each parameter in turn, as [`Catalog::picked`] reads them; 0 is its default.
    pub knobs: [u8; KNOBS],
}

impl Choice {
    /// The first entry with every parameter at its default.
    pub const FIRST: Self = Self { which: 0, knobs: [0; KNOBS] };

    /// What it means to `catalog`.
    #[must_use]
    pub fn spec(&self, catalog: &Catalog) -> Spec {
        catalog.picked(self.which, &self.knobs)
    }

    pub(super) const fn decode(raw: [u8; BYTES]) -> Self {
        let [which, knobs @ ..] = raw;
        Self { which, knobs }
    }

    pub(super) fn encode(self) -> [u8; BYTES] {
        let mut raw = [self.which; BYTES];
        raw[1..].copy_from_slice(&self.knobs);
        raw
    }
}
