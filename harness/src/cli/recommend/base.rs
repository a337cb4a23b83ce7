//! The board as it is, and what must stay as it is.

use std::collections::BTreeSet;

use clap::Args;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::lint::{cmdline, text};
use super::super::size::pages as in_pages;
use super::Recommend;
use super::input::{Given, kind};
use crate::ingest::DEFAULT_CAP;
use crate::kernel::{Release, release};
use crate::lint::{self, Board};
use crate::page::Page;
use crate::paste;
use crate::recommend::{Base, Ground, Limits};
use crate::size::Size;
use crate::tree::Tree;
use crate::words::{counted, mib, near};

/// What must stay within.
#[derive(Args, Debug)]
pub(super) struct Within {
    /// MiB of all areas together, at most [default: half of the memory; where that is not known four
    /// times the area]
    #[arg(long, value_name = "MIB", value_parser = Size::in_mib)]
    ram: Option<Size>,
    /// The kernel's configuration stays
    #[arg(long)]
    no_kconfig: bool,
    /// Drivers and applications stay
    #[arg(long)]
    no_driver: bool,
    /// The kernel's policy stays
    #[arg(long)]
    no_patch: bool,
    /// A node of /reserved-memory, or the area of that name, stays; may be named several times
    #[arg(long, value_name = "NODE")]
    leave: Vec<String>,
    /// Areas of the board, at most [default: CONFIG_CMA_AREAS, else 8]
    #[arg(long, value_name = "N")]
    max_areas: Option<u64>,
    /// Only these clients may get a pool of their own
    #[arg(long, value_name = "CLIENT,…", value_delimiter = ',')]
    split: Vec<String>,
    /// These clients must not get a pool of their own
    #[arg(long, value_name = "CLIENT,…", value_delimiter = ',')]
    no_split: Vec<String>,
}

/// `CONFIG_CMA_AREAS` without NUMA, where nothing states it (mm/Kconfig, 6.12; up to 6.8 there is
/// one slot more).
const AREAS: u64 = 8;
/// What an area is called that nobody has named.
const UNNAMED: &str = "cma";
/// Where memory is not known an area may become so many times as large.
const TIMES: u64 = 4;
/// Caps that kernels take from 5.x on (kernel/dma/Kconfig), and those before.
const CAPS: (u32, u32) = (2, 12);
const OLD_CAPS: (u32, u32) = (4, 12);
const NEW: Release = (5, 0);

/// What is known of the board from its texts and the options; it may be nothing.
fn board(args: &Recommend, given: &Given) -> Result<Board, Failure> {
    let mut all = lint::Given {
        texts: given.texts.clone(),
        kernel: args.kernel.clone(),
        page: args.read.page_kib,
        arch: args.arch,
        ..lint::Given::default()
    };
    if let Some(path) = &args.dts {
        std::fs::metadata(path)
            .map_err(|error| Failure::because(format_args!("read {}: {error}", path.display())))?;
        let tree = Tree::open(path)?.ok_or_else(|| {
            Failure::because(format_args!(
                "read {}: it is no device tree (.dts, .dtb, /proc/device-tree)",
                path.display()
            ))
        })?;
        all.tree = Some(tree);
    }
    if let Some(path) = &args.config {
        all.texts.push(text(path)?);
    }
    all.cmdline = args.cmdline.as_deref().map(cmdline).transpose()?;
    Ok(Board::read(all)?)
}

