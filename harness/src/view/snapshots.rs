//! What areas looked like at some moments, where no events say what happened between them: bitmaps
//! that were read again and again, lists of free runs beside failures.
//!
//! Of two moments in a row, what is newly used was granted and what is free now was given back; by
//! whom and in which pieces nobody knows. Each run of pages that became used together is drawn as a
//! buffer without a name.

mod change;
mod moments;

use std::sync::Arc;

use cma_policies::{Area, Run};

use super::film::Film;
use crate::diagnose::Options;
use crate::ingest::{IngestError, Source};
use crate::page::Page;
use crate::timeline::{GUARANTEED_ALIGN, Layout};
use change::film;
use moments::{Moment, Moments};

/// The clients of such films: nobody, and what a list leaves out, which may be used or free.
pub const CLIENTS: [&str; 2] = ["", "(not shown)"];

/// Films of moments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshots {
    /// One for each area of which a state is known.
    pub films: Vec<Film>,
    /// Each moment has a stamp; else they are numbered in the order of the text.
    pub has_time: bool,
    /// The size of a page, where the text states it.
    pub page: Option<Page>,
    /// `CONFIG_CMA_ALIGNMENT`, as stated or as given.
    pub cap: u32,
    /// What is to be known beside them.
    pub notes: Vec<String>,
}

/// Reads `sources` in order as one board's; of the area with this name alone, where one is `named`.
///
/// A moment is a bitmap of debugfs, or a failure that was refused over a state that is known. Where
/// bitmaps have stamps, what has none is left out.
///
/// # Errors
/// Where a source cannot be read.
pub fn snapshots(
    sources: &[Source],
    options: &Options,
    named: Option<&str>,
) -> Result<Snapshots, IngestError> {
    let mut moments = Moments::read(sources, options)?;
    let mut notes = moments.notes();
    let has_time = moments.put_in_order(&mut notes);
    let mut films = Vec::new();
    for (name, of_area) in moments.take_by_area() {
        if named.is_some_and(|named| name.as_deref() != Some(named)) {
            continue;
        }
        let layout = moments.layout(name.as_ref(), &of_area, options);
        match area(&layout, &of_area, options, &mut notes) {
            Ok(area) => films.push(film(area, of_area, has_time, &mut notes)),
            Err(why) => notes.push(format!("{} is left out: {why}", called(name.as_ref()))),
        }
    }
    Ok(Snapshots { films, has_time, page: moments.page(), cap: moments.cap(), notes })
}

/// An area in words.
fn called(name: Option<&Arc<str>>) -> String {
    name.map_or_else(|| "an area without a name".to_string(), |name| format!("area {name}"))
}

/// Where the area lies, and the order up to which it is known where a request may start: what is
/// nowhere stated is made up, and said.
fn area(
    layout: &Layout,
    moments: &[Moment],
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<(Area, u32), String> {
    let name = layout.name.as_deref().unwrap_or("cma");
    let mut pictures = moments.iter().filter_map(|moment| moment.picture.as_ref());
    let own = pictures.clone().find_map(|picture| picture.order_per_bit);
    let order = layout.order_per_bit.or(own).unwrap_or(0);
    let ranges = match (&options.geometry.ranges, layout.ranges()) {
        (Some(ranges), _) => ranges.0.clone(),
        (None, Some(ranges)) => ranges,
        _ if layout.bases.len() > 1 || pictures.clone().any(|one| one.ranges.len() > 1) => {
            return Err(
                "it has several ranges, and the text does not say where they lie and how long \
                        they are; --ranges BASE:PAGES,… does"
                    .to_string(),
            );
        }
        _ => vec![single(layout, pictures.next().and_then(|one| one.pages(order)), notes)?],
    };
    let is_placed = options.geometry.ranges.is_some() || !layout.bases.is_empty();
    let most = if is_placed { u32::MAX } else { GUARANTEED_ALIGN.max(order) };
    let area = Area::new(name, order, &ranges).map_err(|error| error.to_string())?;
    Ok((area, most))
}

/// The only range of an area of which the bitmap has room for so many `pages`.
fn single(layout: &Layout, pages: Option<u64>, notes: &mut Vec<String>) -> Result<Run, String> {
    let called = called(layout.name.as_ref());
    let pages = match (layout.total, pages) {
        (Some(total), _) => total,
        (None, Some(pages)) => {
            notes.push(format!(
                "how many pages {called} has is not stated: {pages} are those of its bitmap, of which \
                 the last ones may be none; --pages says it"
            ));
            pages
        }
        (None, None) => {
            return Err("the text does not say how many pages it has; --pages says it".to_string());
        }
    };
    let base = layout.base(0).unwrap_or_else(|| {
        notes.push(format!(
            "where {called} begins is not stated: its pages are counted from 0 on, which is right for \
             orders up to {GUARANTEED_ALIGN}; --base-pfn says it",
        ));
        0
    });
    if pages == 0 || base.checked_add(pages).is_none() {
        return Err(format!("it cannot have {pages} pages from page {base} on"));
    }
    Ok(Run::new(base, pages))
}
