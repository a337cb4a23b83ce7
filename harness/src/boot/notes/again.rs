//! Stamps that go back to the first second, or the same banner again: the same boot is in the text
//! again, or another one of the same kernel or without a banner.

use super::{At, Boot, Fact, Found, MOST, Record};

/// What is of the first second of a boot, in microseconds.
const EARLY_US: u64 = 1_000_000;

/// What is known of stamps, and what was said since they went back.
#[derive(Debug, Default)]
pub(super) struct Again {
    latest_us: u64,
    /// Something of the first second was said.
    early: bool,
    /// Stamps went back, or the banner came again, when so many facts were known.
    before: Option<usize>,
    /// It was the banner: lines without stamps are of the first second as well.
    by_banner: bool,
    /// What was said since then, known or not.
    since: Vec<(At, Fact)>,
}

impl Again {
    /// Whether stamps go back with this one.
    pub(super) fn goes_back(&self, time_us: Option<u64>) -> bool {
        let early = time_us.filter(|time_us| *time_us < EARLY_US && self.early);
        let back = early.is_some_and(|time_us| self.latest_us >= time_us + EARLY_US);
        back && self.before.is_none()
    }

    /// The banner that is known comes again, when so many facts are known.
    pub(super) fn banner(&mut self, facts: usize) {
        if self.before.is_none() {
            self.before = Some(facts);
        }
        (self.by_banner, self.latest_us) = (true, 0);
    }

    /// Whether this record, where all began again, differs from `facts` in what one boot says once.
    pub(super) fn differs(&self, found: &Found, facts: &[(At, Fact)]) -> bool {
        let early = found.time_us.map_or(self.by_banner, |time_us| time_us < EARLY_US);
        if !early || self.before.is_none() && !self.goes_back(found.time_us) {
            return false;
        }
        let before = &facts[..self.before.unwrap_or(facts.len()).min(facts.len())];
        let says = |fact: &Fact| before.iter().any(|(_, known)| known == fact);
        let other = |is: &dyn Fn(&Fact) -> bool| before.iter().any(|(_, known)| is(known));
        match &found.record {
            Record::CommandLine(line) => {
                // One of the two may be cut.
                let same = |known: &str| known.starts_with(&**line) || line.starts_with(known);
                let is = |wanted: bool| {
                    other(&|fact| matches!(fact, Fact::Command(known) if same(known) == wanted))
                };
                is(false) && !is(true)
            }
            Record::Counter { area: None, name, value } if &**name == "cma-reserved" => {
                let alike =
                    |fact: &Fact| matches!(fact, Fact::Counter(None, known, _) if known == name);
                other(&alike) && !says(&Fact::Counter(None, name.clone(), *value))
            }
            Record::Reserved { area: Some(area), base, bytes } => {
                let alike =
                    |fact: &Fact| matches!(fact, Fact::Reserved(Some(known), ..) if known == area);
                other(&alike) && !says(&Fact::Reserved(Some(area.clone()), *base, *bytes))
            }
            // It is of the line that reserved an area.
            Record::Boot(Boot::Declared { .. }) => {
                let reserved = self.since.last().map(|(_, fact)| fact);
                let declared = other(&|fact| matches!(fact, Fact::Boot(Boot::Declared { .. })));
                declared && reserved.is_some_and(|fact| !says(fact))
            }
            _ => false,
        }
    }

    /// Sees a stamp, when so many facts are known.
    pub(super) fn stamp(&mut self, time_us: Option<u64>, facts: usize) {
        if self.goes_back(time_us) {
            self.before = Some(facts);
        }
        let Some(time_us) = time_us else { return };
        // Later the pass is over: what is in the text again has been seen.
        if time_us >= EARLY_US && self.before.is_some() {
            (self.before, self.since, self.by_banner) = (None, Vec::new(), false);
            self.latest_us = 0;
        }
        self.latest_us = self.latest_us.max(time_us);
    }

    /// Sees a fact.
    pub(super) fn fact(&mut self, time_us: Option<u64>, at: &At, fact: &Fact) {
        self.early |= time_us.is_some_and(|time_us| time_us < EARLY_US);
        if self.before.is_some() && self.since.len() < MOST {
            self.since.push((at.clone(), fact.clone()));
        }
    }

    /// Another boot has begun: what it said so far.
    pub(super) fn take(&mut self) -> Vec<(At, Fact)> {
        let since = std::mem::take(&mut self.since);
        *self = Self { early: !since.is_empty(), ..Self::default() };
        since
    }
}
