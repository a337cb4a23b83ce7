//! The tables, and what is said of their columns.

use std::collections::BTreeSet;

use cma_harness::report::csv::{
    cells_header, documented, sizing_header, summary_header, write_sizing, write_summary,
};

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
