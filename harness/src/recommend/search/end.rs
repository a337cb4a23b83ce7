//! What is shown by fresh streams, ranked, and summed up.

use super::{FAILURES, Found, Least, Point, Search, SizeAlone};
use crate::recommend::bench::{Stage, Verdict};
use crate::recommend::lever::{Lever, changed};
use crate::recommend::rank::{Candidate, Outcome};
use crate::recommend::work::{Failed, Work};

/// Candidates whose figures are shown by fresh streams.
const MOST_PROVEN: usize = 6;
/// Larger sizes that are tried where fresh streams do not show that one is enough.
const LARGER: usize = 2;

/// Candidates that miss the target and are shown all the same, where none meets it.
const NEAREST: usize = 4;

/// Sizes of a curve, in hundredths of the area.
const SIZES: [u64; 8] = [60, 75, 85, 100, 115, 130, 150, 200];

/// Whether it was shown to meet the target.
fn is_proven(one: &Candidate) -> bool {
    one.verdict == Verdict::Meets && one.proven.streams > 0
}

impl Search<'_, '_> {
    /// Ranks, shows the best by fresh streams, and sums up.
    pub(super) fn end(
        mut self,
        baseline: Option<Candidate>,
        least: Least,
    ) -> Result<Found, Failed> {
        let (is_open, base_pages) = (self.bench.is_over(), self.base.pages.unwrap_or(0));
        self.up_to(0.95);
        let mut ranked = std::mem::take(&mut self.candidates);
        ranked.retain(|candidate| candidate.verdict == Verdict::Meets);
        ranked.extend(baseline);
        let near = self.near(&ranked);
        ranked.extend(near);
        ranked.sort_by_key(|candidate| candidate.rank(base_pages));
        let mut ranked = self.prove(ranked)?;
        ranked.sort_by_key(|candidate| candidate.rank(base_pages));
        // The area as it is may have more memory than may be.
        let may_be = |one: &Candidate| is_proven(one) && one.config.pages() <= self.base.most_pages;
        let as_is = ranked.iter().position(|one| one.levers.is_empty() && may_be(one));
        let chosen = as_is.or_else(|| ranked.iter().position(may_be));
        let proven = (0..ranked.len()).filter(|&at| may_be(&ranked[at]));
        let smallest = proven.min_by_key(|&at| ranked[at].smallness());
        let is_cut = self.is_cut || is_open;
        let outcome = match chosen {
            Some(_) if as_is.is_some() => Outcome::AsItIs,
            Some(_) => Outcome::Met,
            None if is_cut || ranked.iter().any(|one| one.verdict != Verdict::Misses) => {
                Outcome::Unproven
            }
            None => Outcome::Nothing,
        };
        self.bench.up_to = 1.0;
        let curves = self.curves(chosen.map(|at| &ranked[at]), least)?;
        Ok(Found {
            baseline: ranked.iter().position(|one| one.levers.is_empty()),
            chosen,
            smallest,
            outcome,
            curves,
            size: match least {
                Some((pages, _)) => SizeAlone::Least(pages),
                None if self.is_size_open => SizeAlone::Open,
                None => SizeAlone::None,
            },
            most_pages: self.base.most_pages,
            barred: self.barred(),
            ops: self.bench.ops(),
            length_us: self.bench.length_us,
            follows_area: self.bench.works.iter().any(Work::follows_area),
            is_cut,
            survey: self.survey,
            ranked,
        })
    }

    /// Where nothing meets the target: what comes nearest as the area is, of those that were tried.
    fn near(&self, ranked: &[Candidate]) -> Vec<Candidate> {
        if ranked.iter().any(|one| one.verdict == Verdict::Meets) {
            return Vec::new();
        }
        let mut missed: Vec<_> =
            self.missed.iter().map(|levers| self.candidate(levers.clone(), 0)).collect();
        missed.retain(|one| one.config.pages() <= self.base.most_pages);
        let mean = |one: &Candidate| one.searched.mtbf_us().unwrap_or(f64::MAX);
        missed.sort_by(|a, b| mean(b).total_cmp(&mean(a)));
        missed.truncate(NEAREST);
        missed
    }

