//! How much board time streams cover.

use crate::answer::{SizeTried, Sizing, SummaryRow, TimeRow};
pub(in crate::report) use crate::span::{at_least, from_to, span};
use crate::sweep::{Length, Ready};
use crate::words::counted;

/// What streams of a row cover: ` of 24 h of board time`; of those without time ` (no board time)`.
pub(super) fn covered(time: Option<&TimeRow>) -> String {
    match time {
        None => ", counted in requests (no board time),".to_string(),
        Some(time) => match time.each_us {
            Some(each) => format!(" of {} of board time", from_to(each)),
            None => format!(", {} of board time in all", span(time.board_time_us as f64)),
        },
    }
}

/// How long the streams of rows are, which are of one stream of the plan, in what the plan states
/// and in board time: ` of 24 h of board time`, ` of 2000 ops, 14 to 31 s of board time`; of those
/// without time `, counted in requests (no board time)`.
pub(in crate::report) fn length(ready: &Ready, rows: &[&SummaryRow]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let (planned, checked) =
        (&ready.plan.streams[first.at.stream], &ready.checked[first.at.stream]);
    let time = match (planned.length, checked.has_time) {
        (Length::Time(us), _) => return format!(" of {} of board time", span(us as f64)),
        (_, false) => ", counted in requests (no board time)".to_string(),
        _ => {
            let each = rows.iter().filter_map(|row| row.time.as_ref()?.each_us);
            let all = each.reduce(|one, other| [one[0].min(other[0]), one[1].max(other[1])]);
            all.map_or_else(String::new, |all| format!(", {} of board time", from_to(all)))
        }
    };
    format!(" of {}{time}", counted(checked.ops, "op"))
}

/// Of which boards a ladder of sizes is, and of which of their areas: nothing where it is of all boards
/// of the plan, and of all their pages.
pub(in crate::report) fn on_boards(ready: &Ready, sizing: &Sizing) -> String {
    let area = sizing.area.zip(sizing.sizes.first()).map(|(area, size)| {
        format!(", area {}", ready.plan.boards[size.board].areas[area].area.name())
    });
    area.unwrap_or_default() + &of_boards(ready, sizing)
}

fn of_boards(ready: &Ready, sizing: &Sizing) -> String {
    let boards = &ready.plan.boards;
    let name = |size: Option<&SizeTried>| size.map(|size| boards[size.board].name.as_str());
    match name(sizing.sizes.first()).zip(name(sizing.sizes.last())) {
        Some((first, last)) if sizing.sizes.len() < boards.len() => {
            format!(", boards {first} to {last}")
        }
        _ => String::new(),
    }
}

/// How many streams rows of one stream of the plan have, and what follows the length of each: `32
/// streams`, ` each`. Of rows that the race dropped there are fewer.
pub(in crate::report) fn streams(rows: &[&SummaryRow]) -> (String, &'static str) {
    let most = rows.iter().map(|row| row.streams).max().unwrap_or(0);
    let least = rows.iter().map(|row| row.streams).min().unwrap_or(0);
    match (least, most) {
        (_, 0) => ("no stream".to_string(), " was run"),
        (1, 1) => ("one stream".to_string(), ""),
        _ if least == most => (format!("{most} streams"), " each"),
        _ => (format!("up to {most} streams"), " each"),
    }
}

/// How many streams rows of one stream of the plan have, and how long each is: `32 streams of 24 h
/// of board time each`.
pub(in crate::report) fn covers(ready: &Ready, rows: &[&SummaryRow]) -> String {
    let (streams, end) = streams(rows);
    format!("{streams}{}{end}", length(ready, rows))
}
