//! Where a text states how large areas are, and how much is free.

use std::sync::Arc;

use super::{Bounds, By, Own, Stated};
use crate::boot::Command;
use crate::ingest::log::boot::Boot;
use crate::ingest::log::{DebugfsFile, Record};

/// The most areas that are kept: more than `CONFIG_CMA_AREAS` of any board.
const MOST_AREAS: usize = 64;

/// What the kernel calls the default area where no node names it (`kernel/dma/contiguous.c`).
const DEFAULT: &str = "reserved";

/// What is stated of areas.
#[derive(Debug, Default)]
pub(in crate::diagnose) struct Sizes {
    areas: Vec<(Option<Arc<str>>, Stated)>,
    all: Option<Stated>,
    free: Option<Stated>,
    /// Free pages of areas, as stated last.
    available: Vec<(Arc<str>, Stated)>,
    asked: Option<Stated>,
    /// The areas that devices were given.
    own: Vec<Own>,
    /// `CmaTotal` was stated with several values: the text is of several boots.
    disputed: bool,
    /// Bytes of a page; 0: not known.
    page: u64,
    /// How often anything changed.
    changes: u64,
    last: Option<Shared>,
}

/// What was worked out last: for which name, and after how many changes.
#[derive(Debug)]
struct Shared {
    name: Option<Arc<str>>,
    changes: u64,
    bounds: Option<Arc<Bounds>>,
}

impl Sizes {
    /// Takes what `record` states at this line.
    pub(in crate::diagnose) fn note(&mut self, record: &Record, source: &Arc<str>, line: u64) {
        let page = self.page_bytes();
        let new = |by, pages, bytes| Stated { by, pages, bytes, source: Arc::clone(source), line };
        let pages = |by, pages| new(by, pages, None);
        let bytes = |by, bytes| new(by, bytes / page, Some(bytes));
        match record {
            Record::Reserved { area, bytes: size, .. } => {
                self.area(area.as_ref(), bytes(By::Boot, *size));
            }
            // The line after the one that makes a pool names it.
            Record::Boot(Boot::Initialized { node }) => self.name(node, source, line),
            Record::Boot(Boot::HugetlbPlaced { node, .. }) => {
                self.name(&Arc::from(format!("hugetlb{node}")), source, line);
            }
            Record::Boot(Boot::Dead { area }) => self.is_dead(area),
            Record::Boot(Boot::Assigned { device, node }) => {
                let (device, area) = (Arc::clone(device), Arc::clone(node));
                self.given(Own { device, area, source: Arc::clone(source), line });
            }
            Record::Boot(boot) => self.boot(boot, &bytes),
            // Each of millions of events may state it.
            Record::Start { area, total: Some(total), .. } if !self.is_known(area, *total) => {
                self.area(area.as_ref(), pages(By::Trace, *total));
            }
            Record::Debugfs { area, file: DebugfsFile::Count(count), .. } => {
                self.area(area.as_ref(), pages(By::Debugfs, *count));
            }
            Record::Counter { area: Some(area), name, value } if &**name == "total_pages" => {
                self.area(Some(area), pages(By::Sysfs, *value));
            }
            Record::Counter { area: Some(area), name, value } if &**name == "available_pages" => {
                self.available(area, pages(By::Available, *value));
            }
            Record::Counter { area: None, name, value } => match &**name {
                "CmaTotal" => {
                    let known = self.all.as_ref().filter(|known| known.by == By::CmaTotal);
                    self.disputed |= known.is_some_and(|known| known.bytes != Some(*value));
                    self.all = Some(bytes(By::CmaTotal, *value));
                }
                "CmaFree" => self.free = Some(bytes(By::CmaFree, *value)),
                // What meminfo says is of now.
                "cma-reserved" if self.all.is_none() => {
                    self.all = Some(bytes(By::Memory, *value));
                }
                _ => return,
            },
            Record::CommandLine(line) => {
                // So small an area is not meant, and becomes a larger one.
                let asked = Command::read(line).cma.map(|size| size.bytes);
                let asked = asked.filter(|bytes| *bytes >= 1 << 20);
                self.asked = asked.map(|asked| bytes(By::CommandLine, asked)).or(self.asked.take());
            }
            _ => return,
        }
        self.changes += 1;
    }

