//! What runs together, as a plan states it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::emit::{in_mib, key, quote};
use super::page::other_page;
use super::parse::PlanError;
use crate::ingest::{Paged, Source};
use crate::page::Page;
use crate::reader::Options;
use crate::words;
use crate::workload::fit::Fit;
use crate::workload::mix::{BuiltIn, Mix, Origin, Part, Played};
use crate::workload::{Profile, SetupError};

/// What runs together on one board: parts that are written out, or those of a mix that is built in.
#[derive(Clone, Debug)]
pub struct MixOf {
    /// Its name in the tables.
    pub name: String,
    /// Where it is built in: which.
    pub built_in: Option<&'static BuiltIn>,
    /// Its parts, in order.
    pub parts: Vec<PartOf>,
    /// The size of the pages of their LOADs.
    pub page: Page,
}

/// A part of a mix.
#[derive(Clone, Debug)]
pub struct PartOf {
    /// Where its ops come from.
    pub from: From,
    /// LOAD in pages; none where a file brings its own.
    pub load_pages: Option<u64>,
    /// The client of the file whose buffers are taken; none where all are.
    pub client: Option<String>,
    /// What its clients are called in place of their names.
    pub called: Option<String>,
    /// Where the plan states it.
    pub at: Place,
}

/// Where the ops of a part come from.
#[derive(Clone, Debug)]
pub enum From {
    /// A profile.
    Profile(&'static Profile),
    /// What is fitted to a file, by its path.
    Fit(String),
    /// A file, by its path, as it is: once, or again and again.
    File(String, bool),
}

/// A place of a plan. Plans that differ in places alone are the same, so it shows none.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Place(pub(super) PlanError);

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}

impl Place {
    /// The line, from 1 on.
    pub(super) const fn line(&self) -> usize {
        self.0.line
    }

    /// What is wrong there.
    fn wrong(&self, why: String) -> PlanError {
        PlanError { why, ..self.0.clone() }
    }
}

impl From {
    /// The file that it reads.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Profile(_) => None,
            Self::Fit(path) | Self::File(path, _) => Some(path),
        }
    }
}

impl PartOf {
    /// Its name in that of the mix: what its clients are called, whose buffers it takes, else its
    /// profile or the file's own name, in letters that part no fields.
    fn name(&self) -> String {
        let own = self.called.as_deref().or(self.client.as_deref());
        let own = own.unwrap_or_else(|| match &self.from {
            From::Profile(profile) => profile.name,
            From::Fit(path) | From::File(path, _) => {
                let file = Path::new(path).file_name().and_then(|name| name.to_str());
                let file = file.unwrap_or(path);
                file.split_once('.')
                    .map_or(file, |(stem, _)| if stem.is_empty() { file } else { stem })
            }
        });
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        own.chars().map(plain).take(LONGEST_NAME).collect()
    }

    /// Reads its file, whose pages must be of this size where it states one.
    fn read(&self, page: Page) -> Result<Part, PlanError> {
        let wrong = |error: crate::ingest::IngestError| self.at.wrong(error.to_string());
        let (options, client) = (Options::default(), self.client.as_deref());
        let source = |path: &String| Source::file(path.as_ref());
        let origin = match &self.from {
            // A plan states LOAD with each profile.
            From::Profile(profile) => Origin::Profile(profile, self.load_pages.unwrap_or(0)),
            From::Fit(path) => {
                let fit = Fit::of_client(&source(path), &options, client).map_err(wrong)?;
                self.agrees(path, fit.paged, page)?;
                let load_pages = self.load_pages.unwrap_or(fit.load_pages());
                Origin::Fit(Arc::new(fit), load_pages)
            }
            From::File(path, repeat) => {
                let file = Played::read(&source(path), &options, client).map_err(wrong)?;
                self.agrees(path, file.paged, page)?;
                Origin::File(Arc::new(file), *repeat)
            }
        };
        Ok(Part { origin, called: self.called.clone() })
    }

    fn agrees(&self, path: &str, paged: Paged, page: Page) -> Result<(), PlanError> {
        other_page(paged, page).map_or(Ok(()), |why| Err(self.at.wrong(format!("{path}: {why}"))))
    }
}

/// The most characters of the name of a part.
const LONGEST_NAME: usize = 40;
/// Parts that a name names; of more it says how many.
const NAMED: usize = 6;

impl MixOf {
    /// Whether a part of it is fitted to a file.
    pub(super) fn is_fitted(&self) -> bool {
        self.parts.iter().any(|part| matches!(part.from, From::Fit(_)))
    }

