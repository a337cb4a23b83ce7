//! Streams like a given one: fitted to a trace, a recording or a stream, drawn for any seed.
//!
//! The file is cut into *sessions*: for a kind of clients that now and then holds nothing, what
//! one of them does from one such moment to the next; for any other, the groups that a client
//! asks for at one moment. Sessions of a kind, and of groups of about one size, are a class. In a
//! class sessions follow each other in slots, as those of one camera do. A drawn stream puts
//! sessions of the file, each as it was, into these slots in new order, with pauses of the file
//! between them; in bursts those of bursts. So sizes, orders, lifetimes, groups and how they go
//! together are those of the file, and what differs from seed to seed is what comes when, and
//! beside what. This is a model: it is the regenerative bootstrap, as far as sessions of one class
//! do not depend on each other.
//!
//! LOAD is never above what is asked for; sessions without room wait, as they do in no file. For
//! another LOAD than the file's there are more or fewer slots, never other sizes. What a model
//! cannot say is in [`Fit::distances`] and [`LeftOut`].

mod acts;
mod again;
mod classes;
mod closed;
mod distance;
mod draw;
mod history;
mod manner;
mod meant;
mod model;
mod steps;
mod turns;

use std::sync::Arc;

use cma_policies::{Area, Request, dma_align};

pub use classes::Requested;
pub use distance::{DISTANCES, Distances};
pub use history::{Asked, LeftOut, Recorded};
pub use manner::{Holds, Manner};
pub use model::Phase;

use self::draw::Drawn;
use self::history::{Buffer, History};
use self::model::Model;
use super::{Setup, SetupError, Workload};
use crate::after_failure::{AfterFailure, Callers};
use crate::board::Asking;
use crate::board::kind;
use crate::ingest::{DEFAULT_CAP, IngestError, Paged, Source};
use crate::op::Op;
use crate::reader::{CapShown, Options};
use crate::seed::Seed;

/// Streams that a distance is the mean of: their number, and where their seeds come from.
const DRAWN: u64 = 3;

/// Sessions below which streams are all but copies of the file.
const ENOUGH: u64 = 30;

/// What was fitted to a file.
#[derive(Clone, Debug)]
pub struct Fit {
    model: Arc<Model>,
    /// The area that the file states.
    pub area: Option<Area>,
    /// How large its pages are, and what says so.
    pub paged: Paged,
    /// The format of the file.
    pub format: &'static str,
    /// The cap that its requests follow.
    pub cap: u32,
    /// What shows it, in a trace.
    pub cap_shown: Option<CapShown>,
    /// How its clients ask, as far as a trace and the texts beside it show it.
    pub asking: Asking,
    /// What was strange about the file but no error.
    pub warnings: Vec<String>,
    /// What the fit leaves out.
    pub left_out: LeftOut,
    manners: Vec<Manner>,
    has_outcomes: bool,
    recorded: Recorded,
    /// Classes of requests, by pages asked for.
    pub classes: Vec<Requested>,
    /// Requests in it.
    pub requests: u64,
    /// How far drawn streams of the same length are from the file, on average over three.
    pub distances: Distances,
    /// How far two drawn streams are from each other: what chance alone makes of a distance.
    pub between_draws: f64,
}

impl Fit {
    /// What the file of `source` is like.
    ///
    /// # Errors
    /// Where it cannot be read, or asks for nothing.
    pub fn read(source: &Source, options: &Options) -> Result<Self, IngestError> {
        Self::of_client(source, options, None)
    }

