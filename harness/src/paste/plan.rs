//! From a change to edits and texts.

use super::edit::{Edit, Edits, Target};
use super::kernel::ram;
use super::room::{World, reason};
use super::text::cells;
use super::{CannotPaste, Change, Paste, Wanted, room};
use crate::lint::{Area, Asker, Board, Pool, lint, size};
use crate::tree::Tree;

/// What is done so far.
pub(super) struct Plan<'a> {
    pub(super) board: &'a Board,
    pub(super) change: &'a Change,
    /// What the kernel makes of each area as it is.
    pub(super) areas: Vec<Area>,
    /// Cells of an address and of a size.
    pub(super) cells: (u32, u32),
    pub(super) edits: Edits,
    /// What undoes them.
    pub(super) back: Edits,
    /// Names of new pools.
    pub(super) names: Vec<String>,
    pub(super) paste: Paste,
}

/// All of it, not checked yet.
pub(super) fn planned(board: &Board, change: &Change) -> Result<Paste, CannotPaste> {
    legal(board, change)?;
    let (edits, back) = (Edits::default(), Edits::default());
    let mut plan = Plan {
        board,
        change,
        areas: lint(board).areas,
        cells: board.cells(),
        edits,
        back,
        names: Vec::new(),
        paste: Paste::default(),
    };
    for wanted in &change.areas {
        plan.area(wanted)?;
    }
    plan.together()?;
    if let Some(cap) = change.cap {
        plan.cap(cap)?;
    }
    plan.slots();
    plan.ram();
    plan.prints();
    plan.texts();
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
fn pool(tree: &Tree, name: &str) -> Option<Pool> {
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
        Ok(())
    }

    /// Whether there is room for all of them at once.
    fn together(&self) -> Result<(), CannotPaste> {
        let Some(world) = World::of(self.board, self.change) else { return Ok(()) };
        // One alone was looked at where it is changed, and may have wider ranges now.
        if self
            .edits
            .nodes
            .iter()
            .any(|edit| edit.lines.iter().any(|line| line.starts_with("alloc-ranges")))
        {
            return Ok(());
        }
        let Err(at) = world.place() else { return Ok(()) };
        let failed = &world.asks[at];
        // As it is, too.
        let unchanged = World::of(self.board, &Change::default());
        if unchanged.is_some_and(|world| world.place().is_err()) && !self.is_wanted(&failed.name) {
            return Ok(());
        }
        let is_new = self.change.areas.iter().any(|area| area.is_new && area.name == failed.name);
        let why = reason(self.board, &failed.name, is_new);
        Err(CannotPaste::NoRoom { name: failed.name.clone(), bytes: failed.bytes, why })
    }

    fn is_wanted(&self, name: &str) -> bool {
        self.change.areas.iter().any(|area| area.name == name)
    }

    fn ram(&mut self) {
        let before = ram(self.board, &self.areas);
        let mut after = before;
        for wanted in &self.change.areas {
            let own = self.areas.iter().filter(|area| !wanted.is_new && area.name == wanted.name);
            let own = own.filter(|area| area.has_memory());
            let old: Option<u64> = own.map(|area| area.bytes).sum();
            after = after.zip(old).map(|(all, old)| all.saturating_sub(old) + wanted.bytes);
        }
        (self.paste.ram_before, self.paste.ram_after) = (before, after);
    }

    fn prints(&mut self) {
        let mut names = self.names.clone().into_iter();
        for wanted in &self.change.areas {
            let name = if wanted.is_new { names.next() } else { None };
            let name = name.unwrap_or_else(|| wanted.name.clone());
            let tree = self.board.tree.as_ref();
            let by_node = wanted.is_new
                || tree.map_or(name != "reserved", |tree| pool(tree, &name).is_some());
            self.boot_prints(&name, wanted.bytes, by_node);
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
        self.paste.overlay = tree.and_then(|_| self.edits.overlay(tree));
        let back = "the fragment off the end of the .dts, and the tree built again";
        self.paste.back.insert(0, back.to_string());
        if tree.is_some() {
            self.paste.back_fragment = Some(self.back.fragment(tree));
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
            self.edits.around = vec![
                format!("#address-cells = <{address}>;"),
                format!("#size-cells = <{bytes}>;"),
                "ranges;".to_string(),
            ];
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
