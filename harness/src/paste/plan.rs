//! From a change to edits and texts.

use super::edit::{Edit, Edits, Target};
use super::fresh::named;
use super::kernel::{all, ram};
use super::room::{Piece, reason, unplaced};
use super::text::cells;
use super::{CannotPaste, Change, Paste, Replaced, Wanted, pool::both, room};
use crate::lint::{Area, Asker, Board, Pool, lint, size};
use crate::tree::{NodeId, Tree};

/// What is done so far.
pub(super) struct Plan<'a> {
    pub(super) board: &'a Board,
    /// With names for new pools.
    pub(super) change: Change,
    /// What the kernel makes of each area as it is.
    pub(super) areas: Vec<Area>,
    /// Cells of an address and of a size.
    pub(super) cells: (u32, u32),
    pub(super) edits: Edits,
    /// What undoes them.
    pub(super) back: Edits,
    /// Ranges that were chosen for areas, by name: the last one counts.
    pub(super) wider: Vec<(String, Vec<Piece>)>,
    /// Devices that have a new pool, and its name.
    pub(super) given: Vec<(NodeId, String)>,
    pub(super) paste: Paste,
}

/// All of it, not checked yet.
pub(super) fn planned(board: &Board, change: &Change) -> Result<Paste, CannotPaste> {
    legal(board, change)?;
    let edits = Edits { cells: board.cells(), ..Edits::default() };
    let mut plan = Plan {
        board,
        change: named(board, change),
        areas: lint(board).areas,
        cells: board.cells(),
        edits,
        back: Edits::default(),
        wider: Vec::new(),
        given: Vec::new(),
        paste: Paste::default(),
    };
    for wanted in plan.change.areas.clone() {
        plan.area(&wanted)?;
    }
    plan.together()?;
    if let Some(cap) = change.cap {
        plan.cap(cap)?;
    }
    plan.slots();
    plan.ram();
    plan.prints();
    plan.texts();
    plan.paste.areas = plan.change.areas;
    Ok(plan.paste)
}

fn legal(board: &Board, change: &Change) -> Result<(), CannotPaste> {
    if change.areas.is_empty() && change.cap.is_none() {
        return Err(CannotPaste::Nothing);
    }
    let mut names: Vec<_> = change.areas.iter().map(|area| &area.name).collect();
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(CannotPaste::Twice(pair[0].clone()));
    }
    let step = room::step(board).unwrap_or(1);
    for Wanted { name, bytes, .. } in &change.areas {
        if *bytes > 0 && bytes.is_multiple_of(step) {
            continue;
        }
        let around = board.steps.around(*bytes);
        let legal = around.map(|(below, above)| below.into_iter().chain([above]).collect());
        return Err(CannotPaste::OffStep {
            name: name.clone(),
            bytes: *bytes,
            step: board.steps.said(),
            legal: legal.unwrap_or_default(),
        });
    }
    Ok(())
}

/// A node of `/reserved-memory` as a pool, switched off or not.
pub(super) fn pool(tree: &Tree, name: &str) -> Option<Pool> {
    let reserved = tree.find("/reserved-memory")?;
    Pool::of(tree, tree.child(reserved, name)?)
}

