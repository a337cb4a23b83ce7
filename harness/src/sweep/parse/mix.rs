//! What runs together, out of TOML.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use toml::Spanned;

use super::written::{MOST_MIB, Written, mib};
use super::{LONGEST_NAME, Text, Wrong, name_up_to, one_line, only_for, span, wrong};
use crate::ingest::quoted;
use crate::page::Page;
use crate::program;
use crate::sweep::mix::{From, MixOf, PartOf, Place};
use crate::words::near;
use crate::workload::mix::{MIXES, Mix, built_in};
use crate::workload::profile;

/// The name of a mix, or its parts.
pub(super) enum RawMix {
    Named(String),
    Parts(Vec<Spanned<RawPart>>),
}

/// A file that is a mix and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMixFile {
    pub(super) mix: Spanned<RawMix>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPart {
    profile: Option<Spanned<String>>,
    fit: Option<Spanned<String>>,
    file: Option<Spanned<String>>,
    /// What there is not, so that it is said.
    mix: Option<Spanned<IgnoredAny>>,
    load_mib: Option<Spanned<Written>>,
    client: Option<Spanned<String>>,
    repeat: Option<Spanned<bool>>,
    #[serde(rename = "as")]
    called: Option<Spanned<String>>,
}

// By hand, since an enum without tags forgets the places.
impl<'de> Deserialize<'de> for RawMix {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = RawMix;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mixes = "the name of a mix (cmalab list mixes) or a list of its parts";
                f.write_str(&program::named(mixes))
            }

            fn visit_str<E>(self, name: &str) -> Result<RawMix, E> {
                Ok(RawMix::Named(name.to_string()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<RawMix, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = from.next_element()? {
                    parts.push(part);
                }
                Ok(RawMix::Parts(parts))
            }
        }

        from.deserialize_any(Either)
    }
}

/// A mix.
///
/// # Errors
/// A name that no mix has, no part or too many, a part that is nothing or several things, a mix in
/// a mix, a profile that there is not or a LOAD that it does not take.
pub(super) fn mix(raw: &Spanned<RawMix>, text: &Text<'_>, page: Page) -> Result<MixOf, Wrong> {
    match raw.get_ref() {
        RawMix::Named(name) => named(name, page).map_or_else(
            || {
                let names: Vec<_> = MIXES.iter().map(|mix| mix.name).collect();
                let near = near(name, names.iter().copied());
                let (name, names) = (quoted(name), names.join(", "));
                wrong(raw, format!("no mix is named {name}; there are {names}{near}"))
            },
            Ok,
        ),
        RawMix::Parts(parts) if (1..=Mix::MOST_PARTS).contains(&parts.len()) => {
            let parts = parts.iter().map(|raw| part(raw, text, page));
            Ok(MixOf::new(parts.collect::<Result<_, _>>()?, page))
        }
        RawMix::Parts(parts) => {
            let (most, parts) = (Mix::MOST_PARTS, parts.len());
            wrong(raw, format!("the mix has {parts} parts; 1 to {most} are allowed"))
        }
    }
}

/// The mix of this name that is built in.
fn named(name: &str, page: Page) -> Option<MixOf> {
    let built_in = built_in(name)?;
    let part = |(name, mib): &(&str, u64)| {
        Some(PartOf {
            from: From::Profile(profile(name).ok()?),
            load_pages: Some(mib * page.in_mib()),
            client: None,
            called: None,
            at: Place::default(),
        })
    };
    let parts = built_in.parts.iter().map(part).collect::<Option<_>>()?;
    Some(MixOf { name: built_in.name.to_string(), built_in: Some(built_in), parts, page })
}

fn part(at: &Spanned<RawPart>, text: &Text<'_>, page: Page) -> Result<PartOf, Wrong> {
    let raw = at.get_ref();
    if let Some(mix) = &raw.mix {
        return wrong(mix, "a mix in a mix; write its parts out here");
    }
    let repeat = raw.repeat.as_ref();
    let from = match (&raw.profile, &raw.fit, &raw.file) {
        (Some(name), None, None) => {
            From::Profile(profile(name.get_ref()).or_else(|error| wrong(name, error.to_string()))?)
        }
        (None, Some(path), None) => From::Fit(one_line(path.get_ref(), path)?),
        (None, None, Some(path)) => {
            let path = one_line(path.get_ref(), path)?;
            From::File(path, repeat.is_some_and(|repeat| *repeat.get_ref()))
        }
        _ => return wrong(at, "a part of a mix is one of profile = …, fit = … and file = …"),
    };
    let (of_profile, of_file) = (matches!(from, From::Profile(_)), matches!(from, From::File(..)));
    let load = raw.load_mib.as_ref();
    only_for(&[
        (span(load), "load_mib of a part", !of_file, "a profile or a fit"),
        (span(repeat), "repeat of a part", of_file, "a file"),
        (span(raw.client.as_ref()), "client of a part", !of_profile, "a file or a fit"),
    ])?;
    let load_pages = load.map(|load| mib(load, "load_mib", (1, MOST_MIB), page)).transpose()?;
    if let From::Profile(profile) = &from {
        let (Some(pages), Some(load)) = (load_pages, load) else {
            let name = profile.name;
            return wrong(at, format!("the part states no load_mib: how much {name} asks for"));
        };
        profile.check(pages, page).or_else(|error| {
            let least = page.hold(profile.least_pages).div_ceil(page.in_mib());
            wrong(load, format!("{error}: load_mib = {least} at least"))
        })?;
    }
    let client = raw.client.as_ref().map(|raw| name_up_to(LONGEST_NAME, raw, "client"));
    let called = raw.called.as_ref().map(called).transpose()?;
    Ok(PartOf { from, load_pages, client: client.transpose()?, called, at: text.place(at.span()) })
}

/// Digits that may follow a name that is numbered.
const DIGITS: usize = 5;

/// What clients are called: each gets 0, 1 … after it, by which its kind is known.
fn called(raw: &Spanned<String>) -> Result<String, Wrong> {
    if raw.get_ref().ends_with(|c: char| c.is_ascii_digit()) {
        let name = quoted(raw.get_ref());
        let why = "no digit at the end, where each client gets its number";
        return wrong(raw, format!("as is {name}; it takes {why}"));
    }
    name_up_to(LONGEST_NAME - DIGITS, raw, "as")
}
