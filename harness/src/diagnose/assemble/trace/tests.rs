use super::super::script::{NO_PFN, Script};
use super::*;
use crate::diagnose::{Fit, Hole, Place, Why};
use crate::ingest::log::{DebugfsFile, Origin, Page, Record, Shape};

const TRACE: Origin = Origin::Trace;

fn failed(script: Script, count: u64, align: u32) -> Script {
    script.start(TRACE, count, align).finish(NO_PFN, (count, align), Some(-12), Page::Null)
}

fn granted(script: Script, pfn: u64, count: u64) -> Script {
    script.start(TRACE, count, 0).finish(Some(pfn), (count, 0), Some(0), Page::Some)
}

fn released(pfn: u64, count: u64) -> Record {
    let area = Some("reserved".into());
    Record::Release { origin: TRACE, area, pfn: Some(pfn), count: Some(count) }
}

#[test]
fn tasks_interleave() {
    let script = Script::new()
        .task(1)
        .start(TRACE, 64, 6)
        .task(2)
        .start(TRACE, 64, 6)
        .busy(TRACE, Some(0x40000))
        .task(1)
        .finish(NO_PFN, (64, 6), Some(-12), Page::Null)
        .task(2)
        .finish(Some(0x40000), (64, 6), Some(-16), Page::Null);
    let failures = script.failures();
    let said: Vec<_> = failures
        .iter()
        .map(|failure| (failure.incident.busy_retries, failure.incident.tried))
        .collect();
    assert_eq!(said, [(Some(0), Some(false)), (Some(1), Some(true))]);
    assert_eq!(failures[1].verdict_name(), "busy");
}

#[test]
fn without_an_errno_the_retries_tell() {
    let busy = |last: u64| {
        Script::new().start(TRACE, 64, 6).busy(TRACE, Some(0x40000)).finish(
            Some(last),
            (64, 6),
            None,
            Page::Null,
        )
    };
    assert_eq!(busy(0x40000).words(), ["busy likely"]);
    assert_eq!(busy(0x40000).only().incident.ret, None);
    // Another page was tried last, and was not busy.
    assert_eq!(busy(0x40040).words(), ["migration likely"]);
    // That says nothing of the errno: a signal ends a call like that, too.
    assert_eq!(busy(0x40040).only().incident.ret, None);
    let failure = busy(0x40040).fail(Shape::Named, 64, -4).only();
    assert_eq!(failure.verdict_name(), "interrupted");
    let none = Script::new().start(TRACE, 64, 6).finish(NO_PFN, (64, 6), None, Page::Null);
    assert_eq!(none.words(), ["undecidable"]);
}

/// What the rate limit hid is shown by debug lines and by events.
#[test]
fn debug_lines_and_events_of_a_hidden_line_are_one_failure() {
    let log = |script: Script| {
        script
            .at(1_000_100)
            .start(Origin::Debug, 64, 6)
            .fail(Shape::Named, 64, -12)
            .list(&[(4, 9)], 512)
            .returned(Page::Null)
            .at(1_100_100)
            .start(Origin::Debug, 65, 7)
            .returned(Page::Null)
            .at(1_200_100)
            .start(Origin::Debug, 66, 7)
            .list(&[(5, 9)], 512)
            .returned(Page::Null)
    };
    let trace = |script: Script| {
        let script = failed(script.at(1_004_100), 64, 6);
        let script = failed(script.at(1_104_200), 65, 7);
        failed(script.at(1_204_100), 66, 7)
    };
    for script in [
        trace(log(Script::new()).source("trace.txt")),
        log(trace(Script::new()).source("dmesg.txt")),
    ] {
        let failures = script.failures();
        let counts: Vec<_> = failures.iter().map(|failure| failure.incident.count).collect();
        assert_eq!(counts, [64, 65, 66].map(Some));
        assert_eq!(failures[2].list.unwrap().free, Some(5));
    }
}

/// Of a line and a list without one, the event is that of what was printed at its time.
#[test]
fn an_event_is_of_the_nearest() {
    let script = Script::new()
        .at(1_000_100)
        .fail(Shape::Inner, 63, -12)
        .list(&[(4, 9)], 512)
        .at(1_010_100)
        .fail(Shape::Inner, 64, -12)
        .list(&[(4, 9)], 512)
        .at(1_020_100)
        .list(&[(5, 9)], 512)
        .source("trace.txt");
    let script = failed(script.at(1_021_100), 63, 6);
    let failures = failed(script.at(1_041_150), 64, 0).failures();
    let said: Vec<_> = failures
        .iter()
        .map(|failure| (failure.incident.count.unwrap(), failure.align.unwrap().0))
        .collect();
    assert_eq!(said, [(63, 6), (64, 6), (64, 0)]);
}

