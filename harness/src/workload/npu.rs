//! Neural networks: the memory of a model while it is loaded, and buffers for each run of it.

use super::Profile;
use super::session::{Habit, Member, SECOND, Turn, clients_for, log_uniform, members};
use crate::seed::Draws;

pub(super) const PROFILE: Profile = Profile {
    name: "npu",
    about: "models: weights of 2 MiB pieces, 32 or 128 MiB blocks for minutes, 2-4 buffers of 2 MiB \
            a run",
    source: "slaclab/aes-stream-drivers 87 and armbian (512 pages), Vitis-AI 1430 (128 MiB blocks, \
             256 MiB in all), galcore contiguousSize 32 MiB; how long models stay is assumed",
    clients: &["npu", "network"],
    sizes: &[PIECE, CONTIGUOUS, BLOCK],
    least_pages: 40_000,
    parts: &[(100, models), (2, super::network::few_links)],
    ..Profile::MIXTURE
};

/// Pages of a piece: 2 MiB.
const PIECE: u64 = 512;
/// Pages of galcore's contiguous memory: 32 MiB.
const CONTIGUOUS: u64 = 8192;
/// Pages of a block: 128 MiB.
const BLOCK: u64 = 32_768;

/// Users of models that fill so many pages.
fn models(pages: u64) -> Vec<Member> {
    members("npu", clients_for(pages, 5_000), |_| Model { large: true })
}

/// Users of small models only, that fill so many pages.
pub(super) fn small(pages: u64) -> Vec<Member> {
    members("npu", clients_for(pages, 4_000), |_| Model { large: false })
}

struct Model {
    large: bool,
}

impl Model {
    fn weights(&self, draws: &mut Draws) -> Vec<u64> {
        match draws.below(4) {
            0 if self.large => vec![BLOCK],
            0 | 1 => vec![CONTIGUOUS],
            _ => vec![PIECE; draws.between(4, 16) as usize],
        }
    }
}

impl Habit for Model {
    fn turn(&mut self, held: usize, draws: &mut Draws) -> Turn {
        match held {
            0 => {
                let weights = self.weights(draws);
                let least = weights.len();
                let then_us = log_uniform(draws, SECOND / 10, 2 * SECOND);
                Turn { ask: vec![weights], least, then_us, ..Turn::default() }
            }
            // A model that makes way for another is left after about a hundred runs.
            1 if draws.below(100) == 0 => {
                let then_us = log_uniform(draws, SECOND / 5, 5 * SECOND);
                Turn { release: vec![0], then_us, ..Turn::default() }
            }
            1 => {
                let run = vec![PIECE; draws.between(2, 4) as usize];
                let least = run.len();
                let then_us = log_uniform(draws, SECOND / 50, SECOND / 2);
                Turn { ask: vec![run], least, then_us, ..Turn::default() }
            }
            _ => {
                let then_us = log_uniform(draws, SECOND / 50, 2 * SECOND);
                Turn { release: vec![1], then_us, ..Turn::default() }
            }
        }
    }
}
