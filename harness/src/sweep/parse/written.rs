//! Sizes as a plan writes them: a number, or a text with a unit.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use toml::Spanned;

use super::{Wrong, number, wrong};
use crate::ingest::quoted;
use crate::page::Page;
use crate::size::{self, Size};

/// A number as TOML has it, or a text such as `"640M"` or `"0x28000"`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Written {
    Number(i64),
    Text(String),
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(&quoted(text)),
        }
    }
}

// By hand, since an enum without tags says nothing of what it takes.
impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, or a text with a unit such as \"640M\"")
            }

            fn visit_i64<E>(self, number: i64) -> Result<Written, E> {
                Ok(Written::Number(number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Written, E> {
                Ok(Written::Text(text.to_string()))
            }
        }

        from.deserialize_any(Either)
    }
}

/// The most MiB that may be stated.
pub(super) const MOST_MIB: i64 = i64::MAX / Page::Kib4.in_mib() as i64;

/// Pages of this size that are stated as such, or with a unit; at least one.
pub(super) fn pages(raw: &Spanned<Written>, page: Page) -> Result<u64, Wrong> {
    match raw.get_ref() {
        Written::Number(own) => number(&Spanned::new(raw.span(), *own), "pages", 1, i64::MAX),
        Written::Text(text) => {
            let read = Size::in_pages(text).and_then(|size| size.pages(page));
            within(raw, "pages", read, (1, i64::MAX as u64))
        }
    }
}

/// Pages of this size that are stated in MiB, of which `least` to `most` are allowed, or with
/// another unit.
pub(super) fn mib(
    raw: &Spanned<Written>,
    key: &str,
    (least, most): (i64, i64),
    page: Page,
) -> Result<u64, Wrong> {
    match raw.get_ref() {
        Written::Number(own) => {
            Ok(number(&Spanned::new(raw.span(), *own), key, least, most)? * page.in_mib())
        }
        Written::Text(text) => {
            let read = Size::in_mib(text).and_then(|size| size.pages(page));
            within(raw, key, read, (1, most.unsigned_abs() * page.in_mib()))
        }
    }
}

/// The number of a page, which is at most `most`.
pub(super) fn pfn(raw: &Spanned<Written>, most: i64) -> Result<u64, Wrong> {
    const KEY: &str = "base_pfn";
    match raw.get_ref() {
        Written::Number(own) => number(&Spanned::new(raw.span(), *own), KEY, 0, most),
        Written::Text(text) => within(raw, KEY, size::pfn(text), (0, most.unsigned_abs())),
    }
}

/// The size of a page.
pub(super) fn page_kib(raw: &Spanned<Written>) -> Result<Page, Wrong> {
    let kib = match raw.get_ref() {
        Written::Number(kib) => u64::try_from(*kib).ok(),
        Written::Text(text) => Size::in_kib(text).ok(),
    };
    let why = || format!("page_kib is {}; 4, 16 and 64 are allowed", raw.get_ref());
    kib.and_then(Page::of_kib).map_or_else(|| wrong(raw, why()), Ok)
}

/// What was read of a text, where it is so many.
fn within(
    raw: &Spanned<Written>,
    key: &str,
    read: Result<u64, String>,
    (least, most): (u64, u64),
) -> Result<u64, Wrong> {
    let why = match read {
        Ok(value) if (least..=most).contains(&value) => return Ok(value),
        Ok(value) if value < least => "more than nothing is asked for".to_string(),
        Ok(_) => format!("at most {most} pages are allowed"),
        Err(why) => why,
    };
    wrong(raw, format!("{key} is {}; {why}", raw.get_ref()))
}