#[test]
fn a_line_and_its_event_are_one_failure_in_either_order_and_in_two_files() {
    // 6.1, then 6.12, in one stream.
    let first = failed(Script::new(), 64, 6).fail(Shape::Named, 64, -12);
    let last = Script::new().start(TRACE, 64, 6).fail(Shape::Inner, 64, -12).finish(
        NO_PFN,
        (64, 6),
        Some(-12),
        Page::Null,
    );
    for script in [first, last] {
        let failure = script.only();
        assert_eq!(failure.align, Some((6, AlignFrom::Trace)));
        assert!(matches!(failure.incident.reported, Reported::Line(_)));
    }
    // In two files whose clocks differ by 31 ms.
    let times = [7_000_100u64, 7_000_900, 9_500_000];
    let log = |script: Script| {
        times.iter().fold(script, |script, time| {
            script.at(*time).fail(Shape::Named, 64, -12).list(&[(5, 9)], 512)
        })
    };
    let trace = |script: Script| {
        times.iter().fold(script, |script, time| failed(script.at(time + 31_000), 64, 6))
    };
    let one = trace(log(Script::new()).source("trace.txt"));
    let other = log(trace(Script::new()).source("dmesg.txt"));
    for script in [one, other] {
        let failures = script.failures();
        assert_eq!(failures.len(), 3);
        for (failure, time) in failures.iter().zip(times) {
            assert_eq!(failure.incident.time_us, Some(time));
            assert_eq!(failure.align, Some((6, AlignFrom::Trace)));
            assert_eq!(failure.list.unwrap().free, Some(5));
        }
    }
}

#[test]
fn a_list_whose_line_was_hidden_finds_its_event() {
    let log = |script: Script| {
        script
            .at(1_000_100)
            .fail(Shape::Inner, 64, -12)
            .list(&[(5, 9)], 512)
            .at(1_100_100)
            .list(&[(6, 9)], 512)
    };
    let trace = |script: Script| {
        let script = failed(script.at(1_004_100), 64, 6);
        failed(script.at(1_104_200), 65, 7)
    };
    for script in [
        trace(log(Script::new()).source("trace.txt")),
        log(trace(Script::new()).source("dmesg.txt")),
    ] {
        let failures = script.failures();
        assert_eq!(failures.len(), 2, "{failures:#?}");
        assert_eq!(failures[1].incident.count, Some(65));
        assert_eq!(failures[1].list.unwrap().free, Some(6));
    }
}

/// The halves of two areas come in another order in the log than in the trace.
#[test]
fn of_two_areas_each_line_finds_its_event() {
    let event = |script: Script, area: &str, pid: u32| {
        let start = Record::Start {
            origin: TRACE,
            area: Some(area.into()),
            count: 64,
            align: 6,
            available: Some(9),
            total: Some(1024),
            vendor: false,
            named: true,
        };
        let end = Record::Finish {
            origin: TRACE,
            area: Some(area.into()),
            page: Page::Null,
            pfn: Some(0),
            count: Some(64),
            align: Some(6),
            errno: Some(-16),
            alone: false,
        };
        script.task(pid).say(start).say(end)
    };
    let line = |script: Script, area: &str| {
        let (shape, area) = (Shape::Inner, Some(area.into()));
        script.say(Record::Failed { shape, area, count: 64, ret: Some(-16) })
    };
    let trace = event(event(Script::new().at(1_000_000), "cam", 1).at(1_000_010), "vpu", 2);
    let log = trace.source("dmesg.txt").at(1_000_005);
    let failures = line(line(log, "vpu"), "cam").failures();
    assert_eq!(failures.len(), 2, "{failures:#?}");
}

fn snapshot(script: Script) -> Script {
    // Pages 0 to 31 and 64 to 95 of 128 are taken.
    script
        .debugfs(DebugfsFile::BasePfn(0x40000))
        .debugfs(DebugfsFile::Bitmap(Arc::from([u32::MAX, 0, u32::MAX, 0])))
        .debugfs(DebugfsFile::Count(128))
        .debugfs(DebugfsFile::OrderPerBit(0))
}

