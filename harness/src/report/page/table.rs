//! Tables that a script may sort, and that are whole without one.

use maud::{Markup, html};

/// What is in a place of a table, and the column that this is.
pub(in crate::report) struct Field {
    title: String,
    /// It is set to the right.
    number: bool,
    html: Markup,
    /// What it is sorted by; words by themselves.
    key: Option<f64>,
}

/// Markup.
pub(in crate::report) fn markup(title: &str, html: Markup) -> Field {
    Field { title: title.to_string(), number: false, html, key: None }
}

/// Words.
pub(in crate::report) fn text(title: &str, words: impl AsRef<str>) -> Field {
    noted(title, words.as_ref(), "")
}

/// Words with smaller ones below.
pub(in crate::report) fn noted(title: &str, words: &str, note: &str) -> Field {
    markup(title, html! { (words) @if !note.is_empty() { br; small { (note) } } })
}

/// Digits that are sorted as they are, with smaller words below.
pub(in crate::report) fn digits(title: &str, shown: &str, note: &str) -> Field {
    Field { number: true, ..noted(title, shown, note) }
}

/// A number and how sure it is, sorted by `key`; what has none comes after all others.
pub(in crate::report) fn sure(title: &str, key: Option<f64>, shown: &str, sure: &str) -> Field {
    Field { key: Some(key.unwrap_or(f64::MAX)), ..digits(title, shown, sure) }
}

/// A number, if there is one.
pub(in crate::report) fn number(
    title: &str,
    number: Option<f64>,
    shown: impl FnOnce(f64) -> String,
) -> Field {
    sure(title, number, &number.map_or_else(|| "–".to_string(), shown), "")
}

/// A row.
pub(in crate::report) struct Row {
    /// Its class: `chosen`, `out`, or none.
    pub(in crate::report) class: &'static str,
    /// A field for each column.
    pub(in crate::report) fields: Vec<Field>,
}

/// A table that is called `caption`; all its rows have the same columns.
pub(in crate::report) fn table(caption: &str, rows: &[Row]) -> Markup {
    let class = |field: &Field| field.number.then_some("n");
    let key = |field: &Field| {
        field.key.map(|key| if key == f64::MAX { "inf".to_string() } else { format!("{key:.6}") })
    };
    html! {
        div .wide tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr {
                    @for field in rows.first().into_iter().flat_map(|row| &row.fields) {
                        th scope="col" class=[class(field)] { (field.title) }
                    }
                } } "\n"
                tbody {
                    @for Row { class: of_row, fields } in rows {
                        tr class=[Some(of_row).filter(|class| !class.is_empty())] {
                            @for (index, field) in fields.iter().enumerate() {
                                @if index == 0 {
                                    th scope="row" class=[class(field)] data-v=[key(field)] {
                                        (field.html)
                                    }
                                } @else {
                                    // On a narrow screen a row is a list, and a field says what it
                                    // is.
                                    td class=[class(field)] data-l=(field.title)
                                        data-v=[key(field)] { span { (field.html) } }
                                }
                            }
                        } "\n"
                    }
                }
            }
        } "\n"
    }
}
