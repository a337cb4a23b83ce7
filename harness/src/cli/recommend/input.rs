//! What the board does, as the command line names it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::generate::mix::{is_mix, mix};
use super::super::size::pages;
use super::Recommend;
use crate::ingest::Source;
use crate::program;
use crate::reader::{self, Options};
use crate::recommend::{Base, Load, Origin, Shown, Work, filled};
use crate::words::near;
use crate::workload::fit::Fit;
use crate::workload::mix::{MIXES, Mix};
use crate::workload::{PROFILES, Profile};

/// One of the inputs.
enum Input {
    Profile(&'static Profile),
    Mix(String, Arc<Mix>),
    Fit(String, Arc<Fit>),
    Filled(Box<Shown>),
}

/// All of them, in order: files last.
pub(super) struct Given {
    inputs: Vec<Input>,
    /// The texts, and what else is known beside the files.
    pub(super) texts: Vec<Source>,
    pub(super) options: Options,
}

/// Reads what the command line names.
pub(super) fn read(args: &Recommend, context: &Context) -> Result<Given, Failure> {
    let (mut inputs, mut paths) = (Vec::new(), Vec::new());
    for text in &args.inputs {
        if let Some(profile) = PROFILES.iter().find(|profile| profile.name == text) {
            inputs.push(Input::Profile(profile));
        } else if is_mix(text) {
            let (of, _) = mix(text, None, args.read.page_kib, context)?;
            let made = of.read().map_err(Failure::because)?;
            for warning in of.warnings(&made) {
                context.warn(&warning);
            }
            inputs.push(Input::Mix(of.name.clone(), Arc::new(made)));
        } else {
            paths.push(PathBuf::from(text));
        }
    }
    let (rows, options) = args.read.files(&paths, &args.placed)?;
    let texts = rows.iter().chain(&options.beside).cloned().collect();
    if !paths.is_empty() && rows.is_empty() {
        return Err(Failure::because("recommend: none of the files has requests"));
    }
    for source in &rows {
        match Fit::read(source, &options) {
            Ok(fit) => {
                for warning in fit.warnings.iter().cloned().chain(fit.left_out.warnings()) {
                    context.warn(&format!("{}: {warning}", source.name()));
                }
                inputs.push(Input::Fit(source.name().to_string(), Arc::new(fit)));
            }
            Err(error) => {
                // Texts that have no requests between them may show what fills an area.
                let Some(shown) = filled(&rows).ok().flatten() else {
                    return Err(unknown(source, error));
                };
                context.warn(&said(&shown));
                inputs.push(Input::Filled(Box::new(shown)));
                break;
            }
        }
    }
    Ok(Given { inputs, texts, options })
}

/// What has no requests is no input, unless it was meant to be a name.
fn unknown(source: &Source, error: crate::ingest::IngestError) -> Failure {
    let is_word = !source.name().contains(['.', '/']) && !Path::new(source.name()).exists();
    if is_word {
        let names: Vec<_> = PROFILES.iter().map(|profile| profile.name).collect();
        let meant =
            near(source.name(), names.iter().copied().chain(MIXES.iter().map(|mix| mix.name)));
        let names = names.join(", ");
        return Failure::because(format_args!("{error}; the profiles are {names}{meant}"));
    }
    if error.why.contains("no cma event") {
        return Failure::because(format_args!(
            "{error}; `{} diagnose` says why requests failed, as far as it shows it",
            program::name()
        ));
    }
    error.into()
}

/// What is taken to be so where texts have no requests.
fn said(shown: &Shown) -> String {
    let name = shown.area.as_deref().unwrap_or("the area");
    format!(
        "no requests are in these texts: {name} is taken to be full of buffers of {} pages ({}), as \
         many as fit at cap {}, in whatever size it has; a trace (collect -t 60) shows what is asked for",
        shown.resident.count,
        shown.resident.confidence.name(),
        shown.cap
    )
}

impl Given {
    /// What texts without requests show.
    pub(super) fn shown(&self) -> Option<&Shown> {
        self.inputs.iter().find_map(|input| match input {
            Input::Filled(shown) => Some(&**shown),
            Input::Profile(_) | Input::Mix(..) | Input::Fit(..) => None,
        })
    }

