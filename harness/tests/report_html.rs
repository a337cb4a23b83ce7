//! The page of a sweep: it is whole, it asks for nothing, and it says what the numbers say.

#[path = "report_html/board_time.rs"]
mod board_time;
#[path = "report_html/decision.rs"]
mod decision;
#[path = "report_html/page.rs"]
mod page;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cma_harness::answer::{Findings, findings, pictures};
use cma_harness::metric::Value;
use cma_harness::report::html;
use cma_harness::sweep::{Cell, Ready, Watch, parse, prepare, run};
use cma_policies::kit::{Ask, FreeMap, Placed, Search};
use cma_policies::{Entry, Promises, builtin};
use page::Page;
use sha2::{Digest as _, Sha256};

struct Nobody;

impl Watch for Nobody {
    fn done(&self, _: usize, _: &Cell, _: &[Value]) {}
}

/// Refuses what is large, and so meets less trouble with the rest.
const PICKY: Entry = Entry {
    name: "picky",
    about: "for tests",
    source: "none",
    params: &[],
    build: |area, _| {
        Ok(Box::new(Placed::new(area, Promises { aligned: true, ..Promises::NONE }, picky)))
    },
};

fn picky(map: &FreeMap, search: Search, _: Ask) -> Option<u64> {
    if search.bits >= 2025 { None } else { map.first_fit(search) }
}

fn ready(plan: &str) -> Ready {
    let catalog = builtin::catalog().with(&[PICKY]);
    prepare(parse("test", plan, &catalog).unwrap()).unwrap()
}

fn found(ready: &Ready, jobs: usize) -> Findings {
    let table = run(ready, jobs, &Nobody).unwrap();
    findings(ready, table.blocks())
}

fn written(ready: &Ready, findings: &Findings) -> String {
    let pictures = pictures(ready, findings).unwrap();
    html::page(ready, findings, &pictures, "cmalab sweep plan.toml --out . <&>")
}

const SMALL: &str = r#"
name = "small"
seeds = 8
policies = ["kernel", "best-fit", "buddy"]
caps = [8, 4]
[[boards]]
name = "tight"
areas = [{ mib = 160 }]
[[boards]]
name = "wide"
areas = [{ mib = 384 }]
[[streams]]
profile = "video"
loads_mib = [150]
ops = 400
[[streams]]
profile = "camera"
loads_mib = [140]
ops = 400
"#;

#[test]
fn every_tag_is_closed_and_every_id_is_one_of_a_kind() {
    let ready = ready(SMALL);
    let text = written(&ready, &found(&ready, 1));
    let page = Page::read(&text).unwrap_or_else(|why| panic!("{why}"));
    let order = "decision pictures choose sure cost causes survival rates classes origin";
    assert_eq!(page.ids_of("section").join(" "), order);
    // Whatever names an element by its id finds it.
    for (tag, name, value) in &page.attributes {
        let ids: Vec<&str> = match name.as_str() {
            "aria-labelledby" | "aria-describedby" => value.split(' ').collect(),
            "href" if value.starts_with('#') => vec![&value[1..]],
            _ => continue,
        };
        for id in ids {
            assert!(page.ids.contains(id), "{tag} {name}={value}");
        }
    }
}

#[test]
fn it_asks_for_nothing_and_runs_its_own_script_only() {
    let ready = ready(SMALL);
    let text = written(&ready, &found(&ready, 1));
    let page = Page::read(&text).unwrap();
    for (tag, name, value) in &page.attributes {
        match name.as_str() {
            "src" | "srcset" | "style" | "action" | "data" => panic!("{tag} {name}"),
            "href" if tag == "image" => assert!(value.starts_with("data:image/png;base64,")),
            "href" => assert!(value.starts_with('#'), "{tag} {value}"),
            name => assert!(!name.starts_with("on"), "{tag} {name}"),
        }
    }
    let (style, script) =
        (between(&text, "<style>", "</style>"), between(&text, "<script>", "</script>"));
    for outside in ["http:", "https:", "//cdn", "@import", "@font-face", "fetch(", "eval("] {
        assert!(!style.contains(outside) && !script.contains(outside), "{outside}");
    }
    let urls = style.matches("url(").count();
    assert!(urls > 0 && urls == style.matches("url(#").count());
    let hash = |part: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(part)));
    let policy = between(&text, "http-equiv=\"Content-Security-Policy\" content=\"", "\">");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(policy.contains(&format!("style-src {};", hash(style))), "{policy}");
    assert!(policy.contains(&format!("script-src {};", hash(script))), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
}

