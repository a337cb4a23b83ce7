//! What is printed as a container and a generation of the kernel do is read back.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::super::{Found, Origin, Page, Record, Task};
use super::{read, read_all};

#[derive(Clone, Copy, Debug)]
enum Container {
    Ftrace4,
    Ftrace5,
    Tgid,
    TraceCmd,
    TraceCmdNs,
    Perf,
    PerfNs,
    Bare,
}

const CONTAINERS: [Container; 8] = [
    Container::Ftrace4,
    Container::Ftrace5,
    Container::Tgid,
    Container::TraceCmd,
    Container::TraceCmdNs,
    Container::Perf,
    Container::PerfNs,
    Container::Bare,
];

fn line(container: Container, found: &Found) -> String {
    let us = found.time_us.unwrap_or(0);
    let time = format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    let (event, payload) = event(&found.record);
    let Some(Task { comm, pid: Some(pid), cpu: Some(cpu) }) = &found.task else {
        return format!("\t{time}: {event}: {payload}");
    };
    let comm = comm.as_deref().unwrap_or("<...>");
    match container {
        Container::Ftrace4 => {
            format!("{comm:>16}-{pid:<7} [{cpu:03}] dN.1 {time:>12}: {event}: {payload}")
        }
        Container::Ftrace5 => {
            format!("{comm:>16}-{pid:<7} [{cpu:03}] d..1. {time:>12}: {event}: {payload}")
        }
        Container::Tgid => format!(
            "{comm:>16}-{pid:<7} ({:>7}) [{cpu:03}] ..... {time:>12}: {event}: {payload}",
            pid / 2
        ),
        Container::TraceCmd => {
            format!("{comm:>16}-{pid:<5} [{cpu:03}] {time:>12}: {:<20} {payload}", event + ":")
        }
        Container::TraceCmdNs => {
            format!("{comm}-{pid} [{cpu:03}] {time}007: {:<20} {payload}", event + ":")
        }
        Container::Perf => {
            format!("{comm:>16} {pid:>5} [{cpu:03}] {time:>12}: cma:{event}: {payload}")
        }
        Container::PerfNs => {
            format!("{comm} {:>5}/{pid:<5} [{cpu:03}] {time}999: cma:{event}: {payload}", pid / 2)
        }
        Container::Bare => format!("{time}: {event}: {payload}"),
    }
}

fn event(record: &Record) -> (String, String) {
    let pfn = |pfn: &Option<u64>| format!("{:x}", pfn.expect("generated with one"));
    let named = |area: &Option<Arc<str>>| {
        area.as_ref().map_or(String::new(), |area| format!("name={area} "))
    };
    match record {
        Record::Start { area, count, align, available: Some(free), total: Some(total), .. } => {
            let counts =
                format!("request_count={count} available_count={free} total_count={total}");
            ("cma_alloc_start".into(), format!("{}{counts} align={align}", named(area)))
        }
        Record::Start { area, count, align, .. } => {
            ("cma_alloc_start".into(), format!("{}count={count} align={align}", named(area)))
        }
        Record::Busy { area, pfn: at, count, align, page, .. } => {
            let page = page.map_or("00000000deadbeef".into(), |page| format!("{page:x}"));
            let (count, align) = (count.unwrap(), align.unwrap());
            let rest = format!("pfn=0x{} page={page} count={count} align={align}", pfn(at));
            ("cma_alloc_busy_retry".into(), named(area) + &rest)
        }
        Record::Finish { area, page, pfn: at, count, align, errno, alone, .. } => {
            let page = if *page == Page::Null { "0000000000000000" } else { "(ptrval)" };
            let (count, align, zero_x) =
                (count.unwrap(), align.unwrap(), if *alone { "" } else { "0x" });
            let mut rest =
                format!("pfn={zero_x}{} page={page} count={count} align={align}", pfn(at));
            if let Some(errno) = errno {
                rest += &format!(" errorno={errno}");
            }
            let event = if *alone { "cma_alloc" } else { "cma_alloc_finish" };
            (event.into(), named(area) + &rest)
        }
        Record::Release { area, pfn: at, count, .. } => {
            let rest = format!("pfn=0x{} page=00000000deadbeef count={}", pfn(at), count.unwrap());
            ("cma_release".into(), named(area) + &rest)
        }
        other => panic!("no event: {other:?}"),
    }
}

