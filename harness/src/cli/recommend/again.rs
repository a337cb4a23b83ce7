//! One line that makes an answer again.

use std::path::{Component, Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, CommandFactory as _, parser::ValueSource};

use super::super::Cli;
use super::super::context::is_standard;
use super::super::sweep::quote;
use crate::program;

/// Arguments that may be paths.
const PATHS: [&str; 5] = ["inputs", "dts", "cmdline", "config", "snapshot"];
/// Options that do not change the answer, and those that the line always has.
const LEFT_OUT: [&str; 5] = ["out", "time", "ops", "seed", "force"];
/// The folder of the report, which the line names where that says nothing of the machine.
const REPORT: &str = "report";
/// Folders that every board has at the same place.
const OF_KERNEL: [&str; 2] = ["/proc", "/sys"];
/// The share of ops and time that the first part of a search may take: what ended before it is what
/// it would be without an end.
const FIRST_PART: f64 = 0.15;

/// The command line as it was given. What is named by its place on this machine is named from the
/// folder `FROM`, so that the line says nothing of the machine.
pub(super) struct Again {
    words: Vec<String>,
    from: Option<PathBuf>,
}

impl Again {
    /// Of the arguments of the process.
    pub(super) fn new() -> Self {
        Self::of(std::env::args_os()).unwrap_or(Self { words: Vec::new(), from: None })
    }

    fn of(args: impl Iterator<Item = std::ffi::OsString>) -> Option<Self> {
        let command = Cli::command();
        let matches = command.clone().try_get_matches_from(args).ok()?;
        let (name, matches) = matches.subcommand()?;
        let given: Vec<_> = command
            .find_subcommand(name)?
            .get_arguments()
            .filter(|arg| !LEFT_OUT.contains(&arg.get_id().as_str()))
            .map(|arg| (arg, values(arg, matches)))
            .filter(|(_, values)| !values.is_empty())
            .filter(|(arg, values)| {
                arg.get_id() != REPORT || !values.iter().any(|at| is_placed(at))
            })
            .collect();
        let paths = given.iter().filter(|(arg, _)| is_path(arg)).flat_map(|(_, values)| values);
        let from = common(paths.filter(|path| is_placed(path)));
        let mut again = Self { words: Vec::new(), from };
        for (arg, values) in given {
            again.add(arg, &values);
        }
        Some(again)
    }

    fn add(&mut self, arg: &Arg, values: &[String]) {
        let long = arg.get_long().map(|long| format!("--{long}"));
        match arg.get_action() {
            ArgAction::SetTrue => self.words.extend(long),
            _ => {
                for value in values {
                    let word = if is_path(arg) { self.path(value) } else { word(value) };
                    self.words.extend(long.iter().cloned().chain([word]));
                }
            }
        }
    }

    /// A path, or what is none, as a word of a shell.
    fn path(&self, value: &str) -> String {
        let has_from = || self.words.iter().any(|word| word.contains("${FROM"));
        match self.from.as_deref().filter(|_| is_placed(value)) {
            Some(_) if has_from() => format!("\"$FROM\"/{}", quote(&self.hidden(value))),
            Some(_) => {
                let from = "\"${FROM:?the folder with the files of the board}\"";
                format!("{from}/{}", quote(&self.hidden(value)))
            }
            None if is_standard(Some(Path::new(value))) => value.to_string(),
            None => word(value),
        }
    }

    /// `text` with files named from the folder `FROM` on, as in a report.
    pub(super) fn hidden(&self, text: &str) -> String {
        match &self.from {
            Some(from) => text.replace(&format!("{}/", from.display()), ""),
            None => text.to_string(),
        }
    }

    /// Whether `line` makes an answer to the same question again, after a search of any length.
    pub(super) fn is_made_by(&self, line: &str, seed: u64) -> bool {
        let rest = line.strip_prefix(&self.start());
        let rest = rest.and_then(|rest| rest.split_once(" --seed "));
        let named = rest.and_then(|(_, rest)| rest.split([' ', '\n']).next());
        named == Some(seed.to_string().as_str())
    }

    /// The line up to what ends the search.
    fn start(&self) -> String {
        format!("{} recommend {} --ops ", quote(program::name()), self.words.join(" "))
    }

    /// The line. `most` are the ops at which the search was to end, none where time was to end it;
    /// it ran so many, and a share of its time was over then.
    pub(super) fn line(&self, seed: u64, most: Option<u64>, (ran, used): (u64, f64)) -> String {
        let is_whole = most.is_some() || used < FIRST_PART;
        // So many that no part of it ends early.
        let enough = if is_whole { ran.saturating_mul(8) } else { ran };
        let ops = most.unwrap_or(enough).max(1);
        let about = if is_whole { "" } else { "; time ended it: so many ops come near to it" };
        format!(
            "{}{ops} --seed {seed} # cmalab {}{about}\n",
            self.start(),
            env!("CARGO_PKG_VERSION")
        )
    }
}

