//! The mix that is asked for: by name, written out, or out of a file.

use std::io::Read as _;
use std::path::Path;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::sweep::parse_plan;
use crate::page::Page;
use crate::sweep::{MixOf, Stream, What, parse_mix, parse_mix_value};
use crate::workload::mix::built_in;

/// Whether `text` means a mix.
pub(in crate::cli) fn is_mix(text: &str) -> bool {
    built_in(text).is_some() || text.trim_start().starts_with('[') || is_file(text)
}

pub(super) fn is_file(text: &str) -> bool {
    Path::new(text).extension().is_some_and(|end| end.eq_ignore_ascii_case("toml"))
}

/// A mix, and the size of a page where that is stated.
pub(in crate::cli) type Paged = (MixOf, Option<Page>);

/// The mix that `text` means: its name, its parts, or a file of a mix or a plan, of which
/// stream number `stream` is meant. Of a plan pages have the size that it says, else `page`.
///
/// # Errors
/// A file that cannot be read, is neither, or has no such mix; a size of pages beside a plan.
pub(in crate::cli) fn mix(
    text: &str,
    stream: Option<usize>,
    page: Option<Page>,
    context: &Context,
) -> Result<Paged, Failure> {
    if is_file(text) {
        return of_file(text, stream, page, context);
    }
    let value = if built_in(text).is_some() { format!("{text:?}") } else { text.to_string() };
    let mix = parse_mix_value("MIX", &value, page.unwrap_or_default()).map_err(Failure::because)?;
    Ok((mix, page))
}

fn of_file(
    path: &str,
    stream: Option<usize>,
    page: Option<Page>,
    context: &Context,
) -> Result<Paged, Failure> {
    let fail = |error| Failure::because(format_args!("read {path}: {error}"));
    let mut text = String::new();
    std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text)).map_err(fail)?;
    let is_plan =
        toml::from_str::<toml::Table>(&text).is_ok_and(|table| !table.contains_key("mix"));
    if !is_plan {
        if stream.is_some() {
            let why = format_args!("take --stream: {path} is one mix and no plan");
            return Err(Failure::because(why));
        }
        let mix = parse_mix(path, &text, page.unwrap_or_default()).map_err(Failure::because)?;
        return Ok((mix, page));
    }
    if page.is_some() {
        let why = "take --page-kib beside a plan, which states the size of its pages as page_kib";
        return Err(Failure::because(why));
    }
    let plan = parse_plan(path, &text, context)?;
    let page = plan.is_page_stated.then_some(plan.page);
    Ok((of_streams(path, plan.streams, stream)?, page))
}

/// The mix among the streams of a plan.
fn of_streams(path: &str, streams: Vec<Stream>, number: Option<usize>) -> Result<MixOf, Failure> {
    let mixes = (1..).zip(streams).filter_map(|(number, stream)| match stream.what {
        What::Mix(mix) => Some((number, mix)),
        _ => None,
    });
    let mut mixes: Vec<(usize, MixOf)> = mixes.collect();
    let numbers: Vec<_> = mixes.iter().map(|(number, _)| number.to_string()).collect();
    let there = match numbers.len() {
        0 => "no stream of the plan is a mix".to_string(),
        1 => format!("its mix is stream {}", numbers[0]),
        _ => format!("its mixes are streams {}", numbers.join(", ")),
    };
    let at = match number {
        Some(number) => mixes.iter().position(|(own, _)| *own == number),
        None => (mixes.len() == 1).then_some(0),
    };
    match (at, number) {
        (Some(at), _) => Ok(mixes.swap_remove(at).1),
        (None, Some(number)) => {
            Err(Failure::because(format_args!("take stream {number} of {path} for a mix: {there}")))
        }
        (None, None) => {
            let hint = if mixes.is_empty() { "" } else { "; choose one with --stream N" };
            Err(Failure::because(format_args!("take a mix from {path}: {there}{hint}")))
        }
    }
}
