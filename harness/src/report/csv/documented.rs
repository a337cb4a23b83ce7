//! What every column of the tables is. The headers are made of this.

use crate::answer::{CLASS_NAMES, RATES};
use crate::cause::Cause;
use crate::metric::{Column, cause_column, columns};
use crate::sweep::disk::{INPUTS, LATER_INPUTS, first_measured};

/// A column of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Documented {
    /// The file.
    pub table: &'static str,
    /// The name.
    pub name: String,
    /// The unit: `pages`, `share`, `requests`, `us` …; `text` is a name, `number` has none.
    pub unit: &'static str,
    /// What it is.
    pub about: String,
}

/// Every column of every table of a report, table by table, in order.
#[must_use]
pub fn documented() -> Vec<Documented> {
    [cells(), summary(), sizing()].concat()
}

/// Collects columns of one table.
struct List {
    table: &'static str,
    columns: Vec<Documented>,
}

impl List {
    fn push(&mut self, name: impl Into<String>, unit: &'static str, about: impl Into<String>) {
        let (table, name, about) = (self.table, name.into(), about.into());
        self.columns.push(Documented { table, name, unit, about });
    }

    /// An input of a cell.
    fn input(&mut self, name: &str) {
        let (unit, about) = input(name);
        self.push(name, unit, about);
    }

    fn metric(&mut self, column: &Column) {
        self.push(column.name, column.unit, column.about);
    }

    /// The ends of an interval and how it was made.
    fn interval(&mut self, name: &str, unit: &'static str, of: &str) {
        let end = |which: &str| format!("{which} end of the 95 % interval of {of}; empty: open");
        self.push(format!("{name}_low"), unit, end("lower"));
        self.push(format!("{name}_high"), unit, end("upper"));
        let about = "how the interval was made; bca-or-t: the wider of both at each end, nominal: of \
                     few streams with rare and uneven values the upper end is too low; one-stream: \
                     one stream has none; anytime-…: it holds although the sweep stopped early; \
                     …-of-stopped: it does not allow for that";
        self.push(format!("{name}_method"), "text", about);
    }

    fn mean(&mut self, name: &str, about: &str) {
        self.push(format!("{name}_mean"), "share", format!("mean over streams. {about}"));
        self.interval(name, "share", "that mean");
    }
}

/// What the inputs of a cell are.
fn input(name: &str) -> (&'static str, &'static str) {
    match name {
        "schema" => ("number", "version of the columns"),
        "plan" => ("text", "name of the plan"),
        "cell" => ("number", "number of the cell in the plan, from 0 on"),
        "stream" => ("text", "name of the stream: a profile, a file, a recording"),
        "profile" => (
            "text",
            "the profile; `model` where it is drawn from what was fitted to a file; empty where a \
             file is run as it is",
        ),
        "load" => ("share", "LOAD that was asked for, of the pages of all areas"),
        "area_pages" => ("pages", "pages of all areas of the board"),
        "base_pfn" => ("number", "first page frame of the default area"),
        "order_per_bit" => ("number", "of the default area"),
        "cap" => ("number", "CONFIG_CMA_ALIGNMENT: the largest order a DMA request is aligned to"),
        "policy" => ("text", "the policy that is compared"),
        "environment" => ("text", "the model of the pages"),
        "after_failure" => ("text", "what a caller does whose request was refused"),
        "seed" => ("number", "what the stream was made from"),
        "board" => ("text", "name of the board; empty where the stream states its area"),
        "aligned" => ("text", "whether the policy promises aligned grants"),
        "fit_distance" => (
            "share",
            "how far streams drawn from a fit are from its file, 0 alike to 1 nothing in common",
        ),
        _ => unreachable!("an input of a cell that is not described: {name}"),
    }
}

fn cells() -> Vec<Documented> {
    let mut list = List { table: "cells.csv", columns: Vec::new() };
    let measured: Vec<_> = columns().collect();
    let (first, later) = measured.split_at(first_measured());
    INPUTS.into_iter().for_each(|name| list.input(name));
    first.iter().for_each(|column| list.metric(column));
    LATER_INPUTS.into_iter().for_each(|name| list.input(name));
    later.iter().for_each(|column| list.metric(column));
    list.columns
}

