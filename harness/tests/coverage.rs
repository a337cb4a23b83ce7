//! How often what is predicted for another size covers what happens there: on hidden boards, whose
//! streams, reactions, residents and caps the prediction knows by a trace of one session alone.
//!
//! `CMALAB_HIDDEN_BOARDS=200 cargo test --release --test coverage -- --nocapture` takes 200 in place
//! of 24.

use std::fmt::Write;

use cma_harness::after_failure::AfterFailure;
use cma_harness::board::Board;
use cma_harness::environment::Quiet;
use cma_harness::ingest::Source;
use cma_harness::op::{Op, Timed};
use cma_harness::oracle::{Checks, Witness};
use cma_harness::policies::{Area, Request, builtin};
use cma_harness::reader::Options;
use cma_harness::reproduce::{Forecast, Run, forecast, predict};
use cma_harness::seed::{Draws, Seed};
use cma_harness::simulate::{Answer, Observer, Rig, Slot, Step, Until, run, warm_up};
use cma_harness::workload::fit::{Fit, Recorded};
use cma_harness::workload::{PROFILES, Profile, Setup};

/// Pages of an area begin here.
const BASE: u64 = 0x40000;
/// Ids of what was there before.
const BEFORE: u64 = 1 << 40;

/// A board that the prediction does not know.
#[derive(Debug)]
struct Hidden {
    profile: &'static Profile,
    load: f64,
    pages: u64,
    residents: u64,
    cap: u32,
    after: AfterFailure,
    ops: u64,
}

impl Hidden {
    fn draw(draws: &mut Draws) -> Self {
        let profiles: Vec<&Profile> =
            PROFILES.iter().filter(|profile| profile.seeded && profile.area.is_none()).collect();
        let profile = *draws.pick(&profiles);
        let least = profile.least_pages * 3 / 2;
        let pages = draws.between(16, 96) * 512;
        let pages = pages.max(least.next_multiple_of(512));
        let words = ["drop", "retry:every_ms=20,times=5", "session", "next:back=0", "next:back=1"];
        Self {
            profile,
            load: draws.between(70, 95) as f64 / 100.0,
            pages,
            residents: *draws.pick(&[0, 32, 96]),
            cap: *draws.pick(&[4, 6, 8, 8, 9]),
            after: AfterFailure::parse(words[draws.below(5) as usize]).unwrap(),
            ops: draws.between(1500, 4000),
        }
    }

    /// Another session of it, on an area of so many pages.
    fn session(&self, area_pages: u64, seed: u64, watch: &mut dyn Observer) {
        let area = Area::single(BASE, area_pages, 0).unwrap();
        // What clients ask for does not depend on the area.
        let (area_of_load, load) = (self.pages, self.load);
        let setup = Setup { area_pages: area_of_load, load, seed: Seed::new(seed), ops: self.ops };
        let made = self.profile.open(&setup).unwrap();
        let kernel = builtin::catalog().parse("kernel").unwrap();
        let make = |_, _| Slot {
            witness: Witness::new(&area, kernel.build(area.clone()).unwrap(), Checks::SWEEP),
            pages: Box::new(Quiet),
        };
        let mut rig = Rig::new(1, vec![Board::single("", area.clone()).way("")], make);
        let resident = (self.residents > 0).then(|| Op::Alloc {
            id: BEFORE,
            request: Request::new(self.residents, 0).unwrap(),
            dma: false,
        });
        warm_up(resident, &mut rig.slots_mut()[0].witness, &mut []).unwrap();
        let ops = made.map(|timed| Timed { op: timed.op.with_cap(self.cap), ..timed });
        run(ops, self.after, Until::END, &mut rig, &mut [watch]).unwrap();
    }
}

/// A session as its board prints it.
struct Print<'a> {
    names: &'a [String],
    text: String,
    last_us: u64,
    live: std::collections::BTreeMap<u64, (u64, u64)>,
    available: u64,
    total: u64,
}

impl Print<'_> {
    fn line(&mut self, at_us: u64, client: u16, fields: &str) {
        self.last_us = at_us.max(self.last_us + 1);
        let name = self.names.get(usize::from(client)).map_or("c", String::as_str);
        let (s, us) = (self.last_us / 1_000_000, self.last_us % 1_000_000);
        writeln!(self.text, "{name:>16}-{} [000] ..... {s}.{us:06}: {fields}", 100 + client)
            .unwrap();
    }
}

