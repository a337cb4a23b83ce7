//! What is kept of a text until its end.

mod again;

use std::sync::Arc;

use again::Again;

use super::{At, Machine, Story, tell};
use crate::ingest::log::boot::Boot;
use crate::ingest::log::{Found, Record};

/// The most facts of a text: a boot with some hundred nodes has fewer.
const MOST: usize = 512;

/// The most values of `CONFIG_CMA_ALIGNMENT` that are told apart.
const MOST_CAPS: usize = 8;

/// The lines of a boot, as far as they are of areas, in order.
#[derive(Debug)]
pub struct Notes {
    source: Arc<str>,
    pub(super) facts: Vec<(At, Fact)>,
    pub(super) release: Option<Arc<str>>,
    /// What the caller says of the kernel, where the text does not.
    asked: Option<Arc<str>>,
    machine: Machine,
    /// `CONFIG_CMA_ALIGNMENT`: each value that is stated, and its line.
    pub(super) caps: Vec<(u32, At)>,
    /// Boots so far, at least 1.
    pub(super) boots: u64,
    /// The banner of this boot.
    banner: Option<Arc<str>>,
    /// The last boot ended, by a line that says so.
    ended: bool,
    /// The release that was stated last, and its line.
    last_release: Option<(u64, Arc<str>)>,
    again: Again,
}

/// A line.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Fact {
    /// An area was reserved: its name, first byte, bytes.
    Reserved(Option<Arc<str>>, u64, u64),
    /// The command line.
    Command(Arc<str>),
    /// A counter of the system in bytes, or of an area in pages.
    Counter(Option<Arc<str>>, Arc<str>, u64),
    /// Anything else.
    Boot(Boot),
}

impl Fact {
    fn record(&self) -> Record {
        match self.clone() {
            Self::Reserved(area, base, bytes) => Record::Reserved { area, base, bytes },
            Self::Command(line) => Record::CommandLine(line),
            Self::Counter(area, name, value) => Record::Counter { area, name, value },
            Self::Boot(boot) => Record::Boot(boot),
        }
    }
}

impl Default for Notes {
    fn default() -> Self {
        Self {
            source: "".into(),
            facts: Vec::new(),
            release: None,
            asked: None,
            machine: Machine::default(),
            caps: Vec::new(),
            boots: 1,
            banner: None,
            ended: false,
            last_release: None,
            again: Again::default(),
        }
    }
}

impl Notes {
    /// The kernel is this one, where the text does not say.
    pub fn of_kernel(kernel: Option<&str>) -> Self {
        let machine = Machine::of_kernel(kernel);
        Self { asked: kernel.map(Arc::from), machine, ..Self::default() }
    }

    /// What follows is in this source.
    pub fn source(&mut self, name: &str) {
        self.source = name.into();
        self.last_release = None;
        self.again = Again::default();
    }

    /// Whether another boot begins with this record: not where the same one is in the text again, by
    /// another command.
    pub fn begins(&self, found: &Found) -> bool {
        let Record::Boot(Boot::Began { banner, .. }) = &found.record else {
            return self.again.differs(found, &self.facts);
        };
        // One of the two may be cut.
        let same = |known: &Arc<str>| known.starts_with(&**banner) || banner.starts_with(&**known);
        self.banner.as_ref().map_or(self.ended, |known| self.ended || !same(known))
    }

    /// Whether stamps go back to the first second with this record.
    pub fn goes_back(&self, found: &Found) -> bool {
        self.again.goes_back(found.time_us)
    }

    /// Another boot begins. What a device tree and a configuration say is not of one boot.
    fn begin(&mut self, line: u64) {
        self.forget();
        self.again = Again::default();
        let own = self.last_release.take().filter(|(at, _)| *at == line);
        self.release = own.map(|(_, name)| name);
        let facts = self.facts.iter().filter_map(|(_, fact)| match fact {
            Fact::Boot(boot) => Some(boot),
            _ => None,
        });
        self.machine.begin(self.release.as_deref(), self.asked.as_deref(), facts);
    }

    /// The boot is over.
    fn forget(&mut self) {
        self.facts.retain(|(_, fact)| {
            matches!(
                fact,
                Fact::Boot(
                    Boot::Dts(_)
                        | Boot::Region(_)
                        | Boot::TreeMemory(_)
                        | Boot::PageBytes(..)
                        | Boot::DmaCma(_)
                        | Boot::Heaps(_)
                        | Boot::MaxOrder(..)
                        | Boot::BlockOrder(_)
                )
            )
        });
        self.boots += 1;
    }

