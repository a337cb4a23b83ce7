//! What a text shows of a configuration that was recommended.

use std::cmp::Ordering;

use super::Diagnosis;
use crate::boot::{Asked, At, Fate, Origin, Recommended, RecommendedArea, Story};
use crate::timeline::{CapShown, Class};

/// Whether something is as recommended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holds {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// The text does not show it.
    Unknown,
}

impl Holds {
    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }

    const fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// A text, held against a recommendation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AsRecommended {
    /// Each recommended area, in the order of the recommendation.
    pub areas: Vec<AreaHeld>,
    /// The cap, where one is recommended.
    pub cap: Option<CapHeld>,
}

/// A recommended area and what shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AreaHeld {
    /// As recommended.
    pub area: RecommendedArea,
    /// Whether it is so.
    pub holds: Holds,
    /// What shows it.
    pub by: AreaBy,
}

/// What shows an area.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AreaBy {
    /// What became of it: its index in `Story::areas`.
    Boot(usize),
    /// The area that is the default one in its place: the same.
    Instead(usize),
    /// Its pages, by debugfs, sysfs, a trace or a list; whether they are of the default area that no
    /// node asks for, in its place.
    Pages(u64, bool),
    /// All areas have so many bytes (`CmaTotal`), where the recommended ones have the second number.
    Total(u64, u64),
    /// Nothing.
    Nothing,
}

/// The recommended cap and what shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CapHeld {
    /// As recommended.
    pub cap: u32,
    /// Whether it is so.
    pub holds: Holds,
    /// What configurations of the text state.
    pub stated: Vec<(u32, At)>,
    /// The order of calls of a trace that says most, and these.
    pub calls: Option<CallsShow>,
}

/// The calls of a trace that ask for an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallsShow {
    /// The order.
    pub order: u32,
    /// The cap is that; or it is no less.
    pub is_exact: bool,
    /// The calls.
    pub class: Class,
    /// Whether that is the recommended cap.
    holds: Holds,
}

impl AsRecommended {
    /// Holds what `found` says against `recommended`.
    pub fn new(recommended: &Recommended, found: &Diagnosis) -> Self {
        let areas = recommended.areas.iter().map(|area| area_held(area, found)).collect();
        let cap = recommended.cap.map(|cap| cap_held(cap, found));
        let mut new = Self { areas, cap };
        new.by_sum(found);
        new
    }

    /// Whether all of it is so: one that is not decides.
    pub fn verdict(&self) -> Holds {
        let cap = self.cap.iter().map(|cap| cap.holds);
        let all = || self.areas.iter().map(|area| area.holds).chain(cap.clone());
        let any = |holds| all().any(|one| one == holds);
        [Holds::No, Holds::Unknown].into_iter().find(|holds| any(*holds)).unwrap_or(Holds::Yes)
    }

    /// What the sum of all areas says of those that nothing else shows. It says that they are there
    /// for one of them alone: of two, one may have what the other lacks.
    fn by_sum(&mut self, found: &Diagnosis) {
        let story = &found.boot;
        let Some(total) = story.cma_total.or(story.cma_reserved) else { return };
        let sum = |area: &&AreaHeld| area.holds != Holds::No;
        let sum = self.areas.iter().filter(sum).fold(0u64, |sum, one| {
            sum.saturating_add(one.has_bytes(story).unwrap_or(one.area.bytes))
        });
        let is_single = self.areas.iter().filter(|one| one.holds != Holds::Yes).count() == 1;
        let holds = match total.cmp(&sum) {
            Ordering::Less => Holds::No,
            Ordering::Equal if is_single => Holds::Yes,
            _ => Holds::Unknown,
        };
        for one in self.areas.iter_mut().filter(|one| one.holds == Holds::Unknown) {
            if holds != Holds::Unknown || one.by == AreaBy::Nothing {
                (one.holds, one.by) = (holds, AreaBy::Total(total, sum));
            }
        }
    }
}

impl AreaHeld {
    /// Its bytes as the text shows them.
    pub fn has_bytes(&self, story: &Story) -> Option<u64> {
        match self.by {
            AreaBy::Boot(index) | AreaBy::Instead(index) => story.areas[index].bytes,
            AreaBy::Pages(pages, _) => story.page.and_then(|(bytes, _)| pages.checked_mul(bytes)),
            AreaBy::Total(..) | AreaBy::Nothing => None,
        }
    }
}

fn area_held(area: &RecommendedArea, found: &Diagnosis) -> AreaHeld {
    let (holds, by) = by_boot(area, found)
        .filter(|(holds, _)| *holds != Holds::Unknown)
        .or_else(|| by_pages(area, found))
        .or_else(|| by_boot(area, found))
        .unwrap_or((Holds::Unknown, AreaBy::Nothing));
    AreaHeld { area: area.clone(), holds, by }
}

