//! What is known of a text as a whole.

use std::sync::Arc;

use super::counters::Counters;
use super::hidden::Hidden;
use crate::boot::Notes;
use crate::diagnose::Options;
use crate::diagnose::bounds::Sizes;
use crate::diagnose::era::{Era, Shown, Text};
use crate::diagnose::outcome::Clients;
use crate::ingest::log::FreeBlocks;

/// What the caller and a text say beside calls, areas and failures.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) options: Options,
    pub(super) text: Text,
    /// What the kernel calls itself at first.
    pub(super) release: Option<Arc<str>>,
    pub(super) clients: Clients,
    /// The kernel log begins with the boot.
    pub(super) from_boot: bool,
    /// A kernel that is installed: the one that runs, where nothing states it.
    pub(super) installed: Option<Arc<str>>,
    pub(super) counters: Counters,
    /// How large areas are.
    pub(super) sizes: Sizes,
    /// Free blocks of the page allocator, by zone.
    pub(super) blocks: Vec<FreeBlocks>,
    /// What the boot says of areas.
    pub(super) boot: Notes,
    /// Failure lines that the rate limit hid.
    pub(super) hidden: Hidden,
    /// Events that a trace lost, and how often it lost some.
    lost: (u64, u64),
    warnings: Vec<String>,
    last_era: Option<LastEra>,
}

/// The kernel that was worked out last, and from what.
#[derive(Debug)]
struct LastEra {
    text: Text,
    own: Shown,
    release: Option<Arc<str>>,
    era: Era,
}

impl Scene {
    pub(super) fn new(options: &Options) -> Self {
        let mut scene = Self {
            options: options.clone(),
            text: Text::default(),
            release: None,
            clients: Clients::default(),
            from_boot: false,
            installed: None,
            counters: Counters::default(),
            sizes: Sizes::default(),
            blocks: Vec::new(),
            hidden: Hidden::default(),
            boot: Notes::of_kernel(options.kernel.as_deref()),
            lost: (0, 0),
            warnings: Vec::new(),
            last_era: None,
        };
        scene.page_is(scene.boot.page_bytes());
        scene
    }

    /// A page has so many bytes.
    pub(super) fn page_is(&mut self, bytes: u64) {
        self.sizes.page_is(bytes);
        if let Some(area) = self.options.area_bytes {
            self.options.geometry.pages = Some(area / bytes.max(1));
        }
    }

    /// The kernel of a failure whose lines show `own`, where it had called itself `release` by then;
    /// worked out once for failures in a row.
    pub(super) fn era(&mut self, own: Shown, release: Option<&Arc<str>>) -> Era {
        let same = |last: &&LastEra| {
            last.text == self.text && last.own == own && last.release.as_ref() == release
        };
        if let Some(last) = self.last_era.as_ref().filter(same) {
            return last.era.clone();
        }
        let (era, warning) = self.text.era(own, release.map(|name| &**name), self.asked());
        if let Some(warning) = warning {
            self.warn(warning);
        }
        let (text, release) = (self.text, release.cloned());
        self.last_era = Some(LastEra { text, own, release, era: era.clone() });
        era
    }

    fn asked(&self) -> Option<&str> {
        self.options.kernel.as_deref()
    }

    /// The free blocks of a zone are these by now.
    pub(super) fn note_blocks(&mut self, blocks: FreeBlocks) {
        const MOST: usize = 64;
        let alike = |known: &FreeBlocks| known.zone == blocks.zone && known.cma == blocks.cma;
        match self.blocks.iter().position(alike) {
            Some(at) => self.blocks[at] = blocks,
            None if self.blocks.len() < MOST => self.blocks.push(blocks),
            None => {}
        }
    }

    /// The kernel's release, as far as the text states one.
    pub(super) fn stated(&self) -> Option<&Arc<str>> {
        let installed = self.installed.as_ref().filter(|_| self.options.kernel.is_none());
        self.release.as_ref().or(installed)
    }

    /// A trace lost events; how many, where that is stated.
    pub(super) fn lost(&mut self, events: Option<u64>) {
        self.lost.0 = self.lost.0.saturating_add(events.unwrap_or(0));
        self.lost.1 += 1;
    }

    pub(super) fn warn(&mut self, warning: String) {
        const MOST: usize = 64;
        if self.warnings.len() < MOST && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// What is strange.
    pub(super) fn take_warnings(&mut self) -> Vec<String> {
        let mut warnings = std::mem::take(&mut self.warnings);
        match self.lost {
            (_, 0) => {}
            (0, times) => warnings.push(format!("a trace lost events {times} times")),
            (events, _) => warnings.push(format!(
                "a trace lost {events} events: what it shows of its areas is not whole"
            )),
        }
        warnings
    }
}
