//! A page leads with the decision: the answer, boards and caps as a table, the maps; the rest is
//! folded.

use cma_harness::answer::{Choice, Findings, Shows, pictures};
use cma_harness::sweep::{Ready, stream_command};

use super::{Page, SMALL, between, found, ready, written};

/// A plan whose one board is too small for whatever it tries.
const TIGHT: &str = "name = \"tight\"\nseeds = 4\npolicies = [\"kernel\"]\ncaps = [8, 4]\n\
                     environments = [\"quiet\"]\n[[boards]]\nname = \"one\"\n\
                     areas = [{ mib = 66 }]\n[[streams]]\nprofile = \"gpu\"\n\
                     loads_mib = [64]\nops = 400\n";

/// One recording on the area that it brings.
const ALONE: &str =
    "name = \"one\"\npolicies = [\"kernel\"]\n[[streams]]\nprofile = \"imx-note\"\nops = 2000\n";

/// The section of this id.
fn section<'a>(page: &'a str, id: &str) -> &'a str {
    between(page, &format!("<section id=\"{id}\""), "</section>")
}

/// The places of the tables of the decision: policy or none, row, cap, class, text.
fn places(page: &str) -> Vec<(String, String, String, String, String)> {
    let decision = section(page, "decision");
    let mut found = Vec::new();
    for table in decision.split("<table").skip(1) {
        let caption = between(table, "<caption>", "</caption>").to_string();
        let caps: Vec<_> = table.split("<th scope=\"col\">").skip(2).collect();
        let caps = caps.iter().map(|cap| cap.split('<').next().unwrap().to_string());
        let caps: Vec<String> = caps.collect();
        for row in table.split("<th scope=\"row\">").skip(1) {
            let label = row.split(['<', ' ']).next().unwrap().to_string();
            let row = row.split("</tr>").next().unwrap();
            for (cap, place) in caps.iter().zip(row.split("<td class=\"").skip(1)) {
                let (class, text) = place.split_once("\">").unwrap();
                found.push((
                    caption.clone(),
                    label.clone(),
                    cap.clone(),
                    class.to_string(),
                    text.to_string(),
                ));
            }
        }
    }
    found
}

fn marked<'a>(
    places: &'a [(String, String, String, String, String)],
    mark: &str,
) -> Vec<&'a (String, String, String, String, String)> {
    places.iter().filter(|(.., class, _)| class.split(' ').any(|word| word == mark)).collect()
}

#[test]
fn the_chosen_place_is_marked_and_every_place_says_its_number() {
    let ready = ready(SMALL);
    let found = found(&ready, 1);
    let page = written(&ready, &found);
    let choice = found.headline.as_ref().unwrap();
    let best = choice.best().expect("the wide board does");
    let all = places(&page);
    let [(caption, board, cap, _, text)] = marked(&all, "chosen")[..] else {
        panic!("one place is chosen: {all:?}")
    };
    let plan = &ready.plan;
    assert_eq!(*board, plan.boards[best.board.unwrap()].name);
    assert_eq!(*cap, format!("cap {}", plan.caps[best.cap]));
    assert!(caption.ends_with(&format!("policy {}", plan.policies[best.policy])), "{caption}");
    assert!(text.contains("★ chosen"), "{text}");
    // 2 boards and 2 caps, of the policy of the choice, which is the baseline: one table.
    assert_eq!(all.len(), 4, "{all:?}");
    for (_, board, cap, class, text) in &all {
        let is_its = |one: &&cma_harness::answer::Candidate| {
            one.policy == best.policy
                && plan.boards[one.board.unwrap()].name == *board
                && format!("cap {}", plan.caps[one.cap]) == *cap
        };
        let one = choice.ranked.iter().find(is_its).unwrap();
        match one.failed {
            0 => assert!(class.contains("t0") && text.starts_with("<b>none</b>"), "{text}"),
            failed => {
                let share = format!("<b>{:.1}\u{a0}%</b>", 12.5 * failed as f64);
                assert!(!class.contains("t0") && text.contains(&share), "{share}: {text}");
            }
        }
        assert_eq!(text.contains("meets") || text.contains("chosen"), one.meets, "{text}");
    }
    // Colours have words beside them.
    let decision = section(&page, "decision");
    for tone in 0..6 {
        assert!(decision.contains(&format!("<rect class=\"t{tone}\"")), "{tone}");
    }
}

