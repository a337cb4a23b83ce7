//! The cap that the orders of a trace show.

use std::path::Path;

use cma_harness::ingest::Source;
use cma_harness::op::Op;
use cma_harness::reader::{self, CapShown, Options};
use cma_policies::{Area, Run, dma_align};

use crate::rig::{Board, Release};

/// What calls show that ask for so many pages at these orders, each so often.
fn shown(calls: &[(&str, u64, u32, u64)]) -> CapShown {
    let area = Area::new("pool", 0, &[Run::new(0x40000, 16384)]).unwrap();
    let mut board = Board::new(area, Release::Errno);
    let mut text = String::new();
    for (client, count, align, times) in calls {
        for _ in 0..*times {
            board.forget();
            let number = board.alloc(*count, *align).unwrap();
            board.free(number);
            text += &board.text.replace("vpu-7", &format!("{client}-7"));
        }
    }
    let source = Source::bytes("t", text.into_bytes());
    let reader = reader::open(&source, &Options::default()).unwrap();
    let shown = reader.cap_shown().unwrap().clone();
    assert_eq!(reader.cap(), shown.cap);
    shown
}

fn at_cap(cap: u32, sizes: &[u64]) -> Vec<(&'static str, u64, u32, u64)> {
    sizes.iter().map(|count| ("vpu", *count, dma_align(*count, cap), 3)).collect()
}

#[test]
fn every_cap_is_found_that_the_sizes_can_show() {
    for cap in 2..=12 {
        let sizes = [5, 18, 160, 320, 642, 1300, 2700, 5400, 9000];
        let shown = shown(&at_cap(cap, &sizes));
        assert_eq!((shown.cap, shown.exactly()), (cap, Some(cap)));
        let by = shown.by.unwrap();
        let above: Vec<u64> = sizes.into_iter().filter(|count| *count > 1 << cap).collect();
        assert_eq!(by.pages, (above[0], 9000));
        assert_eq!(by.calls, 3 * above.len() as u64);
        assert_eq!(shown.own, []);
    }
}

#[test]
fn what_the_sizes_leave_open_is_not_shown() {
    let small = shown(&at_cap(8, &[5, 18, 100]));
    assert_eq!((small.cap, small.exactly()), (8, None), "any cap from 7 on");
    assert_eq!(small.least.map(|(order, _)| order), Some(7));
    let large = shown(&at_cap(12, &[5, 300, 700]));
    assert_eq!((large.cap, large.exactly()), (10, None), "10 or more");
    // A huge page has its own order, whatever the cap is.
    let mut huge = at_cap(8, &[300, 700]);
    huge.push(("hugetlb", 1024, 10, 50));
    let huge = shown(&huge);
    assert_eq!((huge.cap, huge.exactly()), (8, Some(8)));
    let alone = shown(&[("hugetlb", 1024, 10, 50), ("vpu", 100, 7, 5)]);
    assert_eq!((alone.cap, alone.exactly()), (8, None));
}

#[test]
fn an_order_that_a_driver_names_is_no_cap() {
    // `alloc` of debugfs asks at order 0.
    let debugfs = shown(&[("sh", 300, 0, 40), ("sh", 77, 0, 40)]);
    assert_eq!((debugfs.cap, debugfs.exactly()), (8, None));
    let one = shown(&[("isp", 642, 4, 3)]);
    assert_eq!((one.cap, one.exactly()), (8, None), "one driver, one size");
    let often = shown(&[("isp", 642, 4, 20)]);
    assert_eq!((often.cap, often.exactly()), (4, Some(4)));
    // Once among many.
    let mut rare = at_cap(8, &[300, 700]);
    rare.iter_mut().for_each(|call| call.3 = 100);
    rare.push(("isp", 642, 9, 1));
    let rare = shown(&rare);
    assert_eq!((rare.cap, rare.own.len()), (8, 1));
}

