//! Who asks for the same again, and after how long.

use std::collections::{BTreeMap, HashMap};

use super::acts::{Act, Did, by_pid};
use super::closed::median;
use super::history::Buffer;
use crate::after_failure::AfterFailure;

/// Refusals below which nothing is concluded.
const LEAST: usize = 16;
/// Of so many tenths of the refusals the same is asked for once more after one and the same time …
const REFUSED_TENTHS: usize = 7;
/// … and of no more than so many of what was granted.
const GRANTED_TENTHS: usize = 2;
/// Times are one and the same where they differ by this part.
const PART: u64 = 32;
/// Later requests of the same that are looked at.
const LOOKED_AT: usize = 16;
/// One time is about as frequent as another that is no more than this.
const AS_FREQUENT_TENTHS: usize = 8;
/// Tries that are the very next request of their program show nothing, where so many tenths are: a
/// group of one size looks the same.
const NEXT_TENTHS: usize = 8;
/// Refusals of a program whose times are looked at: a megabyte for each 8192.
const MOST: usize = 1 << 16;
/// Shorter times are those of a group that is asked for at once.
const LEAST_US: u64 = 100;

/// Tries of refused requests.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Tries {
    /// From one to the next.
    pub(super) every_us: u64,
    /// Tries at most, beside the first: [`AfterFailure::EVER`] where nobody gave up.
    pub(super) times: u64,
    /// Of a refused request, by its number, the next try.
    pub(super) next: BTreeMap<usize, usize>,
}

impl Tries {
    /// These acts without the requests that are asked for again: the last try is what is asked for.
    pub(super) fn without(&self, clients: &[Vec<Act>]) -> Vec<Vec<Act>> {
        let is_last = |act: &&Act| act.asks().is_none_or(|number| !self.next.contains_key(&number));
        clients.iter().map(|acts| acts.iter().filter(is_last).copied().collect()).collect()
    }

    /// What the clients of a kind do; `None` where they do not ask again after one and the same time.
    /// Between two tries of one buffer they may ask for others.
    pub(super) fn find(clients: &[Vec<Act>], buffers: &[Buffer]) -> Option<Self> {
        let programs: Vec<_> = clients.iter().flat_map(|acts| by_pid(acts, buffers)).collect();
        let programs: Vec<_> = programs.iter().map(|acts| Asks::of(acts, buffers)).collect();
        let mut times_us: Vec<u64> = programs.iter().flat_map(Asks::times_us).collect();
        let refused = programs.iter().map(|asks| asks.ends(false).count()).sum::<usize>();
        let every_us = most_frequent(&mut times_us).filter(|_| refused >= LEAST)?;
        let mut tries = Self { every_us, times: 0, next: BTreeMap::new() };
        let mut granted = (0, 0);
        let (mut most, mut gave_up) = (0, false);
        for asks in &programs {
            granted.0 += asks.ends(true).filter(|ask| asks.after(ask, every_us).is_some()).count();
            granted.1 += asks.ends(true).count();
            let mut row: HashMap<usize, u64> = HashMap::new();
            for ask in asks.ends(false) {
                let before = row.remove(&ask.number).unwrap_or(0);
                most = most.max(before);
                match asks.after(ask, every_us) {
                    Some(next) => {
                        tries.next.insert(ask.number, next);
                        row.insert(next, before + 1);
                    }
                    // At the end of the file it may be waiting.
                    None => gave_up |= ask.at_us.saturating_add(every_us) < asks.end_us,
                }
            }
        }
        tries.times = if gave_up { most.max(1) } else { AfterFailure::EVER };
        let is_next = |asks: &Asks| {
            let pairs = asks.all.windows(2);
            let tried = |pair: &&[Ask]| tries.next.get(&pair[0].number) == Some(&pair[1].number);
            pairs.filter(tried).count()
        };
        let alone: usize = programs.iter().map(is_next).sum();
        let is_so = alone * 10 < tries.next.len() * NEXT_TENTHS
            && tries.next.len() * 10 >= refused * REFUSED_TENTHS
            && granted.0 * 10 <= granted.1 * GRANTED_TENTHS;
        is_so.then_some(tries)
    }
}

/// Pages and order.
type Asked = (u64, Option<u32>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Ask {
    at_us: u64,
    number: usize,
    what: Asked,
    granted: bool,
}

/// The requests of a program.
struct Asks {
    all: Vec<Ask>,
    /// When, and its number, in order.
    by_what: BTreeMap<Asked, Vec<(u64, usize)>>,
    end_us: u64,
}

impl Asks {
    fn of(acts: &[Act], buffers: &[Buffer]) -> Self {
        let ask = |act: &Act| {
            let Did::Ask { number, granted } = act.did else { return None };
            let what = (buffers[number].count, buffers[number].align);
            Some(Ask { at_us: act.at_us, number, what, granted })
        };
        let all: Vec<_> = acts.iter().filter_map(ask).collect();
        let mut by_what: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for ask in &all {
            by_what.entry(ask.what).or_default().push((ask.at_us, ask.number));
        }
        Self { all, by_what, end_us: acts.last().map_or(0, |act| act.at_us) }
    }

    /// Those that were granted, or not.
    fn ends(&self, granted: bool) -> impl Iterator<Item = &Ask> {
        self.all.iter().filter(move |ask| ask.granted == granted)
    }

    /// Requests for the same after `ask`.
    fn later(&self, ask: &Ask) -> &[(u64, usize)] {
        let same = &self.by_what[&ask.what];
        &same[same.partition_point(|(_, number)| *number <= ask.number)..]
    }

    /// From each refused request to later ones for the same.
    fn times_us(&self) -> Vec<u64> {
        let times = |ask: &Ask| {
            let since_us =
                self.later(ask).iter().take(LOOKED_AT).map(|(at_us, _)| at_us - ask.at_us);
            since_us.filter(|since_us| *since_us >= LEAST_US).collect::<Vec<_>>()
        };
        self.ends(false).take(MOST).flat_map(times).collect()
    }

    /// The request for the same that follows `ask` after about this time.
    fn after(&self, ask: &Ask, every_us: u64) -> Option<usize> {
        let near = every_us / PART;
        let later = self.later(ask);
        let from = later.partition_point(|(at_us, _)| at_us - ask.at_us < every_us - near);
        let (at_us, number) = later.get(from)?;
        (at_us - ask.at_us <= every_us + near).then_some(*number)
    }
}

/// The middle of the times that others are near of: the shortest of those that are about as frequent as
/// any, since what happens after one time again and again happens after twice that time too.
fn most_frequent(times_us: &mut [u64]) -> Option<u64> {
    times_us.sort_unstable();
    let near = |from: usize| {
        let end_us = times_us[from] + 2 * times_us[from] / PART;
        times_us.partition_point(|time_us| *time_us <= end_us)
    };
    let often = |from: usize| near(from) - from;
    let most = (0..times_us.len()).map(often).max()?;
    let first = (0..times_us.len()).find(|from| often(*from) * 10 >= most * AS_FREQUENT_TENTHS)?;
    let end = near(first);
    median(&mut times_us[first..end])
}
