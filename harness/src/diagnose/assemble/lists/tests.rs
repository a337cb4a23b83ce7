use super::super::super::{Confidence, Options, Why};
use super::super::Assembler;
use super::super::script::Script;
use crate::ingest::log::{DebugfsFile, Found, FreeRuns, Origin, Page, Record, Shape};
use Shape::Named;

const FULL: &[(u64, u64)] = &[];
const SMALL: &[(u64, u64)] = &[(10, 100), (10, 300)];
const ROOM: &[(u64, u64)] = &[(512, 512)];

fn free(script: Script) -> Vec<Option<u64>> {
    let failures = script.failures();
    failures.iter().map(|failure| failure.list.and_then(|list| list.free)).collect()
}

#[test]
fn a_list_belongs_to_the_line_before_it() {
    let script = Script::new()
        .fail(Named, 16, -12)
        .skip(3)
        .list(FULL, 1024)
        .fail(Named, 64, -12)
        .list(SMALL, 1024);
    assert_eq!(free(script), [Some(0), Some(20)]);
}

#[test]
fn a_task_tells_which_of_two() {
    let script = Script::new()
        .task(7)
        .fail(Named, 64, -12)
        .task(8)
        .fail(Named, 600, -12)
        .list(ROOM, 1024)
        .task(7)
        .list(SMALL, 1024);
    assert_eq!(free(script), [Some(20), Some(512)]);
}

#[test]
fn of_two_lists_that_agree_either_makes_it_certain() {
    let script = |second: &[(u64, u64)]| {
        Script::new().fail(Named, 64, -12).fail(Named, 16, -12).list(SMALL, 1024).list(second, 1024)
    };
    assert_eq!(script(SMALL).words(), ["exhausted certain", "fragmentation certain"]);
    // The second might have met the full area, or the first.
    assert_eq!(script(FULL).words(), ["exhausted certain", "exhausted likely"]);
    let failures = script(FULL).failures();
    assert!(failures.iter().all(|failure| failure.incident.other_lists.len() == 1));
}

#[test]
fn one_list_for_two_failures_is_not_surely_of_either() {
    let script = |runs: &[(u64, u64)]| {
        Script::new().fail(Named, 64, -12).fail(Named, 16, -12).list(runs, 1024)
    };
    assert_eq!(script(FULL).words(), ["exhausted likely", "exhausted likely"]);
    assert_eq!(script(ROOM).words(), ["undecidable", "undecidable"]);
    assert_eq!(free(script(SMALL)), [Some(20), Some(20)]);
}

#[test]
fn without_a_list_of_its_own_the_neighbours_count_for_less() {
    let script = Script::new().fail(Named, 16, -12).list(FULL, 1024).fail(Named, 4, -12);
    assert_eq!(script.words(), ["exhausted certain", "exhausted likely"]);
    // Room a moment before says nothing of the moment itself.
    let script = Script::new().fail(Named, 16, -12).list(ROOM, 1024).fail(Named, 4, -12);
    assert_eq!(script.words(), ["migration likely", "undecidable"]);
    let far = Script::new().fail(Named, 16, -12).list(FULL, 1024).skip(90).fail(Named, 4, -12);
    assert_eq!(far.words(), ["exhausted certain", "undecidable"]);
}

#[test]
fn a_list_alone_is_a_failure_of_something() {
    let failure = Script::new().list(SMALL, 1024).only();
    assert_eq!((failure.incident.count, failure.verdict), (None, None));
    assert_eq!(failure.list.unwrap().free, Some(20));
}

#[test]
fn a_debug_line_names_the_request_of_a_list() {
    let script = Script::new().start(Origin::Debug, 64, 6).list(SMALL, 1024).returned(Page::Null);
    let failure = script.only();
    assert_eq!((failure.incident.count, failure.align.unwrap().0), (Some(64), 6));
    assert_eq!(failure.verdict_name(), "exhausted");
}

#[test]
fn a_line_that_lost_its_list_does_not_take_that_of_a_later_one() {
    let script = Script::new()
        .at(1_000_001)
        .fail(Named, 600, -12)
        .skip(30)
        .at(1_400_001)
        .fail(Named, 64, -12)
        .list(SMALL, 1024)
        .at(1_900_001)
        .fail(Named, 65, -12)
        .list(FULL, 1024);
    assert_eq!(free(script), [None, Some(20), Some(0)]);
}

#[test]
fn a_list_of_another_area_is_not_surely_of_a_failure_whose_own_is_lost() {
    let script = Script::new()
        .fail(Named, 600, -12)
        .list(SMALL, 1024)
        .skip(20)
        .fail(Named, 600, -12)
        .list(SMALL, 2048);
    assert_eq!(script.words(), ["exhausted certain", "exhausted likely"]);
    // Debugfs states the pages of the area: it cannot be.
    let script =
        Script::new().debugfs(DebugfsFile::Count(1024)).fail(Named, 600, -12).list(SMALL, 2048);
    assert_eq!(script.words(), ["undecidable", "undecidable"]);
}