/// What is between two texts, the first time.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to}")).0
}

#[test]
fn the_rows_say_what_was_found() {
    let ready = ready(SMALL);
    let found = found(&ready, 1);
    let text = written(&ready, &found);
    let choice = found.headline.as_ref().unwrap();
    let choose = between(&text, "<section id=\"choose\"", "</section>");
    let table = between(choose, "<tbody>", "</tbody>");
    let rows: Vec<_> = table.split("<tr").skip(1).collect();
    assert_eq!(rows.len(), choice.ranked.len().min(14));
    for (row, candidate) in rows.iter().zip(&choice.ranked) {
        let plan = &ready.plan;
        let board = &plan.boards[candidate.board.unwrap()].name;
        let cap = format!(">{}</span></td>", plan.caps[candidate.cap]);
        let policy = format!("<span>{}</span>", plan.policies[candidate.policy]);
        let failed = format!("<span>{} of {}<", candidate.failed, candidate.streams);
        for part in [format!(">{board}</th>"), cap, policy, failed] {
            assert!(row.contains(&part), "{part} in {row}");
        }
        assert_eq!(row.contains("▲ flagged"), candidate.flagged, "{row}");
    }
    let marked = rows.iter().position(|row| row.contains("★ chosen"));
    assert_eq!(marked, choice.chosen);
    // Each row of the decision, with the number of its streams and its R2.
    let sure = between(&text, "<section id=\"sure\"", "</section>");
    let worst = &found.summary.rows[choice.ranked[choice.chosen.unwrap_or(0)].worst_row];
    let same = |row: &&cma_harness::answer::SummaryRow| {
        cma_harness::sweep::Configuration { cap: worst.at.cap, ..row.at } == worst.at
    };
    let here: Vec<_> = found.summary.rows.iter().filter(same).collect();
    assert_eq!(here.len(), 6);
    for row in here {
        let failed = format!(">{} of {}<", row.failed, row.streams);
        assert!(sure.contains(&failed), "{failed}");
        let mean = row.rates[1].mean.unwrap();
        let key = format!("data-v=\"{mean:.6}\"");
        assert!(sure.contains(&key), "{key}");
    }
}

#[test]
fn no_failure_is_a_bound_and_never_nothing() {
    let ready = ready(SMALL);
    let found = found(&ready, 1);
    assert!(found.summary.rows.iter().any(|row| row.failed == 0), "the plan has no clean row");
    let text = written(&ready, &found);
    for zero in [">0\u{a0}%<", ">0.00\u{a0}%<", "R2 0\u{a0}%", "R2 0.00"] {
        assert!(!text.contains(zero), "{zero}");
    }
    // 1 - 0.05^(1/8) = 0.3123, one row of 8 streams.
    assert!(text.contains("at most 31.2\u{a0}%"));
}

#[test]
fn the_same_bytes_with_any_number_of_threads() {
    let ready = ready(SMALL);
    let texts: Vec<_> = [1, 2].map(|jobs| written(&ready, &found(&ready, jobs))).into();
    assert!(texts[0] == texts[1]);
}

