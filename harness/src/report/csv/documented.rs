//! What every column of the tables is, out of `columns.tsv`. The headers are made of this.

use crate::metric::{Column, columns};
use crate::sweep::disk::first_measured;

/// A row for each column, but for those of metrics and of intervals; its head says how it is read.
const COLUMNS: &str = include_str!("columns.tsv");

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

/// How intervals are made.
const METHOD: &str = "how the interval was made; bca-or-t: the wider of both at each end, nominal: \
                      of few streams with rare and uneven values the upper end is too low; \
                      one-stream: one stream has none; anytime-…: it holds although the sweep \
                      stopped early; …-of-stopped: it does not allow for that";

/// Every column of every table of a report, table by table, in order.
pub fn documented() -> Vec<Documented> {
    let measured: Vec<_> = columns().collect();
    let (first, later) = measured.split_at(first_measured());
    let mut all: Vec<Documented> = Vec::new();
    for line in COLUMNS.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split('\t');
        let [table, name, unit, about] = [(); 4].map(|()| fields.next().unwrap_or_default());
        let one = |name: &str, unit: &'static str, about: &str| Documented {
            table,
            name: name.to_string(),
            unit,
            about: about.to_string(),
        };
        let metric = |column: &&Column| one(column.name, column.unit, column.about);
        match (name, name.split_once('*')) {
            ("(first metrics)", _) => all.extend(first.iter().map(metric)),
            ("(later metrics)", _) => all.extend(later.iter().map(metric)),
            (_, Some((name, method))) => {
                let end =
                    |end: &str| format!("{end} end of the 95 % interval of {about}; empty: open");
                let method =
                    if method.is_empty() { format!("{name}method") } else { method.to_string() };
                all.push(one(&format!("{name}low"), unit, &end("lower")));
                all.push(one(&format!("{name}high"), unit, &end("upper")));
                all.push(one(&method, "text", METHOD));
            }
            _ if unit.is_empty() => {
                let known = all.iter().find(|column| column.name == name).cloned();
                all.extend(known.map(|known| Documented { table, ..known }));
            }
            _ => {
                let metric = name.strip_suffix("_mean");
                let metric = measured.iter().find(|column| Some(column.name) == metric);
                let own = metric.map_or("", |column| column.about);
                all.push(one(name, unit, &about.replace('…', own)));
            }
        }
    }
    all
}

/// The columns of one table.
pub(super) fn columns_of(table: &str) -> impl Iterator<Item = Documented> {
    documented().into_iter().filter(move |column| column.table == table)
}

/// The names of the columns of one table, without a line end.
pub(in crate::report) fn header(table: &str) -> String {
    columns_of(table).map(|column| column.name).collect::<Vec<_>>().join(",")
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
