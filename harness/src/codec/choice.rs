//! Which policy a case is for.

use cma_policies::{Catalog, Entry, Spec};

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
    pub fn spec(&self, catalog: &Catalog) -> Spec {
        catalog.picked(self.which, &self.knobs)
    }

    /// The choice that means `policy` to `catalog`, as far as bytes can say it: the first entry
    /// where it has none of that name, the default of a parameter where no number picks its value.
    pub fn of(policy: &Spec, catalog: &Catalog) -> Self {
        let Entry { name, params, .. } = *policy.entry();
        let which = catalog.entries().iter().position(|entry| entry.name == name);
        let mut choice = Self { which: which.unwrap_or(0) as u8, ..Self::FIRST };
        for (at, param) in params.iter().enumerate().take(KNOBS) {
            let value = policy.params().choice(param.name);
            let picks = |knob: &u8| {
                let mut knobs = choice.knobs;
                knobs[at] = *knob;
                let picked = Self { knobs, ..choice }.spec(catalog);
                picked.entry().name == name && picked.params().choice(param.name) == value
            };
            choice.knobs[at] = (0..=u8::MAX).find(picks).unwrap_or(0);
        }
        choice
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use cma_policies::builtin;

    #[test]
    fn what_bytes_have_picked_they_pick_again() {
        let catalog = builtin::catalog();
        let mut draws = Seed::new(6).child("choice", 0).rng();
        for _ in 0..200 {
            let knobs = [0; KNOBS].map(|_| draws.below(256) as u8);
            let spec = Choice { which: draws.below(256) as u8, knobs }.spec(&catalog);
            let again = Choice::of(&spec, &catalog).spec(&catalog);
            assert_eq!(again.to_string(), spec.to_string());
        }
        let spec = catalog.parse("zoned:share=0.123456,order=3").unwrap();
        assert_eq!(Choice::of(&spec, &catalog).spec(&catalog).to_string(), "zoned:order=3");
    }
}
