//! What became of a request that CMA refused: who asked, and whether somebody else served it.

use std::sync::Arc;

use super::{Confidence, Incident, Reported};
use crate::board::{Caller, is_gigantic};
use crate::boot::Machine;
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
    /// The DMA API asks the default area for no single page: it was somebody who asks CMA alone.
    OnePage,
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
    /// A line near it that is a piece of what a driver says, where none is known that reported it.
    pub piece_line: Option<u64>,
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
    /// No area is asked for it but one of the device's own: one page, through the DMA API.
    pub own_area_only: bool,
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

/// Who can have asked, as far as a text shows it.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Clients {
    /// Devices of V4L2 are there, whose `vb2_dc_alloc()` would print.
    video: bool,
}

impl Clients {
    /// What `record` says of them.
    pub(super) fn note(&mut self, record: &Record) {
        self.video |= matches!(record, Record::VideoDevice);
    }
}

/// Whether its DMA API asks no area for a single page but one of the device's own:
/// `dma_alloc_contiguous()`, `kernel/dma/contiguous.c`, 5.3 on.
fn skips_one_page(incident: &Incident, machine: &Machine) -> bool {
    let is_direct = matches!(machine.arch(), Some(Arch::Arm64 | Arch::X86_64));
    is_direct && incident.count == Some(1) && stated(incident).is_some_and(|at| at >= (5, 3))
}

/// Pages of the largest block of the page allocator (MAX_PAGE_ORDER 10, 11 with pages of 16 KiB and
/// 13 with 64 KiB on arm64), at least and at most; of 64-bit Arm with pages of 4 KiB where nothing
/// says otherwise.
fn largest_block(machine: &Machine) -> (u64, u64) {
    let arm64 = machine.arch() == Some(Arch::Arm64);
    let page = machine.page().map(|(bytes, _)| bytes).or_else(|| arm64.then_some(4096));
    match page {
        Some(4096) => (1024, 1024),
        Some(16384) => (2048, 2048),
        Some(65536) => (8192, 8192),
        _ => (1024, 8192),
    }
}

/// Whether only an area of the device's own can be what refused `incident`, which a driver reports.
pub(super) fn own_area_only(incident: &Incident, machine: &Machine) -> bool {
    incident.who.driver_line.is_some() && skips_one_page(incident, machine)
}

