//! Policies by name: `zoned:share=0.25,order=8` means the same everywhere.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use crate::area::Area;
use crate::error::BuildError;
use crate::policy::Policy;

/// The name of the policy that every other one is compared with: the kernel's own.
pub const BASELINE: &str = "kernel";

/// Bytes below this pick a parameter's default, and those from it on a value.
const DEFAULTS: u8 = 64;
/// How many bytes pick a value.
const PICKS: u8 = u8::MAX - DEFAULTS + 1;

/// What values a parameter takes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// A whole number from `min` to `max`.
    Int {
        /// Least.
        min: u64,
        /// Most.
        max: u64,
    },
    /// A decimal number from `min` to `max`.
    Float {
        /// Least.
        min: f64,
        /// Most.
        max: f64,
    },
    /// `true` or `false`.
    Bool,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl Kind {
    /// The one way to write this value, where the parameter takes it.
    fn canonical(self, value: &str) -> Option<String> {
        match self {
            Self::Int { min, max } => {
                value.parse().ok().filter(|n: &u64| (min..=max).contains(n)).map(|n| n.to_string())
            }
            Self::Float { min, max } => {
                value.parse().ok().filter(|x: &f64| (min..=max).contains(x)).map(|x| x.to_string())
            }
            Self::Bool => matches!(value, "true" | "false").then(|| value.to_string()),
            Self::Choice(words) => words.contains(&value).then(|| value.to_string()),
        }
    }

    /// The words that it takes, where it takes words.
    fn words(self) -> Vec<&'static str> {
        match self {
            Self::Int { .. } | Self::Float { .. } => Vec::new(),
            Self::Bool => ["true", "false"].to_vec(),
            Self::Choice(words) => words.to_vec(),
        }
    }

    /// The value that a number below [`PICKS`] picks: of whole numbers the first few as often as
    /// all others, because most areas are too small for an order of 60.
    fn picked(self, number: u8) -> String {
        let last = u64::from(PICKS - 1);
        let half = u64::from(number / 2);
        match self {
            Self::Int { min, max } if number.is_multiple_of(2) => {
                (min + half % 6).min(max).to_string()
            }
            Self::Int { min, max } => {
                let whole = u128::from(last / 2);
                let above = u128::from(max - min) * u128::from(half * half) / (whole * whole);
                (min + above as u64).to_string()
            }
            Self::Float { min, max } => {
                (min + (max - min) * f64::from(number) / last as f64).to_string()
            }
            Self::Bool => (number % 2 == 1).to_string(),
            Self::Choice(words) => words[usize::from(number) % words.len()].to_string(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Float { min, max } => write!(f, "a number from {min} to {max}"),
            Self::Bool => write!(f, "true or false"),
            Self::Choice(words) => write!(f, "one of {}", words.join(", ")),
        }
    }
}

/// A parameter of a policy.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Param {
    /// Its key.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it is where it is not given.
    pub default: &'static str,
    /// What it does, in one line, with the unit.
    pub about: &'static str,
}

type Text = &'static str;

impl Param {
    /// A [`Kind::Int`] in this range.
    pub const fn int(name: Text, range: RangeInclusive<u64>, default: Text, about: Text) -> Self {
        let kind = Kind::Int { min: *range.start(), max: *range.end() };
        Self { name, kind, default, about }
    }

    /// A [`Kind::Float`] in this range.
    pub const fn float(name: Text, range: RangeInclusive<f64>, default: Text, about: Text) -> Self {
        let kind = Kind::Float { min: *range.start(), max: *range.end() };
        Self { name, kind, default, about }
    }

    /// A [`Kind::Bool`].
    pub const fn bool(name: Text, default: Text, about: Text) -> Self {
        Self { name, kind: Kind::Bool, default, about }
    }

    /// A [`Kind::Choice`] of these words.
    pub const fn choice(name: Text, words: &'static [Text], default: Text, about: Text) -> Self {
        Self { name, kind: Kind::Choice(words), default, about }
    }
}

/// Makes a policy for an area, with every parameter given or at its default.
pub type Build = fn(Area, &Params) -> Result<Box<dyn Policy>, BuildError>;

/// A policy that can be asked for by name.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name: lower case, words joined by `-`.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Where the algorithm comes from: file and version, or paper.
    pub source: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// Makes one.
    pub build: Build,
}