#[test]
fn a_client_with_a_cap_of_its_own_is_named() {
    let mut both = at_cap(8, &[18, 300, 700]);
    both.extend([("heap", 160, 4, 30), ("heap", 320, 4, 30), ("heap", 642, 4, 30)]);
    let both = shown(&both);
    assert_eq!((both.cap, both.exactly()), (8, Some(8)));
    let [(order, client, class)] = &both.own[..] else { panic!("{:?}", both.own) };
    assert_eq!(
        (*order, client.as_deref(), class.calls, class.pages),
        (4, Some("heap"), 90, (160, 642))
    );
    // Its calls alone show no other cap than their own; those whose order holds 200 pages do.
    let open = shown(&[("heap", 320, 4, 30), ("heap", 642, 4, 30), ("vpu", 200, 8, 30)]);
    assert_eq!((open.cap, open.exactly(), open.own.len()), (8, None, 1));
}

#[test]
fn several_sizes_show_more_than_the_order_of_one() {
    // The default one is no better evidence than another: a driver may name order 8.
    let heap = [("heap", 160, 4, 30), ("heap", 320, 4, 30), ("heap", 642, 4, 30)];
    let with = |more: &[(&'static str, u64, u32, u64)]| shown(&[&heap[..], more].concat());
    let one = with(&[("enc", 900, 8, 95)]);
    assert_eq!((one.cap, one.exactly(), one.others().count()), (4, Some(4), 0));
    assert_eq!(one.followers, ["heap".into()]);
    let [(order, client, class)] = &one.own[..] else { panic!("{:?}", one.own) };
    assert_eq!((*order, client.as_deref(), class.calls), (8, Some("enc"), 95));
    assert_eq!((one.of(Some("heap")).unwrap().0, one.of(Some("enc")).unwrap().0), (4, 4));
    // Two clients of one size each have one order as well.
    let two = shown(&[("a", 160, 4, 9), ("b", 642, 4, 9), ("enc", 900, 8, 95)]);
    assert_eq!((two.cap, two.followers.len()), (4, 2));
    // The largest cap that an order shows is a cap at least.
    let floor = with(&[("enc", 900, 8, 95), ("enc", 200, 8, 95)]);
    assert_eq!((floor.cap, floor.exactly()), (8, Some(8)));
    // Several sizes at both: each client has its own.
    let both = with(&[("vpu", 300, 8, 40), ("vpu", 700, 8, 40)]);
    assert_eq!((both.cap, both.exactly()), (8, Some(8)));
    assert_eq!(both.followers, ["vpu".into()]);
    let of = |client| both.of(Some(client)).map(|(cap, class)| (cap, class.calls));
    assert_eq!((of("heap"), of("vpu"), of("else")), (Some((4, 90)), Some((8, 80)), Some((8, 80))));
    assert_eq!(shown(&[("vpu", 100, 7, 5)]).of(Some("vpu")), None);
}

#[test]
fn another_cap_varies_every_request_that_follows_it() {
    let trace = "../corpora/logs/board/7.3-rcap4-24-trace.txt.gz";
    let source = Source::file(&Path::new(env!("CARGO_MANIFEST_DIR")).join(trace));
    let options = Options { area: Some("vpu_pool".to_string()), ..Options::default() };
    let reader = reader::open(&source, &options).unwrap();
    assert_eq!(reader.cap_shown().unwrap().exactly(), Some(4));
    let aligns: Vec<(u64, u32)> = reader
        .ops(2)
        .filter_map(|op| match op.unwrap().1.op {
            Op::Alloc { request, .. } => Some((request.count(), request.align())),
            _ => None,
        })
        .collect();
    assert!(aligns.iter().all(|(_, align)| *align == 2) && aligns.len() >= 1422);
    let stated = Options { recorded_cap: Some(8), ..options };
    let reader = reader::open(&source, &stated).unwrap();
    assert_eq!(
        (reader.cap(), reader.cap_shown()),
        (8, None),
        "what the caller states is not asked"
    );
}
