//! What is to be shown, filmed.

use std::path::Path;

use cma_policies::Spec;

use super::{Wish, states};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::given::{self, Setup};
use crate::cli::policies::{policies, split};
use crate::cli::shrink::{bytes, is_text};
use crate::cli::sweep::quote;
use crate::codec::Case;
use crate::environment;
use crate::ingest::{DEFAULT_CAP, Header, Source};
use crate::page::Page;
use crate::program;
use crate::reader::{self, Options};
use crate::replay::given_back;
use crate::replay::{Survey, Under};
use crate::report::view::{Part, Take, View};
use crate::seed::Seed;
use crate::shrink;
use crate::view::{self, Film};
use crate::words::counted;

/// What names the answers of the real kernel among policies.
const RECORDED: &str = "recorded";

/// The most ways in which requests are answered.
const MOST_TAKES: usize = 4;

/// A way to answer requests: of a policy under a cap, or as it was recorded.
enum Way {
    Recorded,
    Policy(Spec, u32),
}

/// Opens and films it.
pub(super) fn view(wish: &Wish<'_>, context: &Context) -> Result<View, Failure> {
    wish.given.named_environment()?;
    // A name that there is not is no fault of an area.
    policies(&named(wish).map(String::from).collect::<Vec<_>>(), &context.catalog).map_err(
        |failure| match failure {
            Failure::Because(why) => {
                Failure::because(format_args!("{why}; {RECORDED} is what is recorded"))
            }
            other => other,
        },
    )?;
    let (source, options) = match source(wish, context)? {
        (Shown::Rows(source), options) => (source, options),
        (Shown::States(sources), options) => {
            return states::view(wish, sources, &options, context);
        }
    };
    let areas = match wish.given.area() {
        Some(_) => Vec::new(),
        None => reader::areas(&source)?,
    };
    let each: Vec<Options> = match areas.len() {
        0 | 1 => vec![options],
        _ => areas.into_iter().map(|area| options.of_area(area)).collect(),
    };
    let mut seen: Option<View> = None;
    for options in &each {
        let part = Opened::new(wish, &source, options, context);
        // An area that cannot be placed is no reason to keep back the others.
        let part = match part {
            Err(Failure::Because(why)) if each.len() > 1 => {
                context.warn(&format!("left out: {why}"));
                continue;
            }
            other => other?,
        };
        part.add_to(&mut seen, context)?;
    }
    let Some(mut seen) = seen else {
        return Err(Failure::because(format_args!("show {}: no area of it can be", source.name())));
    };
    // What is opened first is where something was refused.
    let refused = |part: &Part| part.films.iter().map(|film| film.refusals.len()).max();
    seen.parts.sort_by_key(|part| std::cmp::Reverse(refused(part)));
    seen.number_together();
    seen.command = command(wish);
    Ok(seen)
}

/// What is shown.
enum Shown {
    /// What was asked for and answered.
    Rows(Source),
    /// What of a board's texts shows states of areas.
    States(Vec<Source>),
}

/// The file, and what is known beside it.
fn source(wish: &Wish<'_>, context: &Context) -> Result<(Shown, Options), Failure> {
    if let [path] = wish.streams {
        let source = given::source(path)?;
        let of_case = |source: &Source| {
            Ok((Shown::Rows(of_case(wish, path, source, context)?), Options::default()))
        };
        if wish.is_case {
            return of_case(&source);
        }
        let is_text = is_text(&source);
        let options = wish.given.options(&source)?;
        if is_text && !reader::has_rows(&source)? {
            return Ok((Shown::States(vec![source]), options));
        }
        if !is_text && reader::open(&source, &options).is_err() {
            let shown = of_case(&source)?;
            context.warn(&format!(
                "{}: it is no text and is taken as the bytes of a fuzzer's case, which any bytes are",
                source.name()
            ));
            return Ok(shown);
        }
        return Ok((Shown::Rows(source), options));
    }
    if wish.is_case {
        return Err(Failure::because("show several files as one case; name one of them"));
    }
    let (rows, options) = wish.given.files(wish.streams)?;
    let mut has_rows = false;
    for source in &rows {
        has_rows |= reader::has_rows(source)?;
    }
    Ok(match has_rows {
        true => (Shown::Rows(reader::only(rows)?), options),
        false => (Shown::States(rows), options),
    })
}

/// The policies that are named, one by one.
fn words<'a>(wish: &Wish<'a>) -> impl Iterator<Item = &'a str> {
    wish.policies.iter().flat_map(|text| split(text))
}

/// Those of them that are policies.
fn named<'a>(wish: &Wish<'a>) -> impl Iterator<Item = &'a str> {
    words(wish).filter(|name| *name != RECORDED)
}

/// What a case does under its own policy, as the stream or recording that says the same.
fn of_case(
    wish: &Wish<'_>,
    path: &Path,
    source: &Source,
    context: &Context,
) -> Result<Source, Failure> {
    if let [option, ..] = wish.given.beside_a_case()[..] {
        return Err(Failure::because(format_args!(
            "take {option} for a case, which says all of its area and pages itself"
        )));
    }
    let case = Case::decode(&bytes(source)?);
    let named = named(wish).next();
    let policy = named.map(|text| context.catalog.parse(text)).transpose()?;
    let policy = policy.unwrap_or_else(|| case.policy.spec(&context.catalog));
    let subject = shrink::from_case(&case, &policy)?;
    let kernel = wish.given.kernel(&Header::default(), "", context)?;
    let environment = environment::Spec::parse(given::DEFAULT_ENVIRONMENT)?;
    let seed = Seed::new(wish.given.seed);
    let under =
        Under { policy: &policy, environment: &environment, seed: &seed, kernel, cap: DEFAULT_CAP };
    let mut text = Vec::new();
    shrink::write(&subject, &under, &[], &mut text)?;
    Ok(Source::bytes(&name(path), text))
}