#[test]
fn the_baseline_stands_beside_another_policy_and_one_board_has_a_row_for_each() {
    let several = TIGHT.replace("[\"kernel\"]", "[\"kernel\", \"best-fit\", \"buddy\"]");
    let rows = |plan: &str| {
        let ready = ready(plan);
        let found = found(&ready, 1);
        let nearest = found.headline.as_ref().unwrap().ranked[0].policy;
        (ready.plan.policies[nearest].to_string(), places(&written(&ready, &found)))
    };
    let (nearest, all) = rows(&several);
    assert_eq!(nearest, "best-fit", "the plan has another nearest policy than the baseline");
    let labels: Vec<_> = all.iter().step_by(2).map(|one| one.1.as_str()).collect();
    assert_eq!((all.len(), labels), (6, vec!["best-fit", "kernel", "buddy"]));
    // Two boards: a table for each of the two policies, the smaller board first.
    let two = several.replace(
        "[[boards]]\nname = \"one\"",
        "[[boards]]\nname = \"less\"\nareas = [{ mib = 64 }]\n[[boards]]\nname = \"one\"",
    );
    let (nearest, all) = rows(&two);
    assert_eq!((nearest.as_str(), all.len()), ("best-fit", 8));
    assert!(all[0].0.ends_with(", policy best-fit"), "{}", all[0].0);
    assert!(all[4].0.ends_with(", policy kernel (baseline)"), "{}", all[4].0);
    let labels: Vec<_> = all.iter().step_by(2).map(|one| one.1.as_str()).collect();
    assert_eq!(labels, ["less", "one", "less", "one"]);
}

#[test]
fn where_nothing_meets_the_target_the_nearest_is_marked_and_no_needs_are_listed() {
    let ready = ready(TIGHT);
    let found = found(&ready, 1);
    let choice: &Choice = found.headline.as_ref().unwrap();
    assert_eq!(choice.chosen, None);
    let page = written(&ready, &found);
    let all = places(&page);
    assert!(marked(&all, "chosen").is_empty());
    assert_eq!(marked(&all, "nearest").len(), 1, "{all:?}");
    assert!(!page.contains("What it takes"));
    assert!(found.inside.is_none() && page.contains("there is none just inside it"));
    // All streams fail in each place: what tells places apart is the rate.
    assert!(choice.ranked.iter().all(|one| one.failed == one.streams));
    for (caption, _, _, _, text) in &all {
        assert!(caption.starts_with("Withheld requests (R2)"), "{caption}");
        assert!(text.contains("gpu 64\u{a0}MiB") && !text.contains("100.0"), "{text}");
    }
}

#[test]
fn the_first_picture_is_the_map_of_the_worst_stream() {
    let ready = ready(SMALL);
    let found = found(&ready, 1);
    let drawn = pictures(&ready, &found).unwrap();
    let shows: Vec<_> = drawn.iter().map(|picture| picture.shows).collect();
    assert_eq!(shows, [Shows::Worst, Shows::Inside]);
    let page = written(&ready, &found);
    let figures: Vec<_> = page.split("<figure ").skip(1).collect();
    assert!(figures[0].starts_with("class=\"map\" id=\"pic0\"><h3"), "{:.80}", figures[0]);
    assert!(figures[1].starts_with("class=\"map\" id=\"pic1\"><h3"), "{:.80}", figures[1]);
    assert!(!figures[2].starts_with("class=\"map\""));
    let heading = |figure: &str| between(figure, ">", "</h3>").to_string();
    assert!(heading(figures[0]).contains("The worst stream: "));
    assert!(heading(figures[1]).contains("Just inside the target: "));
    // What shows the decision comes before it, and no script and no unfolding is needed for either.
    let first = page.find("<figure ").unwrap();
    assert!(page.find("<table class=\"heat\"").unwrap() < first);
    for id in ["decision", "pictures"] {
        assert!(!section(&page, id).contains("<details"), "{id}");
    }
    // The request that is refused lies above what is usable, which the picture draws as two lines.
    for part in ["class=\"curve room\"", "class=\"curve hole\"", "class=\"curve usable\""] {
        assert!(figures[0].contains(part), "{part}");
    }
    assert!(figures[0].contains("class=\"asked\"") && figures[0].contains("class=\"first\""));
    assert!(
        figures[1].contains("the largest request: ") && !figures[1].contains("class=\"first\"")
    );
}

#[test]
fn all_else_is_folded_under_a_line_that_says_what_is_in_it() {
    let ready = ready(SMALL);
    let page = written(&ready, &found(&ready, 1));
    assert!(!page.contains("<details open"));
    let (short, long) =
        (["choose", "sure", "origin"], ["cost", "causes", "survival", "rates", "classes"]);
    for id in short.into_iter().chain(long) {
        let text = section(&page, id);
        let (heading, body) = text.split_once("</h2>").unwrap();
        assert!(!heading.contains("<details"), "{id}");
        let start = if short.contains(&id) { "<details class=\"short\">" } else { "<details>" };
        assert!(body.trim_start().starts_with(start), "{id}: {body:.60}");
        assert!(body.trim_end().ends_with("</details>"), "{id}");
        let gist = between(body, "<summary>", "</summary>");
        assert!(gist.len() > 10, "{id}: {gist:?}");
        let has_number = gist.contains(|c: char| c.is_ascii_digit()) || gist.starts_with("No ");
        assert!(has_number, "{id}: {gist}");
    }
    let choose = between(section(&page, "choose"), "<summary>", "</summary>");
    let choice = found(&ready, 1).headline.unwrap();
    let can = choice.ranked.iter().filter(|one| one.is_eligible()).count();
    assert_eq!(choose, format!("{can} of {} configurations can be chosen", choice.ranked.len()));
}

