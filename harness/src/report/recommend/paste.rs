//! The text to paste, for people.

use std::io::{self, Write};

use super::Pasted;
use super::text::paragraph;
use crate::paste::{Checked, Paste};
use crate::report::plain::clean;

/// What to paste, what it replaces, what the next boot prints, and the way back.
pub(super) fn text(pasted: &Pasted, out: &mut dyn Write) -> io::Result<()> {
    match &pasted.text {
        None => Ok(()),
        Some(Err(why)) => {
            writeln!(out)?;
            paragraph(
                out,
                "to paste",
                &format!("there is no text: failed to {}", clean(&why.to_string())),
            )
        }
        Some(Ok(paste)) => texts(paste, out),
    }
}

fn block(out: &mut dyn Write, title: &str, text: &str) -> io::Result<()> {
    writeln!(out, "\n{title}:")?;
    for line in text.lines() {
        writeln!(out, "    {}", clean(&line.replace('\t', "        ")))?;
    }
    Ok(())
}

fn texts(paste: &Paste, out: &mut dyn Write) -> io::Result<()> {
    if let Some(fragment) = &paste.fragment {
        block(out, "append to the board's .dts", fragment)?;
    }
    if !paste.config.is_empty() {
        block(out, "in the kernel's configuration", &paste.config.join("\n"))?;
    }
    if let Some(line) = &paste.cmdline {
        block(out, "on the kernel's command line", &line.after)?;
    }
    writeln!(out)?;
    for one in &paste.replaces {
        let line = format!("{}: {} → {}", one.what, one.before, one.after);
        paragraph(out, "replaces", &clean(&line))?;
    }
    for blank in &paste.blanks {
        paragraph(out, "fill in", &clean(blank))?;
    }
    for note in &paste.notes {
        paragraph(out, "note", &clean(note))?;
    }
    let checked = match &paste.checked {
        Checked::Held(what) => format!("{what}: clean"),
        Checked::Failed(wrong) => format!("WRONG: {}", wrong.join("; ")),
        Checked::Not(why) => format!("not checked: {why}"),
    };
    paragraph(out, "checked", &clean(&checked))?;
    if !paste.boot_prints.is_empty() {
        block(out, "the next boot prints", &paste.boot_prints.join("\n"))?;
    }
    if !paste.back.is_empty() {
        block(out, "the way back", &paste.back.join("\n"))?;
    }
    Ok(())
}
