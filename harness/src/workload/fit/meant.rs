//! How long refused requests would have lived.

use std::collections::BTreeMap;

use super::acts::{Act, Did};
use super::again::Tries;
use super::closed::median;
use super::history::Buffer;
use crate::after_failure::AfterFailure;

/// What became of refused requests.
#[derive(Default)]
pub(super) struct Mended {
    /// Those that are there.
    pub(super) live: u64,
    /// Tries that a later one repeats.
    pub(super) gone: u64,
}

/// Lets what was refused live: as long as the nearest request of the same client that was granted
/// as many pages with nothing given back between, else as half of those of its kind do. What was
/// asked for again is gone, and the last try is made when the first was.
pub(super) fn mend(
    clients: &[Vec<Act>],
    after: AfterFailure,
    tries: Option<&Tries>,
    buffers: &mut [Buffer],
) -> Mended {
    let mut mended = Mended::default();
    if let Some(tries) = tries {
        mended.gone += tries.next.len() as u64;
        for (first, number) in &tries.next {
            repeats(*first, *number, buffers);
        }
    } else if matches!(after, AfterFailure::Retry { .. }) {
        clients.iter().for_each(|acts| mended.gone += join(acts, buffers));
    }
    let lives = lives(clients, buffers);
    for acts in clients {
        for (index, act) in acts.iter().enumerate() {
            let Did::Ask { number, granted: false } = act.did else { continue };
            let Buffer { at_us, count, .. } = buffers[number];
            if count == 0 || buffers[number].is_closed {
                continue;
            }
            mended.live += 1;
            let beside = beside(acts, index, count, buffers);
            let usual = lives.get(&count).map(|lives_us| at_us.saturating_add(*lives_us));
            buffers[number].end_us = beside.or(usual.map(Some)).unwrap_or(Some(at_us));
        }
    }
    mended
}

/// Joins the tries of each request in the last one.
fn join(acts: &[Act], buffers: &mut [Buffer]) -> u64 {
    let mut gone = 0;
    for pair in acts.windows(2) {
        let (Did::Ask { number: first, granted: false }, Did::Ask { number, .. }) =
            (pair[0].did, pair[1].did)
        else {
            continue;
        };
        let (one, other) = (buffers[first], buffers[number]);
        if (one.count, one.align) == (other.count, other.align) {
            repeats(first, number, buffers);
            gone += 1;
        }
    }
    gone
}

/// Request `number` is a try of `first`: it is taken to be made when that was.
fn repeats(first: usize, number: usize, buffers: &mut [Buffer]) {
    buffers[number].at_us = buffers[first].at_us;
    buffers[first].count = 0;
}

/// By pages, how long half of what was granted lived.
fn lives(clients: &[Vec<Act>], buffers: &[Buffer]) -> BTreeMap<u64, u64> {
    let mut lives: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for act in clients.iter().flatten() {
        if let Did::Ask { number, granted: true } = act.did
            && let Buffer { at_us, end_us: Some(end_us), count, .. } = buffers[number]
        {
            lives.entry(count).or_default().push(end_us.saturating_sub(at_us));
        }
    }
    lives.into_iter().filter_map(|(count, mut all)| Some((count, median(&mut all)?))).collect()
}

/// When the nearest one ended that was granted as many pages, before or else after, with nothing
/// given back between; `Some(None)` where it stayed.
fn beside(acts: &[Act], index: usize, count: u64, buffers: &[Buffer]) -> Option<Option<u64>> {
    /// Requests that are looked at on either side.
    const MOST: usize = 256;
    let asks = |act: &&Act| matches!(act.did, Did::Ask { .. });
    let of = |act: &Act| match act.did {
        Did::Ask { number, granted: true } if buffers[number].count == count => {
            Some(buffers[number].end_us)
        }
        _ => None,
    };
    let before = acts[..index].iter().rev().take(MOST).take_while(asks).find_map(of);
    let after = || acts[index + 1..].iter().take(MOST).take_while(asks).find_map(of);
    before.or_else(after)
}
