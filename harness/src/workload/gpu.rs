//! A GPU's buffer objects: many small ones, some just above 1 MiB, few that stay.

use super::Profile;
use super::session::{Habit, Member, SECOND, Turn, clients_for, log_uniform, members};
use crate::seed::Draws;

pub(super) const PROFILE: Profile = Profile {
    name: "gpu",
    about: "buffer objects: log-uniform 1-64 pages, 257-266 pages, windows; a cache that gives \
            back in batches; applications that take all of theirs with them",
    source: "anholt/linux 76 (266 pages, 173 objects), 94 (1024, 2040), 135 (4096), \
             raspberrypi/linux 1354 (258 pages), etnaviv_cmdbuf.c (64, 128)",
    clients: &["app", "network"],
    sizes: &[2, 16, 64, 257, 266, 1024, 2040, 4096],
    least_pages: 8_000,
    parts: &[(100, apps), (2, super::network::few_links)],
    ..Profile::MIXTURE
};

/// Objects just above 1 MiB: with one page, two, ten more.
const ABOVE_1_MIB: [u64; 3] = [257, 258, 266];
/// Command buffers.
const COMMANDS: [u64; 2] = [64, 128];
/// Windows and textures; the binner's 16 MiB are as common as each of them among the few.
const WINDOW: [u64; 5] = [900, 1024, 1024, 2040, 4096];
/// How long an unused object stays in the driver's cache.
const CACHE_US: u64 = SECOND;

/// Applications that fill so many pages.
pub(super) fn apps(pages: u64) -> Vec<Member> {
    members("app", clients_for(pages, 12_000), |_| App::default())
}

#[derive(Default)]
struct App {
    /// Objects that it works with; 0 while it does not run.
    wants: usize,
    ends_in_us: u64,
    since_sweep_us: u64,
}

fn object(draws: &mut Draws) -> u64 {
    match draws.below(100) {
        0..60 => log_uniform(draws, 1, 64),
        60..82 => *draws.pick(&ABOVE_1_MIB),
        82..92 => *draws.pick(&COMMANDS),
        _ => *draws.pick(&WINDOW),
    }
}

impl Habit for App {
    fn turn(&mut self, held: usize, draws: &mut Draws) -> Turn {
        if self.wants == 0 {
            self.wants = log_uniform(draws, 20, 200) as usize;
            self.ends_in_us = log_uniform(draws, 5 * SECOND, 120 * SECOND);
        }
        // Frames in which objects are made come densely while an application builds its scene.
        let mean_us = if held < self.wants { 8_000.0 } else { 200_000.0 };
        let then_us = draws.exponential_us(mean_us);
        let Some(ends_in_us) = self.ends_in_us.checked_sub(then_us) else {
            self.wants = 0;
            let release = (0..held).collect();
            let then_us = log_uniform(draws, SECOND / 5, 5 * SECOND);
            return Turn { release, then_us, ..Turn::default() };
        };
        self.ends_in_us = ends_in_us;
        self.since_sweep_us += then_us;
        let mut release = Vec::new();
        if self.since_sweep_us > CACHE_US && held > 4 {
            // What was not used for a while goes back at once. The first objects stay.
            self.since_sweep_us = 0;
            release = (4..held).filter(|_| draws.below(6) == 0).collect();
        }
        let ask = if held < self.wants { vec![vec![object(draws)]] } else { vec![] };
        Turn { release, ask, then_us, ..Turn::default() }
    }
}