    /// What a boot or a device tree says of areas.
    fn boot(&mut self, boot: &Boot, stated: &dyn Fn(By, u64) -> Stated) {
        match boot {
            Boot::Node { node, bytes, reusable: true, .. } => {
                self.area(Some(node), stated(By::Boot, *bytes));
            }
            // They are the last ones, and nobody asks them.
            Boot::Crash { ranges, .. } => {
                let unnamed = |(name, area): &&mut (Option<Arc<str>>, Stated)| {
                    name.is_none() && area.by == By::Boot
                };
                let ranges = usize::try_from(*ranges).unwrap_or(usize::MAX);
                for (name, _) in self.areas.iter_mut().rev().filter(unnamed).take(ranges) {
                    *name = Some("crashkernel".into());
                }
            }
            Boot::Ranges { bytes, .. } => self.area(None, stated(By::Boot, *bytes)),
            Boot::Dts(node) if node.pool && node.reusable && !node.disabled => {
                let fixed = node.reg.first().map(|(_, bytes)| *bytes);
                let Some(size) = node.size.or(fixed).filter(|size| *size > 0) else { return };
                // Of several any may be meant.
                let larger = self.asked.as_ref().is_none_or(|known| known.bytes < Some(size));
                if larger {
                    self.asked = Some(stated(By::Tree, size));
                }
            }
            _ => {}
        }
    }

    /// So many pages of an area are free at this line.
    fn available(&mut self, name: &Arc<str>, stated: Stated) {
        let known = self.available.iter().position(|(known, _)| known == name);
        match known {
            Some(index) => self.available[index].1 = stated,
            None if self.available.len() < MOST_AREAS => {
                self.available.push((Arc::clone(name), stated));
            }
            None => {}
        }
    }

    /// The area that the line before states is called so.
    fn name(&mut self, node: &Arc<str>, source: &Arc<str>, line: u64) {
        let before = |area: &Stated| area.by == By::Boot && area.line + 1 == line;
        let made = self
            .areas
            .last_mut()
            .filter(|(name, area)| name.is_none() && before(area) && area.source == *source);
        if let Some((name, _)) = made {
            *name = Some(Arc::clone(node));
        }
    }

    /// An area was reserved, and nobody can ask it.
    fn is_dead(&mut self, dead: &Arc<str>) {
        let of = |(name, _): &(Option<Arc<str>>, Stated)| name.as_ref() == Some(dead);
        let unnamed = |(name, _): &(Option<Arc<str>>, Stated)| name.is_none();
        let default = || self.areas.iter().position(unnamed).filter(|_| &**dead == DEFAULT);
        if let Some(index) = self.areas.iter().position(of).or_else(default) {
            self.areas.remove(index);
        }
    }

    fn given(&mut self, own: Own) {
        const MOST: usize = 64;
        let same = |known: &Own| known.device == own.device && known.area == own.area;
        if self.own.len() < MOST && !self.own.iter().any(same) {
            self.own.push(own);
        }
    }

    /// The area of this device, where it was given one alone (`rmem_cma_device_init()` and
    /// `dma_alloc_contiguous()`, `kernel/dma/contiguous.c`: no other is tried).
    pub(in crate::diagnose) fn of_device(&self, device: &str) -> Option<&Own> {
        let name = |device: &'_ str| device.rsplit(' ').next().map(String::from);
        let mut own = self.own.iter().filter(|own| name(&own.device) == name(device));
        own.next().filter(|_| own.next().is_none())
    }

    /// Bytes of a page as known so far.
    fn page_bytes(&self) -> u64 {
        if self.page == 0 { 4096 } else { self.page }
    }

    /// A page has so many bytes: so it had where bytes were stated before.
    pub(in crate::diagnose) fn page_is(&mut self, bytes: u64) {
        if bytes == 0 || bytes == self.page_bytes() {
            return;
        }
        self.page = bytes;
        self.changes += 1;
        let areas = self.areas.iter_mut().map(|(_, stated)| stated);
        let others = [&mut self.all, &mut self.free, &mut self.asked].into_iter().flatten();
        for stated in areas.chain(others) {
            stated.pages = stated.bytes.map_or(stated.pages, |size| size / bytes);
        }
    }

    fn is_known(&self, name: &Option<Arc<str>>, pages: u64) -> bool {
        self.areas.iter().any(|(known, area)| area.pages == pages && known == name)
    }

    fn area(&mut self, name: Option<&Arc<str>>, stated: Stated) {
        let known = |(other, area): &(Option<Arc<str>>, Stated)| match (name, other) {
            (Some(name), Some(other)) => name == other,
            // A line without a name means another area than one with other pages.
            _ => area.pages == stated.pages,
        };
        match self.areas.iter().position(known) {
            Some(index) => {
                let (known, area) = &mut self.areas[index];
                if known.is_none() {
                    *known = name.cloned();
                }
                if area.by < stated.by {
                    *area = stated;
                }
            }
            None if self.areas.len() < MOST_AREAS => self.areas.push((name.cloned(), stated)),
            None => {}
        }
    }

