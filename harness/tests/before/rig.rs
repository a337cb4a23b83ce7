//! Traces as kernels print them, of areas whose every page is known here.

use std::collections::BTreeMap;
use std::fmt::Write;

use cma_harness::environment;
use cma_harness::ingest::Source;
use cma_harness::kernel::Kernel;
use cma_harness::reader::{self, Options};
use cma_harness::replay::{self, Comparison, Under};
use cma_harness::seed::Seed;
use cma_policies::kit::AreaMap;
use cma_policies::{Area, Pfn, Request, Run, builtin};

/// How the events look: as those of this release.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Release {
    /// 5.10: one event of a call.
    Alone,
    /// 6.12: with errno.
    Errno,
    /// 7.3: with counts of the area.
    Counts,
}

/// A board: what is taken, and the events so far.
pub(crate) struct Board {
    pub(crate) map: AreaMap,
    pub(crate) release: Release,
    pub(crate) live: BTreeMap<u64, Run>,
    /// Microseconds since boot.
    pub(crate) now: u64,
    pub(crate) text: String,
    next: u64,
}

impl Board {
    pub(crate) fn new(area: Area, release: Release) -> Self {
        let (live, text) = (BTreeMap::new(), String::new());
        Self { map: AreaMap::new(area), release, live, now: 5_000_000, text, next: 0 }
    }

    fn event(&mut self, event: &str) {
        self.now += 137;
        let (seconds, us) = (self.now / 1_000_000, self.now % 1_000_000);
        writeln!(self.text, "  vpu-7  [000] .....  {seconds}.{us:06}: {event}").unwrap();
    }

    /// Asks for pages as the kernel does, and prints it: the number of the buffer.
    pub(crate) fn alloc(&mut self, count: u64, align: u32) -> Option<u64> {
        let request = Request::new(count, align).unwrap();
        let area = self.map.area().clone();
        let place = (0..area.ranges().len()).find_map(|range| {
            let search = self.map.search(request, range, 0);
            let bit = self.map.map(range).first_fit(search)?;
            Some(Run { pfn: area.bit_to_pfn(range, bit), count })
        });
        let (name, total) = (area.name(), area.pages());
        let ask = match self.release {
            Release::Alone => None,
            Release::Errno => Some(format!("count={count}")),
            Release::Counts => Some(format!(
                "request_count={count} available_count={} total_count={total}",
                self.map.free_pages()
            )),
        };
        if let Some(ask) = ask {
            self.event(&format!("cma_alloc_start: name={name} {ask} align={align}"));
        }
        self.finish(&area, place, (count, align));
        let run = place?;
        self.map.set(run);
        self.next += 1;
        self.live.insert(self.next, run);
        Some(self.next)
    }

    fn finish(&mut self, area: &Area, place: Option<Run>, (count, align): (u64, u32)) {
        let name = area.name();
        let (pfn, errno) = match (place, self.release) {
            (Some(Run { pfn: Pfn(pfn), .. }), _) => (pfn, 0),
            (None, Release::Counts) => (0, -16),
            (None, _) => (u64::MAX, -12),
        };
        let page = if place.is_some() { "00000000a1b2c3d4" } else { "0000000000000000" };
        let asked = format!("count={count} align={align}");
        self.event(&match self.release {
            Release::Alone => format!("cma_alloc: pfn={pfn:x} page={page} {asked}"),
            _ => format!(
                "cma_alloc_finish: name={name} pfn=0x{pfn:x} page={page} {asked} errorno={errno}"
            ),
        });
    }

    pub(crate) fn free(&mut self, number: u64) {
        if let Some(run) = self.live.remove(&number) {
            self.give_back(run);
        }
    }

    /// Gives so many of the first pages of a buffer back, where it has more.
    pub(crate) fn free_part(&mut self, number: u64, count: u64) {
        if let Some(whole) = self.live.get_mut(&number).filter(|run| run.count > count) {
            let part = Run { count, ..*whole };
            *whole = Run::new(part.end().0, whole.count - count);
            self.give_back(part);
        }
    }

    fn give_back(&mut self, run: Run) {
        self.map.clear(run);
        let Run { pfn: Pfn(pfn), count } = run;
        let name = self.map.area().name().to_string();
        self.event(&match self.release {
            Release::Alone => {
                format!("cma_release: pfn={pfn:x} page=00000000a1b2c3d4 count={count}")
            }
            _ => format!(
                "cma_release: name={name} pfn=0x{pfn:x} page=00000000a1b2c3d4 count={count}"
            ),
        });
    }

    /// The list of free runs, as the failure of a call prints it (6.12).
    pub(crate) fn list(&self, count: u64) -> String {
        let stamp = format!("[{:5}.{:06}]", self.now / 1_000_000, self.now % 1_000_000);
        let (area, order) = (self.map.area(), self.map.area().order_per_bit());
        let base = area.ranges()[0].pfn.0;
        let mut runs = Vec::new();
        self.map.for_each_run(|run| {
            runs.push(format!("{}@{}", run.count, (run.pfn.0 - base) >> order));
        });
        format!(
            "{stamp} cma: __cma_alloc: {}: alloc failed, req-size: {count} pages, ret: -12\n\
             {stamp} cma: number of available pages: {}=> {} free of {} total pages\n",
            area.name(),
            runs.join("+"),
            self.map.free_pages(),
            area.pages()
        )
    }

    /// Forgets what was printed.
    pub(crate) fn forget(&mut self) {
        self.text.clear();
    }

    pub(crate) fn trace(&self) -> Source {
        Source::bytes("trace.txt", self.text.as_bytes())
    }
}

/// A trace beside other texts of its board.
pub(crate) fn beside(texts: &[&str]) -> Options {
    let source = |text: &&str| Source::bytes("dmesg.txt", text.as_bytes());
    Options { beside: texts.iter().map(source).collect(), ..Options::default() }
}

/// How the kernel's policy answers the calls.
pub(crate) fn replayed(source: &Source, options: &Options) -> Comparison {
    let reader = reader::open(source, options).unwrap();
    let environment = &environment::Spec::parse("scripted").unwrap();
    let under = Under {
        policy: &builtin::catalog().parse("kernel").unwrap(),
        environment,
        seed: &Seed::new(0),
        kernel: reader.kernel().unwrap(),
        cap: reader.cap(),
    };
    let found = replay::survey(source, options, environment).unwrap();
    replay::expect(source, options, &found, None, &under).unwrap()
}

/// What was live before, and what is said of it.
pub(crate) fn before(source: &Source, options: &Options) -> (Vec<Run>, String) {
    let mut reader = reader::open(source, options).unwrap();
    let area = reader.area().unwrap().clone();
    let mut map = AreaMap::new(area.clone());
    let mut runs = BTreeMap::new();
    for op in reader.warm_up() {
        match op {
            cma_harness::op::Op::Alloc { id, request, .. } => {
                let range = (0..area.ranges().len()).find_map(|range| {
                    let bit = map.map(range).first_fit(map.search(request, range, 0))?;
                    Some(Run { pfn: area.bit_to_pfn(range, bit), count: request.count() })
                });
                map.set(range.unwrap());
                runs.insert(id, range.unwrap());
            }
            cma_harness::op::Op::Free { id, .. } => map.clear(runs.remove(&id).unwrap()),
            other => panic!("{other:?}"),
        }
    }
    assert!(reader.by_ref().all(|row| row.is_ok()));
    (runs.into_values().collect(), reader.warnings().join("\n"))
}

/// The row of a release.
pub(crate) fn kernel(name: &str) -> &'static Kernel {
    Kernel::find(name).unwrap()
}
