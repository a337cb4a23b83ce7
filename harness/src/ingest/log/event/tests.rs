mod property;

use std::sync::Arc;

use super::super::super::source::Source;
use super::super::{Found, Origin, Page, Record, Task, open};

fn read(text: &str) -> Vec<Found> {
    let (found, odd) = read_all(text.as_bytes());
    assert!(odd.is_empty(), "{odd:?}");
    found
}

fn read_all(text: &[u8]) -> (Vec<Found>, Vec<String>) {
    let mut found = Vec::new();
    let mut odd = Vec::new();
    for record in open(&Source::bytes("test", text)).expect("bytes open") {
        match record {
            Ok(one) => found.push(one),
            Err(error) => odd.push(error.to_string()),
        }
    }
    (found, odd)
}

fn one(text: &str) -> Found {
    let mut found = read(text);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    found.remove(0)
}

fn name(text: &str) -> Option<Arc<str>> {
    Some(text.into())
}

fn task(comm: Option<&str>, pid: u32, cpu: u32) -> Option<Task> {
    Some(Task { comm: comm.map(Into::into), pid: Some(pid), cpu: Some(cpu) })
}

fn finish(area: Option<&str>, pfn: u64, page: Page, size: (u64, u32)) -> Record {
    Record::Finish {
        origin: Origin::Trace,
        area: area.map(Into::into),
        page,
        pfn: Some(pfn),
        count: Some(size.0),
        align: Some(size.1),
        errno: None,
        alone: false,
    }
}

fn start(area: &str, count: u64, align: u32) -> Record {
    Record::Start {
        origin: Origin::Trace,
        area: name(area),
        count,
        align,
        available: None,
        total: None,
        vendor: false,
        named: false,
    }
}

#[test]
fn every_container_tells_the_task_and_the_time() {
    let payload = "cma_alloc_start: name=vpu count=77 align=7";
    let expected = [
        ("      codec 0-1-4321    [003] d..1.    99.000123: ", task(Some("codec 0-1"), 4321, 3)),
        ("      codec-4321    [003] d..1    99.000123: ", task(Some("codec"), 4321, 3)),
        ("      codec-4321    (  4300) [003] d..1.    99.000123: ", task(Some("codec"), 4321, 3)),
        ("      <...>-4321    (-----) [003] ....    99.000123: ", task(None, 4321, 3)),
        ("      <idle>-0       [000] 99.000123: ", task(Some("<idle>"), 0, 0)),
        ("> >   codec-4321    [003] .....    99.000123: ", task(Some("codec"), 4321, 3)),
        ("codec-4321  [003]    99.000123456: ", task(Some("codec"), 4321, 3)),
        ("codec a  4321 [003]    99.000123: cma:", task(Some("codec a"), 4321, 3)),
        ("codec  4300/4321 [003]    99.000123456: cma:", task(Some("codec"), 4321, 3)),
        ("\t99.000123: ", None),
        ("[   99.000123] ", None),
    ];
    for (head, task) in expected {
        let found = one(&format!("{head}{payload}\n"));
        assert_eq!(found.record, start("vpu", 77, 7), "{head}");
        assert_eq!((found.time_us, found.task), (Some(99_000_123), task), "{head}");
    }
    assert_eq!(one(payload).time_us, None);
    let padded =
        "a-1 [000] 1.5: cma_release:          name=a pfn=0x10 page=0xffffea0000000400 count=2";
    assert!(matches!(one(padded).record, Record::Release { pfn: Some(0x10), count: Some(2), .. }));
}

#[test]
fn every_generation_of_the_events() {
    let old = "a-1 [000] ....  1.5: cma_alloc: pfn=5e140 page=00000000a7b2c3d4 count=456 align=8";
    let Record::Finish { area, page, pfn, count, align, alone, errno, .. } = one(old).record else {
        panic!("no finish")
    };
    assert_eq!((area, page, pfn, count), (None, Page::Some, Some(0x5e140), Some(456)));
    assert_eq!((align, alone, errno), (Some(8), true, None));
    let release =
        Record::Release { origin: Origin::Trace, area: None, pfn: Some(0x5e140), count: Some(456) };
    assert_eq!(one("cma_release: pfn=5e140 page=00000000a7b2c3d4 count=456").record, release);
    let line = "cma_alloc_finish: name=x pfn=8ad40 page=00000000a7b2c3d4 count=4 align=2";
    assert_eq!(one(line).record, finish(Some("x"), 0x8ad40, Page::Some, (4, 2)));
    let line = "cma_alloc_finish: name=x pfn=0x0 page=0000000000000000 count=4 align=2 errorno=-16";
    let Record::Finish { page, pfn, errno, .. } = one(line).record else { panic!("no finish") };
    assert_eq!((page, pfn, errno), (Page::Null, Some(0), Some(-16)));
    let line = "cma_alloc_start: name=r request_count=4 available_count=80 total_count=90 align=1";
    let Record::Start { available, total, count, align, .. } = one(line).record else {
        panic!("no start")
    };
    assert_eq!((count, align, available, total), (4, 1, Some(80), Some(90)));
    let info = "cma_alloc_info: name=r pfn=0x5 count=4 align=1 nr_migrated=3 err_test=0";
    assert_eq!(read(info), []);
}