impl Observer for Print<'_> {
    fn step(&mut self, step: &Step<'_>) {
        match (step.op, step.answer) {
            (Op::Alloc { id, request, .. }, answer) => {
                let (count, align, client) = (request.count(), request.align(), request.client());
                let (available, total) = (self.available, self.total);
                self.line(step.at_us, client, &format!(
                    "cma_alloc_start: name=pool request_count={count} available_count={available} \
                     total_count={total} align={align}"
                ));
                let (pfn, page, errno) = match answer {
                    Answer::Granted(pfn) => (pfn.0, "00000000e9f97517", 0),
                    _ => (0, "0000000000000000", -12),
                };
                self.line(step.at_us, client, &format!(
                    "cma_alloc_finish: name=pool pfn={pfn:#x} page={page} count={count} align={align} \
                     errorno={errno}"
                ));
                if errno == 0 {
                    self.live.insert(id, (pfn, count));
                    self.available -= count;
                }
            }
            (Op::Free { id, .. }, Answer::Freed(_)) => {
                let Some((pfn, count)) = self.live.remove(&id) else { return };
                self.available += count;
                self.line(
                    step.at_us,
                    0,
                    &format!(
                        "cma_release: name=pool pfn={pfn:#x} page=00000000e9f97517 count={count}"
                    ),
                );
            }
            _ => {}
        }
    }
}

/// How the requests of a session end.
#[derive(Default)]
struct Watch(Recorded);

impl Observer for Watch {
    fn step(&mut self, step: &Step<'_>) {
        if let Some(request) = step.request() {
            let is_refused = matches!(step.answer, Answer::Refused(_));
            self.0.note(step.at_us, request.count(), is_refused);
        }
    }
}

#[test]
fn what_happens_on_hidden_boards_is_inside_of_what_is_predicted() {
    let boards: u64 =
        std::env::var("CMALAB_HIDDEN_BOARDS").map_or(24, |boards| boards.parse().unwrap());
    let (mut inside, mut seen, mut widths) = (0, 0, Vec::new());
    let mut number = 0;
    while seen < boards {
        let mut draws = Seed::new(number).child("hidden board", number).rng();
        number += 1;
        let hidden = Hidden::draw(&mut draws);
        let names = hidden.profile.open(&Setup {
            area_pages: hidden.pages,
            load: hidden.load,
            seed: Seed::new(number),
            ops: 1,
        });
        let names = names.unwrap().clients().to_vec();
        let available = hidden.pages - hidden.residents;
        let mut print = Print {
            names: &names,
            text: String::new(),
            last_us: 0,
            live: Default::default(),
            available,
            total: hidden.pages,
        };
        hidden.session(hidden.pages, number, &mut print);
        if !print.text.contains("errorno=-12") {
            continue;
        }
        seen += 1;
        let source = Source::bytes("trace", print.text.into_bytes());
        let fit = Fit::read(&source, &Options::default()).unwrap();
        let other = (hidden.pages * draws.between(92, 112) / 100).next_multiple_of(512);
        let area = Area::single(BASE, other, 0).unwrap();
        let own = fit.area.clone().unwrap();
        let here = predict(&fit, &own, fit.cap).unwrap();
        let there = predict(&fit, &area, fit.cap).unwrap();
        let Forecast { predicted, range: (low, high), .. } =
            forecast(&fit, Run::of(&fit), &here, &there).unwrap();
        let mut watch = Watch::default();
        hidden.session(other, number + 1_000_000, &mut watch);
        let observed = watch.0.all().refused_share().unwrap();
        let is_inside = (low..=high).contains(&observed);
        inside += u64::from(is_inside);
        widths.push(high - low);
        if !is_inside {
            println!(
                "{} {:?} cap {} residents {} {} -> {other}: recorded {:?}, predicted {predicted:.4} \
                 ({low:.4} to {high:.4}), observed {observed:.4}; {:?}",
                hidden.profile.name,
                hidden.after.to_string(),
                hidden.cap,
                hidden.residents,
                hidden.pages,
                fit.recorded().all().refused_share(),
                fit.manners().iter().map(|one| one.after.to_string()).collect::<Vec<_>>(),
            );
        }
    }
    widths.sort_by(f64::total_cmp);
    println!("{inside} of {seen} inside; median width {:.4}", widths[widths.len() / 2]);
    assert!(inside * 100 >= seen * 83, "{inside} of {seen}");
}
