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
        Self { source: "".into(), facts: Vec::new(), release: None, asked: None, page: None }
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
    }

    /// Takes a record.
    pub fn note(&mut self, found: &Found) {
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
            Record::Boot(boot) => Fact::Boot(boot.clone()),
            Record::Kernel(release) => {
                self.release.get_or_insert_with(|| Arc::clone(release));
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
        let refers = matches!(
            fact,
            Fact::Boot(
                Boot::Misaligned | Boot::NotSetUp | Boot::Declared { .. } | Boot::NeedsNoMap
            )
        );
        let known = |(_, other): &(At, Fact)| *other == fact;
        if self.facts.len() < MOST && (refers || !self.facts.iter().any(known)) {
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
