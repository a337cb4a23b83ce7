//! What the files of a plan say of its fits, and against what it advises.

use crate::answer::{Candidate, Choice, Doubt};
use crate::reproduce::{Reproduction, STREAMS};
use crate::sweep::{Held, Ready};
use crate::words::{mib, percent};

/// Fits that are named, and files of a doubt.
const NAMED: usize = 8;

/// What does not fail as its file did: said before anything else.
pub fn not_reproduced(ready: &Ready) -> Vec<String> {
    said(ready, |held| held.reproduces() == Some(false))
}

/// The other fits of a plan.
pub(in crate::report) fn other_fits(ready: &Ready) -> Vec<String> {
    said(ready, |held| held.reproduces() != Some(false))
}

fn said(ready: &Ready, is_meant: impl Fn(&Held) -> bool) -> Vec<String> {
    let meant: Vec<_> = ready.fits.iter().filter(|held| is_meant(held)).collect();
    let mut said: Vec<_> = meant.iter().take(NAMED).map(|held| of_fit(held)).collect();
    if meant.len() > NAMED {
        said.push(format!("And {} more fits: fit_reproduces in summary.csv", meant.len() - NAMED));
    }
    said
}

/// Whether a fit fails as its file did.
fn of_fit(held: &Held) -> String {
    let file = &held.file;
    let Some(shown) = &held.shown else {
        let why = match held.fit.has_outcomes() {
            true => "nothing states its area",
            false => "a stream does not say what was refused",
        };
        return format!("Whether the fit to {file} reproduces it is not known: {why}");
    };
    match shown.holds() {
        true => format!("The fit to {file} reproduces it: {}", rates(held, shown)),
        false => format!(
            "The fit to {file} does NOT reproduce it: {}; what streams drawn from it show of other \
             boards is not to be relied on",
            rates(held, shown)
        ),
    }
}

/// What was recorded, and what is predicted for the same board.
fn rates(held: &Held, shown: &Reproduction) -> String {
    let refused = &shown.refused;
    let rate =
        |share: Option<f64>| share.map_or_else(|| "-".to_string(), |share| percent(share, 2));
    let [low, high] = refused.range.map_or([None; 2], |(low, high)| [Some(low), Some(high)]);
    format!(
        "{} of its requests were refused, {} are predicted for the same board ({} to {} in 95 % of \
         {STREAMS} streams, cap {}, {})",
        rate(refused.recorded),
        rate(refused.predicted),
        rate(low),
        rate(high),
        shown.cap,
        mib(shown.area.pages(), held.fit.paged.page)
    )
}

/// Of which files the fits of a choice do not fail as they did.
pub(super) fn unlike(ready: &Ready, choice: &Choice) -> String {
    let files = choice.doubts.iter().filter_map(|doubt| match doubt {
        Doubt::NotReproduced(fit) => Some(ready.fits[*fit].file.as_str()),
        _ => None,
    });
    listed(&files.collect::<Vec<_>>())
}

fn listed(files: &[&str]) -> String {
    let named = files.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match files.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// What contradicts a choice: what it advises failed when it was recorded.
pub(super) fn as_recorded(ready: &Ready, choice: &Choice) -> Option<String> {
    let said = choice.doubts.iter().filter_map(|doubt| {
        let Doubt::AsRecorded(source) = doubt else { return None };
        let on_board = source.of(ready);
        Some(format!(
            "{} of the requests of {} were refused in an area of {} at cap {}",
            percent(on_board.asked.refused_share()?, 2),
            on_board.file,
            mib(on_board.area_pages, ready.plan.page),
            on_board.cap
        ))
    });
    let said: Vec<_> = said.take(NAMED).collect();
    (!said.is_empty()).then(|| format!("but its files contradict that: {}", said.join("; ")))
}

/// What an area refuses of a choice and the page allocator is taken to serve, and what would do without
/// it; `named` says what a candidate is.
pub(super) fn served(choice: &Choice, named: impl Fn(&Candidate) -> String) -> Option<String> {
    choice.doubts.iter().find_map(|doubt| {
        let Doubt::Served(served) = doubt else { return None };
        let share = percent(served.served as f64 / served.requests.max(1) as f64, 2);
        let without = match served.without {
            Some(one) => {
                format!("the first in which it refuses none is {}", named(&choice.ranked[one]))
            }
            None => "in each that was tried it refuses some".to_string(),
        };
        Some(format!(
            "CMA itself refuses {share} of the requests there, which the page allocator is taken to serve \
             while it has such blocks; {without}"
        ))
    })
}

/// What failed when it was recorded, if pages are larger than they are taken to be.
pub(super) fn if_larger(ready: &Ready, choice: &Choice) -> Option<String> {
    let best = choice.best()?;
    choice.doubts.iter().find_map(|doubt| {
        let Doubt::IfPagesAre(source, page) = doubt else { return None };
        let failed = mib(source.of(ready).area_pages, *page);
        Some(match mib(best.pages, ready.plan.page) {
            own if own == failed => format!("if they are of {page}, {own} is the area that failed"),
            own => {
                format!("if they are of {page}, the area that failed has {failed}: {own} is less")
            }
        })
    })
}
