use super::super::dmesg::{grammar::one_of, word_start};
use super::super::{open, scan};
use super::*;
use crate::ingest::source::Source;

/// What each example gives: a line for each row.
const RECORDS: &str = include_str!("records.txt");

fn records(text: &str) -> String {
    let source = Source::bytes("example", text.as_bytes());
    let records = open(&source).expect("opens").map(|found| match found {
        Ok(found) => format!("{:?}", found.record),
        Err(error) => error.to_string(),
    });
    records.collect::<Vec<_>>().join("; ")
}

#[test]
fn every_example_gives_its_record_and_no_other() {
    let given = MESSAGES.iter().map(|row| format!("{}: {}", row.name, records(row.example)));
    let given: Vec<_> = given.map(|line| line.trim_end().to_string()).collect();
    assert_eq!(given, RECORDS.lines().collect::<Vec<_>>());
}

#[test]
fn every_example_has_a_word_of_its_row() {
    for row in MESSAGES {
        assert!(row.words.iter().any(|word| row.example.contains(word)), "{}", row.name);
        assert!(row.example.lines().any(|line| scan::wanted(line.as_bytes()).is_some()));
    }
}

/// Where the reader of `row` alone reads something in `line`.
fn claim(row: &Message, line: &[u8]) -> Option<usize> {
    let claims = |(hit, after, _): (usize, usize, Reader)| match row.reader {
        Line(firsts, read) => {
            let rows: Vec<_> = firsts.iter().map(|first| (*first, read)).collect();
            let start = word_start(line, 0, hit);
            let mut c = Cursor::new(line, start, true);
            one_of(&rows, &mut c, &mut Tools::default()).ok().map(|_| start)
        }
        Boot(read) => {
            let word = str::from_utf8(&line[hit..after]).unwrap_or_default();
            (row.words.contains(&word) && read(&line[after..]).is_some()).then_some(hit)
        }
        Words(read) => {
            let word = str::from_utf8(&line[hit..after]).unwrap_or_default();
            let start = word_start(line, 0, hit);
            (row.words.contains(&word) && !read(line, start).is_empty()).then_some(hit)
        }
        _ => None,
    };
    scan::hits(line).find_map(claims)
}

#[test]
fn no_example_is_claimed_by_a_row_that_is_asked_before_its_own() {
    let same = |one: &Message, other: &Message| match (one.reader, other.reader) {
        (Line(_, one), Line(_, other)) => std::ptr::fn_addr_eq(one, other),
        // A phrase is read beside them.
        (Phrase(..), Boot(_)) => true,
        _ => one.name == other.name,
    };
    for row in MESSAGES {
        let own = |line: &[u8]| claim(row, line).unwrap_or(usize::MAX);
        let lines = row.example.lines().map(str::as_bytes);
        // A list of several lines has a head before what the row is about.
        let line = lines.min_by_key(|line| own(line)).expect("a line");
        let first = |other: &Message| claim(other, line).is_some_and(|at| at <= own(line));
        let before = MESSAGES.iter().take_while(|other| other.name != row.name);
        let others = before.filter(|other| !same(row, other) && first(other));
        let others: Vec<_> = others.map(|other| other.name).collect();
        assert_eq!(others, [""; 0], "{}", row.name);
    }
}

#[test]
fn names_are_told_apart() {
    let mut names: Vec<_> = MESSAGES.iter().map(|row| row.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|two| two[0] != two[1]), "{names:?}");
}

/// Millions of them go from room to room: what is large and rare is in a box.
#[test]
fn a_record_is_small() {
    assert!(size_of::<Record>() <= 80, "{}", size_of::<Record>());
}
