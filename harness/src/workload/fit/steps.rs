//! What a client does from one request to the next, or from one session to the next.

use std::collections::HashMap;

use super::acts::{Act, Did};
use super::history::Buffer;

/// What a client asks for in one go.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Unit {
    /// Pages and order of each request.
    pub(super) asks: Vec<(u64, Option<u32>)>,
    /// From its first request to its last.
    pub(super) lasts_us: u64,
}

impl Unit {
    /// Pages of all of it.
    pub(super) fn pages(&self) -> u64 {
        self.asks.iter().fold(0, |sum, (count, _)| sum.saturating_add(*count))
    }
}

/// What is a unit, and what a client takes itself to hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum By {
    /// Each buffer; it holds what was granted.
    Buffer,
    /// Buffers that are asked for one after the other and given back one after the other, as those
    /// of a queue are; what was refused it got from elsewhere, and holds it too.
    Session,
}

/// What happens before a unit is asked for, and that.
#[derive(Clone, Default, Debug)]
pub(super) struct Step {
    /// Pages that it held before anything went back.
    pub(super) before: u64,
    /// Pages of each unit that went back, in order.
    pub(super) gone: Vec<u64>,
    /// Of each of these, which part of the others that it held was older.
    pub(super) ages: Vec<f64>,
    /// From the last of these to the request.
    pub(super) gone_us: Option<u64>,
    /// It held nothing any more then.
    pub(super) is_emptied: bool,
    /// The request before was refused.
    pub(super) after_refusal: bool,
    /// From the begin of the unit before; none of the first.
    pub(super) since_us: Option<u64>,
    /// What it asks for.
    pub(super) unit: Unit,
}

impl Step {
    /// Pages that it holds with what it asks for.
    pub(super) fn after(&self) -> u64 {
        let gone = self.gone.iter().fold(0, |sum: u64, pages| sum.saturating_add(*pages));
        self.before.saturating_sub(gone).saturating_add(self.unit.pages())
    }

    /// Whether it would have held more than so much with nothing given back.
    pub(super) fn is_above(&self, most_pages: u64) -> bool {
        self.before.saturating_add(self.unit.pages()) > most_pages
    }

    /// Whether the last that went back was needed too.
    pub(super) fn needs_all(&self, most_pages: u64) -> bool {
        self.gone.last().is_some_and(|last| self.after().saturating_add(*last) > most_pages)
    }
}

/// A unit that is held: its number, pages, and buffers that are not given back.
struct Held {
    number: usize,
    pages: u64,
    left: usize,
}

/// The steps of a client.
pub(super) fn steps(acts: &[Act], buffers: &[Buffer], by: By) -> Vec<Step> {
    let unit_of = units(acts, buffers, by);
    let mut steps: Vec<Step> = Vec::new();
    let mut held: Vec<Held> = Vec::new();
    let mut pages = 0u64;
    let mut next = Step::default();
    // The unit, when it began, and whether its last request was granted.
    let mut last: Option<(usize, u64, bool)> = None;
    for act in acts {
        match act.did {
            Did::Free { number } => {
                let Some(place) =
                    held.iter().position(|one| Some(&one.number) == unit_of.get(&number))
                else {
                    continue;
                };
                held[place].left -= 1;
                if held[place].left > 0 {
                    continue;
                }
                // Of what was refused whole nothing comes back that shows: it goes with what is younger.
                let number = held[place].number;
                let whole = |one: &Held| one.left == 0 && one.number < number;
                let refused: u64 = held.iter().filter(|one| whole(one)).map(|one| one.pages).sum();
                pages = pages.saturating_sub(refused);
                held.retain(|one| !whole(one));
                let Some(place) = held.iter().position(|one| one.number == number) else {
                    continue;
                };
                let others = held.len() - 1;
                if others > 0 {
                    next.ages.push(place as f64 / others as f64);
                }
                let gone = held.remove(place).pages;
                pages = pages.saturating_sub(gone);
                next.gone.push(gone);
                next.gone_us = Some(act.at_us);
                next.is_emptied |= held.is_empty();
            }
            Did::Ask { number, granted } => {
                let Buffer { count, align, .. } = buffers[number];
                let unit = unit_of[&number];
                let goes_on = last.filter(|(known, ..)| *known == unit);
                if goes_on.is_none() {
                    let mut step = std::mem::take(&mut next);
                    step.gone_us = step.gone_us.map(|gone_us| act.at_us - gone_us);
                    step.after_refusal = last.is_some_and(|(.., granted)| !granted);
                    step.since_us = last.map(|(_, began_us, ..)| act.at_us - began_us);
                    step.before =
                        step.gone.iter().fold(pages, |sum, pages| sum.saturating_add(*pages));
                    steps.push(step);
                }
                let began_us = goes_on.map_or(act.at_us, |(_, began_us, ..)| began_us);
                let step = steps.last_mut().expect("one was pushed");
                step.unit.asks.push((count, align));
                step.unit.lasts_us = act.at_us - began_us;
                last = Some((unit, began_us, granted));
                let counts = granted || by == By::Session;
                if counts {
                    pages = pages.saturating_add(count);
                    match held.iter_mut().find(|one| one.number == unit) {
                        Some(own) => {
                            own.pages += count;
                            own.left += usize::from(granted);
                        }
                        None => held.push(Held {
                            number: unit,
                            pages: count,
                            left: usize::from(granted),
                        }),
                    }
                }
            }
        }
    }
    steps
}

/// The unit of each buffer that was asked for.
fn units(acts: &[Act], buffers: &[Buffer], by: By) -> HashMap<usize, usize> {
    let mut of = HashMap::new();
    let mut back: HashMap<usize, usize> = HashMap::new();
    for (rank, act) in acts.iter().enumerate() {
        if let Did::Free { number } = act.did {
            back.insert(number, rank);
        }
    }
    let mut unit = 0;
    let mut open: Option<Open> = None;
    for act in acts {
        match act.did {
            Did::Free { .. } => open = None,
            Did::Ask { number, granted } => {
                let rank = back.get(&number).copied();
                let count = buffers[number].count;
                let goes_on = by == By::Session
                    && open.as_ref().is_some_and(|open| open.takes(count, granted, rank));
                if !goes_on {
                    unit += 1;
                    open = Some(Open::default());
                }
                if let Some(open) = &mut open {
                    open.add(count, granted, rank);
                }
                of.insert(number, unit);
            }
        }
    }
    of
}

/// A unit that may go on.
#[derive(Default)]
struct Open {
    sizes: Vec<u64>,
    /// A size came again: the sizes of one buffer are known.
    is_cycle: bool,
    /// When the last one that was granted went back, as the number of that act.
    last: Option<Option<usize>>,
}

impl Open {
    fn takes(&self, count: u64, granted: bool, rank: Option<usize>) -> bool {
        let known = self.sizes.contains(&count);
        if self.is_cycle && !known {
            return false;
        }
        match (granted, self.last) {
            // What was refused shows nothing but its size.
            (false, _) | (_, None) => known,
            (true, Some(None)) => rank.is_none(),
            (true, Some(Some(last))) => rank == Some(last + 1),
        }
    }

    fn add(&mut self, count: u64, granted: bool, rank: Option<usize>) {
        self.is_cycle |= self.sizes.contains(&count);
        if !self.sizes.contains(&count) {
            self.sizes.push(count);
        }
        if granted {
            self.last = Some(rank);
        }
    }
}
