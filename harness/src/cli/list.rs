//! `cmalab list`: what there is.

use std::io::Write;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::context::{Context, Format};
use super::failure::{Exit, Failure};
use crate::{environment, ingest};

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
    Environments,
    Formats,
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

fn items(family: Family, context: &Context) -> Vec<Item> {
    match family {
        Family::Policies => context
            .catalog
            .entries()
            .iter()
            .map(|entry| Item {
                name: entry.name.to_string(),
                about: entry.about.to_string(),
                details: vec![("source", entry.source.to_string())],
                params: entry.params,
            })
            .collect(),
        Family::Environments => environment::ENTRIES
            .iter()
            .map(|entry| Item {
                name: entry.name.to_string(),
                about: entry.about.to_string(),
                details: Vec::new(),
                params: entry.params,
            })
            .collect(),
        Family::Formats => ingest::FORMATS
            .iter()
            .map(|format| Item {
                name: format.name.to_string(),
                about: format.about.to_string(),
                details: vec![
                    ("columns", format.columns.to_string()),
                    ("access", (if format.written { "read, written" } else { "read" }).to_string()),
                ],
                params: &[],
            })
            .collect(),
    }
}

fn text(items: &[Item], out: &mut dyn Write) -> std::io::Result<()> {
    for Item { name, about, details, params } in items {
        writeln!(out, "{name}\n    {about}")?;
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

/// A row for each item without parameters, and one for each parameter.
fn csv(items: &[Item], out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "name,about,param,takes,default,param_about")?;
    let quote = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    for item in items {
        let lead = format!("{},{}", item.name, quote(&item.about));
        if item.params.is_empty() {
            writeln!(out, "{lead},,,,")?;
        }
        for param in item.params {
            let (takes, about) = (quote(&param.kind.to_string()), quote(param.about));
            writeln!(out, "{lead},{},{takes},{},{about}", param.name, quote(param.default))?;
        }
    }
    Ok(())
}
