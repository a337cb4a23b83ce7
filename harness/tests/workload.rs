//! The profiles: what they bring, and that they bring it again.

use std::collections::BTreeMap;

use cma_harness::board::kind;
use cma_harness::op::{Op, Timed};
use cma_harness::seed::Seed;
use cma_harness::workload::{PROFILES, Profile, Setup, Workload, profile};

const AREA_PAGES: u64 = 131_072;

fn open(name: &str, load: f64, seed: u64, ops: u64) -> Workload {
    let profile = profile(name).unwrap();
    let area_pages = area_pages(profile).max(AREA_PAGES);
    let setup = Setup { area_pages, load, seed: Seed::new(seed), ops };
    profile.open(&setup).unwrap()
}

fn seeded() -> impl Iterator<Item = &'static Profile> {
    PROFILES.iter().filter(|profile| profile.seeded)
}

/// The area that a profile is looked at on: one whose LOAD is reached within the stream, which
/// takes as many ops as there are buffers in it.
fn area_pages(profile: &Profile) -> u64 {
    match profile.name {
        "network" => 4096,
        "audio" => 65_536,
        "set-top" => 262_144,
        _ => AREA_PAGES,
    }
}

/// How LOAD goes over a stream; one that frees what it does not hold, asks for an id that is live,
/// or goes back in time fails here.
struct Course {
    /// The most, as a share of LOAD.
    most: f64,
    /// Share of the ops before nine tenths of LOAD are reached.
    ramp: f64,
    /// What is live on average over the ops after the first quarter, as a share of LOAD.
    held: f64,
}

fn course(profile: &Profile, load: f64, seed: u64, ops: u64) -> Course {
    let setup = Setup { area_pages: area_pages(profile), load, seed: Seed::new(seed), ops };
    let target = setup.target_pages() as f64;
    let (mut live, mut pages) = (BTreeMap::new(), 0);
    let (mut most, mut ramp, mut held) = (0, 1.0, 0.0);
    let mut last_us = 0;
    for (index, Timed { at_us, op }) in profile.open(&setup).unwrap().enumerate() {
        assert!(at_us >= last_us, "time went back");
        last_us = at_us;
        match op {
            Op::Alloc { id, request, dma } => {
                assert!(dma, "a request that does not follow the cap");
                assert_eq!(live.insert(id, request.count()), None, "{id} is live");
                pages += request.count();
            }
            Op::Free { id, .. } => pages -= live.remove(&id).expect("a live buffer"),
            other => panic!("{other:?}"),
        }
        most = most.max(pages);
        if ramp == 1.0 && pages as f64 >= 0.9 * target {
            ramp = index as f64 / ops as f64;
        }
        if index as u64 >= ops / 4 {
            held += pages as f64 / target / (ops - ops / 4) as f64;
        }
    }
    Course { most: most as f64 / target, ramp, held }
}

