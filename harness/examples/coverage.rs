//! How often the intervals of time hold what is true: 400 repetitions of each case, drawn from
//! fixed seeds, of a day's streams whose hazards are known. Exits with 1 where one holds less than
//! 93 %.
//!
//! `cargo run --release -p cma-harness --example coverage`

use std::process::ExitCode;

use cma_harness::seed::{Draws, Seed};
use cma_harness::stats::rate::mtbf_low;
use cma_harness::stats::{
    Interval, Watched, failure_rate, restricted_mean, share_interval, survival_quantile,
};

const REPETITIONS: u32 = 400;

/// 93 % of them.
const LEAST: u32 = 372;

/// A day, in milliseconds.
const DAY: f64 = 86_400_000.0;

const STREAMS: [usize; 3] = [16, 32, 64];

/// What is added up over repetitions: how often each interval held.
type Held<const N: usize> = [u32; N];

fn main() -> ExitCode {
    let enough = [first_failures(), all_failures()];
    if enough == [true, true] { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn exponential(draws: &mut Draws) -> f64 {
    -libm::log(1.0 - draws.unit())
}

fn holds(interval: Interval, truth: f64) -> u32 {
    let low = interval.low.is_none_or(|low| low <= truth);
    u32::from(low && interval.high.is_none_or(|high| truth <= high))
}

/// Prints a line of the table; whether all held often enough.
fn line<const N: usize>(case: &str, held: Held<N>) -> bool {
    print!("{case}");
    for count in held {
        print!(" {:>8.1}", f64::from(count) * 100.0 / f64::from(REPETITIONS));
    }
    println!();
    held.iter().all(|count| *count >= LEAST)
}

/// How the hazard of streams is.
#[derive(Clone, Copy)]
enum Hazard {
    /// Constant, the same in all.
    Alike,
    /// Constant, in one stream of eight 30 times as in the others.
    Differs,
    /// It rises as age does.
    Rises,
}

impl Hazard {
    /// When a stream fails first, in days, where so many failures a day are expected of it.
    fn draw(self, mean: f64, draws: &mut Draws) -> f64 {
        match self {
            Self::Alike => exponential(draws) / mean,
            Self::Differs => {
                let [(worse, share), (other, _)] = Self::parts(mean);
                let hazard = if draws.unit() < share { worse } else { other };
                exponential(draws) / hazard
            }
            Self::Rises => libm::sqrt(exponential(draws) / mean),
        }
    }

    /// The hazards that differ, each with the share of streams that have it.
    fn parts(mean: f64) -> [(f64, f64); 2] {
        let other = mean / (30.0 / 8.0 + 7.0 / 8.0);
        [(30.0 * other, 1.0 / 8.0), (other, 7.0 / 8.0)]
    }

    /// The share of streams that is well after so many days.
    fn surviving(self, mean: f64, days: f64) -> f64 {
        let well = |hazard: f64| libm::exp(-hazard * days);
        match self {
            Self::Alike => well(mean),
            Self::Differs => {
                Self::parts(mean).iter().map(|(hazard, share)| share * well(*hazard)).sum()
            }
            Self::Rises => well(mean * days),
        }
    }
}

/// What is true of the first day.
struct Truth {
    /// The share of streams that fails.
    failing: f64,
    /// The mean time to the first failure or the end, in days.
    mean: f64,
}

impl Truth {
    fn of(hazard: Hazard, mean: f64) -> Self {
        let steps = 100_000_u32;
        let at = |step: u32| (f64::from(step) + 0.5) / f64::from(steps);
        let area = (0..steps).map(|step| hazard.surviving(mean, at(step))).sum::<f64>();
        Self { failing: 1.0 - hazard.surviving(mean, 1.0), mean: area / f64::from(steps) }
    }
}

/// When the share `q` of streams has failed, in days.
fn quantile(hazard: Hazard, mean: f64, q: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1e6);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if hazard.surviving(mean, middle) > 1.0 - q {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The first failure of each stream: the bound of the MTBF (of the mean hazard over the ages that
/// were watched, where it is not constant), the share of failing streams, quantiles of
/// Kaplan-Meier, and the restricted mean.
fn first_failures() -> bool {
    println!("first failures of a day, held in percent of {REPETITIONS}; mtbf is one-sided");
    println!("hazard  streams expected     mtbf    share      q10      q50     rmst");
    let mut enough = true;
    let mut index = 0;
    let hazards =
        [(Hazard::Alike, "alike"), (Hazard::Differs, "differs"), (Hazard::Rises, "rises")];
    for (hazard, name) in hazards {
        for streams in STREAMS {
            for expected in [0.5, 1.5, 6.0, 15.0, 60.0] {
                index += 1;
                let held = held_first(hazard, streams, expected / streams as f64, index);
                enough &= line(&format!("{name:<7} {streams:>7} {expected:>8.1}"), held);
            }
        }
    }
    enough
}

fn held_first(hazard: Hazard, streams: usize, mean: f64, index: u64) -> Held<5> {
    let truth = Truth::of(hazard, mean);
    let (q10, q50) = (quantile(hazard, mean, 0.1) * DAY, quantile(hazard, mean, 0.5) * DAY);
    let mut held = [0; 5];
    for repetition in 0..REPETITIONS {
        let mut draws = Seed::new(u64::from(repetition)).child("first", index).rng();
        let stream = |_| {
            let age = hazard.draw(mean, &mut draws) * DAY;
            (libm::rint(age.min(DAY)) as u64, age < DAY)
        };
        let lasted: Vec<(u64, bool)> = (0..streams).map(stream).collect();
        let failed = lasted.iter().filter(|(_, failed)| *failed).count() as u64;
        let at_risk = lasted.iter().map(|(at, _)| *at as f64).sum::<f64>() / DAY;
        let low = mtbf_low(failed, at_risk);
        held[0] += u32::from(low <= truth.mean / truth.failing);
        held[1] += holds(share_interval(failed, streams as u64), truth.failing);
        held[2] += holds(survival_quantile(&lasted, 0.1).1, q10);
        held[3] += holds(survival_quantile(&lasted, 0.5).1, q50);
        let restricted = restricted_mean(&lasted, DAY as u64);
        held[4] += restricted.map_or(0, |(_, interval)| holds(interval, truth.mean * DAY));
    }
    held
}

/// How large bursts are.
#[derive(Clone, Copy)]
enum Burst {
    Single,
    /// One, and a Poisson number of mean 4.
    Poisson,
    /// From one up, of mean 5.
    Geometric,
    /// Log-normal of median 5 and this sigma, rounded up.
    LogNormal(f64),
}

impl Burst {
    fn draw(self, draws: &mut Draws) -> u64 {
        match self {
            Self::Single => 1,
            Self::Poisson => 1 + poisson(4.0, draws),
            Self::Geometric => 1 + libm::floor(-exponential(draws) / libm::log(0.8)) as u64,
            Self::LogNormal(sigma) => {
                let angle = core::f64::consts::TAU * draws.unit();
                let normal = libm::sqrt(2.0 * exponential(draws)) * libm::cos(angle);
                libm::ceil(5.0 * libm::exp(sigma * normal)) as u64
            }
        }
    }

    /// The mean size.
    fn mean(self) -> f64 {
        match self {
            Self::Single => 1.0,
            Self::Poisson | Self::Geometric => 5.0,
            // One, and the chances to be above 1, 2, 3 …
            Self::LogNormal(sigma) => {
                let above = |size: u32| {
                    let z = libm::log(f64::from(size) / 5.0) / sigma;
                    0.5 * libm::erfc(z / core::f64::consts::SQRT_2)
                };
                1.0 + (1..100_000).map(above).sum::<f64>()
            }
        }
    }
}

fn poisson(mean: f64, draws: &mut Draws) -> u64 {
    let mut at = exponential(draws);
    let mut count = 0;
    while at < mean {
        count += 1;
        at += exponential(draws);
    }
    count
}

/// All failures of a day, by streams as clusters.
fn all_failures() -> bool {
    println!("\nfailures per day, held in percent of {REPETITIONS}, with so many bursts expected");
    println!("bursts     worse  streams      1.5        3        6       15       30      300");
    let bursts = [
        (Burst::Single, "single"),
        (Burst::Poisson, "poisson"),
        (Burst::Geometric, "geometric"),
        (Burst::LogNormal(0.8), "normal 0.8"),
        (Burst::LogNormal(1.0), "normal 1.0"),
    ];
    let mut enough = true;
    let mut index = 0;
    for (burst, name) in bursts {
        for (worse, word) in [(0.0, "none"), (1.0 / 8.0, "1 of 8")] {
            for streams in STREAMS {
                let held = [1.5, 3.0, 6.0, 15.0, 30.0, 300.0].map(|expected| {
                    index += 1;
                    held_all(burst, worse, streams, expected / streams as f64, index)
                });
                enough &= line(&format!("{name:<10} {word:<6} {streams:>7}"), held);
            }
        }
    }
    enough
}

/// How often the interval held with so many `bursts` of a stream expected, but 5 (it always fails)
/// of the share `worse` of streams.
fn held_all(burst: Burst, worse: f64, streams: usize, bursts: f64, index: u64) -> u32 {
    const ALWAYS: f64 = 5.0;
    let truth = (worse * ALWAYS + (1.0 - worse) * bursts) * burst.mean();
    let mut held = 0;
    for repetition in 0..REPETITIONS {
        let mut draws = Seed::new(u64::from(repetition)).child("all", index).rng();
        let stream = |_| {
            let mean = if draws.unit() < worse { ALWAYS } else { bursts };
            let failures = (0..poisson(mean, &mut draws)).map(|_| burst.draw(&mut draws)).sum();
            Watched { failures, time: 1.0 }
        };
        let watched: Vec<Watched> = (0..streams).map(stream).collect();
        held += failure_rate(&watched).map_or(0, |(_, interval)| holds(interval, truth));
    }
    held
}
