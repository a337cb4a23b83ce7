//! The size of a page by what areas have in bytes and in pages.

use std::collections::BTreeSet;

use super::scan::Name;
use crate::ingest::log::Record;
use crate::page::Page;

/// The most areas that are looked at; with more of them nothing is concluded.
const MOST: usize = 64;

/// What a text states in bytes, and in pages.
#[derive(Default, Debug)]
pub(super) struct Totals {
    /// Areas that were reserved: first byte and bytes.
    reserved: BTreeSet<(u64, u64)>,
    /// `CmaTotal`, in bytes.
    all: Option<u64>,
    /// Pages of areas, by lists of free runs, which name none.
    listed: BTreeSet<u64>,
}

impl Totals {
    /// Takes a record.
    pub(super) fn note(&mut self, record: &Record) {
        match record {
            Record::Reserved { base, bytes, .. } if self.reserved.len() <= MOST => {
                self.reserved.insert((*base, *bytes));
            }
            Record::Counter { area: None, name, value } if &**name == "CmaTotal" => {
                self.all = Some(*value);
            }
            Record::FreeRuns(runs) if self.listed.len() <= MOST => self.listed.extend(runs.total),
            _ => {}
        }
    }

    /// The size at which the pages that are stated, of `traced` areas and in lists, are the bytes
    /// that are. Where several areas were reserved it is one at which each of them has its bytes.
    pub(super) fn page<'a>(&self, traced: impl Iterator<Item = (&'a Name, u64)>) -> Option<Page> {
        let pages: BTreeSet<u64> =
            traced.map(|(_, pages)| pages).chain(self.listed.iter().copied()).collect();
        let sum = pages.iter().try_fold(0_u64, |sum, pages| sum.checked_add(*pages))?;
        let fits = |page: &Page| {
            let bytes = |pages: u64| pages.checked_mul(page.bytes());
            let is_reserved = |pages: &u64| {
                let bytes = bytes(*pages);
                self.reserved.iter().any(|(_, reserved)| Some(*reserved) == bytes)
            };
            match self.reserved.len() {
                0 => self.all.is_some() && bytes(sum) == self.all,
                _ => pages.iter().all(is_reserved),
            }
        };
        let mut fitting = Page::ALL.into_iter().filter(|page| !pages.is_empty() && fits(page));
        // Two sizes may fit, where areas are several times as large as others.
        fitting.next().filter(|_| fitting.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn totals(reserved: &[u64], all: Option<u64>, listed: &[u64]) -> Totals {
        let reserved = (0..).zip(reserved.iter().map(|mib| mib * MIB)).collect();
        let listed = listed.iter().copied().collect();
        Totals { reserved, all: all.map(|mib| mib * MIB), listed }
    }

    #[test]
    fn pages_and_bytes_of_areas_say_how_large_a_page_is() {
        let (kib4, kib16, kib64) = (Some(Page::Kib4), Some(Page::Kib16), Some(Page::Kib64));
        for (reserved, all, listed, page) in [
            (&[64][..], Some(64), &[4096][..], kib16),
            (&[], Some(64), &[4096], kib16),
            (&[], Some(88), &[6144, 16384], kib4),
            (&[512], None, &[8192], kib64),
            (&[24, 64], Some(88), &[6144], kib4),
            // 16 MiB of pages of 4 KiB, or all 64 of 16 KiB.
            (&[16, 64], Some(80), &[4096], None),
            (&[], Some(60), &[4096], None),
            (&[64], Some(64), &[], None),
            (&[], None, &[4096], None),
        ] {
            let found = totals(reserved, all, listed).page(std::iter::empty());
            assert_eq!(found, page, "{reserved:?} {all:?} {listed:?}");
        }
        let name = Some("reserved".into());
        let traced = std::iter::once((&name, 4096));
        assert_eq!(totals(&[64], None, &[]).page(traced), kib16);
    }
}
