//! Requests, refusals and pages by class: a policy must not look good by refusing the large ones.

use cma_policies::Request;

use super::tally::Tally;
use super::{CLASSES, Column, Entry, Of};
use crate::cause::Cause;

const fn asked(name: &'static str) -> Column {
    Column::requests(name, "requests of so many pages")
}

const fn refused(name: &'static str) -> Column {
    Column::requests(name, "requests of so many pages that were refused")
}

const fn withheld(name: &'static str) -> Column {
    Column::requests(name, "those of them that found enough pages free")
}

fn class_of(request: Request) -> usize {
    let class = CLASSES.iter().position(|&(_, most)| request.count() <= most);
    class.expect("the last class has no end")
}

/// Requests and refusals by size.
pub(super) const ENTRY: Entry = Entry {
    name: "classes",
    columns: &[
        asked("requests_1_16"),
        refused("refused_1_16"),
        withheld("withheld_1_16"),
        asked("requests_17_256"),
        refused("refused_17_256"),
        withheld("withheld_17_256"),
        asked("requests_257_2048"),
        refused("refused_257_2048"),
        withheld("withheld_257_2048"),
        asked("requests_2049_up"),
        refused("refused_2049_up"),
        withheld("withheld_2049_up"),
    ],
    of: Of::Requests,
    build: |_| {
        Box::new(Tally::<3, { CLASSES.len() }, _>::new(|step, request, classes| {
            let [asked, refused, withheld] = &mut classes[class_of(request)];
            *asked += 1;
            *refused += u128::from(step.cause.is_some());
            *withheld += u128::from(step.cause.is_some_and(Cause::is_withheld));
        }))
    },
};

const fn asked_pages(name: &'static str) -> Column {
    Column::pages(name, "pages of all requests of so many pages")
}

const fn withheld_pages(name: &'static str) -> Column {
    Column::pages(name, "those of them refused with enough pages free")
}

/// Pages asked for and withheld by size: R3 of each class, so that count and weight are side by
/// side there too.
pub(super) const PAGES: Entry = Entry {
    name: "class-pages",
    columns: &[
        asked_pages("requested_pages_1_16"),
        withheld_pages("withheld_pages_1_16"),
        asked_pages("requested_pages_17_256"),
        withheld_pages("withheld_pages_17_256"),
        asked_pages("requested_pages_257_2048"),
        withheld_pages("withheld_pages_257_2048"),
        asked_pages("requested_pages_2049_up"),
        withheld_pages("withheld_pages_2049_up"),
    ],
    of: Of::Stream,
    build: |_| {
        Box::new(Tally::<2, { CLASSES.len() }, _>::new(|step, request, classes| {
            let [asked, withheld] = &mut classes[class_of(request)];
            let count = u128::from(request.count());
            *asked += count;
            *withheld += if step.cause.is_some_and(Cause::is_withheld) { count } else { 0 };
        }))
    },
};

const fn of_free(name: &'static str) -> Column {
    Column::requests(name, "requests for so many percent of the free pages")
}

const fn withheld_of_free(name: &'static str) -> Column {
    Column::requests(name, "those of them that were refused")
}

/// The most percent of the free pages in each class.
const MOST_PERCENT: [u128; 3] = [25, 50, 100];

/// Requests by their part of what was free: of those that take most of it some must fail under any
/// policy, so rates over streams of other loads can be compared only class by class.
pub(super) const OF_FREE: Entry = Entry {
    name: "of-free",
    columns: &[
        of_free("requests_0_25pct_of_free"),
        withheld_of_free("withheld_0_25pct_of_free"),
        of_free("requests_25_50pct_of_free"),
        withheld_of_free("withheld_25_50pct_of_free"),
        of_free("requests_50_100pct_of_free"),
        withheld_of_free("withheld_50_100pct_of_free"),
    ],
    of: Of::Stream,
    build: |_| {
        Box::new(Tally::<2, { MOST_PERCENT.len() }, _>::new(|step, request, classes| {
            // What it met: a refusal changed nothing, a grant took its granules.
            let took = match step.cause {
                None => request.count().next_multiple_of(step.model.area().granule()),
                Some(_) => 0,
            };
            let free = u128::from(step.model.free_pages() + took);
            let hundredfold = u128::from(request.count()) * 100;
            let class = MOST_PERCENT.iter().position(|percent| hundredfold <= percent * free);
            let Some(class) = class else { return };
            let [asked, withheld] = &mut classes[class];
            *asked += 1;
            *withheld += u128::from(step.cause.is_some_and(Cause::is_withheld));
        }))
    },
};