#[test]
fn no_page_in_every_spelling() {
    let null = ["(null)", "          (null)", "(nil)", "0000000000000000", "00000000", "0x0"];
    for page in null {
        let text = format!("cma_alloc: pfn=ffffffff page={page} count=4 align=2");
        let Record::Finish { page, pfn, .. } = one(&text).record else { panic!("{text}") };
        assert_eq!((page, pfn), (Page::Null, Some(u64::MAX)), "{text}");
    }
    for page in ["(ptrval)", "(____ptrval____)", "00000000c1d2e3f4", "c1d2e3f4", "0xfffffc0000f1"] {
        let text = format!("cma_alloc_finish: name=x pfn=0x99 page={page} count=4 align=2");
        assert_eq!(one(&text).record, finish(Some("x"), 0x99, Page::Some, (4, 2)), "{text}");
    }
    let raw = "cma_alloc_busy_retry: name=x pfn=0x99 page=0xffffea0000002640 count=4 align=2";
    assert!(matches!(one(raw).record, Record::Busy { page: Some(0xffff_ea00_0000_2640), .. }));
    let hash = "cma_alloc_busy_retry: name=x pfn=0x99 page=00000000c1d2e3f4 count=4 align=2";
    assert!(matches!(one(hash).record, Record::Busy { page: None, pfn: Some(0x99), .. }));
}

#[test]
fn a_name_may_hold_anything_but_a_line_end() {
    for area in ["linux,cma", "vpu@9a", "a b", "a=b", "count=3 align=4", "pfn=0x1", "müll"] {
        let text = format!("cma_alloc_start: name={area} count=5 align=2");
        assert_eq!(one(&text).record, start(area, 5, 2));
        let text = format!("cma_alloc_finish: name={area} pfn=0x7 page=(ptrval) count=5 align=2");
        assert_eq!(one(&text).record, finish(Some(area), 7, Page::Some, (5, 2)));
    }
}

#[test]
fn lost_events_and_furniture() {
    let lost = |text: &str| one(text).record;
    assert_eq!(lost("CPU:2 [LOST 12 EVENTS]\n"), Record::Lost { cpu: Some(2), events: Some(12) });
    assert_eq!(lost("CPU:11 [LOST EVENTS]"), Record::Lost { cpu: Some(11), events: None });
    assert_eq!(lost("CPU:0 [7 EVENTS DROPPED]"), Record::Lost { cpu: Some(0), events: Some(7) });
    assert_eq!(lost("CPU:0 [EVENTS DROPPED]"), Record::Lost { cpu: Some(0), events: None });
    let header = "# entries-in-buffer/entries-written: 900/1024   #P:4\n";
    assert_eq!(lost(header), Record::Lost { cpu: None, events: Some(124) });
    let whole = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 9/9   #P:4\n\
                 #                                _-----=> irqs-off\ncpus=4\nversion = 6\n";
    assert_eq!(read(whole), []);
    let perf = "a 1 [000] 1.5: cma:cma_alloc_start: name=r count=1 align=0\n\
                a 0 [000] 1.6: PERF_RECORD_LOST lost 31\n";
    assert_eq!(read(perf)[1].record, Record::Lost { cpu: None, events: Some(31) });
}

