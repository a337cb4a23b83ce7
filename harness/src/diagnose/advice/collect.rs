//! Where the log is not enough: the step that would show it.

use super::super::{AlignFrom, Failure};
use super::Advice;

/// What to switch on for the next time, by what is missing: at most one thing is said of each kind.
pub(super) fn next_step(failure: &Failure) -> Option<Advice> {
    let incident = &failure.incident;
    let mut steps = Vec::new();
    match &failure.list {
        None if incident.state.is_none() => steps.push(
            "the free runs (CONFIG_CMA_DEBUGFS=y, then /sys/kernel/debug/cma/*/bitmap; before 6.9 \
             also CONFIG_CMA_DEBUG=y)",
        ),
        Some(list) if !list.complete => steps.push(
            "the rest of the list (log_buf_len=4M and `dmesg`, or \
             /sys/kernel/debug/cma/*/bitmap with CONFIG_CMA_DEBUGFS=y)",
        ),
        _ => {}
    }
    if !matches!(failure.align, Some((_, AlignFrom::Trace | AlignFrom::Debug))) {
        steps.push(
            "the order of the request (`echo 'file mm/cma.c +p' > \
             /sys/kernel/debug/dynamic_debug/control`)",
        );
    }
    if incident.busy_retries.is_none() {
        steps.push(
            "whether places were busy (`echo 1 > /sys/kernel/tracing/events/cma/enable`, 5.13 on)",
        );
    }
    if failure.verdict.is_none() && incident.era.flipped.is_none() && incident.ret.is_some() {
        steps.push("which kernel it is (--kernel, by `uname -r`)");
    }
    let last = steps.pop()?;
    let steps = if steps.is_empty() {
        last.to_string()
    } else {
        format!("{} and {last}", steps.join(", "))
    };
    let text = format!(
        "Not in the log: {steps}. `cmalab collect` prints a script that gathers it on the board."
    );
    Some(Advice::no("collect", text))
}
