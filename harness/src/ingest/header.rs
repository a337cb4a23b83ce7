//! The `# key=value key=value` lines above the column names.

use std::io::{self, Write};

use cma_policies::Area;

use super::error::{IngestError, quoted};
use super::geometry::Geometry;
use super::lines::Lines;
use super::paged;
use crate::page::Page;

/// The most keys that a header may have: it bounds what a made-up file can make us keep.
const MOST_KEYS: usize = 1024;

/// Writes such lines, a key each; values are words.
pub(super) fn write_header(out: &mut impl Write, pairs: &[(&str, String)]) -> io::Result<()> {
    let word = |value: &str| value.split_whitespace().collect::<Vec<_>>().join("_");
    pairs.iter().try_for_each(|(key, value)| writeln!(out, "# {key}={}", word(value)))
}

/// What a file states about itself. Keys that nothing here uses are kept.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Header {
    /// The geometry.
    pub geometry: Geometry,
    /// The cap (`CONFIG_CMA_ALIGNMENT`) that it was made with.
    pub cap: Option<u32>,
    /// The size of its pages.
    pub page: Option<Page>,
    /// Every key and its value, in order.
    pub pairs: Vec<(String, String)>,
    /// The line that states the pages or the ranges, from 1 on; 0 where none does.
    pages_line: u64,
}

/// Sets what is stated. An error is the value before it, where that is another one.
fn once<T: PartialEq + ToString>(stated: &mut Option<T>, value: T) -> Result<(), String> {
    match stated {
        Some(before) if *before != value => Err(before.to_string()),
        _ => {
            *stated = Some(value);
            Ok(())
        }
    }
}

impl Header {
    /// The value of `key`; the last one, where it is there more than once.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Reads a comment line: words with a `=` are keys, others are remarks.
    pub(super) fn read(&mut self, lines: &Lines) -> Result<(), IngestError> {
        let line = lines.text();
        let mut at = 0;
        for word in line.split(' ') {
            let column = at + 1;
            at += word.len() + 1;
            let Some((key, value)) = word.trim_start_matches('#').split_once('=') else { continue };
            let value_column = column + word.len() - value.len();
            let number = |most: u64| {
                let good = value.parse().ok().filter(|n| *n <= most && !value.starts_with('+'));
                good.ok_or_else(|| {
                    let why = format!(
                        "{key} is {}; a whole number from 0 to {most} is allowed",
                        quoted(value)
                    );
                    lines.error(value_column, why)
                })
            };
            match key {
                "base_pfn" => once(&mut self.geometry.base_pfn, number(u64::MAX)?),
                "pages" => {
                    self.pages_line = lines.number();
                    once(&mut self.geometry.pages, number(u64::MAX)?)
                }
                "ranges" => {
                    self.pages_line = lines.number();
                    let ranges =
                        value.parse().map_err(|why: String| lines.error(value_column, why));
                    once(&mut self.geometry.ranges, ranges?)
                }
                "order_per_bit" => once(&mut self.geometry.order_per_bit, number(63)? as u32),
                "cap" => once(&mut self.cap, number(63)? as u32),
                paged::KEY => {
                    let page = Page::of_kib(number(u64::MAX)?).ok_or_else(|| {
                        let why = format!("{key} is {value}; 4, 16 and 64 are allowed");
                        lines.error(value_column, why)
                    })?;
                    once(&mut self.page, page)
                }
                _ => Ok(()),
            }
            .map_err(|before| {
                let why = format!("{key} is {value}, but {before} above; state it once");
                lines.error(value_column, why)
            })?;
            if self.pairs.len() == MOST_KEYS {
                let why = format!("more than {MOST_KEYS} header keys");
                return Err(lines.error(column, why));
            }
            self.pairs.push((key.to_string(), value.to_string()));
        }
        Ok(())
    }

    /// The area, where its pages are known; `over` goes before what is stated here.
    pub(super) fn area(&self, over: &Geometry, lines: &Lines) -> Result<Option<Area>, IngestError> {
        let name = self.get("area").unwrap_or("cma");
        let area = self.geometry.under(over).and_then(|geometry| geometry.area(name));
        // Ranges that the caller gives are no line's fault.
        let line = if over.ranges.is_some() { 0 } else { self.pages_line };
        area.map_err(|why| IngestError { line, ..lines.error(0, why) })
    }

    /// What is strange about it.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let number = |key| -> Option<u64> { self.get(key)?.parse().ok() };
        let free = self.whole_granules().zip(number("free_at_start"));
        let available = self.geometry.pages.zip(number("available_at_start"));
        let found = [("free", free), ("available", available)]
            .into_iter()
            .find_map(|(what, of)| of.filter(|(pages, start)| pages != start).map(|of| (what, of)));
        let warning = found.map(|(what, (pages, start))| {
            format!("{start} of {pages} pages were {what} at its start; it is run on an empty area")
        });
        warning.into_iter().collect()
    }

    /// The pages that have a bit.
    fn whole_granules(&self) -> Option<u64> {
        let area = self.geometry.area("").ok().flatten();
        let bits = |area: Area| (0..area.ranges().len()).map(|range| area.bits(range)).sum::<u64>();
        Some(bits(area?) << self.geometry.order_per_bit.unwrap_or(0))
    }
}
