//! The case of NXP's note on i.MX: half of the area free, and 456 pages refused.

use cma_policies::Run;

use super::filled::Filled;
use super::session::Part;
use super::{Profile, Setup, Workload};
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

fn make(setup: &Setup, page: Page, _: &[Part]) -> Workload {
    let filled = Filled { resident: page.hold(RESIDENT), frame: page.hold(FRAME) };
    filled.open(setup.target_pages(), setup.ops)
}
