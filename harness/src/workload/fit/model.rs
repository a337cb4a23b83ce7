//! What a history is made of: sessions, the slots that they follow each other in, and phases.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::closed::Closed;
use super::history::{Buffer, History};
use crate::board::kind;

/// A stretch of time in which requests come at one pace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Phase {
    /// When it begins, in microseconds (in ops, of a recording).
    pub from_us: u64,
    /// When it ends.
    pub to_us: u64,
    /// Requests in it.
    pub requests: u64,
    /// They come more than twice as fast as in half of all time.
    pub burst: bool,
}

/// Stretches that time is looked at in.
const WINDOWS: u64 = 64;

/// The phase that a moment falls in. Behind the last, time begins anew.
pub(super) fn phase_at(phases: &[Phase], at_us: u64) -> Option<&Phase> {
    let whole = phases.last()?.to_us.max(1);
    let at_us = at_us % whole;
    let index = phases.partition_point(|phase| phase.to_us <= at_us);
    phases.get(index)
}

/// The power of two that a number lies below: 0 of 0, 1 of 1, 2 of 2 and 3 …
pub(super) const fn octave(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

/// What happens in a session at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// It asks for a buffer of so many pages, of this order if it states one.
    Ask(u64, Option<u32>),
    /// Its buffer of this number is given back.
    Free(u32),
}

/// A session: what lives and dies together, from its first request on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Session {
    /// When it began in the file.
    pub(super) at_us: u64,
    /// How long it took; none if it had not ended.
    pub(super) lasts_us: Option<u64>,
    /// What happens, and how long after its begin.
    pub(super) events: Vec<(u64, What)>,
}

impl Session {
    /// Ends what had not ended at `now_us`: it is taken to last as long as half of those that
    /// lasted longer than it so far; no longer where none did.
    fn end(&mut self, now_us: u64, ended_us: &[u64]) {
        if self.lasts_us.is_some() {
            return;
        }
        let last_us = self.events.last().map_or(0, |event| event.0);
        let age_us = now_us.saturating_sub(self.at_us).max(last_us);
        let longer = &ended_us[ended_us.partition_point(|lasts_us| *lasts_us <= age_us)..];
        let lasts_us = longer.get(longer.len() / 2).copied().unwrap_or(age_us);
        let mut live = BTreeSet::new();
        let mut asked = 0;
        for (_, what) in &self.events {
            match what {
                What::Ask(..) => {
                    live.insert(asked);
                    asked += 1;
                }
                What::Free(number) => _ = live.remove(number),
            }
        }
        self.events.extend(live.into_iter().map(|number| (lasts_us, What::Free(number))));
        self.lasts_us = Some(lasts_us);
    }

    /// Pages of what it asks for first, at one moment.
    pub(super) fn first_pages(&self) -> u64 {
        let first = self.events.iter().take_while(|(after_us, _)| *after_us == 0);
        first.fold(0, |pages, (_, what)| match what {
            What::Ask(count, _) => pages.saturating_add(*count),
            What::Free(_) => pages,
        })
    }
}

/// Sessions that may take the place of each other: of one kind of client and about one size.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Class {
    /// Those that came to their end.
    pub(super) sessions: Vec<Session>,
    /// Their numbers by phase: steady, burst.
    pub(super) by_phase: [Vec<u32>; 2],
    /// By level, pauses before a session, by phase. Level n is used while n sessions of the class
    /// and the client run.
    pub(super) pauses: Vec<[Vec<u64>; 2]>,
}

/// Where sessions of one class follow each other, as those of one camera do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Slot {
    pub(super) client: u16,
    pub(super) class: usize,
    pub(super) level: usize,
    /// When its first session began.
    pub(super) at_us: u64,
    /// How many it had.
    pub(super) sessions: u64,
}

/// What streams are drawn from.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Model {
    pub(super) clients: Vec<String>,
    /// Kinds of clients that hold as much as they may: they have no sessions.
    pub(super) closed: Vec<Closed>,
    pub(super) classes: Vec<Class>,
    pub(super) slots: Vec<Slot>,
    /// What stays: client and session.
    pub(super) residents: Vec<(u16, Session)>,
    pub(super) before: Vec<Buffer>,
    pub(super) phases: Vec<Phase>,
    /// LOAD, without what was there before and stays.
    pub(super) load_pages: u64,
    /// The same with what was refused: what streams may ask for.
    pub(super) meant_pages: u64,
    pub(super) ops: u64,
    pub(super) end_us: u64,
}

