//! The next step: what is not in the log, and how this kernel shows it. What needs no rebuilt
//! kernel comes first.

use crate::diagnose::{Builder, Kit, Missing};
use crate::program::named;
use crate::report::page::capital;

/// Where each step of what is missing is, numbered where there are several, with a command each.
pub(super) fn next(missing: Missing) -> Vec<String> {
    let kit = missing.kit;
    let mut steps = if missing.runs { runs(kit) } else { Vec::new() };
    steps.extend(missing.rest.then(|| rest(kit)));
    steps.extend(missing.bitmap.then(|| {
        "the rest of the bitmap: `cat` it into a file (a terminal or an editor cut it).".into()
    }));
    steps.extend(calls(missing));
    steps.extend(missing.kernel.then(|| "which kernel it is: `uname -r`, for --kernel.".into()));
    if let Some((first, more)) = steps.split_first_mut() {
        *first = format!("Not in the log: {first}");
        more.iter_mut().for_each(|step| *step = capital(step));
        let collect = "`cmalab collect` prints a script that gathers all of it on the board.";
        steps.push(named(collect).into());
    }
    steps.extend(missing.runs.then(|| rebuilt(kit)).flatten());
    if steps.len() > 1 {
        let numbers = 1..=steps.len();
        return steps.iter().zip(numbers).map(|(step, at)| format!("{at}. {step}")).collect();
    }
    steps
}

/// The free runs, where the kernel shows them as it is.
///
/// The five lines after a failure line are those of one range (`cma_debug_show_areas()`,
/// `mm/cma.c`, 6.15 on); up to 6.14 it is one line.
fn runs(kit: Kit) -> Vec<String> {
    const LINES: &str = "`dmesg | grep -A5 'alloc failed'`";
    const FILES: &str = "`tail -n +1 /sys/kernel/debug/cma/*/*`";
    let lines = || format!("the free runs (from 6.9 on after the failure line: {LINES}).");
    let files = |when| format!("the free runs ({when}at once after the failure: {FILES}).");
    match (kit.lists, kit.debugfs) {
        (Some(true), _) => {
            vec![format!(
                "the free runs (this kernel prints them after the failure line: {LINES})."
            )]
        }
        (Some(false), Some(true)) => vec![files("")],
        (Some(false), None) => vec![files("if those files are there, ")],
        (Some(false), Some(false)) => Vec::new(),
        (None, Some(false)) => vec![lines()],
        (None, _) => vec![lines(), files("before 6.9, ")],
    }
}

/// The rest of a list.
fn rest(kit: Kit) -> String {
    let or = match kit.debugfs {
        Some(true) => ", or `tail -n +1 /sys/kernel/debug/cma/*/*`",
        Some(false) => "",
        None => ", or, with CONFIG_CMA_DEBUGFS=y, `tail -n +1 /sys/kernel/debug/cma/*/*`",
    };
    format!("the rest of the list: `dmesg` of a boot with log_buf_len=4M{or}.")
}

/// What a trace or a debug line says of the call.
fn calls(Missing { order, busy, kit, .. }: Missing) -> Vec<String> {
    const EVENTS: &str = "`echo 1 > /sys/kernel/tracing/events/cma/enable`";
    const EVENT: &str = "`echo 1 > /sys/kernel/tracing/events/cma/cma_alloc/enable`";
    const LINES: &str = "`echo 'file mm/cma.c +p' > /sys/kernel/debug/dynamic_debug/control`";
    const OLD_LINES: &str =
        "`echo 'file drivers/base/dma-contiguous.c +p' > /sys/kernel/debug/dynamic_debug/control`";
    let what = match (order, busy) {
        (true, true) => "the order of the request and whether places were busy",
        (true, false) => "the order of the request",
        (false, true) => "whether places were busy",
        (false, false) => return Vec::new(),
    };
    let has_lines = kit.dynamic_debug != Some(false);
    let each = || format!("each busy place: {LINES} before it fails again.");
    if kit.old {
        // The debug lines have the order too.
        let step =
            || format!("{what}: {OLD_LINES} (from 3.17 on `file mm/cma.c`) before it fails again.");
        return has_lines.then(step).into_iter().collect();
    }
    let order_alone = || format!("the order of the request: {EVENT} before it fails again.");
    match (kit.events, order) {
        (Some(true), _) => vec![format!("{what}: {EVENTS} before it fails again.")],
        (None, true) if busy => vec![format!(
            "{what}: {EVENTS} before it fails again (before 5.13 that shows the order alone)."
        )],
        (None, true) => vec![format!("{what}: {EVENTS} before it fails again.")],
        (None, false) => vec![format!("{what}: {EVENTS} before it fails again (5.13 on).")],
        (Some(false), true) if has_lines && busy => vec![order_alone(), each()],
        (Some(false), true) => vec![order_alone()],
        (Some(false), false) if has_lines => vec![each()],
        (Some(false), false) => Vec::new(),
    }
}