/// The columns of `summary.csv`.
pub(super) fn summary() -> Vec<Documented> {
    let mut list = List { table: "summary.csv", columns: Vec::new() };
    // The distance of the fit came later: it stands at the end.
    let elsewhere = ["cell", "seed", "fit_distance"];
    let inputs = INPUTS.into_iter().chain(LATER_INPUTS).filter(|name| !elsewhere.contains(name));
    inputs.for_each(|name| list.input(name));
    list.push("streams", "streams", "streams: one for each seed");
    list.push("requests", "requests", "requests of all streams");
    for cause in Cause::ALL {
        list.push(cause_column(cause), "requests", "requests refused for this cause");
    }
    for name in RATES {
        let column = columns().find(|column| column.name == name);
        list.mean(name, column.map_or("", |column| column.about));
    }
    list.mean(
        "withheld_per_satisfiable_minus_baseline",
        "R2 minus that of the kernel's policy, stream by stream: how the same callers fare from \
         the first request on, not how both answer in one state",
    );
    let first = "number of the first refused request (R5)";
    list.push(
        "requests_to_first_failure_median",
        "requests",
        format!("median over streams: {first}"),
    );
    list.interval("requests_to_first_failure", "requests", "that median");
    list.push("streams_failed", "streams", "streams with a refused request");
    list.interval("streams_failed_share", "share", "the share of such streams");
    rename(&mut list, "streams_failed_share_method", "streams_failed_method");
    let test = "p of the test whether streams with a refused request are as frequent as under the \
                kernel's policy: McNemar's, exact; a mixture martingale where the sweep stopped early";
    list.push("mcnemar_p", "number", test);
    let holm = "the same, corrected (Holm) for all policies of this configuration that are \
                compared with the kernel's; not for the configurations of the plan";
    list.push("mcnemar_p_holm", "number", holm);
    let about = "median over streams with a refused request: pages in use then";
    list.push("utilisation_at_first_failure_median", "share", about);
    list.push("load_measured_mean", "share", "mean over streams: measured LOAD of all pages");
    let about = "size classes, in pages, of which it refuses more than the kernel's policy, or \
                 more with enough pages free: a rate over all sizes may hide that";
    list.push("worse_in_classes", "text", about);
    later_of_summary(&mut list);
    list.input("fit_distance");
    time_of_summary(&mut list);
    list.columns
}

/// A column that had its name before the others of its kind.
fn rename(list: &mut List, from: &str, to: &str) {
    if let Some(column) = list.columns.iter_mut().find(|column| column.name == from) {
        column.name = to.to_string();
    }
}

/// What came when rows had been written already.
fn later_of_summary(list: &mut List) {
    for class in CLASS_NAMES {
        let of = |what: &str| format!("requests of so many pages{what}, of all streams");
        list.push(format!("requests_{class}"), "requests", of(""));
        list.push(format!("refused_{class}"), "requests", of(" that were refused"));
        list.push(format!("withheld_{class}"), "requests", of(" refused with enough pages free"));
    }
    let unserved = "in which some caller did not get its memory, from an area or elsewhere";
    list.push("streams_unserved", "streams", format!("streams {unserved}"));
    list.interval("streams_unserved_share", "share", "the share of such streams");
    let earliest =
        "of the stream that fails first: number of the request that its caller did not get";
    list.push("requests_to_first_unserved_least", "requests", earliest);
    list.push("requests_to_first_unserved_least_seed", "number", "its seed");
    list.push("load_max_pages_mean", "pages", "mean over streams: measured LOAD");
    list.push("load_max_pages_most", "pages", "the largest measured LOAD of a stream");
    let about = "mean over streams: aligned LOAD, below which no policy can serve them";
    list.push("aligned_load_max_pages_mean", "pages", about);
    let about = "streams whose aligned LOAD does not fit: no placement policy can help";
    list.push("streams_structural", "streams", about);
    list.push("unserved", "requests", "requests that their callers did not get, of all streams");
    list.push("fell_back", "requests", "requests that the page allocator served, of all streams");
    let latency = "of a model of the pages; requests that made a claim";
    list.push("latency_p50_us_median", "us", format!("median over streams, {latency}"));
    list.push("latency_p99_us_median", "us", format!("median over streams, {latency}"));
    list.push("latency_max_us", "us", format!("the largest of all streams, {latency}"));
    list.push("migrated_pages", "pages", "pages that were migrated, of all streams: of that model");
}