#[test]
fn one_stream_has_no_band() {
    let survival = |plan: &str| {
        let ready = ready(plan);
        let page = written(&ready, &found(&ready, 1));
        section(&page, "survival").to_string()
    };
    let one = survival(ALONE);
    assert!(one.contains("class=\"l\"") && one.contains("the one stream has failed"), "{one}");
    for band in ["class=\"band\"", "Shaded", "interval", "class=\"i\""] {
        assert!(!one.contains(band), "{band} in {one}");
    }
    let several = survival(TIGHT);
    assert!(several.contains("class=\"band\"") && several.contains("Shaded: 95 % interval"));
}

/// Words that follow a number in these texts.
const COUNTED: [&str; 22] = [
    "streams",
    "requests",
    "pages",
    "boards",
    "caps",
    "policies",
    "seeds",
    "cells",
    "rows",
    "ops",
    "areas",
    "clients",
    "configurations",
    "workloads",
    "environments",
    "failures",
    "buffers",
    "kinds",
    "files",
    "ranges",
    "orders",
    "refusals",
];

/// Where one is counted as several: `1 streams`, `1 of 1 streams`.
fn wrong_plurals(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, _) in text.match_indices(['1']) {
        let before = text[..at].chars().next_back().unwrap_or(' ');
        let is_part = before.is_alphanumeric() || ".,-<\u{202f}".contains(before);
        let after = text[at + 1..].trim_start_matches("</b>").strip_prefix([' ', '\u{a0}']);
        let Some(after) = after.filter(|_| !is_part) else { continue };
        let word: String = after.chars().take_while(char::is_ascii_alphabetic).collect();
        if COUNTED.contains(&word.as_str()) {
            let from = text[..at].char_indices().rev().nth(30).map_or(0, |(at, _)| at);
            wrong.push(text[from..at + 2 + word.len()].to_string());
        }
    }
    wrong
}

/// The page and the text.
fn everything(ready: &Ready, found: &Findings) -> String {
    let page = written(ready, found);
    Page::read(&page).unwrap_or_else(|why| panic!("{why}"));
    let mut text = Vec::new();
    cma_harness::report::text::write_findings(ready, found, false, &mut text).unwrap();
    page + &String::from_utf8(text).unwrap() + &cma_harness::sweep::emit(ready)
}

#[test]
fn one_is_never_counted_as_several() {
    assert_eq!(wrong_plurals("11 streams, 1 stream, 1 of 2 streams, 1.1 streams").len(), 0);
    assert_eq!(wrong_plurals("of 1 streams; <b>1</b> pages").len(), 2);
    let plans = [
        ALONE.to_string(),
        SMALL.replace("seeds = 8", "seeds = 1"),
        TIGHT.replace("seeds = 4", "seeds = 1").replace("caps = [8, 4]", "caps = [8]"),
        TIGHT.replace("seeds = 4", "seeds = 2").replace("ops = 400", "ops = 1"),
        format!("target = \"mtbf=5min\"\nuntil = \"first-failure\"\n{TIGHT}")
            .replace("seeds = 4", "seeds = 1")
            .replace("ops = 400", "hours = 0.05"),
    ];
    for plan in plans {
        let ready = ready(&plan);
        let all = everything(&ready, &found(&ready, 1));
        let wrong = wrong_plurals(&all);
        assert!(wrong.is_empty(), "{wrong:?} of {plan}");
    }
}

/// What a caption tells to type makes the stream of its cell: it fails at the same request.
#[test]
fn the_line_below_a_map_makes_its_stream() {
    let ready = ready(TIGHT);
    let found = found(&ready, 1);
    let worst = found.worst.as_ref().unwrap();
    let line = stream_command(&ready, &worst.cell).unwrap();
    let page = written(&ready, &found);
    let pictures = section(&page, "pictures");
    let cap = ready.plan.caps[worst.cell.at.cap];
    let view = format!(
        "{line} -o worst.csv &amp;&amp; cmalab view worst.csv --policy kernel --cap {cap} \
         --ranges 0x0:16896 -o worst.html"
    );
    assert!(pictures.contains(&view), "{view} in {pictures}");
    let folder = tempfile::tempdir().unwrap();
    let cmalab = |line: &str| {
        let words = line.strip_prefix("cmalab ").unwrap().split(' ');
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cmalab"));
        let out = command.args(words).current_dir(folder.path()).output().unwrap();
        assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
        out.stdout
    };
    cmalab(&format!("{line} -o worst.csv"));
    let replayed = cmalab(&format!(
        "cmalab replay worst.csv --policy kernel --cap {cap} --ranges 0x0:16896 --format json"
    ));
    let replayed: serde_json::Value = serde_json::from_slice(&replayed).unwrap();
    let first = find(&replayed, "requests_to_first_failure").expect("it says when it fails");
    assert_eq!(first.as_u64(), Some(worst.requests), "{first}");
}

/// The first value of this key, at whatever depth.
fn find<'a>(value: &'a serde_json::Value, key: &str) -> Option<&'a serde_json::Value> {
    match value {
        serde_json::Value::Object(all) => {
            all.get(key).or_else(|| all.values().find_map(|value| find(value, key)))
        }
        serde_json::Value::Array(all) => all.iter().find_map(|value| find(value, key)),
        _ => None,
    }
}