/// A word for a shell, such as `mtbf=1d`.
fn word(text: &str) -> String {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && quote(key) == key && quote(value) == value => {
            text.to_string()
        }
        _ => quote(text),
    }
}

/// What was given for `arg`, as one value or several; a flag is its own.
fn values(arg: &Arg, matches: &ArgMatches) -> Vec<String> {
    let id = arg.get_id().as_str();
    if matches.value_source(id) != Some(ValueSource::CommandLine) {
        return Vec::new();
    }
    let raw = matches.get_raw(id).into_iter().flatten();
    let all: Vec<_> = raw.map(|value| value.to_string_lossy().into_owned()).collect();
    match arg.get_value_delimiter() {
        Some(between) => vec![all.join(&between.to_string())],
        None if matches!(arg.get_action(), ArgAction::SetTrue) => vec![String::new()],
        None => all,
    }
}

fn is_path(arg: &Arg) -> bool {
    PATHS.contains(&arg.get_id().as_str())
}

/// Whether it names a place on this machine.
fn is_placed(value: &str) -> bool {
    let path = Path::new(value);
    path.is_absolute() && !OF_KERNEL.iter().any(|folder| path.starts_with(folder))
}

/// The deepest folder that all of these are in.
fn common<'a>(paths: impl Iterator<Item = &'a String>) -> Option<PathBuf> {
    let parents = paths.filter_map(|path| Path::new(path).parent());
    parents.fold(None, |common: Option<PathBuf>, parent| {
        let Some(common) = common else { return Some(parent.to_path_buf()) };
        let both = common.components().zip(parent.components());
        let same = both.take_while(|(one, other)| one == other);
        Some(same.map(|(part, _): (Component<'_>, _)| part).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(args: &str) -> String {
        let args = format!("cmalab recommend {args}");
        let again = Again::of(args.split(' ').map(Into::into)).unwrap();
        again.line(1, Some(7), (3, 0.0))
    }

    #[test]
    fn it_has_what_was_given_but_for_the_machine_and_the_output() {
        let end = format!("--ops 7 --seed 1 # cmalab {}\n", env!("CARGO_PKG_VERSION"));
        let table = [
            ("camera --mib 64 --time 9s --report /elsewhere/x -q", "camera --mib 64"),
            ("a/b.txt --weight 1 --leave x --leave y", "a/b.txt --weight 1 --leave x --leave y"),
            ("camera gpu --weight 2,3 --no-patch", "camera gpu --weight 2,3 --no-patch"),
            (
                "/home/me/b/t.txt /home/me/c/d.txt --dts /proc/device-tree",
                "\"${FROM:?the folder with the files of the board}\"/b/t.txt \"$FROM\"/c/d.txt \
                 --dts /proc/device-tree",
            ),
            ("- --split $x --format json", "- --split '$x'"),
            ("gpu --target mtbf=1d --leave a=$b", "gpu --target mtbf=1d --leave 'a=$b'"),
        ];
        for (args, words) in table {
            let words: Vec<_> = words.split(' ').collect();
            let found = line(args);
            let found = found.strip_prefix("cmalab recommend ").unwrap();
            let found = found.strip_suffix(&end).unwrap_or_else(|| panic!("{found}"));
            // The order is that of the options in the help.
            let mut found: Vec<_> = found.split_whitespace().collect();
            let mut words: Vec<_> = words.into_iter().collect();
            found.sort_unstable();
            words.sort_unstable();
            assert_eq!(found, words, "{args}");
        }
    }

    #[test]
    fn an_answer_to_the_same_question_is_known_by_its_line() {
        let again = Again { words: vec!["camera".to_string()], from: None };
        let line = again.line(3, Some(7), (3, 0.0));
        assert!(again.is_made_by(&line, 3) && !again.is_made_by(&line, 33));
        let longer = Again { words: vec!["camera --mib 64".to_string()], from: None };
        assert!(!longer.is_made_by(&line, 3) && !again.is_made_by("", 3));
    }

    #[test]
    fn a_search_that_time_did_not_end_is_made_again_by_ops() {
        let again = Again { words: vec!["camera".to_string()], from: None };
        assert!(again.line(1, None, (100, 0.01)).contains("--ops 800 "));
        let cut = again.line(1, None, (100, 0.5));
        assert!(cut.contains("--ops 100 ") && cut.contains("; time ended it"), "{cut}");
    }
}