/// The parameters of a policy, checked, with all defaults filled in.
#[derive(Clone, Debug)]
pub struct Params {
    values: Vec<(&'static Param, String)>,
}

impl Params {
    /// The parameters after the first colon of `text`, which is `name` or
    /// `name:key=value,key=value`. Errors say whose they are: `owner` is "policy zoned", say.
    ///
    /// # Errors
    /// An unknown key, a key given twice, or a value that the parameter does not take.
    pub fn parse(owner: &str, params: &'static [Param], text: &str) -> Result<Self, SpecError> {
        let (name, rest) = match text.split_once(':') {
            Some((name, rest)) => (name, Some(rest)),
            None => (text, None),
        };
        let error = |at, why, known| SpecError { text: text.to_string(), at, why, known };
        let mut given: Vec<Option<String>> = params.iter().map(|_| None).collect();
        let mut at = name.len() + 1;
        for pair in rest.into_iter().flat_map(|rest| rest.split(',')) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(index) = params.iter().position(|param| param.name == key) else {
                let keys: Vec<_> = params.iter().map(|param| param.name).collect();
                let allowed = if keys.is_empty() { "none".to_string() } else { keys.join(", ") };
                let why = format!("{owner} has no parameter \"{key}\"; it has {allowed}");
                return Err(error(at, why, keys));
            };
            let param = &params[index];
            if given[index].is_some() {
                let why = format!("parameter {key} of {owner} is given twice");
                return Err(error(at, why, Vec::new()));
            }
            let Some(value) = param.kind.canonical(value) else {
                let why =
                    format!("parameter {key} of {owner} is \"{value}\"; it takes {}", param.kind);
                return Err(error(at + key.len() + 1, why, param.kind.words()));
            };
            given[index] = Some(value);
            at += pair.len() + 1;
        }
        let values = params
            .iter()
            .zip(given)
            .map(|(param, value)| (param, value.unwrap_or_else(|| param.default.to_string())))
            .collect();
        Ok(Self { values })
    }

    fn text(&self, name: &str) -> &str {
        let found = self.values.iter().find(|(param, _)| param.name == name);
        &found.unwrap_or_else(|| panic!("the entry has no parameter {name}")).1
    }

    /// A [`Kind::Int`].
    ///
    /// # Panics
    /// Here and below: where the entry has no such parameter of that kind.
    pub fn int(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or_else(|_| panic!("{name} is not of kind Int"))
    }

    /// A [`Kind::Float`].
    pub fn float(&self, name: &str) -> f64 {
        self.text(name).parse().unwrap_or_else(|_| panic!("{name} is not of kind Float"))
    }

    /// A [`Kind::Bool`].
    pub fn bool(&self, name: &str) -> bool {
        self.text(name).parse().unwrap_or_else(|_| panic!("{name} is not of kind Bool"))
    }

    /// A [`Kind::Choice`].
    pub fn choice(&self, name: &str) -> &str {
        self.text(name)
    }
}

/// A policy with its parameters, ready to be built for any number of areas.
///
/// It prints as its name, with the parameters that differ from their defaults in the order of the
/// entry: two specs that mean the same print the same.
#[derive(Clone, Debug)]
pub struct Spec {
    entry: Entry,
    params: Params,
}

impl Spec {
    /// The entry it was made from.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The parameters, defaults included.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// A fresh policy for `area`.
    ///
    /// # Errors
    /// Where these parameters make no policy on this area.
    pub fn build(&self, area: Area) -> Result<Box<dyn Policy>, BuildError> {
        (self.entry.build)(area, &self.params)
    }

    /// Whether it is the baseline with every parameter at its default.
    pub fn is_baseline(&self) -> bool {
        self.to_string() == BASELINE
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry.name)?;
        let given = self.params.values.iter().filter(|(param, value)| value != param.default);
        for (index, (param, value)) in given.enumerate() {
            let lead = if index == 0 { ':' } else { ',' };
            write!(f, "{lead}{}={value}", param.name)?;
        }
        Ok(())
    }
}

/// Why a text names no policy: what is wrong with it and what is allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpecError {
    /// The text.
    pub text: String,
    /// Byte of the text at which it went wrong.
    pub at: usize,
    /// What is wrong there, and what is allowed.
    pub why: String,
    /// The words that are allowed there; none where it is no word that is missed.
    pub known: Vec<&'static str>,
}

