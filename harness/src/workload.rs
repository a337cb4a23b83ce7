//! Streams that are made, not recorded: sessions of buffers that live and die together.
//!
//! A profile is one file and one line in [`PROFILES`]. What it asks for depends on its
//! LOAD in pages, the seed and the number of ops alone: never on how a policy answered or how a
//! board divides its pages, so every policy, cap and board sees the same stream. A request is
//! `dma`, as all of these drivers ask: its alignment follows the cap. The buffers of a session that
//! are all or nothing have one time and one client.
//!
//! How long things last is assumed where no source says it; sizes and numbers of buffers are not.

mod audio;
mod camera;
pub mod changed;
mod dashcam;
mod display;
mod filled;
pub mod fit;
mod gpu;
mod imx_note;
mod kiosk;
pub mod mix;
mod network;
mod npu;
mod of_client;
mod session;
mod set_top;
mod video;
mod vpu_encode;

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use cma_policies::Run;

pub use filled::Filled;

use crate::ingest::IngestError;
use crate::op::{Op, Timed};
use crate::page::Page;
use crate::seed::Seed;
use crate::words::near;

/// What a profile makes a stream from.
#[derive(Clone, PartialEq, Debug)]
pub struct Setup {
    /// Pages of the area that the stream is meant for.
    pub area_pages: u64,
    /// LOAD as a share of the area: the most pages live at once if every request were granted.
    pub load: f64,
    /// The only source of chance.
    pub seed: Seed,
    /// Ops after which the stream ends.
    pub ops: u64,
}

impl Setup {
    /// The share of the area that a LOAD may be at most. Far beyond 1 everything fails.
    pub const MAX_LOAD: f64 = 4.0;

    /// LOAD of a fitted stream may be at most so many times that of its file.
    pub const MOST_TIMES: u64 = 64;

    /// LOAD in pages, rounded: so many pages as a share of any area are so many pages again.
    pub fn target_pages(&self) -> u64 {
        libm::round(self.load * self.area_pages as f64) as u64
    }
}

/// A kind of stream that can be asked for by name.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Its name: lower case, words joined by `-`.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Where its sizes and times come from.
    pub source: &'static str,
    /// Kinds of its clients, which are named by kind and number: what a board can route.
    pub clients: &'static [&'static str],
    /// Pages of typical buffers, ascending, at most 8: what the metrics probe the area with. These,
    /// as all sizes of a profile, are in pages of 4 KiB: see [`Profile::sizes_in`].
    pub sizes: &'static [u64],
    /// The least LOAD in pages of 4 KiB at which every kind of client finds room.
    pub least_pages: u64,
    /// The area that the case comes with, if it states one.
    pub area: Option<Run>,
    /// LOAD where none is asked for.
    pub default_load: f64,
    /// Whether the seed changes it.
    pub seeded: bool,
    /// Its clients, where they take turns.
    parts: &'static [session::Part],
    /// Its clients, and its ops in time.
    make: fn(&Setup, Page, &[session::Part]) -> Workload,
}

impl Profile {
    /// What most of them are: clients that take turns, on any area, drawn from the seed.
    const MIXTURE: Self = Self {
        name: "",
        about: "",
        source: "",
        clients: &[],
        sizes: &[],
        least_pages: 1,
        area: None,
        default_load: 0.7,
        seeded: true,
        parts: &[],
        make: session::mixture,
    };

    /// The stream of this profile for `setup`.
    ///
    /// # Errors
    /// A LOAD that is no number above 0 and at most [`Setup::MAX_LOAD`], or one that is too small
    /// for the buffers of this profile.
    pub fn open(&self, setup: &Setup) -> Result<Workload, SetupError> {
        self.open_in(setup, Page::Kib4)
    }

    /// The same on a board with pages of this size, which those of `setup` and of the requests are:
    /// a buffer has as many bytes there, and takes whole pages.
    ///
    /// # Errors
    /// As [`Profile::open`].
    pub fn open_in(&self, setup: &Setup, page: Page) -> Result<Workload, SetupError> {
        if !(setup.load > 0.0 && setup.load <= Setup::MAX_LOAD) {
            return Err(SetupError::Load(setup.load.to_string()));
        }
        self.check(setup.target_pages(), page)?;
        Ok((self.make)(setup, page, self.parts))
    }

    /// Pages of typical buffers on a board with pages of this size, ascending.
    pub fn sizes_in(&self, page: Page) -> Vec<u64> {
        let mut sizes: Vec<_> = self.sizes.iter().map(|small| page.hold(*small)).collect();
        sizes.dedup();
        sizes
    }

    /// Whether its sessions fit into a LOAD of so many pages of this size.
    ///
    /// # Errors
    /// A LOAD that is too small.
    pub fn check(&self, target_pages: u64, page: Page) -> Result<(), SetupError> {
        let (profile, least_pages) = (self.name, page.hold(self.least_pages));
        if target_pages >= least_pages {
            return Ok(());
        }
        Err(SetupError::TooSmall { profile, target_pages, least_pages })
    }
}

/// Every profile.
pub const PROFILES: &[Profile] = &[
    camera::PROFILE,
    video::PROFILE,
    gpu::PROFILE,
    display::PROFILE,
    imx_note::PROFILE,
    vpu_encode::PROFILE,
    npu::PROFILE,
    audio::PROFILE,
    network::PROFILE,
    kiosk::PROFILE,
    dashcam::PROFILE,
    set_top::PROFILE,
];

