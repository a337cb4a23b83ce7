//! How often what is predicted for another board covers what happens there: on hidden boards, whose
//! clients, reactions, residents and caps the prediction knows by a trace of one session alone.
//!
//! `CMALAB_HIDDEN_BOARDS=200 cargo test --release --test coverage -- --nocapture` takes 200 in place
//! of 24.

#[path = "reproduce/board.rs"]
mod board;
#[path = "coverage/chance.rs"]
mod chance;
#[path = "coverage/hidden.rs"]
mod hidden;
#[path = "reproduce/programs.rs"]
mod programs;

use std::collections::BTreeMap;

use cma_harness::after_failure::AfterFailure;
use cma_harness::policies::Area;
use cma_harness::reader::Options;
use cma_harness::reproduce::{Forecast, OneRun, forecast, predict};
use cma_harness::seed::{Draws, Seed};
use cma_harness::workload::fit::{Fit, Manner};

use self::board::BASE;
use self::chance::fewest;
use self::hidden::{Hidden, STEP, Work};
use self::programs::Program;

/// Refusals of a client below which its reaction is not asked for.
const LEAST_REFUSALS: u64 = 16;

/// What the clients of `kind` do after a refusal.
fn does(work: &Work, kind: &str) -> AfterFailure {
    let programs = match work {
        Work::Stream(_, after) => return *after,
        Work::Programs(programs) => programs,
    };
    let of_kind = programs.iter().find(|(task, _)| task.name.starts_with(kind));
    match &of_kind.expect("a program of this kind").1 {
        Program::Heap(heap) => AfterFailure::Next {
            back: AfterFailure::ALL.min(heap.back as u64),
            oldest: heap.oldest,
        },
        Program::Camera(camera) => match camera.refused {
            programs::Refused::Drop => AfterFailure::Drop,
            programs::Refused::Again(every_us) => AfterFailure::Retry { every_us, times: 1 },
            programs::Refused::Session => AfterFailure::Session,
        },
        Program::Nodes(_) | Program::Holder(_) => AfterFailure::Drop,
    }
}

/// Whether that is what was inferred: of tries the pace, up to a tenth.
fn is_named(manner: &Manner, does: AfterFailure) -> bool {
    match (manner.after, does) {
        (AfterFailure::Retry { every_us, .. }, AfterFailure::Retry { every_us: truth_us, .. }) => {
            every_us.abs_diff(truth_us) * 10 <= truth_us
        }
        (inferred, truth) => inferred == truth,
    }
}

/// What became of the boards of a class, or of all.
#[derive(Default, Debug)]
struct Score {
    boards: u64,
    inside: u64,
    wide: u64,
    /// Kinds of clients whose reaction refusals show, and those of them that are named rightly.
    kinds: u64,
    named: u64,
    widths: Vec<f64>,
}

impl Score {
    fn add(&mut self, found: &Forecast, observed: f64, named: &[bool]) {
        let (low, high) = found.range;
        self.boards += 1;
        self.inside += u64::from((low..=high).contains(&observed));
        self.wide += u64::from(found.is_wide());
        self.kinds += named.len() as u64;
        self.named += named.iter().filter(|named| **named).count() as u64;
        self.widths.push(high - low);
        self.widths.sort_by(f64::total_cmp);
    }

    fn say(&self) -> String {
        let Self { boards, inside, wide, kinds, named, widths } = self;
        let median = widths[widths.len() / 2];
        format!(
            "{inside} of {boards} inside; median width {median:.4}, {wide} wider than the rule; \
             {named} of {kinds} reactions named rightly"
        )
    }
}

/// Another area, of 70 to 150 % of this one, and a cap that is another in every second case.
fn other(hidden: &Hidden, draws: &mut Draws) -> (u64, u32) {
    let pages = hidden.pages * draws.between(70, 150) / 100;
    let cap = *draws.pick(&[hidden.cap, hidden.cap, 4, 6, 8]);
    (pages.next_multiple_of(STEP), cap)
}

/// A board, its trace, what is predicted for another and what happens there; `None` where nothing was
/// refused in the trace: then it does not show what clients do.
fn judge(number: u64) -> Option<(String, Forecast, f64, Vec<bool>)> {
    let mut draws = Seed::new(number).child("hidden board", number).rng();
    let hidden = Hidden::draw(&mut draws);
    let traced = hidden.session(hidden.pages, hidden.cap, number);
    if traced.recorded.all().refused == 0 {
        return None;
    }
    let fit = Fit::read(&traced.print.source(), &Options::default()).unwrap();
    let (pages, cap) = other(&hidden, &mut draws);
    let area = Area::single(BASE, pages, 0).unwrap();
    let here = predict(&fit, fit.area.as_ref().unwrap(), fit.cap).unwrap();
    let there = predict(&fit, &area, cap).unwrap();
    let found = forecast(&fit, OneRun::of(&fit), &here, &there).unwrap();
    let observed = hidden.session(pages, cap, number + 1_000_000).recorded;
    let observed = observed.all().refused_share().unwrap();
    let shown = fit.manners().iter().filter(|manner| manner.refusals >= LEAST_REFUSALS);
    let named: Vec<_> =
        shown.map(|manner| is_named(manner, does(&hidden.work, &manner.kind))).collect();
    let Forecast { predicted, range: (low, high), missed } = found;
    let recorded = fit.recorded().all().refused_share().unwrap();
    let manners = fit.manners().iter().map(|one| format!("{} {}", one.kind, one.after));
    println!(
        "{}{}{number:>4} {}: {} -> {pages} pages, cap {} (fit {}) -> {cap}: recorded {recorded:.4}, \
         missed {missed:.2}, predicted {predicted:.4} ({low:.4} to {high:.4}), observed \
         {observed:.4}; {:?}",
        if (low..=high).contains(&observed) { "     " } else { "MISS " },
        if found.is_wide() { "WIDE " } else { "     " },
        hidden.class,
        hidden.pages,
        hidden.cap,
        fit.cap,
        manners.collect::<Vec<_>>(),
    );
    if named.contains(&false) {
        println!("     not what it is: {:?}", hidden.work);
    }
    Some((hidden.class, found, observed, named))
}

#[test]
fn what_happens_on_hidden_boards_is_inside_of_what_is_predicted() {
    let boards = std::env::var("CMALAB_HIDDEN_BOARDS").map_or(24, |boards| boards.parse().unwrap());
    let (mut all, mut classes) = (Score::default(), BTreeMap::<String, Score>::new());
    for (class, found, observed, named) in (0..).filter_map(judge).take(boards) {
        all.add(&found, observed, &named);
        classes.entry(class).or_default().add(&found, observed, &named);
    }
    classes.iter().for_each(|(class, score)| println!("{class}: {}", score.say()));
    println!("{}", all.say());
    assert!(all.inside >= fewest(all.boards), "{}", all.say());
}
