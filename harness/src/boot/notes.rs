//! What is kept of a text until its end.

use std::sync::Arc;

use super::{At, Story, step, tell};
use crate::ingest::log::boot::{Boot, PageFrom};
use crate::ingest::log::{Found, Record};

/// The most facts of a text: a boot with some hundred nodes has fewer.
const MOST: usize = 512;

/// The lines of a boot, as far as they are of areas, in order.
#[derive(Debug)]
pub struct Notes {
    source: Arc<str>,
    pub(super) facts: Vec<(At, Fact)>,
    pub(super) release: Option<Arc<str>>,
    /// What the caller says of the kernel, where the text does not.
    asked: Option<Arc<str>>,
    page: Option<(u64, PageFrom)>,
    /// Boots so far, at least 1.
    pub(super) boots: u64,
    /// The banner of this boot.
    banner: Option<Arc<str>>,
    /// The last boot ended, by a line that says so.
    ended: bool,
    /// The release that was stated last, and its line.
    last_release: Option<(u64, Arc<str>)>,
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

impl Default for Notes {
    fn default() -> Self {
        Self {
            source: "".into(),
            facts: Vec::new(),
            release: None,
            asked: None,
            page: None,
            boots: 1,
            banner: None,
            ended: false,
            last_release: None,
        }
    }
}

impl Notes {
    /// The kernel is this one, where the text does not say.
    pub fn of_kernel(kernel: Option<&str>) -> Self {
        let page = kernel.and_then(step::page_of_release).map(|bytes| (bytes, PageFrom::Release));
        Self { asked: kernel.map(Arc::from), page, ..Self::default() }
    }

    /// What follows is in this source.
    pub fn source(&mut self, name: &str) {
        self.source = name.into();
        self.last_release = None;
    }

    /// Whether another boot begins with this record: not where the same one is in the text again, by
    /// another command.
    pub fn begins(&self, found: &Found) -> bool {
        let Record::Boot(Boot::Began { banner, .. }) = &found.record else { return false };
        // One of the two may be cut.
        let same = |known: &Arc<str>| known.starts_with(&**banner) || banner.starts_with(&**known);
        self.banner.as_ref().map_or(self.ended, |known| self.ended || !same(known))
    }

    /// Another boot begins. What a device tree and a configuration say is not of one boot.
    fn begin(&mut self, line: u64) {
        self.facts.retain(|(_, fact)| {
            matches!(
                fact,
                Fact::Boot(
                    Boot::Dts(_)
                        | Boot::Region(_)
                        | Boot::PageBytes(..)
                        | Boot::DmaCma
                        | Boot::MaxOrder(..)
                        | Boot::BlockOrder(_)
                )
            )
        });
        let own = self.last_release.take().filter(|(at, _)| *at == line);
        self.release = own.map(|(_, name)| name);
        let by_name =
            |name: &Arc<str>| step::page_of_release(name).map(|bytes| (bytes, PageFrom::Release));
        let stated = self.facts.iter().filter_map(|(_, fact)| match fact {
            Fact::Boot(Boot::PageBytes(bytes, from)) => Some((*bytes, *from)),
            _ => None,
        });
        let page = self.release().and_then(by_name);
        self.page = stated.fold(page, |page, other| step::better(page, Some(other)));
        self.boots += 1;
    }

    /// Takes a record.
    pub fn note(&mut self, found: &Found) {
        if self.begins(found) {
            self.begin(found.line);
        }
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
                let page = step::page_of_release(release).map(|bytes| (bytes, PageFrom::Release));
                self.page = step::better(self.page, page);
                return;
            }
            _ => return,
        };
        if let Fact::Boot(Boot::PageBytes(bytes, from)) = fact {
            self.page = step::better(self.page, Some((bytes, from)));
        }
        self.keep(found.line, fact);
    }

    /// What is said twice, of two dumps of one boot, counts once. A line that refers to the next one
    /// is kept each time.
    fn keep(&mut self, line: u64, fact: Fact) {
        let of_next = |fact: &Fact| {
            matches!(fact, Fact::Boot(Boot::Misaligned | Boot::NotSetUp | Boot::NeedsNoMap))
        };
        let repeats = of_next(&fact) || matches!(fact, Fact::Boot(Boot::Declared { .. }));
        if !repeats && self.facts.iter().any(|(_, known)| *known == fact) {
            // So is what refers to it.
            self.facts.pop_if(|(_, last)| of_next(last));
        } else if self.facts.len() < MOST {
            let at = At { source: Arc::clone(&self.source), line };
            self.facts.push((at, fact));
        }
    }

    /// Bytes of a page as known so far; 4096 where nothing says so.
    pub fn page_bytes(&self) -> u64 {
        self.page.map_or(4096, |(bytes, _)| bytes)
    }

    /// The release: as the text states it, else as the caller does.
    pub(super) fn release(&self) -> Option<&Arc<str>> {
        self.release.as_ref().or(self.asked.as_ref())
    }

    pub(super) const fn page(&self) -> Option<(u64, PageFrom)> {
        self.page
    }

    /// What all of it says, where requests failed in the areas of these names.
    pub fn story(&self, failed: &[Arc<str>]) -> Story {
        tell::story(self, failed)
    }
}
