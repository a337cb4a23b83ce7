//! How large the pages of a recording, a stream or a trace are, and what says so.

use std::fmt;

use super::log::boot::PageFrom;
use crate::page::Page;

/// The header key of recordings and streams that states it, in KiB.
pub(crate) const KEY: &str = "page_kib";

/// The size of the pages that are counted, and what it is known from.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Paged {
    /// The size.
    pub page: Page,
    /// What says so; none where it is taken to be 4 KiB.
    pub by: Option<PageBy>,
}

/// What says how large a page is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageBy {
    /// The caller.
    Caller,
    /// The header of the file.
    Header,
    /// A text of the board.
    Text(PageFrom),
    /// The order of a pageblock, in such a text.
    BlockOrder,
    /// The pages of its areas and their bytes, in such a text.
    Totals,
}

impl Paged {
    /// What is stated, else 4 KiB.
    pub(crate) fn of(stated: Option<(Page, PageBy)>) -> Self {
        stated.map_or_else(Self::default, |(page, by)| Self { page, by: Some(by) })
    }

    /// The size, where something states it.
    pub fn stated(self) -> Option<Page> {
        self.by.map(|_| self.page)
    }

    /// What a header says of it: nothing, where nothing is stated.
    pub(crate) fn pair(self) -> Option<(&'static str, String)> {
        self.stated().map(|page| (KEY, page.kib().to_string()))
    }
}

impl fmt::Display for Paged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.by {
            None => return write!(f, "pages are taken to be of {}: nothing states it", self.page),
            Some(PageBy::Caller) => "--page-kib",
            Some(PageBy::Header) => "its header",
            Some(PageBy::Text(PageFrom::Getconf)) => "getconf",
            Some(PageBy::Text(PageFrom::HugePage)) => "the size of a huge page",
            Some(PageBy::Text(PageFrom::Config)) => "the configuration of the kernel",
            Some(PageBy::Text(PageFrom::Release)) => "the name of the kernel",
            Some(PageBy::Text(PageFrom::Pages) | PageBy::Totals) => {
                "the pages of its areas and their bytes"
            }
            Some(PageBy::Text(PageFrom::Arch)) => "the architecture",
            Some(PageBy::BlockOrder) => "the order of a pageblock",
        };
        write!(f, "pages are of {}, by {by}", self.page)
    }
}