#[test]
fn names_are_text_and_nothing_else() {
    const EVIL: &str = "<script>alert('x')</script>\"><img src=x>&\u{202e}";
    let mut ready = ready(SMALL);
    for board in &mut ready.plan.boards {
        board.name = EVIL.to_string();
    }
    ready.plan.name = EVIL.to_string();
    let text = written(&ready, &found(&ready, 1));
    let page = Page::read(&text).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(page.tags.iter().filter(|tag| *tag == "script").count(), 1);
    assert!(!page.tags.iter().any(|tag| tag == "img"));
    assert!(text.contains("&lt;script&gt;alert('x')&lt;/script&gt;"));
    assert!(text.contains("--out . &lt;&amp;&gt;") && !text.contains('\u{202e}'));
}

#[test]
fn who_refuses_what_is_large_is_flagged_though_its_rate_is_lower() {
    let plan = SMALL.replace("\"buddy\"", "\"picky\"").replace("seeds = 8", "seeds = 16");
    let ready = ready(&plan);
    let found = found(&ready, 1);
    let text = written(&ready, &found);
    let sure = between(&text, "<section id=\"sure\"", "</section>");
    assert!(sure.contains("▲ picky is flagged in"), "{sure}");
    assert!(text.contains("picky, cap 8 ▲ flagged"));
    assert!(!text.contains("picky, cap 8 ★") && !text.contains("picky, cap 4 ★"));
    let classes = between(&text, "<section id=\"classes\"", "</section>");
    assert!(
        classes.contains("▲ worse for 257 to 2048 pages") || classes.contains("▲ worse for 2049")
    );
}

#[test]
fn pictures_show_the_first_refusal_of_the_cell_that_fails() {
    let ready = ready(SMALL);
    let found = found(&ready, 1);
    let worst = found.worst.as_ref().unwrap();
    let text = written(&ready, &found);
    let pictures = between(&text, "<section id=\"pictures\"", "</section>");
    assert!(pictures.contains(&format!("First refused request: number {} at ", worst.requests)));
    assert!(pictures.contains(&format!("seed {}.", worst.cell.seed)));
    let images: Vec<_> = pictures.split("data:image/png;base64,").skip(1).collect();
    assert!(images.len() >= 2, "{}", images.len());
    for image in images {
        let bytes = BASE64_STANDARD.decode(image.split('"').next().unwrap()).unwrap();
        assert!(bytes.len() < 60_000, "{} bytes", bytes.len());
        let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert!(pixels.iter().any(|pixel| *pixel != pixels[0]), "a picture of nothing");
    }
}

#[test]
fn a_large_plan_makes_a_page_that_is_not_larger() {
    let boards: String = (0..12)
        .map(|n| format!("[[boards]]\nname = \"b{n}\"\nareas = [{{ mib = {} }}]\n", 160 + 16 * n))
        .collect();
    let streams = "[[streams]]\nprofile = \"video\"\nloads_mib = [120, 150]\nops = 60\n\
                   [[streams]]\nprofile = \"camera\"\nloads_mib = [120, 140]\nops = 60\n\
                   [[streams]]\nprofile = \"gpu\"\nloads = [0.9]\nops = 60\n";
    let plan = format!(
        "name = \"large\"\nseeds = 2\npolicies = [\"all\"]\ncaps = [8, 6, 4, 0]\n{boards}{streams}"
    );
    let ready = ready(&plan);
    let found = found(&ready, 2);
    assert!(found.summary.rows.len() > 1500, "{}", found.summary.rows.len());
    let text = written(&ready, &found);
    Page::read(&text).unwrap_or_else(|why| panic!("{why}"));
    assert!(text.len() < 1_000_000, "{} bytes", text.len());
    assert!(text.contains("more in <code>summary.csv</code>"));
}

#[test]
fn a_plan_of_one_recording_has_a_page() {
    let ready = ready(
        "name = \"one\"\npolicies = [\"kernel\"]\n[[streams]]\nprofile = \"imx-note\"\nops = 2000\n",
    );
    let found = found(&ready, 1);
    let text = written(&ready, &found);
    Page::read(&text).unwrap_or_else(|why| panic!("{why}"));
    assert!(text.contains("one stream"));
}
