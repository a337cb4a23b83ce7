//! Against best fit: holes that grow by a page, so that none is ever used again.

use super::Adversary;
use crate::harm::field::{Asked, Field};
use crate::harm::goal::Goal;

/// Rounds of r = r0, r0 + 1, … n - 1: buffers of r pages and of one in turn, then the larger ones go.
/// A request of r pages is too large for every hole of the rounds before, so it lands at the end of
/// what was ever used; a single page after it would rather fill an old hole. So room for both is
/// made at the end first, r + 1 pages of it: that hole is the only one for r pages, and what is left
/// of it is the tightest there is for one. Each round takes all of the LOAD that single pages do not
/// hold: M r0 / r, of an area of M r0 ln(n / r0) in all, M n / e at best.
pub(super) const ADVERSARY: Adversary = Adversary {
    name: "best-fit",
    about: "holes that grow by a page each round, single pages between them: none is used again",
    source: "written for this project after D. E. Knuth, The Art of Computer Programming 1, 2.5, and \
             J. M. Robson, Computer Journal 20(3), 1977: best fit may need close to M n pages",
    variants: |goal: &Goal| u64::from(goal.largest.ilog2()) * 3,
    play: |field, variant| {
        let largest = field.goal.largest;
        // n, n / 2, n / 4 … and two steps between each.
        let octave = largest >> (variant / 3);
        let first = octave - octave * (variant % 3) / 6;
        play(field, first.max(2), largest);
    },
};

fn play(field: &mut Field<'_>, first: u64, largest: u64) {
    for length in first..largest {
        while pair(field, length) {}
        field.keep(|run| run.count == 1);
        if field.is_over() {
            return;
        }
    }
    field.fill(largest, u64::MAX);
}

/// `length` pages and one past them; whether both were granted.
fn pair(field: &mut Field<'_>, length: u64) -> bool {
    let (live, limit) = (field.live_pages, field.limit);
    // Room of its own, if there is LOAD for a guard past it.
    if live + 2 * (length + 1) <= limit {
        let granted = [length + 1; 2].map(|count| field.ask(count)).into_iter().all(is_granted);
        if !granted {
            return false;
        }
        field.free(field.buffers() - 2);
        let granted = [length, 1].map(|count| field.ask(count)).into_iter().all(is_granted);
        if granted {
            // The guard that those two are past.
            field.free(field.buffers() - 3);
        }
        return granted;
    }
    if live + length + 1 > limit {
        return false;
    }
    [length, 1].map(|count| field.ask(count)).into_iter().all(is_granted)
}

const fn is_granted(asked: Asked) -> bool {
    matches!(asked, Asked::Granted(_))
}