    /// A mix of these parts.
    pub(super) fn new(parts: Vec<PartOf>, page: Page) -> Self {
        let mut names: Vec<_> = parts.iter().take(NAMED).map(PartOf::name).collect();
        if parts.len() > NAMED {
            names.push(format!("{}-more", parts.len() - NAMED));
        }
        Self { name: names.join("+"), built_in: None, parts, page }
    }

    /// Whether the seed changes it: files as they are know no chance.
    pub fn is_seeded(&self) -> bool {
        self.parts.iter().any(|part| match &part.from {
            From::Profile(profile) => profile.seeded,
            From::Fit(_) => true,
            From::File(..) => false,
        })
    }

    /// LOAD of all parts together in pages, where no file must be read to know it.
    pub fn load_pages(&self) -> Option<u64> {
        self.parts.iter().map(|part| part.load_pages).sum()
    }

    /// The files that it reads, in order of its parts.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| part.from.path())
    }

    /// Reads its files.
    ///
    /// # Errors
    /// The place of the part that there cannot be: its file cannot be read, has no time, or has
    /// nobody of that name; its LOAD is not taken.
    pub fn read(&self) -> Result<Mix, PlanError> {
        let parts = self.parts.iter().map(|part| part.read(self.page)).collect::<Result<_, _>>()?;
        Mix::new_in(parts, self.page).map_err(|(index, error)| {
            let part = &self.parts[index];
            let why = match (&error, part.from.path()) {
                (SetupError::File(_), _) | (_, None) => error.to_string(),
                (_, Some(path)) => format!("{path}: {error}"),
            };
            part.at.wrong(why)
        })
    }

    /// What was strange about its files but no error, each thing once.
    pub fn warnings(&self, mix: &Mix) -> Vec<String> {
        let mut said: Vec<String> = Vec::new();
        for (part, made) in self.parts.iter().zip(&mix.parts) {
            let own = match &made.origin {
                Origin::Profile(..) => Vec::new(),
                Origin::Fit(fit, _) => [fit.warnings.clone(), fit.left_out.warnings()].concat(),
                Origin::File(file, _) => file.warnings.clone(),
            };
            for warning in own {
                let warning = format!("{}: {warning}", part.from.path().unwrap_or_default());
                if !said.contains(&warning) {
                    said.push(warning);
                }
            }
        }
        said
    }

    /// What runs together, in one line.
    pub fn about(&self) -> String {
        let parts = self.parts.iter().map(|part| {
            let from = match &part.from {
                From::Profile(profile) => profile.name.to_string(),
                From::Fit(path) => format!("a fit to {path}"),
                From::File(path, false) => format!("{path} once"),
                From::File(path, true) => format!("{path} again and again"),
            };
            let of = part.client.as_ref().map(|client| format!(" of {client}"));
            let load =
                part.load_pages.map(|pages| format!(", LOAD {}", words::mib(pages, self.page)));
            [Some(from), of, load].into_iter().flatten().collect::<String>()
        });
        format!("together {}", parts.collect::<Vec<_>>().join("; "))
    }

    /// What `cmalab generate` takes for it, as a word of a shell.
    pub fn argument(&self) -> String {
        self.built_in.map_or_else(
            || format!("'{}'", self.value().replace('\'', "'\\''")),
            |built_in| built_in.name.to_string(),
        )
    }

    /// The value of the key `mix` that it is read from again, in one line.
    pub fn value(&self) -> String {
        if let Some(BuiltIn { name, .. }) = self.built_in {
            return quote(name);
        }
        let parts: Vec<_> = self.parts.iter().map(|part| table(part, self.page)).collect();
        format!("[{}]", parts.join(", "))
    }
}

/// A part as a table in one line.
pub(super) fn table(part: &PartOf, page: Page) -> String {
    let (of, repeat) = match &part.from {
        From::Profile(profile) => (key("profile", profile.name), false),
        From::Fit(path) => (key("fit", path), false),
        From::File(path, repeat) => (key("file", path), *repeat),
    };
    let mut keys = vec![of];
    keys.extend(part.load_pages.map(|pages| format!("load_mib = {}", in_mib(pages, page))));
    keys.extend(part.client.as_ref().map(|client| key("client", client)));
    keys.extend(part.called.as_ref().map(|called| key("as", called)));
    keys.extend(repeat.then(|| "repeat = true".to_string()));
    format!("{{ {} }}", keys.join(", "))
}