/// The slots of one client and class while sessions are put into them.
#[derive(Default)]
struct Levels {
    /// Which slot it is, and when it is free again: none once it is not.
    slots: Vec<(usize, Option<u64>)>,
    busy: BinaryHeap<Reverse<(u64, usize)>>,
    free: BTreeSet<usize>,
}

impl Levels {
    /// The lowest level that is free at `at_us`, taken until `end_us`.
    fn take(&mut self, at_us: u64, end_us: Option<u64>) -> usize {
        while let Some(&Reverse((end, level))) = self.busy.peek()
            && end <= at_us
        {
            self.busy.pop();
            self.free.insert(level);
        }
        let level = self.free.pop_first().unwrap_or(self.slots.len());
        self.busy.extend(end_us.map(|end_us| Reverse((end_us, level))));
        level
    }
}

/// A kind of clients is taken apart at the moments at which a client holds nothing, if there are
/// so many such stretches that ended …
const LEAST_STRETCHES: usize = 8;
/// … and none, nor those that did not end together, has more than this part of the requests.
const LARGEST_STRETCH: usize = 4;
/// So many buffers that a program asks for before it gives any back are one session.
const MANY: usize = 8;

impl Model {
    pub(super) fn of(history: &History) -> Self {
        let phases = phases(history);
        let before_pages = stays(&history.before);
        let mut model = Self {
            clients: history.clients.clone(),
            closed: history.closed.clone(),
            before: history.before.clone(),
            phases,
            load_pages: history.load_pages.saturating_sub(before_pages),
            meant_pages: history.meant_pages.saturating_sub(before_pages),
            ops: history.ops,
            end_us: history.end_us,
            ..Self::default()
        };
        model.number_lanes(history);
        let mut classes = BTreeMap::new();
        for (key, client, session) in sessions(history) {
            let sessions: &mut Vec<(u16, Session)> = classes.entry(key).or_default();
            sessions.push((client, session));
        }
        for sessions in classes.into_values() {
            model.add_class(sessions);
        }
        model
    }

    /// Whether sessions are drawn of this client.
    pub(super) fn has_sessions(&self, client: u16) -> bool {
        let slots = self.slots.iter().map(|slot| slot.client);
        slots.chain(self.residents.iter().map(|(own, _)| *own)).any(|own| own == client)
    }

    /// Gives those that hold as much as they may numbers of their own where others ask under theirs: a
    /// client does one thing after a refusal, and holds what is its own.
    fn number_lanes(&mut self, history: &History) {
        let others = history.buffers.iter().filter(|buffer| !buffer.is_closed);
        let mut taken: BTreeSet<u16> = others.map(|buffer| buffer.client).collect();
        let mut next = self.clients.len();
        for lane in self.closed.iter_mut().flat_map(|closed| &mut closed.lanes) {
            if !taken.insert(lane.client)
                && let Ok(number) = u16::try_from(next)
            {
                lane.own = Some(number);
                next += 1;
            }
        }
    }

    /// Pages of what was there before, and stays.
    pub(super) fn before_pages(&self) -> u64 {
        stays(&self.before)
    }

