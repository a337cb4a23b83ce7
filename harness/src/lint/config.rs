//! A kernel configuration.

use std::collections::BTreeMap;

use super::Place;
use crate::boot::At;

/// So many options are those of a whole configuration: one of a small board has a thousand.
const WHOLE: usize = 200;

/// What a configuration sets, without `CONFIG_`.
#[derive(Clone, Default, Debug)]
pub struct Config {
    options: BTreeMap<String, (String, At)>,
    lines: usize,
}

impl Config {
    /// Reads a line. Whether it is one of a configuration.
    pub(super) fn line(&mut self, text: &str, at: &At) -> bool {
        let option = text.strip_prefix("CONFIG_").and_then(|rest| rest.split_once('='));
        let unset = || Some((text.strip_prefix("# CONFIG_")?.strip_suffix(" is not set")?, "n"));
        let Some((name, value)) = option.or_else(unset) else { return false };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !name.bytes().all(is_name) {
            return false;
        }
        self.lines += 1;
        self.options.insert(name.to_string(), (value.trim_matches('"').to_string(), at.clone()));
        true
    }

    /// Sets an option to a value, as a line that is read later does.
    pub(super) fn set(&mut self, line: &str) {
        let at = At { source: "the change".into(), line: 1 };
        self.line(line, &at);
    }

    /// Whether no option is known.
    pub fn is_empty(&self) -> bool {
        self.options.is_empty()
    }

    /// Whether an option is set: none where that is not known.
    pub fn is_set(&self, name: &str) -> Option<bool> {
        let known = self.options.get(name).map(|(value, _)| matches!(&**value, "y" | "m"));
        // Where options that it depends on are not set, an option is not in the file.
        known.or((self.lines >= WHOLE).then_some(false))
    }

    /// The number that an option has.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.options.get(name)?.0.parse().ok()
    }

    /// The line of an option, else the file.
    pub(super) fn place(&self, name: &str) -> Option<Place> {
        let first = || self.options.values().next().map(|(_, at)| Place::whole(&at.source));
        self.options.get(name).map(|(_, at)| Place::at(at)).or_else(first)
    }
}
