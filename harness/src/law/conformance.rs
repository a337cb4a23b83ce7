//! Every law over any policy.

mod report;
mod small;

use std::panic::{AssertUnwindSafe, catch_unwind};

use cma_policies::{Area, Catalog, Entry, Promises};

pub use report::{Broken, Report, Verdict};

use super::shrink::shrink;
use super::trial::{Mode, Trial, run, transcript};
use super::{Build, Check, LAWS};
use crate::codec::Case;
use crate::oracle::{Violation, name};
use crate::seed::Seed;

/// How hard to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effort {
    /// Random cases.
    pub cases: u64,
    /// The most acts of a random case.
    pub acts: u64,
    /// Acts of the small cases, of which there are all.
    pub depth: u32,
    /// Where the random cases come from.
    pub seed: u64,
}

impl Effort {
    /// What a test of a policy can afford: well below a second, optimised.
    pub const TEST: Self = Self { cases: 300, acts: 60, depth: 3, seed: 1 };
}

/// Judges the policy that `build` makes: all small cases, then random ones, under every law that
/// its promises bind it to, until one is broken.
pub fn conform(build: Build<'_>, effort: Effort) -> Report {
    let mut report = Report::new();
    let seed = Seed::new(effort.seed);
    let random = (0..effort.cases)
        .map(|case| Case::draw(&mut seed.child("conformance", case).rng(), effort.acts));
    let small = small::cases(effort.depth).map(|case| (case, false));
    for (case, is_random) in small.chain(random.map(|case| (case, true))) {
        let Some(promises) = promises(&case, build) else {
            // All small cases are on three areas: what most areas are, the random ones say.
            report.areas_refused += u64::from(is_random);
            continue;
        };
        report.areas_built += u64::from(is_random);
        report.cases += 1;
        report.count(promises);
        if let Err(violation) = judge(&case, build) {
            report.convict(smallest(&case, build, violation, &mut || true));
            return report;
        }
    }
    if report.areas_refused > report.areas_built {
        let (refused, built) = (report.areas_refused, report.areas_built);
        let what = format!("{refused} areas were refused and {built} built");
        report.convict(Broken::bare(Violation { law: name::BUILDS, op: 0, what }));
    }
    report
}

/// The promises for the case's area; nothing where it cannot be built there.
fn promises(case: &Case, build: Build<'_>) -> Option<Promises> {
    let promises = || Trial::new(case, build, Mode::Answers).map(|trial| trial.promises());
    catch_unwind(AssertUnwindSafe(promises)).map_or(Some(Promises::NONE), Result::ok)
}

/// The most requests and frees that a case is judged on: each is dear, on a large area above all.
fn most(area: &Area) -> usize {
    if area.pages() >> area.order_per_bit() > 256 { 48 } else { 160 }
}

/// Runs one case under every law.
///
/// # Errors
/// The first law that was broken. A call that panicked broke [`name::PANIC`].
pub fn judge(case: &Case, build: Build<'_>) -> Result<(), Violation> {
    // A law that leaves out what was refused has to see each request of a fill.
    let case = &case.unfolded(most(&case.area));
    let judged = catch_unwind(AssertUnwindSafe(|| {
        let answers = run(case, build, Mode::Checked)?;
        let Ok(trial) = Trial::new(case, build, Mode::Answers) else { return Ok(()) };
        for law in LAWS.iter().filter(|law| (law.binds.binds)(trial.promises())) {
            if let Check::Case(check) = law.check {
                check(case, build, &answers)?;
            }
        }
        Ok(())
    }));
    judged.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        let what = text.unwrap_or_else(|| "it panicked".into());
        Err(Violation { law: name::PANIC, op: 0, what })
    })
}

/// The smallest case found on which the policy breaks the law of `violation`, as it does on
/// `case`, and what happens in it. `afford` is asked before every try.
pub fn smallest(
    case: &Case,
    build: Build<'_>,
    violation: Violation,
    afford: &mut dyn FnMut() -> bool,
) -> Broken {
    let law = violation.law;
    let broken = |case: &Case| judge(case, build).is_err_and(|other| other.law == law);
    broken_by(&shrink(case, &broken, afford), build, violation)
}

