//! Where an area lies, as far as a file or the caller says so.

use std::fmt;
use std::str::FromStr;

use cma_policies::{Area, BuildError, Run};

use super::error::quoted;
use crate::kernel::MAX_RANGES;
use crate::words::counted;

/// The most ranges that are read: it bounds what a made-up file can make us keep.
const MOST: usize = 1024;

/// The ranges of an area in the kernel's order, as `BASE:PAGES,BASE:PAGES,…`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ranges(pub Vec<Run>);

impl Ranges {
    /// Those of `area`.
    pub fn of(area: &Area) -> Self {
        Self(area.ranges().to_vec())
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: Vec<_> = self.0.iter().map(|run| format!("{}:{}", run.pfn, run.count)).collect();
        f.write_str(&text.join(","))
    }
}

impl FromStr for Ranges {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range = |word: &str| {
            let run = word
                .split_once(':')
                .and_then(|(base, pages)| Some(Run::new(number(base)?, number(pages)?)));
            match run {
                Some(run) if run.count > 0 => Ok(run),
                Some(_) => Err(format!("range {} has no pages", quoted(word))),
                None => Err(format!(
                    "range {} is not BASE:PAGES, the first page and how many",
                    quoted(word)
                )),
            }
        };
        let ranges: Vec<_> = text.split(',').take(MOST + 1).map(range).collect::<Result<_, _>>()?;
        if ranges.len() > MOST {
            return Err(format!("more than {MOST} ranges"));
        }
        Ok(Self(ranges))
    }
}

/// A whole number, hexadecimal after `0x`.
fn number(text: &str) -> Option<u64> {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if plain { u64::from_str_radix(digits, radix).ok() } else { None }
}

/// What the header of a recording or a stream says of its area: the ranges of several.
pub(crate) fn stated(area: &Area) -> Vec<(&'static str, String)> {
    let mut pairs = vec![
        ("base_pfn", area.ranges()[0].pfn.to_string()),
        ("pages", area.pages().to_string()),
        ("order_per_bit", area.order_per_bit().to_string()),
    ];
    pairs.extend((area.ranges().len() > 1).then(|| ("ranges", Ranges::of(area).to_string())));
    pairs
}

/// Where `area` lies, in words: `1024 pages at pfn 512`, or how many ranges it has and each of them.
#[cfg(feature = "cli")]
pub(crate) fn placed(area: &Area) -> String {
    let at = |range: &Run| format!("{} at pfn {}", range.count, range.pfn);
    match area.ranges() {
        [range] => format!("{} pages at pfn {}", range.count, range.pfn),
        ranges => {
            let each: Vec<_> = ranges.iter().map(at).collect();
            format!("{} pages in {} ranges, {}", area.pages(), ranges.len(), each.join(", "))
        }
    }
}

/// The pages of `area` that have no bit and are never granted: what is left of each range below a
/// granule.
#[cfg(feature = "cli")]
pub(crate) fn tail(area: &Area) -> u64 {
    area.ranges().iter().map(|range| range.count % area.granule()).sum()
}

/// What is strange about the ranges of `area`.
pub(crate) fn strange(area: &Area) -> Option<String> {
    let ranges = area.ranges().len();
    (ranges > MAX_RANGES).then(|| {
        format!(
            "area {} has {ranges} ranges; mainline has at most CMA_MAX_RANGES = {MAX_RANGES}",
            area.name()
        )
    })
}

/// The geometry of an area, as far as it is known.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Geometry {
    /// Its first page; of several ranges that of the first one.
    pub base_pfn: Option<u64>,
    /// Its pages, of all ranges.
    pub pages: Option<u64>,
    /// The order of one bitmap bit.
    pub order_per_bit: Option<u32>,
    /// Its ranges, where they are stated one by one.
    pub ranges: Option<Ranges>,
}

