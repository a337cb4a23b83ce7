//! Who asks for what: a look at the first streams, before anything is run.

use std::collections::BTreeMap;

use super::work::{Failed, Work};
use crate::board::kind;
use crate::op::{Op, Timed};
use crate::page::Page;

/// Ops of a stream that are looked at, at most.
const MOST_OPS: u64 = 1 << 18;

/// What clients of one kind ask for.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// Its name without its number, by which boards know it.
    pub name: String,
    /// Requests.
    pub requests: u64,
    /// Requests by pages asked for.
    pub sizes: BTreeMap<u64, u64>,
    /// The most pages that it has at once.
    pub most_pages: u64,
    /// How long its buffers live together, in microseconds: those that ended.
    life_us: u128,
    ended: u64,
    pages: u64,
}

impl Client {
    /// The mean life of a buffer that ends, in microseconds; none where none does.
    pub fn life_us(&self) -> Option<u64> {
        (self.ended > 0).then(|| (self.life_us / u128::from(self.ended)) as u64)
    }

    /// Pages of a request, in the mean over pages: what most of its memory is asked for in.
    pub fn typical_pages(&self) -> u64 {
        let square = |(count, n): (&u64, &u64)| u128::from(*count).pow(2) * u128::from(*n);
        let all: u128 = self.sizes.iter().map(|(count, n)| u128::from(count * n)).sum();
        let squares: u128 = self.sizes.iter().map(square).sum();
        (squares / all.max(1)) as u64
    }

    /// The most pages of a request.
    pub fn largest(&self) -> u64 {
        self.sizes.last_key_value().map_or(0, |(count, _)| *count)
    }
}

/// What an area needs at least by the first stream of each work.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// LOAD: the most pages at once.
    pub load_pages: u64,
    /// By cap from 0 on: aligned LOAD, below which no policy can do.
    pub aligned_load_pages: Vec<u64>,
    /// Kinds of clients, by name.
    pub clients: Vec<Client>,
    /// Ops that were looked at, and the board time that they take.
    pub ops: u64,
    /// In microseconds; of a recording in ops.
    pub time_us: u64,
}

/// Blocks of one order: slots that are taken now, and the most.
#[derive(Clone, Copy, Default)]
struct Slots {
    now: u64,
    most: u64,
}

/// What is live, and what it needs.
#[derive(Default)]
struct Live {
    /// Client, pages, align as stated and when it was asked for, by id.
    buffers: BTreeMap<u64, (u16, u64, Option<u32>, u64)>,
    pages: u64,
    most_pages: u64,
    /// For each cap, by order.
    slots: Vec<Vec<Slots>>,
}

/// Orders that are looked at.
const ORDERS: u32 = 20;

impl Live {
    fn change(&mut self, count: u64, align: Option<u32>, taken: bool) {
        for (cap, orders) in (0..).zip(&mut self.slots) {
            let align = align.unwrap_or_else(|| cma_policies::dma_align(count, cap)).min(ORDERS);
            for (order, slots) in (0..=align).zip(orders) {
                let own = count.div_ceil(1 << order);
                slots.now = if taken { slots.now + own } else { slots.now.saturating_sub(own) };
                slots.most = slots.most.max(slots.now);
            }
        }
    }

    /// The aligned LOAD at each cap.
    fn aligned(&self) -> Vec<u64> {
        let least =
            |(order, slots): (u32, &Slots)| (slots.most << order).saturating_sub((1 << order) - 1);
        let of = |orders: &Vec<Slots>| (0..).zip(orders).map(least).max().unwrap_or(0);
        self.slots.iter().map(of).collect()
    }
}

/// Looks at the first stream of each work, up to `length_us` of board time, on areas of so many
/// pages; aligned LOAD at caps up to `most_cap`.
pub(super) fn survey(
    works: &[Work],
    (area_pages, page): (u64, Page),
    (length_us, most_cap): (u64, u32),
) -> Result<Survey, Failed> {
    let mut found = Survey::default();
    let mut clients: BTreeMap<String, Client> = BTreeMap::new();
    for work in works {
        let stream = work.open(1, area_pages, page);
        let stream = stream.map_err(|error| Failed::Draw(work.name.clone(), error))?;
        let names: Vec<String> = stream.ops.clients().to_vec();
        let slots = vec![vec![Slots::default(); ORDERS as usize + 1]; most_cap as usize + 1];
        let mut live = Live { slots, ..Live::default() };
        let before = stream.ops.before().to_vec();
        let before = before.into_iter().map(|op| Timed { at_us: 0, op });
        let mut own = (0, 0);
        for (index, Timed { at_us, op }) in before.chain(stream.ops).enumerate() {
            if at_us >= length_us || index as u64 >= MOST_OPS {
                break;
            }
            own = (index as u64 + 1, at_us);
            note(op, at_us, &names, &mut live, &mut clients);
        }
        found.ops += own.0;
        found.time_us += own.1;
        found.load_pages = found.load_pages.max(live.most_pages);
        let aligned = live.aligned();
        found.aligned_load_pages.resize(aligned.len(), 0);
        let most = found.aligned_load_pages.iter_mut().zip(aligned);
        most.for_each(|(most, own)| *most = (*most).max(own));
        clients.values_mut().for_each(|client| client.pages = 0);
    }
    found.clients = clients.into_iter().map(|(name, client)| Client { name, ..client }).collect();
    Ok(found)
}

fn note(
    op: Op,
    at_us: u64,
    names: &[String],
    live: &mut Live,
    clients: &mut BTreeMap<String, Client>,
) {
    match op {
        Op::Alloc { id, request, dma } => {
            let (count, client) = (request.count(), request.client());
            let align = (!dma).then_some(request.align());
            if live.buffers.insert(id, (client, count, align, at_us)).is_some() {
                return;
            }
            live.change(count, align, true);
            live.pages += count;
            live.most_pages = live.most_pages.max(live.pages);
            let name = names.get(usize::from(client)).map_or("", |name| kind(name));
            let own = clients.entry(name.to_string()).or_default();
            own.requests += 1;
            *own.sizes.entry(count).or_default() += 1;
            own.pages += count;
            own.most_pages = own.most_pages.max(own.pages);
        }
        Op::Free { id, part: None } => {
            let Some((client, count, align, from_us)) = live.buffers.remove(&id) else { return };
            live.change(count, align, false);
            live.pages -= count;
            let name = names.get(usize::from(client)).map_or("", |name| kind(name));
            if let Some(own) = clients.get_mut(name) {
                own.pages = own.pages.saturating_sub(count);
                own.life_us += u128::from(at_us.saturating_sub(from_us));
                own.ended += 1;
            }
        }
        // A part that goes back makes no request smaller.
        Op::Free { .. } | Op::Pin(_) | Op::Unpin(_) => {}
    }
}
