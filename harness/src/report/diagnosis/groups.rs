//! Failures that are alike, as one.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::board;
use super::picture::{Detail, Map, Wanted};
use crate::cause::Cause;
use crate::diagnose::{
    Advice, AlignFrom, AreaState, Confidence, Diagnosis, Failure, Incident, Resident, Step, advise,
    residents, verdict_name,
};
use crate::kernel::Errno;
use crate::report::view::View;

/// The most groups that are kept apart; further failures are only counted.
const MOST_GROUPS: usize = 256;
/// The most devices of a group that are named beside the first.
const MOST_OTHERS: usize = 4;
/// The most holes of all states that are kept for pictures and advice: 24 bytes each.
const MOST_HOLES: usize = 400_000;
/// The most groups that are shown with picture and advice.
const MOST_DETAILED: usize = 16;

/// What failures that are alike have in common.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Key {
    area: Option<Arc<str>>,
    count: Option<u64>,
    align: Option<(u32, AlignFrom)>,
    ret: Option<Errno>,
    verdict: Option<Cause>,
    confidence: Confidence,
}

/// Failures alike in area, count, align, ret, verdict and confidence.
#[derive(Clone, Debug)]
pub struct Group {
    /// The first of them. Its lists are gone, and its state too where too much is kept already.
    pub first: Failure,
    /// How many there are.
    pub failures: u64,
    /// How many of them are of a kernel log in which no driver reported them.
    pub unreported: u64,
    /// How many of them became what the first one did, as surely.
    pub same_outcome: u64,
    /// The devices whose drivers reported those after the first, each once, where they are others.
    pub others: Vec<Arc<str>>,
    /// When the first one was reported that has a stamp, in microseconds.
    pub first_us: Option<u64>,
    /// When the last one was reported that has a stamp, in microseconds.
    pub last_us: Option<u64>,
}

impl Group {
    /// The device of one more of these failures.
    fn note_device(&mut self, incident: &Incident) {
        let Some(device) = &incident.who.device else { return };
        let is_first = self.first.incident.who.device.as_ref() == Some(device);
        if !is_first && self.others.len() < MOST_OTHERS && !self.others.contains(device) {
            self.others.push(Arc::clone(device));
        }
    }

    /// Whether the rate limit hid their lines, and other lines say what they may have been.
    pub(super) fn is_hidden(&self) -> bool {
        self.first.incident.count.is_none() && !self.first.incident.beside.is_empty()
    }
}

/// Collects failures: in bounded memory, however many there are.
#[derive(Clone, Default, Debug)]
pub struct Groups {
    groups: Vec<Group>,
    index: FxHashMap<Key, usize>,
    /// Failures of each verdict in the order of the table of causes, then undecidable.
    verdicts: BTreeMap<(bool, Option<Cause>), u64>,
    /// Failures that are in no group.
    beyond: u64,
    /// Failures that a kernel log shows to be CMA's.
    refused: u64,
    holes: usize,
}

impl Groups {
    /// Counts one more failure.
    pub fn push(&mut self, failure: &Failure) {
        *self.verdicts.entry((failure.verdict.is_none(), failure.verdict)).or_default() += 1;
        let incident = &failure.incident;
        self.refused += u64::from(incident.logged);
        let key = Key {
            area: incident.area.clone(),
            count: incident.count,
            align: failure.align,
            ret: incident.ret,
            verdict: failure.verdict,
            confidence: failure.confidence,
        };
        let time = incident.time_us;
        if let Some(index) = self.index.get(&key) {
            let group = &mut self.groups[*index];
            group.failures += 1;
            group.unreported += u64::from(incident.is_unreported());
            let same = group.first.incident.outcome == incident.outcome;
            group.same_outcome += u64::from(same);
            group.note_device(incident);
            group.first_us = group.first_us.into_iter().chain(time).min();
            group.last_us = group.last_us.into_iter().chain(time).max();
        } else if self.groups.len() < MOST_GROUPS {
            self.index.insert(key, self.groups.len());
            let first = self.keep(failure);
            let unreported = u64::from(incident.is_unreported());
            let (failures, same_outcome, first_us, last_us) = (1, 1, time, time);
            let others = Vec::new();
            let group =
                Group { first, failures, unreported, same_outcome, others, first_us, last_us };
            self.groups.push(group);
        } else {
            self.beyond += 1;
        }
    }

