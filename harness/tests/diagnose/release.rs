//! What kernels of each generation print, from `mm/cma.c` and `include/trace/events/cma.h`.

use cma_harness::seed::Draws;

/// A family of kernels whose lines look alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Generation {
    /// 4.11 to 5.11.
    Unnamed,
    /// 5.12 to 6.11.
    Named,
    /// 6.12 to 6.14.
    Inner,
    /// 6.15 on.
    Ranges,
    /// Android's common kernels.
    Android,
}

impl Generation {
    pub(crate) const ALL: [Self; 5] =
        [Self::Unnamed, Self::Named, Self::Inner, Self::Ranges, Self::Android];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unnamed => "4.11",
            Self::Named => "5.12",
            Self::Inner => "6.12",
            Self::Ranges => "6.15",
            Self::Android => "android",
        }
    }

    const fn releases(self) -> &'static [(u32, u32, &'static str)] {
        match self {
            Self::Unnamed => &[
                (4, 14, "4.14.78-imx8-r2"),
                (4, 19, "4.19.66-v7+"),
                (5, 4, "5.4.47"),
                (5, 10, "5.10.52-meson"),
            ],
            Self::Named => &[
                (5, 15, "5.15.32-v8+"),
                (6, 1, "6.1.22"),
                (6, 6, "6.6.36-lts-next"),
                (6, 10, "6.10.2-arm64"),
            ],
            Self::Inner => &[(6, 12, "6.12.9"), (6, 13, "6.13.7-edge"), (6, 14, "6.14.0")],
            Self::Ranges => &[
                (6, 15, "6.15.3"),
                (6, 17, "6.17.1-rockchip64"),
                (6, 18, "6.18.2"),
                (7, 0, "7.0.1"),
            ],
            Self::Android => &[
                (5, 15, "5.15.104-android13-8-00002-gd3ab1e2c4f5a"),
                (6, 1, "6.1.43-android14-11-g4a5b6c7d8e9f"),
            ],
        }
    }

    /// One of its releases.
    pub(crate) fn release(self, draws: &mut Draws) -> Release {
        let (major, minor, text) = *draws.pick(self.releases());
        Release { generation: self, number: (major, minor), text }
    }
}

/// One kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Release {
    pub(crate) generation: Generation,
    pub(crate) number: (u32, u32),
    pub(crate) text: &'static str,
}

/// A request as the lines state it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) count: u64,
    pub(crate) align: u32,
}

/// Where a call ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// The page that was granted.
    pub(crate) granted: Option<u64>,
    /// The page that was tried last.
    pub(crate) last_tried: Option<u64>,
    pub(crate) ret: i32,
}

impl Release {
    pub(crate) fn from(&self, major: u32, minor: u32) -> bool {
        self.number >= (major, minor)
    }

    pub(crate) const fn is_android(&self) -> bool {
        matches!(self.generation, Generation::Android)
    }

    /// -12 says that nothing was tried, up to 6.14.
    pub(crate) fn unfound(&self) -> i32 {
        if self.from(6, 15) { -16 } else { -12 }
    }

    pub(crate) fn lists_always(&self) -> bool {
        self.from(6, 9)
    }

    pub(crate) fn limits_rate(&self) -> bool {
        self.from(5, 10)
    }

