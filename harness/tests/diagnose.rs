//! Logs with a hidden truth: what a kernel prints for a failure whose cause is known, captured,
//! wrapped, quoted, interleaved and cut, against what is said of it.
//!
//! The boards and their lines share nothing with the reader and the verdicts but the policies: the
//! two readings of `mm/cma.c` check each other. `cargo test --test diagnose -- --nocapture` prints
//! the confusion matrix.

#[path = "diagnose/board.rs"]
mod board;
#[path = "diagnose/boots.rs"]
mod boots;
#[path = "diagnose/capture.rs"]
mod capture;
#[path = "diagnose/chatter.rs"]
mod chatter;
#[path = "diagnose/mangle.rs"]
mod mangle;
#[path = "diagnose/note.rs"]
mod note;
#[path = "diagnose/recordings.rs"]
mod recordings;
#[path = "diagnose/release.rs"]
mod release;
#[path = "diagnose/render.rs"]
mod render;
#[path = "diagnose/scenario.rs"]
mod scenario;
#[path = "diagnose/score.rs"]
mod score;
#[path = "diagnose/smoke.rs"]
mod smoke;

use capture::{Log, Posted, capture};
use cma_harness::seed::Seed;
use release::Generation;
use score::Score;

/// Logs of each cause and generation.
const EACH: u64 = 24;

/// Seed of the generated logs: `CMALAB_GENERATED_SEED` names another, for those who want to see more.
fn seed() -> u64 {
    std::env::var("CMALAB_GENERATED_SEED").map_or(7, |seed| seed.parse().expect("a number"))
}

fn logs(posted: Posted) -> impl Iterator<Item = Log> {
    let pairs = Generation::ALL.into_iter().flat_map(move |generation| {
        scenario::CAUSES
            .into_iter()
            .filter(move |cause| posted.shows_drivers() || !scenario::is_silent(generation, *cause))
            .map(move |cause| (generation, cause))
    });
    pairs.flat_map(move |(generation, cause)| {
        (0..EACH).map(move |index| {
            let seed = Seed::new(seed()).child(generation.name(), index).child(cause.name(), 0);
            let seed = seed.child("posted", posted as u64);
            let story = if posted == Posted::TwoAreas {
                let second = scenario::CAUSES[index as usize % 5];
                scenario::two_areas(generation, [cause, second], &seed)
            } else {
                scenario::story(generation, cause, &seed)
            };
            capture(story, posted, &seed)
        })
    })
}

fn check(posted: Posted) {
    let mut score = Score::default();
    for log in logs(posted) {
        score.add(&log);
    }
    score.check(&format!("{posted:?}"));
}

#[test]
fn whole_logs() {
    check(Posted::Whole);
}

#[test]
fn mangled_logs() {
    check(Posted::Mangled);
}

#[test]
fn logs_with_cut_lists() {
    check(Posted::Cut);
}

#[test]
fn logs_with_lost_lines() {
    check(Posted::Lost);
}

#[test]
fn two_areas_at_the_same_time() {
    check(Posted::TwoAreas);
}

/// A board that says much and of which nothing failed.
#[test]
fn chatter_is_no_failure() {
    for index in 0..200 {
        let mut draws = Seed::new(5).child("chatter", index).rng();
        let style = *draws.pick(&render::Style::ALL);
        let lines = (0..draws.between(1, 60)).map(|line| board::Line {
            at_us: line * 5_000_000,
            task: board::Task { cpu: 1, comm: "init", pid: 1 },
            text: chatter::line(&mut draws),
            of: None,
            part: board::Part::Chatter,
        });
        let lines: Vec<_> = lines.collect();
        let text = style.text(&lines);
        let (failures, _) = score::found(&[("chatter".to_string(), text.clone().into_bytes())]);
        let said: Vec<_> = failures.iter().map(score::short).collect();
        assert!(failures.is_empty(), "{said:#?}\n{text}");
    }
}

/// What became of what a kernel was asked for.
#[test]
fn boots_are_said_as_they_are() {
    let (mut wrong, mut fates) = (Vec::new(), std::collections::BTreeMap::new());
    for index in 0..1500 {
        let boot = boots::boot(&Seed::new(seed()).child("boot", index));
        let (failures, found) = score::found(&[("boot".to_string(), boot.text.clone().into())]);
        assert!(failures.is_empty(), "{}", boot.text);
        let said = boots::wrong(&boot, &found);
        if !said.is_empty() {
            wrong.push(format!("{said:#?}\n{:?}\n{}", boot.setup, boot.text));
        }
        for became in boot.node.map(|(_, became)| became).into_iter().chain(boot.line) {
            let name = format!("{became:?}").split('(').next().unwrap_or_default().to_string();
            *fates.entry(name).or_insert(0) += 1;
        }
    }
    println!("{fates:?}, {} said otherwise", wrong.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(3)].join("\n"));
    assert!(fates.len() == 6 && fates.values().all(|boots| *boots >= 10), "{fates:?}");
}

/// The generator itself: there are enough logs, and they show failures. They are written into the
/// folder that `CMALAB_GENERATED_LOGS` names, for those who want to look.
#[test]
fn generated_logs_show_failures() {
    for posted in Posted::ALL {
        let (mut shown, mut count) = (0, 0);
        for log in logs(posted) {
            count += 1;
            let failures = log.visible().count();
            shown += failures;
            assert!(failures > 0 || !log.exact, "{}", log.text());
            if let Ok(folder) = std::env::var("CMALAB_GENERATED_LOGS") {
                let name = format!("{folder}/{posted:?}-{count:05}.txt");
                std::fs::write(name, format!("{}\n{}", log.name, log.text())).unwrap();
            }
        }
        assert_eq!(count, EACH * if posted.shows_drivers() { 35 } else { 31 });
        assert!(shown > 1000, "{posted:?}: {shown}");
    }
}
