//! The product of a plan, in its order.

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
    fn stream_configurations(&self, index: usize) -> impl Iterator<Item = Configuration> {
        let stream = &self.streams[index];
        let boards =
            if stream.own_area { vec![None] } else { (0..self.boards.len()).map(Some).collect() };
        let loads = if stream.loads.is_empty() {
            vec![None]
        } else {
            (0..stream.loads.len()).map(Some).collect()
        };
        let (environments, caps) = (self.environments.len(), self.caps.len());
        boards.into_iter().flat_map(move |board| {
            loads.clone().into_iter().flat_map(move |load| {
                (0..environments).flat_map(move |environment| {
                    (0..caps).map(move |cap| Configuration {
                        stream: index,
                        board,
                        load,
                        environment,
                        cap,
                    })
                })
            })
        })
    }

    /// What policies are compared under, in order: streams, then boards, LOADs, environments, caps.
    pub fn configurations(&self) -> impl Iterator<Item = Configuration> {
        (0..self.streams.len()).flat_map(|index| self.stream_configurations(index))
    }

    /// How many seeds a stream is run for.
    #[must_use]
    pub fn seeds_of(&self, stream: &Stream) -> u64 {
        if stream.is_seeded() { self.seeds } else { 1 }
    }

    /// Every cell: configurations, then policies, then seeds.
    #[must_use]
    pub fn cells(&self) -> Vec<Cell> {
        let cells = self.configurations().flat_map(|at| {
            let seeds = self.seeds_of(&self.streams[at.stream]);
            (0..self.policies.len()).flat_map(move |policy| {
                (0..seeds).map(move |n| Cell { at, policy, seed: self.seed.wrapping_add(n) })
            })
        });
        cells.collect()
    }

    /// How many cells there are, without making them; [`None`] if more than [`MOST_CELLS`].
    #[must_use]
    pub fn cell_count(&self) -> Option<u64> {
        let each = (self.policies.len() * self.environments.len() * self.caps.len()) as u64;
        let mut cells = 0_u64;
        for stream in &self.streams {
            let boards = if stream.own_area { 1 } else { self.boards.len() as u64 };
            let product = each
                .checked_mul(boards)?
                .checked_mul(stream.loads.len().max(1) as u64)?
                .checked_mul(self.seeds_of(stream))?;
            cells = cells.checked_add(product)?;
        }
        Some(cells).filter(|cells| *cells <= MOST_CELLS)
    }

    /// The LOAD of a configuration, where the stream does not bring its own.
    #[must_use]
    pub fn load(&self, at: &Configuration) -> Option<Load> {
        at.load.map(|load| self.streams[at.stream].loads[load])
    }
}
