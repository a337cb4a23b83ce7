//! The search.

mod end;
mod least;

use cma_policies::{BASELINE, Catalog, Spec};

use super::bench::{Bench, Evidence, Stage, Verdict};
use super::lever::{Lever, changed};
use super::rank::{Candidate, Outcome};
use super::split::splits;
use super::survey::Survey;
use super::trial::{Config, Pool};
use super::work::{Failed, Work};
use super::{Base, Limits};
use crate::words::mib;
use crate::workload::changed::{MOMENT_US, Proposal, proposals};

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Who asks for what, and what that takes at least.
    pub survey: Survey,
    /// Candidates, the best first, the board as it is among them.
    pub ranked: Vec<Candidate>,
    /// The board as it is, an index into them; none where nothing states its area.
    pub baseline: Option<usize>,
    /// The one to choose, an index into them.
    pub chosen: Option<usize>,
    /// The smallest change that suffices, likewise.
    pub smallest: Option<usize>,
    /// How it ended.
    pub outcome: Outcome,
    /// What the same changes come to at other sizes: of the board as it is, and of the chosen one.
    pub curves: Vec<Vec<Point>>,
    /// The size alone, at the cap of the board.
    pub size: SizeAlone,
    /// The largest size that was tried for it.
    pub most_pages: u64,
    /// Levers that were not pulled, since they must not be.
    pub barred: Vec<&'static str>,
    /// Ops that were run.
    pub ops: u64,
    /// Board time of a stream, in microseconds; of a recording in ops.
    pub length_us: u64,
    /// Somebody asks for more where the area is larger.
    pub follows_area: bool,
    /// It ended before everything was tried.
    pub is_cut: bool,
}

/// What the size alone does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SizeAlone {
    /// The least legal size that meets the target, as all larger ones do that were tried.
    Least(u64),
    /// None does.
    None,
    /// The search ended before it was known.
    Open,
}

/// A size, and what was seen there.
#[derive(Clone, PartialEq, Debug)]
pub struct Point {
    /// Pages of the area.
    pub pages: u64,
    /// The cap.
    pub cap: u32,
    /// What was seen.
    pub evidence: Evidence,
}

/// Streams of a configuration that fails, for its rate.
const FAILURES: u64 = 24;

/// What pools save is at least this part of what the size alone takes.
const WORTH: u64 = 20;

/// A size and what speaks against it: sizes above it at which it fails.
type Least = Option<(u64, u64)>;

/// A search on a bench.
pub(super) struct Search<'a, 'b> {
    bench: &'b mut Bench<'a>,
    base: &'b Base,
    limits: &'b Limits,
    survey: Survey,
    /// The board as it is, with the area at some size.
    plain: Config,
    candidates: Vec<Candidate>,
    /// Changes that do not meet the target as the area is.
    missed: Vec<Vec<Lever>>,
    /// Something was not searched to its end; the size alone among it.
    is_cut: bool,
    is_size_open: bool,
}

/// Searches for what meets the target.
///
/// # Errors
/// A stream that cannot be drawn, a policy that breaks a law.
pub fn search(
    bench: &mut Bench<'_>,
    survey: Survey,
    base: &Base,
    limits: &Limits,
    catalog: &Catalog,
) -> Result<Found, Failed> {
    let kernel = catalog.parse(BASELINE).expect("the baseline is built in");
    let pages = base.pages.unwrap_or(base.most_pages);
    let plain = Config {
        areas: vec![Pool { pages, clients: Vec::new() }],
        cap: base.cap,
        policy: kernel,
        changed: Vec::new(),
    };
    let search = Search {
        bench,
        base,
        limits,
        survey,
        plain,
        candidates: Vec::new(),
        missed: Vec::new(),
        is_cut: false,
        is_size_open: false,
    };
    search.all(catalog)
}

impl Search<'_, '_> {
    fn all(mut self, catalog: &Catalog) -> Result<Found, Failed> {
        // Each part leaves time for those after it: at the end something is proven.
        self.up_to(0.15);
        let baseline = self.baseline()?;
        let meets = baseline.as_ref().is_some_and(|base| base.verdict == Verdict::Meets);
        let cap = self.cap()?;
        self.up_to(0.35);
        let least = self.sizes()?;
        self.up_to(0.45);
        self.caps(cap, least)?;
        if !meets {
            self.up_to(0.55);
            self.drivers(least)?;
            self.up_to(0.6);
            self.pools(least)?;
            self.up_to(0.68);
            self.policies(catalog, least)?;
        }
        self.end(baseline, least)
    }

    /// What follows may go on until so much of ops and time is over. What went on for as long as it
    /// might was cut off.
    fn up_to(&mut self, share: f64) {
        self.is_cut |= self.bench.is_over();
        self.bench.up_to = share;
    }

