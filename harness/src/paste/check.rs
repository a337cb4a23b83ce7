//! Whether `dtc` and the rules of `lint` take what is to be pasted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::text::source;
use super::{Paste, Wanted};
use crate::lint::{Board, Finding, Report, Severity, lint};
use crate::tree::{Compiled, Tree, has_dtc};

/// What was checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Checked {
    /// `dtc` compiles the tree with the fragment, warns of nothing new, each area has the bytes that
    /// are wanted, `lint` finds nothing new, and the way back gives the tree that was: what was
    /// compiled.
    Held(String),
    /// These are wrong.
    Failed(Vec<String>),
    /// Nothing was, and why.
    Not(String),
}

impl Default for Checked {
    fn default() -> Self {
        Self::Not("it was not asked for".to_string())
    }
}

pub(super) fn checked(board: &Board, paste: &Paste) -> Checked {
    let line = paste.cmdline.as_ref().map(|line| &*line.after);
    let Some(fragment) = &paste.fragment else {
        let after = board.with(None, line, &paste.config);
        let wrong = newly_found(&lint(board), &lint(&after));
        return held("the command line and the configuration".to_string(), wrong);
    };
    let Some(tree) = &board.tree else {
        return Checked::Not("there is no device tree".to_string());
    };
    if !tree.is_whole {
        let why = "the tree is what `collect` gathers, not all of it: give /proc/device-tree, the \
                   .dtb or the .dts";
        return Checked::Not(why.to_string());
    }
    if !has_dtc() {
        let why = "`dtc` is not installed; `apt install device-tree-compiler` installs it";
        return Checked::Not(why.to_string());
    }
    let base = Base::of(tree);
    match base.wrong(board, paste, fragment) {
        Ok(wrong) => held(base.what, wrong),
        Err(why) => Checked::Not(why),
    }
}

fn held(what: String, wrong: Vec<String>) -> Checked {
    if wrong.is_empty() { Checked::Held(what) } else { Checked::Failed(wrong) }
}

/// What the fragment is appended to.
struct Base {
    text: String,
    folder: PathBuf,
    /// In words.
    what: String,
}

impl Base {
    fn of(tree: &Tree) -> Self {
        match tree.text() {
            Some((path, text)) => {
                Self { text, what: format!("{} with the fragment", path.display()), folder: path }
            }
            None => Self {
                text: source(tree),
                what: format!("{} as a source, with the fragment", tree.source),
                folder: PathBuf::from("."),
            },
        }
    }

    fn with(&self, parts: &[&str]) -> Result<Compiled, String> {
        let text = std::iter::once(&*self.text).chain(parts.iter().copied());
        Compiled::of(&self.folder, &text.collect::<Vec<_>>().join("\n"))
    }

    /// What is wrong with the fragment.
    ///
    /// # Errors
    /// Where the tree cannot be compiled as it is.
    fn wrong(&self, board: &Board, paste: &Paste, fragment: &str) -> Result<Vec<String>, String> {
        let before = self.with(&[])?;
        let after = match self.with(&[fragment]) {
            Ok(after) => after,
            Err(why) => return Ok(vec![why]),
        };
        let mut wrong = newly(&before.warnings, &after.warnings);
        let (old, tree) = (flat(&before), flat(&after));
        let (Some(old), Some(tree)) = (old, tree) else {
            return Ok(vec!["what dtc writes cannot be read".to_string()]);
        };
        let line = paste.cmdline.as_ref().map(|line| &*line.after);
        let now = board.with(Some(tree), line, &paste.config);
        wrong.extend(off(&now, paste));
        // Without what a log says of the boot before.
        let was = board.with(Some(old.clone()), None, &[]);
        wrong.extend(newly_found(&lint(&was), &lint(&now)));
        if let Some(back) = &paste.back_fragment {
            wrong.extend(self.not_back(&old, fragment, back));
        }
        if let Some(overlay) = &paste.overlay {
            match Compiled::of(Path::new("."), overlay) {
                Ok(done) => wrong.extend(done.warnings),
                Err(why) => wrong.push(why),
            }
        }
        Ok(wrong)
    }

    /// What is not as it was after the way back.
    fn not_back(&self, old: &Tree, fragment: &str, back: &str) -> Vec<String> {
        let new = match self.with(&[fragment, back]) {
            Ok(done) => flat(&done),
            Err(why) => return vec![format!("the way back: {why}")],
        };
        let same = new.is_some_and(|new| properties(&new) == properties(old));
        if same { Vec::new() } else { vec!["the way back gives another tree".to_string()] }
    }
}

fn flat(compiled: &Compiled) -> Option<Tree> {
    Tree::flat("the compiled tree", &compiled.blob).ok()
}