    /// The fit of the first file.
    pub(super) fn fit(&self) -> Option<&Arc<Fit>> {
        self.inputs.iter().find_map(|input| match input {
            Input::Fit(_, fit) => Some(fit),
            Input::Profile(_) | Input::Mix(..) | Input::Filled(_) => None,
        })
    }

    /// The cap that a mix shows.
    pub(super) fn cap(&self) -> Option<u32> {
        self.inputs.iter().find_map(|input| match input {
            Input::Mix(_, mix) => mix.cap(),
            Input::Fit(_, fit) => Some(fit.cap),
            Input::Filled(shown) => Some(shown.cap),
            Input::Profile(_) => None,
        })
    }

    /// The area that a profile comes with.
    pub(super) fn area_pages(&self) -> Option<u64> {
        self.inputs.iter().find_map(|input| match input {
            Input::Profile(profile) => profile.area.map(|area| area.count),
            Input::Filled(shown) => Some(shown.pages),
            Input::Mix(..) | Input::Fit(..) => None,
        })
    }

    /// The works, with their shares of board time.
    pub(super) fn works(&self, args: &Recommend, base: &Base) -> Result<Vec<Work>, Failure> {
        let weights = match args.weight.len() {
            0 => vec![1.0; self.inputs.len()],
            many if many == self.inputs.len() => args.weight.clone(),
            many => {
                return Err(Failure::because(format_args!(
                    "weigh the inputs: --weight has {many}, and there are {}",
                    self.inputs.len()
                )));
            }
        };
        if let Some(wrong) = weights.iter().find(|weight| !(**weight > 0.0 && weight.is_finite())) {
            return Err(Failure::because(format_args!(
                "weigh the inputs: {wrong} is no share; it is a number above 0"
            )));
        }
        let mut works = Vec::new();
        for (input, weight) in self.inputs.iter().zip(weights) {
            let (name, origin) = match input {
                Input::Filled(shown) => (shown.work.name.clone(), shown.work.origin.clone()),
                Input::Mix(name, mix) => (name.clone(), Origin::Mix(Arc::clone(mix))),
                Input::Fit(name, fit) => (name.clone(), Origin::Fit(Arc::clone(fit))),
                Input::Profile(profile) => {
                    (profile.name.to_string(), Origin::Profile(profile, load(profile, args, base)?))
                }
            };
            works.push(Work { name, origin, weight });
        }
        if works.iter().any(Work::is_in_ops) && !works.iter().all(Work::is_in_ops) {
            return Err(Failure::because(
                "recommend for a recording and for what has time together; a recording counts its \
                 ops: recommend for each alone",
            ));
        }
        Ok(works)
    }
}

/// The LOAD of a profile: as stated, of one that comes with its area a share of whatever area, else
/// its share of the area as it is.
fn load(profile: &Profile, args: &Recommend, base: &Base) -> Result<Load, Failure> {
    if let Some(size) = args.load_mib {
        return Ok(Load::Pages(pages("--load-mib", size, base.ground.page)?));
    }
    if profile.area.is_some() {
        return Ok(Load::Share(profile.default_load));
    }
    match base.pages {
        Some(pages) => Ok(Load::Pages((profile.default_load * pages as f64) as u64)),
        None => Err(Failure::because(format_args!(
            "recommend for profile {}: nothing states how much it asks for; name --load-mib, or --mib \
             of the area, of which it asks for {}",
            profile.name,
            crate::words::percent(profile.default_load, 0)
        ))),
    }
}

/// What kind of kernel the files are of.
pub(super) fn kind(given: &Given) -> Result<crate::kernel::Kind, Failure> {
    match given.texts.first() {
        Some(source) => Ok(reader::kind(source, &given.options)?),
        None => Ok(crate::kernel::Kind::default()),
    }
}