/// By the lines of a boot, the command line and the device tree.
fn by_boot(area: &RecommendedArea, found: &Diagnosis) -> Option<(Holds, AreaBy)> {
    let story = &found.boot;
    let of_size = |asked: &Asked| area.is_size_of(asked, story);
    let named = story.areas.iter().position(|asked| {
        let name = asked.name.as_deref();
        name.is_some_and(|name| area.is(name))
    });
    let is_default = |asked: &Asked| asked.default && asked.fate == Fate::Placed;
    let default = area.default.then(|| story.areas.iter().position(is_default)).flatten();
    // What others get from the default area is the same, whoever asks for it.
    let instead = default.filter(|index| Some(*index) != named).map(|index| {
        let asked = &story.areas[index];
        let holds = if asked.bytes.is_some() { Holds::of(of_size(asked)) } else { Holds::Unknown };
        (holds, AreaBy::Instead(index))
    });
    let Some((index, asked)) = named.map(|index| (index, &story.areas[index])) else {
        return instead;
    };
    let own = match &asked.fate {
        Fate::Placed | Fate::NotDefault(_) if asked.bytes.is_none() => Holds::Unknown,
        Fate::NotDefault(_) if area.default => Holds::No,
        Fate::Placed | Fate::NotDefault(_) => Holds::of(of_size(asked)),
        // A device tree alone.
        Fate::Unknown(_) => match asked.asked_bytes {
            Some(bytes) if asked.origin == Origin::Node && bytes != area.bytes => Holds::No,
            _ => Holds::Unknown,
        },
        _ => Holds::No,
    };
    // Of one that has no memory is said why, unless the other one serves as well.
    let by_other = |other: &(Holds, AreaBy)| match asked.fate {
        Fate::Placed => !asked.default,
        Fate::Unknown(_) => true,
        _ => other.0 == Holds::Yes,
    };
    Some(instead.filter(by_other).unwrap_or((own, AreaBy::Boot(index))))
}

/// By files and events of a running kernel. `reserved` is the default area that no node asks for.
fn by_pages(area: &RecommendedArea, found: &Diagnosis) -> Option<(Holds, AreaBy)> {
    let total = |is: &dyn Fn(&str) -> bool| {
        let mut areas = found.areas.iter();
        areas.find(|state| state.name.as_deref().is_some_and(is))?.total
    };
    let own = total(&|name| area.is(name));
    let pages = own.or_else(|| total(&|name| area.default && name == "reserved"))?;
    let story = &found.boot;
    let is = |bytes: u64| pages.checked_mul(bytes) == Some(area.bytes);
    let holds = match story.page {
        None if !is(4096) => Holds::Unknown,
        _ => Holds::of(is(story.page_bytes())),
    };
    Some((holds, AreaBy::Pages(pages, own.is_none())))
}

fn cap_held(cap: u32, found: &Diagnosis) -> CapHeld {
    let stated = found.boot.caps.clone();
    let each = found.caps.iter().filter_map(|(_, shown)| calls_show(shown, cap));
    let calls = each.min_by_key(|calls| match calls.holds {
        Holds::No => 0,
        Holds::Yes => 1,
        Holds::Unknown => 2,
    });
    let by_calls = calls.as_ref().map(|calls| calls.holds).filter(|holds| *holds != Holds::Unknown);
    let all = stated.iter().map(|(stated, _)| Holds::of(*stated == cap)).chain(by_calls);
    let all: Vec<_> = all.collect();
    // What contradicts itself shows nothing.
    let first = all.first().copied().unwrap_or(Holds::Unknown);
    let holds = if all.iter().all(|one| *one == first) { first } else { Holds::Unknown };
    CapHeld { cap, holds, stated, calls }
}

/// What the calls of an area say of `cap`: more than that no caller gets, unless its driver names
/// the order; less may be a cap of its own.
fn calls_show(shown: &CapShown, cap: u32) -> Option<CallsShow> {
    let exact = shown.by.as_ref().map(|class| (shown.cap, true, class));
    let least = || shown.least.as_ref().map(|(order, class)| (*order, false, class));
    let (order, is_exact, class) = exact.or_else(least)?;
    let is_mixed = || shown.others().any(|(order, ..)| *order == cap);
    let holds = match order.cmp(&cap) {
        Ordering::Equal if is_exact => Holds::Yes,
        Ordering::Greater if (is_exact || class.is_telling()) && !is_mixed() => Holds::No,
        _ => Holds::Unknown,
    };
    Some(CallsShow { order, is_exact, class: class.clone(), holds })
}
