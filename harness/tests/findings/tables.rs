//! The tables, and what is said of their columns.

use std::collections::BTreeSet;

use cma_harness::report::csv::{
    documented, sizing_header, summary_header, write_sizing, write_summary,
};
use cma_harness::sweep::disk::cells_header;

use super::{ladder, of, ready};

#[test]
fn every_row_has_every_column_and_every_column_is_described() {
    let ready = ready(&ladder("gpu", &[64, 96], "seeds = 2\npolicies = [\"kernel\"]"));
    let (_, found) = of(&ready);
    let mut tables = [Vec::new(), Vec::new()];
    write_summary(&ready, &found.summary, &mut tables[0]).unwrap();
    write_sizing(&ready, &found.sizing, &mut tables[1]).unwrap();
    for (table, rows) in tables.into_iter().zip([2, 2]) {
        let text = String::from_utf8(table).unwrap();
        let widths: BTreeSet<_> = text.lines().map(|line| line.split(',').count()).collect();
        assert_eq!(widths.len(), 1, "{text}");
        assert_eq!(text.lines().count(), 1 + rows, "{text}");
    }
    let headers = [
        ("cells.csv", cells_header()),
        ("summary.csv", summary_header()),
        ("sizing.csv", sizing_header()),
    ];
    for (table, header) in headers {
        let described = documented().into_iter().filter(|column| column.table == table);
        let names: Vec<_> = described.map(|column| column.name).collect();
        assert_eq!(names, header.split(',').collect::<Vec<_>>(), "{table}");
    }
}

#[test]
fn the_columns_of_the_first_version_stand_where_they_stood() {
    let header = summary_header();
    let first = "schema,plan,stream,profile,load,area_pages,base_pfn,order_per_bit,cap,policy,\
                 environment,after_failure,board,aligned,streams,requests,too_large,exhausted,";
    assert!(header.starts_with(first), "{header}");
    let last = ",streams_failed,streams_failed_share_low,streams_failed_share_high,\
                streams_failed_method,mcnemar_p,mcnemar_p_holm,\
                utilisation_at_first_failure_median,load_measured_mean,worse_in_classes,\
                requests_1_16,";
    assert!(header.contains(last), "{header}");
}

#[test]
fn a_plan_that_may_stop_early_is_told_by_what_holds_at_any_time() {
    let text = "seeds = 40\nstop = { failed_share = 0.5 }\npolicies = [\"kernel\", \"buddy\"]";
    let ready = ready(&ladder("gpu", &[64, 160], text));
    let (_, found) = of(&ready);
    for row in &found.summary.rows {
        assert!(row.stopped && row.streams < 40, "{row:?}");
        assert_eq!(row.failed_interval.method, "anytime-beta-binomial");
        let interval = row.failed_interval;
        assert!(interval.low > Some(0.5) || interval.high < Some(0.5), "{interval:?}");
        // Wider than the one for a number of streams that was fixed.
        let fixed = cma_harness::stats::share_interval(row.failed, row.streams);
        assert!(interval.high >= fixed.high && interval.low <= fixed.low, "{interval:?}");
        // What does not allow for it says so.
        for other in row.rates.map(|rate| rate.interval).iter().chain([&row.first_failure_interval])
        {
            let says = ["-of-stopped", "anytime-", "too-few-streams", "no-value"];
            assert!(says.iter().any(|word| other.method.contains(word)), "{other:?}");
        }
    }
    let headline = super::said(&ready, &found);
    assert!(headline.notes.iter().any(|note| note.contains("stopped early")), "{headline:?}");
    // The bound for all candidates at once is one that holds at any time too.
    let chosen = &headline.ranked[headline.chosen.unwrap()];
    let all = headline.ranked.len();
    let bound = cma_harness::stats::anytime::share_interval_of(0, chosen.streams, all);
    let text = format!("the streams allow {:.1} %", bound.high.unwrap() * 100.0);
    assert!(headline.notes.iter().any(|note| note.contains(&text)), "{text}: {headline:?}");
}

#[test]
fn ladders_of_boards_of_several_kinds_are_told_apart() {
    let two = "[[boards]]\nname = \"two-96\"\nareas = [{ mib = 64 }, { name = \"gpu\", mib = 32, \
               clients = [\"x\"] }]\n[[boards]]\nname = \"two-128\"\nareas = [{ mib = 96 }, { name = \
               \"gpu\", mib = 32, clients = [\"x\"] }]\n";
    let plan = ladder("gpu", &[64, 96], "seeds = 2\npolicies = [\"kernel\"]\ncaps = [0]");
    let ready = ready(&plan.replacen("[[streams]]", &format!("{two}[[streams]]"), 1));
    let (_, found) = of(&ready);
    assert_eq!(found.sizing.len(), 2);
    let mut text = Vec::new();
    cma_harness::report::text::write_findings(&ready, &found, false, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(" boards m064 to m096 ") && text.contains(" boards two-96 to two-128 "));
    // A theorem is one of a single area, where every claim succeeds.
    assert!(found.sizing[0].certified_per_load.is_some());
    assert!(found.sizing[1].certified_per_load.is_none());
    let busy = super::ready(&plan.replacen(
        "caps = [0]",
        "caps = [0]\nenvironments = [\"pinned:share=0.01\"]",
        1,
    ));
    assert!(of(&busy).1.sizing[0].certified_per_load.is_none());
}