/// What became of `incident`.
pub(super) fn outcome(incident: &Incident, clients: Clients, machine: &Machine) -> Outcome {
    let who = &incident.who;
    let alone = matches!(incident.reported, Reported::Driver | Reported::Claims);
    if alone || who.driver_line.is_some() {
        return Outcome::Reported;
    }
    let Some(count) = incident.count.filter(|_| incident.ret != Some(EINTR)) else {
        return Outcome::Unknown;
    };
    if who.pages_refused.is_some() {
        // Without a stack another request of this size may be meant.
        let by_dma = who.caller.is_some_and(|caller| caller.fallback_pages > 0);
        let sure = if by_dma { Confidence::Certain } else { Confidence::Likely };
        return Outcome::Refused(sure, Because::Pages);
    }
    // Gigantic pages have ways out that are not modelled.
    if incident.area.as_deref().is_some_and(is_gigantic) {
        return Outcome::Unknown;
    }
    match who.caller {
        Some(caller) if caller.name == "hugetlb" => return Outcome::Unknown,
        Some(caller) if caller.fallback_pages == 0 => {
            return Outcome::Refused(Confidence::Certain, Because::Caller);
        }
        _ => {}
    }
    let (least, most) = largest_block(machine);
    if count > most {
        return Outcome::Refused(Confidence::Likely, Because::Size);
    }
    // No node of a device names this area: it is made without one.
    let is_default = incident.area.as_deref() == Some("reserved");
    let nobody = who.caller.is_none() && who.client.is_none();
    if is_default && nobody && skips_one_page(incident, machine) {
        return Outcome::Refused(Confidence::Likely, Because::OnePage);
    }
    let cma_alone = match machine.arch() {
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
    by_dma_direct(incident, clients, machine).map_or(Outcome::Unknown, Outcome::Served)
}

/// The release of its kernel.
fn stated(incident: &Incident) -> Option<Release> {
    incident.era.name.as_deref().and_then(release)
}

/// Whether whoever asked says so where it gets nothing, as far as it is known: `vb2_dc_alloc()` does;
/// `drm_gem_dma_create()` did up to 5.8 and asks with `__GFP_NOWARN` and `drm_dbg()` since
/// (`drivers/gpu/drm/drm_gem_dma_helper.c`); ALSA says it of what it sets aside alone.
pub fn would_say_so(incident: &Incident) -> bool {
    match incident.who.client {
        None | Some("vb2-dma-contig") => true,
        Some("drm-gem-dma") => stated(incident).is_some_and(|at| at < (5, 9)),
        Some(_) => false,
    }
}

/// How sure it is that `dma_direct_alloc()` asked, for a client that says so where it gets nothing.
fn by_dma_direct(incident: &Incident, clients: Clients, machine: &Machine) -> Option<Confidence> {
    // What a driver said that is there in part may be that it got nothing.
    let who = Some(&incident.who).filter(|who| who.piece_line.is_none())?;
    let arm64 =
        machine.arch() == Some(Arch::Arm64) && stated(incident).is_some_and(|at| at >= (5, 0));
    match (who.caller, who.client) {
        (Some(_), Some(_)) if incident.logged && would_say_so(incident) => {
            Some(Confidence::Certain)
        }
        (Some(_), _) => Some(Confidence::Likely),
        (None, Some(_)) if arm64 && incident.logged => Some(Confidence::Likely),
        // Only the DMA API asks CMA there, and vb2_dc_alloc() would print.
        (None, None) if arm64 && machine.has_no_heaps() && clients.video && incident.logged => {
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

    /// What became of it on a kernel of this name, where devices of V4L2 are there or not.
    fn on(name: &str, video: bool, incident: &Incident) -> Outcome {
        outcome(incident, Clients { video }, &Machine::of_kernel(Some(name)))
    }

    #[test]
    fn what_the_page_allocator_can_have_served_depends_on_page_size_and_caller() {
        let debian = |count| on("6.12.117+deb13-arm64", true, &incident(count));
        assert_eq!(debian(257), Outcome::Served(Confidence::Likely));
        let too_large = Outcome::Refused(Confidence::Likely, Because::Size);
        assert_eq!(debian(1025), too_large);
        // Pages of 16 KiB have larger blocks.
        let large = on("6.12.117+deb13-arm64-16k", true, &incident(1025));
        assert_eq!(large, Outcome::Served(Confidence::Likely));
        // A heap may be who asked.
        assert_eq!(on("7.3.4+deb13-arm64", true, &incident(257)), Outcome::Unknown);
        let unknown = |count| outcome(&incident(count), Clients::default(), &Machine::default());
        assert_eq!(unknown(257), Outcome::Unknown);
        assert_eq!(unknown(1025), Outcome::Refused(Confidence::Guess, Because::Size));
        assert_eq!(unknown(8193), Outcome::Refused(Confidence::Likely, Because::Size));
        let arm = on("6.1.21-v7l+", false, &incident(257));
        assert_eq!(arm, Outcome::Refused(Confidence::Likely, Because::Arch));
        let mut old = incident(257);
        old.era.name = Some("4.14.98-arm64".into());
        let old = on("4.14.98-arm64", false, &old);
        assert_eq!(old, Outcome::Refused(Confidence::Likely, Because::Arch));
    }

    #[test]
    fn a_stack_says_it() {
        let mut of_heap = incident(257);
        of_heap.who.caller = Caller::find("dma-heap");
        let outcome = |incident: &Incident| on("6.12.117-arm64", false, incident);
        let refused = Outcome::Refused(Confidence::Certain, Because::Caller);
        assert_eq!(outcome(&of_heap), refused);
        of_heap.who.caller = Caller::find("dma-direct");
        assert_eq!(outcome(&of_heap), Outcome::Served(Confidence::Likely));
        of_heap.who.client = Some("vb2-dma-contig");
        assert_eq!(outcome(&of_heap), Outcome::Served(Confidence::Certain));
        let piece = Who { piece_line: Some(9), ..of_heap.who.clone() };
        let half = Incident { who: piece, ..of_heap.clone() };
        assert_eq!(outcome(&half), Outcome::Unknown);
        // DRM prints a debug line alone from 5.9 on, ALSA for what it sets aside.
        let mut quiet = of_heap.clone();
        for client in ["drm-gem-dma", "alsa"] {
            quiet.who.client = Some(client);
            assert_eq!(outcome(&quiet), Outcome::Served(Confidence::Likely), "{client}");
        }
        (quiet.who.client, quiet.era.name) = (Some("drm-gem-dma"), Some("5.8.18-arm64".into()));
        assert_eq!(outcome(&quiet), Outcome::Served(Confidence::Certain));
        // The text has no kernel log, in which it would have printed.
        let traced = Incident { logged: false, ..of_heap.clone() };
        assert_eq!(outcome(&traced), Outcome::Served(Confidence::Likely));
        of_heap.who.pages_refused = Some(7);
        let both = Outcome::Refused(Confidence::Certain, Because::Pages);
        assert_eq!(outcome(&of_heap), both);
        of_heap.who.driver_line = Some(("a".into(), 9));
        assert_eq!(outcome(&of_heap), Outcome::Reported);
    }

    #[test]
    fn a_page_of_the_default_area_is_not_asked_for_by_the_dma_api() {
        let debian = |incident: &Incident| on("6.12.117+deb13-arm64", true, incident);
        let one = Incident { area: Some("reserved".into()), ..incident(1) };
        let by_another = Outcome::Refused(Confidence::Likely, Because::OnePage);
        assert_eq!(debian(&one), by_another);
        // Two pages are, and an area that a node made may be the device's own.
        let two = Incident { count: Some(2), ..one.clone() };
        assert_eq!(debian(&two), Outcome::Served(Confidence::Likely));
        let own = Incident { area: Some("vpu".into()), ..one.clone() };
        assert_eq!(debian(&own), Outcome::Served(Confidence::Likely));
        // Up to 5.2 it was.
        let mut old = Incident { ..one.clone() };
        old.era.name = Some("5.2.0".into());
        assert_eq!(debian(&old), Outcome::Served(Confidence::Likely));
        let arm = Incident { ..one };
        let of_arch = Outcome::Refused(Confidence::Likely, Because::Arch);
        assert_eq!(on("6.1.21-v7l+", false, &arm), of_arch);
    }

    #[test]
    fn a_driver_that_got_no_page_was_not_refused_by_the_default_area() {
        let mut reported = incident(1);
        reported.who.driver_line = Some(("a".into(), 9));
        let machine = |name| Machine::of_kernel(Some(name));
        assert!(own_area_only(&reported, &machine("6.12.117-arm64")));
        assert!(!own_area_only(&reported, &machine("6.1.21-v7l+")));
        assert!(!own_area_only(&reported, &Machine::default()));
        reported.count = Some(2);
        assert!(!own_area_only(&reported, &machine("6.12.117-arm64")));
    }

    #[test]
    fn a_killed_task_got_nothing_whoever_asked() {
        let mut killed = incident(257);
        killed.ret = Some(EINTR);
        assert_eq!(on("6.12.117+deb13-arm64", true, &killed), Outcome::Unknown);
    }
}