/// Every property of every node, whatever their order.
fn properties(tree: &Tree) -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
    let node = |(id, node): (_, &crate::tree::Node)| {
        let properties = node.properties.iter().map(|own| (own.name.clone(), own.value.clone()));
        (tree.path(id), properties.collect())
    };
    tree.nodes().map(node).collect()
}

/// Lines of the second list that are not in the first, each as often as it is there.
fn newly(before: &[String], after: &[String]) -> Vec<String> {
    let mut before = before.to_vec();
    let mut after = after.to_vec();
    after.retain(|line| match before.iter().position(|old| old == line) {
        Some(at) => {
            before.swap_remove(at);
            false
        }
        None => true,
    });
    after
}

/// What of the change is not in the tree.
fn off(board: &Board, paste: &Paste) -> Vec<String> {
    let is_by_line = |name: &str| name == "reserved";
    let has = |wanted: &&Wanted| {
        let mut pools = board.pools.iter();
        pools.any(|pool| pool.name == wanted.name && pool.bytes() == Some(wanted.bytes))
    };
    let nodes = paste.areas.iter().filter(|wanted| !is_by_line(&wanted.name));
    let wrong = nodes.filter(|wanted| !has(wanted));
    let wrong = wrong.map(|wanted| format!("{} has not the bytes that are wanted", wanted.name));
    let is_wanted = |name: &str| paste.areas.iter().any(|wanted| wanted.name == name);
    let areas = lint(board).areas.into_iter();
    let lost = areas.filter(|area| is_wanted(&area.name) && !area.has_memory());
    let lost = lost.map(|area| {
        let why = area.rule.map_or(String::new(), |rule| format!(" ({rule})"));
        format!("the kernel makes no area of {}{why}", area.name)
    });
    wrong.chain(lost).collect()
}

/// Errors and warnings of the second report that are not in the first.
fn newly_found(before: &Report, after: &Report) -> Vec<String> {
    let key = |found: &Finding| (found.rule.name, found.severity, found.place.node.clone());
    let before: Vec<_> = before.findings.iter().map(key).collect();
    let bad = after.findings.iter().filter(|found| found.severity <= Severity::Warning);
    let new = bad.filter(|found| !before.contains(&key(found)));
    new.map(|found| format!("{}: {}", found.rule.name, found.message)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::lint::Given;
    use crate::paste::{Change, paste};

    /// Each thing that can be wrong is found.
    #[test]
    fn a_text_that_is_wrong_fails() {
        if !has_dtc() {
            println!("skipped: dtc is not installed (apt install device-tree-compiler)");
            return;
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/boots/dtb/two.dtb");
        let tree =
            Tree::flat("two.dtb", &fs::read(path).expect("it is there")).expect("it is whole");
        let kernel = Some("6.12-arm64".to_string());
        let board = Board::read(Given { tree: Some(tree), kernel, ..Given::default() });
        let board = board.expect("it is read");
        let wanted = Wanted { name: "vpu_pool".into(), bytes: 28 << 20, ..Wanted::default() };
        let good = paste(&board, &Change { areas: vec![wanted], cap: None }).expect("it fits");
        assert_eq!(good.checked, Checked::Held("two.dtb as a source, with the fragment".into()));
        let fragment = |change: &dyn Fn(&str) -> String| {
            let text = good.fragment.as_deref().map(change);
            checked(&board, &Paste { fragment: text, ..good.clone() })
        };
        let back = Some("&vpu_pool { size = <0x0 0x1600000>; };".to_string());
        let overlay = Some("/dts-v1/; /plugin/; &{/} { foo@1 { }; };".to_string());
        for (found, why) in [
            (fragment(&|text| text.replace("0x1c00000", "0x1b00000")), "size-off-step"),
            (fragment(&|text| text.replace("0x1c00000", "0x1a00000")), "has not the bytes"),
            (fragment(&|text| text.replace("};", "}")), "syntax error"),
            (fragment(&|text| format!("{text}/ {{ foo@1 {{ }}; }};")), "unit_address_vs_reg"),
            (fragment(&|text| text.replace("size", "status = \"disabled\"; size")), "has not the"),
            (fragment(&|text| text.replace("size", "no-map; size")), "makes no area of vpu_pool"),
            (checked(&board, &Paste { back_fragment: back, ..good.clone() }), "another tree"),
            (checked(&board, &Paste { overlay, ..good.clone() }), "unit_address_vs_reg"),
        ] {
            let Checked::Failed(wrong) = found else { panic!("{why}: {found:?}") };
            assert!(wrong.iter().any(|line| line.contains(why)), "{why}: {wrong:?}");
        }
    }
}