fn records() -> impl Strategy<Value = Record> {
    let area = prop_oneof![
        "[a-z0-9,@._=-]{1,20}",
        "[a-z]{1,8} [a-z=0-9]{1,8}",
        Just("linux,cma".to_string())
    ]
    .prop_map(|area| Some(Arc::<str>::from(area)));
    let pfn = prop_oneof![Just(u64::MAX), Just(0), 0..u64::from(u32::MAX), (1u64 << 32)..1 << 52];
    let numbers = (area, pfn, prop_oneof![0..5000u64, any::<u64>()], 0..40u32, -40..1i32);
    (numbers, 0..7u32, any::<bool>()).prop_map(|((area, pfn, count, align, errno), kind, null)| {
        let origin = Origin::Trace;
        let (page, pfn) = (if null { Page::Null } else { Page::Some }, Some(pfn));
        let (count, align) = (Some(count), Some(align));
        let start = |available, total| Record::Start {
            origin,
            area: area.clone(),
            count: count.unwrap_or(0),
            align: align.unwrap_or(0),
            available,
            total,
            vendor: false,
            named: false,
        };
        let finish = |area, errno, alone| Record::Finish {
            origin,
            area,
            page,
            pfn,
            count,
            align,
            errno,
            alone,
        };
        match kind {
            0 => start(None, None),
            1 => start(count, Some(u64::MAX)),
            2 => Record::Busy { origin, area, pfn, page: None, count, align },
            3 => finish(area, None, false),
            4 => finish(area, Some(errno), false),
            5 => finish(None, None, true),
            _ => Record::Release { origin, area, pfn, count },
        }
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(
        record in records(),
        comm in "[a-z<>/:0-9-]{0,6}[a-z][ a-z-]{0,4}[a-z0-9]",
        (pid, cpu) in (0..u32::MAX, 0..4096u32),
        time_us in 0..u64::from(u32::MAX) * 1000,
        container in 0..CONTAINERS.len(),
    ) {
        let container = CONTAINERS[container];
        let comm = comm.trim_start_matches('>');
        let bare = matches!(container, Container::Bare);
        let task = Task { comm: Some(comm.into()), pid: Some(pid), cpu: Some(cpu) };
        let task = (!bare).then_some(task);
        let found = Found { line: 1, time_us: Some(time_us), task, record };
        let line = line(container, &found);
        prop_assert_eq!(read(&line), [found], "{}", line);
    }

    #[test]
    fn no_bytes_are_too_strange(
        parts in proptest::collection::vec(
            prop_oneof![
                Just(b"cma_alloc_start: ".to_vec()), Just(b"cma_alloc_finish:".to_vec()),
                Just(b"name=".to_vec()), Just(b" count=".to_vec()), Just(b" pfn=0x".to_vec()),
                Just(b" page=(".to_vec()), Just(b"\n".to_vec()),
                Just(b"18446744073709551615".to_vec()),
                Just(b" align=".to_vec()), Just(b"CPU:".to_vec()), Just(b"[LOST ".to_vec()),
                Just(b"a-1 [000] 1.5: ".to_vec()),
                proptest::collection::vec(any::<u8>(), 0..6),
            ],
            0..24,
        ),
    ) {
        let text = parts.concat();
        let lines = text.split(|byte| *byte == b'\n').count();
        let (found, odd) = read_all(&text);
        prop_assert!(found.len() + odd.len() <= lines);
    }
}
