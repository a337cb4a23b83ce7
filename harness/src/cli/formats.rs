//! Which formats each command writes.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, ValueEnum};

use super::context::Format::{self, Csv, Html, Json, Sarif, Text};

/// The table: a command, and what it writes. The first one is its default.
const FORMATS: &[(&str, &[Format])] = &[
    ("collect", &[Text]),
    ("completions", &[Text]),
    ("diagnose", &[Text, Json, Csv, Html]),
    // A stream is CSV, which people read too.
    ("generate", &[Text, Csv]),
    ("lint", &[Text, Json, Csv, Sarif]),
    ("man", &[Text]),
    ("recommend", &[Text, Json, Csv, Html]),
    ("replay", &[Text, Json, Csv, Html]),
    // The page comes beside what is printed.
    ("view", &[Text, Json, Csv, Html]),
];

/// What every other command writes.
const OTHERS: &[Format] = &[Text, Json, Csv];

/// The option that this room is about.
const FORMAT: &str = "format";

fn of(command: &str) -> &'static [Format] {
    let row = FORMATS.iter().find(|(name, _)| *name == command);
    row.map_or(OTHERS, |(_, formats)| formats)
}

/// `cli` with a `--format` for each of its commands that takes, and shows in its help, what that
/// command writes.
pub(super) fn of_each(cli: Command) -> Command {
    cli.mut_subcommands(|command| {
        let formats = of(command.get_name());
        let arg = Arg::new(FORMAT).long(FORMAT).value_name("FORMAT").value_parser(Written(formats));
        command.arg(arg.help("How results are written").default_value(word(formats[0])))
    })
}

/// That what stands before the command is one of its formats too.
///
/// # Errors
/// Where it is not.
pub(super) fn check(matches: &ArgMatches) -> Result<(), clap::Error> {
    let Some(command) = matches.subcommand_name() else { return Ok(()) };
    let is_given = matches.value_source(FORMAT) == Some(ValueSource::CommandLine);
    match matches.get_one::<Format>(FORMAT) {
        Some(format) if is_given && !of(command).contains(format) => {
            Err(clap::Error::raw(ErrorKind::InvalidValue, refusal(command, *format)))
        }
        _ => Ok(()),
    }
}

/// Why a command does not write this, and which do.
fn refusal(command: &str, format: Format) -> String {
    let own: Vec<_> = of(command).iter().map(|format| word(*format)).collect();
    let others = FORMATS.iter().filter(|(_, formats)| formats.contains(&format));
    let others: Vec<_> = others.map(|(name, _)| *name).collect();
    let (own, word) = (listed(&own), word(format));
    if OTHERS.contains(&format) {
        return format!("failed to write {word}: {command} writes {own}\n");
    }
    let others = listed(&others);
    format!("failed to write {word}: {command} writes {own}; {word} is written by {others}\n")
}

/// `text, json and csv`.
fn listed(words: &[&str]) -> String {
    match words {
        [but @ .., last] if !but.is_empty() => format!("{} and {last}", but.join(", ")),
        one => one.concat(),
    }
}

fn word(format: Format) -> &'static str {
    match format {
        Text => "text",
        Json => "json",
        Csv => "csv",
        Html => "html",
        Sarif => "sarif",
    }
}

/// Takes these formats.
#[derive(Clone)]
struct Written(&'static [Format]);

impl TypedValueParser for Written {
    type Value = Format;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Format, clap::Error> {
        let format = value.to_str().and_then(|text| Format::from_str(text, false).ok());
        match format {
            Some(format) if self.0.contains(&format) => Ok(format),
            Some(format) => {
                let why = refusal(command.get_name(), format);
                Err(clap::Error::raw(ErrorKind::InvalidValue, why).with_cmd(command))
            }
            // Its message has the words, and the nearest.
            None => {
                let words = PossibleValuesParser::new(self.0.iter().copied().map(word));
                words.parse_ref(command, arg, value).map(|_| self.0[0])
            }
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().filter_map(Format::to_possible_value)))
    }
}
