//! How much board time a page says that it covers, and what it says where a race left rows out.

use cma_harness::answer::{Findings, SummaryRow};
use cma_harness::report::{csv, text};
use cma_harness::sweep::Ready;

use super::{Page, between, found, ready, written};

/// On the first board the first stream fails, so that the second is not run there.
fn plan(target: &str) -> Ready {
    plan_with(target, "[[boards]]\nname = \"wide\"\nareas = [{ mib = 256 }]\n")
}

/// The first board, and others.
fn plan_with(target: &str, others: &str) -> Ready {
    ready(&format!(
        "name = \"raced\"\nseeds = 8\ntarget = \"{target}\"\nuntil = \"first-failure\"\n\
         policies = [\"kernel\", \"best-fit\"]\ncaps = [8, 4]\n\
         [[boards]]\nname = \"tight\"\nareas = [{{ mib = 68 }}]\n\
         {others}[[streams]]\nprofile = \"gpu\"\nloads_mib = [64]\nhours = 0.05\n\
         [[streams]]\nprofile = \"camera\"\nloads_mib = [64]\nhours = 0.05\n"
    ))
}

/// A page without the bytes of its images, which may spell anything.
fn without_images(text: &str) -> String {
    let mut parts = text.split("data:image/png;base64,");
    let first = parts.next().unwrap_or_default().to_string();
    let rest = parts.map(|part| part.split_once('"').map_or("", |(_, rest)| rest));
    std::iter::once(first.as_str()).chain(rest).collect()
}

/// Everything that is written of it: page, text, tables.
fn everything(ready: &Ready, found: &Findings) -> (String, String) {
    let page = written(ready, found);
    Page::read(&page).unwrap_or_else(|why| panic!("{why}"));
    let mut out = Vec::new();
    text::write_findings(ready, found, false, &mut out).unwrap();
    csv::write_summary(ready, &found.summary, &mut out).unwrap();
    let mut json = Vec::new();
    csv::write_summary_json(ready, &found.summary, &mut json).unwrap();
    let rows: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(rows["rows"].as_array().map(Vec::len), Some(found.summary.rows.len()));
    let text = String::from_utf8(out).unwrap();
    for all in [&without_images(&page), &text] {
        for odd in
            ["0 of 0", "never in 0", "of 0 streams", "in 0 streams", " 0 streams", "NaN", "inf "]
        {
            assert!(!all.contains(odd), "{odd:?} in {all}");
        }
    }
    (page, text)
}

fn of(found: &Findings, board: usize, stream: usize) -> Vec<&SummaryRow> {
    let rows = found.summary.rows.iter();
    rows.filter(|row| (row.at.board, row.at.stream) == (Some(board), stream)).collect()
}

#[test]
fn what_a_race_left_out_is_said_and_drawn_nowhere() {
    let ready = plan("mtbf=5min");
    let found = found(&ready, 2);
    // On the first board no row of the second stream was run, on the other one all.
    assert!(of(&found, 0, 0).iter().all(|row| row.ended_early > 0));
    assert!(of(&found, 0, 1).iter().all(|row| row.streams == 0 && row.dropped));
    assert!(of(&found, 1, 0).iter().chain(&of(&found, 1, 1)).all(|row| row.streams == 8));
    let (page, text) = everything(&ready, &found);
    assert!(
        text.contains("camera on board tight: LOAD 94.1 % of 17408 pages, no stream of 3 min of")
    );
    assert!(
        text.contains("kernel (not run)") && text.contains("- (ended at first failure: "),
        "{text}"
    );
    let choose = between(&page, "<section id=\"choose\"", "</section>");
    assert!(
        choose.contains("The target: <b>mtbf=5min</b>") && choose.contains("✕ dropped by the race")
    );
    // One that fails is looked at, though what is nearest does not.
    assert!(found.worst.is_some());
    // Nothing of the board that was dropped is a point of the rates.
    let rates = between(&page, "<section id=\"rates\"", "</section>");
    assert!(rates.contains("ended at the first failure"), "{rates}");
}

#[test]
fn where_nothing_can_be_proven_no_section_is_empty_without_a_reason() {
    let ready = plan_with("mtbf=5min", "");
    let found = found(&ready, 2);
    assert!(of(&found, 0, 1).iter().all(|row| row.streams == 0));
    let (page, _) = everything(&ready, &found);
    assert!(found.worst.is_some() && !page.contains("No stream fails: "), "some do");
    let survival = between(&page, "<section id=\"survival\"", "</section>");
    assert!(survival.contains("no stream was run, as the race had dropped"), "{survival}");
    assert!(survival.contains("The horizon is 3 min: target mtbf=5min is longer"), "{survival}");
    assert!(survival.contains(">board time, ") && survival.contains("% of 8 streams go well"));
    assert!(!survival.contains("requests made"), "{survival}");
    for section in ["causes", "rates", "classes"] {
        let text = between(&page, &format!("<section id=\"{section}\""), "</section>");
        assert!(text.contains("first failure") || text.contains("not run"), "{section}: {text}");
    }
}

#[test]
fn a_table_says_what_streams_say_about_board_time() {
    let ready = plan("mtbf=5min");
    let found = found(&ready, 2);
    let choice = found.headline.as_ref().unwrap();
    let worst = &found.summary.rows[choice.ranked[0].worst_row];
    let time = worst.time.as_ref().unwrap();
    let page = written(&ready, &found);
    let sure = between(&page, "<section id=\"sure\"", "</section>");
    let table = sure.split("<caption>").find(|part| part.starts_with("Board time: ")).unwrap();
    assert!(table.contains("; 8 streams of 3 min of board time each</caption>"), "{table}");
    let key = format!("data-v=\"{:.6}\"", time.mtbf_low_us);
    assert!(table.contains(&key), "{key} in {table}");
    // 8 x 3 min without a failure: 24 min / ln 20, rounded down.
    assert_eq!(time.evidence.failed, 0);
    for part in ["<span>24\u{a0}min</span>", "<span>8\u{a0}min</span>", "<span>not seen<"] {
        assert!(table.contains(part), "{part} in {table}");
    }
}

#[test]
fn every_caption_counts_in_what_its_streams_have() {
    let ready = ready(
        "name = \"mixed\"\nseeds = 2\npolicies = [\"kernel\"]\ncaps = [8]\n\
         [[boards]]\nname = \"b\"\nareas = [{ mib = 64 }]\n\
         [[streams]]\nprofile = \"gpu\"\nloads = [0.98]\nops = 300\n\
         [[streams]]\nrecorded = \"6.12/video-a2-dma8\"\n",
    );
    let found = found(&ready, 1);
    let page = written(&ready, &found);
    let header = between(&page, "<header>", "</header>");
    assert!(
        header.contains("gpu: 2 streams of 300 ops, ") && header.contains(" of board time each;")
    );
    let recorded = "one stream of 35789 ops, counted in requests (no board time)";
    assert!(header.contains(recorded), "{header}");
    for section in ["sure", "causes", "survival", "rates", "classes"] {
        let text = between(&page, &format!("<section id=\"{section}\""), "</section>");
        assert!(text.contains("2 streams of 300 ops, "), "{section}");
        let recorded = text.to_lowercase().contains(recorded);
        // What the decision hangs on runs on the boards.
        assert!(recorded || section == "sure", "{section}: {text}");
    }
    let survival = between(&page, "<section id=\"survival\"", "</section>");
    assert!(survival.contains(">board time, s<") && survival.contains(">requests made<"));
}
