//! What runs together on one board: several streams merged in time into one.
//!
//! A part is a profile, what was fitted to a file, or a file itself. Each has its own child of the
//! seed, so that its stream is the same whatever the others draw and however many follow it.
//! Its buffers get new ids and its clients new numbers: an equal name is one client, unless the part
//! is called something of its own, so that boards route by name as ever. All parts begin at 0; one
//! that ends leaves the others going. LOAD that is planned for is the sum of the parts'; that which
//! is measured is that of the merged stream, and at most as much.

mod builtin;
mod clients;
mod merge;
mod part;
mod played;
mod rounds;

use std::collections::BTreeMap;

pub use builtin::{BuiltIn, MIXES, built_in};
pub use part::{Origin, Part};
pub use played::Played;

use self::clients::Clients;
use self::merge::Merged;
use self::part::Alone;
use super::{Failure, SetupError, Workload};
use crate::after_failure::{AfterFailure, Callers};
use crate::board::Asking;
use crate::ingest::{IngestError, Paged, Route, quoted};
use crate::op::{Op, Timed};
use crate::page::Page;
use crate::seed::Seed;

/// Ops at the start of a mix that show what is asked for most.
const LOOK: usize = 4096;

/// What runs together.
#[derive(Clone, Debug)]
pub struct Mix {
    /// The parts, in order.
    pub parts: Vec<Part>,
    /// Who asks, by number. Client 0 is nobody.
    pub clients: Vec<String>,
    /// What they do after a refusal, as the file shows it that a part is fitted to; others drop.
    pub callers: Callers,
    /// How they ask, as far as the files of the parts show it.
    pub asking: Asking,
    /// The areas that files name for their clients.
    pub routes: Vec<Route>,
    /// Pages of typical buffers, ascending, at most 8: of those of the parts the ones that are asked
    /// for most.
    pub sizes: Vec<u64>,
    page: Page,
}

/// A part by its number from 0 on, and what is wrong with it.
pub type Wrong = (usize, SetupError);

impl Mix {
    /// The most parts of a mix.
    pub const MOST_PARTS: usize = 64;

    /// These parts together, on a board with pages of 4 KiB.
    ///
    /// # Errors
    /// As [`Mix::new_in`].
    pub fn new(parts: Vec<Part>) -> Result<Self, Wrong> {
        Self::new_in(parts, Page::Kib4)
    }

    /// These parts together, on a board with pages of this size.
    ///
    /// # Errors
    /// The part that there cannot be, and why: a LOAD that its profile or fit does not take, a file
    /// without time, more clients than can be told apart, an area for a client whom another part
    /// sends elsewhere.
    pub fn new_in(parts: Vec<Part>, page: Page) -> Result<Self, Wrong> {
        for (index, part) in parts.iter().enumerate() {
            part.check(page).map_err(|error| (index, error))?;
        }
        let callers = AfterFailure::Drop.into();
        let (clients, routes, sizes) = (Vec::new(), Vec::new(), Vec::new());
        let asking = Asking::default();
        let mut mix = Self { parts, clients, callers, asking, routes, sizes, page };
        let (clients, alone) = mix.alone(&Seed::new(0), &Failure::default())?;
        mix.callers.of_client = vec![AfterFailure::Drop; clients.len()];
        mix.clients = clients;
        for (part, (alone, numbers)) in mix.parts.iter().zip(&alone) {
            for (client, number) in alone.clients.iter().zip(numbers) {
                let shown = part.asking().and_then(|asking| asking.of(client));
                let name = &mix.clients[usize::from(*number)];
                mix.asking.of.extend(shown.map(|shown| (name.clone(), shown)));
            }
            let Origin::Fit(fit, _) = &part.origin else { continue };
            let callers = fit.callers(&alone.clients, AfterFailure::Drop, 1);
            for (number, after) in numbers.iter().zip(callers.of_client) {
                mix.callers.of_client[usize::from(*number)] = after;
            }
        }
        for (index, (_, numbers)) in alone.iter().enumerate() {
            mix.route(index, numbers).map_err(|error| (index, error.into()))?;
        }
        mix.sizes = mix.most_used(Merged::new(alone, LOOK as u64, &Failure::default()).0);
        Ok(mix)
    }

    /// LOAD that is planned for, in pages.
    pub fn load_pages(&self) -> u64 {
        self.parts.iter().map(Part::load_pages).fold(0, u64::saturating_add)
    }

    /// The cap that the calls of its parts show: none where they show several.
    pub fn cap(&self) -> Option<u32> {
        let mut caps = self.parts.iter().filter_map(Part::cap);
        let cap = caps.next()?;
        caps.all(|other| other == cap).then_some(cap)
    }

    /// How large the pages of its files are, by the first of them.
    pub fn paged(&self) -> Option<Paged> {
        self.parts.iter().find_map(Part::paged)
    }

    /// Whether parts of buffers are given back.
    pub fn frees_parts(&self) -> bool {
        self.parts.iter().any(Part::frees_parts)
    }

    /// The stream of all parts together. It ends after so many ops, or where all of them end.
    ///
    /// # Errors
    /// Where a file cannot be opened any more.
    pub fn open(&self, seed: &Seed, ops: u64) -> Result<Workload, SetupError> {
        let failed = Failure::default();
        let (clients, alone) = self.alone(seed, &failed).map_err(|(_, error)| error)?;
        let (merged, before) = Merged::new(alone, ops, &failed);
        Ok(Workload { clients, before, ops: Box::new(merged), failed })
    }

    /// The clients of all parts, and the stream of each with the numbers that its clients get.
    #[expect(clippy::type_complexity, reason = "each half is used once")]
    fn alone(
        &self,
        seed: &Seed,
        failed: &Failure,
    ) -> Result<(Vec<String>, Vec<(Alone, Vec<u16>)>), Wrong> {
        let mut clients = Clients::new();
        let mut streams = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            let wrong = |error| (index, error);
            let alone = part.open(self.page, seed.child("mix", index as u64), failed);
            let alone = alone.map_err(wrong)?;
            let numbers =
                clients.of_part(&alone.clients, part.called.as_deref(), part.has_nameless());
            streams.push((alone, numbers.map_err(wrong)?));
        }
        Ok((clients.into_names(), streams))
    }

    /// Takes over the areas that the file of a part names.
    fn route(&mut self, index: usize, numbers: &[u16]) -> Result<(), IngestError> {
        let Origin::File(file, _) = &self.parts[index].origin else { return Ok(()) };
        for own in &file.routes {
            let client = numbers[usize::from(own.client)];
            let Some(known) = self.routes.iter().find(|route| route.client == client) else {
                self.routes.push(Route { client, ..own.clone() });
                continue;
            };
            if known.area != own.area {
                let why = format!(
                    "area {} of client {}, whom another part of the mix sends to {}; a client goes \
                     to one area: give one of them a name of its own (as = …)",
                    quoted(&own.area),
                    quoted(&self.clients[usize::from(client)]),
                    quoted(&known.area)
                );
                return Err(file.wrong(own.line, own.column, why));
            }
        }
        Ok(())
    }

    /// Of the sizes of the parts those that `ops` ask for most.
    fn most_used(&self, ops: impl Iterator<Item = Timed>) -> Vec<u64> {
        let all = self.parts.iter().flat_map(|part| part.sizes(self.page));
        let mut uses: BTreeMap<u64, u64> = all.map(|count| (count, 0)).collect();
        for timed in ops {
            if let Op::Alloc { request, .. } = timed.op {
                uses.entry(request.count()).and_modify(|uses| *uses += 1);
            }
        }
        super::most_used(uses)
    }
}
