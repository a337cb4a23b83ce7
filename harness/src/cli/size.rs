//! Sizes of the command line, which become pages once the size of a page is known.

use super::failure::Failure;
use crate::ingest::{self, quoted};
use crate::page::Page;
use crate::size::{Size, pfn};

/// The pages that `option` asks for.
///
/// # Errors
/// What is no whole number of pages.
pub(super) fn pages(option: &str, size: Size, page: Page) -> Result<u64, Failure> {
    size.pages(page).map_err(|why| Failure::because(format_args!("take {option} {size}: {why}")))
}

/// The size of a page, in KiB: `16` or `16K`.
pub(super) fn page(text: &str) -> Result<Page, String> {
    let page = Size::in_kib(text).ok().and_then(Page::of_kib);
    page.ok_or_else(|| "4, 16 and 64 are allowed".to_string())
}

/// An order: a cap, that of an alignment or of a bitmap bit.
pub(super) fn order(text: &str) -> Result<u32, String> {
    let order = text.parse().ok().filter(|order| *order <= 63);
    order.ok_or_else(|| "an order from 0 to 63 is allowed".to_string())
}

/// The ranges of an area as `BASE:PAGES,…`, each size with a unit or without.
#[derive(Clone, Debug)]
pub(super) struct Ranges(Vec<(u64, Size)>);

impl Ranges {
    /// As they are written.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let range = |word: &str| {
            let parts = word.split_once(':');
            let range =
                parts.and_then(|(base, size)| Some((pfn(base).ok()?, Size::in_pages(size).ok()?)));
            range.ok_or_else(|| {
                let word = quoted(word);
                format!(
                    "range {word} is not BASE:PAGES, the first page and how many, as in \
                     0x12fe00:76800 or 0x12fe00:300M"
                )
            })
        };
        text.split(',').map(range).collect::<Result<_, _>>().map(Self)
    }

    /// As they can be given again.
    pub(super) fn as_given(&self) -> String {
        let each = self.0.iter().map(|(base, size)| format!("{base:#x}:{}", size.as_given()));
        each.collect::<Vec<_>>().join(",")
    }

    /// In pages of this size.
    ///
    /// # Errors
    /// A size that is no whole number of pages, or none at all; too many ranges.
    pub(super) fn of(&self, page: Page) -> Result<ingest::Ranges, Failure> {
        let range =
            |(base, size): &(u64, Size)| Ok(format!("{base}:{}", pages("--ranges", *size, page)?));
        let text: Vec<_> = self.0.iter().map(range).collect::<Result<_, Failure>>()?;
        let ranges = text.join(",").parse();
        ranges.map_err(|why: String| Failure::because(format_args!("take --ranges: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_may_have_units() {
        let of = |text| Ranges::parse(text).unwrap().of(Page::Kib4).unwrap().to_string();
        assert_eq!(of("0x130000:4M,1542656:8192"), "1245184:1024,1542656:8192");
        for text in ["", "5", "5:", ":5", "5:+1", "1:2,", "1:2;3:4", "-1:2", "1M:2"] {
            assert!(Ranges::parse(text).unwrap_err().contains("is not BASE:PAGES"), "{text}");
        }
        for text in ["5:0", "0:100K"] {
            assert!(Ranges::parse(text).unwrap().of(Page::Kib16).is_err(), "{text}");
        }
    }

    #[test]
    fn a_page_is_of_4_16_or_64_kib() {
        for text in ["16", "16K", "16k", "16KiB"] {
            assert_eq!(page(text), Ok(Page::Kib16), "{text}");
        }
        for text in ["8", "16M", "", "K", "4096"] {
            assert_eq!(page(text), Err("4, 16 and 64 are allowed".to_string()), "{text}");
        }
    }
}
