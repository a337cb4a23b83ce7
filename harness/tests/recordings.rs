//! What real kernels did, op by op, against the baseline.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use cma_harness::environment;
use cma_harness::ingest::{self, Source};
use cma_harness::kernel::Kernel;
use cma_harness::reader::{self, Options};
use cma_harness::replay::{self, Comparison, Under};
use cma_harness::seed::Seed;
use cma_policies::builtin;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora")
}

/// All files below `folder`, sorted, with `/` between folders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn recordings() -> Vec<PathBuf> {
    let all = files(&corpora().join("recordings"));
    all.into_iter().filter(|path| path.to_str().unwrap().ends_with(".csv.gz")).collect()
}

fn compare(
    source: &Source,
    bitmaps: Option<&Source>,
    policy: &str,
    pages: &str,
) -> Result<Comparison, replay::Error> {
    let options = Options::default();
    let reader = reader::open(source, &options)?;
    let kernel = Kernel::find(reader.header().get("kernel").unwrap()).unwrap();
    let under = Under {
        policy: &builtin::catalog().parse(policy).unwrap(),
        environment: &environment::Spec::parse(pages).unwrap(),
        seed: &Seed::new(0),
        kernel,
        cap: reader.cap(),
    };
    let found = replay::survey(source, &options, under.environment)?;
    replay::expect(source, &options, &found, bitmaps, &under)
}

#[test]
fn a_search_ends_where_the_next_aligned_page_has_no_number() {
    let path = corpora().join("regressions/align-past-the-last-page.csv");
    let found = compare(&Source::file(&path), None, "kernel", "pinned").unwrap();
    assert_eq!((found.ops, found.fields, found.mismatches), (4, 9, 0), "{:?}", found.first);
}

#[test]
fn the_baseline_places_every_buffer_where_the_kernel_did() {
    let (mut all, mut counted) = (Comparison::default(), Comparison::default());
    for path in recordings() {
        let bitmaps = ingest::sidecar(&path).map(|path| Source::file(&path));
        let source = Source::file(&path);
        let found = compare(&source, bitmaps.as_ref(), "kernel", "pinned").unwrap();
        assert_eq!(found.mismatches, 0, "{}: {:#?}", path.display(), found.first);
        let is_counted = path.to_str().unwrap().contains("/7.3/");
        let sum = if is_counted { &mut counted } else { &mut all };
        sum.ops += found.ops;
        sum.fields += found.fields;
        sum.available_as_free += found.available_as_free;
    }
    // Nothing was skipped: every non-empty field and every line of the bitmaps counts.
    assert_eq!((all.ops, all.fields, all.available_as_free), (150_146, 351_413, 0));
    assert_eq!((counted.ops, counted.fields, counted.available_as_free), (12_569, 28_109, 1_327));
}

#[test]
fn several_ranges_are_searched_in_the_order_that_the_recording_states() {
    let path = corpora().join("regressions/two-ranges-in-order.csv");
    let found = compare(&Source::file(&path), None, "kernel", "pinned").unwrap();
    assert_eq!((found.fields, found.mismatches), (8, 0), "{:?}", found.first);
    let text = unpacked(&path);
    // The same pages as one range serve both requests: so the border is what refuses.
    for (other, wrong) in [
        ("ranges=1218048:1024,1244672:512", 1),
        ("ranges=1244672:1536", 3),
        ("ranges=1244672:512,1245184:1024", 0),
    ] {
        let text = text.replace("ranges=1244672:512,1218048:1024", other);
        let text = if other.starts_with("ranges=1218048") {
            text.replace("base_pfn=1244672", "base_pfn=1218048")
        } else {
            text
        };
        let source = Source::bytes("t", text.into_bytes());
        let found = compare(&source, None, "kernel", "pinned").unwrap();
        assert_eq!(found.mismatches, wrong, "{other}: {:#?}", found.first);
    }
}

