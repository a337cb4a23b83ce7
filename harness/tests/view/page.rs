//! What a script finds in a page is the film.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::DeflateDecoder;
use serde_json::Value;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora")
}

fn cmalab(args: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    command.args(args).current_dir(folder).output().unwrap()
}

/// The text of the element with this id.
fn element<'a>(page: &'a str, id: &str) -> &'a str {
    let from = page.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}"));
    let from = from + page[from..].find('>').unwrap() + 1;
    &page[from..from + page[from..].find("</script>").unwrap()]
}

/// Columns of numbers, as the page's script reads them.
struct Columns {
    bytes: Vec<u8>,
    at: usize,
}

impl Columns {
    fn of(page: &str, panel: usize) -> Self {
        let packed = BASE64_STANDARD.decode(element(page, &format!("panel-{panel}"))).unwrap();
        let mut bytes = Vec::new();
        DeflateDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
        Self { bytes, at: 0 }
    }

    fn byte(&mut self) -> u64 {
        self.at += 1;
        self.bytes[self.at - 1].into()
    }

    fn varint(&mut self) -> u64 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            number |= (byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return number;
            }
        }
    }

    fn signed(&mut self) -> i64 {
        let number = self.varint();
        (number >> 1) as i64 ^ -((number & 1) as i64)
    }

    fn varints(&mut self, count: usize) -> Vec<u64> {
        (0..count).map(|_| self.varint()).collect()
    }

    fn bytes(&mut self, count: usize) -> Vec<u64> {
        (0..count).map(|_| self.byte()).collect()
    }

    /// Numbers, each told by what it adds to the one before; the first to `from`.
    fn sums(&mut self, count: usize, from: i64) -> Vec<i64> {
        let mut sum = from;
        let add = |_| {
            sum += self.signed();
            sum
        };
        (0..count).map(add).collect()
    }
}

/// The lines of a recording that a page shows: what was asked, and what came of it.
fn rows(page: &str) -> Vec<String> {
    let head: Value = serde_json::from_str(element(page, "head")).unwrap();
    let panel = &head["panels"][0];
    let number = |name: &str| panel[name].as_u64().unwrap() as usize;
    let mut columns = Columns::of(page, 0);
    let kinds = columns.bytes(number("events"));
    let at: Vec<u64> = columns.varints(kinds.len());
    let mut op = 0;
    let ops = columns.varints(kinds.len()).into_iter().map(|delta| {
        op += delta;
        op
    });
    let ops: Vec<u64> = ops.collect();
    assert_eq!(head["end_us"], head["start_us"].as_u64().unwrap() + at.iter().sum::<u64>());
    let (grants, refusals) = (number("grants"), number("refusals"));
    let (ids, pages) = (columns.sums(grants, 0), columns.sums(grants, 0));
    let (counts, aligns) = (columns.varints(grants), columns.bytes(grants));
    columns.varints(grants);
    let back = columns.varints(number("frees"));
    let parts = kinds.iter().filter(|kind| **kind == 2).count();
    let (offsets, part_counts) = (columns.varints(parts), columns.varints(parts));
    let (asked, asked_counts) = (columns.sums(refusals, 0), columns.varints(refusals));
    let asked_aligns = columns.bytes(refusals);
    columns.varints(refusals);
    columns.bytes(refusals);
    let doomed = columns.varints(refusals);
    assert_eq!(columns.at, columns.bytes.len(), "all is read");
    assert!(doomed.iter().zip(&kinds).all(|(back, _)| *back <= kinds.len() as u64));
    let (mut grant, mut free, mut part, mut refusal) = (0, 0, 0, 0);
    let mut rows = Vec::new();
    for (kind, op) in kinds.iter().zip(ops) {
        rows.push(match kind {
            0 | 4 => {
                grant += 1;
                let at = grant - 1;
                format!("{op} {} +{}^{} @{}", ids[at], counts[at], aligns[at], pages[at])
            }
            1 | 2 => {
                free += 1;
                let whose = grant - 1 - back[free - 1] as usize;
                let piece = if *kind == 2 {
                    part += 1;
                    format!(" {}+{}", offsets[part - 1], part_counts[part - 1])
                } else {
                    String::new()
                };
                format!("{op} {} freed{piece}", ids[whose])
            }
            _ => {
                refusal += 1;
                let at = refusal - 1;
                format!("{op} {} +{}^{} no", asked[at], asked_counts[at], asked_aligns[at])
            }
        });
    }
    rows
}

