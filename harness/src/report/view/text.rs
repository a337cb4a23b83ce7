//! For people, without the page.

use std::io::{self, Write};

use super::refused::refused;
use super::{Part, View, words};
use crate::view::{Film, difference};
use crate::words::wrapped;

const WIDTH: usize = 100;

/// Refusals that are told of each film.
const TOLD: usize = 1;

/// For each area and take how much was refused, and of the first refusal who stood in its way.
///
/// # Errors
/// Where the output takes no more.
pub fn text(view: &View, out: &mut dyn Write) -> io::Result<()> {
    for part in &view.parts {
        for (take, film) in view.takes.iter().zip(&part.films) {
            let of = if view.parts.len() == 1 {
                String::new()
            } else {
                format!("{}: ", part.area.name())
            };
            writeln!(out, "{of}{}: {}", take.title(), words::totals(film))?;
            first(view, part, film, out)?;
        }
        if let [one, other, ..] = &part.films[..]
            && let Some(found) = difference(one, other)
        {
            say(out, &words::differ(view, part, &found), ("", "  "))?;
        }
    }
    Ok(())
}

fn first(view: &View, part: &Part, film: &Film, out: &mut dyn Write) -> io::Result<()> {
    for refused in refused(film).iter().take(TOLD) {
        say(out, &words::what(view, part, film, refused), ("  ", "    "))?;
        say(out, &words::doomed(view, part, film, refused), ("    ", "      "))?;
        for line in words::in_the_way(view, part, film, refused) {
            say(out, &line, ("    ", "      "))?;
        }
    }
    Ok(())
}

fn say(out: &mut dyn Write, text: &str, indents: (&str, &str)) -> io::Result<()> {
    wrapped(text, WIDTH, indents).iter().try_for_each(|line| writeln!(out, "{line}"))
}