/// The counter of pages, the place of the last busy claim and a release that must be refused.
#[test]
fn what_7_3_records_beside_the_bitmap_is_compared() {
    let path = corpora().join("recordings/7.3/partial-m3.csv.gz");
    let text = unpacked(&path);
    for (field, from, to) in [
        ("avail", "avail=6142", "avail=6140"),
        ("avail", "6144,4096,avail=6142", "6144,4096,"),
        ("lastoff", "lastoff=0 ", "lastoff=4 "),
    ] {
        assert!(text.contains(from), "{from}");
        let changed = text.replacen(from, to, 1).into_bytes();
        let found = compare(&Source::bytes("t", changed), None, "kernel", "pinned").unwrap();
        assert_eq!((found.mismatches, found.first[0].field), (1, field), "{:#?}", found.first);
    }
    let rows = "# kernel=7.3.4 order_per_bit=0 ranges=2048:1024,3072:1024\n\
                idx,kind,id,count,align,result,retries,free,maxrun,note\n\
                0,alloc,0,1000,0,0,0,1048,1024,\n\
                1,alloc,1,1024,0,1024,0,24,24,\n\
                2,badfree,1000,48,,-22,,24,24,\n\
                3,badfree,0,4096,,-22,,24,24,\n\
                4,badfree,0,1000,,-22,,24,24,\n\
                5,alloc,2,24,0,1000,0,0,0,\n";
    let found = compare(&Source::bytes("t", rows.as_bytes()), None, "kernel", "pinned").unwrap();
    // The pages of row 4 are in one range: a release of them is none to refuse.
    assert_eq!((found.mismatches, found.first[0].idx), (1, 4), "{:#?}", found.first);
}

#[test]
fn busy_as_recorded_needs_no_pins() {
    for name in ["6.12/pins-a1-dma8.csv.gz", "6.1/pins-a0-dma8.csv.gz", "6.12/text/busy.csv.gz"] {
        let text = unpacked(&corpora().join("recordings").join(name));
        let kept = text.lines().filter(|line| !line.contains("pin,"));
        let without: String = kept.map(|line| format!("{line}\n")).collect();
        assert!(without.len() < text.len());
        let source = Source::bytes(name, without.into_bytes());
        let found = compare(&source, None, "kernel", "scripted").unwrap();
        assert_eq!(found.mismatches, 0, "{name}: {:#?}", found.first);
        let quiet = compare(&source, None, "kernel", "quiet").unwrap();
        assert!(quiet.mismatches > 0, "{name} has no busy claims");
    }
}

fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    Source::file(path).open().unwrap().read_to_string(&mut text).unwrap();
    text
}

/// The recording with the field `column` of the first row for which `fits` changed by one.
fn planted(text: &str, column: usize, fits: impl Fn(&[&str]) -> bool) -> String {
    let mut done = false;
    let lines = text.lines().map(|line| {
        let mut fields: Vec<_> = line.split(',').collect();
        let number: Option<i64> = fields.get(column).and_then(|field| field.parse().ok());
        let changed = number.map(|number| (number + 1).to_string());
        if let (false, Some(changed), true) = (done, &changed, fields.len() == 10 && fits(&fields))
        {
            done = true;
            fields[column] = changed;
        }
        fields.join(",") + "\n"
    });
    let text = lines.collect();
    assert!(done, "no row fits");
    text
}

#[test]
fn a_planted_change_is_found_in_every_field() {
    let path = corpora().join("recordings/6.12/pins-a1-dma8.csv.gz");
    let text = unpacked(&path);
    let cases: [(&str, usize, &str); 7] = [
        ("result", 5, "alloc"),
        ("result", 5, "free"),
        ("result", 5, "pin"),
        ("result", 5, "unpin"),
        ("retries", 6, "alloc"),
        ("free", 7, "alloc"),
        ("maxrun", 8, "alloc"),
    ];
    for (field, column, kind) in cases {
        let changed = planted(&text, column, |fields| fields[1] == kind);
        let source = Source::bytes("planted", changed.into_bytes());
        let found = compare(&source, None, "kernel", "pinned").unwrap();
        assert_eq!(found.mismatches, 1, "{kind} {field}: {:#?}", found.first);
        assert_eq!(found.first[0].field, field);
    }
    // A changed request changes what follows, too.
    let changed = planted(&text, 3, |fields| fields[1] == "alloc" && fields[3] == "255");
    let source = Source::bytes("planted", changed.into_bytes());
    assert!(compare(&source, None, "kernel", "pinned").unwrap().mismatches > 0);
}