#[test]
fn what_only_looks_like_an_event_is_none() {
    for text in [
        "[  1.5] cma: cma_alloc: alloc failed, req-size: 456 pages, ret: -12",
        "[  1.5] cma: cma_alloc: vpu: alloc failed, req-size: 456 pages, ret: -12",
        "[  1.5]  cma_alloc+0x270/0x868",
        "[  1.5] cma: cma_release(page c08c63e0)",
        "[    1.5] [2] cma: cma_alloc:",
        "trace_cma_alloc_start: name=x count=1 align=0",
        "cma_alloc_starting: name=x count=1 align=0",
        "cma_alloc_start:",
        "mm: cma_",
    ] {
        let mut queue = std::collections::VecDeque::new();
        let mut sink = super::Sink { source: "test", line: 1, queue: &mut queue };
        let mut events = super::Events::default();
        assert!(!events.line(text.as_bytes(), &mut sink), "{text}");
        events.end(&mut sink);
        assert!(queue.is_empty(), "{text}: {queue:?}");
    }
}

#[test]
fn an_event_broken_over_lines_is_put_together() {
    let whole = "  a-1 [000] .... 1.500000: cma_alloc_finish: name=linux,cma pfn=0x1f00 \
                 page=00000000c1d2e3f4 count=456 align=8 errorno=-12";
    let before = "b-1 [000] 0.5: cma_alloc_start: name=linux,cma count=1 align=0\n";
    let expected = read(&format!("{before}{whole}\n{before}"));
    assert_eq!(expected.len(), 3);
    let from = whole.find("name=").unwrap();
    let end = whole.find(" errorno").unwrap();
    for at in from..end {
        let (head, tail) = whole.split_at(at);
        // Between a blank and what it parts, or within a word: all breaks mean the same.
        for wrapped in [format!("{head}\n> {tail}"), format!("{head}\n{tail}")] {
            let found = read(&format!("{before}{wrapped}\n{before}"));
            let mut moved = expected.clone();
            moved[2].line += 1;
            assert_eq!(found, moved, "{wrapped}");
        }
    }
    // The default name of an area without one ends with a line end.
    let found = read("a-1 [000] 1.5: cma_alloc_start: name=cma0\n count=4 align=2\n");
    assert_eq!(found[0].record, start("cma0", 4, 2));
}

#[test]
fn an_event_in_a_mail() {
    let head = "> a-1 [000] 1.5: cma_alloc_finish: ";
    let plain = "name=linux,cma pfn=0x1f00 page=(ptrval) count=456 align=8 errorno=-12\n";
    let expected = read(&format!("{head}{plain}"));
    let encoded = plain.replace('=', "=3D");
    assert_eq!(read(&format!("{head}{encoded}")), expected);
    for soft in ["ux", "0x1", "page", "=3D4", "45", " align", "8 ", "-1"] {
        let at = encoded.find(soft).unwrap() + soft.len();
        let (front, back) = encoded.split_at(at);
        assert_eq!(read(&format!("{head}{front}=\n{back}")), expected, "{front}=");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let (found, odd) = read_all(b"x\ncma_alloc_start: name=a count=4x align=2\n");
    assert_eq!(found, []);
    let why = "read test line 2, column 25: count \"4x\" is not a number of pages";
    assert_eq!(odd, [why]);
    for (text, why) in [
        ("cma_release: name=a pfn=0x1 page=(ptrval) count=99999999999999999999", "number of pages"),
        ("cma_alloc_start: name=a count=4 align=4294967296", "an order"),
        ("cma_alloc_start: xname=a count=4 align=4", "name="),
        ("cma_release: name=a pfn=0x11112222333344445 page=0 count=9", "page's number"),
        ("cma_alloc_start: name=a", "broken off"),
        ("cma_alloc_start: name=a count=", "broken off"),
    ] {
        let (found, odd) = read_all(text.replace("xname", "name=a pfn").as_bytes());
        let fine = text.contains("xname");
        assert!(fine || found.is_empty(), "{text}: {found:?}");
        assert!(fine || odd.len() == 1 && odd[0].contains(why), "{text}: {odd:?}");
    }
}

#[test]
fn a_broken_event_gives_what_is_there() {
    let (found, odd) = read_all(b"cma_alloc_finish: name=a pfn=0x10 count=4 align=2\n");
    assert_eq!((found.len(), odd.len()), (1, 0), "{odd:?}");
    assert!(matches!(found[0].record, Record::Finish { page: Page::Some, count: Some(4), .. }));
    // The next event ends it, and is read itself.
    let text = b"cma_alloc_start: name=a count=\ncma_alloc_start: name=b count=4 align=1\n";
    let (found, odd) = read_all(text);
    assert_eq!((found.len(), odd.len(), found[0].line), (1, 1, 2));
}