    /// The least that could do at this cap, legal or not.
    fn bound(&self, cap: u32) -> u64 {
        let aligned = self.survey.aligned_load_pages.get(cap as usize).copied().unwrap_or(0);
        let scales = self.bench.works.iter().all(Work::follows_area);
        if scales { self.base.step_pages } else { aligned.max(self.survey.load_pages) }
    }

    /// Whether a size is a change that may be. Who takes what there is gets by with less too, which
    /// says nothing.
    fn may_be(&self, pages: u64) -> bool {
        let scales = self.bench.works.iter().any(Work::follows_area);
        let is_other = self.base.pages.is_none_or(|own| own != pages && !(scales && pages < own));
        is_other && !self.limits.keeps_size
    }

    fn legal(&self, pages: u64) -> u64 {
        pages.max(1).next_multiple_of(self.base.step_pages)
    }

    /// Adds what meets the target with these changes, where there is memory for it: the area as it is
    /// may have more than may be.
    fn add(&mut self, levers: Vec<Lever>, anomalies: u64) {
        let candidate = self.candidate(levers, anomalies);
        if candidate.config.pages() <= self.base.most_pages {
            self.candidates.push(candidate);
        }
    }

    fn candidate(&self, levers: Vec<Lever>, anomalies: u64) -> Candidate {
        let config = changed(&self.plain, &levers);
        let searched = self.bench.seen(Stage::Search, &config);
        let verdict = self.bench.verdict(Stage::Search, &searched);
        let proven = Evidence::default();
        Candidate { levers, config, searched, proven, verdict, anomalies }
    }

    fn judge(&mut self, levers: &[Lever]) -> Result<Verdict, Failed> {
        let config = changed(&self.plain, levers);
        self.bench.judge(Stage::Search, &config)
    }

    /// As [`Search::judge`], of the area as it is; what does not meet the target is kept, to be shown
    /// where nothing does.
    fn judge_as_is(&mut self, levers: &[Lever]) -> Result<Verdict, Failed> {
        let verdict = self.judge(levers)?;
        if verdict != Verdict::Meets {
            self.missed.push(levers.to_vec());
        }
        Ok(verdict)
    }

    /// The board as it is.
    fn baseline(&mut self) -> Result<Option<Candidate>, Failed> {
        if self.base.pages.is_none() {
            return Ok(None);
        }
        let config = self.plain.clone();
        // A few failures more than say that it misses: for its rate.
        let mut verdict = self.bench.judge(Stage::Proof, &config)?;
        while verdict == Verdict::Misses && !self.bench.is_over() {
            let seen = self.bench.seen(Stage::Proof, &config);
            if seen.failed >= FAILURES || !self.bench.works.iter().any(Work::is_seeded) {
                break;
            }
            self.bench.run(Stage::Proof, &config, FAILURES)?;
        }
        let proven = self.bench.seen(Stage::Proof, &config);
        if verdict != Verdict::Meets {
            verdict = self.bench.verdict(Stage::Proof, &proven);
        }
        let searched = Evidence::default();
        let base =
            Candidate { levers: Vec::new(), config, searched, proven, verdict, anomalies: 0 };
        self.bench.watch.found(match base.verdict {
            Verdict::Meets => "as it is, the board meets the target",
            Verdict::Misses => "as it is, the board misses the target",
            Verdict::Open => "as it is, the board is near the target",
        });
        Ok(Some(base))
    }

    /// The size alone, at the cap of the board.
    fn sizes(&mut self) -> Result<Least, Failed> {
        let range = (self.bound(self.base.cap), self.base.most_pages);
        let least = self.least(range, &|pages| vec![Lever::Size(pages)])?;
        if let Some((pages, anomalies)) = least.filter(|(pages, _)| self.may_be(*pages)) {
            self.add(vec![Lever::Size(pages)], anomalies);
        }
        self.is_size_open = self.bench.is_over();
        self.bench.watch.found(&match least {
            Some((pages, _)) => {
                format!("at this cap {} are enough", mib(pages, self.base.ground.page))
            }
            None if self.bench.is_over() => {
                "which size is enough at this cap is not known yet".to_string()
            }
            None => "at this cap no size that may be is enough".to_string(),
        });
        Ok(least)
    }

    /// Smaller caps, the largest first.
    fn smaller_caps(&self) -> impl Iterator<Item = u32> + use<> {
        let (caps, own, none) = (self.base.caps.clone(), self.base.cap, self.limits.no_kconfig);
        caps.filter(move |cap| *cap < own && !none).rev()
    }

    /// The largest of the smaller caps that is enough as the area is.
    fn cap(&mut self) -> Result<Option<u32>, Failed> {
        for cap in self.smaller_caps() {
            let is_open = self.base.pages.is_some() && self.bound(cap) <= self.plain.pages();
            if is_open && self.judge_as_is(&[Lever::Cap(cap)])? == Verdict::Meets {
                self.add(vec![Lever::Cap(cap)], 0);
                self.bench.watch.found(&format!("cap {cap} is enough as the area is"));
                return Ok(Some(cap));
            }
        }
        Ok(None)
    }

