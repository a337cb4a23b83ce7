//! `cmalab list`: what there is.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::context::{Context, Show};
use super::failure::{Exit, Failure};
use crate::board::CALLERS;
use crate::harm::adversary::ADVERSARIES;
use crate::kernel::KERNELS;
use crate::law::LAWS;
use crate::lint::RULES;
use crate::program::named;
use crate::sweep::KEYS;
use crate::workload::mix;
use crate::{after_failure, environment, ingest, metric, report, workload};

/// What there is, with its parameters.
///
/// Examples:
///   cmalab list policies
///   cmalab list environments --format json
///   cmalab list plan                           # every key of a plan of `cmalab sweep`
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct List {
    /// Which family
    #[arg(value_enum)]
    family: Family,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Family {
    Policies,
    Adversaries,
    Profiles,
    Mixes,
    Environments,
    Callers,
    AfterFailure,
    Laws,
    Lints,
    Metrics,
    Columns,
    Formats,
    Messages,
    Drivers,
    Kernels,
    /// Every key of a plan of a sweep
    Plan,
}

/// Something that can be named.
struct Item {
    name: String,
    about: String,
    /// What else there is to say about it, by name.
    details: Vec<(&'static str, String)>,
    params: &'static [cma_policies::Param],
}

impl Item {
    fn new(name: &str, about: &str) -> Self {
        Self { name: name.to_string(), about: about.to_string(), details: Vec::new(), params: &[] }
    }

    fn with(mut self, key: &'static str, detail: impl Into<String>) -> Self {
        self.details.push((key, detail.into()));
        self
    }
}

/// Prints the family.
///
/// # Errors
/// Where the output takes no more.
pub(super) fn run(args: &List, context: &Context) -> Result<Exit, Failure> {
    context.show(None, &[], &items(args.family, context))?;
    Ok(Exit::Good)
}

/// An item for each of them.
fn each<T>(all: impl IntoIterator<Item = T>, item: impl Fn(T) -> Item) -> Vec<Item> {
    all.into_iter().map(item).collect()
}

fn items(family: Family, context: &Context) -> Vec<Item> {
    match family {
        Family::Policies => each(context.catalog.entries(), |entry| {
            let item = Item::new(entry.name, entry.about).with("source", entry.source);
            Item { params: entry.params, ..item }
        }),
        Family::Adversaries => each(ADVERSARIES, |adversary| {
            Item::new(adversary.name, adversary.about).with("source", adversary.source)
        }),
        Family::Profiles => each(workload::PROFILES, |profile| {
            Item::new(profile.name, profile.about)
                .with("source", profile.source)
                .with("load", profile.default_load.to_string())
                .with("least_load_pages", profile.least_pages.to_string())
                .with("clients", profile.clients.join(", "))
        }),
        Family::Mixes => each(mix::MIXES, |mix| {
            let parts = mix.parts.iter().map(|(name, mib)| format!("{name} {mib}"));
            Item::new(mix.name, mix.about)
                .with("source", mix.source)
                .with("load_mib", mix.parts.iter().map(|(_, mib)| mib).sum::<u64>().to_string())
                .with("parts_mib", parts.collect::<Vec<_>>().join(", "))
        }),
        Family::Environments => each(environment::ENTRIES, |entry| Item {
            params: entry.params,
            ..Item::new(entry.name, entry.about)
        }),
        Family::Callers => each(CALLERS, |caller| {
            let one_page = if caller.skips_one_page { "the page allocator" } else { "the area" };
            Item::new(caller.name, caller.about)
                .with("source", caller.source)
                .with("one_page_from", one_page)
                .with("fallback_pages", caller.fallback_pages.to_string())
        }),
        Family::AfterFailure => each(after_failure::ENTRIES, |entry| Item {
            params: entry.params,
            ..Item::new(entry.name, entry.about)
        }),
        Family::Laws => {
            each(LAWS, |law| Item::new(law.name, law.about).with("binds", law.binds.name))
        }
        Family::Lints => each(RULES, |rule| {
            let item = Item::new(rule.name, rule.about)
                .with("severity", rule.severity.name())
                .with("remedy", named(rule.remedy))
                .with("source", rule.source)
                .with("releases", rule.releases);
            let examples = [("found_in", &rule.fails), ("not_in", &rule.passes)];
            examples.into_iter().fold(item, |item, (key, example)| {
                let text =
                    example.parts().map(|(what, text)| format!("{what}: {}", text.trim_end()));
                item.with(key, text.collect::<Vec<_>>().join("; "))
            })
        }),
        Family::Metrics => each(metric::columns(), |column| {
            Item::new(column.name, column.about).with("unit", column.unit)
        }),
        Family::Columns => each(report::csv::documented(), |column| {
            Item::new(&column.name, &column.about)
                .with("unit", column.unit)
                .with("table", column.table)
        }),
        Family::Formats => {
            let logs = ingest::log::FORMATS.iter().copied().flatten();
            each(ingest::FORMATS.iter().chain(logs), |format| {
                Item::new(format.name, format.about)
                    .with("columns", format.columns)
                    .with("kernels", format.kernels)
                    .with("access", if format.written { "read, written" } else { "read" })
            })
        }
        Family::Messages => each(ingest::log::MESSAGES, |message| {
            let releases = message.releases().unwrap_or_else(|| "any".to_string());
            Item::new(message.name, message.example).with("releases", releases)
        }),
        Family::Drivers => each(ingest::log::SHAPES, |shape| {
            Item::new(shape.name, shape.example)
                .with("asks", shape.asks.about())
                .with("releases", shape.releases)
                .with("source", shape.source)
        }),
        Family::Kernels => each(KERNELS, |kernel| {
            Item::new(kernel.name, kernel.about).with("policy", kernel.policy)
        }),
        Family::Plan => each(KEYS, |key| {
            Item::new(&key.path(), key.about)
                .with("in", key.within.name())
                .with("type", key.takes)
                .with("unit", key.unit)
                .with("default", key.default)
                .with("example", key.example)
        }),
    }
}

impl Show for Vec<Item> {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        for Item { name, about, details, params } in self {
            writeln!(out, "{name}\n    {}", about.replace('\n', "\n    "))?;
            for (key, value) in details {
                writeln!(out, "    {key}: {value}")?;
            }
            for param in *params {
                let (own, kind, default) = (param.name, param.kind, param.default);
                writeln!(out, "    {name}:{own}=… ({kind}; {default})\n        {}", param.about)?;
            }
        }
        Ok(())
    }

    fn json(&self) -> Value {
        self.iter().map(json).collect()
    }

    /// A row for each item, and one for each of its parameters.
    fn csv(&self) -> (String, Vec<Vec<String>>) {
        let mut rows = Vec::new();
        for Item { name, about, details, params } in self {
            let details: Vec<_> =
                details.iter().map(|(key, text)| format!("{key}: {text}")).collect();
            let details = details.join("; ");
            rows.push([name, about, &details, "", "", "", ""].map(String::from).to_vec());
            rows.extend(params.iter().map(|param| {
                let takes = param.kind.to_string();
                let row = [name, "", "", param.name, &takes, param.default, param.about];
                row.map(String::from).to_vec()
            }));
        }
        ("name,about,details,param,takes,default,param_about".to_string(), rows)
    }
}

fn json(item: &Item) -> Value {
    let param = |param: &cma_policies::Param| {
        json!({
            "name": param.name,
            "takes": param.kind.to_string(),
            "default": param.default,
            "about": param.about,
        })
    };
    let params: Vec<_> = item.params.iter().map(param).collect();
    let mut value = json!({ "name": item.name, "about": item.about, "params": params });
    for (key, detail) in &item.details {
        value[*key] = Value::from(detail.as_str());
    }
    value
}
