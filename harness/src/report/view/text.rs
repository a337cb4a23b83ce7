//! For people, without the page.

use std::io::{self, Write};

use super::refused::told;
use super::{Panel, View, words};
use crate::view::difference;
use crate::words::wrapped;

const WIDTH: usize = 100;

/// For each area and take how much was refused, and of the first refusal with free pages who stood
/// in its way.
///
/// # Errors
/// Where the output takes no more.
pub fn text(view: &View, out: &mut dyn Write) -> io::Result<()> {
    for panel in view.panels() {
        let name = panel.part.name();
        let of = if view.parts.len() == 1 { String::new() } else { format!("{name}: ") };
        writeln!(out, "{of}{}: {}", view.takes[panel.take].title(), words::totals(panel.film))?;
        first(panel, out)?;
        if panel.take + 1 == view.takes.len()
            && let [one, other, ..] = &panel.part.films[..]
            && let Some(found) = difference(one, other)
        {
            say(out, &words::differ(view, panel.part, &found), ("", "  "))?;
        }
    }
    Ok(())
}

fn first(panel: Panel<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Some(refused) = told(panel) else { return Ok(()) };
    say(out, &words::what(panel, &refused), ("  ", "    "))?;
    say(out, &words::doomed(panel, &refused), ("    ", "      "))?;
    for line in words::in_the_way(panel, &refused) {
        say(out, &line, ("    ", "      "))?;
    }
    Ok(())
}

fn say(out: &mut dyn Write, text: &str, indents: (&str, &str)) -> io::Result<()> {
    wrapped(text, WIDTH, indents).iter().try_for_each(|line| writeln!(out, "{line}"))
}
