//! What must be right before anything runs.

use cma_policies::{Area, Spec};

use super::expect::{expect, too_short};
use super::failed::Failed;
use super::held;
use super::page::other_page;
use super::plan::Length;
use super::plan::{Load, MOST_CELLS, Plan, Stream, What};
use super::route;
use super::route::Probed;
use super::shelf::Shelf;
use super::stream::{Checked, Ready, look_through, trace_first};
use super::target::Evidence;
use crate::board::BoardArea;
use crate::ingest::strange;
use crate::seed::Seed;
use crate::span::span;
use crate::words::counted;
use crate::workload::Setup;

/// Looks through every stream of `plan`, so that what is wrong is known before anything runs. A
/// file that states no area is put on the boards.
///
/// # Errors
/// A file that cannot be read; a LOAD that a profile does not take, a stream without an area, or
/// a policy that cannot be built on an area.
pub fn prepare(mut plan: Plan) -> Result<Ready, Failed> {
    let scripted = plan.environments.iter().any(|spec| spec.entry().reads_script);
    plan.streams.iter_mut().try_for_each(trace_first)?;
    let mut checked: Vec<_> = plan
        .streams
        .iter()
        .map(|stream| look_through(stream, plan.page, scripted))
        .collect::<Result<_, _>>()?;
    for (stream, known) in plan.streams.iter().zip(&checked) {
        if let Some(why) = known.paged.and_then(|paged| other_page(paged, plan.page)) {
            return Err(Failed::Run(format!("run {}: {why}", stream.name())));
        }
    }
    let fits = held::hold(&plan, &mut checked)?;
    for (stream, known) in plan.streams.iter_mut().zip(&checked) {
        if let Some(fit) = &known.fit {
            if stream.length == Length::Unstated {
                let as_file = Length::Ops(fit.ops());
                stream.length = if known.has_time { Length::DEFAULT } else { as_file };
            }
            // On boards where there are some: the fit is of who asks, not of where.
            stream.own_area |= plan.boards.is_empty();
            if stream.loads.is_empty() {
                stream.loads.push(Load::Pages(fit.load_pages()));
            }
        }
        if let (Some(mix), []) = (&known.mix, &stream.loads[..]) {
            stream.loads.push(Load::Pages(mix.load_pages()));
        }
        stream.own_area &= known.area.is_some();
        if !stream.own_area && plan.boards.is_empty() {
            let name = stream.name();
            let why = format!("run {name}: it states no area; the plan needs a [[boards]]");
            return Err(Failed::Run(why));
        }
    }
    let shown = caps_shown(&mut plan, &checked);
    for (stream, known) in plan.streams.iter().zip(&checked) {
        check_target(&plan, stream, known)?;
    }
    if plan.cell_count().is_none() {
        return Err(Failed::Run(format!("run the plan: it has more than {MOST_CELLS} cells")));
    }
    let mut ready = Ready {
        plan,
        checked,
        fits,
        aligned: Vec::new(),
        warnings: Vec::new(),
        probed: Probed::default(),
        shelf: Shelf::default(),
    };
    // Environments and caps do not change what a profile asks for.
    let streams = ready.plan.configurations().filter(|at| (at.environment, at.cap) == (0, 0));
    for at in streams {
        let (stream, board) = (&ready.plan.streams[at.stream], ready.board(&at));
        if let (What::Profile(profile), Some(load)) = (&stream.what, ready.plan.load(&at)) {
            let seed = Seed::new(ready.plan.seed);
            let load = load.share_of(board.pages());
            let setup = Setup { area_pages: board.pages(), load, seed, ops: 0 };
            let opened = profile.open_in(&setup, ready.plan.page);
            opened.map_err(|error| Failed::make(profile.name, error))?;
        }
        if let (Some(fit), Some(load)) = (&ready.checked[at.stream].fit, ready.plan.load(&at)) {
            let checked = fit.check(load.pages_of(board.pages()));
            checked.map_err(|error| Failed::make(stream.name(), error))?;
        }
    }
    let mut short = Vec::new();
    for stream in 0..ready.plan.streams.len() {
        short.extend(expect(&mut ready, stream)?);
    }
    ready.aligned = build_policies(&ready)?;
    ready.warnings = route::check(&ready)?;
    ready.warnings.extend(shown);
    ready.warnings.extend(too_short(&short));
    ready.warnings.extend(too_little(&ready.plan));
    let areas = ready.plan.boards.iter().flat_map(|board| &board.areas);
    ready.warnings.extend(areas.filter_map(|place| strange(&place.area)));
    Ok(ready)
}

