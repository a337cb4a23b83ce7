//! The classes of a history, as a table for people.

use std::collections::BTreeMap;

use super::history::{Buffer, History};
use super::model::{Phase, phase_at};
use crate::board::kind;

/// Requests of one kind of client, size and order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Requested {
    /// The client's name without its number.
    pub client: String,
    /// Pages.
    pub count: u64,
    /// The order that is stated; none where it follows the cap.
    pub align: Option<u32>,
    /// How many.
    pub requests: u64,
    /// Those of them in bursts.
    pub in_bursts: u64,
    /// Those of them that were live at the end.
    pub live_at_end: u64,
    /// The lifetimes that 10, 50 and 90 % are at most, of those that ended, in microseconds (in ops,
    /// of a recording).
    pub lifetimes_us: Option<[u64; 3]>,
    /// The median time from one such request to the next.
    pub between_us: Option<u64>,
}

impl Requested {
    /// Pages asked for.
    pub const fn pages(&self) -> u128 {
        self.count as u128 * self.requests as u128
    }
}

/// What is at most so many hundredths of `sorted`.
fn quantile(sorted: &[u64], percent: usize) -> Option<u64> {
    let last = sorted.len().checked_sub(1)?;
    Some(sorted[last * percent / 100])
}

/// The classes of a history, by pages asked for.
pub(super) fn classes(history: &History, phases: &[Phase]) -> Vec<Requested> {
    let kinds: Vec<_> = history.clients.iter().map(|name| kind(name)).collect();
    let mut cells: BTreeMap<_, Vec<Buffer>> = BTreeMap::new();
    for buffer in &history.buffers {
        let client = kinds.get(usize::from(buffer.client)).copied().unwrap_or("");
        cells.entry((client, buffer.count, buffer.align)).or_default().push(*buffer);
    }
    let class = |((client, count, align), buffers): ((&str, u64, Option<u32>), Vec<Buffer>)| {
        let ended = buffers.iter().filter_map(|b| b.end_us.map(|end| end.saturating_sub(b.at_us)));
        let mut lifetimes: Vec<_> = ended.collect();
        lifetimes.sort_unstable();
        let mut between: Vec<_> =
            buffers.windows(2).map(|pair| pair[1].at_us.saturating_sub(pair[0].at_us)).collect();
        between.sort_unstable();
        let in_burst = |b: &&Buffer| phase_at(phases, b.at_us).is_some_and(|phase| phase.burst);
        let at = |percent| quantile(&lifetimes, percent);
        Requested {
            client: client.to_string(),
            count,
            align,
            requests: buffers.len() as u64,
            in_bursts: buffers.iter().filter(in_burst).count() as u64,
            live_at_end: (buffers.len() - lifetimes.len()) as u64,
            lifetimes_us: at(10).zip(at(50)).zip(at(90)).map(|((a, b), c)| [a, b, c]),
            between_us: quantile(&between, 50),
        }
    };
    let mut classes: Vec<_> = cells.into_iter().map(class).collect();
    classes.sort_by_key(|class| std::cmp::Reverse(class.pages()));
    classes
}