/// An area of a file, read once.
struct Opened<'a> {
    source: &'a Source,
    options: &'a Options,
    setup: Setup,
    survey: Survey,
    ways: Vec<Way>,
    has_time: bool,
    page: Page,
}

impl<'a> Opened<'a> {
    fn new(
        wish: &Wish<'_>,
        source: &'a Source,
        options: &'a Options,
        context: &Context,
    ) -> Result<Self, Failure> {
        let reader = reader::open(source, options)?;
        let (has_time, is_recording) = (reader.has_time(), reader.is_recording());
        let others: Vec<String> = named(wish).map(String::from).collect();
        let named = policies(&others, &context.catalog)?;
        let (setup, survey) =
            wish.given.open((source, options), &reader, named.first(), context)?;
        let caps = if wish.caps.is_empty() { vec![setup.cap] } else { wish.caps.to_vec() };
        let is_recorded = words(wish).any(|name| name == RECORDED)
            || is_recording && named.is_empty() && wish.caps.is_empty();
        let policies = match (&named[..], is_recorded, wish.caps) {
            ([], true, []) => Vec::new(),
            ([], ..) => vec![setup.policy.clone()],
            _ => named,
        };
        let mut ways: Vec<Way> = is_recorded.then_some(Way::Recorded).into_iter().collect();
        for policy in policies {
            ways.extend(caps.iter().map(|cap| Way::Policy(policy.clone(), *cap)));
        }
        if ways.len() > MOST_TAKES {
            return Err(Failure::because(format_args!(
                "show {} side by side; {MOST_TAKES} are allowed",
                counted(ways.len() as u64, "way")
            )));
        }
        let page = survey.paged.page;
        Ok(Self { source, options, setup, survey, ways, has_time, page })
    }

    /// Films every way, and adds it to what was `seen`.
    fn add_to(self, seen: &mut Option<View>, context: &Context) -> Result<(), Failure> {
        let films: Vec<Film> =
            self.ways.iter().map(|way| self.film(way, context)).collect::<Result<_, _>>()?;
        let takes = self.ways.iter().map(|way| self.take(way)).collect();
        let notes = self.notes(&films);
        let area = films[0].area.clone();
        let seen = seen.get_or_insert_with(|| View {
            title: name(Path::new(self.source.name())),
            command: String::new(),
            takes,
            parts: Vec::new(),
            page: self.page,
            has_time: self.has_time,
            notes: Vec::new(),
        });
        for note in notes {
            if !seen.notes.contains(&note) {
                seen.notes.push(note);
            }
        }
        seen.parts.push(Part::new(area, self.survey.clients, films));
        Ok(())
    }

    fn film(&self, way: &Way, context: &Context) -> Result<Film, Failure> {
        let Self { source, options, survey: found, setup, .. } = self;
        match way {
            Way::Policy(policy, cap) => {
                let under = Under { policy, cap: *cap, ..setup.under() };
                Ok(view::run(source, options, found, &under)?)
            }
            Way::Recorded => {
                let policy = &context.catalog.parse(setup.kernel.policy)?;
                let under = Under { policy, ..setup.under() };
                Ok(view::recorded(source, options, &under)?)
            }
        }
    }

    fn take(&self, way: &Way) -> Take {
        match way {
            Way::Recorded => {
                let name = format!("as recorded, cap {}", self.setup.cap);
                Take { name, cap: self.setup.cap, recorded: true }
            }
            Way::Policy(policy, cap) => {
                Take { name: policy.to_string(), cap: *cap, recorded: false }
            }
        }
    }

    /// What is to be known of the films.
    fn notes(&self, films: &[Film]) -> Vec<String> {
        let mut notes = self.survey.warnings.clone();
        let runs = self.ways.iter().any(|way| matches!(way, Way::Policy(..)));
        if runs && self.survey.refused > 0 {
            notes.push(given_back(self.survey.refused));
        }
        for (way, film) in self.ways.iter().zip(films) {
            let take = self.take(way).title();
            if film.odd > 0 {
                let answers = counted(film.odd, "answer");
                notes.push(format!("{take}: {answers} contradict the others and are left out"));
            }
            if film.pins > 0 {
                let pins = counted(film.pins, "pin or unpin");
                notes.push(format!("{pins} of pages are not drawn: no bitmap shows them"));
            }
        }
        notes
    }
}

/// The last part of a path: what a page says of where it came from.
pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// The line that makes the page again.
pub(super) fn command(wish: &Wish<'_>) -> String {
    let mut words = vec![format!("{} view", program::name())];
    words.extend(wish.streams.iter().map(|path| quote(&name(path))));
    words.extend(wish.policies.iter().map(|policy| format!("--policy {}", quote(policy))));
    words.extend(wish.caps.iter().map(|cap| format!("--cap {cap}")));
    words.extend(wish.given.words());
    words.extend(wish.is_case.then(|| "--case".to_string()));
    words.join(" ")
}
