//! What the pages of this crate have in common: their shell, their sections, the frame of a figure,
//! and tables.
//!
//! A page works from disk and asks for nothing: its policy (CSP) names its own style and script by
//! their hashes and lets in nothing else. Every text is escaped where it is written; logs, plans and
//! recordings come from anywhere.

pub(super) mod pixels;
pub(super) mod table;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, Render, html};
use sha2::{Digest as _, Sha256};

use super::plain::clean;

const BASE: &str = include_str!("page/base.css");

/// A page, but for what every one has.
pub(super) struct Page<'a> {
    /// What a browser shows above it.
    pub(super) title: &'a str,
    /// Its style, after the one of every page.
    pub(super) style: &'a str,
    /// Its script; it may be empty.
    pub(super) script: &'a str,
    /// What is above the sections.
    pub(super) header: Markup,
    /// The sections.
    pub(super) sections: Vec<Section>,
    /// What is below them.
    pub(super) footer: Markup,
}

/// A part of a page with a heading.
pub(super) struct Section {
    /// Its id, its own on the page.
    pub(super) id: String,
    /// Its heading.
    pub(super) heading: Markup,
    /// All else.
    pub(super) body: Markup,
}

impl Page<'_> {
    /// The file. Control characters of a text must not reach a terminal that shows it, nor those
    /// that turn the direction of writing the eye.
    pub(super) fn text(&self) -> String {
        let style = format!("\n{BASE}{}", self.style);
        let script = if self.script.is_empty() { "'none'".to_string() } else { hash(self.script) };
        let policy = format!(
            "default-src 'none'; style-src {}; script-src {script}; img-src data:; base-uri \
             'none'; form-action 'none'",
            hash(&style)
        );
        let page = html! {
            (DOCTYPE) "\n"
            html lang="en" {
                head { "\n"
                    meta charset="utf-8"; "\n"
                    meta http-equiv="Content-Security-Policy" content=(policy); "\n"
                    meta name="viewport" content="width=device-width, initial-scale=1"; "\n"
                    meta name="color-scheme" content="light dark"; "\n"
                    title { (self.title) } "\n"
                    style { (PreEscaped(&style)) } "\n"
                }
                body { "\n"
                    header { (self.header) } "\n"
                    main { @for section in &self.sections { (section.markup()) } } "\n"
                    (self.footer) "\n"
                    @if !self.script.is_empty() { script { (PreEscaped(self.script)) } "\n" }
                }
            } "\n"
        };
        page.into_string().split('\n').map(clean).collect::<Vec<_>>().join("\n")
    }
}

impl Section {
    fn markup(&self) -> Markup {
        let heading = format!("{}-heading", self.id);
        html! {
            "\n" section id=(self.id) aria-labelledby=(heading) { "\n"
                h2 id=(heading) { (self.heading) } "\n"
                (self.body)
            } "\n"
        }
    }
}

/// A source of CSP: what has this hash and no other text.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)))
}

/// The frame of a picture.
pub(super) struct Figure<'a> {
    /// Its id, its own on the page.
    pub(super) id: &'a str,
    /// Its class, if it has one.
    pub(super) class: Option<&'a str>,
    /// What it shows.
    pub(super) title: &'a str,
    /// What is to be seen in it, for those who do not see it.
    pub(super) about: &'a str,
    /// Units to the right and down.
    pub(super) size: (f64, f64),
}

impl Figure<'_> {
    /// The frame around a drawing (SVG), with its caption.
    pub(super) fn around(&self, drawing: &Markup, caption: &Markup) -> Markup {
        let (id, (width, height)) = (self.id, self.size);
        let part = |name: &str| format!("{id}-{name}");
        html! {
            figure class=[self.class] id=(id) {
                h3 id=(part("h")) { (self.title) } "\n"
                div .wide tabindex="0" role="region" aria-labelledby=(part("h")) {
                    svg viewBox=(format_args!("0 0 {width} {height:.0}")) role="img"
                        aria-labelledby=(format_args!("{id}-t {id}-d")) {
                        title id=(part("t")) { (self.title) }
                        desc id=(part("d")) { (self.about) } "\n"
                        (drawing)
                    }
                } "\n"
                figcaption { (caption) }
            } "\n"
        }
    }
}

/// Words of a picture, where they are.
pub(super) fn lettering(class: &str, (x, y): (f64, f64), text: impl Render) -> Markup {
    let class = Some(class).filter(|class| !class.is_empty());
    html! {
        text class=[class] x=(format_args!("{x:.1}")) y=(format_args!("{y:.1}")) { (text) }
    }
}

/// A sign of a legend: a rectangle of this class in a square.
pub(super) fn swatch(class: &str) -> Markup {
    html! {
        svg .swatch viewBox="0 0 12 12" aria-hidden="true" {
            rect class=(class) width="12" height="12" {}
        }
    }
}

/// With a capital letter and, where it has no end, a full stop.
pub(super) fn sentence(text: &str) -> String {
    let end = if text.ends_with(['.', '!', '?', ':']) || text.is_empty() { "" } else { "." };
    capital(text) + end
}

/// With a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.into_iter().chain([chars.collect()]).collect()
}
