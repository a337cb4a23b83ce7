//! The mix that is asked for: by name, written out, or out of a file.

use std::io::Read as _;
use std::path::Path;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::sweep::{MixOf, Stream, What, parse, parse_mix, parse_mix_value};
use crate::workload::mix::{MIXES, built_in};

/// Whether `text` means a mix.
pub(super) fn is_mix(text: &str) -> bool {
    built_in(text).is_some() || text.trim_start().starts_with('[') || is_file(text)
}

pub(super) fn is_file(text: &str) -> bool {
    Path::new(text).extension().is_some_and(|end| end.eq_ignore_ascii_case("toml"))
}

/// The names of all mixes, for a message.
pub(super) fn names() -> String {
    MIXES.iter().map(|mix| mix.name).collect::<Vec<_>>().join(", ")
}

/// The mix that `text` means: its name, its parts, or a file of a mix or a plan, of which
/// stream number `stream` is meant.
///
/// # Errors
/// A file that cannot be read, is neither, or has no such mix.
pub(super) fn mix(text: &str, stream: Option<usize>, context: &Context) -> Result<MixOf, Failure> {
    if is_file(text) {
        return of_file(text, stream, context);
    }
    let value = if built_in(text).is_some() { format!("{text:?}") } else { text.to_string() };
    parse_mix_value("MIX", &value).map_err(Failure::because)
}

fn of_file(path: &str, stream: Option<usize>, context: &Context) -> Result<MixOf, Failure> {
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
        return parse_mix(path, &text).map_err(Failure::because);
    }
    let plan = parse(path, &text, &context.catalog).map_err(Failure::because)?;
    of_streams(path, plan.streams, stream)
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