    /// A class of these sessions with their clients, in order of time for each client.
    fn add_class(&mut self, sessions: Vec<(u16, Session)>) {
        let index = self.classes.len();
        let mut ended: Vec<_> = sessions.iter().filter_map(|(_, s)| s.lasts_us).collect();
        ended.sort_unstable();
        let longest = ended.last().copied();
        // What lives twice as long as anything that ended stays.
        let stays = |session: &Session| {
            let age_us = self.end_us - session.at_us.min(self.end_us);
            session.lasts_us.is_none() && longest.is_none_or(|longest| age_us / 2 >= longest)
        };
        let (residents, sessions): (Vec<_>, Vec<_>) =
            sessions.into_iter().partition(|(_, session)| stays(session));
        self.residents.extend(residents);
        let mut class = Class::default();
        let mut levels: BTreeMap<u16, Levels> = BTreeMap::new();
        for (client, mut session) in sessions {
            let levels = levels.entry(client).or_default();
            let end_us = session.lasts_us.map(|lasts_us| session.at_us + lasts_us);
            let level = levels.take(session.at_us, end_us);
            if class.pauses.len() <= level {
                class.pauses.push(Default::default());
            }
            let slots = &mut levels.slots;
            if let Some((slot, free_us)) = slots.get_mut(level) {
                let since_us = free_us.unwrap_or(session.at_us);
                let burst = self.is_burst(since_us);
                class.pauses[level][burst].push(session.at_us - since_us);
                self.slots[*slot].sessions += 1;
                *free_us = end_us;
            } else {
                slots.push((self.slots.len(), end_us));
                let at_us = session.at_us;
                self.slots.push(Slot { client, class: index, level, at_us, sessions: 1 });
            }
            session.end(self.end_us, &ended);
            let burst = self.is_burst(session.at_us);
            class.by_phase[burst].push(class.sessions.len() as u32);
            class.sessions.push(session);
        }
        self.last_pauses(&mut class, &levels);
        self.classes.push(class);
    }

    /// The pauses that had not ended when the file did: longer than it shows. They are taken as if
    /// time went round in a circle, where no pause that ended was as long.
    fn last_pauses(&self, class: &mut Class, levels: &BTreeMap<u16, Levels>) {
        for levels in levels.values() {
            for (level, (slot, free_us)) in levels.slots.iter().enumerate() {
                let Some(free_us) = free_us else { continue };
                let rest_us = self.end_us.saturating_sub(*free_us);
                let longest = class.pauses[level].iter().flatten().max();
                if longest.is_none_or(|longest| rest_us > *longest) {
                    let burst = self.is_burst(*free_us);
                    let around_us = rest_us.saturating_add(self.slots[*slot].at_us);
                    class.pauses[level][burst].push(around_us);
                }
            }
        }
    }

    /// 1 in a burst, 0 else.
    pub(super) fn is_burst(&self, at_us: u64) -> usize {
        usize::from(phase_at(&self.phases, at_us).is_some_and(|phase| phase.burst))
    }
}

/// Pages of those buffers that stay to the end.
fn stays(buffers: &[Buffer]) -> u64 {
    let stay = buffers.iter().filter(|buffer| buffer.end_us.is_none());
    stay.fold(0, |sum, buffer| sum.saturating_add(buffer.count))
}

/// Stretches of time, by pace.
fn phases(history: &History) -> Vec<Phase> {
    let whole = history.end_us.saturating_add(1);
    let windows = WINDOWS.min(whole);
    let bound = |window: u64| (u128::from(whole) * u128::from(window) / u128::from(windows)) as u64;
    let mut counts = vec![0_u64; windows as usize];
    for buffer in &history.buffers {
        let window = u128::from(buffer.at_us.min(history.end_us)) * u128::from(windows);
        counts[((window / u128::from(whole)) as usize).min(windows as usize - 1)] += 1;
    }
    let mut sorted = counts.clone();
    sorted.sort_unstable();
    let median = sorted[sorted.len() / 2];
    // A handful of requests is no burst.
    let burst = |count: u64| count > 2 * median && count >= 16;
    let mut phases: Vec<Phase> = Vec::new();
    for (window, count) in (0..).zip(counts) {
        let (from_us, to_us) = (bound(window), bound(window + 1));
        match phases.last_mut() {
            Some(last) if last.burst == burst(count) => {
                last.to_us = to_us;
                last.requests += count;
            }
            _ => phases.push(Phase { from_us, to_us, requests: count, burst: burst(count) }),
        }
    }
    phases
}

/// Kind of client; of those that are not taken apart at empty moments the size of a group.
type Key = (String, Option<(u32, Option<u32>)>);

/// A client, and its buffers cut where it holds nothing.
type Cut = (u16, Vec<Vec<Buffer>>);

