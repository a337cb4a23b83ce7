//! Running one cell.

use super::cells::Cell;
use super::failed::{Broken, Failed};
use super::plan::{Length, Plan, What};
use super::route;
use super::stream::{Ops, Ready};
use crate::after_failure::AfterFailure;
use crate::board::BoardArea;
use crate::environment::Setup;
use crate::metric::{Meter, Setting, Value};
use crate::oracle::{Checks, Violation, Witness};
use crate::page::Page;
use crate::program;
use crate::seed::Seed;
use crate::simulate::{Observer, Rig, Slot, Until, run as run_ops, warm_up};

/// Runs one cell, start to end, watched by `others` beside the metrics. Its values are the same each
/// time: a cell depends on nothing but its plan.
///
/// # Errors
/// As [`run`](super::run).
pub fn run_cell(
    ready: &Ready,
    cell: &Cell,
    others: &mut [&mut dyn Observer],
) -> Result<Vec<Value>, Failed> {
    let plan = &ready.plan;
    let stream = &plan.streams[cell.at.stream];
    let (cap, known) = (plan.caps[cell.at.cap], &ready.checked[cell.at.stream]);
    let board = ready.board(&cell.at);
    let seed = Seed::new(cell.seed);
    let make = |index: usize, boot: u64| {
        let BoardArea { area, policy, .. } = &board.areas[index];
        let spec = policy.as_ref().unwrap_or(&plan.policies[cell.policy]);
        let policy = spec.build(area.clone()).expect("it was built on this area before");
        let seed = seed.child("environment", index as u64);
        // Another start meets other pages, the first one those that callers who go on would meet.
        let seed = if boot == 0 { seed } else { seed.child("boot", boot) };
        let (script, page) = (&known.script, plan.page);
        let setup = Setup { area, seed: &seed, script, reboots: boot, page };
        Slot {
            witness: Witness::new(area, policy, Checks::SWEEP),
            pages: plan.environments[cell.at.environment].build(setup),
        }
    };
    let mut ops = Ops::of_cell(ready, cell, board.pages())?;
    let rig = Rig::new(board.areas.len(), route::ways(&board, &ops.clients, known), make);
    let mut rig = rig.with_page(plan.page);
    let until = Until { time_us: stream.length.time_us(), first_failure: plan.until_first_failure };
    let probed = route::probed(ready, &cell.at, &board)?;
    let setting = Setting::of_areas(&probed, cap).watched(known.has_time, until.first_failure);
    let setting = setting.with_page(plan.page);
    let mut meter = Meter::new(&setting);
    let mut observers: Vec<&mut dyn Observer> = vec![&mut meter];
    for other in others {
        observers.push(&mut **other);
    }
    let callers = match (&known.fit, &known.mix) {
        _ if plan.after_failure != AfterFailure::Fitted => plan.after_failure.into(),
        (Some(fit), _) => fit.callers(&ops.clients, AfterFailure::Drop, cell.seed),
        (None, Some(mix)) => mix.callers.clone(),
        (None, None) => AfterFailure::Drop.into(),
    };
    warm_up(ops.before.iter().copied(), &mut rig.slots_mut()[0].witness, &mut observers)
        .and_then(|()| run_ops(ops.by_ref(), callers, until, &mut rig, &mut observers))
        .map_err(|violation| {
            Failed::Broken(Box::new(Broken {
                ops: leading_ops(plan, cell, board.pages(), &violation),
                violation,
                policy: plan.policies[cell.policy].to_string(),
                stream: stream.name().to_string(),
                cap,
            }))
        })?;
    ops.end()?;
    Ok(meter.values())
}

/// The names of the clients of a cell's stream, by number.
///
/// # Errors
/// As [`run_cell`].
pub fn clients_of(ready: &Ready, cell: &Cell) -> Result<Vec<String>, Failed> {
    Ok(Ops::of_cell(ready, cell, ready.board(&cell.at).pages())?.clients)
}

/// What writes the stream of a cell, in one line without a file to write to: none of one that is
/// read from a file, or that another command draws.
pub fn stream_command(ready: &Ready, cell: &Cell) -> Option<String> {
    let plan = &ready.plan;
    let stream = &plan.streams[cell.at.stream];
    let length = match stream.length {
        Length::Time(us) => format!("--hours {}", us as f64 / Length::HOUR_US as f64),
        _ => format!("--ops {}", ready.checked[cell.at.stream].ops),
    };
    generate(plan, cell, ready.board(&cell.at).pages(), &length)
}

/// The line of `generate` for the stream of a cell.
fn generate(plan: &Plan, cell: &Cell, pages: u64, length: &str) -> Option<String> {
    let paged = match plan.page {
        Page::Kib4 => String::new(),
        page => format!(" --page-kib {}", page.kib()),
    };
    let (program, seed) = (program::name(), cell.seed);
    match &plan.streams[cell.at.stream].what {
        What::Profile(profile) => Some(format!(
            "{program} generate {} --seed {seed} --pages {pages}{paged} --load {} {length}",
            profile.name,
            plan.load(&cell.at).map_or(profile.default_load, |load| load.share_of(pages)),
        )),
        What::Mix(mix) => Some(format!(
            "{program} generate {} --seed {seed} --pages {pages}{paged} {length}",
            mix.argument(),
        )),
        What::Fitted(_) | What::File(_) | What::Recorded(_) => None,
    }
}

fn leading_ops(plan: &Plan, cell: &Cell, pages: u64, violation: &Violation) -> String {
    let stream = &plan.streams[cell.at.stream];
    let (program, ops) = (program::name(), violation.op + 1);
    if let Some(command) = generate(plan, cell, pages, &format!("--ops {ops}")) {
        return command;
    }
    match &stream.what {
        What::Fitted(_) => format!(
            "{program} fit {} --draw stream.csv --seed {}{} --ops {ops}",
            stream.files().collect::<Vec<_>>().join(" "),
            cell.seed,
            plan.load(&cell.at).map_or_else(String::new, |load| {
                format!(" --load-pages {}", load.pages_of(pages))
            }),
        ),
        _ => format!("the first {ops} ops of {}", stream.name()),
    }
}