#[test]
fn a_planted_change_is_found_in_the_bitmaps() {
    let path = corpora().join("recordings/6.12/edge-a3.csv.gz");
    let source = Source::file(&path);
    let text = unpacked(&ingest::sidecar(&path).unwrap());
    let bitmaps = |text: String| Source::bytes("bitmaps", text.into_bytes());
    let same = compare(&source, Some(&bitmaps(text.clone())), "kernel", "pinned").unwrap();
    assert_eq!(same.mismatches, 0);
    let last = text.rfind('+').unwrap();
    let changed = format!("{}+1\n", &text[..last]);
    let found = compare(&source, Some(&bitmaps(changed)), "kernel", "pinned").unwrap();
    assert_eq!((found.mismatches, found.first[0].field), (1, "bitmap"));
    // An idx that the recording does not have is a mistake of the file.
    for idx in ["0 0+1\n3000000 0+1\n", "100000 0+1\n"] {
        assert!(compare(&source, Some(&bitmaps(idx.into())), "kernel", "pinned").is_err());
    }
}

#[test]
fn what_the_kernel_frees_in_parts_is_freed_in_parts() {
    let rows = "# kernel=6.12 base_pfn=0 pages=64 order_per_bit=0\n\
                idx,kind,id,count,align,result,retries,free,maxrun,note\n\
                0,alloc,1,20,0,0,0,44,44,\n\
                1,alloc,2,10,0,20,0,34,34,\n\
                2,free,1,5,,0,,39,34,\n\
                3,free,1,5,,5,,44,34,\n\
                4,alloc,3,10,1,0,0,34,34,\n\
                5,free,1,,,10,,44,34,\n\
                6,free,1,,,nop,,,,\n\
                7,bitmap,,,,,,44,34,\n";
    let source = Source::bytes("parts", rows.as_bytes());
    let found = compare(&source, None, "kernel", "pinned").unwrap();
    assert_eq!((found.mismatches, found.ops), (0, 8), "{:#?}", found.first);
}

#[test]
fn calls_that_end_before_there_is_a_request_follow_the_kernel_s_row() {
    for (kernel, count, result, mismatches) in [
        ("6.12", 0, -12, 0),
        ("6.12", 65, -12, 0),
        ("6.12", u64::MAX, -12, 0),
        ("6.15", 0, -12, 0),
        ("6.15", 65, -16, 0),
        ("6.15", 65, -12, 1),
    ] {
        let rows = format!(
            "# kernel={kernel} base_pfn=0 pages=64 order_per_bit=0\n\
             idx,kind,id,count,align,result,retries,free,maxrun,note\n\
             0,alloc,1,{count},0,{result},0,64,64,nofinish\n"
        );
        let source = Source::bytes("early", rows.into_bytes());
        let found = compare(&source, None, "kernel", "pinned").unwrap();
        assert_eq!((found.mismatches, found.fields), (mismatches, 4), "{kernel} {count}");
    }
}

#[test]
fn an_order_per_bit_above_the_base_s_alignment_is_accepted() {
    // Bits of 1024 pages on a base that is 512 past one: the offset truncates (kernel-side: 0).
    let rows = "# kernel=6.12 base_pfn=512 pages=8192 order_per_bit=10\n\
                idx,kind,id,count,align,result,retries,free,maxrun,note\n\
                0,alloc,1,1,0,0,0,7168,7168,\n\
                1,alloc,2,1,11,2048,0,6144,5120,\n\
                2,alloc,3,1025,12,4096,0,4096,2048,\n";
    let source = Source::bytes("coarse", rows.as_bytes());
    let found = compare(&source, None, "kernel", "pinned").unwrap();
    assert_eq!(found.mismatches, 0, "{:#?}", found.first);
}

#[test]
fn sources_csv_lists_every_corpus_file_and_nothing_else() {
    let text = fs::read_to_string(corpora().join("SOURCES.csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("path,origin,kernel,licence"));
    let mut listed = Vec::new();
    for line in lines {
        let fields: Vec<_> = line.split(',').collect();
        assert_eq!(fields.len(), 4, "{line}");
        // What no kernel made has no kernel.
        assert!([0, 1, 3].iter().all(|field| !fields[*field].trim().is_empty()), "{line}");
        listed.push(fields[0].to_string());
    }
    let mut there: Vec<_> = files(&corpora())
        .iter()
        .map(|path| path.strip_prefix(corpora()).unwrap().to_str().unwrap().replace('\\', "/"))
        .filter(|path| path != "SOURCES.csv")
        .collect();
    // By name, not by folder: `dts-x` comes before `dts/x`.
    there.sort();
    listed.sort();
    there.sort();
    assert_eq!(listed, there);
}