/// Where the plan states no caps, the one that its traces show is taken in place of the default one:
/// that in words.
fn caps_shown(plan: &mut Plan, checked: &[Checked]) -> Option<String> {
    if std::mem::replace(&mut plan.are_caps_stated, true) {
        return None;
    }
    let named = plan.streams.iter().zip(checked);
    let mut shown = named.filter_map(|(stream, known)| Some((stream.name(), known.cap?)));
    let (name, cap) = shown.next()?;
    let is_one = shown.all(|(_, other)| other == cap);
    if !is_one || plan.caps == [cap] {
        return None;
    }
    let words =
        format!("caps = [{cap}], as the calls of {name} show; caps in the plan name others");
    plan.caps = vec![cap];
    Some(words)
}

/// Whether a stream can answer what the target of the plan asks.
fn check_target(plan: &Plan, stream: &Stream, known: &Checked) -> Result<(), Failed> {
    match (plan.target, stream.length) {
        (Some(_), _) if !known.has_time => Err(Failed::no_time(stream)),
        (Some(_), Length::Ops(_)) => Err(Failed::Run(format!(
            "run {} (line {} of the plan): a target is asked of board time; state hours or days in \
             place of ops",
            stream.name(),
            stream.at.line()
        ))),
        _ => Ok(()),
    }
}

/// A target that the plan cannot prove, whatever comes of it.
fn too_little(plan: &Plan) -> Option<String> {
    let target = plan.target?;
    let unproven = plan.streams.iter().find(|stream| {
        let proves = |us| Evidence::default().can_prove(target, us, plan.seeds_of(stream));
        stream.drawn_us().is_some_and(|us| !proves(us))
    })?;
    let (name, streams) = (unproven.name(), counted(plan.seeds, "stream"));
    let does = if plan.seeds == 1 { "does" } else { "do" };
    let length = span(unproven.drawn_us()? as f64);
    Some(format!(
        "{streams} of {length} ({name}) {does} not prove target {target} even if none fails: take \
         more hours or seeds"
    ))
}

/// Builds every policy on every area that it is to run on. For each of the plan whether it promises
/// aligned grants wherever it runs.
fn build_policies(ready: &Ready) -> Result<Vec<bool>, Failed> {
    let plan = &ready.plan;
    let mut aligned = vec![true; plan.policies.len()];
    let mut built: Vec<(Area, Option<String>)> = Vec::new();
    for at in plan.configurations() {
        for BoardArea { area, policy, .. } in &ready.board(&at).areas {
            let own = policy.as_ref().map(ToString::to_string);
            if built.iter().any(|(other, by)| other == area && *by == own) {
                continue;
            }
            let build = |spec: &Spec| {
                let built = spec.build(area.clone());
                built.map_err(|error| {
                    let pages = area.pages();
                    Failed::Run(format!("build policy {spec} on an area of {pages} pages: {error}"))
                })
            };
            match policy {
                Some(own) => drop(build(own)?),
                None => {
                    for (spec, aligned) in plan.policies.iter().zip(&mut aligned) {
                        *aligned &= build(spec)?.promises().aligned;
                    }
                }
            }
            built.push((area.clone(), own));
        }
    }
    Ok(aligned)
}
