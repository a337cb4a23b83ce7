//! Small mixes, written out by hand.

use std::sync::Arc;

use cma_harness::ingest::Source;
use cma_harness::op::Op;
use cma_harness::reader::Options;
use cma_harness::seed::Seed;
use cma_harness::workload::fit::Fit;
use cma_harness::workload::mix::{MIXES, Mix, Origin, Part, Played, built_in};
use cma_harness::workload::profile;

use super::{called, file, line, mix, of_profile, stream};

const CAMERA: &str =
    "0,alloc,7,10,dma,cam,,\n5,alloc,8,20,dma,cam,,\n5,free,7,,,,,\n9,free,8,,,,,\n";
const VPU: &str =
    "2,alloc,7,300,0,vpu,,\n5,alloc,1,4,dma,cam,,\n8,free,7,100,,,,0\n9,free,7,,,,,\n";

/// The ops of a mix as lines.
fn lines(parts: &[Part], ops: u64) -> Vec<String> {
    let made = mix(parts).open(&Seed::new(1), ops).unwrap();
    let clients = made.clients().to_vec();
    assert_eq!(made.before(), []);
    made.map(|timed| line(&timed, &clients)).collect()
}

#[test]
fn the_merged_stream_is_the_union_in_order_of_time() {
    let expected = [
        "0 ask 0 10 cam",
        "2 ask 1 300 vpu",
        // Of one moment first what the first part does.
        "5 ask 2 20 cam",
        "5 free 0",
        "5 ask 3 4 cam",
        "8 free 1 100@0",
        "9 free 2",
        "9 free 1",
    ];
    let parts = [file(CAMERA, false), file(VPU, false)];
    assert_eq!(lines(&parts, 100), expected);
    assert_eq!(lines(&parts, 3), expected[..3], "fewer ops are the first of them");
    let made = mix(&parts);
    assert_eq!(made.clients, ["", "cam", "vpu"], "an equal name is one client");
    // 10 + 20 beside 300 + 4, whether or not both come at one moment.
    assert_eq!(made.load_pages(), 30 + 304);
    assert!(made.frees_parts() && !mix(&parts[..1]).frees_parts());
    // 4, 10, 20, 300 once each.
    assert_eq!(made.sizes, [4, 10, 20, 300]);
}

#[test]
fn what_is_called_something_is_no_other_client() {
    let parts = [file(CAMERA, false), called(file(VPU, false), "dsp")];
    assert_eq!(mix(&parts).clients, ["", "cam", "dsp0", "dsp1"]);
    assert_eq!(lines(&parts, 5)[1], "2 ask 1 300 dsp0");
    assert_eq!(lines(&parts, 5)[4], "5 ask 3 4 dsp1");
    // A stream without names: somebody asks there, too.
    let nameless = called(file("0,alloc,1,1,0,,,\n", false), "x");
    assert_eq!(lines(&[nameless], 5), ["0 ask 0 1 x0"]);
    assert_eq!(lines(&[file("0,alloc,1,1,0,,,\n", false)], 5), ["0 ask 0 1 "]);
}

#[test]
fn at_the_seam_what_is_live_is_given_back() {
    // Buffer 1 is live at its end, at 6; of buffer 2 a part is.
    let rows =
        "1,alloc,1,8,0,a,,\n2,alloc,2,6,0,a,,\n3,free,2,2,,,,0\n6,alloc,3,1,0,a,,\n6,free,3,,,,,\n";
    let expected = [
        "1 ask 0 8 a",
        "2 ask 1 6 a",
        "3 free 1 2@0",
        "6 ask 2 1 a",
        "6 free 2",
        "6 free 0",
        "6 free 1",
        "7 ask 3 8 a",
        "8 ask 4 6 a",
        "9 free 4 2@0",
        "12 ask 5 1 a",
        "12 free 5",
        "12 free 3",
        "12 free 4",
        "13 ask 6 8 a",
    ];
    assert_eq!(lines(&[file(rows, true)], 15), expected);
    assert_eq!(lines(&[file(rows, false)], 15), expected[..5], "once it leaves them live");
    // The others go on.
    let both = lines(&[file(rows, false), file(CAMERA, true)], 12);
    assert_eq!(both[9..], ["9 ask 5 10 cam", "14 ask 6 20 cam", "14 free 5"], "{both:#?}");
}

#[test]
fn a_part_is_the_same_whatever_follows_it() {
    let parts =
        [of_profile("gpu", 10_000), of_profile("camera", 20_000), of_profile("gpu", 10_000)];
    let of = |count: usize, kind: &str| {
        let made = mix(&parts[..count]).open(&Seed::new(5), 4000).unwrap();
        let clients = made.clients().to_vec();
        let asked = made.filter_map(|timed| match timed.op {
            Op::Alloc { request, .. }
                if clients[usize::from(request.client())].starts_with(kind) =>
            {
                Some((timed.at_us, request.count()))
            }
            _ => None,
        });
        asked.take(40).collect::<Vec<_>>()
    };
    assert_eq!(of(3, "camera"), of(2, "camera"));
    assert_eq!(of(2, "camera").len(), 40);
    // Two parts of one profile draw each for itself.
    let second = Mix::new(vec![parts[1].clone(), parts[0].clone()]).unwrap();
    let first = Mix::new(vec![parts[0].clone()]).unwrap();
    let pages = |mix: &Mix| {
        let made = mix.open(&Seed::new(5), 400).unwrap();
        let clients = made.clients().to_vec();
        let asked = made.filter_map(|timed| match timed.op {
            Op::Alloc { request, .. } if clients[usize::from(request.client())] == "app0" => {
                Some(request.count())
            }
            _ => None,
        });
        asked.take(20).collect::<Vec<_>>()
    };
    assert_ne!(pages(&second), pages(&first));
}

