//! A list whose failure line was hidden by the rate limit: what was asked for by the lines beside
//! it.
//!
//! From 5.10 on the kernel limits the rate of the line and not that of the list
//! (`pr_err_ratelimited()` before `cma_debug_show_areas()`, `mm/cma.c`).

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::AlignFrom;
use crate::ingest::log::FreeRuns;
use crate::kernel::Errno;

/// The most requests that are kept apart; where there are more, only equal lists say something.
const MOST_ASKED: usize = 8;

/// The most lists with a line that are kept.
const MOST_LISTS: usize = 16;

/// What a failure line asked for whose list is of an area of as many pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Beside {
    /// Pages asked for.
    pub count: u64,
    /// The order, where it is stated.
    pub align: Option<(u32, AlignFrom)>,
    /// The errno printed.
    pub ret: Option<Errno>,
    /// The first line that asks for this.
    pub line: u64,
    /// How many lines do; of equal ones, how many in a row have this very list.
    pub lines: u64,
    /// Its list is this very list.
    pub equal: bool,
}

impl Beside {
    const fn is_alike(&self, other: &Self) -> bool {
        let (a, b) = (self.ret, other.ret);
        let same_ret =
            matches!((a, b), (None, None)) || matches!((a, b), (Some(a), Some(b)) if a == b);
        self.count == other.count && same_ret
    }
}

/// Adds what a later line with an equal list asked for.
pub(super) fn add(all: &mut Vec<Beside>, asked: Beside) {
    all.retain(|known| !known.is_alike(&asked));
    all.insert(0, asked);
}

/// What was asked for by the failures whose line and list are in the text.
#[derive(Debug, Default)]
pub(super) struct AskedFor {
    /// With the pages of the area.
    asked: Vec<(Option<u64>, Beside)>,
    is_more: bool,
    lists: VecDeque<(Arc<FreeRuns>, Beside)>,
}

impl AskedFor {
    /// This list is of a failure that asked for this.
    pub(super) fn note(&mut self, list: &Arc<FreeRuns>, beside: Beside) {
        let is_known = |(total, other): &(Option<u64>, Beside)| {
            *total == list.total && other.is_alike(&beside)
        };
        match self.asked.iter().position(is_known) {
            Some(index) => self.asked[index].1.lines += 1,
            None if self.asked.len() < MOST_ASKED => self.asked.push((list.total, beside)),
            None => self.is_more = true,
        }
        match self.lists.back_mut() {
            Some((last, other)) if other.is_alike(&beside) && last == list => other.lines += 1,
            _ => {
                if self.lists.len() == MOST_LISTS {
                    self.lists.pop_front();
                }
                self.lists.push_back((Arc::clone(list), beside));
            }
        }
    }

    /// What a failure with this list may have asked for: what was refused with an equal one, and
    /// what was refused in this area at all.
    pub(super) fn of(&self, list: &FreeRuns) -> Vec<Beside> {
        let mut found: Vec<Beside> = Vec::new();
        let equal = self.lists.iter().filter(|(other, _)| **other == *list);
        let equal = equal.map(|(_, beside)| Beside { equal: true, ..*beside });
        let same_area =
            self.asked.iter().filter(|(total, _)| !self.is_more && *total == list.total);
        for beside in equal.chain(same_area.map(|(_, beside)| *beside)) {
            if !found.iter().any(|other| other.is_alike(&beside)) {
                found.push(beside);
            }
        }
        found
    }
}
