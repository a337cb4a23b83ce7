//! The area of a failure over the time, where a trace shows it.

use std::path::Path;

use crate::cli::context::Context;
use crate::cli::given::{DEFAULT_KERNEL, TRACE_ENVIRONMENT};
use crate::cli::sweep::quote;
use crate::diagnose::Options;
use crate::environment::Spec;
use crate::ingest::Source;
use crate::kernel::Kernel;
use crate::reader;
use crate::replay::{Under, survey};
use crate::report::diagnosis::{Groups, OverTime};
use crate::report::view::{Part, Take, View};
use crate::seed::Seed;
use crate::view::recorded;

/// The most events of a trace that are filmed: some 60 MB.
const MOST_EVENTS: u64 = 1_000_000;

/// The area of the first failure with enough free pages, else of the first one. Where that is in no
/// trace, or the trace does not say enough of it, there is nothing to show.
pub(super) fn over_time(
    sources: &[Source],
    options: &Options,
    groups: &Groups,
    context: &Context,
) -> OverTime {
    film(sources, options, groups, context).unwrap_or_default()
}

fn film(
    sources: &[Source],
    options: &Options,
    groups: &Groups,
    context: &Context,
) -> Option<OverTime> {
    let failed = groups.first()?.incident.area.as_deref();
    if !sources.iter().all(Source::is_repeatable) {
        return None;
    }
    let (rows, beside) = reader::sorted(sources.to_vec()).ok()?;
    let trace = reader::only(rows).ok()?;
    let areas = reader::areas(&trace).ok()?;
    let area = match (failed, &areas[..]) {
        (_, []) => None,
        (None, [only]) => Some(only.clone()),
        (None, _) => return None,
        (Some(failed), _) => Some(areas.iter().find(|area| *area == failed)?.clone()),
    };
    let command = command(sources, area.as_deref());
    match reader::events(&trace, MOST_EVENTS + 1).ok()? {
        0 => return None,
        events if events > MOST_EVENTS => return Some(OverTime::TooLong(MOST_EVENTS, command)),
        _ => {}
    }
    let geometry = options.geometry.clone();
    let read = reader::Options { geometry, area, beside, ..reader::Options::default() };
    let opened = reader::open(&trace, &read).ok()?;
    let kernel = options.kernel.as_deref().and_then(Kernel::find).or_else(|| opened.kernel());
    let kernel = kernel.or_else(|| Kernel::find(DEFAULT_KERNEL))?;
    let environment = Spec::parse(TRACE_ENVIRONMENT).ok()?;
    let found = survey(&trace, &read, &environment).ok()?;
    let policy = context.catalog.parse(kernel.policy).ok()?;
    let (seed, cap) = (Seed::new(0), found.cap);
    let under = Under { policy: &policy, environment: &environment, seed: &seed, kernel, cap };
    let film = recorded(&trace, &read, &under).ok()?;
    let take = Take { name: format!("as recorded, cap {cap}"), cap, recorded: true };
    let part = Part::new(film.area.clone(), found.clients, vec![film]);
    Some(OverTime::Film(Box::new(View {
        title: name(trace.name()),
        command,
        takes: vec![take],
        parts: vec![part],
        page: found.paged.page,
        has_time: true,
        notes: Vec::new(),
    })))
}

/// The line that makes the page with all of it.
fn command(sources: &[Source], area: Option<&str>) -> String {
    let files = sources.iter().map(|source| format!(" {}", quote(&name(source.name()))));
    let area = area.map_or_else(String::new, |area| format!(" --area {}", quote(area)));
    format!("cmalab view{}{area}", files.collect::<String>())
}

/// The last part of a path.
fn name(path: &str) -> String {
    let file = Path::new(path).file_name();
    file.map_or_else(|| path.to_string(), |file| file.to_string_lossy().into_owned())
}
