//! What is known of boards: that the changes which were made there would have helped.

use cma_harness::environment::Quiet;
use cma_harness::op::Timed;
use cma_harness::oracle::{Checks, Witness};
use cma_harness::seed::Seed;
use cma_harness::simulate::{Observer, Step, simulate};
use cma_harness::workload::changed::{Changed, MOMENT_US, Shows, Who, proposals};
use cma_harness::workload::{Setup, profile};
use cma_policies::{Area, Request, builtin};

use super::{Course, alloc, course, free, names};

#[derive(Default)]
struct Refused(Vec<u64>);

impl Observer for Refused {
    fn step(&mut self, step: &Step<'_>) {
        if step.cause.is_some() {
            self.0.extend(step.request().map(Request::count));
        }
    }
}

/// Pages of each request that the baseline refuses on an area of so many pages at cap 8.
fn refused(ops: impl Iterator<Item = Timed>, pages: u64) -> Vec<u64> {
    let area = Area::single(0, pages, 0).unwrap();
    let kernel = builtin::catalog().parse("kernel").unwrap().build(area.clone()).unwrap();
    let mut witness = Witness::new(&area, kernel, Checks::SWEEP);
    let mut refused = Refused::default();
    let ops = ops.map(|timed| Timed { op: timed.op.with_cap(8), ..timed });
    simulate(ops, &mut witness, &mut Quiet, &mut [&mut refused]).unwrap();
    refused.0
}

fn opened(name: &str, area_pages: u64, load: f64, ops: u64) -> cma_harness::workload::Workload {
    let setup = Setup { area_pages, load, seed: Seed::new(1), ops };
    profile(name).unwrap().open(&setup).unwrap()
}

#[test]
fn a_page_less_for_each_resident_lets_456_pages_of_the_imx_note_in() {
    const PAGES: u64 = 286_720;
    let note = || opened("imx-note", PAGES, 0.502, 1_000);
    let clients = note().clients().to_vec();
    let first = proposals(&clients, note(), 8, MOMENT_US).remove(0);
    let trim = Changed::Trim { client: Some("resident".into()), from: 257, to: 256 };
    assert_eq!(first.change, trim);
    assert_eq!(first.shows, Shows::Stranded { slot: 512, stranded: 255, live: 560 });
    assert_eq!((first.saves_pages, first.costs_pages), (560 * 256, 0));
    assert_eq!(trim.to_string(), "trim 257 → 256 pages (client resident)");
    assert_eq!(
        first.why(),
        "each takes a slot of 512 pages and strands 255 of them; 560 buffers live at once at most"
    );
    assert_eq!(refused(note(), PAGES), vec![456; 220]);
    assert_eq!(refused(note().changed(&trim), PAGES), Vec::<u64>::new());
}

/// The preview and the stills of a camera take turns on what was asked for once.
#[test]
fn cameras_that_keep_hardly_ask_any_more_once_they_have_seen_their_modes() {
    let camera = || opened("camera", 65_536, 0.7, 4_000);
    let clients = camera().clients().to_vec();
    let keep = Changed::Keep { client: "camera".into() };
    let found = proposals(&clients, camera(), 8, MOMENT_US);
    let proposal = found.iter().find(|one| one.change == keep).expect("they ask again and again");
    let Shows::Again { requests, left, pages, kept_pages } = proposal.shows else {
        panic!("{proposal:?}");
    };
    let (before, after) = (course(camera()), course(camera().changed(&keep)));
    let is_camera = |number: u16| clients[usize::from(number)].starts_with("camera");
    let asked = |course: &Course| {
        let all = course.of(is_camera).into_iter();
        all.filter(|done| done.freed.is_none()).map(|done| done.at_us).collect::<Vec<_>>()
    };
    assert_eq!(asked(&before).len() as u64, requests);
    assert_eq!(asked(&after).len() as u64, left);
    assert!(requests > 10 * left, "{requests}, {left}");
    // It costs: each camera has room for the larger of its modes, all the time.
    assert_eq!(proposal.costs_pages, kept_pages - pages);
    assert!(after.load() > before.load() && kept_pages > pages);
    // They grow more and more seldom.
    let end_us = before.done.last().map_or(0, |last| last.at_us);
    let late = |course| asked(course).iter().filter(|at_us| **at_us > end_us / 2).count();
    assert!(late(&before) > 600 && late(&after) < 30, "{} {}", late(&before), late(&after));
    assert_eq!(after.done.last().map(|last| last.at_us), Some(end_us));
    assert_eq!(proposal.change.who(), Who::Application);
}

/// Freescale/gstreamer-imx 30: 1906 pages in slots of 2692.
#[test]
fn an_encoder_could_keep_its_buffers_for_nothing_or_do_with_one_less_and_has_none_to_trim() {
    let sizes = [4, 124, 385, 152, 203, 148, 178, 178, 178, 178, 178];
    let session = |number: u64| {
        let (from_us, to_us) = (number * 60_000_000, number * 60_000_000 + 50_000_000);
        let asks = (0..).zip(sizes).map(move |(id, count)| alloc(from_us, id, count, 3));
        asks.chain((0..11).map(move |id| free(to_us, id)))
    };
    let ops = || (0..8).flat_map(session);
    let found = proposals(&names(), ops(), 8, MOMENT_US);
    let fewer = Changed::Fewer { client: "vpu".into(), pages: 178, most: 4 };
    let keep = Changed::Keep { client: "vpu".into() };
    assert_eq!(found.iter().map(|one| &one.change).collect::<Vec<_>>(), [&fewer, &keep]);
    assert_eq!((found[0].saves_pages, found[1].costs_pages), (256, 0));
    assert_eq!(found[0].shows, Shows::Set { buffers: 5, live: 5 });
    let again = Shows::Again { requests: 88, left: 11, pages: 1906, kept_pages: 1906 };
    assert_eq!(found[1].shows, again);
    // An encoder that begins with an area ends at its page 2738, and at 2482 with a buffer less.
    let once = || session(0).take(11);
    assert_eq!(refused(once(), 2560), [178]);
    assert_eq!(refused(fewer.apply(&names(), once()), 2560), Vec::<u64>::new());
    assert_eq!(fewer.to_string(), "at most 4 buffers of 178 pages (client vpu)");
}
