//! Calls that ended for another reason than a place that was missing.

use std::fmt::Write;

use cma_harness::environment::{self, Spec};
use cma_harness::ingest::{Geometry, Source};
use cma_harness::reader::Options;
use cma_harness::replay::{self, Under};
use cma_harness::seed::Seed;
use cma_policies::builtin;

use crate::rig::{kernel, replayed};

/// A granted call, one that ended with `errno` after claims of these pages were busy and, where the
/// kernel states it, one of `tried`, and a granted one.
fn trace(release: &str, errno: i32, busy: &[u64], tried: Option<u64>) -> Source {
    let (mut text, mut now) = (String::new(), 6_000_000);
    let mut event = |event: &str| {
        now += 1000;
        let (seconds, us) = (now / 1_000_000, now % 1_000_000);
        writeln!(text, " heap-120 [001] .....  {seconds}.{us:06}: {event} align=6").unwrap();
    };
    let start = |free: u64| match release {
        "7.3" => format!(
            "cma_alloc_start: name=a request_count=64 available_count={free} total_count=512"
        ),
        _ => "cma_alloc_start: name=a count=64".to_string(),
    };
    let of = |kind: &str, pfn: u64, page: &str| {
        format!("cma_alloc_{kind}: name=a pfn=0x{pfn:x} page={page} count=64")
    };
    event(&start(512));
    event(&(of("finish", 0x40000, "1") + " errorno=0"));
    event(&start(448));
    busy.iter().for_each(|pfn| event(&of("busy_retry", *pfn, "1")));
    let tried = if release == "7.3" { 0 } else { tried.unwrap_or(u64::MAX) };
    event(&format!("{} errorno={errno}", of("finish", tried, "0000000000000000")));
    event(&start(448));
    event(&(of("finish", 0x40040, "1") + " errorno=0"));
    // `align` comes before `errorno`.
    let text = text.lines().map(|line| match line.split_once(" errorno=") {
        Some((before, errno)) => {
            format!("{before} align=6 errorno={}\n", errno.replace(" align=6", ""))
        }
        None => format!("{line}\n"),
    });
    Source::bytes("t", text.collect::<String>().into_bytes())
}

/// The area, which no event shows the end of.
fn options() -> Options {
    let (base_pfn, pages) = (Some(0x40000), Some(512));
    let geometry = Geometry { base_pfn, pages, ..Geometry::default() };
    Options { geometry, ..Options::default() }
}

#[test]
fn a_request_that_a_signal_ended_is_not_granted() {
    for release in ["6.12", "7.3"] {
        for busy in [&[][..], &[0x40040, 0x40080]] {
            let found = replayed(&trace(release, -4, busy, Some(0x400c0)), &options());
            assert_eq!((found.equal, found.different), (3, 0), "{release}: {:#?}", found.first);
        }
    }
}

#[test]
fn nor_one_whose_claim_had_no_memory_or_was_busy() {
    let all: Vec<u64> = (1..8).map(|place| 0x40000 + 64 * place).collect();
    for release in ["6.12", "7.3"] {
        let found = replayed(&trace(release, -12, &[], Some(0x40040)), &options());
        assert_eq!((found.equal, found.different), (3, 0), "{release}: {:#?}", found.first);
        let found = replayed(&trace(release, -16, &all, Some(0x401c0)), &options());
        assert_eq!((found.equal, found.different), (3, 0), "{release}: {:#?}", found.first);
    }
}

/// Under any policy: what ended the call is not where it looked.
#[test]
fn it_is_refused_under_every_policy() {
    let (source, options) = (trace("7.3", -4, &[], None), options());
    let scripted = Spec::parse("scripted").unwrap();
    let survey = replay::survey(&source, &options, &scripted).unwrap();
    for policy in ["kernel", "best-fit", "buddy"] {
        let under = Under {
            policy: &builtin::catalog().parse(policy).unwrap(),
            environment: &scripted,
            seed: &Seed::new(0),
            kernel: kernel("7.3"),
            cap: 8,
        };
        let run = replay::run(&source, &options, &survey, &under, &mut []).unwrap();
        assert_eq!(run.value("refused").to_string(), "1", "{policy}");
        let failure = run.first_failure.unwrap();
        assert_eq!(failure.errno, Some(-4), "{policy}");
        let of_area = run.of_area.unwrap();
        assert_eq!((of_area.first_failure, of_area.interrupted_line), (None, failure.line));
        let of_area = |column| of_area.values[cma_harness::metric::column(column)].to_string();
        assert_eq!([of_area("requests"), of_area("refused")], ["2", "0"], "{policy}");
    }
    // Pages that are never busy know nothing of signals.
    let quiet = environment::Spec::parse("quiet").unwrap();
    let survey = replay::survey(&source, &options, &quiet).unwrap();
    assert_eq!(survey.script, environment::Script::default());
}