/// What there is to show of a broken law: the shrunk case and what happens in it.
fn broken_by(case: &Case, build: Build<'_>, first: Violation) -> Broken {
    let violation = judge(case, build).err().unwrap_or(first);
    let mode = if violation.law == name::IN_FLIGHT { Mode::Overlapped } else { Mode::Checked };
    let lines = catch_unwind(AssertUnwindSafe(|| transcript(case, build, mode)));
    Broken { violation, case: Some(case.clone()), lines: lines.unwrap_or_default() }
}

/// Judges a policy for a test.
///
/// # Panics
/// With the broken law and the smallest stream found that breaks it.
pub fn assert_conforms(what: &str, build: Build<'_>, effort: Effort) {
    let report = conform(build, effort);
    assert!(report.is_clean(), "{what}: {report}");
}

/// As [`assert_conforms`], for an entry with its defaults.
///
/// # Panics
/// As [`assert_conforms`], and where the entry does not take its own defaults.
pub fn assert_entry_conforms(entry: &Entry, effort: Effort) {
    let spec = Catalog::new(&[*entry]).parse(entry.name);
    let spec = spec.expect("an entry takes its own defaults");
    assert_conforms(entry.name, &|area| spec.build(area), effort);
}

/// Makes a test that judges a policy under every law.
///
/// | form | judges | the test |
/// | --- | --- | --- |
/// | `conformance!(MINE)` | an [`Entry`] with its defaults | `MINE::keeps_every_law` |
/// | `conformance!(by_name: ENTRIES[3])` | the same, of any expression | `by_name` |
/// | `conformance!(by_name, builder)` | what makes a `Box<dyn Policy>` of an [`Area`] | `by_name` |
/// | `conformance!(ENTRIES[3])` | as the second | `keeps_every_law`: one of them in a module |
///
/// [`Entry`]: cma_policies::Entry
/// [`Area`]: cma_policies::Area
///
/// Of the others a module may have as many as it likes:
///
/// ```
/// # fn main() {}
/// use cma_harness::conformance;
/// use cma_harness::policies::builtin::{self, ENTRIES};
/// use cma_harness::policies::Entry;
///
/// const ONE: Entry = ENTRIES[0];
/// const OTHER: Entry = ENTRIES[1];
///
/// conformance!(ONE);
/// conformance!(OTHER);
/// conformance!(third: ENTRIES[2]);
/// conformance!(with_a_parameter, |area| {
///     builtin::catalog().parse("zoned:share=0.5").expect("it takes it").build(area)
/// });
/// ```
#[macro_export]
macro_rules! conformance {
    ($entry:ident $(,)?) => {
        // A module, since a constant has no name in common with one.
        #[allow(non_snake_case, reason = "its name is that of the entry")]
        mod $entry {
            #[test]
            fn keeps_every_law() {
                $crate::law::conformance::assert_entry_conforms(
                    &super::$entry,
                    $crate::law::conformance::Effort::TEST,
                );
            }
        }
    };
    ($name:ident: $entry:expr $(,)?) => {
        #[test]
        fn $name() {
            $crate::law::conformance::assert_entry_conforms(
                &$entry,
                $crate::law::conformance::Effort::TEST,
            );
        }
    };
    ($name:ident, $build:expr $(,)?) => {
        #[test]
        fn $name() {
            $crate::law::conformance::assert_conforms(
                stringify!($name),
                &$build,
                $crate::law::conformance::Effort::TEST,
            );
        }
    };
    ($entry:expr $(,)?) => {
        #[test]
        fn keeps_every_law() {
            $crate::law::conformance::assert_entry_conforms(
                &$entry,
                $crate::law::conformance::Effort::TEST,
            );
        }
    };
}
