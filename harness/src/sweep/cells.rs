//! The product of a plan, in its order, by arithmetic: no list of all cells is kept.

use super::plan::{Load, MOST_CELLS, Plan, Stream};

/// Everything of a cell but policy and seed: what policies are compared under. All are indices
/// into the plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Configuration {
    /// The stream.
    pub stream: usize,
    /// The board; none where the stream runs on the area that it states.
    pub board: Option<usize>,
    /// The LOAD; none where the stream brings its own.
    pub load: Option<usize>,
    /// The environment.
    pub environment: usize,
    /// The cap.
    pub cap: usize,
}

/// One run: a stream under one policy, on one area, for one seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell {
    /// Under what.
    pub at: Configuration,
    /// The policy, an index into the plan.
    pub policy: usize,
    /// The seed: `Seed::new` of it makes the stream.
    pub seed: u64,
}

impl Plan {
    fn boards_of(&self, stream: &Stream) -> usize {
        if stream.own_area { 1 } else { self.boards.len() }
    }

    /// How many configurations a stream has.
    fn configurations_of(&self, stream: &Stream) -> u64 {
        let counts = [self.caps.len(), self.boards_of(stream), stream.loads.len().max(1)];
        let environments = self.environments.len() as u64;
        counts.into_iter().fold(environments, |all, count| all.saturating_mul(count as u64))
    }

    /// Whether several cells may run the same ops of a stream.
    pub(super) fn shares(&self, stream: &Stream) -> bool {
        self.configurations_of(stream) > 1 || self.policies.len() > 1
    }

    /// Configuration `number` of a stream: boards, then LOADs, environments, caps.
    fn configuration_of(&self, stream: usize, number: u64) -> Configuration {
        let Stream { own_area, loads, .. } = &self.streams[stream];
        let mut rest = number as usize;
        let mut digit = |base: usize| {
            let digit = rest % base;
            rest /= base;
            digit
        };
        let cap = digit(self.caps.len());
        let environment = digit(self.environments.len());
        let load = digit(loads.len().max(1));
        let board = digit(self.boards_of(&self.streams[stream]));
        Configuration {
            stream,
            board: (!own_area).then_some(board),
            load: (!loads.is_empty()).then_some(load),
            environment,
            cap,
        }
    }

    /// What policies are compared under, in order: streams, then boards, LOADs, environments, caps.
    pub fn configurations(&self) -> impl Iterator<Item = Configuration> {
        let streams = self.streams.iter().enumerate();
        streams.flat_map(move |(index, stream)| {
            let numbers = 0..self.configurations_of(stream);
            numbers.map(move |number| self.configuration_of(index, number))
        })
    }

    /// How many seeds a stream is run for.
    pub fn seeds_of(&self, stream: &Stream) -> u64 {
        if stream.is_seeded() { self.seeds } else { 1 }
    }

    /// The cells of one configuration, stopped early or not.
    pub fn cells_in(&self, at: &Configuration) -> u64 {
        self.policies.len() as u64 * self.seeds_of(&self.streams[at.stream])
    }

    /// Cell number `within` of a configuration: policies, then seeds.
    pub fn cell_of(&self, at: Configuration, within: u64) -> Cell {
        let seeds = self.seeds_of(&self.streams[at.stream]);
        Cell { at, policy: (within / seeds) as usize, seed: self.seed.wrapping_add(within % seeds) }
    }

    /// Cell `number` of the plan: configurations, then policies, then seeds. [`None`] after the
    /// last.
    pub fn cell(&self, number: u64) -> Option<Cell> {
        let mut within = number;
        for (index, stream) in self.streams.iter().enumerate() {
            let each = self.policies.len() as u64 * self.seeds_of(stream);
            let cells = each * self.configurations_of(stream);
            if within < cells {
                return Some(
                    self.cell_of(self.configuration_of(index, within / each), within % each),
                );
            }
            within -= cells;
        }
        None
    }

    /// Every cell, in order.
    pub fn cells(&self) -> impl Iterator<Item = Cell> {
        self.configurations()
            .flat_map(move |at| (0..self.cells_in(&at)).map(move |within| self.cell_of(at, within)))
    }

    /// How many cells there are, without making them; [`None`] if more than [`MOST_CELLS`].
    pub fn cell_count(&self) -> Option<u64> {
        let policies = self.policies.len() as u64;
        let of = |stream| {
            let seeds = self.seeds_of(stream);
            self.configurations_of(stream).saturating_mul(policies).saturating_mul(seeds)
        };
        let cells = self.streams.iter().map(of).fold(0, u64::saturating_add);
        Some(cells).filter(|cells| *cells <= MOST_CELLS)
    }

    /// The LOAD of a configuration, where the stream does not bring its own.
    pub fn load(&self, at: &Configuration) -> Option<Load> {
        at.load.map(|load| self.streams[at.stream].loads[load])
    }
}
