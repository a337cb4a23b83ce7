//! The buffers of an area as a table.

use std::io::{self, Write};

use super::super::CAPS;
use super::super::words::{self, recoverable};
use super::paint::{Paint, wrapped};
use crate::diagnose::{AreaState, Resident};
use crate::words::table;

/// Writes a row for each size, and what the one that strands most would do to the whole area.
pub(super) fn write(
    area: &AreaState,
    residents: &[Resident],
    cap: u32,
    paint: Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    let title = words::fills(area);
    let title = format!("{title}, and what a smaller cap would give back (cap {cap} now)");
    writeln!(out, "{}", paint.bold(&title))?;
    let caps: Vec<u32> = CAPS.into_iter().filter(|other| *other < cap).collect();
    let columns = ["pages", "order", "buffers", "stranded"].map(String::from);
    let head = caps.iter().map(|cap| format!("cap {cap}"));
    let mut table: Vec<Vec<String>> =
        vec![columns.into_iter().chain(head).chain(["sure".to_string()]).collect()];
    table.extend(residents.iter().map(|resident| {
        let back = |cap: &u32| recoverable(resident, *cap).map_or_else(dash, |n| n.to_string());
        let blocks = resident.blocks.map_or_else(dash, |blocks| blocks.to_string());
        let mut row = vec![resident.count.to_string(), resident.align.to_string(), blocks];
        row.push(resident.stranded_pages.to_string());
        row.extend(caps.iter().map(back));
        row.push(resident.confidence.name().to_string());
        row
    }));
    table::aligned(out, "  ", &table, |_| true)?;
    let pitch = words::pitch(area, residents, cap);
    pitch.map_or(Ok(()), |text| wrapped(&text, "  ", "  ", out))
}

fn dash() -> String {
    "-".to_string()
}