/// The profile of this name.
///
/// # Errors
/// No profile has this name.
pub fn profile(name: &str) -> Result<&'static Profile, SetupError> {
    let found = PROFILES.iter().find(|profile| profile.name == name);
    found.ok_or_else(|| SetupError::NoProfile(name.to_string()))
}

/// A stream in the making: an iterator over its ops whose memory does not grow with their number.
pub struct Workload {
    clients: Vec<String>,
    before: Vec<Op>,
    ops: Box<dyn Iterator<Item = Timed>>,
    failed: Failure,
}

/// Where the iterator over a file leaves why it ended before the file did.
type Failure = Arc<OnceLock<IngestError>>;

impl Workload {
    /// The clients from 1 on, and the ops.
    fn new(named: Vec<String>, ops: impl Iterator<Item = Timed> + 'static) -> Self {
        let clients = [String::new()].into_iter().chain(named).collect();
        Self::of(clients, Vec::new(), ops)
    }

    /// All clients, what was live before, and the ops.
    fn of(
        clients: Vec<String>,
        before: Vec<Op>,
        ops: impl Iterator<Item = Timed> + 'static,
    ) -> Self {
        Self { clients, before, ops: Box::new(ops), failed: Failure::default() }
    }

    /// The same up to this board time after its first op, in microseconds: the stream ends there.
    /// `is_whole` becomes true once it does, and stays false where the stream is shorter.
    #[must_use]
    pub fn cut(self, length_us: u64, is_whole: Rc<Cell<bool>>) -> Self {
        let mut end_us = None;
        let ops = self.ops.take_while(move |timed| {
            let end_us = *end_us.get_or_insert(timed.at_us.saturating_add(length_us));
            is_whole.set(timed.at_us >= end_us);
            timed.at_us < end_us
        });
        Self { ops: Box::new(ops), ..self }
    }

    /// Who asks: the name of client `n` of a request is at index `n`. Client 0 is nobody.
    pub fn clients(&self) -> &[String] {
        &self.clients
    }

    /// What is live before the first op: allocs that nobody asks for while the stream runs. Their
    /// ids are those that the stream gives back.
    pub fn before(&self) -> &[Op] {
        &self.before
    }

    /// Whether what the stream is read from could be read as far as the stream has gone: once a
    /// file fails, the stream ends.
    ///
    /// # Errors
    /// Where and why its file could not be read.
    pub fn end(&self) -> Result<(), IngestError> {
        self.failed.get().cloned().map_or(Ok(()), Err)
    }
}

impl Iterator for Workload {
    type Item = Timed;

    fn next(&mut self) -> Option<Timed> {
        self.ops.next()
    }
}

impl fmt::Debug for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workload").field("clients", &self.clients).finish_non_exhaustive()
    }
}

/// Sizes that the metrics probe with.
const PROBES: usize = 8;

/// The sizes that are used most, ascending, at most 8; of equals the smaller.
pub(crate) fn most_used(uses: BTreeMap<u64, u64>) -> Vec<u64> {
    let mut by_use: Vec<_> = uses.into_iter().collect();
    by_use.sort_unstable_by_key(|&(count, uses)| (Reverse(uses), count));
    let mut sizes: Vec<_> = by_use.into_iter().take(PROBES).map(|(count, _)| count).collect();
    sizes.sort_unstable();
    sizes
}

/// Why there is no such stream. It reads on from "failed to make the stream: …".
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SetupError {
    /// No profile has this name.
    #[error("no profile is named \"{0}\"; there are {names}{near}",
        names = PROFILES.iter().map(|profile| profile.name).collect::<Vec<_>>().join(", "),
        near = near(.0, PROFILES.iter().map(|profile| profile.name)))]
    NoProfile(String),
    /// A LOAD out of bounds.
    #[error("load {0} is out of bounds; it is a share of the area above 0 and at most {most}", most = Setup::MAX_LOAD)]
    Load(String),
    /// Sessions of this profile do not fit.
    #[error(
        "a LOAD of {target_pages} pages is too small for profile {profile}, whose sessions take at \
         least {least_pages}; ask for a larger area or load"
    )]
    TooSmall {
        /// The profile.
        profile: &'static str,
        /// LOAD that was asked for.
        target_pages: u64,
        /// LOAD that it takes.
        least_pages: u64,
    },
    /// A part of a mix whose file counts ops in place of time.
    #[error(
        "the file is a recording, which has no time; a part of a mix is fitted to a stream or a trace"
    )]
    NoTime,
    /// A file that is to be repeated and lasts no time.
    #[error(
        "the file lasts no time, or asks for nothing, so there is nothing to repeat; take repeat = \
         true away"
    )]
    NoLength,
    /// More clients than a request can tell apart.
    #[error("it has more than {most} clients; ask for fewer parts or a smaller load", most = u16::MAX)]
    Clients,
    /// A file of a mix, or what it says.
    #[error(transparent)]
    File(#[from] IngestError),
    /// A LOAD that no stream of a fit has.
    #[error(
        "a LOAD of {load_pages} pages is out of bounds; the largest group of the file takes \
         {least_pages}, and {most_pages} are {times} times its LOAD", times = Setup::MOST_TIMES
    )]
    OutOfFit {
        /// LOAD that was asked for.
        load_pages: u64,
        /// Pages of its largest group.
        least_pages: u64,
        /// [`Setup::MOST_TIMES`] of that of the file.
        most_pages: u64,
    },
}
