//! A plan as TOML, as it was run: with every default filled in.

use cma_policies::{Area, Run};

use super::mix::{MixOf, table};
use super::plan::Length;
use super::plan::{FIRST_FAILURE, Load, Plan, Stream, What};
use super::stream::{Checked, Ready};
use super::target::Stop;
use crate::board::{Board, BoardArea, Caller, MadeBy};
use crate::ingest::placed;
use crate::page::Page;
use crate::words::counted;

/// The plan as a text that [`parse`](super::parse) makes the same plan of, and that says how many
/// ops and cells there are.
pub fn emit(ready: &Ready) -> String {
    text(&ready.plan, &ready.checked)
}

/// As [`emit`], of a plan whose files nobody has looked into: without what only they say.
pub fn emit_unread(plan: &Plan) -> String {
    text(plan, &vec![Checked::default(); plan.streams.len()])
}

pub(super) fn quote(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A key whose value is a text.
pub(super) fn key(key: &str, value: &(impl ToString + ?Sized)) -> String {
    format!("{key} = {}", quote(&value.to_string()))
}

fn list<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", "))
}

fn text(plan: &Plan, checked: &[Checked]) -> String {
    let most = if plan.is_adaptive() { "at most " } else { "" };
    let cells = plan.cell_count().unwrap_or(u64::MAX);
    let mut lines = vec![
        format!("# As run, all defaults filled in: {most}{}.", counted(cells, "cell")),
        key("name", &plan.name),
    ];
    lines.extend(plan.is_page_stated.then(|| format!("page_kib = {}", plan.page.kib())));
    lines.extend([format!("seed = {}", plan.seed), format!("seeds = {}", plan.seeds)]);
    lines.extend(
        plan.stop
            .map(|Stop { failed_share }| format!("stop = {{ failed_share = {failed_share:?} }}")),
    );
    lines.extend(plan.target.map(|target| key("target", &target)));
    lines.extend(plan.until_first_failure.then(|| key("until", FIRST_FAILURE)));
    let policies = plan.policies.iter().map(|spec| format!("  {},\n", quote(&spec.to_string())));
    lines.push(format!("policies = [\n{}]", policies.collect::<String>()));
    // What a plan that was not prepared leaves open is found out in its traces.
    let caps = || format!("caps = {}", list(&plan.caps, u32::to_string));
    lines.extend(plan.are_caps_stated.then(caps));
    let environments = list(&plan.environments, |spec| quote(&spec.to_string()));
    lines.push(format!("environments = {environments}"));
    lines.push(key("after_failure", &plan.after_failure));
    lines.extend(plan.boards.iter().flat_map(|one| board(one, plan.page)));
    let streams = plan.streams.iter().zip(checked);
    lines.extend(streams.flat_map(|(its, known)| stream(plan, its, known)));
    lines.join("\n") + "\n"
}

/// The value of a key in MiB that means so many pages: with a unit where it is no whole number.
pub(super) fn in_mib(pages: u64, page: Page) -> String {
    if pages.is_multiple_of(page.in_mib()) {
        return (pages / page.in_mib()).to_string();
    }
    quote(&format!("{}K", pages.saturating_mul(page.kib())))
}

/// The LOADs of a stream, which are all shares or all pages.
fn loads(loads: &[Load], page: Page) -> String {
    let text = list(loads, |load| match load {
        Load::Share(share) => format!("{share:?}"),
        Load::Pages(pages) => in_mib(*pages, page),
    });
    let is_share = loads.iter().any(|load| matches!(load, Load::Share(_)));
    format!("{} = {text}", if is_share { "loads" } else { "loads_mib" })
}

fn board(board: &Board, page: Page) -> Vec<String> {
    let mut lines = vec![format!("\n[[boards]]\n{}", key("name", &board.name))];
    // How the clients of a file ask is found out in it where the plan does not say.
    if !board.is_caller_open {
        lines.push(key("caller", board.caller.name));
    }
    if !board.callers.is_empty() {
        let caller = |(client, caller): &(String, &Caller)| key(&quote(client), caller.name);
        let callers: Vec<_> = board.callers.iter().map(caller).collect();
        lines.push(format!("callers = {{ {} }}", callers.join(", ")));
    }
    lines.push(format!("step_mib = {}", board.step_pages / page.in_mib()));
    lines.push("areas = [".to_string());
    for BoardArea { area, clients, policy, made_by } in &board.areas {
        let order = format!("order_per_bit = {}", area.order_per_bit());
        let mut keys = vec![key("name", area.name()), ranges(area), order];
        let clients = Some(clients).filter(|clients| !clients.is_empty());
        keys.extend(clients.map(|all| format!("clients = {}", list(all, |one| quote(one)))));
        keys.extend(policy.as_ref().map(|policy| key("policy", policy)));
        keys.extend((*made_by != MadeBy::Dts).then(|| key("made_by", made_by.name())));
        lines.push(format!("  {{ {} }},", keys.join(", ")));
    }
    lines.push("]".to_string());
    lines
}

