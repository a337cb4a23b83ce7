//! What to paste, beside what it replaces, and the way back.

use maud::{Markup, html};

use super::super::Shown;
use crate::lint::size;
use crate::paste::{Checked, Paste};
use crate::report::page::sentence;
use crate::report::page::table::{self, Row, table};

/// None where there is nothing to paste.
pub(super) fn section(shown: &Shown<'_>) -> Option<Markup> {
    let pasted = shown.paste?.text.as_ref()?;
    Some(match pasted {
        Err(why) => {
            html! {
                p { "There is nothing to paste; failed to " (sentence(&why.to_string())) } "\n"
            }
        }
        Ok(paste) => texts(paste),
    })
}

fn texts(paste: &Paste) -> Markup {
    html! {
        (text("Append to the board's .dts:", paste.fragment.as_deref()))
        (text("In the kernel's configuration:", lines(&paste.config).as_deref()))
        @if let Some(line) = &paste.cmdline {
            (text("On the command line:", Some(&line.after)))
        }
        (list("Left blank, to be filled in", &paste.blanks))
        (replaced(paste))
        @if let (Some(before), Some(after)) = (paste.ram_before, paste.ram_after) {
            p { "RAM of all areas: " (size(before)) " before, " (size(after)) " after." } "\n"
        }
        (text("The next boot prints:", lines(&paste.boot_prints).as_deref()))
        p .sub { (sentence(&said(paste))) } "\n"
        (list("To know", &paste.notes))
        (list("The way back", &paste.back))
        (text("Where the fragment stays in the .dts, append:", paste.back_fragment.as_deref()))
        @if let Some(overlay) = &paste.overlay {
            details { summary { "The same as an overlay" } (text("", Some(overlay))) } "\n"
        }
    }
}

fn lines(lines: &[String]) -> Option<String> {
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn text(what: &str, text: Option<&str>) -> Markup {
    html! {
        @if let Some(text) = text {
            @if !what.is_empty() { p { (what) } "\n" }
            // A page has no tabs: they are controls.
            pre .wide tabindex="0" { (text.trim_end().replace('\t', "        ")) } "\n"
        }
    }
}

fn list(what: &str, all: &[String]) -> Markup {
    html! {
        @if !all.is_empty() {
            p { (what) ":" } "\n"
            ul { @for one in all { li { (sentence(one)) } "\n" } } "\n"
        }
    }
}

fn replaced(paste: &Paste) -> Markup {
    let rows = paste.replaces.iter().map(|own| {
        let fields = vec![
            table::text("What", &own.what),
            table::text("Before", &own.before),
            table::text("After", &own.after),
        ];
        Row { class: "", fields }
    });
    let rows: Vec<_> = rows.collect();
    html! { @if !rows.is_empty() { (table("What is replaced", &rows)) } }
}

/// Whether it was checked, in words.
fn said(paste: &Paste) -> String {
    match &paste.checked {
        Checked::Held(what) => format!("checked: {what}: clean"),
        Checked::Failed(wrong) => format!("wrong: {}", wrong.join("; ")),
        Checked::Not(why) => format!("not checked: {why}"),
    }
}
