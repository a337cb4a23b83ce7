//! The pages: whether a place can be emptied.
//!
//! One file and one line in [`ENTRIES`] for each kind.

mod movable;
mod pinned;
mod quiet;
mod scripted;

use std::fmt;

use cma_policies::{Area, Claim, Param, Params, Run, SpecError};

pub use pinned::Pinned;
pub use quiet::Quiet;
pub use scripted::{Ending, Script};

use crate::page::Page;
use crate::seed::Seed;

/// The pages of an area, as a claim meets them. One file for each kind.
pub trait Environment: Claim {
    /// Time goes on to `at_us` (never back).
    fn advance(&mut self, at_us: u64) {
        let _ = at_us;
    }

    /// `client` makes the call whose claims follow: its calls come one after another.
    fn asked_by(&mut self, client: u16) {
        let _ = client;
    }

    /// A claim of `run` was busy, whatever else is there: a buffer has a page of it.
    fn in_use(&mut self, run: Run) {
        let _ = run;
    }

    /// `run`, which was claimed before, was given back: movable pages may move in again.
    fn released(&mut self, run: Run) {
        let _ = run;
    }

    /// What the claims and pauses since the last call took. The count begins anew with each call.
    fn spent(&mut self) -> Spent {
        Spent::default()
    }

    /// Takes the pages of `run` without the bitmap's knowledge, all or nothing. The caller has made sure
    /// that none of them is granted. `false`: one is pinned already (-16).
    fn pin(&mut self, run: Run) -> bool;

    /// Lets go what was pinned as `run`. `false`: nothing was (-2).
    fn unpin(&mut self, run: Run) -> bool;
}

/// What it took to empty pages.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Spent {
    /// Microseconds, pauses and waiting for others included.
    pub us: u64,
    /// Microseconds of them that went into waiting for the claims of others.
    pub waited_us: u64,
    /// Pages whose content was copied elsewhere.
    pub migrated_pages: u64,
    /// Clean file pages that were let go.
    pub dropped_pages: u64,
    /// Pages that had to be waited for until they were written to disk.
    pub written_pages: u64,
}

/// What an environment is made for.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// The area whose pages it is.
    pub area: &'a Area,
    /// Where its randomness comes from.
    pub seed: &'a Seed,
    /// What a recording says about the claims of each op; empty where there is none.
    pub script: &'a Script,
    /// How often the board has started anew since the stream began.
    pub reboots: u64,
    /// The size of its pages.
    pub page: Page,
}

/// Makes an environment, with every parameter given or at its default.
pub type Build = fn(&Params, Setup<'_>) -> Box<dyn Environment>;

/// An environment that can be asked for by name.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name: lower case, words joined by `-`.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// Whether it asks what a recording says about the claims.
    pub reads_script: bool,
    /// Whether what claims meet is a model, so that their refusals are those of no board.
    pub is_model: bool,
    /// Makes one.
    pub build: Build,
}

/// Every environment.
pub const ENTRIES: &[Entry] = &[quiet::ENTRY, pinned::ENTRY, scripted::ENTRY, movable::ENTRY];

/// An environment with its parameters, ready to be built any number of times.
///
/// It prints as it was named.
#[derive(Clone, Debug)]
pub struct Spec {
    entry: Entry,
    params: Params,
    text: String,
}

impl Spec {
    /// The environment that `text` names: `name` or `name:key=value,key=value`.
    ///
    /// # Errors
    /// An unknown name or key, a key given twice, or a value that the parameter does not take.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let name = text.split_once(':').map_or(text, |(name, _)| name);
        let Some(entry) = ENTRIES.iter().find(|entry| entry.name == name) else {
            let names: Vec<_> = ENTRIES.iter().map(|entry| entry.name).collect();
            let why = format!("no environment is named \"{name}\"; there are {}", names.join(", "));
            return Err(SpecError { text: text.to_string(), at: 0, why, known: names });
        };
        let params = Params::parse(&format!("environment {name}"), entry.params, text)?;
        Ok(Self { entry: *entry, params, text: text.to_string() })
    }

    /// The entry it was made from.
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// A fresh environment.
    pub fn build(&self, setup: Setup<'_>) -> Box<dyn Environment> {
        (self.entry.build)(&self.params, setup)
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
