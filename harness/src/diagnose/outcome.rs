//! What became of a request that CMA refused: who asked, and whether somebody else served it.

use std::sync::Arc;

use super::{Confidence, Incident, Reported};
use crate::board::Caller;
use crate::boot::step;
use crate::ingest::log::boot::Boot;
use crate::ingest::log::{Record, Task};
use crate::kernel::{Arch, EINTR, Release, release};

/// What became of a request that CMA refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Outcome {
    /// No driver reported it, and the text does not show who asked.
    #[default]
    Unknown,
    /// A driver reported that it got nothing.
    Reported,
    /// Whoever asked got nothing, though no driver says so: there is no way out for it.
    Refused(Confidence, Because),
    /// The page allocator served it.
    Served(Confidence),
}

/// Why a caller had no way out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Because {
    /// It asks CMA alone.
    Caller,
    /// The page allocator has no block as large.
    Size,
    /// The page allocator refused as well.
    Pages,
    /// 32-bit Arm, and arm64 before `dma_direct_alloc()`, ask CMA alone.
    Arch,
}

impl Outcome {
    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Reported => "driver",
            Self::Refused(..) => "client",
            Self::Served(_) => "page_allocator",
        }
    }

    /// How sure that is, where it is not stated by the text.
    pub const fn confidence(self) -> Option<Confidence> {
        match self {
            Self::Unknown | Self::Reported => None,
            Self::Refused(sure, _) | Self::Served(sure) => Some(sure),
        }
    }
}

/// Who holds pages of an area, by the trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// The task that asked for them.
    pub task: Task,
    /// Buffers that are live.
    pub buffers: u64,
    /// Their pages.
    pub pages: u64,
}

/// What a failure has beside the numbers of its request.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Who {
    /// The driver and its device that reported it: `vivid vivid.0`.
    pub device: Option<Arc<str>>,
    /// Where it did: the source and the line.
    pub driver_line: Option<(Arc<str>, u64)>,
    /// The task that asked.
    pub task: Option<Task>,
    /// Whose function asked, by the stack or by the words of the driver: `vb2-dma-contig`.
    pub client: Option<&'static str>,
    /// How it asked, by the stack.
    pub caller: Option<&'static Caller>,
    /// The line in which the page allocator says that it has no block of this order either.
    pub pages_refused: Option<u64>,
    /// The driver asks as CMA is asked: by its row, or by what it says.
    pub asks_dma: bool,
    /// The tasks that hold most of its area, the first of them most.
    pub holders: Arc<[Holder]>,
}

impl Who {
    /// Whether a driver that is called so may report this failure: none is known that is called
    /// otherwise. `[drm:vc4_bo_create]` is a function, which says less than `vc4-drm soc:gpu`.
    pub(super) fn may_be_of(&self, device: Option<&Arc<str>>) -> bool {
        let (Some(known), Some(new)) = (&self.device, device) else { return true };
        known == new || !known.contains(' ') || !new.contains(' ')
    }
}

/// What is known of the machine.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Machine {
    arch: Option<Arch>,
    /// Bytes of a page, where it is stated or by the name of the kernel.
    page_bytes: Option<u64>,
    /// Its kernel has no heaps of dma-buf: all that asks CMA is the DMA API.
    no_heaps: bool,
    /// Devices of V4L2 are there, whose `vb2_dc_alloc()` would print.
    video: bool,
}

impl Machine {
    /// What `record` says of it.
    pub(super) fn note(&mut self, record: &Record) {
        match record {
            Record::Kernel(name) => self.named(name),
            Record::Boot(Boot::Arch(arch) | Boot::Began { arch: Some(arch), .. }) => {
                self.arch = Some(*arch);
            }
            Record::Boot(Boot::PageBytes(bytes, _)) => self.page_bytes = Some(*bytes),
            Record::VideoDevice => self.video = true,
            _ => {}
        }
    }

    /// The kernel calls itself so.
    fn named(&mut self, name: &str) {
        self.arch = self.arch.or_else(|| step::arch_of_release(name));
        self.page_bytes = self.page_bytes.or_else(|| step::page_of_release(name));
        // CONFIG_DMABUF_HEAPS is not set in Debian's kernels up to 6.12; a module in 7.3.
        let debian = ["+deb", "-deb"].iter().any(|word| name.contains(word));
        self.no_heaps |= debian && release(name).is_some_and(|at| at < (7, 0));
    }

    /// Bytes of a page as far as known: of 64-bit Arm 4096 where the kernel's name says nothing.
    fn page(&self) -> Option<u64> {
        let arm64 = self.arch == Some(Arch::Arm64);
        self.page_bytes.or_else(|| arm64.then_some(4096))
    }

    /// Pages of the largest block of the page allocator (MAX_PAGE_ORDER 10, 11 with pages of 16 KiB
    /// and 13 with 64 KiB on arm64), at least and at most.
    fn largest_block(&self) -> (u64, u64) {
        match self.page() {
            Some(4096) => (1024, 1024),
            Some(16384) => (2048, 2048),
            Some(65536) => (8192, 8192),
            _ => (1024, 8192),
        }
    }
}

