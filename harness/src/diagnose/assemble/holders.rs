//! Who holds the pages of an area, by the tasks of a trace.

use std::sync::Arc;

use cma_policies::Run;
use rustc_hash::FxHashMap;

use crate::diagnose::Holder;
use crate::ingest::log::Task;

/// The most tasks of an area that are told apart.
const MOST_TASKS: usize = 64;

/// The most tasks that are named beside a failure.
const MOST_NAMED: usize = 4;

/// The live buffers of an area.
#[derive(Debug, Default)]
struct Area {
    /// By their first page: pages, and the number of the task. Walked through for one alone.
    buffers: FxHashMap<u64, (u64, usize)>,
    tasks: Vec<Holder>,
    /// Those that hold most, as long as nothing changed.
    most: Option<Arc<[Holder]>>,
}

/// The live buffers of all areas, as far as a trace shows them come and go.
#[derive(Debug, Default)]
pub(super) struct Holders {
    areas: Vec<(Option<Arc<str>>, Area)>,
}

impl Holders {
    /// `task` was granted `run`.
    pub(super) fn granted(&mut self, area: Option<&Arc<str>>, task: Option<&Task>, run: Run) {
        let Some(task) = task.filter(|task| task.comm.is_some()) else { return };
        let Some(area) = self.area(area) else { return };
        area.most = None;
        let alike = |one: &Holder| one.task.pid == task.pid && one.task.comm == task.comm;
        let index = area.tasks.iter().position(alike).unwrap_or(area.tasks.len());
        if index == MOST_TASKS {
            return;
        }
        if index == area.tasks.len() {
            let task = Task { cpu: None, ..task.clone() };
            area.tasks.push(Holder { task, buffers: 0, pages: 0 });
        }
        area.tasks[index].buffers += 1;
        area.tasks[index].pages += run.count;
        if let Some((pages, before)) = area.buffers.insert(run.pfn.0, (run.count, index)) {
            area.tasks[before].gone(pages, true);
        }
    }

    /// `run` was given back: a buffer, or a part of one.
    pub(super) fn released(&mut self, area: Option<&Arc<str>>, run: Run) {
        let Some(area) = self.area(area) else { return };
        let first = run.pfn.0;
        let around = |(start, (pages, _)): &(&u64, &(u64, usize))| {
            (**start..start.saturating_add(*pages)).contains(&first)
        };
        // A part of a buffer may begin anywhere in it.
        let found = area.buffers.get_key_value(&first);
        let Some((start, (pages, task))) = found.or_else(|| area.buffers.iter().find(around))
        else {
            return;
        };
        let (start, pages, task) = (*start, *pages, *task);
        area.most = None;
        let whole = run.count >= pages;
        area.tasks[task].gone(pages.min(run.count), whole);
        if whole {
            area.buffers.remove(&start);
        } else if let Some((left, _)) = area.buffers.get_mut(&start) {
            *left -= run.count;
        }
    }

    /// Those that hold most of an area now.
    pub(super) fn of(&mut self, area: Option<&Arc<str>>) -> Arc<[Holder]> {
        let Some(area) = self.area(area) else { return Arc::default() };
        let tasks = &area.tasks;
        let most = area.most.get_or_insert_with(|| {
            let mut most: Vec<_> = tasks.iter().filter(|one| one.pages > 0).cloned().collect();
            most.sort_by_key(|one| std::cmp::Reverse(one.pages));
            most.truncate(MOST_NAMED);
            most.into()
        });
        Arc::clone(most)
    }

    /// The area of this name; of more than a kernel has none.
    fn area(&mut self, name: Option<&Arc<str>>) -> Option<&mut Area> {
        const MOST: usize = 64;
        let known = self.areas.iter().position(|(known, _)| known.as_ref() == name);
        let index = known.unwrap_or(self.areas.len());
        if known.is_none() && index < MOST {
            self.areas.push((name.cloned(), Area::default()));
        }
        self.areas.get_mut(index).map(|(_, area)| area)
    }

    /// Events were lost, or another trace begins: who holds what is not known.
    pub(super) fn clear(&mut self) {
        self.areas.clear();
    }
}

impl Holder {
    fn gone(&mut self, pages: u64, whole: bool) {
        self.pages = self.pages.saturating_sub(pages);
        self.buffers = self.buffers.saturating_sub(u64::from(whole));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(comm: &str, pid: u32) -> Task {
        Task { comm: Some(comm.into()), pid: Some(pid), cpu: Some(1) }
    }

    fn said(holders: &mut Holders) -> Vec<(String, u64, u64)> {
        let name = |one: &Holder| one.task.comm.as_deref().unwrap_or_default().to_string();
        holders.of(None).iter().map(|one| (name(one), one.buffers, one.pages)).collect()
    }

    #[test]
    fn who_holds_most_comes_first_and_what_is_given_back_counts_no_more() {
        let mut holders = Holders::default();
        holders.granted(None, Some(&task("vpu", 7)), Run::new(0, 4));
        holders.granted(None, Some(&task("cam", 9)), Run::new(8, 64));
        holders.granted(None, Some(&task("vpu", 7)), Run::new(128, 257));
        holders.granted(None, None, Run::new(512, 9));
        assert_eq!(said(&mut holders), [("vpu".into(), 2, 261), ("cam".into(), 1, 64)]);
        holders.released(None, Run::new(128, 257));
        holders.released(None, Run::new(600, 1));
        assert_eq!(said(&mut holders), [("cam".into(), 1, 64), ("vpu".into(), 1, 4)]);
        // A part of a buffer.
        holders.released(None, Run::new(8, 62));
        assert_eq!(said(&mut holders), [("vpu".into(), 1, 4), ("cam".into(), 1, 2)]);
        holders.clear();
        assert!(said(&mut holders).is_empty());
    }
}
