//! Changes that what a stream asks for suggests.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use cma_policies::dma_align;

use super::live::Class;
use super::seen::{Seen, Tally, sum};
use super::{Back, Changed};
use crate::board::kind;
use crate::op::Timed;

/// A change, and what of the stream suggests it. Whether it helps is for a simulation to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    /// The change.
    pub change: Changed,
    /// Pages that it frees at the worst moment, at most: of slots where it is a matter of them.
    pub saves_pages: u64,
    /// Pages that its clients hold at once at most beyond what they did, each at its own moment.
    pub costs_pages: u64,
    /// What suggests it.
    pub shows: Shows,
}

/// What of a stream suggests a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shows {
    /// A slot of the size strands pages that the DMA API's alignment lets nobody use who asks for
    /// as large a one (`dma_alloc_contiguous`, kernel/dma/contiguous.c).
    Stranded {
        /// Pages of a slot.
        slot: u64,
        /// Those of them after the buffer.
        stranded: u64,
        /// Such buffers that were live at once at most.
        live: u64,
    },
    /// What is asked for again and again could be kept.
    Again {
        /// Requests.
        requests: u64,
        /// Requests of clients that keep.
        left: u64,
        /// Pages that were live at once at most, of each client at its own moment.
        pages: u64,
        /// Pages that are kept.
        kept_pages: u64,
    },
    /// So many equal buffers are asked for as one set.
    Set {
        /// The largest set.
        buffers: u64,
        /// Those that one client had at once at most.
        live: u64,
    },
    /// A new set is asked for before the old one has gone back.
    Overlap {
        /// Pages that were live at once at most, of each client at its own moment.
        pages: u64,
        /// The same with nothing asked for before what goes back then has gone.
        apart_pages: u64,
    },
}

/// Requests that a kept buffer serves, on average, from which on it is worth keeping.
const ROUNDS: u64 = 3;
/// What is less than this part of LOAD is not worth a change.
const WORTH: u64 = 64;
/// Equal buffers of a set from which on one less is thinkable.
const SET: u64 = 4;
/// Pages over a slot of 16 times as many are few.
const FEW: u64 = 16;

/// What the stream `ops`, whose clients have these names by number, suggests under `cap`
/// (`CONFIG_CMA_ALIGNMENT`): the trims first, most pages first, then what else saves pages, then
/// what costs some; nothing that saves less than a 64th of LOAD, or keeps less. What a client asks
/// for or gives back within `within_us` is one moment: [`MOMENT_US`](super::MOMENT_US), or 0 where
/// a file counts ops in place of time. What is live before a stream is to be put before its ops.
pub fn proposals(
    clients: &[String],
    ops: impl Iterator<Item = Timed>,
    cap: u32,
    within_us: u64,
) -> Vec<Proposal> {
    let seen = Seen::of(ops, within_us);
    let groups = groups(clients, &seen);
    let mut all = Vec::new();
    for (name, numbers) in &groups {
        all.extend(seen.trims(name, numbers, cap));
        // Nobody keeps what nobody asked for.
        if !name.is_empty() {
            all.extend(seen.order(name, numbers));
            all.extend(seen.fewer(name, numbers, cap));
            all.extend(seen.keep(name, numbers));
        }
    }
    let worth = seen.now.load / WORTH;
    all.retain(|one| match one.shows {
        Shows::Again { kept_pages, .. } => kept_pages >= worth,
        _ => one.saves_pages >= worth,
    });
    all.sort_by_key(|one| {
        let is_trim = matches!(one.change, Changed::Trim { .. });
        (!is_trim, Reverse(one.saves_pages), one.costs_pages)
    });
    all
}

/// Names for one client each, or for all of a kind, that mean just these.
fn groups(clients: &[String], seen: &Seen) -> BTreeMap<String, BTreeSet<u16>> {
    let mut groups: BTreeMap<_, BTreeSet<u16>> = BTreeMap::new();
    for number in seen.now.most.keys() {
        let name = clients.get(usize::from(*number)).map_or("", String::as_str);
        let is_taken = clients.iter().any(|other| other == kind(name));
        let group = if is_taken { name } else { kind(name) };
        groups.entry(group.to_string()).or_default().insert(*number);
    }
    groups
}

impl Seen {
    fn trims(&self, name: &str, numbers: &BTreeSet<u16>, cap: u32) -> Vec<Proposal> {
        let mut live: BTreeMap<(u64, Option<u32>), u64> = BTreeMap::new();
        for ((_, count, align), tally) in self.clients(numbers) {
            *live.entry((*count, *align)).or_default() += tally.most;
        }
        let trim = |((from, align), live): ((u64, Option<u32>), u64)| {
            let to = shorter(from, align, cap)?;
            let slot = slot(from, align, cap);
            let saves = slot - self::slot(to, align, cap);
            Some(Proposal {
                change: Changed::Trim { client: Some(name.to_string()), from, to },
                saves_pages: live.saturating_mul(saves),
                costs_pages: 0,
                shows: Shows::Stranded { slot, stranded: slot - from, live },
            })
        };
        live.into_iter().filter_map(trim).collect()
    }

