//! Files of finished cells that somebody damaged or made up: every byte of them is input.

use std::fs;
use std::io::BufReader;

use cma_harness::answer::{findings, pictures};
use cma_harness::report::{csv, html, text};
use cma_harness::sweep::disk::{Blocks, Head, Row, SCHEMA, Sorted, look_through, write_cells};
use cma_harness::sweep::{Cell, Ready, Shard, run};
use proptest::prelude::*;

use super::{Nobody, ladder, ready};

fn plan() -> Ready {
    ready(&ladder("gpu", &[64, 96], "seeds = 2\npolicies = [\"kernel\", \"best-fit\"]"))
}

/// A file of finished cells, the last of them first, and the table of them.
fn finished(ready: &Ready) -> (Vec<u8>, String) {
    let table = run(ready, 1, &Nobody).unwrap();
    let mut file = Head::new(ready, Shard::WHOLE, "file").text().into_bytes();
    let rows = table.numbers.iter().zip(&table.cells).zip(&table.values);
    let row =
        |((number, cell), values): ((&u64, &Cell), &Vec<_>)| Row::of(ready, *number, cell, values);
    rows.clone().rev().for_each(|one| row(one).write(&mut file).unwrap());
    let mut cells = Vec::new();
    write_cells(rows.map(|one| Ok(row(one))), &mut cells).unwrap();
    (file, String::from_utf8(cells).unwrap())
}

/// A change of a file: where, in 65536ths of it, and what.
#[derive(Clone, Debug)]
enum Change {
    Flip(u16, u8),
    Cut(u16),
    Insert(u16, Vec<u8>),
    /// What begins at the first is repeated at the second.
    Copy(u16, u16, u16),
}

fn change() -> impl Strategy<Value = Change> {
    let bytes = prop_oneof![
        Just(b"\n".to_vec()),
        Just(b",".to_vec()),
        Just(b"\xff\xfe\0".to_vec()),
        Just(b"# plan=0 version=0 shard=1/1 from=file\n".to_vec()),
        Just(b"18446744073709551615,".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    prop_oneof![
        (any::<u16>(), 1..=255_u8).prop_map(|(at, bits)| Change::Flip(at, bits)),
        any::<u16>().prop_map(Change::Cut),
        (any::<u16>(), bytes).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (any::<u16>(), any::<u16>(), any::<u16>()).prop_map(|(a, b, c)| Change::Copy(a, b, c)),
    ]
}

fn changed(file: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut file = file.to_vec();
    for change in changes {
        let place = |at: u16| (file.len() * usize::from(at)) >> 16;
        match change {
            Change::Flip(at, bits) if !file.is_empty() => {
                let at = place(*at);
                file[at] ^= bits;
            }
            Change::Flip(..) => {}
            Change::Cut(at) => {
                let at = place(*at);
                file.truncate(at);
            }
            Change::Insert(at, bytes) => {
                let at = place(*at);
                file.splice(at..at, bytes.iter().copied());
            }
            Change::Copy(a, b, to) => {
                let (a, b, to) = (place(*a), place(*b), place(*to));
                let piece = file[a.min(b)..a.max(b)].to_vec();
                file.splice(to..to, piece);
            }
        }
    }
    file
}

/// So many, and no file of those that failed.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

#[test]
fn of_a_damaged_file_whole_rows_are_taken_and_nothing_else() {
    let ready = plan();
    let (file, cells) = finished(&ready);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cells.csv.partial");
    let lines = 1 + ready.plan.cell_count().unwrap() as usize;
    assert_eq!(cells.lines().count(), lines);
    proptest!(cases(400), |(
        changes in proptest::collection::vec(change(), 0..5)
    )| {
        let file = changed(&file, &changes);
        fs::write(&path, &file).unwrap();
        let mut reader = BufReader::new(&file[..]);
        let Some(head) = Head::read(&mut reader).unwrap() else { return Ok(()) };
        let left = look_through(&ready, &mut reader).unwrap();
        let end = head.text().len() as u64 + left.bytes;
        prop_assert!(end <= file.len() as u64);
        prop_assert!(left.bytes == 0 || file[end as usize - 1] == b'\n');
        prop_assert!(!file[end as usize..].contains(&b'\n'), "only what is torn is cut off");
        let mut out = Vec::new();
        write_cells(Sorted::open(&path, &left.known).unwrap(), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        // Each as it was written, in the order of the plan.
        prop_assert_eq!(out.lines().count() as u64, 1 + left.known.count());
        let mut whole = cells.lines();
        for row in out.lines() {
            prop_assert!(whole.any(|one| one == row), "{} was never written", row);
        }
    });
}

#[test]
fn a_row_that_is_no_cell_of_the_plan_is_left_out() {
    let ready = plan();
    let (_, cells) = finished(&ready);
    let row = cells.lines().nth(1).unwrap();
    let count = ready.plan.cell_count().unwrap();
    let prefix = format!("{},{},", SCHEMA, ready.plan.name);
    let rest = row.strip_prefix(&format!("{prefix}0,")).unwrap();
    let mut file = Vec::new();
    for number in [count, u64::MAX, count - 1] {
        let row = Row::parse_plain(&format!("{prefix}{number},{rest}")).unwrap();
        row.write(&mut file).unwrap();
    }
    let left = look_through(&ready, &mut &file[..]).unwrap();
    assert_eq!((left.known.count(), left.known.next(0)), (1, Some(count - 1)));
    assert_eq!(left.bytes, file.len() as u64);
    // Without the end of its line a row may go on: it is torn, even where its sum is right.
    let line = file.split_inclusive(|byte| *byte == b'\n').next().unwrap();
    assert!(Row::parse(line).is_some());
    assert_eq!(Row::parse(&line[..line.len() - 1]), None);
}

#[test]
fn a_report_is_made_of_whatever_numbers_stand_in_a_table() {
    let ready = plan();
    let (_, cells) = finished(&ready);
    let from = cells.lines().next().unwrap().split(',').position(|name| name == "requests");
    let from = from.unwrap();
    let fields: Vec<Vec<&str>> = cells.lines().map(|line| line.split(',').collect()).collect();
    let extreme = prop_oneof![
        Just(""),
        Just("0"),
        Just("1"),
        Just("18446744073709551615"),
        Just("9007199254740993"),
        Just("0.000000"),
        Just("-9223372036854.775808"),
        Just("9223372036854.775807"),
    ];
    let places =
        proptest::collection::vec((1..fields.len(), from..fields[0].len(), extreme), 1..30);
    proptest!(cases(150), |(places in places)| {
        let mut fields = fields.clone();
        for (line, column, value) in places {
            // Pages are those of requests, however large; of anything else no sweep counts so many.
            let is_pages = fields[0][column].ends_with("_max_pages");
            let value = if value.len() == 20 && !is_pages { "9007199254740993" } else { value };
            fields[line][column] = value;
        }
        let lines: Vec<_> = fields.iter().map(|line| line.join(",") + "\n").collect();
        let table = lines.concat();
        // A row without a number of refusals is none.
        let blocks = Blocks::new(&ready, table.as_bytes());
        let Ok(Ok(blocks)) = blocks.map(Iterator::collect::<Result<Vec<_>, _>>) else {
            return Ok(());
        };
        let found = findings(&ready, blocks);
        let mut out = Vec::new();
        text::write_findings(&ready, &found, true, &mut out).unwrap();
        csv::write_summary(&ready, &found.summary, &mut out).unwrap();
        csv::write_sizing(&ready, &found.sizing, &mut out).unwrap();
        let _ = html::page(&ready, &found, &pictures(&ready, &found).unwrap(), "");
    });
}
