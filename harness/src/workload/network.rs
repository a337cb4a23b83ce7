//! Descriptor rings of network and USB: small buffers that come and go with their link.

use super::Profile;
use super::session::{Habit, Member, SECOND, Turn, clients_for, log_uniform, members};
use crate::seed::Draws;

pub(super) const PROFILE: Profile = Profile {
    name: "network",
    about: "links: 2-8 descriptor rings of 1-16 pages, up for seconds to minutes, then down",
    source: "linklayer/gs_usb_fd 2 (one page), kernel/dma/contiguous.c (one page skips the default \
             area, see the board's caller); rings of 1 to 16 pages",
    clients: &["network"],
    sizes: &[1, 2, 4, 8, 16],
    least_pages: 512,
    parts: &[(100, links)],
    ..Profile::MIXTURE
};

/// Pages that a link holds on average while it is up.
const EACH: u64 = 20;

/// Links that fill so many pages.
pub(super) fn links(pages: u64) -> Vec<Member> {
    members("network", clients_for(pages, EACH), |_| Link)
}

/// The few links of a board.
pub(super) fn few_links(_: u64) -> Vec<Member> {
    members("network", 4, |_| Link)
}

struct Link;

impl Habit for Link {
    fn turn(&mut self, held: usize, draws: &mut Draws) -> Turn {
        if held > 0 {
            let then_us = log_uniform(draws, SECOND / 5, 5 * SECOND);
            return Turn { release: vec![0], then_us, ..Turn::default() };
        }
        let rings: Vec<_> = (0..draws.between(2, 8)).map(|_| log_uniform(draws, 1, 16)).collect();
        let then_us = log_uniform(draws, SECOND, 120 * SECOND);
        Turn { least: rings.len(), ask: vec![rings], then_us, ..Turn::default() }
    }
}
