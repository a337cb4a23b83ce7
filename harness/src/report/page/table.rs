//! Tables that a script may sort, and that are whole without one.

use maud::{Markup, html};

/// A column.
#[derive(Clone, Debug)]
pub(in crate::report) struct Column {
    title: String,
    number: bool,
}

/// A column of words.
pub(in crate::report) fn words(title: &str) -> Column {
    Column { title: title.to_string(), number: false }
}

/// A column of numbers.
pub(in crate::report) fn numbers(title: &str) -> Column {
    Column { title: title.to_string(), number: true }
}

/// What stands in a place of a table.
pub(in crate::report) struct Field {
    html: Markup,
    /// What it is sorted by; words by themselves.
    key: Option<f64>,
}

/// Markup.
pub(in crate::report) fn markup(html: Markup) -> Field {
    Field { html, key: None }
}

/// Words.
pub(in crate::report) fn text(words: impl AsRef<str>) -> Field {
    noted(words.as_ref(), "")
}

/// Words with smaller ones below.
pub(in crate::report) fn noted(words: &str, note: &str) -> Field {
    markup(html! { (words) @if !note.is_empty() { br; small { (note) } } })
}

/// A number, sorted by `key`; what has none comes after all others.
pub(in crate::report) fn number(key: Option<f64>, shown: impl AsRef<str>) -> Field {
    sure(key, shown.as_ref(), "")
}

/// A number and how sure it is.
pub(in crate::report) fn sure(key: Option<f64>, shown: &str, sure: &str) -> Field {
    Field { key: Some(key.unwrap_or(f64::MAX)), ..noted(shown, sure) }
}

/// A row.
pub(in crate::report) struct Row {
    /// Its class: `chosen`, `out`, or none.
    pub(in crate::report) class: &'static str,
    /// A field for each column.
    pub(in crate::report) fields: Vec<Field>,
}

/// A table that is called `caption`.
pub(in crate::report) fn table(caption: &str, columns: &[Column], rows: &[Row]) -> Markup {
    let class = |column: &Column| column.number.then_some("n");
    let key = |field: &Field| {
        field.key.map(|key| if key == f64::MAX { "inf".to_string() } else { format!("{key:.6}") })
    };
    html! {
        div .wide tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr {
                    @for column in columns {
                        th scope="col" class=[class(column)] { (column.title) }
                    }
                } } "\n"
                tbody {
                    @for Row { class: of_row, fields } in rows {
                        tr class=[Some(of_row).filter(|class| !class.is_empty())] {
                            @for (index, (column, field)) in columns.iter().zip(fields).enumerate() {
                                @if index == 0 {
                                    th scope="row" class=[class(column)] data-v=[key(field)] {
                                        (field.html)
                                    }
                                } @else {
                                    // On a narrow screen a row is a list, and a field says what it
                                    // is.
                                    td class=[class(column)] data-l=(column.title)
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