    /// What one client of the file of `source` is like, and those of its kind where none has the
    /// very name, as a board takes names; without one as [`Fit::read`].
    ///
    /// # Errors
    /// As [`Fit::read`], and where nobody in it is of that name.
    pub fn of_client(
        source: &Source,
        options: &Options,
        client: Option<&str>,
    ) -> Result<Self, IngestError> {
        let (history, facts) = History::read(source, options, client)?;
        let model = Arc::new(Model::of(&history));
        let mut fit = Self {
            classes: classes::classes(&history, &model.phases),
            requests: history.buffers.len() as u64,
            model,
            area: facts.area,
            paged: facts.paged,
            format: facts.format,
            has_outcomes: facts.has_outcomes,
            cap: facts.cap,
            cap_shown: facts.cap_shown,
            asking: facts.asking,
            warnings: facts.warnings,
            left_out: history.left_out,
            manners: history.manners.clone(),
            recorded: history.recorded.clone(),
            distances: Distances::default(),
            between_draws: 0.0,
        };
        let draws: Vec<_> = (0..DRAWN).map(|n| fit.history(n)).collect();
        let phases = &fit.model.phases;
        let from_file = draws.iter().map(|drawn| Distances::between(&history, drawn, phases));
        let distances = Distances::mean(&from_file.collect::<Vec<_>>());
        let between_draws = Distances::between(&draws[0], &draws[1], phases).largest();
        (fit.distances, fit.between_draws) = (distances, between_draws);
        let (sessions, _) = fit.sessions();
        if sessions < ENOUGH && fit.model.closed.is_empty() {
            fit.warnings.push(format!(
                "streams are drawn from {sessions} sessions only: they differ little from the file, \
                 whatever their distance, and intervals from them are too narrow"
            ));
        }
        Ok(fit)
    }

    /// How far drawn streams are from the stream of another file, as long as that is.
    ///
    /// # Errors
    /// Where it cannot be read, or asks for nothing.
    pub fn distances_to(
        &self,
        source: &Source,
        options: &Options,
    ) -> Result<Distances, IngestError> {
        let (history, _) = History::read(source, options, None)?;
        let draws = (0..DRAWN).map(|n| self.history(n));
        let phases = &self.model.phases;
        let distances = draws.map(|drawn| Distances::between(&history, &drawn, phases));
        Ok(Distances::mean(&distances.collect::<Vec<_>>()))
    }

    /// A drawn stream of the length of the file.
    fn history(&self, number: u64) -> History {
        let seed = Seed::new(number).child("distance", number);
        let (ops, clients) = Drawn::new(&self.model, self.load_pages(), &seed, self.ops());
        History::of_ops(&self.before(), ops, clients)
    }

    /// LOAD of the file, in pages, as far as it was granted: nobody asked for what was there before, [`Fit::before_pages`].
    pub fn load_pages(&self) -> u64 {
        self.model.load_pages
    }

    /// LOAD with what was refused, for as long as that would have lived: what a stream of the file's
    /// LOAD asks for.
    pub fn asked_pages(&self) -> u64 {
        self.model.meant_pages
    }

    /// Pages of what was there before the file begins, and stays to its end.
    pub fn before_pages(&self) -> u64 {
        self.model.before_pages()
    }

    /// Ops in the file.
    pub fn ops(&self) -> u64 {
        self.model.ops
    }

    /// When the last op of the file happens, in microseconds; of a recording, its number.
    pub fn end_us(&self) -> u64 {
        self.model.end_us
    }

    /// Whether the file counts ops in place of time, so that lifetimes are in ops.
    pub fn is_in_ops(&self) -> bool {
        self.format == "recording"
    }

    /// Whether the file says of any request how that ended: a stream does not, since nobody ran it.
    pub const fn has_outcomes(&self) -> bool {
        self.has_outcomes
    }

    /// Names of the clients of the file, by number.
    pub fn clients(&self) -> &[String] {
        &self.model.clients
    }

    /// Bursts, and what is between them, in order of time.
    pub fn phases(&self) -> &[Phase] {
        &self.model.phases
    }

    /// How the requests of the file ended.
    pub const fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    /// What each kind of clients does after a refusal, and what shows it, of those that ask at all.
    pub fn manners(&self) -> &[Manner] {
        &self.manners
    }