    /// Runs the best on fresh streams; where these do not show that a size is enough, the next ones
    /// too.
    fn prove(&mut self, mut ranked: Vec<Candidate>) -> Result<Vec<Candidate>, Failed> {
        // What is as good as it is needs no change: that comes first.
        let as_is = ranked.iter_mut().find(|one| one.levers.is_empty());
        if let Some(one) = as_is.filter(|one| one.verdict == Verdict::Open) {
            one.verdict = self.bench.judge(Stage::Proof, &one.config)?;
            one.proven = self.bench.seen(Stage::Proof, &one.config);
        }
        let (mut proven, mut at) = (0, 0);
        while at < ranked.len() && proven < MOST_PROVEN && !self.bench.is_over() {
            let is_settled = ranked[at].proven.streams > 0 && ranked[at].verdict != Verdict::Open;
            if !is_settled {
                ranked[at].verdict = self.bench.judge(Stage::Proof, &ranked[at].config)?;
                ranked[at].proven = self.bench.seen(Stage::Proof, &ranked[at].config);
            }
            if is_proven(&ranked[at]) {
                proven += 1;
            } else if let Some(larger) = self.larger_than(&ranked, at) {
                ranked.insert(at + 1, larger);
            }
            at += 1;
        }
        Ok(ranked)
    }

    /// The same with the next legal size, where it has one, and not too many were tried.
    fn larger_than(&self, ranked: &[Candidate], at: usize) -> Option<Candidate> {
        let one = &ranked[at];
        let names = |other: &Candidate| {
            let parts = other.levers.iter().filter(|lever| !matches!(lever, Lever::Size(_)));
            parts.map(|lever| format!("{lever:?}")).collect::<Vec<_>>()
        };
        let tried = ranked[..at]
            .iter()
            .filter(|other| names(other) == names(one) && other.levers.len() == one.levers.len());
        if tried.count() >= LARGER {
            return None;
        }
        let mut levers = one.levers.clone();
        let size = levers.iter_mut().find_map(|lever| match lever {
            Lever::Size(pages) => Some(pages),
            _ => None,
        })?;
        *size += self.base.step_pages;
        let config = changed(&self.plain, &levers);
        let fits = config.pages() <= self.base.most_pages;
        let (searched, proven) = (one.searched.clone(), crate::recommend::Evidence::default());
        let (verdict, anomalies) = (Verdict::Open, one.anomalies);
        fits.then_some(Candidate { levers, config, searched, proven, verdict, anomalies })
    }

    fn barred(&self) -> Vec<&'static str> {
        let limits = self.limits;
        let barred = [
            (limits.keeps_size, "size"),
            (limits.no_kconfig, "kconfig"),
            (limits.no_driver, "driver"),
            (limits.no_patch, "patch"),
            (self.base.areas + 1 > limits.max_areas, "pools"),
        ];
        barred.into_iter().filter_map(|(is_barred, name)| is_barred.then_some(name)).collect()
    }

    /// What sizes come to, at the cap of the board and at that of the chosen one.
    fn curves(
        &mut self,
        chosen: Option<&Candidate>,
        least: Least,
    ) -> Result<Vec<Vec<Point>>, Failed> {
        let mut caps = vec![self.base.cap];
        caps.extend(chosen.map(|one| one.config.cap).filter(|cap| *cap != self.base.cap));
        let own = least.map(|(pages, _)| pages);
        let its = chosen.map(|one| one.config.areas[0].pages);
        let Some(around) = self.base.pages.or(own).or(its) else { return Ok(Vec::new()) };
        let mut sizes: Vec<u64> = SIZES.map(|of| self.legal(around * of / 100)).into();
        sizes.extend(own.into_iter().chain(its));
        sizes.retain(|pages| *pages <= self.base.most_pages);
        sizes.sort_unstable();
        sizes.dedup();
        let mut curves = Vec::new();
        for cap in caps {
            let mut points = Vec::new();
            for &pages in &sizes {
                points.extend(self.point(cap, pages)?);
            }
            curves.push(points);
        }
        Ok(curves)
    }

    /// A point of a curve; none where nothing more is to be run.
    fn point(&mut self, cap: u32, pages: u64) -> Result<Option<Point>, Failed> {
        let config = changed(&self.plain, &[Lever::Cap(cap), Lever::Size(pages)]);
        let verdict = self.bench.judge(Stage::Search, &config)?;
        let seen = self.bench.seen(Stage::Search, &config);
        // What fails soon costs little more.
        if verdict == Verdict::Misses && seen.failed < FAILURES && !self.bench.is_one() {
            let soon = seen.at_risk_us < self.bench.target.mtbf_us();
            if soon && !self.bench.is_over() {
                self.bench.run(Stage::Search, &config, FAILURES - seen.failed)?;
            }
        }
        let evidence = self.bench.seen(Stage::Search, &config);
        Ok((evidence.streams > 0).then_some(Point { pages, cap, evidence }))
    }
}