    /// Another boot has begun, whose banner is not in the text; its kernel may be as before.
    fn begin_again(&mut self) {
        let since = self.again.take();
        self.forget();
        let new: Vec<_> = since.into_iter().filter(|fact| !self.facts.contains(fact)).collect();
        self.facts.extend(new);
    }

    /// Takes a record.
    pub fn note(&mut self, found: &Found) {
        match self.begins(found) {
            true if matches!(found.record, Record::Boot(Boot::Began { .. })) => {
                self.begin(found.line);
            }
            true => self.begin_again(),
            false => {
                self.stamp(found.time_us);
                if matches!(found.record, Record::Boot(Boot::Began { .. })) && self.banner.is_some()
                {
                    self.again.banner(self.facts.len());
                }
            }
        }
        self.machine.note(&found.record);
        let at = At { source: Arc::clone(&self.source), line: found.line };
        let fact = match &found.record {
            Record::Reserved { area, base, bytes } => Fact::Reserved(area.clone(), *base, *bytes),
            Record::CommandLine(line) => Fact::Command(Arc::clone(line)),
            Record::Counter { area, name, value } => {
                let wanted = match area {
                    None => matches!(&**name, "CmaTotal" | "cma-reserved"),
                    Some(_) => &**name == "total_pages",
                };
                if !wanted {
                    return;
                }
                Fact::Counter(area.clone(), Arc::clone(name), *value)
            }
            Record::Boot(Boot::Ends) => {
                self.ended = true;
                return;
            }
            Record::Boot(Boot::Began { banner, arch }) => {
                (self.banner, self.ended) = (Some(Arc::clone(banner)), false);
                match arch {
                    Some(arch) => Fact::Boot(Boot::Arch(*arch)),
                    None => return,
                }
            }
            // What is taken out of an area is nothing that was asked for.
            Record::Boot(Boot::AtomicPool { .. }) => return,
            Record::Boot(boot) => Fact::Boot(boot.clone()),
            Record::Kernel(release) => {
                self.release.get_or_insert_with(|| Arc::clone(release));
                self.last_release = Some((found.line, Arc::clone(release)));
                return;
            }
            Record::Cap(cap) => {
                if self.caps.iter().all(|(known, _)| known != cap) && self.caps.len() < MOST_CAPS {
                    self.caps.push((*cap, at));
                }
                return;
            }
            _ => return,
        };
        self.again.fact(found.time_us, &at, &fact);
        self.keep(at, fact);
    }

    /// What was said of this boot so far, as records.
    pub fn records(&self) -> impl Iterator<Item = (&At, Record)> {
        self.facts.iter().map(|(at, fact)| (at, fact.record()))
    }

    /// What is said twice, of two dumps of one boot, counts once. A line that refers to the next one
    /// is kept each time.
    fn keep(&mut self, at: At, fact: Fact) {
        let of_next = |fact: &Fact| {
            matches!(fact, Fact::Boot(Boot::Misaligned | Boot::NotSetUp | Boot::NeedsNoMap))
        };
        let repeats = of_next(&fact) || matches!(fact, Fact::Boot(Boot::Declared { .. }));
        if !repeats && self.facts.iter().any(|(_, known)| *known == fact) {
            // So is what refers to it.
            self.facts.pop_if(|(_, last)| of_next(last));
        } else if self.facts.len() < MOST {
            self.facts.push((at, fact));
        }
    }

    /// Bytes of a page as known so far; 4096 where nothing says so.
    pub fn page_bytes(&self) -> u64 {
        self.machine.page().map_or(4096, |(bytes, _)| bytes)
    }

    /// What is known of the machine.
    pub(crate) const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Sees the stamp of a record, also of one that says nothing of a boot.
    pub fn stamp(&mut self, time_us: Option<u64>) {
        self.again.stamp(time_us, self.facts.len());
    }

    /// The release: as the text states it, else as the caller does.
    pub(super) fn release(&self) -> Option<&Arc<str>> {
        self.release.as_ref().or(self.asked.as_ref())
    }

    /// What all of it says, where requests failed in the areas of these names.
    pub fn story(&self, failed: &[Arc<str>]) -> Story {
        tell::story(self, failed)
    }
}
