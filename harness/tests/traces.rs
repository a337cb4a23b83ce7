//! Traces of real kernels, event by event, against what was asked and answered.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use cma_harness::ingest::log::{self, Page, Record};
use cma_harness::ingest::{Answered, Event, Source};
use cma_harness::op::Op;
use cma_harness::reader::{self, Options};

fn recordings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/recordings")
}

/// What a text says, with no line of it being odd.
fn records(path: &Path) -> Vec<Record> {
    let records = log::open(&Source::file(path)).unwrap();
    records.map(|found| found.unwrap_or_else(|error| panic!("{error}")).record).collect()
}

/// What happened, in the order of a recording: one entry a call.
#[derive(PartialEq, Debug)]
enum Call {
    Alloc { count: u64, align: u32, busy: u64, pfn: Option<u64> },
    Free { pfn: u64 },
}

/// The calls of a recording that a trace shows.
fn asked(path: &Path) -> VecDeque<Call> {
    let reader = reader::open(&Source::file(path), &Options::default()).unwrap();
    let base = reader.area().unwrap().bit_to_pfn(0, 0).0;
    let mut calls = VecDeque::new();
    for row in reader {
        let row = row.unwrap();
        let Event::Op(op) = row.event else { continue };
        let result = row.recorded.result;
        match op {
            Op::Alloc { request, .. } => {
                let Some(Answered::Number(result)) = result else { panic!("{row:?}") };
                let (count, align) = (request.count(), request.align());
                let pfn = u64::try_from(result).ok().map(|offset| base + offset);
                let busy = row.recorded.retries.unwrap_or(0);
                calls.push_back(Call::Alloc { count, align, busy, pfn });
            }
            Op::Free { .. } => {
                if let Some(Answered::Number(offset)) = result {
                    let pfn = base + u64::try_from(offset).unwrap();
                    calls.push_back(Call::Free { pfn });
                }
            }
            Op::Pin(_) | Op::Unpin(_) => {}
        }
    }
    calls
}

/// The calls of a trace.
fn traced(path: &Path) -> VecDeque<Call> {
    let mut calls = VecDeque::new();
    let (mut asked, mut retries) = (None, 0);
    for record in records(path) {
        match record {
            Record::Start { count, align, .. } => {
                assert_eq!(asked.replace((count, align)), None, "{}", path.display());
                retries = 0;
            }
            Record::Busy { pfn, count, align, .. } => {
                assert_eq!(asked, count.zip(align));
                assert!(pfn.is_some());
                retries += 1;
            }
            Record::Finish { page, pfn, count, align, errno, alone, .. } => {
                assert_eq!(asked.take(), count.zip(align));
                assert!(!alone);
                assert_eq!(errno.is_some(), path.to_str().unwrap().contains("/6.12/"));
                assert!(errno.is_none_or(|errno| (errno == 0) == (page == Page::Some)));
                let (count, align) = (count.unwrap(), align.unwrap());
                let pfn = pfn.filter(|_| page == Page::Some);
                calls.push_back(Call::Alloc { count, align, busy: retries, pfn });
            }
            Record::Release { pfn, .. } => calls.push_back(Call::Free { pfn: pfn.unwrap() }),
            other => panic!("{other:?}"),
        }
    }
    calls
}

#[test]
fn every_event_of_the_recorded_traces() {
    let text = |kernel: &str, name: &str| (kernel.to_string(), name.to_string());
    let mut pairs = Vec::new();
    for kernel in ["6.1", "6.12"] {
        for name in ["align", "busy", "frag", "full"] {
            pairs.push((text(kernel, name), format!("{kernel}/text/{name}.csv.gz")));
        }
    }
    pairs.push((text("6.12", "pins-a1-dma8"), "6.12/pins-a1-dma8.csv.gz".to_string()));
    pairs.push((text("6.1", "mix-a1-dma8"), "6.1/mix-a1-dma8.csv.gz".to_string()));
    let mut all = 0;
    for ((kernel, name), recording) in pairs {
        let trace = recordings().join(format!("{kernel}/text/trace-{name}.txt.gz"));
        let (traced, asked) = (traced(&trace), asked(&recordings().join(&recording)));
        // At the end of its stream the driver gives back what is left, which it does not record.
        let rest: Vec<_> = traced.iter().skip(asked.len()).collect();
        assert!(traced.len() >= asked.len(), "{kernel} {name}: {}", traced.len());
        assert!(rest.iter().all(|call| matches!(call, Call::Free { .. })), "{rest:?}");
        let live = |calls: &VecDeque<Call>| {
            let granted = |call: &&Call| matches!(call, Call::Alloc { pfn: Some(_), .. });
            let freed = |call: &&Call| matches!(call, Call::Free { .. });
            calls.iter().filter(granted).count() - calls.iter().filter(freed).count()
        };
        assert_eq!(live(&traced) + rest.len(), live(&asked));
        for (at, (traced, asked)) in traced.iter().zip(&asked).enumerate() {
            assert_eq!(traced, asked, "{kernel} {name}, call {at}");
        }
        all += traced.len();
    }
    assert!(all > 20_000, "only {all} calls");
}

#[test]
fn a_trace_of_a_dma_heap() {
    let calls = traced(&recordings().join("6.12/text/trace-dma-heap.txt.gz"));
    let granted = calls.iter().filter(|call| matches!(call, Call::Alloc { pfn: Some(_), .. }));
    let refused = calls.iter().filter(|call| matches!(call, Call::Alloc { pfn: None, .. }));
    let freed = calls.iter().filter(|call| matches!(call, Call::Free { .. })).count();
    let (granted, refused) = (granted.count(), refused.count());
    assert_eq!((granted + refused, freed), (2165, 1882));
    assert!(freed <= granted);
}

#[test]
fn counters_as_two_kernels_print_them() {
    let counters = |file: &str| -> Vec<(Option<String>, String, u64)> {
        let counter = |record| match record {
            Record::Counter { area, name, value } => {
                (area.map(|area| area.to_string()), name.to_string(), value)
            }
            other => panic!("{other:?}"),
        };
        records(&recordings().join(file)).into_iter().map(counter).collect()
    };
    let found = counters("6.1/text/sysfs-cma.txt");
    assert_eq!(found.len(), 18);
    assert!(found.contains(&(Some("lab4".into()), "alloc_pages_success".into(), 32_898)));
    assert_eq!(counters("6.12/text/sysfs-cma.txt").len(), 27);
    let found = counters("6.12/text/meminfo-heap-loaded.txt");
    assert_eq!(found[1], (None, "CmaFree".into(), 2_114_956 * 1024));
    assert_eq!(counters("6.12/text/vmstat.txt").len(), 3);
}