/// What only another configuration shows, up to 6.8: CONFIG_CMA_DEBUG, which needs
/// CONFIG_DEBUG_KERNEL, or CONFIG_CMA_DEBUGFS (`mm/Kconfig`).
fn rebuilt(kit: Kit) -> Option<String> {
    const WITH: &str = "CONFIG_CMA_DEBUGFS=y, or CONFIG_CMA_DEBUG=y with CONFIG_DEBUG_KERNEL=y, \
                        which prints them at each failure";
    if kit.old {
        return Some(
            "The free runs are shown by kernels from 4.1 on (CONFIG_CMA_DEBUGFS=y).".into(),
        );
    }
    if kit.no_debug_lists && kit.debugfs != Some(true) {
        let those = if kit.debugfs.is_none() {
            "Without those files it takes"
        } else {
            "The free runs need"
        };
        return Some(format!("{those} a rebuilt kernel: CONFIG_CMA_DEBUGFS=y."));
    }
    let whose = match kit.builder {
        Some(Builder::Debian) => " (Debian builds without CONFIG_CMA_DEBUGFS)",
        Some(Builder::RaspberryPi) => " (Raspberry Pi OS builds without CONFIG_CMA_DEBUGFS)",
        None => "",
    };
    match (kit.lists, kit.debugfs) {
        (Some(true), _) | (_, Some(true)) => None,
        (Some(false), Some(false)) => {
            Some(format!("The free runs need a rebuilt kernel{whose}: {WITH}."))
        }
        (Some(false), None) => {
            Some(format!("Without those files it takes a rebuilt kernel: {WITH}."))
        }
        (None, _) => {
            Some(format!("Before 6.9 the free runs may take a rebuilt kernel{whose}: {WITH}."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Missing = Missing {
        runs: true,
        rest: false,
        bitmap: false,
        order: true,
        busy: true,
        kernel: false,
        kit: Kit {
            lists: None,
            events: None,
            debugfs: None,
            dynamic_debug: None,
            old: false,
            no_debug_lists: false,
            builder: None,
        },
    };

    fn said(lists: bool, events: bool, debugfs: Option<bool>) -> String {
        let kit = Kit { lists: Some(lists), events: Some(events), debugfs, ..Kit::default() };
        next(Missing { kit, ..ALL }).join(" ")
    }

    #[test]
    fn from_6_9_on_the_log_itself_has_the_list_and_nothing_is_rebuilt() {
        for debugfs in [None, Some(false), Some(true)] {
            let said = said(true, true, debugfs);
            assert!(said.contains("after the failure line: `dmesg | grep -A5"), "{said}");
            assert!(!said.contains("CONFIG_") && !said.contains("5.13"), "{said}");
        }
    }

    #[test]
    fn before_6_9_what_needs_no_rebuild_comes_first() {
        let open = said(false, true, None);
        let (now, rebuilt) = open.split_once("Without those files").expect("both");
        assert!(
            now.contains("if those files are there, at once after the failure: `tail -n +1")
                && now.contains("events/cma/enable")
        );
        assert!(rebuilt.contains("CONFIG_CMA_DEBUG=y with CONFIG_DEBUG_KERNEL=y"), "{rebuilt}");
        assert!(!open.contains("6.9") && !open.contains("dmesg |"), "{open}");
        assert!(!said(false, true, Some(true)).contains("rebuilt"));
        let none = said(false, true, Some(false));
        assert!(!none.contains("`tail") && none.contains("The free runs need a rebuilt kernel:"));
    }

    #[test]
    fn before_5_13_there_is_one_event() {
        let said = said(false, false, None);
        assert!(said.contains("events/cma/cma_alloc/enable` before it fails again. 3. Each busy place: `echo 'file"), "{said}");
        assert!(!said.contains("events/cma/enable") && !said.contains("5.13"), "{said}");
        let kit = Kit { events: Some(false), dynamic_debug: Some(false), ..Kit::default() };
        let busy = Missing { runs: false, order: false, kit, ..ALL };
        assert_eq!(next(busy), Vec::<String>::new());
        let order = next(Missing { order: true, ..busy }).join(" ");
        assert!(!order.contains("dynamic_debug"), "{order}");
    }

    #[test]
    fn of_a_kernel_that_is_not_known_both_ways_are_said() {
        let said = next(Missing { kernel: true, ..ALL }).join(" ");
        for step in [
            "from 6.9 on after",
            "(before 6.9, ",
            "before 5.13",
            "4. Which kernel it is: `uname -r`",
        ] {
            assert!(said.contains(step), "{step}: {said}");
        }
        let one = Missing { runs: false, order: false, busy: false, kernel: true, ..ALL };
        assert_eq!(
            next(one)[0],
            "1. Not in the log: which kernel it is: `uname -r`, for --kernel."
        );
    }

    #[test]
    fn the_rest_of_a_list_or_of_a_bitmap_is_asked_for() {
        let rest = Missing { runs: false, rest: true, order: false, busy: false, ..ALL };
        assert!(next(rest)[0].contains("with CONFIG_CMA_DEBUGFS=y, `tail -n +1"));
        let bitmap = Missing { rest: false, bitmap: true, ..rest };
        assert!(next(bitmap)[0].contains("the rest of the bitmap"));
    }
}
