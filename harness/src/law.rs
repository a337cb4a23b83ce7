//! What every policy owes, a file for each law or for those that look at the same answer; what it
//! promised decides which of them bind it.
//!
//! A law looks at the moments of one run of a case (`Check::Moment`), or compares runs with each
//! other (`Check::Case`). The naive [`Reference`] is the judge: no law asks the policy, nor the
//! kit that it is made of, what is true.

mod compared;
pub mod conformance;
mod first;
mod free;
mod model;
mod proposal;
mod refusal;
mod scene;
mod shown;
mod shrink;
mod trial;

use cma_policies::{Area, BuildError, First, Policy, Promises};

use scene::{Moment, Scene};
use trial::Answer;

use crate::codec::Case;
use crate::oracle::{Reference, Violation};

/// Makes the policy under judgement for an area.
pub type Build<'a> = &'a dyn Fn(Area) -> Result<Box<dyn Policy>, BuildError>;

/// What a policy must promise for a law to bind it.
#[derive(Clone, Copy, Debug)]
pub struct Binds {
    /// The word for it in lists.
    pub name: &'static str,
    /// Whether it binds a policy that promises this.
    pub binds: fn(Promises) -> bool,
}

impl Binds {
    /// Nothing: it binds every policy.
    const EVERYONE: Self = Self { name: "everyone", binds: |_| true };
    /// [`Promises::aligned`].
    const ALIGNED: Self = Self { name: "aligned", binds: |promises| promises.aligned };
    /// [`Promises::complete`].
    const COMPLETE: Self = Self { name: "complete", binds: |promises| promises.complete };
    /// [`Promises::lowest`].
    const LOWEST: Self = Self { name: "lowest", binds: |promises| promises.lowest };
    /// [`Promises::tight`].
    const TIGHT: Self = Self { name: "tight", binds: |promises| promises.tight };
    /// [`Promises::partial_free`].
    const PARTIAL_FREE: Self =
        Self { name: "partial_free", binds: |promises| promises.partial_free };
    /// [`Promises::counted`].
    const COUNTED: Self = Self { name: "counted", binds: |promises| promises.counted };
    /// [`Promises::first`], where it says something.
    const FIRST: Self = Self { name: "first", binds: |promises| promises.first != First::Anywhere };
    /// [`Promises::thorough`].
    const THOROUGH: Self = Self { name: "thorough", binds: |promises| promises.thorough };
}

/// How a law is checked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Check {
    /// At every moment of a run. An error says what was expected and what happened.
    Moment(fn(&Scene<'_>) -> Result<(), String>),
    /// Over a whole case that broke no law at its moments, with the answers that it got.
    Case(fn(&Case, Build<'_>, &[Answer]) -> Result<(), Violation>),
}

/// A law.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// Its name, one of [`crate::oracle::name`].
    pub name: &'static str,
    /// What it says, in one line.
    pub about: &'static str,
    /// Which promise binds a policy to it.
    pub binds: Binds,
    /// How it is checked.
    pub(crate) check: Check,
}

/// Every law. At one moment the first that is broken is the one that is named.
pub const LAWS: &[Law] = &[
    proposal::INSIDE,
    proposal::TAIL,
    proposal::DISJOINT,
    proposal::ALIGNED,
    proposal::COUNTED,
    proposal::LOWEST,
    first::LAW,
    proposal::TERMINATION,
    shown::MARKS,
    free::LAW,
    free::BAD,
    free::PARTIAL,
    refusal::TRACELESS,
    shown::FREE_RUNS,
    shown::TIGHT,
    refusal::MEANING,
    refusal::THOROUGH,
    refusal::COMPLETE,
    model::LAW,
    compared::DETERMINISTIC,
    compared::NO_TRACE,
    compared::DRAIN,
    compared::TRANSLATION,
    compared::IN_FLIGHT,
];
