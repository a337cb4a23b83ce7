//! How often the interval that is said of a configuration covers what many more streams show.
//!
//! `CMALAB_RECOMMENDED=200 cargo test --release --test recommend fresh -- --nocapture` takes 200 in
//! place of 8.

use cma_harness::recommend::{Bench, Config, Evidence, Load, Origin, Stage, Verdict, Work};
use cma_harness::seed::{Draws, Seed};
use cma_harness::sweep::Target;
use cma_harness::workload::mix::{self, Mix, Part};
use cma_harness::workload::{Profile, profile};

use super::chance::fewest;
use super::hidden::Hidden;
use super::{GROUND, Nobody, STEP, config, fitted, of_fit, work};

const NAMES: [&str; 6] = ["camera", "video", "vpu-encode", "kiosk", "dashcam", "set-top"];

/// Failures of a look at a configuration, by which its target is chosen, and the most ops of it.
const LOOK: (u64, u64) = (24, 1 << 17);
/// Failures that the truth is of: its own error is about 5 %. It is of so many ops at most.
const TRUTH: (u64, u64) = (400, 1 << 20);
/// The median interval reaches over a factor of this at most.
const MOST_WIDE: f64 = 15.0;
/// Streams of the look and of the truth begin so far above those of the check.
const APART: u64 = 1 << 50;

/// Board time of a stream of the look in microseconds, and of the longest target.
const LOOK_US: u64 = 300_000_000;
const DAY_US: u64 = 24 * 3_600_000_000;

/// Who asks, and the configuration that is judged.
struct Case {
    class: &'static str,
    works: Vec<Work>,
    config: Config,
}

fn part(draws: &mut Draws) -> (&'static Profile, u64) {
    let profile = profile(draws.pick::<&str>(&NAMES)).unwrap();
    let pages = draws.between(12, 40) * STEP;
    (profile, pages.max(profile.least_pages * 5 / 4))
}

fn of_profile((profile, pages): (&'static Profile, u64)) -> Work {
    work(profile.name, Origin::Profile(profile, Load::Pages(pages)))
}

impl Case {
    fn draw(number: u64) -> Self {
        let mut draws = Seed::new(number).child("recommended", number).rng();
        let (class, works, load_pages) = match draws.below(5) {
            0 | 1 => {
                let one = part(&mut draws);
                (one.0.name, vec![of_profile(one)], one.1)
            }
            2 => {
                let both = [part(&mut draws), part(&mut draws)];
                let parts = both.map(|(profile, pages)| Part {
                    origin: mix::Origin::Profile(profile, pages),
                    called: None,
                });
                let mix = Mix::new(parts.into()).unwrap();
                let load_pages = mix.load_pages();
                ("mix", vec![work("mix", Origin::Mix(mix.into()))], load_pages)
            }
            3 => {
                let both = [part(&mut draws), part(&mut draws)];
                let weighed = Work { weight: 3.0, ..of_profile(both[1]) };
                ("in turn", vec![of_profile(both[0]), weighed], both[0].1.max(both[1].1))
            }
            _ => {
                let fit = fitted(&Hidden::draw(&mut draws), number);
                let load_pages = fit.load_pages();
                ("fit", vec![of_fit(fit)], load_pages)
            }
        };
        let pages = (load_pages * draws.between(80, 160) / 100).next_multiple_of(STEP);
        let config = config(pages, *draws.pick(&[4, 6, 8]));
        Self { class, works, config }
    }

    fn bench(&self, target_us: u64, length_us: u64, seed: u64) -> Bench<'_> {
        let span = (Target::Mtbf(target_us), length_us);
        Bench::new(&self.works, GROUND, span, (seed, u64::MAX), &Nobody)
    }

    /// What is known after so many failures or ops.
    fn run(&self, (failures, ops): (u64, u64), length_us: u64, seed: u64) -> Evidence {
        let mut bench = self.bench(length_us, length_us, seed);
        loop {
            let seen = bench.seen(Stage::Search, &self.config);
            if seen.failed >= failures || seen.ops >= ops {
                return seen;
            }
            bench.run(Stage::Search, &self.config, 4).unwrap();
        }
    }
}

/// What became of a check.
struct Checked {
    class: &'static str,
    is_inside: bool,
    verdict: Verdict,
    /// The upper end of the interval as a multiple of the lower one; infinite where it is open.
    width: f64,
}

/// Whether the truth is inside of what is said. None where it fails so rarely that the truth is not
/// known: that is asked of streams that the check does not know, so it favours nothing.
fn check(number: u64) -> Option<Checked> {
    let case = Case::draw(number);
    let look = case.run(LOOK, LOOK_US, number + 2 * APART);
    if look.failed * TRUTH.1 < look.ops * TRUTH.0 {
        return None;
    }
    // Targets from one that is met by far to one that is missed by far.
    let mut draws = Seed::new(number).child("target", number).rng();
    let times = *draws.pick(&[0.1, 0.3, 0.7, 1.5, 4.0, 20.0]);
    let target_us = ((look.mtbf_us()? * times) as u64).clamp(1_000_000, DAY_US);
    let truth = case.run(TRUTH, target_us, number + APART);
    let truth_us = truth.mtbf_us().filter(|_| truth.failed >= TRUTH.0)?;
    let mut bench = case.bench(target_us, target_us, number);
    let verdict = bench.judge(Stage::Proof, &case.config).unwrap();
    let seen = bench.seen(Stage::Proof, &case.config);
    let said = seen.interval(bench.target, Stage::Proof.miss());
    let (low, high) = (said.low.unwrap(), said.high.unwrap_or(f64::INFINITY));
    let is_inside = (low..=high).contains(&truth_us);
    let minutes = |us: f64| us / 6e7;
    println!(
        "{}{number:>4} {}: {} pages, cap {}, target {:.2} min: {} of {} streams failed, {:.2} to \
         {:.2} min, {verdict:?}; truth {:.2} min",
        if is_inside { "     " } else { "MISS " },
        case.class,
        case.config.pages(),
        case.config.cap,
        minutes(target_us as f64),
        seen.failed,
        seen.streams,
        minutes(low),
        minutes(high),
        minutes(truth_us),
    );
    Some(Checked { class: case.class, is_inside, verdict, width: high / low })
}

#[test]
fn what_is_said_of_a_configuration_covers_what_fresh_streams_show() {
    let wanted = std::env::var("CMALAB_RECOMMENDED").map_or(8, |many| many.parse().unwrap());
    let checked: Vec<Checked> = (0..).filter_map(check).take(wanted).collect();
    let count = |is_so: &dyn Fn(&Checked) -> bool| checked.iter().filter(|one| is_so(one)).count();
    let inside = count(&|one| one.is_inside);
    let mut widths: Vec<f64> = checked.iter().map(|one| one.width).collect();
    widths.sort_by(f64::total_cmp);
    let line = format!(
        "{inside} of {wanted} inside; median width, upper end by lower end, {:.2}; {} meet the \
         target, {} miss it, {} of fits",
        widths[wanted / 2],
        count(&|one| one.verdict == Verdict::Meets),
        count(&|one| one.verdict == Verdict::Misses),
        count(&|one| one.class == "fit"),
    );
    println!("{line}");
    assert!(inside as u64 >= fewest(wanted as u64), "{line}");
    // What covers everything says nothing.
    assert!(widths[wanted / 2] < MOST_WIDE, "{line}");
}