    /// The same, where anything is stated; worked out once for failures in a row.
    pub(in crate::diagnose) fn shared(&mut self, name: Option<&Arc<str>>) -> Option<Arc<Bounds>> {
        let same = |last: &&Shared| last.changes == self.changes && last.name.as_ref() == name;
        if let Some(last) = self.last.as_ref().filter(same) {
            return last.bounds.clone();
        }
        let bounds = Some(self.bounds(name)).filter(|bounds| !bounds.is_empty()).map(Arc::new);
        let (name, changes) = (name.cloned(), self.changes);
        self.last = Some(Shared { name, changes, bounds: bounds.clone() });
        bounds
    }

    /// What bounds a request in the area of this name, or in one that is not named.
    pub(in crate::diagnose) fn bounds(&self, name: Option<&Arc<str>>) -> Bounds {
        let (area, is_largest) = match name {
            Some(name) => (self.named(name), false),
            None => self.largest(),
        };
        let all = self.all.clone().filter(|_| !self.disputed);
        let area = area.or_else(|| {
            let alone = all.is_none() && self.areas.is_empty();
            // An area that a node makes has the name of the node.
            let may_be = |asked: &Stated| match name {
                None => true,
                Some(name) => &**name == DEFAULT && asked.by == By::CommandLine,
            };
            self.asked.clone().filter(|asked| alone && may_be(asked))
        });
        let (page_bytes, free) = (self.page_bytes(), self.free.clone());
        let of = |(known, _): &&(Arc<str>, Stated)| name == Some(known);
        let available = self.available.iter().find(of).map(|(_, stated)| stated.clone());
        Bounds { page_bytes, area, is_largest, all, free, available, ..Bounds::default() }
    }

    fn named(&self, name: &Arc<str>) -> Option<Stated> {
        let of = |(known, _): &&(Option<Arc<str>>, Stated)| known.as_ref() == Some(name);
        let unnamed = || {
            // `cma: Reserved` is of the default area where it is the only such line.
            let mut unnamed = self.areas.iter().filter(|(known, _)| known.is_none());
            let only = unnamed.next().filter(|_| unnamed.next().is_none());
            only.filter(|_| &**name == DEFAULT)
        };
        self.areas.iter().find(of).or_else(unnamed).map(|(_, stated)| stated.clone())
    }