impl SpecError {
    /// The word that went wrong.
    pub fn word(&self) -> &str {
        self.text.get(self.at..).and_then(|rest| rest.split([':', ',', '=']).next()).unwrap_or("")
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl core::error::Error for SpecError {}

/// The policies that can be asked for: the built-in ones, then a stranger's.
#[derive(Clone, Debug)]
pub struct Catalog {
    entries: Vec<Entry>,
}

impl Catalog {
    /// A catalog of these entries. Of two with one name the later one counts.
    pub fn new(entries: &[Entry]) -> Self {
        Self { entries: Vec::new() }.with(entries)
    }

    /// This catalog and these entries.
    pub fn with(mut self, entries: &[Entry]) -> Self {
        for entry in entries {
            self.entries.retain(|old| old.name != entry.name);
            self.entries.push(*entry);
        }
        self
    }

    /// The entries, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The policy that `text` names: `name` or `name:key=value,key=value`.
    ///
    /// # Errors
    /// An unknown name or key, a key given twice, or a value that the parameter does not take.
    pub fn parse(&self, text: &str) -> Result<Spec, SpecError> {
        let name = text.split_once(':').map_or(text, |(name, _)| name);
        let Some(entry) = self.entries.iter().find(|entry| entry.name == name) else {
            let names: Vec<_> = self.entries.iter().map(|entry| entry.name).collect();
            let why = format!("no policy is named \"{name}\"; there are {}", names.join(", "));
            return Err(SpecError { text: text.to_string(), at: 0, why, known: names });
        };
        let params = Params::parse(&format!("policy {name}"), entry.params, text)?;
        Ok(Spec { entry: *entry, params })
    }

    /// The policy that some bytes pick: entry number `which`, modulo how many there are, and for
    /// each parameter in turn one of `knobs`, where a missing one and those below 64 are its
    /// default: together the parameters of most policies have to make sense. Total.
    ///
    /// # Panics
    /// If the catalog is empty.
    pub fn picked(&self, which: u8, knobs: &[u8]) -> Spec {
        let entry = self.entries[usize::from(which) % self.entries.len()];
        let knobs = knobs.iter().copied().chain(core::iter::repeat(0));
        let value = |(param, knob): (&'static Param, u8)| {
            let picked = knob.checked_sub(DEFAULTS).map(|number| param.kind.picked(number));
            let taken = picked.and_then(|value| param.kind.canonical(&value));
            (param, taken.unwrap_or_else(|| param.default.to_string()))
        };
        let values = entry.params.iter().zip(knobs).map(value).collect();
        Spec { entry, params: Params { values } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: Entry = Entry {
        name: "toy",
        about: "for tests",
        source: "none",
        params: &[
            Param { name: "n", kind: Kind::Int { min: 1, max: 9 }, default: "3", about: "" },
            Param {
                name: "x",
                kind: Kind::Float { min: 0.0, max: 1.0 },
                default: "0.5",
                about: "",
            },
            Param { name: "on", kind: Kind::Bool, default: "false", about: "" },
        ],
        build: |_, _| Err(BuildError::NoRange),
    };

    fn why(text: &str) -> (usize, String) {
        let error = Catalog::new(&[ENTRY]).parse(text).expect_err(text);
        (error.at, error.why)
    }

    #[test]
    fn a_spec_prints_what_differs_from_the_defaults_in_the_entry_s_order() {
        let catalog = Catalog::new(&[ENTRY]);
        for (text, canonical) in [
            ("toy", "toy"),
            ("toy:n=3", "toy"),
            ("toy:on=true,n=4", "toy:n=4,on=true"),
            ("toy:x=0.25", "toy:x=0.25"),
            ("toy:x=0.250,n=+04", "toy:n=4,x=0.25"),
            ("toy:x=.50,n=03", "toy"),
        ] {
            let spec = catalog.parse(text).unwrap();
            assert_eq!(spec.to_string(), canonical);
            assert_eq!(catalog.parse(canonical).unwrap().to_string(), canonical);
        }
        assert_eq!(catalog.parse("toy:n=7").unwrap().params().int("n"), 7);
    }

    #[test]
    fn bytes_pick_policies_and_every_value_that_they_take() {
        let catalog = Catalog::new(&[ENTRY, Entry { name: "other", params: &[], ..ENTRY }]);
        let picked = |which, knobs: &[u8]| catalog.picked(which, knobs).to_string();
        assert_eq!(picked(0, &[]), "toy");
        assert_eq!(picked(3, &[7]), "other");
        assert_eq!(picked(2, &[64, 255, 65]), "toy:n=1,x=1,on=true");
        // The third of the first six; then 1 + 8 * 48 * 48 / (95 * 95).
        assert_eq!(picked(0, &[68, 64, 64]), "toy:x=0");
        assert_eq!(picked(0, &[64 + 97, 0, 0]), "toy");
        assert_eq!(picked(0, &[63, 63, 63]), "toy");
        let values: Vec<_> = (64..=255).map(|byte| picked(0, &[byte])).collect();
        assert!(
            (1..=9).all(
                |n| values.contains(&catalog.parse(&format!("toy:n={n}")).unwrap().to_string())
            )
        );
        for byte in 0..=255 {
            let text = picked(0, &[byte, byte, byte]);
            assert_eq!(catalog.parse(&text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_what_is_allowed() {
        assert_eq!(why("top"), (0, "no policy is named \"top\"; there are toy".into()));
        assert_eq!(why("toy:m=1").0, 4);
        assert_eq!(why("toy:"), (4, "policy toy has no parameter \"\"; it has n, x, on".into()));
        let (at, text) = why("toy:n=10");
        assert_eq!((at, text.contains("from 1 to 9")), (6, true));
        assert_eq!(why("toy:n=1,n=2").0, 8);
        let missed = |text: &str| {
            let error = Catalog::new(&[ENTRY]).parse(text).expect_err(text);
            (error.word().to_string(), error.known)
        };
        assert_eq!(missed("top:n=1"), ("top".to_string(), ["toy"].to_vec()));
        assert_eq!(missed("toy:n=1,m=2"), ("m".to_string(), ["n", "x", "on"].to_vec()));
        assert_eq!(missed("toy:on=yes,n=1"), ("yes".to_string(), ["true", "false"].to_vec()));
        assert_eq!(missed("toy:n=10"), ("10".to_string(), Vec::new()));
        assert_eq!(why("toy:x=nan").0, 6);
        assert_eq!(why("toy:on=yes").0, 7);
    }
}