/// The board as it is, what must stay, and what is known of it beside.
pub(super) fn of(
    args: &Recommend,
    given: &Given,
    context: &Context,
) -> Result<(Base, Limits, Board), Failure> {
    let board = board(args, given)?;
    let fit = given.fit();
    let page = args.read.page_kib.or(fit.map(|fit| fit.paged.page)).unwrap_or_default();
    let area = fit.and_then(|fit| fit.area.clone());
    if area.as_ref().is_some_and(|area| area.ranges().len() > 1) {
        return Err(Failure::because(
            "recommend for an area of several ranges: nothing but hugetlb_cma= makes one",
        ));
    }
    let report = lint::lint(&board);
    let places = report.areas;
    // What the board has is what is asked, where no file says which area is.
    let own = match args.read.area() {
        Some(name) => places.iter().find(|area| area.name == name),
        None => places.iter().find(|area| area.default && area.is_placed()),
    };
    let of_mib = args.mib.map(|size| in_pages("--mib", size, page)).transpose()?;
    let stated = args.placed.pages(page)?.or(of_mib);
    let own_pages = own.and_then(|area| area.bytes).map(|bytes| bytes / page.bytes());
    let of_files = area.as_ref().map(cma_policies::Area::pages).or(given.area_pages());
    let pages = stated.or(of_files).or(own_pages);
    let cap = args.cap.or(given.cap()).or(board.cap);
    let step = step(given, &board, (pages, page))?;
    let shown = given.shown().and_then(|shown| shown.area.clone());
    // A stream has no name for its area.
    let named = area.as_ref().filter(|area| area.name() != UNNAMED);
    let name = named.map(|area| area.name().to_string()).or(shown);
    let name = name.or(own.map(|area| area.name.clone()));
    let others: Vec<_> = places
        .iter()
        .filter(|area| area.is_placed() && Some(&area.name) != name.as_ref())
        .collect();
    let beside_bytes: u64 = others.iter().filter_map(|area| area.bytes).sum();
    let beside = beside_bytes / page.bytes();
    let memory: Option<u64> =
        board.memory.as_ref().map(|all| all.iter().map(|(from, end)| end - from).sum());
    let most = most(args, (pages, beside, page), memory)?;
    let room = paste::most_bytes(&board, name.as_deref().unwrap_or("linux,cma"));
    let room = room.filter(|room| room.bytes / page.bytes() < most);
    if let Some(room) = &room {
        context.warn(&format!(
            "no more than {} are tried: {}",
            mib(room.bytes / page.bytes(), page),
            room.why
        ));
    }
    let most = room.map_or(most, |room| room.bytes / page.bytes());
    let newest = board.release().or(args.kernel.as_deref().and_then(release));
    let (low, high) = if newest.is_some_and(|own| own < NEW) { OLD_CAPS } else { CAPS };
    let ground = Ground {
        base_pfn: area.as_ref().map_or(0, |area| area.ranges()[0].pfn.0),
        order_per_bit: area.as_ref().map_or(0, cma_policies::Area::order_per_bit),
        page,
        is_strict: args.strict,
    };
    let base = Base {
        name: name.clone(),
        pages,
        cap: cap.unwrap_or(DEFAULT_CAP),
        ground,
        step_pages: step,
        most_pages: most / step * step,
        areas: others.len() as u64 + 1,
        caps: low..=high,
        taken: if board.is_empty() { Vec::new() } else { report.taken },
    };
    if let Some(ram) = args.limits.ram.filter(|_| base.most_pages == 0) {
        return Err(Failure::because(format_args!(
            "stay within --ram {}: areas are multiples of {}",
            mib(in_pages("--ram", ram, page)?, page),
            mib(step, page)
        )));
    }
    if base.most_pages == 0 || base.pages == Some(0) {
        return Err(Failure::because(format_args!(
            "make an area of less than {}, of which sizes are multiples; see --mib, --pages and \
             `alloc-ranges`",
            mib(step, page)
        )));
    }
    if let (Some(own), Some(stated)) =
        (own_pages, stated.filter(|stated| Some(*stated) != own_pages))
    {
        context.warn(&format!(
            "the area is taken to have {}, as is stated, in place of the {} of the board's texts",
            mib(stated, page),
            mib(own, page)
        ));
    }
    let limits = limits(args, (name.as_deref(), &places), &base, &board)?;
    if board.is_empty() && fit.is_some() {
        context.warn("nothing says what the board is: no device tree, log or command line");
    }
    Ok((base, limits, board))
}

