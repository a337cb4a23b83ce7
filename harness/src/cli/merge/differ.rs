//! Which plan and version shards are of, and what differs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::found::Part;
use crate::cli::failure::Failure;
use crate::cli::sweep::folder::PLAN;
use crate::sweep::disk::Head;
use crate::sweep::{self, Ready};

pub(super) use crate::cli::sweep::same_sweep;

/// All shards are of one plan and version.
///
/// # Errors
/// Says which are of which, and what differs.
pub(super) fn check_alike(parts: &[Part]) -> Result<(), Failure> {
    let mut groups = BTreeMap::<_, Vec<&Part>>::new();
    for part in parts {
        groups.entry((&part.head.version, part.head.plan)).or_default().push(part);
    }
    // That of the first folder is named first.
    let mut groups: Vec<_> = groups.into_iter().collect();
    let first = parts.first().map(|part| (&part.head.version, part.head.plan));
    groups.sort_by_key(|(key, _)| Some(*key) != first);
    let [(one, ones), (two, twos), ..] = &groups[..] else { return Ok(()) };
    let named = groups.iter().map(|((version, plan), parts)| {
        format!("{} (plan {plan:016x}, cmalab {version})", folders(parts))
    });
    let named: Vec<_> = named.collect();
    let mut text = format!("they are of different sweeps: {}", named.join("; "));
    if one.0 != two.0 {
        text += "; the versions differ";
    }
    let plan = |parts: &[&Part]| read_text(&parts[0].folder);
    if let (true, Some(one), Some(two)) = (one.1 != two.1, plan(ones), plan(twos))
        && let Some(differs) = first_difference(&one, &two)
    {
        text += &format!("; {PLAN} differs in {differs}");
    }
    Err(Failure::because(format_args!(
        "merge: {text}; remove those of one sweep, or name the folders of the other alone"
    )))
}

/// The shards, which are alike, are of the plan that is to be merged, by this version.
///
/// `asked` is whether that plan was named on the command line; otherwise it is that of the first
/// folder.
///
/// # Errors
/// Says what differs.
pub(super) fn check_plan(part: &Part, ready: &Ready, asked: bool) -> Result<(), Failure> {
    let expected = Head::new(ready, part.head.shard, &part.head.from);
    if same_sweep(&part.head, &expected) {
        return Ok(());
    }
    let folder = part.folder.display();
    let (there, here) = (&part.head.version, &expected.version);
    if there != here {
        return Err(Failure::because(format_args!(
            "merge {folder}: cmalab {there} made it, and this is {here}; merge it with that \
             version, or run the shards again"
        )));
    }
    let why = match read_text(&part.folder) {
        Some(text) => match first_difference(&text, &sweep::emit(ready)) {
            Some(differs) => format!("there and now it differs in {differs}"),
            None => format!("its {PLAN} was written over"),
        },
        None => format!("its {PLAN} is not there"),
    };
    let than = if asked { "the one that is named behind --" } else { "its plan.toml states" };
    Err(Failure::because(format_args!(
        "merge {folder}: it is of another plan than {than}, or a file that the plan names has \
         changed since: {why}; remove the shards and run them again"
    )))
}

fn read_text(folder: &Path) -> Option<String> {
    fs::read_to_string(folder.join(PLAN)).ok()
}

/// Up to three folders by name.
fn folders(parts: &[&Part]) -> String {
    const NAMED: usize = 3;
    let names = parts.iter().take(NAMED).map(|part| part.folder.display().to_string());
    let names = names.collect::<Vec<_>>().join(", ");
    match parts.len().saturating_sub(NAMED) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

/// The first line in which two plans differ: its number and both.
fn first_difference(one: &str, two: &str) -> Option<String> {
    let (mut ones, mut twos) = (one.lines(), two.lines());
    for number in 1.. {
        let (one, two) = (ones.next(), twos.next());
        if one != two {
            let text =
                |line: Option<&str>| line.map_or("nothing".into(), |line| format!("{line:?}"));
            return Some(format!("line {number}: {} and {}", text(one), text(two)));
        }
        one?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_of_two_texts_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        let differs = first_difference("a\nb\n", "a\nc\n");
        assert_eq!(differs.as_deref(), Some("line 2: \"b\" and \"c\""));
        let differs = first_difference("a\n", "a\nc\n");
        assert_eq!(differs.as_deref(), Some("line 2: nothing and \"c\""));
    }
}
