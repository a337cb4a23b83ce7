//! What runs together, out of TOML.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use toml::Spanned;

use super::{Wrong, number, one_line};
use crate::ingest::quoted;
use crate::sweep::mix::{From, MixOf, PartOf, Place};
use crate::words::PAGES_IN_MIB;
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
    load_mib: Option<Spanned<i64>>,
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
                f.write_str("the name of a mix (cmalab list mixes) or a list of its parts")
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

/// A mix, whose parts do not know yet where they stand: each has the bytes beside it.
///
/// # Errors
/// A name that no mix has, no part or too many, a part that is nothing or several things, a mix in
/// a mix, a profile that there is not or a LOAD that it does not take.
pub(super) fn mix(raw: &Spanned<RawMix>) -> Result<MixOf, Wrong> {
    match raw.get_ref() {
        RawMix::Named(name) => named(name).ok_or_else(|| {
            let names: Vec<_> = MIXES.iter().map(|mix| mix.name).collect();
            let names = names.join(", ");
            let why = format!("no mix is named {}; there are {names}", quoted(name));
            (raw.span(), why)
        }),
        RawMix::Parts(parts) if (1..=Mix::MOST_PARTS).contains(&parts.len()) => {
            Ok(MixOf::new(parts.iter().map(part).collect::<Result<_, _>>()?))
        }
        RawMix::Parts(parts) => {
            let (most, parts) = (Mix::MOST_PARTS, parts.len());
            let why = format!("the mix has {parts} parts; 1 to {most} are allowed");
            Err((raw.span(), why))
        }
    }
}

/// The mix of this name that is built in.
fn named(name: &str) -> Option<MixOf> {
    let built_in = built_in(name)?;
    let part = |(name, mib): &(&str, u64)| {
        Some(PartOf {
            from: From::Profile(profile(name).ok()?),
            load_pages: Some(mib * PAGES_IN_MIB),
            client: None,
            called: None,
            at: Place::default(),
        })
    };
    let parts = built_in.parts.iter().map(part).collect::<Option<_>>()?;
    Some(MixOf { name: built_in.name.to_string(), built_in: Some(built_in), parts })
}

fn part(raw: &Spanned<RawPart>) -> Result<PartOf, Wrong> {
    let (span, raw) = (raw.span(), raw.get_ref());
    if let Some(mix) = &raw.mix {
        let why = "a mix in a mix; write its parts out here";
        return Err((mix.span(), why.to_string()));
    }
    let repeat = raw.repeat.as_ref();
    let from = match (&raw.profile, &raw.fit, &raw.file) {
        (Some(name), None, None) => From::Profile(
            profile(name.get_ref()).map_err(|error| (name.span(), error.to_string()))?,
        ),
        (None, Some(path), None) => From::Fit(one_line(path)?),
        (None, None, Some(path)) => {
            From::File(one_line(path)?, repeat.is_some_and(|repeat| *repeat.get_ref()))
        }
        _ => {
            let why = "a part of a mix is one of profile = …, fit = … and file = …";
            return Err((span, why.to_string()));
        }
    };
    let only_for = |at: Option<Range<usize>>, key: &str, allowed: bool, whose: &str| match at {
        Some(at) if !allowed => Err((at, format!("{key} of a part is for {whose} only"))),
        _ => Ok(()),
    };
    let (of_profile, of_file) = (matches!(from, From::Profile(_)), matches!(from, From::File(..)));
    let load = raw.load_mib.as_ref();
    only_for(load.map(Spanned::span), "load_mib", !of_file, "a profile or a fit")?;
    only_for(repeat.map(Spanned::span), "repeat", of_file, "a file")?;
    only_for(raw.client.as_ref().map(Spanned::span), "client", !of_profile, "a file or a fit")?;
    let most = i64::MAX / PAGES_IN_MIB as i64;
    let load_pages =
        load.map(|load| Ok(number(load, "load_mib", 1, most)? * PAGES_IN_MIB)).transpose()?;
    if let From::Profile(profile) = &from {
        let (Some(pages), Some(load)) = (load_pages, load) else {
            let why = format!("the part states no load_mib: how much {} asks for", profile.name);
            return Err((span, why));
        };
        profile.check(pages).map_err(|error| {
            let least = profile.least_pages.div_ceil(PAGES_IN_MIB);
            (load.span(), format!("{error}: load_mib = {least} at least"))
        })?;
    }
    let client = raw.client.as_ref().map(|raw| name(raw, "client", false)).transpose()?;
    let called = raw.called.as_ref().map(|raw| name(raw, "as", true)).transpose()?;
    Ok(PartOf { from, load_pages, client, called, at: Place::default() })
}

/// The most bytes of the name of a client.
const LONGEST_NAME: usize = 256;
/// Digits that may stand behind a name that is `numbered`.
const DIGITS: usize = 5;

/// The name of a client. One that is `numbered` gets 0, 1 … behind it, by which its kind is known.
fn name(raw: &Spanned<String>, key: &str, numbered: bool) -> Result<String, Wrong> {
    let name = raw.get_ref();
    let most = LONGEST_NAME - if numbered { DIGITS } else { 0 };
    let is_name = (1..=most).contains(&name.len()) && !name.chars().any(char::is_control);
    let mut allowed = format!("1 to {most} bytes without control characters");
    if numbered {
        allowed += ", and no digit at the end, where each client gets its number";
    }
    let ends_well = !(numbered && name.ends_with(|c: char| c.is_ascii_digit()));
    if is_name && ends_well {
        return Ok(name.clone());
    }
    Err((raw.span(), format!("{key} is {}; it takes {allowed}", quoted(name))))
}

/// Where the parts of a mix stand, in bytes.
pub(super) fn starts(raw: Option<&Spanned<RawMix>>) -> Vec<usize> {
    match raw.map(Spanned::get_ref) {
        Some(RawMix::Parts(parts)) => parts.iter().map(|part| part.span().start).collect(),
        Some(RawMix::Named(_)) | None => Vec::new(),
    }
}