    /// What clients of these names do after a refusal in stream `number`, those of which nothing is
    /// known `others`. What too few refusals show is open: of those who hold as much as they may
    /// whether a buffer goes back, one way in every second stream; of others all, so that streams take
    /// each word in turn.
    pub fn callers(&self, names: &[String], others: AfterFailure, number: u64) -> Callers {
        let of_kind = |name: &str| {
            let known = self.manners.iter().find(|manner| manner.kind == kind(name));
            match known.map(|manner| (manner.after, manner.is_known)) {
                Some((AfterFailure::Next { oldest, .. }, false)) => {
                    AfterFailure::Next { back: number % 2, oldest }
                }
                Some((_, false)) => AfterFailure::OPEN[(number % 4) as usize],
                Some((after, _)) => after,
                None => others,
            }
        };
        let mut of_client: Vec<_> = names.iter().map(|name| of_kind(name)).collect();
        // Who asks under the number of one that holds as much as it may, and is none.
        for lane in self.model.closed.iter().flat_map(|closed| &closed.lanes) {
            let file = of_client.get_mut(usize::from(lane.client));
            if let Some(after @ AfterFailure::Next { .. }) = file.filter(|_| lane.own.is_some())
                && self.model.has_sessions(lane.client)
            {
                *after = others;
            }
        }
        Callers { others, of_client }
    }

    /// Sessions that came to their end, from which streams are drawn, and those that stay.
    pub fn sessions(&self) -> (u64, u64) {
        let drawn = self.model.classes.iter().map(|class| class.sessions.len() as u64).sum();
        (drawn, self.model.residents.len() as u64)
    }

    /// The sizes that are asked for most, at most 8, ascending: what metrics probe with.
    pub fn sizes(&self) -> Vec<u64> {
        let mut uses = std::collections::BTreeMap::new();
        for class in &self.classes {
            *uses.entry(class.count).or_insert(0) += class.requests;
        }
        super::most_used(uses)
    }

    /// What was live before the file begins, as a stream drawn from it begins: no requests.
    pub fn before(&self) -> Vec<Op> {
        let op = |(id, buffer): (u64, &Buffer)| {
            let order = buffer.align.unwrap_or(dma_align(buffer.count, DEFAULT_CAP));
            let request = Request::new(buffer.count, order).expect("a request of the file");
            let request = request.with_client(buffer.client);
            Op::Alloc { id, request, dma: buffer.align.is_none() }
        };
        (0..).zip(&self.model.before).map(op).collect()
    }

    /// A stream of so many ops whose LOAD is at most `load_pages`, without [`Fit::before_pages`].
    ///
    /// # Errors
    /// A LOAD that the largest group does not fit into, or one far above that of the file.
    pub fn open(&self, load_pages: u64, seed: &Seed, ops: u64) -> Result<Workload, SetupError> {
        self.check(load_pages)?;
        let (ops, clients) = Drawn::new(&self.model, load_pages, seed, ops);
        Ok(Workload::of(clients, self.before(), ops))
    }

    /// Whether a stream of this LOAD can be drawn.
    ///
    /// # Errors
    /// As [`Fit::open`].
    pub fn check(&self, load_pages: u64) -> Result<(), SetupError> {
        let classes = self.model.classes.iter().flat_map(|class| &class.sessions);
        let sessions = classes.chain(self.model.residents.iter().map(|(_, session)| session));
        let asks = self.model.closed.iter().flat_map(|closed| &closed.asks);
        let asks = asks.flat_map(|unit| &unit.asks);
        let first = sessions.map(model::Session::first_pages);
        let first = first.chain(asks.map(|(count, _)| *count)).max().unwrap_or(0);
        let before = self.model.before.iter().map(|buffer| buffer.count).sum::<u64>();
        let least_pages = first.max(before.saturating_sub(self.before_pages()));
        let most_pages = self.load_pages().saturating_mul(Setup::MOST_TIMES);
        if (least_pages..=most_pages).contains(&load_pages) {
            return Ok(());
        }
        Err(SetupError::OutOfFit { load_pages, least_pages, most_pages })
    }
}
