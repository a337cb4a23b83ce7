//! What `cmalab recommend` writes beside its text: JSON, CSV, a page, a folder with all of them.

#[path = "report_html/page.rs"]
mod page;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cma_harness::report::csv::documented;
use page::Page;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A search of less than a second, which finds something.
const CAMERA: &str = "camera --target mtbf=1h --mib 68 --load-mib 64 --ops 2000000";

fn recommend(args: &str, folder: &Path, threads: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    command.arg("recommend").args(args.split(' ')).arg("-q");
    command.env("RAYON_NUM_THREADS", threads).current_dir(folder).output().unwrap()
}

fn out(args: &str, folder: &Path) -> String {
    String::from_utf8(recommend(args, folder, "2").stdout).unwrap()
}

/// Every file of a folder, by name.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read_to_string(entry.path()).unwrap())
    };
    names.map(read).collect()
}

/// Rows by the names of their columns.
fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().collect::<Result<_, _>>().unwrap()
}

/// A stream of a camera, whose clients have this name.
fn stream(folder: &Path, name: &str) {
    let mut generate = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    generate.args(["generate", "camera", "--pages", "24576", "--load", "0.7", "--ops", "4000"]);
    let text = String::from_utf8(generate.output().unwrap().stdout).unwrap();
    assert!(text.contains(",camera0,"), "{text:.300}");
    let name = format!(",\"{}\",", name.replace('"', "\"\""));
    fs::write(folder.join("stream.csv"), text.replace(",camera0,", &name)).unwrap();
}

#[test]
fn a_report_is_the_same_on_any_number_of_cores_and_made_again_by_its_command() {
    let benches = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let bench = &benches[0];
    let [one, two] = [(bench, "1"), (&benches[1], "2")].map(|(bench, threads)| {
        let done = recommend(&format!("{CAMERA} --report r"), bench.path(), threads);
        assert_eq!(String::from_utf8_lossy(&done.stderr), "");
        let files = files(&bench.path().join("r"));
        // What is printed is the text, and nothing else.
        assert_eq!(String::from_utf8(done.stdout).unwrap(), files["recommend.txt"]);
        files
    });
    assert_eq!(one, two);
    let names: Vec<_> = one.keys().map(String::as_str).collect();
    let all = [
        "COMMAND",
        "append.dts",
        "candidates.csv",
        "curve.csv",
        "recommend.json",
        "recommend.txt",
        "report.html",
    ];
    assert_eq!(names, all);
    let json: Value = serde_json::from_str(&one["recommend.json"]).unwrap();
    assert_eq!(json["paste"]["fragment"], *one["append.dts"]);
    let recommended = &json["recommended"]["areas"][0];
    assert_eq!(recommended["bytes"], json["paste"]["areas"][0]["bytes"]);
    assert!(one["report.html"].contains("Append to the board's .dts:"));
    for (name, text) in &one {
        assert!(!text.contains(&*bench.path().to_string_lossy()), "{name}");
    }
    let command = one["COMMAND"].strip_prefix("cmalab recommend ").unwrap();
    let (args, _) = command.split_once(" #").unwrap();
    fs::remove_dir_all(bench.path().join("r")).unwrap();
    recommend(args, bench.path(), "2");
    assert_eq!(files(&bench.path().join("r")), one);
}

#[test]
fn a_report_of_files_does_not_say_where_they_lay() {
    let bench = tempfile::tempdir().unwrap();
    stream(bench.path(), "camera0");
    let path = bench.path().join("stream.csv").display().to_string();
    let args = format!("{path} --mib 96 --target mtbf=1h --ops 300000 --report r");
    recommend(&args, bench.path(), "2");
    let all = files(&bench.path().join("r"));
    for (name, text) in &all {
        assert!(!text.contains(&*bench.path().to_string_lossy()), "{name}: {text:.2000}");
    }
    let json: Value = serde_json::from_str(&all["recommend.json"]).unwrap();
    assert_eq!(json["inputs"][0]["name"], "stream.csv");
    let from = "cmalab recommend \"${FROM:?the folder with the files of the board}\"/stream.csv ";
    assert!(all["COMMAND"].starts_with(from), "{}", all["COMMAND"]);
    assert!(all["COMMAND"].contains(" --ops 300000 --seed 1 # "), "{}", all["COMMAND"]);
}

