//! Whether what a board asks of areas is what its kernel does: rules over a device tree, a command
//! line, a kernel configuration, a boot log and a trace.
//!
//! ```text
//! Tree, texts ─► Board (facts) ─► RULES ─► Finding, each with its rule and its place
//!                                    └────► Area: what this kernel makes of each that is asked for
//! ```
//! A rule is one row with all of it: what is wrong, the remedy, where in the kernel, and an example
//! that it finds and one that it passes.

mod area;
mod board;
mod change;
mod config;
mod place;
mod pool;
mod reach;
mod rule;
mod step;
#[cfg(test)]
mod tests;
mod trace;

use std::sync::Arc;

pub use area::{Area, Asker};
pub use board::{Board, Given};
pub use config::Config;
pub use pool::{Numbers, Pool};
pub use rule::RULES;
pub use step::Steps;
pub use trace::{Times, Trace};

use crate::program;

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// The kernel does not do what is asked: it refuses, replaces or passes over it.
    Error,
    /// It does, and trouble is likely.
    Warning,
    /// It does something else than it looks like, which mostly does not matter.
    Note,
}

impl Severity {
    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A rule of the kernel.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// How bad it is at its worst.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub about: &'static str,
    /// What cures it, in one line.
    pub remedy: &'static str,
    /// The function and the file of the kernel.
    pub source: &'static str,
    /// The releases that it holds for.
    pub releases: &'static str,
    /// What it finds something in.
    pub fails: Example,
    /// The same without that.
    pub passes: Example,
    check: fn(&Board, &mut Findings),
}

/// What a rule looks at; each may be empty.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// What `/reserved-memory` has beside its nodes.
    pub reserved: &'static str,
    /// Its nodes.
    pub nodes: &'static str,
    /// Devices beside it.
    pub devices: &'static str,
    /// The memory: address and size, two cells each.
    pub memory: &'static str,
    /// The command line.
    pub cmdline: &'static str,
    /// Lines of the configuration.
    pub config: &'static str,
    /// Lines of a log or a trace.
    pub text: &'static str,
    /// The kernel.
    pub kernel: &'static str,
}

impl Example {
    /// Nothing, of a board with 1 GiB and the kernel that most boards have.
    const NONE: Self = Self {
        reserved: "#address-cells = <2>;\n#size-cells = <2>;\nranges;\n",
        nodes: "",
        devices: "",
        memory: "0 0x40000000 0 0x40000000",
        cmdline: "",
        config: "",
        text: "",
        kernel: "6.12-arm64",
    };

    /// These in `/reserved-memory`.
    const fn of_nodes(nodes: &'static str) -> Self {
        Self { nodes, ..Self::NONE }
    }

    /// What of it is not empty, with what it is.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, String)> {
        let all = [
            ("device tree", self.dts().unwrap_or_default()),
            ("command line", self.cmdline.to_string()),
            ("configuration", self.config.to_string()),
            ("text", self.text.to_string()),
        ];
        all.into_iter().filter(|(_, text)| !text.is_empty())
    }

    /// The whole `.dts`, where there is a tree.
    pub fn dts(&self) -> Option<String> {
        let node = |name: &str, inner: &str| {
            let lines: String = inner.lines().map(|line| format!("    {line}\n")).collect();
            format!("{name} {{\n{lines}}};\n")
        };
        let memory = format!("device_type = \"memory\";\nreg = <{}>;\n", self.memory);
        let memory = node("memory@40000000", &memory);
        let reserved = node("reserved-memory", &[self.reserved, self.nodes].concat());
        let cells = "#address-cells = <2>;\n#size-cells = <2>;\n";
        let root = node("/", &[cells, &memory, &reserved, self.devices].concat());
        (!self.nodes.is_empty()).then(|| format!("/dts-v1/;\n{root}"))
    }
}

/// Where something is written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The file or the folder, as it was named.
    pub file: Arc<str>,
    /// The line, where it is known.
    pub line: Option<u64>,
    /// The path of the node.
    pub node: Option<String>,
    /// The property.
    pub property: Option<String>,
}

/// What a rule found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is here.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// What is wrong, with the numbers.
    pub message: String,
    /// What cures it, with the numbers.
    pub remedy: String,
}

/// What the rules found so far, and what that makes of the areas.
#[derive(Debug)]
struct Findings {
    rule: &'static Rule,
    all: Vec<Finding>,
    areas: Vec<Area>,
}

impl Findings {
    /// As bad as the rule is at its worst.
    fn add(&mut self, place: Place, message: impl Into<String>, remedy: impl Into<String>) {
        self.add_as(self.rule.severity, place, message, remedy);
    }

    fn add_as(
        &mut self,
        severity: Severity,
        place: Place,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (message, remedy) = (message.into(), program::named(&remedy.into()).into_owned());
        self.all.push(Finding { rule: self.rule, severity, place, message, remedy });
    }

    /// The area of a node, unless another rule has said what becomes of it.
    fn open(&mut self, pool: &Pool) -> Option<&mut Area> {
        self.areas.iter_mut().find(|area| area.is_of(pool) && area.outcome == area::PLACED)
    }

    /// What becomes of the area of a node.
    fn becomes(&mut self, pool: &Pool, outcome: &'static str) {
        let rule = self.rule.name;
        if let Some(area) = self.open(pool) {
            (area.outcome, area.rule) = (outcome, Some(rule));
        }
    }

    /// What becomes of what was not asked for by a node.
    fn asker_becomes(&mut self, asker: Asker, outcome: &'static str) {
        let rule = self.rule.name;
        let is_it = |area: &&mut Area| area.asker == asker && area.outcome == area::PLACED;
        if let Some(area) = self.areas.iter_mut().find(is_it) {
            (area.outcome, area.rule) = (outcome, Some(rule));
        }
    }
}

/// All that the rules say.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was found, by place and then as the rules are listed.
    pub findings: Vec<Finding>,
    /// What this kernel makes of each area that is asked for.
    pub areas: Vec<Area>,
    /// What was not stated and is taken to be so.
    pub taken: Vec<String>,
}

impl Report {
    /// How many are so bad.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// Holds a board against every rule.
pub fn lint(board: &Board) -> Report {
    let mut found = Findings { rule: RULES[0], all: Vec::new(), areas: area::asked(board) };
    for rule in RULES {
        found.rule = rule;
        (rule.check)(board, &mut found);
    }
    let Findings { all: mut findings, mut areas, .. } = found;
    area::default_of_config(board, &mut areas);
    // Of one place, in the order of the rules.
    findings
        .sort_by(|one, other| one.severity.cmp(&other.severity).then(one.place.cmp(&other.place)));
    Report { findings, areas, taken: board.taken() }
}

/// `33 MiB`, `32772 KiB`, `17 bytes`.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        _ if bytes > 0 && bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes > 0 && bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => crate::words::counted(bytes, "byte"),
    }
}