/// The sessions of a history, for each client in order of time.
fn sessions(history: &History) -> Vec<(Key, u16, Session)> {
    let mut by_client: BTreeMap<u16, Vec<Buffer>> = BTreeMap::new();
    for buffer in history.buffers.iter().filter(|buffer| !buffer.is_closed) {
        by_client.entry(buffer.client).or_default().push(*buffer);
    }
    let kind_of = |client: u16| {
        let name = history.clients.get(usize::from(client));
        kind(name.map_or("", String::as_str)).to_string()
    };
    let mut kinds: BTreeMap<String, Vec<Cut>> = BTreeMap::new();
    let mut sessions = Vec::new();
    for (client, mut buffers) in by_client {
        let kind = kind_of(client);
        for (pid, own) in at_once(&mut buffers) {
            sessions.push(((format!("{kind} {pid}"), None), client, session(&own)));
        }
        kinds.entry(kind).or_default().push((client, stretches(&buffers)));
    }
    for (kind, clients) in kinds {
        let all = clients.iter().flat_map(|(_, stretches)| stretches);
        let requests: usize = all.clone().map(Vec::len).sum();
        let largest = all.clone().map(Vec::len).max().unwrap_or(0);
        let ended = |stretch: &&Vec<Buffer>| stretch.iter().all(|b| b.end_us.is_some());
        let cut_short = all.clone().filter(|stretch| !ended(stretch)).map(Vec::len).sum::<usize>();
        let whole = all.filter(ended).count() >= LEAST_STRETCHES
            && largest.max(cut_short) <= requests / LARGEST_STRETCH;
        for (client, stretches) in clients {
            for stretch in stretches {
                if whole {
                    sessions.push(((kind.clone(), None), client, session(&stretch)));
                    continue;
                }
                for group in stretch.chunk_by(|one, other| one.at_us == other.at_us) {
                    let pages = group.iter().fold(0_u64, |sum, b| sum.saturating_add(b.count));
                    let key = (kind.clone(), Some((octave(pages), group[0].align)));
                    sessions.push((key, client, session(group)));
                }
            }
        }
    }
    sessions
}

/// Takes out of a client's buffers those of each program that asks for many before it gives any back,
/// and for none after that: all of it is one session.
fn at_once(buffers: &mut Vec<Buffer>) -> BTreeMap<u32, Vec<Buffer>> {
    let mut programs: BTreeMap<u32, Vec<Buffer>> = BTreeMap::new();
    for buffer in &*buffers {
        let Some(pid) = buffer.pid else { continue };
        programs.entry(pid).or_default().push(*buffer);
    }
    let one = |buffers: &[Buffer]| {
        let last_us = buffers.iter().map(|buffer| buffer.at_us).max();
        let first_back_us = buffers.iter().filter_map(|buffer| buffer.end_us).min();
        buffers.len() >= MANY && first_back_us >= last_us
    };
    programs.retain(|_, own| one(own));
    buffers.retain(|buffer| buffer.pid.is_none_or(|pid| !programs.contains_key(&pid)));
    programs
}

/// The buffers of a client, cut where it holds nothing.
fn stretches(buffers: &[Buffer]) -> Vec<Vec<Buffer>> {
    let mut cut: Vec<Vec<Buffer>> = Vec::new();
    let (mut end_us, mut last_us) = (0, None);
    for buffer in buffers {
        let begins = last_us.is_none_or(|last| buffer.at_us > last && buffer.at_us >= end_us);
        if begins {
            cut.push(Vec::new());
        }
        end_us = end_us.max(buffer.end_us.unwrap_or(u64::MAX));
        last_us = Some(buffer.at_us);
        cut.last_mut().expect("it has begun").push(*buffer);
    }
    cut
}

/// What these buffers are as a session.
fn session(buffers: &[Buffer]) -> Session {
    let at_us = buffers[0].at_us;
    let mut events = Vec::new();
    for (number, buffer) in (0..).zip(buffers) {
        // At one moment: what was there goes, the new comes, what came in vain goes.
        events.push((buffer.at_us - at_us, 1, number, What::Ask(buffer.count, buffer.align)));
        if let Some(end_us) = buffer.end_us {
            let order = if end_us <= buffer.at_us { 2 } else { 0 };
            let after_us = end_us.max(buffer.at_us) - at_us;
            events.push((after_us, order, number, What::Free(number)));
        }
    }
    events.sort_by_key(|&(after_us, order, number, _)| (after_us, order, number));
    let ended = buffers.iter().all(|buffer| buffer.end_us.is_some());
    let last = events.last().map_or(0, |event| event.0);
    let events = events.into_iter().map(|(after_us, _, _, what)| (after_us, what)).collect();
    Session { at_us, lasts_us: ended.then_some(last), events }
}
