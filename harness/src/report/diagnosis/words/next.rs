//! The next step: what is not in the log, and how this kernel shows it. What needs no rebuilt
//! kernel comes first.

use crate::diagnose::{Builder, Kit, Missing};

/// Where each step of what is missing is, in at most two sentences.
pub(super) fn next(missing: Missing) -> String {
    let kit = missing.kit;
    let steps = [
        missing.runs.then(|| runs(kit)).flatten(),
        missing.rest.then(|| rest(kit)),
        missing.bitmap.then(|| {
            "the rest of the bitmap (`cat` it into a file; a terminal or an editor cut it)".into()
        }),
        calls(missing),
        missing.kernel.then(|| "which kernel it is (--kernel, by `uname -r`)".to_string()),
    ];
    let steps: Vec<_> = steps.into_iter().flatten().collect();
    let now = match &steps[..] {
        [] => None,
        [others @ .., last] if !others.is_empty() => {
            Some(format!("{} and {last}", others.join(", ")))
        }
        steps => Some(steps.concat()),
    };
    let now = now.map(|steps| {
        format!(
            "Not in the log: {steps}. `cmalab collect` prints a script that gathers it on the \
             board."
        )
    });
    let rebuilt = missing.runs.then(|| rebuilt(kit)).flatten();
    now.into_iter().chain(rebuilt).collect::<Vec<_>>().join(" ")
}

/// The free runs, where the kernel shows them as it is.
///
/// The five lines after a failure line are those of one range (`cma_debug_show_areas()`,
/// `mm/cma.c`, 6.15 on); up to 6.14 it is one line.
fn runs(kit: Kit) -> Option<String> {
    const LINES: &str = "`dmesg | grep -A5 'alloc failed'`";
    const BITMAP: &str = "/sys/kernel/debug/cma/*/bitmap";
    let how = match (kit.lists, kit.debugfs) {
        (Some(true), _) => format!("this kernel prints them after the failure line: {LINES}"),
        (Some(false), Some(true)) => format!("{BITMAP}, at once after the failure"),
        (Some(false), None) => format!("{BITMAP}, if it is there, at once after the failure"),
        (Some(false), Some(false)) => return None,
        (None, Some(false)) => format!("from 6.9 on after the failure line: {LINES}"),
        (None, _) => format!("from 6.9 on after the failure line: {LINES}; before, {BITMAP}"),
    };
    Some(format!("the free runs ({how})"))
}

/// The rest of a list.
fn rest(kit: Kit) -> String {
    let or = match kit.debugfs {
        Some(true) => ", or /sys/kernel/debug/cma/*/bitmap",
        Some(false) => "",
        None => ", or /sys/kernel/debug/cma/*/bitmap with CONFIG_CMA_DEBUGFS=y",
    };
    format!("the rest of the list (log_buf_len=4M and `dmesg`{or})")
}

/// What a trace or a debug line says of the call.
fn calls(Missing { order, busy, kit, .. }: Missing) -> Option<String> {
    const EVENTS: &str = "`echo 1 > /sys/kernel/tracing/events/cma/enable`";
    const EVENT: &str = "`echo 1 > /sys/kernel/tracing/events/cma/cma_alloc/enable`";
    const LINES: &str = "`echo 'file mm/cma.c +p' > /sys/kernel/debug/dynamic_debug/control`";
    let what = match (order, busy) {
        (true, true) => "the order of the request and whether places were busy",
        (true, false) => "the order of the request",
        (false, true) => "whether places were busy",
        (false, false) => return None,
    };
    let has_lines = kit.dynamic_debug != Some(false);
    Some(match (kit.events, order) {
        (Some(true), _) => format!("{what} ({EVENTS} before it fails again)"),
        (None, true) if busy => {
            format!("{what} ({EVENTS}; before 5.13 that shows the order alone)")
        }
        (None, _) => format!("{what} ({EVENTS}{})", if order { "" } else { ", 5.13 on" }),
        (Some(false), true) if has_lines && busy => {
            format!("the order of the request ({EVENT}; {LINES} shows each busy place, too)")
        }
        (Some(false), true) => format!("the order of the request ({EVENT})"),
        (Some(false), false) if has_lines => format!("each busy place ({LINES})"),
        (Some(false), false) => return None,
    })
}

