//! The profiles: what they bring, and that they bring it again.

use std::collections::BTreeMap;

use cma_harness::op::{Op, Timed};
use cma_harness::seed::Seed;
use cma_harness::workload::{PROFILES, Profile, Setup, Workload, profile};

const AREA_PAGES: u64 = 131_072;

fn open(name: &str, load: f64, seed: u64, ops: u64) -> Workload {
    let setup = Setup { area_pages: AREA_PAGES, load, seed: Seed::new(seed), ops };
    profile(name).unwrap().open(&setup).unwrap()
}

fn seeded() -> impl Iterator<Item = &'static Profile> {
    PROFILES.iter().filter(|profile| profile.seeded)
}

/// The most pages live at once, were every request granted; a stream that frees what it does not
/// hold, asks for an id that is live, or goes back in time fails here.
fn load_pages(ops: impl Iterator<Item = Timed>) -> u64 {
    let mut live = BTreeMap::new();
    let (mut pages, mut most, mut last_us) = (0, 0, 0);
    for Timed { at_us, op } in ops {
        assert!(at_us >= last_us, "time went back");
        last_us = at_us;
        match op {
            Op::Alloc { id, request, dma } => {
                assert!(dma, "a request that does not follow the cap");
                assert_eq!(live.insert(id, request.count()), None, "{id} is live");
                pages += request.count();
            }
            Op::Free { id, part: None } => pages -= live.remove(&id).expect("a live buffer"),
            other => panic!("{other:?}"),
        }
        most = most.max(pages);
    }
    most
}

