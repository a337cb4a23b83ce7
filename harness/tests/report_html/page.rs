//! A checker of markup, as strict as this page needs: every element is closed, no attribute is
//! twice, no id is used twice, and an ampersand begins a reference.

use std::collections::BTreeSet;

/// What a page is made of.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Every element, in order.
    pub(crate) tags: Vec<String>,
    /// Element, attribute, value.
    pub(crate) attributes: Vec<(String, String, String)>,
    /// Every id.
    pub(crate) ids: BTreeSet<String>,
}

/// How an image in the page begins.
const IMAGE: &str = "data:image/png;base64,";

/// Elements that have no end.
const VOID: [&str; 4] = ["meta", "br", "img", "link"];

impl Page {
    /// Reads `text`, or says what is wrong with it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut page = Self::default();
        let mut open: Vec<String> = Vec::new();
        let mut rest = text.strip_prefix("<!DOCTYPE html>\n").ok_or("no doctype")?;
        while let Some(at) = rest.find('<') {
            check_text(&rest[..at])?;
            rest = &rest[at + 1..];
            let end = rest.find('>').ok_or_else(|| format!("a tag without an end: {rest:.60}"))?;
            let (tag, after) = (&rest[..end], &rest[end + 1..]);
            rest = after;
            if let Some(name) = tag.strip_prefix('/') {
                let last = open.pop().ok_or_else(|| format!("</{name}> closes nothing"))?;
                if last != name {
                    return Err(format!("</{name}> closes <{last}>"));
                }
                continue;
            }
            let closed = tag.ends_with('/');
            let name = page.tag(tag.trim_end_matches('/'))?;
            if name == "script" || name == "style" {
                let close = format!("</{name}>");
                let at = rest.find(&close).ok_or_else(|| format!("no {close}"))?;
                rest = &rest[at + close.len()..];
            } else if !closed && !VOID.contains(&name.as_str()) {
                open.push(name);
            }
        }
        check_text(rest)?;
        if open.is_empty() { Ok(page) } else { Err(format!("not closed: {open:?}")) }
    }

    fn tag(&mut self, tag: &str) -> Result<String, String> {
        let (name, mut rest) = tag.split_once([' ', '\n']).unwrap_or((tag, ""));
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(format!("<{tag}> is no tag"));
        }
        self.tags.push(name.to_string());
        let mut seen = BTreeSet::new();
        while !rest.trim_start().is_empty() {
            rest = rest.trim_start();
            let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
            let attribute = &rest[..end];
            rest = &rest[end..];
            let mut value = "";
            if let Some(quoted) = rest.strip_prefix("=\"") {
                let end = quoted.find('"').ok_or_else(|| format!("an open quote in <{tag}>"))?;
                (value, rest) = (&quoted[..end], &quoted[end + 1..]);
                // What is encoded may spell anything.
                if !value.starts_with(IMAGE) {
                    check_text(value)?;
                }
            } else if rest.starts_with('=') {
                return Err(format!("a value without quotes in <{tag}>"));
            }
            if !seen.insert(attribute) {
                return Err(format!("{attribute} is twice in <{tag}>"));
            }
            if attribute == "id" && !self.ids.insert(value.to_string()) {
                return Err(format!("id {value} is there twice"));
            }
            self.attributes.push((name.to_string(), attribute.to_string(), value.to_string()));
        }
        Ok(name.to_string())
    }

    /// The ids of elements of this name, in order.
    pub(crate) fn ids_of(&self, tag: &str) -> Vec<&str> {
        let ids = self.attributes.iter().filter(|(of, name, _)| of == tag && name == "id");
        ids.map(|(_, _, value)| value.as_str()).collect()
    }
}

/// Text holds no loose ampersand and no number that is none.
fn check_text(text: &str) -> Result<(), String> {
    for rest in text.split('&').skip(1) {
        let name = rest.split(';').next().unwrap_or_default();
        if !["amp", "lt", "gt", "quot", "#39"].contains(&name) {
            return Err(format!("a loose ampersand: &{rest:.40}"));
        }
    }
    match ["NaN", "inf%", "Some(", "None)"].into_iter().find(|word| text.contains(word)) {
        Some(word) => Err(format!("{word} in {text:.80}")),
        None => Ok(()),
    }
}

#[test]
fn what_is_wrong_with_a_page_is_seen() {
    let page = |body: &str| Page::read(&format!("<!DOCTYPE html>\n{body}"));
    assert!(page("<p id=\"a\" class=\"b\">x &amp; y<br></p><rect x=\"1\"/>").is_ok());
    for bad in [
        "<p>",
        "</p>",
        "<p><b></p></b>",
        "<p id=\"a\"></p><b id=\"a\"></b>",
        "<p a=\"1\" a=\"2\"></p>",
        "<p a=1></p>",
        "a & b",
        "NaN",
        "<p",
    ] {
        assert!(page(bad).is_err(), "{bad}");
    }
}
