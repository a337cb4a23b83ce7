//! Who uses whom: the paths of a crate, read as the compiler reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{Group, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};

/// The ranks that the crate's own documentation states: `a, b < c` gives a and b 0, c 1.
fn ranks(lib: &str) -> BTreeMap<String, usize> {
    let prose: String = lib.lines().filter_map(|line| line.strip_prefix("//!")).collect();
    let (_, rest) = prose.split_once("a test reads this line:").expect("the ranks");
    let line = rest.split('`').nth(1).expect("the ranks in backticks");
    let steps = line.split('<').enumerate();
    steps
        .flat_map(|(rank, names)| names.split(',').map(move |name| (name.trim().to_string(), rank)))
        .collect()
}

/// What the modules of a crate use of it, outside its tests.
struct Uses<'a> {
    /// The text of a module, by its path; of `[]`, that of lib.rs.
    text: &'a dyn Fn(&[String]) -> String,
    /// Names at the top of the crate and the module that they are from.
    exports: BTreeMap<String, String>,
    /// The path of a module, and the first name of a path at the top of the crate that it uses;
    /// `*` is every one.
    found: BTreeSet<(Vec<String>, String)>,
    modules: usize,
}

impl<'a> Uses<'a> {
    fn of(text: &'a dyn Fn(&[String]) -> String) -> Self {
        let (exports, found) = (BTreeMap::new(), BTreeSet::new());
        let mut uses = Self { text, exports, found, modules: 0 };
        uses.module(&[]);
        uses
    }

    fn module(&mut self, here: &[String]) {
        self.modules += 1;
        let tokens = (self.text)(here).parse();
        self.scan(here, tokens.unwrap_or_else(|error| panic!("{here:?}: {error}")));
    }

    /// Reads the tokens of module `here`, those in brackets too.
    fn scan(&mut self, here: &[String], tokens: TokenStream) {
        let all: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = &all[..];
        while let [first, after @ ..] = rest {
            let names: Vec<String> = rest.iter().take(3).map(name).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            rest = match (&names[..], first, after) {
                (["#", ..], _, [TokenTree::Group(attribute), ..]) if is_test(attribute) => {
                    after_item(&after[1..])
                }
                (["mod", inner, ..], _, [_, body, ..]) if is_name(inner) => {
                    let inner = [here, &[(*inner).to_string()]].concat();
                    match body {
                        TokenTree::Group(body) => self.scan(&inner, body.stream()),
                        _ => self.module(&inner),
                    }
                    &after[2..]
                }
                (["use", from, ..], _, _) if here.is_empty() => self.export(from, &after[1..]),
                (["crate", "as", ..], _, _) => self.path(here, &[], &[]),
                (["crate", ":", ":"], _, _) => self.path(here, &[], &after[2..]),
                (["self", ":", ":"], _, _) => self.path(here, here, &after[2..]),
                (["super", ":", ":"], _, _) => self.path(here, up(here), &after[2..]),
                (_, TokenTree::Group(group), _) => {
                    self.scan(here, group.stream());
                    after
                }
                _ => after,
            };
        }
    }

    /// Reads what comes after `base::` in module `here`, and gives what is left: a name, `super`,
    /// `*` or several of them in braces.
    fn path<'t>(
        &mut self,
        here: &[String],
        base: &[String],
        rest: &'t [TokenTree],
    ) -> &'t [TokenTree] {
        let Some((first, after)) = rest.split_first() else {
            self.found.insert((here.to_vec(), "*".to_string()));
            return rest;
        };
        match (first, base) {
            (TokenTree::Group(group), _) => {
                let all: Vec<TokenTree> = group.stream().into_iter().collect();
                let parts = all.split(|token| name(token) == ",");
                parts.filter(|part| !part.is_empty()).for_each(|part| {
                    self.path(here, base, part);
                });
            }
            (_, base) if name(first) == "super" => match after {
                [_, _, after @ ..] => return self.path(here, up(base), after),
                _ => panic!("{here:?} names a module as super"),
            },
            (_, [top, ..]) => _ = self.found.insert((here.to_vec(), top.clone())),
            (_, []) => _ = self.found.insert((here.to_vec(), name(first))),
        }
        after
    }

    /// Notes what lib.rs takes to the top of the crate out of a module.
    fn export<'t>(&mut self, from: &str, rest: &'t [TokenTree]) -> &'t [TokenTree] {
        let end = rest.iter().position(|token| name(token) == ";").expect("the end of a use");
        let (taken, rest) = rest.split_at(end);
        let is_apart = |c: char| !c.is_alphanumeric() && c != '_';
        let text: String = taken.iter().map(|token| format!("{token} ")).collect();
        let names = text.split(is_apart).filter(|name| !name.is_empty());
        self.exports.extend(names.map(|name| (name.to_string(), from.to_string())));
        rest
    }
}

fn up(path: &[String]) -> &[String] {
    path.split_last().expect("super of the top of a crate").1
}