/// What streams say about board time: empty where they have none.
fn time_of_summary(list: &mut List) {
    let first = "the first request that its caller did not get";
    list.push("board_time_h", "h", "board time of all streams");
    let whole = "streams that were run to their end: board time of the";
    list.push("board_time_h_least", "h", format!("{whole} shortest"));
    list.push("board_time_h_most", "h", format!("{whole} longest"));
    list.push("at_risk_h", "h", format!("board time of all streams until {first}"));
    let about = "MTBF that is exceeded with 95 % (one-sided, exact): at risk and streams_unserved, \
                 where the hazard is constant";
    list.push("mtbf_h_low", "h", about);
    let name = "time_to_first_unserved_h";
    let about = format!("time until half of all streams had {first} (Kaplan and Meier)");
    list.push(format!("{name}_median"), "h", about);
    list.interval(&format!("{name}_median"), "h", "that median");
    let about = format!("mean time until {first}, restricted to board_time_h_most: no MTBF");
    list.push(format!("{name}_restricted_mean"), "h", about);
    list.interval(&format!("{name}_restricted_mean"), "h", "that restricted mean");
    let about = "requests that their callers did not get, all of them, in a day of board time; \
                 empty where streams were ended at their first failure";
    list.push("unserved_per_day", "requests", about);
    list.interval("unserved_per_day", "requests", "that rate, streams as clusters");
    let about = "one-sided p of: the hazard of first failures does not rise with age";
    list.push("hazard_rises_p", "number", about);
    let about = "streams that were ended at their first failure: rates over their length are empty; \
                 where the plan says so, those over moments (R4, R6) are in any case";
    list.push("streams_ended_early", "streams", about);
    list.push("stream_ops", "ops", "ops of all streams that were run");
    let about = "whether the race ended it before its last seed: it cannot be the answer";
    list.push("dropped", "boolean", about);
}

/// The columns of `sizing.csv`.
pub(super) fn sizing() -> Vec<Documented> {
    let mut list = List { table: "sizing.csv", columns: Vec::new() };
    for name in ["schema", "plan", "stream", "cap", "policy", "environment", "after_failure"] {
        list.input(name);
    }
    list.push("load_max_pages_mean", "pages", "mean over streams: measured LOAD");
    let about = "mean over streams: aligned LOAD, below which no policy can serve them";
    list.push("aligned_load_max_pages_mean", "pages", about);
    list.input("board");
    list.input("area_pages");
    list.push("area_per_load", "number", "pages of all areas / mean LOAD");
    list.push("streams", "streams", "streams: one for each seed");
    let unserved = "streams in which some caller did not get its memory";
    list.push("streams_unserved", "streams", unserved);
    list.interval("streams_unserved_share", "share", "the share of such streams");
    let about = "streams whose aligned LOAD does not fit: no placement policy can help";
    list.push("streams_structural", "streams", about);
    let least = "area / LOAD from which on a stream passes at every size that was tried (the same \
                 in each row of a ladder of sizes)";
    list.push("least_area_per_load_median", "number", format!("median over streams: {least}"));
    list.interval("least_area_per_load_median", "number", "that median");
    list.push("least_area_per_load_q95", "number", format!("95 % quantile over streams: {least}"));
    list.interval("least_area_per_load_q95", "number", "that quantile");
    let about = "streams that pass at every size: their least may be smaller still";
    list.push("streams_at_smallest", "streams", about);
    list.push("streams_above_largest", "streams", "streams that fail at the largest size");
    let about =
        "pairs of a stream and a size at which it fails although it passes at a smaller one";
    list.push("anomalies", "number", about);
    let about = "area / LOAD that suffices for every stream with such a largest request n, by \
                 theorem: 1 + ceil(log2 n), first-fit without alignment; empty: none is known";
    list.push("certified_area_per_load", "number", about);
    list.columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_a_table_has_its_own_name_and_a_text() {
        let all = documented();
        for column in &all {
            let same = all.iter().filter(|o| (o.table, &o.name) == (column.table, &column.name));
            assert_eq!(same.count(), 1, "{column:?}");
            assert!(!column.about.is_empty() && !column.unit.is_empty(), "{column:?}");
        }
        assert!(all.iter().any(|column| column.table == "sizing.csv"));
    }
}