#[test]
fn load_comes_within_5_percent_below_what_was_asked_for_and_holds() {
    for profile in seeded() {
        for load in [0.5, 0.7, 0.9, 0.95] {
            for seed in 1..=8 {
                let Course { most, ramp, held } = course(profile, load, seed, 4000);
                let name = profile.name;
                println!("{name} {load} {seed} {most:.4} {ramp:.3} {held:.3}");
                assert!((0.95..=1.0).contains(&most), "{name} {load} {seed}: {most} of LOAD");
                assert!(ramp < 0.25, "{name} {load} {seed}: {ramp} of the ops before it is near");
                assert!(held > 0.7, "{name} {load} {seed}: {held} of LOAD on average");
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
    assert!(share(&video, |count| [152, 765, 893, 3038].contains(&count)) > 0.5);
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

/// Sizes in pages, from and to, and who was seen to ask for them.
const SOURCES: &[(u64, u64, &str)] = &[
    (1, 16, "network: descriptor rings of 1 to 16 pages; gpu: the small half of its objects"),
    (1, 64, "gpu: objects of 1 to 64 pages, log-uniform"),
    (188, 2025, "display: windows between 800x480 RGB565 and 1080p XRGB"),
    (188, 188, "800x480 RGB565"),
    (900, 900, "720p XRGB, g2d; Freescale/gstreamer-imx 130"),
    (2025, 2025, "1080p XRGB; raspberrypi/linux 2966"),
    (2040, 2040, "1088 lines XRGB; anholt/linux 94"),
    (8100, 8100, "4K XRGB"),
    (765, 765, "1080p NV12 of 1088 lines"),
    (893, 893, "1080p NV12 with motion vectors"),
    (3038, 3038, "4K NV12, NC12; jc-kynesim/rpi-ffmpeg 20"),
    (3060, 3060, "4K NV12"),
    (6075, 6075, "4K P010"),
    (152, 152, "720x576 NV12; Freescale/gstreamer-imx 30"),
    (4, 4, "i.MX6 encoder"),
    (124, 124, "i.MX6 encoder"),
    (385, 385, "i.MX6 encoder"),
    (203, 203, "i.MX6 encoder"),
    (148, 148, "i.MX6 encoder"),
    (178, 178, "i.MX6 encoder"),
    (256, 256, "coda bitstream, 0x100000"),
    (32, 32, "coda work, 128 KiB"),
    (76, 76, "coda temp, 304 KiB"),
    (40, 40, "coda PS, 160 KiB"),
    (3, 3, "coda para, 10 KiB"),
    (2467, 2467, "IMX219 raw10"),
    (4537, 4537, "IMX477 raw12"),
    (4525, 4525, "12 MP YUV420"),
    (9031, 9031, "12 MP RGB"),
    (1846, 1846, "CSI; sailfish pinephone 55"),
    (257, 257, "the residents of the i.MX note"),
    (258, 258, "raspberrypi/linux 1354"),
    (266, 266, "anholt/linux 76"),
    (456, 456, "the i.MX note"),
    (1024, 1024, "anholt/linux 94"),
    (4096, 4096, "binner; anholt/linux 135"),
    (128, 128, "etnaviv command buffer 512 KiB, dmaengine 512 KiB"),
    (64, 64, "etnaviv command buffer 256 KiB, ESAI 256 KiB"),
    (16, 16, "i.MX audio 64 KiB"),
    (512, 512, "slaclab/aes-stream-drivers 87"),
    (8192, 8192, "galcore contiguousSize 32 MiB"),
    (32_768, 32_768, "128 MiB blocks; Vitis-AI 1430"),
];

/// The rows of [`SOURCES`] that mean more than one size, and the clients they are for.
const RANGES: [(u64, u64, &str); 3] = [(1, 16, "network"), (1, 64, "app"), (188, 2025, "window")];

#[test]
fn no_size_is_without_a_source() {
    let known = |count: u64, kind: &str| {
        SOURCES.iter().any(|&(from, to, _)| {
            let range = RANGES.iter().find(|range| (range.0, range.1) == (from, to));
            (from..=to).contains(&count) && range.is_none_or(|range| range.2 == kind)
        })
    };
    for profile in PROFILES {
        let names = open(profile.name, 0.9, 1, 0).clients().to_vec();
        let mut seen = BTreeMap::new();
        for Timed { op, .. } in (1..=4).flat_map(|seed| open(profile.name, 0.9, seed, 6000)) {
            if let Op::Alloc { request, .. } = op {
                let kind = kind(&names[usize::from(request.client())]);
                assert!(known(request.count(), kind), "{} {kind} {request:?}", profile.name);
                *seen.entry(request.count()).or_insert(0) += 1;
            }
        }
        // What it is probed with is what it asks for.
        let missing: Vec<_> =
            profile.sizes.iter().filter(|size| !seen.contains_key(size)).collect();
        assert!(missing.is_empty(), "{} never asks for {missing:?}", profile.name);
        assert!(profile.sizes.len() <= 8 && profile.sizes.is_sorted(), "{}", profile.name);
    }
    for (from, to, source) in SOURCES {
        assert!(from <= to && !source.is_empty());
    }
}

#[test]
fn every_kind_of_client_finds_room_at_the_least_load() {
    for profile in PROFILES {
        let (area_pages, seed) = (profile.least_pages, Seed::new(5));
        let made = profile.open(&Setup { area_pages, load: 1.0, seed, ops: 20_000 }).unwrap();
        let names = made.clients().to_vec();
        let mut kinds: Vec<_> = made
            .filter_map(|timed| match timed.op {
                Op::Alloc { request, .. } => Some(kind(&names[usize::from(request.client())])),
                _ => None,
            })
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        let mut clients: Vec<_> = profile.clients.to_vec();
        clients.sort_unstable();
        assert_eq!(kinds, clients, "{}", profile.name);
    }
}

#[test]
fn load_in_pages_is_the_same_stream_on_every_board() {
    for profile in PROFILES {
        let stream = |area_pages: u64| {
            let load = 70_001.0 / area_pages as f64;
            let setup = Setup { area_pages, load, seed: Seed::new(9), ops: 300 };
            assert_eq!(setup.target_pages(), 70_001);
            profile.open(&setup).unwrap().collect::<Vec<_>>()
        };
        let first = stream(70_001);
        for area_pages in [17_501, 65_536, 81_920, 131_071, 286_720, 1_000_003, 1 << 34] {
            assert_eq!(stream(area_pages), first, "{} on {area_pages}", profile.name);
        }
    }
}

/// The kind of a client, and the pages of each of its buffers with the moment at which it goes.
type Group = (String, Vec<(u64, Option<u64>)>);

/// Groups of a stream: what one client asks for at one moment, with the moment at which each
/// buffer goes.
fn groups(name: &str, seed: u64) -> Vec<Group> {
    let made = open(name, 0.8, seed, 6000);
    let names = made.clients().to_vec();
    let mut groups: BTreeMap<(u64, u16), Vec<u64>> = BTreeMap::new();
    let mut buffers = BTreeMap::new();
    for Timed { at_us, op } in made {
        match op {
            Op::Alloc { id, request, .. } => {
                groups.entry((at_us, request.client())).or_default().push(id);
                buffers.insert(id, (request.count(), None));
            }
            Op::Free { id, .. } => buffers.get_mut(&id).unwrap().1 = Some(at_us),
            other => panic!("{other:?}"),
        }
    }
    let named = |((_, client), ids): ((u64, u16), Vec<u64>)| {
        let buffers = ids.iter().map(|id| buffers[id]).collect();
        (kind(&names[usize::from(client)]).to_string(), buffers)
    };
    // The stream may end in the middle of the last one.
    groups.pop_last();
    groups.into_iter().map(named).collect()
}

#[test]
fn a_session_is_asked_for_at_one_moment_by_one_client() {
    for seed in 1..=3 {
        // All or nothing: an encoder has its 11 buffers, or its 10 later ones.
        let mut firsts = 0;
        for (kind, buffers) in groups("dashcam", seed) {
            let counts: Vec<_> = buffers.iter().map(|(count, _)| *count).collect();
            let gone: Vec<_> = buffers.iter().map(|(_, gone)| *gone).collect();
            if kind == "encoder" {
                let first = counts == [4, 124, 385, 152, 203, 148, 178, 178, 178, 178, 178];
                let later = counts == [4, 385, 152, 203, 148, 178, 178, 178, 178, 178];
                assert!(first || later, "{counts:?}");
                firsts += usize::from(first);
                let stays: Vec<_> =
                    counts.iter().zip(&gone).filter(|(_, at)| at.is_none()).collect();
                // All are given back at stop but that of 124, or none yet.
                let left = stays.len();
                assert!(if first { left == 1 || left == 11 } else { left == 0 || left == 10 });
                assert!(!first || stays.iter().any(|(count, _)| **count == 124));
            }
            if kind == "camera" {
                assert!(gone.iter().all(|at| *at == gone[0]), "a mode goes as a whole: {gone:?}");
            }
        }
        assert!((1..=8).contains(&firsts), "{firsts}");
        // A player begins with work buffers, frames and what is on display at one moment.
        let players = groups("video", seed);
        let starts = players.iter().filter(|(_, buffers)| buffers[0].0 == 256);
        let starts: Vec<_> = starts.collect();
        assert!(starts.len() > 10, "{}", starts.len());
        for (kind, buffers) in starts {
            assert_eq!(kind, "vpu");
            let aux: Vec<_> = buffers[..5].iter().map(|(count, _)| *count).collect();
            assert_eq!(aux, [256, 32, 76, 40, 3]);
            assert!((11..=27).contains(&buffers.len()), "{}", buffers.len());
            assert!(buffers[5..].iter().all(|(count, _)| *count == buffers[5].0), "{buffers:?}");
        }
    }
}

#[test]
fn the_encoder_is_the_logged_sequence_with_its_orders_at_cap_8() {
    let logged = [4, 124, 385, 152, 203, 148, 178, 178, 178, 178, 178];
    let orders = [2, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8];
    let seen: Vec<_> = open("vpu-encode", 0.7, 1, 11)
        .map(|timed| match timed.op.with_cap(8) {
            Op::Alloc { request, dma: true, .. } => (request.count(), request.align()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(seen, logged.into_iter().zip(orders).collect::<Vec<_>>());
    // 1906 pages, which take 2692 in slots of their order: 29 % are lost.
    assert_eq!(logged.iter().sum::<u64>(), 1906);
    let slots = logged.iter().zip(orders).map(|(count, order)| count.next_multiple_of(1 << order));
    assert_eq!(slots.sum::<u64>(), 2692);
}

#[test]
fn a_camera_switches_between_preview_and_stills_and_changes_resolution() {
    let (mut previews, mut stills) = (BTreeMap::new(), 0);
    for (kind, buffers) in groups("camera", 1) {
        if kind == "camera" && buffers.len() <= 3 {
            assert!([4537, 4525, 9031].contains(&buffers[0].0), "{buffers:?}");
            stills += 1;
        } else if kind == "camera" {
            *previews.entry(buffers[0].0).or_insert(0) += 1;
        }
    }
    assert!(stills > 50, "{stills}");
    assert_eq!(previews.keys().copied().collect::<Vec<_>>(), [1846, 2467, 4537]);
}

#[test]
fn the_parts_of_a_mixture_keep_below_their_share_and_reach_it() {
    // What a kind holds at most, as a share of LOAD.
    let most = |name: &str, of: &str| {
        let (made, mut live, mut pages, mut most) =
            (open(name, 0.8, 2, 8000), BTreeMap::new(), 0, 0);
        let names = made.clients().to_vec();
        for Timed { op, .. } in made {
            match op {
                Op::Alloc { id, request, .. }
                    if kind(&names[usize::from(request.client())]) == of =>
                {
                    live.insert(id, request.count());
                    pages += request.count();
                }
                Op::Free { id, .. } => pages -= live.remove(&id).unwrap_or(0),
                _ => {}
            }
            most = most.max(pages);
        }
        most as f64 / (0.8 * area_pages(profile(name).unwrap()).max(AREA_PAGES) as f64)
    };
    for (name, kind, share) in [
        ("kiosk", "vpu", 0.45),
        ("kiosk", "app", 0.30),
        ("dashcam", "camera", 0.60),
        ("dashcam", "npu", 0.35),
        ("set-top", "vpu", 0.80),
    ] {
        let most = most(name, kind);
        assert!((0.8 * share..=share).contains(&most), "{name} {kind}: {most}");
    }
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