/// Where an area lies: its ranges in the kernel's order, where it has several.
fn ranges(area: &Area) -> String {
    match area.ranges() {
        [run] => format!("pages = {}, base_pfn = {}", run.count, run.pfn),
        runs => {
            let one = |run: &Run| format!("{{ base_pfn = {}, pages = {} }}", run.pfn, run.count);
            format!("ranges = {}", list(runs, one))
        }
    }
}

fn length(plan: &Plan, stream: &Stream) -> Option<String> {
    let seeds = plan.seeds_of(stream);
    match stream.length {
        Length::Ops(ops) => Some(format!("ops = {ops} # of each cell; seeds: {seeds}")),
        Length::Time(us) => {
            let hours = us as f64 / Length::HOUR_US as f64;
            Some(format!("hours = {hours:?} # of board time, of each cell; seeds: {seeds}"))
        }
        Length::File | Length::Unstated => None,
    }
}

/// The mix, a line for each part.
fn mix(mix: &MixOf) -> String {
    if mix.built_in.is_some() {
        return format!("mix = {}", mix.value());
    }
    let parts = mix.parts.iter().map(|part| format!("  {},\n", table(part, mix.page)));
    format!("mix = [\n{}]", parts.collect::<String>())
}

/// The files of a stream: one as a text, several as a list.
fn files(name: &str, stream: &Stream) -> String {
    match stream.files().collect::<Vec<_>>()[..] {
        [path] => key(name, path),
        ref paths => format!("{name} = {}", list(paths, |path| quote(path))),
    }
}

fn stream(plan: &Plan, stream: &Stream, known: &Checked) -> Vec<String> {
    let mut lines = vec!["\n[[streams]]".to_string()];
    lines.push(match &stream.what {
        What::Profile(profile) => key("profile", profile.name),
        What::Fitted(_) => files("fit", stream),
        What::File(_) => files("file", stream),
        What::Recorded(recording) => key("recorded", recording.name),
        What::Mix(its) => mix(its),
    });
    let own = known.fit.as_ref().map(|fit| (fit.load_pages(), fit.before_pages()));
    lines.extend(match (&stream.what, stream.loads.as_slice(), own) {
        (What::Mix(_), [Load::Pages(pages)], _) => {
            Some(format!("# LOAD is that of all parts, {pages} pages"))
        }
        (What::Fitted(_), [Load::Pages(pages)], Some((own, before))) if *pages == own => {
            let beside = if before > 0 {
                format!(", beside {before} that were there before")
            } else {
                String::new()
            };
            Some(format!("# LOAD is that of the file, {own} pages{beside}"))
        }
        (What::Profile(_) | What::Fitted(_), all @ [_, ..], _) => Some(loads(all, plan.page)),
        _ => None,
    });
    lines.extend(length(plan, stream));
    if let What::File(_) | What::Recorded(_) = stream.what {
        lines.push(format!("# {} in each cell, one seed", counted(known.ops, "op")));
    }
    // So that a sweep is not resumed, nor shards merged, over files that have changed since.
    lines.extend(known.sum.map(|sum| format!("# sum over what was in the file: {sum:016x}")));
    lines.extend(stream.area.as_ref().map(|area| key("area", area)));
    lines.extend(stream.snapshot.as_ref().map(|path| key("snapshot", path)));
    if let What::Mix(_) = stream.what {
        return lines;
    }
    if let (None, Some(cap)) = (stream.profile(), stream.recorded_cap) {
        lines.push(format!("recorded_cap = {cap}"));
    }
    lines.push(format!("own_area = {}", stream.own_area));
    if let (true, Some(area)) = (stream.own_area, &known.area) {
        let order = area.order_per_bit();
        lines.push(match area.ranges() {
            [run] => format!("# {} pages, base_pfn {}, order_per_bit {order}", run.count, run.pfn),
            _ => format!("# {}, order_per_bit {order}", placed(area)),
        });
    }
    lines
}