#[test]
fn from_a_bitmap_on_a_trace_shows_the_state() {
    let script = granted(snapshot(Script::new()), 0x40020, 8);
    let script = failed(script.say(released(0x40040, 16)), 36, 5);
    let failure = script.only();
    assert_eq!((failure.verdict_name(), failure.confidence.name()), ("alignment", "certain"));
    let (room, hole) = (failure.room.unwrap(), Hole { start: 40, count: 40 });
    assert_eq!((failure.why, room.fit, room.need), (Why::Room, Fit::Alignment, 36));
    assert_eq!(room.place, Some(Place { range: None, hole, at: 64 }));
}

#[test]
fn what_contradicts_the_bitmap_ends_it() {
    let script = failed(snapshot(Script::new()), 64, 5);
    assert_eq!(script.words(), ["fragmentation certain"]);
    let script = failed(snapshot(Script::new()), 64, 5);
    let script = granted(script, 0x40010, 8);
    let (failures, warnings) = script.end();
    assert_ne!(failures[0].confidence.name(), "certain");
    assert_eq!(warnings.len(), 1);
    let lost = snapshot(Script::new()).start(TRACE, 1, 0);
    let lost = lost.say(Record::Lost { cpu: None, events: Some(12) });
    assert_ne!(failed(lost, 64, 5).failures()[0].confidence.name(), "certain");
}

fn counted(script: Script, count: u64, align: u32, available: u64) -> Script {
    let area = Some("reserved".into());
    script.say(Record::Start {
        origin: TRACE,
        area,
        count,
        align,
        available: Some(available),
        total: Some(1024),
        vendor: false,
        named: true,
    })
}

#[test]
fn counts_in_the_start_tell_what_is_free() {
    let end = |script: Script, count, align| {
        script.finish(Some(0), (count, align), Some(-16), Page::Null)
    };
    let full = end(counted(Script::new(), 64, 6, 40), 64, 6);
    assert_eq!(full.words(), ["exhausted certain"]);
    let open = end(counted(Script::new(), 64, 6, 400), 64, 6);
    assert_eq!(open.words(), ["undecidable"]);
    // The area was empty, so all of it is known.
    let script =
        counted(Script::new(), 600, 8, 1024).finish(Some(0x80000), (600, 8), Some(0), Page::Some);
    let script = end(counted(script, 300, 8, 424), 300, 8);
    assert_eq!(script.words(), ["alignment certain"]);
}

#[test]
fn the_first_grant_of_an_empty_area_shows_its_base_only_alone_and_without_a_busy_claim() {
    let end = |script: Script, pfn| script.finish(Some(pfn), (600, 8), Some(0), Page::Some);
    let base = |script: Script| script.areas()[0].ranges[0].base_pfn;
    let begun = || counted(Script::new().task(1), 600, 8, 1024);
    assert_eq!(base(end(begun(), 0x80000)), Some(0x80000));
    assert_eq!(base(end(begun().busy(TRACE, Some(0x80000)), 0x80100)), None);
    let two = counted(begun().task(2), 600, 8, 424);
    assert_eq!(base(end(two, 0x80258)), None);
}

#[test]
fn a_state_without_what_another_call_claims_is_not_certain() {
    let script = |busy: bool| {
        let script = snapshot(Script::new());
        let script = if busy { script.task(2).start(TRACE, 8, 0) } else { script };
        failed(script.task(1), 64, 5)
    };
    assert_eq!(script(false).words(), ["fragmentation certain"]);
    assert_eq!(script(true).words(), ["fragmentation likely"]);
}

#[test]
fn a_bitmap_in_another_file_may_be_of_another_moment() {
    let apart = snapshot(Script::new()).source("trace.txt");
    assert_eq!(failed(apart, 64, 5).words(), ["fragmentation likely"]);
}

#[test]
fn the_old_event_is_start_and_end_in_one() {
    let alone = |page, pfn| Record::Finish {
        origin: TRACE,
        area: None,
        page,
        pfn,
        count: Some(1),
        align: Some(0),
        errno: None,
        alone: true,
    };
    let script = Script::new()
        .say(alone(Page::Some, Some(0x5e100)))
        .say(alone(Page::Null, NO_PFN))
        .say(alone(Page::Null, Some(0x5e100)));
    assert_eq!(script.words(), ["exhausted certain", "undecidable"]);
}

#[test]
fn buffers_that_are_live_in_the_end_are_those_of_the_area() {
    let script = granted(granted(Script::new(), 0x40000, 257), 0x40200, 9);
    let areas = script.say(released(0x40200, 9)).areas();
    let live = areas[0].live.as_ref().unwrap();
    assert_eq!(live, &[cma_policies::Run::new(0x40000, 257)]);
    assert!(!areas[0].complete);
}