#[test]
fn json_and_csv_say_the_same() {
    let bench = tempfile::tempdir().unwrap();
    recommend(&format!("{CAMERA} --report r"), bench.path(), "2");
    let all = files(&bench.path().join("r"));
    // The formats by themselves are those of the folder.
    assert_eq!(out(&format!("{CAMERA} --format json"), bench.path()), all["recommend.json"]);
    assert_eq!(out(&format!("{CAMERA} --format csv"), bench.path()), all["candidates.csv"]);
    let page = all["report.html"].replace(" --report r", "");
    assert_eq!(out(&format!("{CAMERA} --format html"), bench.path()), page);
    let json: Value = serde_json::from_str(&all["recommend.json"]).unwrap();
    assert_eq!((&json["schema"], &json["verdict"]), (&Value::from(1), &Value::from("met")));
    assert_eq!(json["target"]["mtbf_us"], 3.6e9);
    let chosen = json["chosen"].as_u64().unwrap() as usize;
    let candidates = rows(&all["candidates.csv"]);
    same(json["candidates"].as_array().unwrap(), &candidates, &CANDIDATE);
    same(json["curves"].as_array().unwrap(), &rows(&all["curve.csv"]), &CURVE);
    for (at, row) in candidates.iter().enumerate() {
        assert_eq!(row["chosen"], (at == chosen).to_string());
        assert_eq!(row["rank"], (at + 1).to_string());
    }
    let best = &json["candidates"][chosen];
    assert_eq!((&best["stage"], &best["verdict"]), (&"proof".into(), &"meets".into()));
    assert!(best["mtbf_low_us"].as_f64().unwrap() >= 3.6e9, "{best}");
    assert_eq!(best["changes"][0]["kind"], "size");
    assert_eq!(best["changes"][0]["to_pages"], best["pages"]);
}

/// Keys of a candidate and the columns that have the same.
const CANDIDATE: [(&str, &str); 12] = [
    ("text", "change"),
    ("class", "class"),
    ("pages", "pages"),
    ("more_pages", "more_pages"),
    ("verdict", "verdict"),
    ("stage", "stage"),
    ("mtbf_us", "mtbf_us"),
    ("mtbf_low_us", "mtbf_low_us"),
    ("mtbf_high_us", "mtbf_high_us"),
    ("failures", "failures"),
    ("at_risk_us", "at_risk_us"),
    ("anomalies", "anomalies"),
];

/// The same of a place of a curve.
const CURVE: [(&str, &str); 6] = [
    ("pages", "area_pages"),
    ("cap", "cap"),
    ("mtbf_us", "mtbf_us"),
    ("mtbf_low_us", "mtbf_low_us"),
    ("streams", "streams"),
    ("at_risk_us", "at_risk_us"),
];

fn same(values: &[Value], rows: &[BTreeMap<String, String>], keys: &[(&str, &str)]) {
    assert_eq!(values.len(), rows.len());
    assert!(!rows.is_empty());
    for (value, row) in values.iter().zip(rows) {
        for (key, column) in keys {
            let text = match &value[key] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(text, row[*column], "{key} of {value}");
        }
    }
}

#[test]
fn every_column_is_documented() {
    let bench = tempfile::tempdir().unwrap();
    recommend(&format!("{CAMERA} --report r"), bench.path(), "2");
    let all = files(&bench.path().join("r"));
    for table in ["candidates.csv", "curve.csv"] {
        let own = documented().into_iter().filter(|column| column.table == table);
        let names: Vec<_> = own.map(|column| column.name).collect();
        assert_eq!(all[table].lines().next().unwrap(), names.join(","), "{table}");
    }
}

