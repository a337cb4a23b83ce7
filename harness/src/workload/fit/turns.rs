//! A client that holds as much as it may, drawn.

use super::closed::Closed;
use super::steps::Unit;
use crate::seed::Draws;

/// Buffers that go together: ids and pages.
pub(super) type Buffers = Vec<(u64, u64)>;

/// A client that was drawn, between two units.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    /// Which kind, and which of its clients.
    pub(super) closed: usize,
    pub(super) lane: usize,
    /// Oldest first.
    held: Vec<Buffers>,
    pages: u64,
    most_pages: u64,
    /// Units to the end of its run; none if it has no end.
    left: Option<u64>,
}

/// What it does in a turn.
pub(super) enum Turn {
    /// It gives these back and asks.
    Ask(Buffers, Unit),
    /// It gives all back: a run ends.
    End(Buffers),
}

fn pages(buffers: &Buffers) -> u64 {
    buffers.iter().fold(0, |sum, (_, pages)| sum.saturating_add(*pages))
}

impl Turns {
    pub(super) fn new(
        (closed, lane): (usize, usize),
        most_pages: u64,
        of: &Closed,
        draws: &mut Draws,
    ) -> Self {
        let left = (!of.runs.is_empty()).then(|| *draws.pick(&of.runs));
        Self { closed, lane, held: Vec::new(), pages: 0, most_pages, left }
    }

    /// All goes back: its program ends.
    pub(super) fn end(&mut self) -> Buffers {
        self.pages = 0;
        std::mem::take(&mut self.held).concat()
    }

    pub(super) fn turn(&mut self, of: &Closed, draws: &mut Draws) -> Turn {
        match &mut self.left {
            Some(0) => {
                self.left = Some(*draws.pick(&of.runs));
                return Turn::End(self.end());
            }
            Some(left) => *left -= 1,
            None => {}
        }
        let unit = draws.pick(&of.asks).clone();
        let others = if of.others.is_empty() { 0 } else { *draws.pick(&of.others) };
        let mut gone = Vec::new();
        for _ in 0..others {
            gone.extend(self.give(of, draws));
        }
        while self.pages.saturating_add(unit.pages()) > self.most_pages && !self.held.is_empty() {
            gone.extend(self.give(of, draws));
        }
        Turn::Ask(gone, unit)
    }

    /// One of what it holds goes back, as old as those that did in the file.
    fn give(&mut self, of: &Closed, draws: &mut Draws) -> Buffers {
        let Some(others) = self.held.len().checked_sub(1) else { return Vec::new() };
        let age = if of.ages.is_empty() { 0.0 } else { *draws.pick(&of.ages) };
        let gone = self.held.remove(libm::round(age * others as f64) as usize);
        self.pages = self.pages.saturating_sub(pages(&gone));
        gone
    }

    /// A unit was asked for.
    pub(super) fn put(&mut self, unit: Buffers) {
        self.pages = self.pages.saturating_add(pages(&unit));
        self.held.push(unit);
    }
}
