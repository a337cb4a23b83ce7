//! What kind of kernel a text is of, for what goes by it beside the diagnosis of a boot.

use super::notes::Notes;
use super::step::page_of_order;
use crate::ingest::PageBy;
use crate::kernel::{Kind, release};
use crate::page::Page;

impl Notes {
    /// The size of a page, where something states it: pages and bytes of areas the least.
    pub(crate) fn page_stated(&self) -> Option<(Page, PageBy)> {
        let known = |bytes: u64, by| Page::of_bytes(bytes).map(|page| (page, by));
        let stated =
            || self.machine().page().and_then(|(bytes, from)| known(bytes, PageBy::Text(from)));
        let block = || {
            let order = self.block_order()?;
            known(page_of_order(order, self.machine().arch())?, PageBy::BlockOrder)
        };
        let implied =
            || self.page_or_arch().and_then(|(bytes, from)| known(bytes, PageBy::Text(from)));
        stated().or_else(block).or_else(implied)
    }

    /// What kind of kernel it is.
    pub(crate) fn kind(&self) -> Kind {
        Kind {
            page: self.page_stated().map(|(page, _)| page),
            arch: self.machine().arch(),
            release: self.release().and_then(|name| release(name)),
        }
    }
}