    /// `failure` without its lists, and without its state where that is too much.
    fn keep(&mut self, failure: &Failure) -> Failure {
        let incident = &failure.incident;
        let holes = |state: &Arc<AreaState>| {
            let live = state.live.as_ref().map_or(0, Vec::len);
            state.ranges.iter().map(|range| range.holes.len()).sum::<usize>() + live
        };
        let state = incident.state.clone().filter(|state| self.holes + holes(state) <= MOST_HOLES);
        self.holes += state.as_ref().map_or(0, holes);
        let light =
            Incident { list: None, other_lists: Vec::new(), state, ..Incident::clone(incident) };
        Failure { incident: Arc::new(light), ..failure.clone() }
    }

    /// The first failure with enough free pages, else the first one.
    pub fn first(&self) -> Option<&Failure> {
        let mut firsts = self.groups.iter().map(|group| &group.first);
        let withheld = firsts.clone().find(|one| one.verdict.is_some_and(Cause::is_withheld));
        withheld.or_else(|| firsts.next())
    }

    /// Failures in all.
    pub fn failures(&self) -> u64 {
        self.verdicts.values().sum()
    }

    /// Whether one of them has this verdict, by its word.
    pub fn has(&self, verdict: &str) -> bool {
        self.verdicts().any(|(name, _)| name == verdict)
    }

    /// The verdicts that there are, with the number of their failures, in the order of the table of
    /// causes.
    pub fn verdicts(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.verdicts.iter().map(|((_, verdict), failures)| (verdict_name(*verdict), *failures))
    }
}

/// All that text and HTML show, at the end of the input.
#[derive(Debug)]
pub struct Report<'a> {
    /// What was found beside the failures.
    pub diagnosis: &'a Diagnosis,
    /// The groups, the largest first, else in order of appearance.
    pub groups: Vec<Shown<'a>>,
    /// The verdicts that there are, the most frequent first.
    pub verdicts: Vec<(&'static str, u64)>,
    /// Failures in all.
    pub failures: u64,
    /// Failures that are in no group.
    pub beyond: u64,
    /// Failures that a kernel log shows to be CMA's.
    pub refused: u64,
    /// The area of the failure that matters most, over the time, where a trace shows it.
    pub over_time: OverTime,
}

/// What a page shows of an area over the time.
#[derive(Clone, Debug, Default)]
pub enum OverTime {
    /// Nothing: no trace shows it.
    #[default]
    Unknown,
    /// Its film, the first one of this.
    Film(Box<View>),
    /// The trace has more events than this. The command draws it all the same.
    TooLong(u64, String),
}

/// A group with what there is to say about it.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The group.
    pub group: &'a Group,
    /// What would have helped, best first; nothing where the group has no detail.
    pub advice: Vec<Advice>,
    /// What memory the system had, where that is why.
    pub memory: Option<String>,
    /// The area on one line.
    pub strip: Option<Map>,
    /// The area slot by slot, where that is another picture, and the first of its area.
    pub map: Option<Map>,
    /// The free run that comes closest to the request, where alignment is why.
    pub detail: Option<Detail>,
    /// Whether there is more to show than a line.
    pub detailed: bool,
    /// Whether the kernel log begins with the boot.
    pub from_boot: bool,
}

impl<'a> Report<'a> {
    /// Puts together what is known at the end.
    pub fn new(groups: &'a Groups, diagnosis: &'a Diagnosis) -> Self {
        let mut order: Vec<&Group> = groups.groups.iter().collect();
        order.sort_by_key(|group| (group.is_hidden(), std::cmp::Reverse(group.failures)));
        let mut mapped: Vec<Option<&Arc<str>>> = Vec::new();
        let mut show = |(index, group)| {
            let mut shown = Shown::new(group, diagnosis, index < MOST_DETAILED);
            // One large picture of an area is enough.
            let area = group.first.incident.area.as_ref();
            if mapped.contains(&area) {
                shown.map = None;
            } else if shown.map.is_some() {
                mapped.push(area);
            }
            shown
        };
        let shown = order.into_iter().enumerate().map(&mut show).collect();
        let mut verdicts: Vec<_> = groups.verdicts().collect();
        verdicts.sort_by_key(|(_, failures)| std::cmp::Reverse(*failures));
        let (failures, beyond, refused) = (groups.failures(), groups.beyond, groups.refused);
        let over_time = OverTime::Unknown;
        Self { diagnosis, groups: shown, verdicts, failures, beyond, refused, over_time }
    }
}

