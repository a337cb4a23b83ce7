//! Texts without events: what areas looked like at some moments.

use std::path::Path;

use super::Wish;
use super::open::{command, name};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::ingest::{Header, Source};
use crate::reader::{self, Options};
use crate::report::view::{Part, Take, View};
use crate::view::{self, CLIENTS};

/// What is shown of texts of one board, none of which has rows or events.
pub(super) fn view(
    wish: &Wish<'_>,
    mut sources: Vec<Source>,
    options: &Options,
    context: &Context,
) -> Result<View, Failure> {
    sources.extend(options.snapshot.clone());
    let title = name(Path::new(sources[0].name()));
    wish.given.kernel(&Header::default(), "", context)?;
    let read = wish.given.beside_a_log()?;
    let shown = view::snapshots(&sources, &read, wish.given.area())?;
    for note in &shown.notes {
        context.warn(note);
    }
    if shown.films.is_empty() {
        return Err(nothing(&sources, options, wish.given.area()));
    }
    ask_nothing(wish, &title)?;
    let mut notes = shown.notes;
    notes.push(
        "what lies between two moments is not known: pages that were free at one and used at the next \
         are drawn as a buffer without a name from there on"
            .to_string(),
    );
    let is_hidden =
        |film: &view::Film| film.buffers.iter().any(|buffer| buffer.request.client() == 1);
    if shown.films.iter().any(is_hidden) {
        notes.push(format!(
            "what is of {} is in no part of a list or bitmap: it may be used or free",
            CLIENTS[1]
        ));
    }
    let parts = shown.films.into_iter().map(|film| {
        let clients = CLIENTS.map(String::from).to_vec();
        Part::new(film.area.clone(), clients, vec![film])
    });
    Ok(View {
        title,
        command: command(wish),
        takes: vec![Take { name: "as seen".to_string(), cap: shown.cap, recorded: true }],
        parts: parts.collect(),
        page: options.page.or(shown.page).unwrap_or_default(),
        has_time: shown.has_time,
        notes,
    })
}

/// There are no requests that something else could answer.
fn ask_nothing(wish: &Wish<'_>, title: &str) -> Result<(), Failure> {
    let asked = [
        ("--policy", !wish.policies.is_empty()),
        ("--cap", !wish.caps.is_empty()),
        ("--environment", wish.given.named_environment()?.is_some()),
    ];
    match asked.into_iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((option, _)) => Err(Failure::because(format_args!(
            "take {option} for {title}, which has states of areas and no requests; leave it out, or \
             record the requests with `sh collect.sh -t 60` on a kernel with CMA trace events"
        ))),
    }
}

/// Why nothing is shown.
fn nothing(sources: &[Source], options: &Options, area: Option<&str>) -> Failure {
    if let ([source], None) = (sources, area)
        && let Some(error) = reader::open(source, options).err()
        && !reader::is_log(source)
    {
        return error.into();
    }
    let of_area = area.map_or_else(String::new, |area| format!(" of area {area}"));
    let names: Vec<_> = sources.iter().map(Source::name).collect();
    Failure::because(format_args!(
        "show {}: neither CMA trace events nor a bitmap or a list of free runs{of_area} with its place \
         is in it; `cmalab collect > collect.sh`, and on the board, as root, \
         `sh collect.sh -t 60 > board.txt`, record both",
        names.join(" and ")
    ))
}
