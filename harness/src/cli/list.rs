//! `cmalab list`: what there is.

use std::io::Write;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::context::{Context, Format};
use super::failure::{Exit, Failure};
use crate::board::CALLERS;
use crate::harm::adversary::ADVERSARIES;
use crate::kernel::KERNELS;
use crate::law::LAWS;
use crate::words::csv;
use crate::workload::mix;
use crate::{after_failure, environment, ingest, metric, report, workload};

/// What there is, with its parameters.
///
/// Examples:
///   cmalab list policies
///   cmalab list environments --format json
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
    Metrics,
    Columns,
    Formats,
    Messages,
    Kernels,
}

/// Something that can be named.
struct Item {
    name: String,
    about: String,
    /// What else there is to say about it, by name.
    details: Vec<(&'static str, String)>,
    params: &'static [cma_policies::Param],
}

/// Prints the family.
///
/// # Errors
/// Where the output takes no more.
pub(super) fn run(args: &List, context: &Context) -> Result<Exit, Failure> {
    let items = items(args.family, context);
    context.output(None, |out| {
        match context.format {
            Format::Text => text(&items, out)?,
            Format::Json => {
                let list: Vec<_> = items.iter().map(json).collect();
                writeln!(out, "{:#}", Value::from(list))?;
            }
            Format::Csv => csv(&items, out)?,
        }
        Ok(())
    })?;
    Ok(Exit::Good)
}

fn item(name: &str, about: &str, details: &[(&'static str, &str)]) -> Item {
    let details = details.iter().map(|(key, text)| (*key, (*text).to_string())).collect();
    Item { name: name.to_string(), about: about.to_string(), details, params: &[] }
}

fn items(family: Family, context: &Context) -> Vec<Item> {
    match family {
        Family::Policies => {
            let entries = context.catalog.entries().iter();
            let source = |entry: &cma_policies::Entry| {
                let item = item(entry.name, entry.about, &[("source", entry.source)]);
                Item { params: entry.params, ..item }
            };
            entries.map(source).collect()
        }
        Family::Adversaries => ADVERSARIES
            .iter()
            .map(|adversary| item(adversary.name, adversary.about, &[("source", adversary.source)]))
            .collect(),
        Family::Profiles => workload::PROFILES
            .iter()
            .map(|profile| {
                let (load, least) = (profile.default_load, profile.least_pages);
                let (load, least) = (load.to_string(), least.to_string());
                let clients = profile.clients.join(", ");
                let details = [
                    ("source", profile.source),
                    ("load", &load),
                    ("least_load_pages", &least),
                    ("clients", &clients),
                ];
                item(profile.name, profile.about, &details)
            })
            .collect(),
        Family::Mixes => mix::MIXES
            .iter()
            .map(|mix| {
                let parts = mix.parts.iter().map(|(name, mib)| format!("{name} {mib}"));
                let parts = parts.collect::<Vec<_>>().join(", ");
                let load = mix.parts.iter().map(|(_, mib)| mib).sum::<u64>().to_string();
                let details = [("source", mix.source), ("load_mib", &load), ("parts_mib", &parts)];
                item(mix.name, mix.about, &details)
            })
            .collect(),
        Family::Environments => environment::ENTRIES
            .iter()
            .map(|entry| Item { params: entry.params, ..item(entry.name, entry.about, &[]) })
            .collect(),
        Family::Callers => CALLERS
            .iter()
            .map(|caller| {
                let one_page =
                    if caller.skips_one_page { "the page allocator" } else { "the area" };
                let fallback = caller.fallback_pages.to_string();
                let details = [
                    ("source", caller.source),
                    ("one_page_from", one_page),
                    ("fallback_pages", fallback.as_str()),
                ];
                item(caller.name, caller.about, &details)
            })
            .collect(),
        Family::AfterFailure => after_failure::ENTRIES
            .iter()
            .map(|entry| Item { params: entry.params, ..item(entry.name, entry.about, &[]) })
            .collect(),
        Family::Laws => LAWS
            .iter()
            .map(|law| item(law.name, law.about, &[("binds", law.binds.name())]))
            .collect(),
        Family::Metrics => metric::columns()
            .map(|column| item(column.name, column.about, &[("unit", column.unit)]))
            .collect(),
        Family::Columns => report::csv::documented()
            .iter()
            .map(|column| {
                let details = [("unit", column.unit), ("table", column.table)];
                item(&column.name, &column.about, &details)
            })
            .collect(),
        Family::Formats => ingest::FORMATS
            .iter()
            .chain(ingest::log::FORMATS.iter().copied().flatten())
            .map(|format| {
                let access = if format.written { "read, written" } else { "read" };
                let details =
                    [("columns", format.columns), ("kernels", format.kernels), ("access", access)];
                item(format.name, format.about, &details)
            })
            .collect(),
        Family::Messages => ingest::log::MESSAGES
            .iter()
            .map(|message| {
                let releases = message.releases().unwrap_or_else(|| "any".to_string());
                item(message.name, message.example, &[("releases", &releases)])
            })
            .collect(),
        Family::Kernels => KERNELS
            .iter()
            .map(|kernel| item(kernel.name, kernel.about, &[("policy", kernel.policy)]))
            .collect(),
    }
}

fn text(items: &[Item], out: &mut dyn Write) -> std::io::Result<()> {
    for Item { name, about, details, params } in items {
        writeln!(out, "{name}\n    {}", about.replace('\n', "\n    "))?;
        for (key, value) in details {
            writeln!(out, "    {key}: {value}")?;
        }
        for param in *params {
            let (kind, default) = (param.kind, param.default);
            writeln!(
                out,
                "    {name}:{}=… ({kind}; {default})\n        {}",
                param.name, param.about
            )?;
        }
    }
    Ok(())
}

fn json(item: &Item) -> Value {
    let params: Vec<_> = item
        .params
        .iter()
        .map(|param| {
            json!({
                "name": param.name,
                "takes": param.kind.to_string(),
                "default": param.default,
                "about": param.about,
            })
        })
        .collect();
    let mut value = json!({ "name": item.name, "about": item.about, "params": params });
    for (key, detail) in &item.details {
        value[*key] = Value::from(detail.as_str());
    }
    value
}

/// A row for each item, and one for each of its parameters.
fn csv(items: &[Item], out: &mut dyn Write) -> std::io::Result<()> {
    let mut rows = Vec::new();
    for Item { name, about, details, params } in items {
        let details: Vec<_> = details.iter().map(|(key, text)| format!("{key}: {text}")).collect();
        rows.push([name, about, &details.join("; "), "", "", "", ""].map(String::from));
        rows.extend(params.iter().map(|param| {
            let takes = param.kind.to_string();
            [name, "", "", param.name, &takes, param.default, param.about].map(String::from)
        }));
    }
    csv::table(out, "name,about,details,param,takes,default,param_about", &rows)
}