impl<'a> Shown<'a> {
    fn new(group: &'a Group, diagnosis: &Diagnosis, detailed: bool) -> Self {
        let (failure, advice) = (&group.first, Vec::new());
        let (memory, strip, map, detail) = (None, None, None, None);
        let from_boot = diagnosis.from_boot;
        let mut shown = Self { group, advice, memory, strip, map, detail, detailed, from_boot };
        if !detailed {
            return shown;
        }
        shown.advice = advise(
            failure,
            &residents_of(failure, diagnosis),
            diagnosis.followed(&failure.incident),
            Step::of(&diagnosis.boot),
        );
        let bytes = failure.total().map(|pages| pages.saturating_mul(diagnosis.boot.page_bytes()));
        for one in &mut shown.advice {
            one.size_by = one.size_by.by_boot(&diagnosis.boot, bytes);
        }
        if failure.verdict == Some(Cause::Migration) {
            shown.memory = board::memory(diagnosis);
        }
        let state = failure.incident.state.as_deref();
        let placed = state.filter(|state| state.placed && !failure.incident.doubtful);
        let Some(state) = placed else { return shown };
        // Where alignment is not why, runs that it spoils say nothing.
        let spoils = matches!(failure.verdict, Some(Cause::Alignment) | None);
        let wanted = Wanted::of(failure).filter(|_| spoils);
        let slot = failure.align.map_or(0, |(order, _)| order);
        shown.strip = Map::strip(state, wanted.as_ref());
        shown.map = Map::slots(state, slot, wanted.as_ref()).filter(|map| {
            let finer = |strip: &Map| strip.cell_pages > map.cell_pages;
            map.shows_much() && shown.strip.as_ref().is_none_or(finer)
        });
        if failure.verdict == Some(Cause::Alignment) {
            shown.detail = wanted.and_then(|wanted| Detail::of(state, &wanted));
        }
        shown
    }
}

/// The buffers of the area that `failure` was refused in.
fn residents_of(failure: &Failure, diagnosis: &Diagnosis) -> Vec<Resident> {
    let incident = &failure.incident;
    if let Some(state) = &incident.state {
        return residents(state, diagnosis.cap_in(incident.area.as_ref()));
    }
    let named = |area: &AreaState| incident.area.is_some() && area.name == incident.area;
    let of = diagnosis.areas.iter().position(named);
    of.and_then(|index| diagnosis.residents.get(index)).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{diagnosis, misaligned, state, undecidable, with};
    use super::*;

    #[test]
    fn what_is_alike_is_one_group_with_its_time() {
        let mut groups = Groups::default();
        for us in [Some(5), None, Some(2), Some(9)] {
            groups.push(&with(&misaligned(), |incident| incident.time_us = us));
        }
        groups.push(&undecidable());
        assert_eq!((groups.failures(), groups.groups.len()), (5, 2));
        let group = &groups.groups[0];
        assert_eq!((group.failures, group.first_us, group.last_us), (4, Some(2), Some(9)));
        assert!(groups.has("alignment") && groups.has("undecidable") && !groups.has("busy"));
    }

    #[test]
    fn states_are_kept_as_far_as_there_is_room() {
        let many = vec![(1, 0); MOST_HOLES / 2];
        let mut groups = Groups::default();
        for count in 1..=3 {
            let state = Arc::new(state(None, true, &many));
            groups.push(&with(&misaligned(), |incident| {
                (incident.count, incident.state) = (Some(count), Some(state));
            }));
        }
        let kept: Vec<_> =
            groups.groups.iter().map(|group| group.first.incident.state.is_some()).collect();
        assert_eq!(kept, [true, true, false]);
    }

    #[test]
    fn an_area_has_one_large_picture() {
        let mut groups = Groups::default();
        let large = Arc::new(state(Some(100_000), true, &[(500, 513)]));
        for count in [300, 301] {
            groups.push(&with(&misaligned(), |incident| {
                (incident.count, incident.state) = (Some(count), Some(Arc::clone(&large)));
            }));
        }
        let diagnosis = diagnosis();
        let report = Report::new(&groups, &diagnosis);
        let pictures: Vec<_> = report
            .groups
            .iter()
            .map(|shown| (shown.strip.is_some(), shown.map.is_some()))
            .collect();
        assert_eq!(pictures, [(true, true), (true, false)]);
    }
}