/// What became of `incident`.
pub(super) fn outcome(incident: &Incident, machine: &Machine) -> Outcome {
    let who = &incident.who;
    let alone = matches!(incident.reported, Reported::Driver | Reported::Claims);
    if alone || who.driver_line.is_some() {
        return Outcome::Reported;
    }
    let Some(count) = incident.count.filter(|_| incident.ret != Some(EINTR)) else {
        return Outcome::Unknown;
    };
    if who.pages_refused.is_some() {
        return Outcome::Refused(Confidence::Certain, Because::Pages);
    }
    match who.caller {
        Some(caller) if caller.name == "hugetlb" => return Outcome::Unknown,
        Some(caller) if caller.fallback_pages == 0 => {
            return Outcome::Refused(Confidence::Certain, Because::Caller);
        }
        _ => {}
    }
    let (least, most) = machine.largest_block();
    if count > most {
        return Outcome::Refused(Confidence::Likely, Because::Size);
    }
    let cma_alone = match machine.arch {
        Some(Arch::Arm) => true,
        // __dma_alloc_coherent() of arch/arm64/mm/dma-mapping.c, up to 4.20.
        Some(Arch::Arm64) => stated(incident).is_some_and(|release| release < (5, 0)),
        _ => false,
    };
    if cma_alone && who.caller.is_none() {
        return Outcome::Refused(Confidence::Likely, Because::Arch);
    }
    // With pages of 4 KiB, as most have them.
    if count > least {
        return Outcome::Refused(Confidence::Guess, Because::Size);
    }
    by_dma_direct(incident, machine).map_or(Outcome::Unknown, Outcome::Served)
}

/// The release of its kernel.
fn stated(incident: &Incident) -> Option<Release> {
    incident.era.name.as_deref().and_then(release)
}

/// How sure it is that `dma_direct_alloc()` asked, for a client that says so where it gets nothing.
fn by_dma_direct(incident: &Incident, machine: &Machine) -> Option<Confidence> {
    let who = &incident.who;
    let arm64 =
        machine.arch == Some(Arch::Arm64) && stated(incident).is_some_and(|at| at >= (5, 0));
    match (who.caller, who.client) {
        (Some(_), Some(_)) if incident.logged => Some(Confidence::Certain),
        (Some(_), _) => Some(Confidence::Likely),
        (None, Some(_)) if arm64 && incident.logged => Some(Confidence::Likely),
        // Only the DMA API asks CMA there, and vb2_dc_alloc() would print.
        (None, None) if arm64 && machine.no_heaps && machine.video && incident.logged => {
            Some(Confidence::Likely)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Era;
    use crate::ingest::log::Shape;

    fn incident(count: u64) -> Incident {
        let era = Era { name: Some("6.12.9-arm64".into()), ..Era::default() };
        let reported = Reported::Line(Shape::Inner);
        let new = Incident::new("a".into(), reported);
        Incident { count: Some(count), ret: Some(-12), era, logged: true, ..new }
    }

    fn machine(name: &str) -> Machine {
        let mut machine = Machine::default();
        machine.note(&Record::Kernel(name.into()));
        machine
    }

    #[test]
    fn what_the_page_allocator_can_have_served_depends_on_page_size_and_caller() {
        let debian = Machine { video: true, ..machine("6.12.117+deb13-arm64") };
        assert_eq!(outcome(&incident(257), &debian), Outcome::Served(Confidence::Likely));
        let too_large = Outcome::Refused(Confidence::Likely, Because::Size);
        assert_eq!(outcome(&incident(1025), &debian), too_large);
        // Pages of 16 KiB have larger blocks.
        let large = Machine { video: true, ..machine("6.12.117+deb13-arm64-16k") };
        assert_eq!(outcome(&incident(1025), &large), Outcome::Served(Confidence::Likely));
        // A heap may be who asked.
        let heaps = Machine { video: true, ..machine("7.3.4+deb13-arm64") };
        assert_eq!(outcome(&incident(257), &heaps), Outcome::Unknown);
        assert_eq!(outcome(&incident(257), &Machine::default()), Outcome::Unknown);
        let guess = Outcome::Refused(Confidence::Guess, Because::Size);
        assert_eq!(outcome(&incident(1025), &Machine::default()), guess);
        let likely = Outcome::Refused(Confidence::Likely, Because::Size);
        assert_eq!(outcome(&incident(8193), &Machine::default()), likely);
        let arm = outcome(&incident(257), &machine("6.1.21-v7l+"));
        assert_eq!(arm, Outcome::Refused(Confidence::Likely, Because::Arch));
        let mut old = incident(257);
        old.era.name = Some("4.14.98-arm64".into());
        let old = outcome(&old, &machine("4.14.98-arm64"));
        assert_eq!(old, Outcome::Refused(Confidence::Likely, Because::Arch));
    }

    #[test]
    fn a_stack_says_it() {
        let mut of_heap = incident(257);
        of_heap.who.caller = Caller::find("dma-heap");
        let machine = machine("6.12.117-arm64");
        let refused = Outcome::Refused(Confidence::Certain, Because::Caller);
        assert_eq!(outcome(&of_heap, &machine), refused);
        of_heap.who.caller = Caller::find("dma-direct");
        assert_eq!(outcome(&of_heap, &machine), Outcome::Served(Confidence::Likely));
        of_heap.who.client = Some("vb2-dma-contig");
        assert_eq!(outcome(&of_heap, &machine), Outcome::Served(Confidence::Certain));
        // The text has no kernel log, in which it would have printed.
        let traced = Incident { logged: false, ..of_heap.clone() };
        assert_eq!(outcome(&traced, &machine), Outcome::Served(Confidence::Likely));
        of_heap.who.pages_refused = Some(7);
        let both = Outcome::Refused(Confidence::Certain, Because::Pages);
        assert_eq!(outcome(&of_heap, &machine), both);
        of_heap.who.driver_line = Some(("a".into(), 9));
        assert_eq!(outcome(&of_heap, &machine), Outcome::Reported);
    }

    #[test]
    fn a_killed_task_got_nothing_whoever_asked() {
        let mut killed = incident(257);
        killed.ret = Some(EINTR);
        let debian = Machine { video: true, ..machine("6.12.117+deb13-arm64") };
        assert_eq!(outcome(&killed, &debian), Outcome::Unknown);
    }
}
