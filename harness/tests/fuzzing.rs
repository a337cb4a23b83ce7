//! Every fuzz target over its seed corpus, and over bytes of every short length, without a fuzzer;
//! and how often drawn and mutated cases get to where allocators go wrong.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use cma_harness::cause::Cause;
use cma_harness::codec::{Act, Case, HEADER, RECORD};
use cma_harness::fuzzing::lockstep::{Reached, reached};
use cma_harness::fuzzing::{Expected, TARGETS, Target};
use cma_harness::seed::{Draws, Seed};
use cma_harness::strategy::cases;
use proptest::prelude::*;

/// The files of a folder, in the order of their names; none where there is no folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora")
}

/// Whether a target panics on these bytes.
fn panics(target: &Target, bytes: &[u8]) -> bool {
    catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).is_err()
}

#[test]
fn every_target_does_with_its_seeds_what_is_expected_of_it() {
    let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    for target in TARGETS {
        let seeds = files(&corpora().join("seeds").join(target.name));
        assert!((5..=60).contains(&seeds.len()), "{} has {} seeds", target.name, seeds.len());
        for path in seeds {
            let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let failed = panics(target, &bytes);
            assert_eq!(failed, target.expected == Expected::Fails, "{}", path.display());
        }
    }
}

#[test]
fn seeds_have_several_ranges_in_any_order() {
    for target in ["laws", "lockstep"] {
        let paths = files(&corpora().join("seeds").join(target));
        let areas = paths.iter().map(|path| Case::decode(&fs::read(path).expect("a seed")).area);
        let areas: Vec<_> = areas.filter(|area| area.ranges().len() > 1).collect();
        let (all, several) = (paths.len(), areas.len());
        println!("{several} of {all} seeds of {target} have several ranges");
        assert!(several * 4 > all, "{several} of {all}");
        assert!(areas.iter().any(|area| !area.ranges().is_sorted_by_key(|range| range.pfn)));
    }
}

#[test]
fn every_folder_of_seeds_belongs_to_a_target() {
    for entry in fs::read_dir(corpora().join("seeds")).expect("seeds") {
        let name = entry.expect("an entry").file_name();
        assert!(TARGETS.iter().any(|target| target.name == name), "{name:?} is no target");
    }
}

#[test]
fn every_target_takes_any_bytes() {
    for target in TARGETS.iter().filter(|target| target.expected == Expected::Passes) {
        for length in (0..80).chain([200, 333]) {
            (target.run)(&vec![0xff; length]);
            (target.run)(&vec![0; length]);
            (target.run)(&(0..length).map(|byte| (byte * 37) as u8).collect::<Vec<_>>());
        }
    }
}

/// From nothing, as a fuzzer that knows nothing: it takes no luck to see that the canary is wrong.
#[test]
fn the_canary_is_convicted_by_drawn_cases() {
    let canary = TARGETS.iter().find(|target| target.expected == Expected::Fails);
    let canary = canary.expect("a target that must fail");
    let mut draws = Seed::new(1).child("canary", 0).rng();
    let convicted = (0..1000).filter(|_| panics(canary, &Case::draw(&mut draws, 32).encode()));
    let convicted = convicted.count();
    // About one in 26 of 17,000 drawn and mutated cases when this was written.
    assert!((1..500).contains(&convicted), "{convicted} of 1000");
}

/// One byte in sixteen is another one, and records move: what a fuzzer that knows no structure does.
fn mutated(case: &Case, draws: &mut Draws) -> Case {
    let mut bytes = case.encode();
    for byte in &mut bytes {
        if draws.below(16) == 0 {
            *byte = draws.below(256) as u8;
        }
    }
    let records = (bytes.len() - HEADER) / RECORD;
    if records > 1 {
        let (from, to) = (draws.below(records as u64), draws.below(records as u64));
        let at = |record: u64| HEADER + record as usize * RECORD;
        let record = bytes[at(from)..at(from) + RECORD].to_vec();
        bytes.splice(at(to)..at(to), record);
    }
    Case::decode(&bytes)
}

/// What so many cases come to, one after the other.
#[derive(Default, Debug)]
struct Seen {
    cases: u64,
    sum: Reached,
    nearly_full: u64,
    exact: u64,
    off_granule: u64,
    order_above_base: u64,
    ranges: u64,
    unsorted: u64,
    tails: u64,
    high_order: u64,
    word_sizes: u64,
    all_of_it: u64,
}