    /// The least areas at the cap that is enough, which changes least, and at the smallest one, which
    /// saves most.
    fn caps(&mut self, enough: Option<u32>, least: Least) -> Result<(), Failed> {
        let smallest = self.smaller_caps().last().filter(|_| !self.limits.keeps_size);
        let enough = enough.filter(|_| !self.limits.keeps_size && enough != smallest);
        for cap in [enough, smallest].into_iter().flatten() {
            let to = least.map_or(self.base.most_pages, |(pages, _)| pages);
            let make = |pages| vec![Lever::Cap(cap), Lever::Size(pages)];
            let least = self.least((self.bound(cap), to), &make)?;
            if let Some((pages, anomalies)) = least.filter(|(pages, _)| self.may_be(*pages)) {
                self.add(make(pages), anomalies);
            }
        }
        Ok(())
    }

    /// Pools of their own for some clients.
    fn pools(&mut self, least: Least) -> Result<(), Failed> {
        if self.base.areas + 1 > self.limits.max_areas {
            return Ok(());
        }
        let most = self.base.most_pages;
        for clients in splits(&self.survey, self.limits) {
            if self.bench.is_over() {
                break;
            }
            let pool = |pages| Lever::Pool { clients: clients.clone(), pages };
            let own = |pages| vec![Lever::Size(most), pool(pages)];
            let Some((pool_pages, _)) = self.least((1, most), &own)? else { continue };
            let rest = |pages| vec![Lever::Size(pages), pool(most)];
            let (mut both, mut anomalies) = (vec![pool(pool_pages)], 0);
            if !self.limits.keeps_size {
                let Some(least) = self.least((1, most), &rest)? else { continue };
                anomalies = least.1;
                both.insert(0, Lever::Size(least.0));
            }
            // A pool of its own is a node more, and has to be worth it.
            let most = least.map_or(most, |(pages, _)| pages - (pages / WORTH));
            let fits = changed(&self.plain, &both).pages() <= most;
            if fits && self.judge(&both)? == Verdict::Meets {
                self.add(both, anomalies);
            }
        }
        Ok(())
    }

    /// What drivers and applications could do.
    fn drivers(&mut self, least: Least) -> Result<(), Failed> {
        if self.limits.no_driver {
            return Ok(());
        }
        let proposals = self.proposals()?;
        self.each(proposals.into_iter().map(Lever::Driver).collect(), least)
    }

    fn proposals(&self) -> Result<Vec<Proposal>, Failed> {
        let mut all = Vec::new();
        for work in self.bench.works {
            let stream = work.open(1, self.plain.pages(), self.base.ground.page);
            let stream = stream.map_err(|error| Failed::Draw(work.name.clone(), error))?;
            let clients = stream.ops.clients().to_vec();
            let ops = stream.ops.take(1 << 16);
            let within_us = if work.is_in_ops() { 0 } else { MOMENT_US };
            for proposal in proposals(&clients, ops, self.base.cap, within_us) {
                if !all.contains(&proposal) {
                    all.push(proposal);
                }
            }
        }
        Ok(all)
    }

    /// Other policies.
    fn policies(&mut self, catalog: &Catalog, least: Least) -> Result<(), Failed> {
        if self.limits.no_patch {
            return Ok(());
        }
        let named = catalog.entries().iter().filter(|entry| entry.name != BASELINE);
        let specs: Vec<Spec> = named.filter_map(|entry| catalog.parse(entry.name).ok()).collect();
        let aligned = specs.into_iter().filter(|spec| self.aligns(spec));
        self.each(aligned.map(Lever::Policy).collect(), least)
    }

    /// Whether a policy can be built on the area, and grants as aligned as is asked for.
    fn aligns(&self, spec: &Spec) -> bool {
        let area = cma_policies::Area::single(
            self.base.ground.base_pfn,
            self.plain.areas[0].pages,
            self.base.ground.order_per_bit,
        );
        let built = area.ok().and_then(|area| spec.build(area).ok());
        built.is_some_and(|policy| policy.promises().aligned)
    }

    /// Each of these alone; where that is not enough, with the least size, if that is less than what
    /// the size alone takes.
    fn each(&mut self, levers: Vec<Lever>, least: Least) -> Result<(), Failed> {
        for lever in levers {
            if self.bench.is_over() {
                break;
            }
            if self.base.pages.is_some()
                && self.judge_as_is(std::slice::from_ref(&lever))? == Verdict::Meets
            {
                self.add(vec![lever], 0);
                continue;
            }
            if self.limits.keeps_size {
                continue;
            }
            let to = least.map_or(self.base.most_pages, |(pages, _)| pages - self.base.step_pages);
            let from = self.base.pages.map_or(1, |pages| pages + 1);
            let make = |pages| vec![lever.clone(), Lever::Size(pages)];
            if let Some((pages, anomalies)) = self.least((from, to), &make)? {
                self.add(make(pages), anomalies);
            }
        }
        Ok(())
    }
}