/// Pages that the sizes of areas are multiples of.
fn step(given: &Given, board: &Board, (pages, page): (Option<u64>, Page)) -> Result<u64, Failure> {
    let by_board = if board.is_empty() { None } else { paste::step(board) };
    let kind = crate::kernel::Kind { page: Some(page), ..kind(given)? };
    let bytes = by_board.or(kind.step().map(|step| step.bytes)).unwrap_or(page.bytes());
    let step = (bytes / page.bytes()).max(1);
    // Where the area is none that such a kernel makes, its kind is not known.
    let fits = pages.is_none_or(|pages| pages.is_multiple_of(step));
    Ok(if fits { step } else { crate::kernel::pageblock(page).min(step) })
}

/// The most pages of the areas that may be changed.
fn most(
    args: &Recommend,
    (pages, beside, page): (Option<u64>, u64, Page),
    memory: Option<u64>,
) -> Result<u64, Failure> {
    let stated = args.limits.ram.map(|size| in_pages("--ram", size, page)).transpose()?;
    if let (Some(most), Some(memory)) = (stated, memory)
        && most * page.bytes() > memory
    {
        return Err(Failure::because(format_args!(
            "stay within --ram {}: the board has {} in all",
            mib(most, page),
            mib(memory / page.bytes(), page)
        )));
    }
    if let Some(most) = stated {
        return most.checked_sub(beside).filter(|most| *most > 0).ok_or_else(|| {
            Failure::because(format_args!(
                "stay within --ram {}: other areas of the board take {}",
                mib(most, page),
                mib(beside, page)
            ))
        });
    }
    let half = memory.map(|bytes| (bytes / page.bytes() / 2).saturating_sub(beside));
    let times = pages.map(|pages| pages.saturating_mul(TIMES));
    let load = args.load_mib.map(|size| in_pages("--load-mib", size, page)).transpose()?;
    let load = load.map(|pages| pages.saturating_mul(TIMES));
    // An area that is larger than half of the memory may stay so.
    let most = half.map(|half| half.max(pages.unwrap_or(0))).or(times).or(load);
    Ok(most.unwrap_or(1 << 20))
}

fn limits(
    args: &Recommend,
    (name, places): (Option<&str>, &[lint::Area]),
    base: &Base,
    board: &Board,
) -> Result<Limits, Failure> {
    let within = &args.limits;
    let known = places.iter().map(|area| &*area.name).chain(name);
    let known: Vec<&str> = known.collect::<BTreeSet<_>>().into_iter().collect();
    for leave in &within.leave {
        if !known.contains(&leave.as_str()) {
            return Err(Failure::because(format_args!(
                "leave {leave} as it is: no area is known by that name; there are {}{}",
                if known.is_empty() { "none".to_string() } else { known.join(", ") },
                near(leave, known.iter().copied())
            )));
        }
    }
    if let Some(both) = within.split.iter().find(|own| within.no_split.contains(own)) {
        return Err(Failure::because(format_args!(
            "split {both} off: --split and --no-split both name it"
        )));
    }
    let stated = board.config.number("CMA_AREAS");
    let max_areas = within.max_areas.or(stated).unwrap_or(AREAS);
    if max_areas < base.areas && within.max_areas.is_some() {
        return Err(Failure::because(format_args!(
            "stay within --max-areas {max_areas}: the board has {}",
            counted(base.areas, "area")
        )));
    }
    let limits = Limits {
        keeps_size: name.is_some_and(|name| within.leave.iter().any(|own| own == name)),
        no_kconfig: within.no_kconfig,
        no_driver: within.no_driver,
        no_patch: within.no_patch,
        max_areas: max_areas.max(base.areas),
        split: within.split.clone(),
        no_split: within.no_split.clone(),
    };
    if limits.keeps_size && limits.no_kconfig && limits.no_driver && limits.no_patch {
        return Err(Failure::because(
            "recommend anything: --leave, --no-kconfig, --no-driver and --no-patch leave nothing to \
             change",
        ));
    }
    Ok(limits)
}