#[test]
fn of_a_file_one_client_can_be_taken() {
    let rows = "0,alloc,1,8,0,vpu0,,\n1,alloc,2,6,0,isp,,\n2,alloc,3,5,0,vpu1,pool,\n\
                3,free,2,,,,,\n4,free,1,,,,,\n";
    let of = |client| Played::read(&stream(rows), &Options::default(), Some(client));
    let part = |played| Part { origin: Origin::File(Arc::new(played), false), called: None };
    let expected = ["0 ask 0 8 vpu0", "2 ask 1 5 vpu1", "4 free 0"];
    let vpu = of("vpu").unwrap();
    assert_eq!((vpu.load_pages, vpu.ops, vpu.end_us), (13, 3, 4));
    assert_eq!(lines(&[part(vpu.clone())], 10), expected);
    let made = mix(&[file(CAMERA, false), part(vpu)]);
    let route = &made.routes[0];
    assert_eq!((made.routes.len(), route.area.as_str(), route.line), (1, "pool", 4));
    assert_eq!(made.clients[usize::from(route.client)], "vpu1");
    assert_eq!(lines(&[part(of("isp").unwrap())], 10), ["1 ask 0 6 isp", "3 free 0"]);
    let nobody = of("gpu").unwrap_err().to_string();
    let there = "no client is named \"gpu\"; there are \"vpu0\", \"isp\", \"vpu1\"";
    assert_eq!(nobody, format!("read s.csv: {there}"));
    // A fit is of that client alone, too.
    let fit = Fit::of_client(&stream(rows), &Options::default(), Some("vpu")).unwrap();
    assert_eq!((fit.requests, fit.load_pages(), fit.sizes()), (2, 13, vec![5, 8]));
    assert_eq!(fit.clients(), ["vpu0", "vpu1"]);
    let whole = Fit::read(&stream(rows), &Options::default()).unwrap();
    assert_eq!((whole.requests, whole.load_pages()), (3, 19));
}

#[test]
fn what_there_cannot_be_is_said_of_its_part() {
    let why = |parts: Vec<Part>| {
        let (index, error) = Mix::new(parts).map(drop).unwrap_err();
        format!("{index}: {error}")
    };
    let small = why(vec![file(CAMERA, false), of_profile("camera", 15_999)]);
    assert!(small.starts_with("1: a LOAD of 15999 pages is too small for profile camera"));
    let still = why(vec![file("0,alloc,1,1,0,,,\n", true)]);
    assert!(still.starts_with("0: the file lasts no time"), "{still}");
    let pool = |area: &str| file(&format!("0,alloc,1,1,0,vpu,{area},\n"), false);
    let two = why(vec![pool("a"), file(CAMERA, false), pool("b")]);
    assert!(two.contains("2: read s.csv line 2, column 19: area \"b\" of client \"vpu\""), "{two}");
    assert!(Mix::new(vec![pool("a"), called(pool("b"), "other"), pool("a")]).is_ok());
    let recording = "# base_pfn=0 pages=64 order_per_bit=0\nidx,kind,id,count,align,result\n\
                     0,alloc,7,4,2,0\n1,free,7,,,0\n";
    let recording = Source::bytes("r.csv", recording.as_bytes());
    let played = Played::read(&recording, &Options::default(), None).map(drop).unwrap_err();
    let said = "read r.csv: it is a recording, which has no time";
    assert!(played.to_string().starts_with(said), "{played}");
    let fit = Fit::read(&recording, &Options::default()).unwrap();
    let load = fit.load_pages();
    let fitted = Part { origin: Origin::Fit(Arc::new(fit), load), called: None };
    assert!(why(vec![fitted]).starts_with("0: the file is a recording, which has no time"));
}

#[test]
fn the_mixes_that_are_built_in_are_of_profiles_that_take_their_load() {
    for built_in in MIXES {
        let parts = built_in.parts.iter();
        let parts: Vec<_> = parts.map(|(name, mib)| of_profile(name, mib * 256)).collect();
        let made = mix(&parts);
        assert!(made.sizes.len() == 8 && made.sizes.is_sorted(), "{:?}", made.sizes);
        for (name, _) in built_in.parts {
            // Somebody of each part asks.
            let kind = profile(name).unwrap().clients[0];
            assert!(made.clients.iter().any(|client| client.starts_with(kind)), "{kind}");
        }
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(built_in.name.chars().all(word), "{}", built_in.name);
        assert!(profile(built_in.name).is_err(), "a profile has this name");
    }
    assert_eq!(built_in(MIXES[1].name), Some(&MIXES[1]));
    assert_eq!(built_in("camera"), None);
}