    /// The largest area that there can be, and whether there are several: none where areas may be
    /// missing from the text.
    fn largest(&self) -> (Option<Stated>, bool) {
        let largest = self.areas.iter().map(|(_, stated)| stated).max_by_key(|area| area.pages);
        let Some(largest) = largest else { return (None, false) };
        let sum = self.areas.iter().fold(0u64, |sum, (_, area)| sum.saturating_add(area.pages));
        // What is not stated may be an area of its own.
        let rest = self.all.as_ref().map(|all| all.pages.saturating_sub(sum));
        let is_whole = match rest {
            Some(rest) => rest <= largest.pages,
            // Traces show the areas that are asked, not all that there are.
            None => self.areas.iter().all(|(_, area)| area.by != By::Trace),
        };
        let area = is_whole.then(|| largest.clone());
        (area, self.areas.len() > 1 || rest.is_some_and(|rest| rest > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(records: &[Record]) -> Sizes {
        let mut sizes = Sizes::default();
        for (index, record) in records.iter().enumerate() {
            sizes.note(record, &"a.log".into(), index as u64 + 1);
        }
        sizes
    }

    fn reserved(area: Option<&str>, mib: u64) -> Record {
        Record::Reserved { area: area.map(Arc::from), base: 0, bytes: mib << 20 }
    }

    fn counter(name: &str, kib: u64) -> Record {
        Record::Counter { area: None, name: name.into(), value: kib << 10 }
    }

    /// Pages of the area, whether it is one of several, and pages of all.
    fn of(records: &[Record], name: Option<&str>) -> (Option<u64>, bool, Option<u64>) {
        let bounds = sizes(records).bounds(name.map(Arc::from).as_ref());
        let pages = |stated: Option<Stated>| stated.map(|stated| stated.pages);
        (pages(bounds.area), bounds.is_largest, pages(bounds.all))
    }

    #[test]
    fn the_only_area_is_meant_by_who_names_none() {
        let one = [reserved(None, 48)];
        assert_eq!(of(&one, None), (Some(12288), false, None));
        assert_eq!(of(&one, Some("reserved")), (Some(12288), false, None));
        assert_eq!(of(&one, Some("vpu_pool")), (None, false, None));
    }

    #[test]
    fn of_several_the_largest_bounds() {
        let two = [reserved(Some("vpu_pool"), 24), reserved(None, 64)];
        assert_eq!(of(&two, None), (Some(16384), true, None));
        assert_eq!(of(&two, Some("vpu_pool")), (Some(6144), false, None));
    }

    #[test]
    fn what_is_stated_twice_is_one_area() {
        let area: Option<Arc<str>> = Some("reserved".into());
        let sysfs = Record::Counter { area, name: "total_pages".into(), value: 16384 };
        let bounds = sizes(&[reserved(None, 64), sysfs]).bounds(None);
        assert_eq!((bounds.area.unwrap().by, bounds.is_largest), (By::Sysfs, false));
    }

    #[test]
    fn an_area_that_is_not_stated_may_be_larger() {
        // 64 MiB in all, of which only 16 are stated.
        let some = [reserved(None, 16), counter("CmaTotal", 65536)];
        assert_eq!(of(&some, None), (None, true, Some(16384)));
        let most = [reserved(None, 48), counter("CmaTotal", 65536)];
        assert_eq!(of(&most, None), (Some(12288), true, Some(16384)));
        let whole = [reserved(None, 64), counter("cma-reserved", 65536)];
        assert_eq!(of(&whole, None), (Some(16384), false, Some(16384)));
    }

    #[test]
    fn meminfo_comes_before_what_was_reserved_at_boot() {
        for records in [
            [counter("cma-reserved", 65536), counter("CmaTotal", 32768)],
            [counter("CmaTotal", 32768), counter("cma-reserved", 65536)],
        ] {
            assert_eq!(of(&records, None).2, Some(8192));
        }
    }

    #[test]
    fn bytes_are_of_pages_as_large_as_they_are() {
        let mut sizes = sizes(&[reserved(None, 64), counter("CmaFree", 1024)]);
        sizes.page_is(16384);
        let bounds = sizes.bounds(None);
        let pages = |stated: Option<Stated>| stated.map(|stated| stated.pages);
        assert_eq!((pages(bounds.area), pages(bounds.free)), (Some(4096), Some(64)));
        assert_eq!(bounds.page_bytes, 16384);
    }

    #[test]
    fn the_command_line_counts_where_nothing_else_does() {
        let asked = || Record::CommandLine("console=ttyS0 cma=64M@0x50000000 quiet".into());
        assert_eq!(of(&[asked()], None), (Some(16384), false, None));
        assert_eq!(of(&[asked(), reserved(None, 66)], None), (Some(16896), false, None));
        assert_eq!(of(&[asked(), counter("CmaTotal", 8192)], None), (None, false, Some(2048)));
        let hex = Record::CommandLine("cma=0x4000000 hugetlb_cma=1G".into());
        assert_eq!(of(&[hex], None), (Some(16384), false, None));
        // That is read as 0, and 25 bytes become more: neither bounds anything.
        for line in ["cma=64M cma=lots", "cma=25%"] {
            let odd = Record::CommandLine(line.into());
            assert_eq!(of(&[odd], None), (None, false, None), "{line}");
        }
    }

    #[test]
    fn what_an_area_has_available_is_of_that_area_and_as_stated_last() {
        let counter = |area: &str, value| Record::Counter {
            area: Some(area.into()),
            name: "available_pages".into(),
            value,
        };
        let sizes = sizes(&[counter("vpu", 7), counter("reserved", 9), counter("vpu", 5)]);
        let of = |name: Option<&str>| {
            let bounds = sizes.bounds(name.map(Arc::from).as_ref());
            bounds.available.map(|stated| (stated.pages, stated.line))
        };
        assert_eq!((of(Some("vpu")), of(Some("reserved"))), (Some((5, 3)), Some((9, 2))));
        assert_eq!((of(Some("isp")), of(None)), (None, None));
    }

    #[test]
    fn a_pool_is_called_as_the_line_after_it_says_and_a_dead_one_bounds_nothing() {
        let named = || Record::Boot(Boot::Initialized { node: "vpu_pool".into() });
        let two = [reserved(None, 24), named(), reserved(None, 64)];
        assert_eq!(of(&two, Some("vpu_pool")).0, Some(6144));
        assert_eq!(of(&two, Some("reserved")).0, Some(16384));
        let dead = Record::Boot(Boot::Dead { area: "vpu_pool".into() });
        assert_eq!(of(&[reserved(None, 24), named(), dead], None).0, None);
    }
}
