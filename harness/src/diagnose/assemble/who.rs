//! Who asked, and who reported it: by the lines around a failure.

use std::sync::Arc;

use super::aside::Said;
use super::driver::Complaint;
use super::reports::Reports;
use super::window::Id;
use super::{Reported, SECOND_US};
use crate::board::Caller;
use crate::ingest::log::{Elsewhere, Frame, SHAPES, Task};
use crate::timeline::{Place, same};

/// Lines within which a stack, or the refusal of the page allocator, belongs to a failure: a list of
/// free runs may be between them.
const NEAR_LINES: u64 = 400;

/// Lines within which the stack of an event, or of a warning, is before its failure.
const STACK_LINES: u64 = 64;

/// What a stack that no failure precedes says of the one that follows.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    client: Option<&'static str>,
    caller: Option<&'static Caller>,
    /// Whose it is.
    task: Option<Task>,
    at: Place,
}

impl Reports {
    /// Whether the failure that was reported last has a stamp.
    pub(super) fn is_stamped(&self) -> bool {
        self.last_failed.is_some_and(|(_, at)| at.time_us.is_some())
    }

    /// A driver reported failure `id` in the line that is read.
    pub(super) fn reported(&mut self, id: Id, said: &Complaint) {
        let line = (Arc::clone(&self.source), self.at.line);
        let Some(open) = self.window.get_mut(id) else { return };
        let who = &mut open.incident.who;
        who.driver_line.get_or_insert(line);
        // What one driver is called and what another one asks make no third.
        if !who.may_be_of(said.device.as_ref()) {
            return;
        }
        who.asks_dma |= said.dma;
        // `[drm:vc4_bo_create]` says less than `vc4-drm soc:gpu`.
        let whole = |name: &Arc<str>| name.contains(' ');
        if who
            .device
            .as_ref()
            .is_none_or(|known| !whole(known) && said.device.as_ref().is_some_and(whole))
        {
            who.device = said.device.clone().or(who.device.take());
        }
        let own = || SHAPES.iter().find(|one| Some(one.name) == said.shape && !one.shared);
        who.client = who.client.or_else(|| own().map(|shape| shape.name.trim_end_matches("-old")));
    }

    /// The driver that reported `other` reported failure `id`, of which that turned out to be.
    pub(super) fn reported_as(&mut self, id: Id, other: Id) {
        let Some(driver) = self.window.get(other).map(|open| open.incident.who.clone()) else {
            return;
        };
        let Some(open) = self.window.get_mut(id) else { return };
        let who = &mut open.incident.who;
        who.driver_line = who.driver_line.take().or(driver.driver_line);
        who.device = who.device.take().or(driver.device);
        who.client = who.client.or(driver.client);
        who.asks_dma |= driver.asks_dma;
    }

    /// A failure was reported: what a stack before it says is of it.
    pub(super) fn failed_here(&mut self, id: Id, task: Option<&Task>) {
        let at = self.at;
        self.last_failed = Some((id, at));
        let near = |stack: &mut Stack| {
            let pids = [stack.task.as_ref(), task].map(|task| task.and_then(|task| task.pid));
            stack.at.is_near(at, STACK_LINES, SECOND_US) && same(pids[0], pids[1])
        };
        let stack = self.near.stack.take_if(near);
        let Some(open) = self.window.get_mut(id) else { return };
        let who = &mut open.incident.who;
        if let Some(stack) = stack {
            who.client = who.client.or(stack.client);
            who.caller = who.caller.or(stack.caller);
            who.task = who.task.take().or(stack.task);
        }
        // A pid alone says less than a name.
        let named = |task: &&Task| task.comm.is_some() || who.task.is_none() && task.pid.is_some();
        if let Some(task) = task.filter(named) {
            who.task = Some(task.clone());
        }
    }

    /// A backtrace is of `task`.
    pub(super) fn backtrace(&mut self, task: Task) {
        let at = self.at;
        if let Some(id) = self.failed_before(STACK_LINES) {
            // It may be another event's, unless it is of the same task or a frame says that it asks.
            let own = self.window.get(id).and_then(|open| open.incident.who.task.as_ref());
            let is_own = own.is_some_and(|own| own.pid.is_some() && own.pid == task.pid);
            self.near.unproved = (!is_own).then_some((task, at));
            return;
        }
        self.near.stack = Some(Stack { client: None, caller: None, task: Some(task), at });
    }