/// The same of the recording itself.
fn recorded(name: &str) -> Vec<String> {
    let packed = fs::File::open(corpora().join(name)).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    let fields = lines.map(|line| line.split(',').collect::<Vec<_>>());
    let ops = fields.filter(|fields| matches!(fields[1], "alloc" | "free" | "pin" | "unpin"));
    let mut held = std::collections::BTreeSet::new();
    let ops = ops.enumerate().filter_map(|(op, fields)| {
        let (id, asked) = (fields[2], format!("+{}^{}", fields[3], fields[4]));
        match (fields[1], fields[5]) {
            ("alloc", result) if result.starts_with('-') => Some(format!("{op} {id} {asked} no")),
            ("alloc", result) => {
                held.insert(id);
                Some(format!("{op} {id} {asked} @{result}"))
            }
            ("free", _) if !held.contains(id) => None,
            // These two give back nothing in parts.
            ("free", _) => {
                held.remove(id);
                Some(format!("{op} {id} freed"))
            }
            _ => None,
        }
    });
    ops.collect()
}

#[test]
fn a_page_has_every_event_of_a_recording() {
    for name in ["recordings/6.12/video-a2-dma8.csv.gz", "recordings/6.12/mix-a1-dma8.csv.gz"] {
        let folder = tempfile::tempdir().unwrap();
        let path = corpora().join(name);
        let output = cmalab(&["view", path.to_str().unwrap(), "-q"], folder.path());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let page = fs::read_to_string(folder.path().join("view.html")).unwrap();
        let (found, expected) = (rows(&page), recorded(name));
        assert!(expected.len() > 1000);
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{name}");
        }
        assert_eq!(found.len(), expected.len(), "{name}");
    }
}

/// The ops of the events of a panel, and when each was.
fn ops(page: &str, panel: usize, events: usize) -> Vec<(u64, u64)> {
    let mut columns = Columns::of(page, panel);
    columns.bytes(events);
    let mut sum = |count| {
        let mut sum = 0;
        let deltas = columns.varints(count).into_iter();
        let sums = deltas.map(|delta| {
            sum += delta;
            sum
        });
        sums.collect::<Vec<_>>()
    };
    let at = sum(events);
    sum(events).into_iter().zip(at).collect()
}

#[test]
fn ops_of_two_areas_are_numbered_as_they_happened() {
    let folder = tempfile::tempdir().unwrap();
    let path = corpora().join("logs/board/7.3-dmaheap-two-pools-trace.txt.gz");
    let output = cmalab(&["view", path.to_str().unwrap(), "-q"], folder.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = fs::read_to_string(folder.path().join("view.html")).unwrap();
    let head: Value = serde_json::from_str(element(&page, "head")).unwrap();
    let panels = head["panels"].as_array().unwrap();
    assert_eq!(panels.len(), 2);
    let mut all = Vec::new();
    for (number, panel) in panels.iter().enumerate() {
        let events = panel["events"].as_u64().unwrap() as usize;
        let before = panel["before"].as_u64().unwrap() as usize;
        all.extend(ops(&page, number, events).split_off(before));
    }
    all.sort_unstable();
    let times: Vec<u64> = all.iter().map(|(_, at)| *at).collect();
    assert!(times.is_sorted(), "a later op is later");
    all.dedup_by_key(|(op, _)| *op);
    assert!(all.len() > 1000 && all.iter().map(|(op, _)| *op).eq(0..all.len() as u64));
    assert_eq!(head["ops"], all.len());
}