impl Plan<'_> {
    fn area(&mut self, wanted: &Wanted) -> Result<(), CannotPaste> {
        if wanted.is_new {
            return self.create(wanted);
        }
        if let Some(tree) = &self.board.tree
            && let Some(pool) = pool(tree, &wanted.name)
        {
            let own = self.areas.iter().find(|area| area.asker == Asker::Node(pool.id));
            if own.is_some_and(Area::is_bypassed) {
                self.without_parameter(&wanted.name);
            }
            return self.resize(tree, &pool, wanted);
        }
        let asker = self.areas.iter().find(|area| area.name == wanted.name).map(|area| area.asker);
        match asker {
            Some(asker @ (Asker::Command | Asker::Config)) => self.default(wanted, asker),
            _ if self.board.tree.is_some() => return Err(self.unknown(wanted)),
            _ if wanted.name == "reserved" => self.default(wanted, Asker::Command),
            _ => self.by_path(wanted)?,
        }
        Ok(())
    }

    fn unknown(&self, wanted: &Wanted) -> CannotPaste {
        let known = self.areas.iter().map(|area| area.name.clone()).collect();
        CannotPaste::NoArea { name: wanted.name.clone(), known }
    }

    /// A node of a tree that is not given.
    fn by_path(&mut self, wanted: &Wanted) -> Result<(), CannotPaste> {
        let path = format!("/reserved-memory/{}", wanted.name);
        let why = "its cells cannot state it".to_string();
        let bytes = cells(wanted.bytes, self.cells.1);
        let no_room = CannotPaste::NoRoom { name: wanted.name.clone(), bytes: wanted.bytes, why };
        let line = format!("size = <{}>; /* {} */", bytes.ok_or(no_room)?, size(wanted.bytes));
        self.edits.nodes.push(Edit { target: Target::Path(path), lines: vec![line] });
        let (what, before) = (format!("size of {}", wanted.name), "not known".to_string());
        self.paste.replaces.push(Replaced { what, before, after: both(wanted.bytes) });
        let note =
            format!("where {} has `reg` in the tree, its size is changed there", wanted.name);
        self.paste.notes.push(note);
        Ok(())
    }

    /// Whether there is room for all of them at once.
    fn together(&self) -> Result<(), CannotPaste> {
        let Some(world) = self.world() else { return Ok(()) };
        let failed = world.placed(None).1;
        let before = if failed.is_empty() { Vec::new() } else { unplaced(self.board) };
        let own = |name: &str| self.change.areas.iter().find(|area| area.name == name);
        let counts = |name: &str| own(name).is_some() || !before.iter().any(|old| old == name);
        let Some(name) = failed.into_iter().find(|name| counts(name)) else { return Ok(()) };
        let own = own(name);
        let why = reason(self.board, name, own.is_some_and(|area| area.is_new));
        let asked = world.asks.iter().find(|ask| ask.name == name);
        let bytes = asked.map_or(0, |ask| ask.bytes);
        Err(CannotPaste::NoRoom { name: name.to_string(), bytes, why })
    }

    fn ram(&mut self) {
        self.paste.ram_before = ram(self.board, &self.areas);
        let line = self.paste.cmdline.as_ref().map(|line| &*line.after);
        let board = self.board.with(None, line, &self.paste.config);
        self.paste.ram_after = match &self.board.tree {
            Some(tree) => self.placed(tree, &lint(&board).areas),
            None => self.logged(),
        };
    }

    /// Bytes of all areas after the change, of those that the kernel makes of the rest as it is.
    fn placed(&self, tree: &Tree, areas: &[Area]) -> Option<u64> {
        let wanted = &self.change.areas;
        let is_wanted = |area: &&Area| wanted.iter().any(|own| own.name == area.name);
        let mut nodes = wanted.iter().filter_map(|own| pool(tree, &own.name));
        // Where a node is the default area, the kernel makes none of its own.
        let has_default = nodes.any(|pool| pool.default);
        let goes = |area: &&Area| has_default && area.asker == Asker::Config;
        let rest = areas.iter().filter(|area| area.has_memory() && !is_wanted(area) && !goes(area));
        all(rest.map(|area| area.bytes).chain(wanted.iter().map(|own| Some(own.bytes))))
    }

    /// The same by a log of the boot before.
    fn logged(&self) -> Option<u64> {
        let told = &self.board.log.as_ref()?.areas;
        let old = |wanted: &Wanted| {
            let own = told.iter().find(|asked| asked.name.as_deref() == Some(&*wanted.name));
            if wanted.is_new { Some(0) } else { own?.bytes }
        };
        let mut areas = self.change.areas.iter();
        areas.try_fold(self.paste.ram_before?, |all, wanted| {
            Some(all.checked_sub(old(wanted)?)?.saturating_add(wanted.bytes))
        })
    }

    fn prints(&mut self) {
        for wanted in self.change.areas.clone() {
            let tree = self.board.tree.as_ref();
            let is_node =
                tree.map_or(wanted.name != "reserved", |tree| pool(tree, &wanted.name).is_some());
            self.boot_prints(&wanted.name, wanted.bytes, wanted.is_new || is_node);
        }
        if let Some(bytes) = self.paste.ram_after {
            self.paste.notes.push(format!("/proc/meminfo has CmaTotal: {} kB", bytes >> 10));
        }
    }

    fn texts(&mut self) {
        if self.edits.is_empty() {
            return;
        }
        let tree = self.board.tree.as_ref();
        self.surroundings(tree);
        self.paste.fragment = Some(self.edits.fragment(tree));
        self.paste.overlay = tree.and_then(|tree| self.edits.overlay(tree));
        let back = "take the fragment off the end of the .dts, and build the tree again";
        self.paste.back.insert(0, back.to_string());
        if tree.is_some() {
            self.paste.back_fragment = Some(self.back.fragment(tree));
        }
        if !self.edits.fresh.is_empty() {
            let note = "a driver takes its memory-region by of_reserved_mem_device_init(): the \
                        devices of one that does not call it stay in the default area, and the \
                        boot does not print `assigned reserved memory node`";
            self.paste.notes.push(note.to_string());
        }
        match &self.paste.overlay {
            Some(_) => self.paste.notes.push(
                "an overlay must be applied before the kernel starts, by the boot loader or by \
                 `fdtoverlay`: the kernel reads /reserved-memory once, at boot"
                    .to_string(),
            ),
            None if !self.edits.around.is_empty() => self.paste.notes.push(
                "there is no overlay: `dtc` warns of every one that makes /reserved-memory"
                    .to_string(),
            ),
            None => {}
        }
    }

    /// What a tree without `/reserved-memory` needs, and what is to be said of one that is not
    /// known.
    fn surroundings(&mut self, tree: Option<&Tree>) {
        let (address, bytes) = self.cells;
        let is_there = tree.is_none_or(|tree| tree.find("/reserved-memory").is_some());
        if !is_there {
            self.edits.around = self.edits.cell_lines();
            self.edits.around.push("ranges;".to_string());
            self.back.gone = vec!["&{/reserved-memory}".to_string()];
        }
        if tree.is_none() {
            self.edits.head.push(format!(
                "The board's device tree was not given: #address-cells = <{address}> and \
                 #size-cells = <{bytes}> of its root are taken, and /reserved-memory to be there."
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::lint::{Given, RULES};
    use crate::paste::most_bytes;

    fn blob(name: &str) -> Vec<u8> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/lint").join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    proptest! {
        /// Whatever a tree has in it, there is a text or a reason.
        #[test]
        fn any_tree_has_a_text_or_a_reason(
            which in 0..RULES.len(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..16),
            line in prop::option::of("cma=[0-9A-Za-z@%.-]{0,24}"),
            bytes in prop_oneof![1..64u64, Just(1 << 20), Just((u64::MAX >> 21) - 1)],
            new in any::<bool>(),
        ) {
            let rule = RULES[which];
            if rule.fails.dts().is_none() {
                return Ok(());
            }
            let mut tree = blob(&format!("{}-fails.dtb", rule.name));
            for (at, byte) in &changes {
                let at = at.index(tree.len());
                tree[at] = *byte;
            }
            let Ok(tree) = Tree::flat("a.dtb", &tree) else { return Ok(()) };
            let cmdline = line.map(|line| ("--cmdline".to_string(), line));
            let kernel = Some("6.12-arm64".to_string());
            let given = Given { tree: Some(tree), cmdline, kernel, ..Given::default() };
            let board = Board::read(given).expect("it is read");
            let names = board.pools.iter().map(|pool| pool.name.clone()).chain(["reserved".into()]);
            for name in names {
                let room = most_bytes(&board, &name);
                prop_assert!(room.is_none_or(|room| !room.why.is_empty()));
                let own = Wanted { name, bytes: bytes << 21, ..Wanted::default() };
                let clients = vec!["vpu".to_string()];
                let fresh = Wanted { bytes: 2 << 20, is_new: true, clients, ..Wanted::default() };
                let areas = if new { vec![own, fresh] } else { vec![own] };
                match planned(&board, &Change { areas, cap: None }) {
                    Ok(paste) => prop_assert_ne!(paste.replaces.len(), 0),
                    Err(why) => prop_assert!(why.to_string().starts_with("change ")),
                }
            }
        }
    }
}