    /// A function of a stack.
    pub(super) fn frame(&mut self, frame: &Frame) {
        if frame.client.is_none() && frame.caller.is_none() {
            return self.not_as_well();
        }
        let at = self.at;
        let caller = frame.caller.and_then(Caller::find);
        if let Some(id) = self.failed_before(STACK_LINES) {
            let goes_on = |(_, place): &(Task, Place)| place.is_near(at, STACK_LINES, SECOND_US);
            self.near.unproved = self.near.unproved.take().filter(goes_on);
            if self.near.unproved.is_some() && caller.is_none() {
                return;
            }
            let proved = self.near.unproved.take();
            if let Some(open) = self.window.get_mut(id) {
                if let Some((task, _)) = proved {
                    open.incident.who.task.get_or_insert(task);
                }
                let who = &mut open.incident.who;
                who.client = who.client.or(frame.client);
                who.caller = who.caller.or(caller);
            }
            return;
        }
        let task = self.last_task.clone();
        let new = || Stack { client: None, caller: None, task, at };
        let goes_on = |stack: &Stack| stack.at.is_near(at, STACK_LINES, SECOND_US);
        let mut stack = self.near.stack.take().filter(goes_on).unwrap_or_else(new);
        stack.client = stack.client.or(frame.client);
        stack.caller = stack.caller.or(caller);
        stack.at = at;
        self.near.stack = Some(stack);
    }

    /// The failure that was reported last, within so many lines.
    fn failed_before(&self, lines: u64) -> Option<Id> {
        let (id, place) = self.last_failed?;
        place.is_near(self.at, lines, SECOND_US).then_some(id)
    }

    /// Another allocator than CMA refused.
    pub(super) fn elsewhere(&mut self, said: Said) {
        let at = self.at;
        if let Some(id) = self.refused_as_well(&said)
            && let Some(open) = self.window.get_mut(id)
        {
            let who = &mut open.incident.who;
            who.pages_refused.get_or_insert(at.line);
            let comm = said.text.split_once(": page allocation failure");
            let comm = comm.map(|(comm, _)| comm.rsplit(' ').next().unwrap_or(comm));
            let task = comm.map(|comm| Task { comm: Some(comm.into()), pid: None, cpu: None });
            who.task = who.task.take().or(task);
            self.near.as_well = Some((id, said, at));
            return;
        }
        self.aside.elsewhere(said, &self.source, at);
    }

    /// A frame says that the page allocator was asked for something else than what CMA refused.
    fn not_as_well(&mut self) {
        let goes_on = |(.., at): &(Id, Said, Place)| at.is_near(self.at, STACK_LINES, SECOND_US);
        let Some((id, said, at)) = self.near.as_well.take().filter(goes_on) else { return };
        let Some(open) = self.window.get_mut(id) else { return };
        let who = &mut open.incident.who;
        if who.pages_refused == Some(at.line) && who.caller.is_none() {
            who.pages_refused = None;
            who.task = who.task.take().filter(|task| task.pid.is_some());
            self.near.unproved = None;
            self.aside.elsewhere(said, &self.source, at);
        }
    }

    /// The failure of CMA just before, for which the page allocator was asked next and refused as
    /// well (`__dma_direct_alloc_pages()`, `kernel/dma/direct.c`): a block of its size.
    fn refused_as_well(&self, said: &Said) -> Option<Id> {
        // What may not sleep does not get as far as CMA (`dma_alloc_contiguous()`).
        let flags = said.flags.as_deref().unwrap_or_default();
        let sleeps = !["GFP_ATOMIC", "GFP_NOWAIT"].iter().any(|flag| flags.contains(flag));
        let order = said.order.filter(|_| said.kind == Elsewhere::Pages && sleeps)?;
        let mut near = self.window.latest(8).filter(|(_, open)| {
            let cma = !matches!(open.incident.reported, Reported::Driver | Reported::Claims);
            cma && open.last.is_near(self.at, NEAR_LINES, SECOND_US)
        });
        let block = |count: u64| count.checked_next_power_of_two().map(u64::trailing_zeros);
        near.find(|(_, open)| open.incident.count.and_then(block) == Some(order)).map(|(id, _)| id)
    }
}