impl Geometry {
    /// The same, with what `over` says in place of what is stated here: its ranges or its pages are
    /// a whole area.
    ///
    /// # Errors
    /// A base without pages for an area of several ranges.
    pub(super) fn under(&self, over: &Self) -> Result<Self, String> {
        let order_per_bit = over.order_per_bit.or(self.order_per_bit);
        if over.ranges.is_some() {
            return Ok(Self { order_per_bit, ..over.clone() });
        }
        let ranges = self.ranges.as_ref().filter(|_| over.pages.is_none());
        if let (Some(Ranges(ranges)), Some(base)) = (ranges, over.base_pfn) {
            return Err(format!(
                "base_pfn {base} moves one range, and {} are stated; --ranges moves each, --pages \
                 makes one of them",
                ranges.len()
            ));
        }
        Ok(Self {
            base_pfn: over.base_pfn.or(self.base_pfn),
            pages: over.pages.or(self.pages),
            order_per_bit,
            ranges: ranges.cloned(),
        })
    }

    /// The area of this name, where its pages are known.
    ///
    /// # Errors
    /// What no area has, and ranges that contradict base_pfn or pages.
    pub(crate) fn area(&self, name: &str) -> Result<Option<Area>, String> {
        let order = self.order_per_bit.unwrap_or(0);
        let built = |ranges: &[Run], what: &dyn Fn() -> String| {
            Area::new(name, order, ranges).map(Some).map_err(|error: BuildError| {
                format!("no area has {} with order_per_bit {order}: {error}", what())
            })
        };
        if let Some(ranges) = &self.ranges {
            self.agrees(&ranges.0)?;
            return built(&ranges.0, &|| format!("the ranges {ranges}"));
        }
        let Some(pages) = self.pages else { return Ok(None) };
        let base = self.base_pfn.unwrap_or(0);
        built(&[Run::new(base, pages)], &|| format!("{pages} pages at base_pfn {base}"))
    }

    /// base_pfn is that of the first range, pages the sum.
    fn agrees(&self, ranges: &[Run]) -> Result<(), String> {
        let sum = ranges.iter().fold(0, |sum: u64, run| sum.saturating_add(run.count));
        let first = ranges.first().map_or(0, |run| run.pfn.0);
        let said = [("base_pfn", self.base_pfn, first), ("pages", self.pages, sum)];
        let wrong = said.into_iter().find(|(_, said, is)| said.is_some_and(|said| said != *is));
        wrong.map_or(Ok(()), |(key, said, is)| {
            let (said, ranges) = (said.unwrap_or(0), counted(ranges.len() as u64, "range"));
            Err(format!("{key} is {said}, but {is} by the {ranges}; state it once"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_written() {
        let ranges: Ranges = "0x130000:1024,1542656:8192".parse().unwrap();
        assert_eq!(ranges.to_string(), "1245184:1024,1542656:8192");
        assert_eq!(ranges.to_string().parse(), Ok(ranges));
        for wrong in ["", "5", "5:", ":5", "5:+1", "1:2,", "1:2;3:4", "-1:2", "0x:1"] {
            let why = wrong.parse::<Ranges>().unwrap_err();
            assert!(why.contains("BASE:PAGES"), "{wrong}: {why}");
        }
        assert_eq!("1:2,5:0".parse::<Ranges>().unwrap_err(), "range \"5:0\" has no pages");
    }

    #[test]
    fn what_the_caller_says_is_a_whole_area() {
        let ranges = || Some("100:16,40:8".parse().unwrap());
        let stated = Geometry {
            base_pfn: Some(100),
            pages: Some(24),
            order_per_bit: Some(1),
            ranges: ranges(),
        };
        let area = |over: &Geometry| stated.under(over)?.area("x");
        let kept = area(&Geometry::default()).unwrap().unwrap();
        assert_eq!((kept.ranges().len(), kept.order_per_bit()), (2, 1));
        let one = Geometry { pages: Some(64), ..Geometry::default() };
        assert_eq!(area(&one).unwrap().unwrap().ranges(), [Run::new(100, 64)]);
        let moved = Geometry { base_pfn: Some(7), ..Geometry::default() };
        assert!(area(&moved).unwrap_err().contains("--ranges moves each"));
        let wrong = Geometry { pages: Some(23), ..stated.clone() };
        assert_eq!(
            wrong.area("x").unwrap_err(),
            "pages is 23, but 24 by the 2 ranges; state it once"
        );
    }
}