/// A word or a sign as it is written, of a group nothing.
fn name(token: &TokenTree) -> String {
    match token {
        TokenTree::Group(_) => String::new(),
        token => token.to_string(),
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn is_test(attribute: &Group) -> bool {
    attribute.to_string().replace(' ', "") == "[cfg(test)]"
}

/// What comes after the item that `tokens` begin with.
fn after_item(tokens: &[TokenTree]) -> &[TokenTree] {
    let item = |input: ParseStream<'_>| {
        input.parse::<syn::Item>()?;
        input.parse::<TokenStream>()
    };
    let left = item.parse2(tokens.iter().cloned().collect());
    let left = left.expect("an item after cfg(test)").into_iter().count();
    &tokens[tokens.len() - left..]
}

/// Each use of a module that is not below the one that uses it, and what has no rank.
fn wrong(uses: &Uses<'_>, ranks: &BTreeMap<String, usize>) -> Vec<String> {
    let check = |(here, used): &(Vec<String>, String)| {
        let (top, path) = (here.first()?, here.join("::"));
        let used = uses.exports.get(used).unwrap_or(used);
        let rank = |name| ranks.get(name);
        match (rank(top), rank(used)) {
            _ if top == used => None,
            (None, _) => Some(format!("{top} has no rank")),
            (Some(rank), Some(lower)) if lower < rank => None,
            // Another crate, under a name at the top of this one.
            (_, None) if used.starts_with("cma_") => None,
            _ => Some(format!("{path} uses {used}")),
        }
    };
    uses.found.iter().filter_map(check).collect()
}

fn check_ranks(package: &str) {
    let src = super::root().join(package).join("src");
    let file = |stem: &Path| super::read(&src.join(stem.with_extension("rs")));
    let text = |path: &[String]| match path {
        [] => file(Path::new("lib")),
        path => file(Path::new(&path.join("/"))),
    };
    let uses = Uses::of(&text);
    assert!(uses.modules > 10, "{package}: found {} modules", uses.modules);
    let wrong = wrong(&uses, &ranks(&text(&[])));
    assert!(wrong.is_empty(), "{package}: {wrong:#?}");
}

#[test]
fn modules_use_only_lower_ranks() {
    check_ranks("policies");
    check_ranks("harness");
}

/// The names that `low`, a module of a crate, uses of it.
fn used(low: &str) -> Vec<String> {
    let text = |path: &[String]| match path {
        [] => "mod low; mod high; pub use high::{High, deep::Deep as Under};".to_string(),
        [top] if top == "low" => low.to_string(),
        [_] => String::new(),
        path => panic!("{path:?} is read"),
    };
    let uses = Uses::of(&text);
    let found = uses.found.iter();
    let name = |used| uses.exports.get(used).unwrap_or(used).clone();
    found.map(|(here, used)| format!("{}: {}", here.join("::"), name(used))).collect()
}

#[test]
fn uses_are_found_however_they_are_written() {
    for line in [
        "use crate::high::X;",
        "use crate::{low::Y, high};",
        "use crate::{low::{self, Z}, high::{a, b}};",
        "use super::high;",
        "use super::{high::{X, Y}, low};",
        "pub(in crate::high) fn f() {}",
        "fn f() { let x = vec![crate::high::f()]; }",
        "macro_rules! m { () => { $crate::high::f() } }",
        "use crate::High;",
        "use super::{Under};",
        "#[cfg(test)] mod tests { use crate::cli; } use crate::high::X;",
        "#[cfg(test)] use crate::{cli}; use crate::high::X;",
        "#[cfg(test)] #[path = \"x.rs\"] mod tests; use crate::high::X;",
        "impl X { #[cfg(test)] fn f(&self) { crate::cli::g() } fn g(&self) -> crate::high::X {} }",
    ] {
        assert!(used(line).contains(&"low: high".to_string()), "{line}: {:?}", used(line));
        assert!(!used(line).contains(&"low: cli".to_string()), "{line}: {:?}", used(line));
    }
    assert_eq!(used("mod a { mod b { use super::super::super::high; } }"), ["low::a::b: high"]);
    assert_eq!(used("mod a { use super::{super::high, x}; }"), ["low::a: high", "low::a: low"]);
    for line in ["use crate::*;", "use super::*;", "use crate as top;", "use super::{*};"] {
        assert_eq!(used(line), ["low: *"], "{line}");
    }
}

#[test]
fn what_is_no_use_is_none() {
    let quiet =
        "// crate::high\n/// crate::high\npub(crate) fn f(self) -> &str { \"crate::high\" }";
    assert_eq!(used(quiet), [""; 0]);
    assert_eq!(used("mod a { use super::X; fn f() { self::g() } }"), ["low::a: low"]);
}

#[test]
fn a_use_of_a_rank_that_is_not_lower_is_wrong() {
    let ranks = ranks("//! a test reads this line:\n//! `low, beside <\n//! high`");
    let wrong_of = |top: &str, used: &str| {
        let text = |_: &[String]| String::new();
        let mut uses = Uses::of(&text);
        uses.exports.insert("policies".to_string(), "cma_policies".to_string());
        uses.found.insert((vec![top.to_string(), "x".to_string()], used.to_string()));
        wrong(&uses, &ranks)
    };
    for used in ["high", "beside", "*", "nobody"] {
        assert_eq!(wrong_of("low", used), [format!("low::x uses {used}")]);
    }
    for used in ["low", "beside", "policies"] {
        assert_eq!(wrong_of("high", used), [""; 0]);
    }
    assert_eq!(wrong_of("new", "low"), ["new has no rank"]);
}