#[test]
fn load_comes_within_5_percent_below_what_was_asked_for() {
    for profile in seeded() {
        for load in [0.5, 0.7, 0.9] {
            for seed in 1..=8 {
                let most = load_pages(open(profile.name, load, seed, 4000));
                let share = most as f64 / (load * AREA_PAGES as f64);
                println!("{} {load} {seed} {share:.4}", profile.name);
                assert!((0.95..=1.0).contains(&share), "{} {load} {seed}: {share}", profile.name);
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_stream_and_another_one_another() {
    for profile in seeded() {
        let stream = |seed| open(profile.name, 0.7, seed, 500).collect::<Vec<_>>();
        assert_eq!(stream(1), stream(1), "{}", profile.name);
        assert_ne!(stream(1), stream(2), "{}", profile.name);
        assert_eq!(stream(1).len(), 500, "{}", profile.name);
        let longer: Vec<_> = open(profile.name, 0.7, 1, 600).take(500).collect();
        assert_eq!(longer, stream(1), "{}: more ops go on where fewer ended", profile.name);
    }
}

/// Sizes of the requests of a stream, and how many seconds it lasts.
fn sizes(name: &str) -> (BTreeMap<u64, u64>, u64) {
    let (mut sizes, mut last_us) = (BTreeMap::new(), 0);
    for Timed { at_us, op } in open(name, 0.7, 1, 4000) {
        last_us = at_us;
        if let Op::Alloc { request, .. } = op {
            *sizes.entry(request.count()).or_insert(0) += 1;
        }
    }
    (sizes, last_us / 1_000_000)
}

fn share(sizes: &BTreeMap<u64, u64>, of: impl Fn(u64) -> bool) -> f64 {
    let all: u64 = sizes.values().sum();
    let some: u64 = sizes.iter().filter(|(count, _)| of(**count)).map(|(_, times)| times).sum();
    some as f64 / all as f64
}

#[test]
fn each_profile_asks_for_its_own_sizes_over_minutes() {
    let (camera, seconds) = sizes("camera");
    assert!(share(&camera, |count| [1846, 2467, 4537].contains(&count)) > 0.25);
    assert!(share(&camera, |count| [4525, 9031].contains(&count)) > 0.01, "stills");
    assert!((60..20_000).contains(&seconds), "camera: {seconds} s");

    let (video, seconds) = sizes("video");
    assert!(share(&video, |count| [338, 765, 893, 3038].contains(&count)) > 0.6);
    assert!(video.contains_key(&178) && video.contains_key(&76), "an encoder, work buffers");
    assert!((60..20_000).contains(&seconds), "video: {seconds} s");

    let (gpu, seconds) = sizes("gpu");
    assert!((0.15..0.3).contains(&share(&gpu, |count| (257..=266).contains(&count))));
    let small = share(&gpu, |count| count <= 64);
    let tiny = share(&gpu, |count| count <= 8);
    assert!((0.5..0.75).contains(&small), "{small}");
    // Log-uniform: 1 to 8 is half of 1 to 64.
    assert!((0.4..0.6).contains(&(tiny / small)), "{tiny} of {small}");
    assert!((5..5_000).contains(&seconds), "gpu: {seconds} s");

    let (display, seconds) = sizes("display");
    assert!(share(&display, |count| count <= 16) > 0.05, "noise");
    assert!(share(&display, |count| (188..=2025).contains(&count)) > 0.5, "windows");
    assert!((30..20_000).contains(&seconds), "display: {seconds} s");
}

#[test]
fn buffers_of_a_group_live_and_die_together() {
    // A player's frames: whenever one goes, all that were asked for with it go in the same moment.
    let mut asked: BTreeMap<u64, u64> = BTreeMap::new();
    let mut freed: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    for Timed { at_us, op } in open("video", 0.7, 1, 4000) {
        match op {
            Op::Alloc { id, .. } => {
                asked.insert(id, at_us);
            }
            Op::Free { id, .. } => *freed.entry((id >> 48, at_us)).or_default() += 1,
            other => panic!("{other:?}"),
        }
    }
    let groups = freed.values().filter(|buffers| **buffers >= 3).count();
    assert!(groups > 50 && groups * 2 > freed.len(), "{groups} groups of {}", freed.len());
}

#[test]
fn another_client_less_does_not_shift_the_draws_of_the_others() {
    // With a smaller target there are fewer cameras; the first one still begins in the same way.
    let first_of = |load| {
        let mut ops = open("camera", load, 3, 400);
        ops.find(|timed| matches!(timed.op, Op::Alloc { request, .. } if request.client() == 1))
    };
    assert_eq!(first_of(0.5), first_of(0.9));
    assert!(first_of(0.5).is_some());
}

#[test]
fn the_imx_note_is_560_residents_and_then_456_pages_again_and_again() {
    let profile = profile("imx-note").unwrap();
    let area_pages = profile.area.unwrap().count;
    assert_eq!(area_pages, 286_720);
    let setup = Setup { area_pages, load: profile.default_load, seed: Seed::new(1), ops: 2000 };
    let counts: Vec<_> = profile
        .open(&setup)
        .unwrap()
        .map(|Timed { op, .. }| match op {
            Op::Alloc { request, .. } => request.count(),
            _ => 0,
        })
        .collect();
    assert_eq!(counts.len(), 2000);
    assert!(counts[..560].iter().all(|count| *count == 257));
    assert!(counts[560..].chunks(2).all(|pair| pair == [456, 0]));
}

#[test]
fn a_stream_that_cannot_be_is_refused_with_what_would_do() {
    let open = |name: &str, area_pages, load| {
        let setup = Setup { area_pages, load, seed: Seed::new(1), ops: 10 };
        profile(name).and_then(|profile| profile.open(&setup)).err().map(|e| e.to_string())
    };
    let error = open("camra", 131_072, 0.7).unwrap();
    assert!(
        error.contains("\"camra\"; there are camera, video, gpu, display, imx-note"),
        "{error}"
    );
    for load in [0.0, -1.0, f64::NAN, f64::INFINITY, 4.1] {
        assert!(open("camera", 131_072, load).unwrap().contains("above 0 and at most 4"), "{load}");
    }
    let error = open("camera", 1024, 0.5).unwrap();
    assert!(error.contains("512 pages is too small") && error.contains("16000"), "{error}");
    for profile in PROFILES {
        let most_pages = 1 << 28;
        assert_eq!(open(profile.name, most_pages, 4.0), None, "{}", profile.name);
        assert_eq!(open(profile.name, profile.least_pages, 1.0), None, "{}", profile.name);
    }
}