    pub(crate) fn function(&self) -> &'static str {
        if self.from(7, 0) {
            "__cma_alloc_frozen"
        } else if self.from(6, 12) {
            "__cma_alloc"
        } else {
            "cma_alloc"
        }
    }

    pub(crate) fn failure(&self, area: &str, count: u64, ret: i32) -> String {
        let function = self.function();
        let area = if self.from(5, 12) { format!("{area}: ") } else { String::new() };
        format!("cma: {function}: {area}alloc failed, req-size: {count} pages, ret: {ret}")
    }

    /// A page pointer: as it is before 4.15, hashed from then on.
    pub(crate) fn pointer(&self, pfn: u64) -> String {
        if self.from(4, 15) {
            let hash = pfn.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            format!("{hash:016x}")
        } else {
            format!("ffff7e{:010x}", pfn.wrapping_mul(64) & 0xff_ffff_ffff)
        }
    }

    fn null(&self) -> &'static str {
        if self.from(5, 0) { "0000000000000000" } else { "          (null)" }
    }

    pub(crate) fn debug_start(&self, area: &str, total: u64, asked: Asked) -> String {
        let Asked { count, align } = asked;
        let function = self.function();
        let cma = self.pointer(0xc0de + total);
        if self.is_android() {
            return format!(
                "cma: cma_alloc([611][allocator@2.0-s]:cma(ffffffff00b50000:total {total}) \
                 {area}(ffffff{cma}), count {count}, align {align} gfp_mask 0xcc0)",
                cma = &cma[6..]
            );
        }
        let name = if self.from(6, 2) { format!("name: {area}, ") } else { String::new() };
        format!("cma: {function}(cma {cma}, {name}count {count}, align {align})")
    }

    pub(crate) fn debug_busy(&self, pfn: u64) -> String {
        let (function, page) = (self.function(), self.pointer(pfn));
        let at = if self.from(6, 2) { format!("pfn 0x{pfn:x} ") } else { String::new() };
        format!("cma: {function}(): memory range at {at}{page} is busy, retrying")
    }

    pub(crate) fn debug_returned(&self, granted: Option<u64>) -> String {
        let function = self.function();
        let page = granted.map_or(self.null().to_string(), |pfn| self.pointer(pfn));
        format!("cma: {function}(): returned {page}")
    }

    pub(crate) fn debug_release(&self, pfn: u64, count: u64) -> String {
        let page = self.pointer(pfn);
        if self.from(5, 11) {
            format!("cma: cma_release(page {page}, count {count})")
        } else {
            format!("cma: cma_release(page {page})")
        }
    }

    /// `alloc_contig_range()` (`mm/page_alloc.c`) said so until about 5.11.
    pub(crate) fn pfns_busy(&self, pfn: u64, count: u64) -> Option<String> {
        let end = pfn + count;
        (!self.from(5, 12)).then(|| format!("alloc_contig_range: [{pfn:x}, {end:x}) PFNs busy"))
    }

    pub(crate) fn event_start(
        &self,
        area: &str,
        asked: Asked,
        free: u64,
        total: u64,
    ) -> Option<String> {
        let Asked { count, align } = asked;
        if !self.from(5, 13) {
            return None;
        }
        Some(if self.from(6, 18) {
            format!(
                "cma_alloc_start: name={area} request_count={count} available_count={free} \
                 total_count={total} align={align}"
            )
        } else {
            format!("cma_alloc_start: name={area} count={count} align={align}")
        })
    }

    pub(crate) fn event_busy(&self, area: &str, asked: Asked, pfn: u64) -> Option<String> {
        let (page, Asked { count, align }) = (self.pointer(pfn), asked);
        self.from(5, 13).then(|| {
            format!(
                "cma_alloc_busy_retry: name={area} pfn=0x{pfn:x} page={page} count={count} \
                 align={align}"
            )
        })
    }

    pub(crate) fn event_end(&self, area: &str, asked: Asked, ended: Ended) -> String {
        let Asked { count, align } = asked;
        let none = if self.from(6, 15) { 0 } else { u64::MAX };
        let last = if self.from(6, 15) { None } else { ended.last_tried };
        let pfn = ended.granted.or(last).unwrap_or(none);
        let page = ended
            .granted
            .map_or_else(|| self.null().trim_start().to_string(), |granted| self.pointer(granted));
        if !self.from(5, 13) {
            return format!("cma_alloc: pfn={pfn:x} page={page} count={count} align={align}");
        }
        let ret = ended.ret;
        let errno = if self.from(6, 2) { format!(" errorno={ret}") } else { String::new() };
        format!(
            "cma_alloc_finish: name={area} pfn=0x{pfn:x} page={page} count={count} \
             align={align}{errno}"
        )
    }

    pub(crate) fn event_release(&self, area: &str, pfn: u64, count: u64) -> String {
        let page = self.pointer(pfn);
        if self.from(5, 13) {
            format!("cma_release: name={area} pfn=0x{pfn:x} page={page} count={count}")
        } else {
            format!("cma_release: pfn={pfn:x} page={page} count={count}")
        }
    }
}

/// The most characters of a record.
const RECORD: usize = 990;

/// The free runs of one range, in bits, and its bits.
pub(crate) struct Bits {
    pub(crate) runs: Vec<(u64, u64)>,
    pub(crate) bits: u64,
}

/// The records of a list, as they leave the kernel.
pub(crate) struct Listed {
    pub(crate) order_per_bit: u32,
    pub(crate) ranges: Vec<Bits>,
    /// `available_count` of 6.15 on.
    pub(crate) available: u64,
    pub(crate) total: u64,
}

impl Listed {
    pub(crate) fn records(&self, release: &Release) -> Vec<String> {
        if release.from(6, 15) {
            return self.ranged(release);
        }
        let mut items = Items::new("cma: number of available pages: ");
        let (mut sum, range) = (0, &self.ranges[0]);
        // Before 5.1 bits are printed as pages, and the walk goes on past the map.
        let old = self.order_per_bit > 0 && !release.from(5, 1);
        let mut runs: Vec<(u64, u64)> = range
            .runs
            .iter()
            .map(|(bit, count)| (*bit, if old { *count } else { count << self.order_per_bit }))
            .collect();
        if old {
            let past = self.total - range.bits;
            match runs.last_mut() {
                Some((bit, count)) if *bit + *count == range.bits => *count += past,
                _ => runs.push((range.bits, past)),
            }
        }
        for (index, (bit, pages)) in runs.iter().enumerate() {
            let plus = if index > 0 { "+" } else { "" };
            items.push(&format!("{plus}{pages}@{bit}"));
            sum += pages;
        }
        items.push(&format!("=> {sum} free of {} total pages", self.total));
        items.done()
    }

    fn ranged(&self, release: &Release) -> Vec<String> {
        let mut records = vec!["cma: number of available pages: ".to_string()];
        let late = release.from(6, 18);
        for (number, range) in self.ranges.iter().enumerate() {
            let mut items = Items::new(&format!("cma: range {number}: "));
            for (index, (bit, count)) in range.runs.iter().enumerate() {
                let joined = if late { *bit > 0 } else { index > 0 };
                let plus = if joined { "+" } else { "" };
                items.push(&format!("{plus}{}@{bit}", count << self.order_per_bit));
            }
            records.extend(items.done());
            records.push("cma: ".to_string());
        }
        let (available, total) = (self.available, self.total);
        records.push(format!("=> {available} free of {total} total pages"));
        records
    }
}

struct Items {
    done: Vec<String>,
    line: String,
}

impl Items {
    fn new(head: &str) -> Self {
        Self { done: Vec::new(), line: head.to_string() }
    }

    fn push(&mut self, item: &str) {
        if self.line.len() + item.len() > RECORD {
            self.done.push(std::mem::take(&mut self.line));
        }
        self.line.push_str(item);
    }

    fn done(mut self) -> Vec<String> {
        self.done.push(self.line);
        self.done
    }
}