impl Seen {
    fn note(&mut self, case: &Case) {
        let Some(reached) = reached(case) else { return };
        let area = &case.area;
        let base = area.ranges()[0].pfn.0;
        self.cases += 1;
        self.sum.grants += reached.grants;
        self.sum.busy += reached.busy;
        self.sum.across_words += reached.across_words;
        self.sum.parts += reached.parts;
        self.sum.in_use += reached.in_use;
        self.sum.later_ranges += reached.later_ranges;
        for (sum, refused) in self.sum.refused.iter_mut().zip(reached.refused) {
            *sum += u64::from(refused > 0);
        }
        self.nearly_full += u64::from(reached.nearly_full > 0);
        self.exact += u64::from(reached.exact_fits > 0);
        self.off_granule += u64::from(!base.is_multiple_of(area.granule()));
        self.ranges += u64::from(area.ranges().len() > 1);
        self.unsorted += u64::from(!area.ranges().is_sorted_by_key(|range| range.pfn));
        let granule = area.granule();
        self.tails += u64::from(area.ranges().iter().any(|run| !run.count.is_multiple_of(granule)));
        self.high_order += u64::from(area.order_per_bit() >= 9);
        let bits = area.ranges()[0].count / area.granule();
        self.word_sizes += u64::from(matches!(bits % 64, 0 | 1 | 63) && bits > 32);
        let has = |which: &dyn Fn(u64, u32) -> bool| {
            case.acts.iter().any(|act| match act {
                Act::Alloc { request, .. } | Act::Fill { request, .. } => {
                    which(request.count(), request.align())
                }
                _ => false,
            })
        };
        let above = |_, align: u32| base > 0 && align > base.trailing_zeros();
        self.order_above_base += u64::from(has(&above));
        self.all_of_it += u64::from(has(&|count, _| count == area.largest_range()));
    }

    /// Each at least so often in a thousand cases.
    fn check(&self, least: &[(&str, u64, u64)]) {
        for (name, seen, of_thousand) in least {
            assert!(seen * 1000 >= of_thousand * self.cases, "{name}: {seen} in {self:#?}");
        }
    }
}

/// Each about half as often as when this was written.
#[test]
fn drawn_and_mutated_cases_get_to_where_allocators_go_wrong() {
    for mutate in [false, true] {
        let mut draws = Seed::new(4).child("reached", u64::from(mutate)).rng();
        let mut seen = Seen::default();
        while seen.cases < 1500 {
            let case = Case::draw(&mut draws, 48);
            seen.note(&if mutate { mutated(&case, &mut draws) } else { case });
        }
        let cause = |cause: Cause| {
            seen.sum.refused[Cause::ALL.iter().position(|c| *c == cause).expect("a cause")]
        };
        let mut least = vec![
            ("nearly full", seen.nearly_full, 85),
            ("exact fits", seen.exact, 140),
            ("across words", seen.sum.across_words, 100),
            ("parts", seen.sum.parts, 125),
            ("busy claims", seen.sum.busy, 8000),
            ("base off the granule", seen.off_granule, 35),
            ("order above that of the base", seen.order_above_base, 250),
            ("claims over live pages", seen.sum.in_use, 250),
            ("several ranges", seen.ranges, 250),
            ("ranges that do not ascend", seen.unsorted, 170),
            ("grants in a later range", seen.sum.later_ranges, 1200),
            ("pages without a granule", seen.tails, 100),
            ("order_per_bit of 9 and more", seen.high_order, 75),
            ("sizes beside a word border", seen.word_sizes, 10),
            ("requests for all of a range", seen.all_of_it, 105),
        ];
        // Nothing is under way beside a request here.
        let causes = Cause::ALL.into_iter().filter(|cause| *cause != Cause::Transient);
        least.extend(causes.map(|name| (name.name(), cause(name), 40)));
        seen.check(&least);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn leaving_an_act_out_leaves_the_others_as_they_were(case in cases(0..12), at in 0usize..12) {
        let mut left = case.clone();
        if at < left.acts.len() {
            left.acts.remove(at);
        }
        let mut bytes = case.encode();
        if at < case.acts.len() {
            bytes.drain(HEADER + at * RECORD..HEADER + (at + 1) * RECORD);
        }
        prop_assert_eq!(Case::decode(&bytes), left);
    }
}
