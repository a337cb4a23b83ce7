//! What happens to a log on its way from a board to a reader.

use cma_harness::seed::Draws;

use crate::board::{Line, Part};
use crate::scenario::Story;

/// Two CPUs report their failures at once: each keeps its order, and a list keeps together (it is
/// printed under the lock of the area).
pub(crate) fn interleave(story: &mut Story, draws: &mut Draws) {
    for first in std::mem::take(&mut story.pairs) {
        merge(&mut story.lines, first, draws);
        merge(&mut story.events, first, draws);
    }
}

fn merge(lines: &mut [Line], first: usize, draws: &mut Draws) {
    let places: Vec<usize> = (0..lines.len())
        .filter(|at| matches!(lines[*at].of, Some(of) if of == first || of == first + 1))
        .collect();
    let stamps: Vec<u64> = places.iter().map(|at| lines[*at].at_us).collect();
    let of = |which| {
        let own = places.iter().filter(|at| lines[**at].of == Some(which));
        own.map(|at| lines[*at].clone()).rev().collect::<Vec<_>>()
    };
    let mut queues = [of(first), of(first + 1)];
    let mut inside: Option<usize> = None;
    for (place, at_us) in places.iter().zip(stamps) {
        let pick = inside.unwrap_or(draws.below(2) as usize);
        let from = if queues[pick].is_empty() { 1 - pick } else { pick };
        let Some(mut line) = queues[from].pop() else { return };
        inside = match line.part {
            Part::List(record, all) if record + 1 < all => Some(from),
            Part::Blank => Some(from),
            _ => None,
        };
        line.at_us = at_us;
        lines[*place] = line;
    }
}

/// Lists lose records, or stretches of runs, which dots replace.
pub(crate) fn cut(story: &mut Story, draws: &mut Draws) {
    for line in &mut story.lines {
        if matches!(line.part, Part::List(..)) && line.text.matches('@').count() >= 3 {
            line.text = elided(&line.text, draws);
        }
    }
    story.lines.retain(|line| match line.part {
        Part::List(record, all) => all <= 2 || record == 0 || draws.below(2) == 0,
        _ => true,
    });
}

fn elided(text: &str, draws: &mut Draws) -> String {
    if draws.below(3) == 0 {
        return text.to_string();
    }
    let signs: Vec<usize> = text.match_indices('+').map(|(at, _)| at).collect();
    let Some(last) = signs.len().checked_sub(1).filter(|last| *last > 0) else {
        return text.to_string();
    };
    let from = draws.below(last as u64) as usize;
    let to = draws.between(from as u64 + 1, last as u64) as usize;
    let dots = draws.pick(&["…", "...", " ... ", "+…+", " ... +"]);
    let tail = if dots.ends_with('+') { &text[signs[to] + 1..] } else { &text[signs[to]..] };
    format!("{}{dots}{tail}", &text[..signs[from]])
}

/// Some lines are not there, or the text begins late, or ends early.
pub(crate) fn lose(story: &mut Story, draws: &mut Draws) {
    let lines = &mut story.lines;
    match draws.below(3) {
        0 => {
            let head = draws.below(lines.len() as u64 / 2 + 1) as usize;
            lines.drain(..head);
        }
        1 => {
            let keep = lines.len() - draws.below(lines.len() as u64 / 2 + 1) as usize;
            lines.truncate(keep);
        }
        _ => lines.retain(|_| draws.below(12) > 0),
    }
    let events = &mut story.events;
    let lost = draws.below(events.len() as u64 / 2 + 1) as usize;
    events.drain(..lost);
}

/// As mail programs wrap: at blanks, and what has none stays long.
pub(crate) fn wrap_at_blanks(text: &str, column: usize) -> String {
    let mut wrapped = String::new();
    for line in text.lines() {
        let mut rest = line;
        while rest.len() > column {
            let inside = rest[..=column].rfind(' ').filter(|at| !rest[..*at].trim().is_empty());
            let Some(at) = inside.or_else(|| {
                rest.trim_start().find(' ').map(|at| at + rest.len() - rest.trim_start().len())
            }) else {
                break;
            };
            wrapped.push_str(&rest[..at]);
            wrapped.push('\n');
            rest = &rest[at + 1..];
        }
        wrapped.push_str(rest);
        wrapped.push('\n');
    }
    wrapped
}

/// As a terminal wraps: at the column, whatever is there.
pub(crate) fn wrap_anywhere(text: &str, column: usize) -> String {
    let mut wrapped = String::new();
    for line in text.lines() {
        let mut rest = line;
        while rest.len() > column {
            wrapped.push_str(&rest[..column]);
            wrapped.push('\n');
            rest = &rest[column..];
        }
        wrapped.push_str(rest);
        wrapped.push('\n');
    }
    wrapped
}

/// Quoted in a mail, from some line on by one more.
pub(crate) fn quote(text: &str, draws: &mut Draws) -> String {
    let lines = text.lines().count() as u64;
    let deeper = draws.below(lines + 1) as usize;
    let mark = *draws.pick(&[">", "> "]);
    let quoted = text.lines().enumerate().map(|(index, line)| {
        let depth = if index < deeper { 1 } else { 2 };
        let marks = mark.repeat(depth);
        format!("{marks}{}{line}\n", if mark == ">" { " " } else { "" })
    });
    quoted.collect()
}

/// As mail is encoded: lines of 76 characters, `=` escaped.
pub(crate) fn quoted_printable(text: &str) -> String {
    let mut encoded = String::new();
    let mut column = 0;
    for byte in text.bytes() {
        if byte == b'\n' {
            encoded.push('\n');
            column = 0;
            continue;
        }
        let piece = if byte == b'=' || byte >= 0x7f {
            format!("={byte:02X}")
        } else {
            char::from(byte).to_string()
        };
        if column + piece.len() > 75 {
            encoded.push_str("=\n");
            column = 0;
        }
        column += piece.len();
        encoded.push_str(&piece);
    }
    encoded
}
