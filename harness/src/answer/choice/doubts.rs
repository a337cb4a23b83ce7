//! What the files of a plan say against what it advises.

use super::{Candidate, Choice, Scope};
use crate::answer::summary::{Summary, SummaryRow};
use crate::page::Page;
use crate::sweep::{OnBoard, Ready};

/// What speaks against relying on a choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doubt {
    /// Streams are drawn from this fit (an index into [`Ready::fits`]), which does not fail as its file
    /// did.
    NotReproduced(usize),
    /// The file had requests refused in an area at least as large as the chosen one, at its cap and
    /// under its policy, with no more LOAD.
    AsRecorded(OfFile),
    /// The area refused requests of the chosen configuration, and the page allocator served them, as it
    /// is taken to do for who asks; it may not always have the blocks.
    Served(Served),
    /// It had, if pages are of this size, which nothing states; whatever the cap.
    IfPagesAre(OfFile, Page),
}

/// Requests that an area refused and the page allocator served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Served {
    /// Requests in all.
    pub requests: u64,
    /// Those of them.
    pub served: u64,
    /// The first of the ranked under the same policy whose areas refuse none, an index into
    /// [`Choice::ranked`].
    pub without: Option<usize>,
}

/// A file of a stream, on its board.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OfFile {
    /// The stream, an index into the plan.
    pub stream: usize,
    /// An index into [`Checked::on_board`](crate::sweep::Checked::on_board).
    pub file: usize,
}

impl OfFile {
    /// What is known of it.
    pub fn of(self, ready: &Ready) -> &OnBoard {
        &ready.checked[self.stream].on_board[self.file]
    }
}

/// The fits of streams of this scope that do not fail as their files did, in the order of the plan.
pub(super) fn not_reproduced(ready: &Ready, summary: &Summary, scope: Scope) -> Vec<Doubt> {
    let rows = summary.rows.iter().filter(|row| scope.has(&row.at));
    let mut fits: Vec<_> = rows.flat_map(|row| &ready.checked[row.at.stream].fits).collect();
    fits.sort_unstable();
    fits.dedup();
    let fails = |fit: &usize| ready.fits[*fit].reproduces() == Some(false);
    fits.into_iter().copied().filter(fails).map(Doubt::NotReproduced).collect()
}

/// Where the chosen board is no larger than one on which a file had requests refused, as the kernel
/// would refuse them again: each file once.
pub(super) fn of_boards(ready: &Ready, summary: &Summary, choice: &Choice) -> Vec<Doubt> {
    let Some(best) = choice.best().filter(|best| Some(best.policy) == summary.baseline) else {
        return Vec::new();
    };
    let is_its = |row: &&SummaryRow| {
        (row.at.board, row.at.cap, row.policy) == (best.board, best.cap, best.policy)
            && choice.scope.has(&row.at)
    };
    let mut doubts: Vec<_> =
        served(ready, summary, (choice, best)).map(Doubt::Served).into_iter().collect();
    for row in summary.rows.iter().filter(is_its).filter(|row| row.fell_back == 0) {
        let stream = row.at.stream;
        for (file, on_board) in ready.checked[stream].on_board.iter().enumerate() {
            let doubt = doubt(ready, (best, row), OfFile { stream, file }, on_board);
            doubts.extend(doubt.filter(|doubt| !doubts.contains(doubt)));
        }
    }
    doubts
}

/// What the page allocator serves of the chosen configuration, where that is taken to be so and not
/// stated by the board.
fn served(
    ready: &Ready,
    summary: &Summary,
    (choice, best): (&Choice, &Candidate),
) -> Option<Served> {
    let rows = |one: &Candidate| {
        let at = (one.board, one.cap, one.policy);
        let rows = summary.rows.iter().filter(|row| choice.scope.has(&row.at));
        rows.filter(move |row| (row.at.board, row.at.cap, row.policy) == at).collect::<Vec<_>>()
    };
    let its = rows(best);
    let is_taken = its.iter().any(|row| ready.board(&row.at).is_caller_open);
    let served: u64 = its.iter().map(|row| row.fell_back).sum();
    if !is_taken || served == 0 {
        return None;
    }
    let refuses_none = |one: &Candidate| {
        let rows = rows(one);
        let is_clean = |row: &&SummaryRow| row.streams > 0 && row.refused.iter().all(|n| *n == 0);
        one.policy == best.policy && !rows.is_empty() && rows.iter().all(is_clean)
    };
    let without = choice.ranked.iter().position(refuses_none);
    Some(Served { requests: its.iter().map(|row| row.requests).sum(), served, without })
}

fn doubt(
    ready: &Ready,
    (best, row): (&Candidate, &SummaryRow),
    source: OfFile,
    on_board: &OnBoard,
) -> Option<Doubt> {
    let (plan, board) = (&ready.plan, ready.board(&row.at));
    let asks_less = || {
        let load = plan.load(&row.at).zip(on_board.load_pages);
        load.is_some_and(|(load, own)| load.pages_of(board.pages()) < own)
    };
    if board.areas.len() > 1 || on_board.asked.refused == 0 || asks_less() {
        return None;
    }
    let bytes = |pages: u64, page: Page| u128::from(pages) * u128::from(page.bytes());
    if bytes(best.pages, plan.page) <= bytes(on_board.area_pages, plan.page) {
        let at_its_cap = plan.caps[best.cap] == on_board.cap;
        return at_its_cap.then_some(Doubt::AsRecorded(source));
    }
    let reaches = |page: &Page| {
        *page > plan.page && bytes(best.pages, plan.page) <= bytes(on_board.area_pages, *page)
    };
    let page = Page::ALL.into_iter().find(reaches).filter(|_| !plan.is_page_stated)?;
    Some(Doubt::IfPagesAre(source, page))
}