#[test]
fn the_page_is_whole_asks_for_nothing_and_leads_with_the_decision() {
    let bench = tempfile::tempdir().unwrap();
    let text = out(&format!("{CAMERA} --format html"), bench.path());
    let page = Page::read(&text).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(
        page.ids_of("section"),
        ["candidates", "paste", "sizes", "clients", "why", "rests", "again"]
    );
    for (tag, name, value) in &page.attributes {
        match name.as_str() {
            "src" | "srcset" | "style" | "action" | "data" => panic!("{tag} {name}"),
            "href" => assert!(page.ids.contains(value.trim_start_matches('#')), "{tag} {value}"),
            "aria-labelledby" => assert!(value.split(' ').all(|id| page.ids.contains(id))),
            name => assert!(!name.starts_with("on"), "{tag} {name}"),
        }
    }
    let style = between(&text, "<style>", "</style>");
    for outside in ["http:", "https:", "@import", "@font-face"] {
        assert!(!text.contains(outside), "{outside}");
    }
    let hash = format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(style)));
    let policy = between(&text, "http-equiv=\"Content-Security-Policy\" content=\"", "\">");
    assert!(policy.contains(&format!("style-src {hash}; script-src 'none'")), "{policy}");
    let json: Value =
        serde_json::from_str(&out(&format!("{CAMERA} --format json"), bench.path())).unwrap();
    let chosen = json["candidates"][json["chosen"].as_u64().unwrap() as usize]["text"].as_str();
    let chosen = chosen.unwrap();
    let decision = between(&text, "<h1>", "</h1>");
    assert_eq!(decision.to_lowercase(), chosen.to_lowercase());
    let row = between(&text, "<tr class=\"chosen\">", "</tr>");
    assert!(row.contains(&format!("★ {chosen}")), "{row}");
    // A line, the target, both sizes, and bounds that go up.
    let plot = between(&text, "<section id=\"sizes\"", "</section>");
    for part in ["target mtbf=1h</text>", "as it is: 68 MiB</text>", ">chosen: ", "class=\"up\""] {
        assert!(plot.contains(part), "{part}");
    }
    assert!(
        text.contains(&format!("<pre class=\"wide\" tabindex=\"0\">cmalab recommend {CAMERA}"))
    );
}

/// What is between two texts, the first time.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to}")).0
}

#[test]
fn what_clients_are_called_is_text_and_nothing_else() {
    let bench = tempfile::tempdir().unwrap();
    stream(bench.path(), "<script>alert('x')</script>\"&amp;\u{202e},\u{1b}[31m");
    recommend("stream.csv --mib 96 --target mtbf=1h --ops 200000 --report r", bench.path(), "2");
    let all = files(&bench.path().join("r"));
    let html = &all["report.html"];
    Page::read(html).unwrap_or_else(|why| panic!("{why}"));
    assert!(html.contains("&lt;script&gt;alert('x')&lt;/script&gt;"), "{html}");
    assert!(!html.contains("<script"), "{html}");
    for name in ["report.html", "recommend.txt", "candidates.csv"] {
        assert!(!all[name].contains(['\u{202e}', '\u{1b}']), "{name}: {}", all[name]);
    }
    let json: Value = serde_json::from_str(&all["recommend.json"]).unwrap();
    let clients = json["clients"].as_array().unwrap();
    let is_it = |client: &&Value| client["name"].as_str().unwrap().starts_with("<script>");
    assert_eq!(clients.iter().filter(is_it).count(), 1, "{clients:?}");
    // As many fields in every row as there are columns: `rows` says otherwise.
    assert!(!rows(&all["candidates.csv"]).is_empty());
}

#[test]
fn a_folder_that_cannot_be_is_said_before_anything_is_run() {
    let bench = tempfile::tempdir().unwrap();
    fs::write(bench.path().join("file"), "").unwrap();
    for (args, why) in [
        ("--report file", "failed to write file: "),
        ("--report file/below", "failed to write file/below: "),
        ("--report r --format json", "failed to write a report in one format: "),
    ] {
        let done = recommend(&format!("{CAMERA} {args}"), bench.path(), "2");
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(said.contains(why), "{args}: {said}");
        assert_eq!((done.status.code(), done.stdout.len()), (Some(2), 0), "{args}");
    }
    assert!(!bench.path().join("r").exists());
    // A file that cannot be written is named; the others are whole.
    fs::create_dir_all(bench.path().join("r/report.html")).unwrap();
    let done = recommend(&format!("{CAMERA} --report r"), bench.path(), "2");
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).contains("failed to write r/report.html: "));
    assert!(!bench.path().join("r/COMMAND").exists());
    fs::read_to_string(bench.path().join("r/curve.csv")).unwrap();
}
