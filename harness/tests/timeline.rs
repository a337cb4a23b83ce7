//! One road from event to call: a replay and a diagnosis of one text name the same calls.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cma_harness::diagnose::{AlignFrom, Failure, Known, diagnose};
use cma_harness::ingest::{Answered, Event, Source};
use cma_harness::op::Op;
use cma_harness::reader::{self, Options, Reader};

/// A refused call: pages and order asked for.
type Asked = (u64, u32);

/// What a text shows of an area: the refused calls with the errno where stated, in no order, and
/// what is live in the end.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Shown {
    refused: BTreeMap<Asked, Vec<Option<i64>>>,
    live: Option<Vec<(u64, u64)>>,
}

fn diagnosed(source: &Source) -> BTreeMap<Option<Arc<str>>, Shown> {
    let mut areas: BTreeMap<_, Shown> = BTreeMap::new();
    let mut visit = |failure: Failure| {
        let incident = &failure.incident;
        let (Some(count), Some((align, AlignFrom::Trace))) = (incident.count, incident.align)
        else {
            return;
        };
        let area = areas.entry(incident.area.clone()).or_default();
        area.refused.entry((count, align)).or_default().push(incident.ret.map(i64::from));
    };
    let sources = std::slice::from_ref(source);
    let found = diagnose(sources, &Default::default(), &mut visit).expect("a text");
    for state in found.areas.iter().filter(|state| state.known == Known::Trace) {
        let runs = |live: &Vec<cma_policies::Run>| {
            live.iter().map(|run| (run.pfn.0, run.count)).collect::<Vec<_>>()
        };
        areas.entry(state.name.clone()).or_default().live = state.live.as_ref().map(runs);
    }
    areas
}

fn replayed(reader: Reader) -> Shown {
    let base = reader.area().expect("an area").ranges()[0].pfn.0;
    let mut shown = Shown::default();
    // Page by page, so that a part that is given back needs no arithmetic of its own.
    let mut held: BTreeMap<u64, u64> = BTreeMap::new();
    for op in reader.before() {
        if let Op::Alloc { .. } = op {
            // What was there before the trace: a diagnosis does not look ahead.
            return shown;
        }
    }
    for row in reader {
        let row = row.expect("a row");
        let Some(Answered::Number(number)) = row.recorded.result else { continue };
        match (row.event, u64::try_from(number)) {
            (Event::Op(Op::Alloc { id, request, .. }), Ok(offset)) => {
                held.extend((0..request.count()).map(|page| (base + offset + page, id)));
            }
            (Event::Op(Op::Alloc { request, .. }), Err(_)) => {
                let asked = (request.count(), request.align());
                shown.refused.entry(asked).or_default().push(Some(number));
            }
            (Event::Op(Op::Free { id, part }), Ok(offset)) => {
                let from = base + offset;
                let count = part.map_or(u64::MAX - from, |part| part.count);
                held.retain(|page, holder| *holder != id || *page < from || *page - from >= count);
            }
            _ => {}
        }
    }
    let mut live: Vec<(u64, u64)> = Vec::new();
    let mut last = None;
    for (page, id) in held {
        match live.last_mut() {
            Some((pfn, count)) if last == Some(id) && *pfn + *count == page => *count += 1,
            _ => live.push((page, 1)),
        }
        last = Some(id);
    }
    shown.live = Some(live);
    shown
}

/// How many refused calls and how many states of areas agree.
fn compare(path: &Path) -> (u64, u64) {
    let source = Source::file(path);
    let (mut calls, mut states) = (0, 0);
    for (area, diagnosed) in diagnosed(&source) {
        let options = Options { area: area.as_deref().map(str::to_string), ..Options::default() };
        let Ok(reader) = reader::open(&source, &options) else { continue };
        if !reader.is_trace() {
            continue;
        }
        let place = format!("{}, area {area:?}", path.display());
        let replayed = replayed(reader);
        if replayed.live.is_none() {
            continue;
        }
        let asked = |shown: &Shown| -> BTreeMap<Asked, usize> {
            shown.refused.iter().map(|(asked, all)| (*asked, all.len())).collect()
        };
        assert_eq!(asked(&diagnosed), asked(&replayed), "refused calls of {place}");
        for (asked, errnos) in &diagnosed.refused {
            calls += errnos.len() as u64;
            let mut stated: Vec<_> = errnos.iter().flatten().collect();
            let mut derived: Vec<_> = replayed.refused[asked].iter().flatten().collect();
            stated.sort_unstable();
            derived.sort_unstable();
            if stated.len() == derived.len() {
                assert_eq!(stated, derived, "errnos of {asked:?} of {place}");
            }
        }
        // Of a grant whose line is torn so that its order is missing there is no row to replay.
        if diagnosed.live.is_some() && !path.components().any(|part| part.as_os_str() == "seeds") {
            states += 1;
            assert_eq!(diagnosed.live, replayed.live, "live in {place}");
        }
    }
    (calls, states)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_none_or(|end| end != "csv") {
            found.push(path);
        }
    }
}

fn compare_all(folders: &[PathBuf]) -> (u64, u64) {
    let mut found = Vec::new();
    folders.iter().for_each(|folder| files(folder, &mut found));
    found.sort();
    let both = found.iter().map(|path| compare(path));
    both.fold((0, 0), |(calls, states), (more, also)| (calls + more, states + also))
}

#[test]
fn a_replay_and_a_diagnosis_name_the_same_calls() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora");
    let folders = ["logs", "recordings/6.1/text", "recordings/6.12/text", "seeds/ingest"];
    let (calls, states) = compare_all(&folders.map(|folder| corpora.join(folder)));
    assert!(calls > 4000 && states > 0, "{calls} calls, {states} states");
}

#[test]
fn so_they_do_of_what_other_boards_printed() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    if !shared.exists() {
        println!("skipped: {} is not here", shared.display());
        return;
    }
    let folders = ["recordings/7.3/text", "recordings/7.3/min", "board/captures", "logs"];
    let (calls, states) = compare_all(&folders.map(|folder| shared.join(folder)));
    assert!(calls > 1000 && states > 20, "{calls} calls, {states} states");
}
