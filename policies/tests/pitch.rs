//! The pitch law: buffers a page longer than a power of two sit on multiples of their alignment, so
//! each one strands nearly as much as it holds.

use cma_policies::{AllocError, Area, Promises, Quiet, Request, builtin, dma_align};

/// The area of the i.MX6 note: 1120 MiB.
const PAGES: u64 = 286_720;
const COUNT: u64 = 257;

/// How many buffers fit into an empty area, and the policy's promises.
fn fill(name: &str, cap: u32) -> (u64, Promises) {
    let spec = builtin::catalog().parse(name).unwrap();
    let mut policy = spec.build(Area::single(0, PAGES, 0).unwrap()).unwrap();
    let request = Request::new(COUNT, dma_align(COUNT, cap)).unwrap();
    let mut buffers = 0;
    loop {
        match policy.alloc(request, &mut Quiet) {
            Ok(_) => buffers += 1,
            Err(error) => {
                assert_eq!(error, AllocError::NoMemory);
                return (buffers, policy.promises());
            }
        }
    }
}

#[test]
fn the_kernel_fits_as_many_as_the_cap_allows() {
    for (cap, buffers) in [(8, 560), (7, 746), (6, 896), (5, 995), (4, 1054), (0, 1115)] {
        assert_eq!(fill("kernel", cap).0, buffers, "cap {cap}");
    }
}

/// Every built-in policy, and the variants whose placing differs.
fn names() -> Vec<String> {
    let variants = [
        "two-ended:order=9",
        "buddy:trim=false",
        "buddy:max_order=8,extend=true",
        "zoned:spill=false",
        "zoned:mode=on-demand",
        "zoned:mode=on-demand,spill=false",
        "size-class:spill=false",
    ];
    let entries = builtin::ENTRIES.iter().map(|entry| entry.name);
    entries.chain(variants).map(String::from).collect()
}

#[test]
fn no_policy_that_aligns_fits_more_and_the_complete_ones_fit_as_many() {
    let mut aligning = 0;
    for name in names() {
        let (buffers, promises) = fill(&name, 8);
        if promises.aligned {
            aligning += 1;
            assert!(buffers <= 560, "{name}: {buffers}");
            if promises.complete {
                assert_eq!(buffers, 560, "{name}");
            }
        }
    }
    assert!(aligning >= 14, "{aligning}");
    // Without alignment the area is nearly full; a buddy's blocks are no worse than the pitch.
    assert_eq!(fill("genalloc-best-fit", 8).0, 1115);
    assert_eq!(fill("genalloc-order-align", 8).0, 560);
    assert_eq!(fill("buddy", 8).0, 560);
}