    fn order(&self, name: &str, numbers: &BTreeSet<u16>) -> Option<Proposal> {
        let (pages, apart_pages) = (sum(&self.now.most, numbers), sum(&self.apart.most, numbers));
        let back = Back::BeforeAsking { within_us: self.within_us };
        (apart_pages < pages).then(|| Proposal {
            change: Changed::Order { client: name.to_string(), back },
            saves_pages: pages - apart_pages,
            costs_pages: 0,
            shows: Shows::Overlap { pages, apart_pages },
        })
    }

    fn fewer(&self, name: &str, numbers: &BTreeSet<u16>, cap: u32) -> Vec<Proposal> {
        let mut sizes: BTreeMap<u64, Vec<(&Class, &Tally)>> = BTreeMap::new();
        for one in self.clients(numbers) {
            sizes.entry(one.0.1).or_default().push(one);
        }
        let fewer = |(pages, of): (u64, Vec<(&Class, &Tally)>)| {
            let buffers = of.iter().map(|(_, tally)| tally.set).max()?;
            let live = of.iter().map(|(_, tally)| tally.most).max()?;
            let full = of.iter().filter(|(_, tally)| tally.most == live);
            let saves = full.map(|((_, count, align), _)| slot(*count, *align, cap));
            (buffers >= SET).then(|| Proposal {
                change: Changed::Fewer { client: name.to_string(), pages, most: live - 1 },
                saves_pages: saves.fold(0, u64::saturating_add),
                costs_pages: 0,
                shows: Shows::Set { buffers, live },
            })
        };
        sizes.into_iter().filter_map(fewer).collect()
    }

    fn keep(&self, name: &str, numbers: &BTreeSet<u16>) -> Option<Proposal> {
        let (requests, left) = (&self.now.requests, &self.kept.requests);
        let (requests, left) = (sum(requests, numbers), sum(left, numbers));
        let (pages, kept_pages) = (sum(&self.now.most, numbers), sum(&self.kept.most, numbers));
        (requests >= left.saturating_mul(ROUNDS)).then(|| Proposal {
            change: Changed::Keep { client: name.to_string() },
            saves_pages: 0,
            costs_pages: kept_pages.saturating_sub(pages),
            shows: Shows::Again { requests, left, pages, kept_pages },
        })
    }
}

/// The order of a buffer of so many pages: the stated one, or the DMA API's.
fn order(count: u64, align: Option<u32>, cap: u32) -> u32 {
    align.unwrap_or_else(|| dma_align(count, cap).min(63))
}

/// Pages from the start of one such buffer to the first place for the next.
fn slot(count: u64, align: Option<u32>, cap: u32) -> u64 {
    let step = 1 << order(count, align, cap);
    count.checked_next_multiple_of(step).unwrap_or(count)
}

/// The pages of a buffer that is a few less, where these few begin another slot or, below the cap,
/// make its order higher.
fn shorter(count: u64, align: Option<u32>, cap: u32) -> Option<u64> {
    let step: u64 = 1 << order(count, align, cap);
    let whole = if count < step && align.is_none() { step / 2 } else { step };
    let few = count.checked_rem(whole)?;
    ((1..=step / FEW).contains(&few) && count > few).then_some(count - few)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_alignment() {
        // An encoder of Freescale/gstreamer-imx 30: 1906 pages asked for.
        let encoder = [4, 124, 385, 152, 203, 148, 178, 178, 178, 178, 178];
        assert_eq!(encoder.iter().map(|count| slot(*count, None, 8)).sum::<u64>(), 2692);
        assert_eq!(slot(300, Some(4), 8), 304);
        assert_eq!(slot(u64::MAX, None, 64), u64::MAX);
    }

    #[test]
    fn a_few_pages_less_begin_no_slot_of_their_own() {
        let table = [
            ((257, None, 8), Some(256)),
            ((272, None, 8), Some(256)),
            ((273, None, 8), None),
            ((257, None, 4), Some(256)),
            ((129, None, 8), Some(128)),
            ((513, None, 8), Some(512)),
            // A page of five is not a few.
            ((5, None, 8), None),
            ((256, None, 8), None),
            ((456, None, 8), None),
            // The stated order stays: below it there is one slot, whatever is asked for.
            ((129, Some(8), 8), None),
            ((257, Some(8), 4), Some(256)),
            ((257, Some(0), 8), None),
            ((1, None, 8), None),
        ];
        for ((count, align, cap), fewer) in table {
            assert_eq!(shorter(count, align, cap), fewer, "{count} {align:?} {cap}");
        }
    }
}