#[test]
fn the_second_capture_of_all_of_it_is_counted_only() {
    let capture = |script: Script| {
        script
            .at(5_000_123)
            .start(Origin::Debug, 64, 6)
            .at(5_000_234)
            .fail(Named, 64, -12)
            .at(5_000_345)
            .list(SMALL, 1024)
            .at(5_000_456)
            .returned(Page::Null)
    };
    let failure = capture(capture(Script::new()).source("journal.txt")).only();
    assert_eq!(failure.incident.duplicates, 1);
    let failure = capture(capture(Script::new())).only();
    assert_eq!(failure.incident.duplicates, 1);
    // Lines without a stamp may be two failures.
    let plain = |script: Script| script.fail(Named, 64, -12).list(SMALL, 1024);
    assert_eq!(plain(plain(Script::new())).failures().len(), 2);
}

fn fail_in(script: Script, area: &str, count: u64) -> Script {
    let (area, ret) = (Some(area.into()), Some(-12));
    script.say(Record::Failed { shape: Named, area, count, ret })
}

/// Each list says how large its area is.
#[test]
fn of_two_areas_each_takes_the_lists_that_are_as_large() {
    let script = fail_in(Script::new(), "camera", 64).list(SMALL, 1024).skip(50);
    let script = fail_in(fail_in(script, "camera", 65), "vpu", 600);
    let failures = script.list(ROOM, 4096).list(FULL, 1024).failures();
    let total = |index: usize| failures[index].list.and_then(|list| list.total);
    assert_eq!([total(1), total(2)], [Some(1024), Some(4096)]);
}

/// Lists that came together do not show how large either area is.
#[test]
fn lists_that_came_together_prove_nothing() {
    let twice = |script: Script| {
        let script = fail_in(fail_in(script, "camera", 244), "vpu", 157);
        script.list(&[(43, 213), (148, 500)], 1024).list(&[(176, 20), (388, 300)], 2048)
    };
    let first = fail_in(fail_in(Script::new(), "vpu", 176), "camera", 297);
    let first = first.list(&[(43, 213), (148, 500)], 1024).list(&[(176, 20)], 2048);
    let words = twice(first.skip(50)).words();
    assert!(words[2..].iter().all(|word| !word.ends_with("certain")), "{words:?}");
}

/// A reservation without a name can be that of another area of the same size.
#[test]
fn a_reservation_without_a_name_is_of_the_only_area_that_it_can_be_of() {
    let script = |other: bool| {
        let reserved = Record::Reserved { area: None, base: 0x4b40_0000, bytes: 16 << 20 };
        let mut script = Script::new().say(reserved);
        if other {
            script = fail_in(script, "vpu", 1).list(FULL, 4096).skip(50);
        }
        let script = script.start(Origin::Debug, 134, 11);
        fail_in(script, "cma", 134).list(&[(257, 1023)], 4096).returned(Page::Null)
    };
    assert_eq!(script(false).words(), ["migration certain"]);
    assert_eq!(script(true).words(), ["exhausted certain", "undecidable"]);
}

/// A log that begins in a burst: the lines of its first lists are lost, and come later.
#[test]
fn a_list_before_an_equal_one_with_a_line_is_likely_of_such_a_request() {
    let lists = |script: Script, count: u32| {
        (0..count).fold(script, |script, _| script.list(FULL, 4096).skip(2))
    };
    let script = lists(Script::new(), 3).fail(Named, 257, -12).list(FULL, 4096);
    let failures = script.failures();
    assert_eq!(failures.len(), 4);
    let of_line = failures.iter().find(|one| one.incident.count.is_some()).unwrap();
    for one in failures.iter().filter(|one| one.incident.count.is_none()) {
        assert_eq!((one.verdict, one.confidence), (of_line.verdict, Confidence::Likely));
        assert!(matches!(one.why, Why::Beside { count: 257, equal: true, .. }), "{:?}", one.why);
    }
    // Another list between them, or another moment, says nothing.
    let between = lists(Script::new(), 1).list(ROOM, 4096).skip(2).fail(Named, 257, -12);
    let first = |script: Script| script.list(FULL, 4096).failures()[0].verdict;
    assert_eq!(first(between), None);
    let later = lists(Script::new().at(1), 1).at(9_000_000).fail(Named, 257, -12);
    assert_eq!(first(later), None);
}

#[test]
fn a_list_of_which_there_is_only_the_head_is_lost() {
    let lost = FreeRuns { head: true, cut: true, ..FreeRuns::default() };
    let script = Script::new().fail(Named, 600, -12).say(Record::FreeRuns(lost));
    let script = script.fail(Named, 64, -12).list(SMALL, 1024);
    assert_eq!(script.failures()[1].list.unwrap().free, Some(20));
    let script = Script::new().fail(Named, 600, -12);
    let lost = FreeRuns { head: true, cut: true, ..FreeRuns::default() };
    let failures = script.say(Record::FreeRuns(lost)).skip(90).list(SMALL, 1024).failures();
    assert_eq!(failures.len(), 2);
}

#[test]
fn a_hidden_line_is_counted_and_no_failure() {
    let hidden = Record::Suppressed { function: "cma_alloc".into(), lines: 29 };
    let other = Record::Suppressed { function: "alloc_contig_range".into(), lines: 7 };
    let mut assembler = Assembler::new(&Options::default());
    for (line, record) in (1..).zip([hidden.clone(), other, hidden]) {
        assembler.push(Found { line, time_us: None, task: None, record });
    }
    assembler.end();
    assert!(assembler.next_incident().is_none());
    assert_eq!(assembler.suppressed(), 58);
    assert_eq!(assembler.warnings(), [""; 0]);
}
