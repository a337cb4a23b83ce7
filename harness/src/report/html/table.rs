//! Tables that a script may sort, and that are whole without one.

use std::io::{self, Write};

use super::escape::Escaped;
use super::names::Seen;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    title: &'static str,
    number: bool,
}

/// A column of words.
pub(super) const fn words(title: &'static str) -> Column {
    Column { title, number: false }
}

/// A column of numbers.
pub(super) const fn numbers(title: &'static str) -> Column {
    Column { title, number: true }
}

/// What stands in a place of a table.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Field {
    html: String,
    /// What it is sorted by; words by themselves.
    key: Option<f64>,
}

/// Words.
pub(super) fn text(words: &str) -> Field {
    Field { html: Escaped(words).to_string(), key: None }
}

/// Words with smaller ones below.
pub(super) fn noted(words: &str, note: &str) -> Field {
    let mut field = text(words);
    if !note.is_empty() {
        field.html += &format!("<br><small>{}</small>", Escaped(note));
    }
    field
}

/// A number, sorted by `key`; what has none is sorted behind all others.
pub(super) fn number(key: Option<f64>, shown: &str) -> Field {
    Field { key: Some(key.unwrap_or(f64::MAX)), ..text(shown) }
}

/// A number and how sure it is.
pub(super) fn sure(key: Option<f64>, seen: &Seen) -> Field {
    Field { key: Some(key.unwrap_or(f64::MAX)), ..noted(&seen.value, &seen.sure) }
}

/// A row.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Row {
    /// Its class: `chosen`, `out`, or none.
    pub(super) class: &'static str,
    /// A field for each column.
    pub(super) fields: Vec<Field>,
}

/// Writes a table that is called `caption`; `more` rows of it are in summary.csv only.
pub(super) fn write(
    caption: &str,
    columns: &[Column],
    rows: &[Row],
    more: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let name = Escaped(caption);
    writeln!(
        out,
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{name}\">\n\
         <table>\n<caption>{name}</caption>\n<thead><tr>"
    )?;
    for Column { title, number } in columns {
        let class = if *number { " class=\"n\"" } else { "" };
        write!(out, "<th scope=\"col\"{class}>{title}</th>")?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for Row { class, fields } in rows {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        write!(out, "<tr{class}>")?;
        for (index, (Column { title, number }, field)) in columns.iter().zip(fields).enumerate() {
            let key = field.key.map_or_else(String::new, |key| {
                let key = if key == f64::MAX { "inf".to_string() } else { format!("{key:.6}") };
                format!(" data-v=\"{key}\"")
            });
            let class = if *number { " class=\"n\"" } else { "" };
            let html = &field.html;
            if index == 0 {
                write!(out, "<th scope=\"row\"{class}{key}>{html}</th>")?;
            } else {
                // On a narrow screen a row is a list, and a field says what it is.
                write!(out, "<td{class} data-l=\"{title}\"{key}><span>{html}</span></td>")?;
            }
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody>\n</table>\n</div>")?;
    if more > 0 {
        writeln!(out, "<p class=\"sub\">{more} more in <code>summary.csv</code>.</p>")?;
    }
    Ok(())
}
