//! A policy that looks better by refusing what is large.

use cma_harness::report::text;
use cma_policies::kit::{Ask, FreeMap, Placed, Search};
use cma_policies::{Entry, Promises, builtin};

use super::{findings, ready_with};
use crate::blocks;

/// The kernel's way for what is small; 2025 pages, a frame of 1080p, and more are refused.
const SMALL_ONLY: Entry = Entry {
    name: "small-only",
    about: "first fit; 2025 pages and more are refused",
    source: "this file",
    params: &[],
    build: |area, _| {
        let promises = Promises { complete: false, lowest: false, ..Promises::SEARCH };
        Ok(Box::new(Placed::new(area, promises, |map: &FreeMap, search: Search, _: Ask| {
            if search.bits >= 2025 { None } else { map.first_fit(search) }
        })))
    },
};

const PLAN: &str = r#"
name = "small-only"
seeds = SEEDS
policies = ["kernel", "small-only"]
caps = [8]
[[boards]]
name = "one"
areas = [{ mib = 96 }]
[[streams]]
profile = "gpu"
loads = [1.5]
ops = 1500
"#;

#[test]
fn a_policy_that_refuses_the_large_ones_has_a_lower_rate_and_is_flagged() {
    for seeds in [1, 3, 16] {
        let catalog = builtin::catalog().with(&[SMALL_ONLY]);
        let ready = ready_with(&catalog, &PLAN.replace("SEEDS", &seeds.to_string()));
        let found = findings(&ready, blocks(&ready));
        let [kernel, small] = found.summary.rows.as_slice() else { panic!("two rows") };
        // R1: it looks better over all sizes.
        let rate = |row: &cma_harness::answer::SummaryRow| row.rates[0].mean.unwrap();
        assert!(rate(small) < rate(kernel), "{} of {}", rate(small), rate(kernel));
        // What it never grants lies in the two upper classes. It may even refuse fewer of the
        // requests of 257 to 2048 pages, since it has the more room for those below 2025.
        let worse = &small.worse_classes;
        assert!(!worse.is_empty() && worse.iter().all(|class| *class >= 2), "{seeds}: {worse:?}");
        assert!(kernel.worse_classes.is_empty());
        let headline = found.headline.as_ref().unwrap();
        let one = headline.ranked.iter().find(|one| one.policy == 1).unwrap();
        assert!(one.flagged && !one.is_eligible());
        let mut out = Vec::new();
        text::write_findings(&ready, &found, false, &mut out).unwrap();
        // A sentence goes on below with four blanks.
        let text = String::from_utf8(out).unwrap().replace("\n    ", " ");
        assert!(!text.contains("with small-only"), "it is not called better\n{text}");
        let marked = "small-only at cap 8 has a lower rate, but is worse for ";
        assert!(text.contains(marked), "it is marked\n{text}");
    }
}
