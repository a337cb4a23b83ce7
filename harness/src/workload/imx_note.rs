//! The case of NXP's note on i.MX: half of the area free, and 456 pages refused.

use cma_policies::Run;

use super::session::{Part, ask};
use super::{Profile, Setup, Workload};
use crate::op::{Op, Timed};
use crate::page::Page;

pub(super) const PROFILE: Profile = Profile {
    name: "imx-note",
    about: "buffers of 257 pages that stay until the load is reached, then 456 pages again and \
            again",
    source: "NXP, CMA allocation failure analysis, i.MX case, 2022: 286720 pages, 456 pages at \
             align 8, free runs of 255; the residents are inferred from the gaps between the runs",
    clients: &["resident", "frame"],
    sizes: &[257, 456],
    least_pages: 257,
    area: Some(Run::new(0, 286_720)),
    // 560 residents: as many as an area with 2^8-aligned buffers holds.
    default_load: 0.502,
    seeded: false,
    make,
    ..Profile::MIXTURE
};

/// 1 MiB and one page.
const RESIDENT: u64 = 257;
/// What the note's log shows as refused.
const FRAME: u64 = 456;
/// A resident every second, then a frame every 40 ms.
const RESIDENT_US: u64 = 1_000_000;
const FRAME_US: u64 = 40_000;

fn make(setup: &Setup, page: Page, _: &[Part]) -> Workload {
    let (resident, frame_pages) = (page.hold(RESIDENT), page.hold(FRAME));
    let residents = setup.target_pages() / resident;
    let ops = (0..setup.ops).map(move |index| {
        let Some(frame) = index.checked_sub(residents) else {
            return Timed { at_us: index * RESIDENT_US, op: ask(index, resident, 1) };
        };
        let at_us = residents * RESIDENT_US + frame * FRAME_US;
        let id = residents + frame / 2;
        let op = if frame % 2 == 0 { ask(id, frame_pages, 2) } else { Op::Free { id, part: None } };
        Timed { at_us, op }
    });
    Workload::new(vec!["resident".into(), "frame".into()], ops)
}
