//! What a film shows, for people and programs: the page, and who stood in the way as text, JSON and
//! CSV.

mod data;
mod head;
mod html;
mod refused;
mod rows;
mod still;
mod text;
mod words;

use cma_policies::Area;

use crate::page::Page;
use crate::report::plain::clean;
use crate::view::{Doomed, Film, doomed, number_together};

pub use html::html;
pub use rows::{csv, json};
pub(super) use still::{STYLE as STILL_STYLE, still};
pub use text::text;

/// A way in which the same requests were answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Take {
    /// The policy, or that it is what was recorded.
    pub name: String,
    /// `CONFIG_CMA_ALIGNMENT` that `dma` requests follow.
    pub cap: u32,
    /// It is what a real kernel did.
    pub recorded: bool,
}

/// An area under every take.
#[derive(Clone, Debug)]
pub struct Part {
    /// The area.
    pub area: Area,
    /// The names of the clients of its requests, by number; the empty name is nobody's.
    pub clients: Vec<String>,
    /// A film for each take.
    pub films: Vec<Film>,
    /// For each film since when each of its refusals had no place.
    pub doomed: Vec<Vec<Doomed>>,
}

impl Part {
    /// An area whose requests have these clients, filmed.
    pub fn new(area: Area, clients: Vec<String>, films: Vec<Film>) -> Self {
        let doomed = films.iter().map(doomed).collect();
        Self { area, clients, films, doomed }
    }

    /// The name of the area; a log may have put anything into it.
    fn name(&self) -> String {
        clean(self.area.name())
    }
}

/// A film with what it is of.
#[derive(Clone, Copy, Debug)]
struct Panel<'a> {
    view: &'a View,
    /// The number of its take.
    take: usize,
    /// The number of its area, and that.
    area: usize,
    part: &'a Part,
    film: &'a Film,
    doomed: &'a [Doomed],
}

/// All that is shown.
#[derive(Clone, Debug)]
pub struct View {
    /// What it is of: the name of the file.
    pub title: String,
    /// The line that makes it again.
    pub command: String,
    /// The ways in which requests were answered.
    pub takes: Vec<Take>,
    /// The areas; one at least.
    pub parts: Vec<Part>,
    /// How large pages are.
    pub page: Page,
    /// Whether it is known when something happened; else only in which order.
    pub has_time: bool,
    /// What is to be known beside it, as sentences.
    pub notes: Vec<String>,
}

impl Take {
    /// What it is called where there are several.
    pub fn title(&self) -> String {
        if self.recorded { self.name.clone() } else { format!("{}, cap {}", self.name, self.cap) }
    }
}

impl View {
    /// Numbers the ops of several areas as those of one stream.
    pub fn number_together(&mut self) {
        if self.parts.len() > 1 {
            let parts = self.parts.iter_mut();
            let mut films: Vec<_> = parts.map(|part| std::mem::take(&mut part.films)).collect();
            number_together(&mut films);
            for (part, films) in self.parts.iter_mut().zip(films) {
                part.films = films;
            }
        }
    }

    /// The ops of the longest film.
    fn ops(&self) -> u64 {
        self.films().map(|film| film.ops).max().unwrap_or(0)
    }

    /// When the first event was, and the last.
    fn span_us(&self) -> (u64, u64) {
        let spans: Vec<_> = self.films().filter_map(Film::span_us).collect();
        let first = spans.iter().map(|span| span.0).min();
        let last = spans.iter().map(|span| span.1).max();
        (first.unwrap_or(0), last.unwrap_or(0))
    }

    fn films(&self) -> impl Iterator<Item = &Film> {
        self.parts.iter().flat_map(|part| &part.films)
    }

    /// Every film.
    fn panels(&self) -> impl Iterator<Item = Panel<'_>> {
        self.parts.iter().enumerate().flat_map(move |(area, part)| {
            let films = part.films.iter().zip(&part.doomed).enumerate();
            films.map(move |(take, (film, doomed))| Panel {
                view: self,
                take,
                area,
                part,
                film,
                doomed,
            })
        })
    }
}