/// What only another configuration shows, up to 6.8: CONFIG_CMA_DEBUG, which needs
/// CONFIG_DEBUG_KERNEL, or CONFIG_CMA_DEBUGFS (`mm/Kconfig`).
fn rebuilt(kit: Kit) -> Option<String> {
    const WITH: &str = "CONFIG_CMA_DEBUGFS=y, or CONFIG_CMA_DEBUG=y with CONFIG_DEBUG_KERNEL=y, \
                        which prints them at each failure";
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
            Some(format!("Without that file it takes a rebuilt kernel: {WITH}."))
        }
        (None, _) => Some(format!("Before 6.9 it may take a rebuilt kernel{whose}: {WITH}.")),
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
        kit: Kit { lists: None, events: None, debugfs: None, dynamic_debug: None, builder: None },
    };

    fn said(lists: bool, events: bool, debugfs: Option<bool>) -> String {
        let kit = Kit { lists: Some(lists), events: Some(events), debugfs, ..Kit::default() };
        next(Missing { kit, ..ALL })
    }

    #[test]
    fn from_6_9_on_the_log_itself_has_the_list_and_nothing_is_rebuilt() {
        for debugfs in [None, Some(false), Some(true)] {
            let said = said(true, true, debugfs);
            assert!(said.contains("after the failure line: `dmesg | grep -A"), "{said}");
            assert!(!said.contains("CONFIG_") && !said.contains("5.13"), "{said}");
        }
    }

    #[test]
    fn before_6_9_what_needs_no_rebuild_comes_first() {
        let open = said(false, true, None);
        let (now, rebuilt) = open.split_once("Without that file").expect("both");
        assert!(now.contains("bitmap, if it is there") && now.contains("events/cma/enable"));
        assert!(rebuilt.contains("CONFIG_CMA_DEBUG=y with CONFIG_DEBUG_KERNEL=y"), "{rebuilt}");
        assert!(!open.contains("6.9") && !open.contains("dmesg |"), "{open}");
        assert!(!said(false, true, Some(true)).contains("rebuilt"));
        let none = said(false, true, Some(false));
        assert!(!none.contains("/bitmap") && none.contains("The free runs need a rebuilt kernel:"));
    }

    #[test]
    fn before_5_13_there_is_one_event() {
        let said = said(false, false, None);
        assert!(said.contains("events/cma/cma_alloc/enable`; `echo 'file mm/cma.c +p'"), "{said}");
        assert!(!said.contains("events/cma/enable") && !said.contains("5.13"), "{said}");
        let kit = Kit { events: Some(false), dynamic_debug: Some(false), ..Kit::default() };
        let busy = Missing { runs: false, order: false, kit, ..ALL };
        assert_eq!(next(busy), "");
        let order = next(Missing { order: true, ..busy });
        assert!(!order.contains("dynamic_debug"), "{order}");
    }

    #[test]
    fn of_a_kernel_that_is_not_known_both_ways_are_said() {
        let said = next(Missing { kernel: true, ..ALL });
        for step in ["from 6.9 on", "before, /sys", "before 5.13", "alone) and which kernel"] {
            assert!(said.contains(step), "{step}: {said}");
        }
        let one = Missing { runs: false, order: false, busy: false, kernel: true, ..ALL };
        assert!(next(one).starts_with("Not in the log: which kernel it is (--kernel, by `uname"));
    }

    #[test]
    fn the_rest_of_a_list_or_of_a_bitmap_is_asked_for() {
        let rest = Missing { runs: false, rest: true, order: false, busy: false, ..ALL };
        assert!(next(rest).contains("bitmap with CONFIG_CMA_DEBUGFS=y)"));
        let bitmap = Missing { rest: false, bitmap: true, ..rest };
        assert!(next(bitmap).contains("the rest of the bitmap"));
    }
}
