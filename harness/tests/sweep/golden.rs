//! A small report, byte for byte. A change of it is a change of what people compare.

use cma_harness::answer::findings;
use cma_harness::report::{csv, text};
use cma_harness::sweep::{emit, run};

use super::{Nobody, ready, write_table};

const PLAN: &str = r#"
name = "golden"
seeds = 3
policies = ["kernel", "next-fit", "genalloc-best-fit"]
caps = [8, 4]
[[boards]]
name = "one"
areas = [{ pages = 24576, base_pfn = 96 }]
[[streams]]
profile = "display"
loads = [0.98]
ops = 300
[[streams]]
profile = "imx-note"
ops = 700
"#;

#[test]
fn the_golden_report() {
    let ready = ready(PLAN);
    let table = run(&ready, 2, &Nobody).unwrap();
    let summary = findings(&ready, table.blocks()).summary;
    let mut files = [Vec::new(), Vec::new(), Vec::new(), emit(&ready).into_bytes()];
    write_table(&table, &mut files[0]);
    csv::write_summary(&ready, &summary, &mut files[1]).unwrap();
    text::write(&ready, &summary, false, &mut files[2]).unwrap();
    let golden = [
        ("cells.csv", include_str!("golden/cells.csv")),
        ("summary.csv", include_str!("golden/summary.csv")),
        ("table.txt", include_str!("golden/table.txt")),
        ("plan.toml", include_str!("golden/plan.toml")),
    ];
    // What came out is kept, to be looked at and, if it is meant, to be put in the old one's place.
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden");
    std::fs::create_dir_all(&folder).unwrap();
    for (file, (name, _)) in files.iter().zip(golden) {
        std::fs::write(folder.join(name), file).unwrap();
    }
    for (file, (name, expected)) in files.iter().zip(golden) {
        let got = String::from_utf8_lossy(file);
        for (line, (got, expected)) in got.lines().zip(expected.lines()).enumerate() {
            assert_eq!(got, expected, "{name} line {}; all of it is in {folder:?}", line + 1);
        }
        assert_eq!(got.len(), expected.len(), "{name}; all of it is in {folder:?}");
    }
}
