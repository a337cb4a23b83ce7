//! Where the log is not enough: the step that would show it.

use super::super::{AlignFrom, Failure};
use super::Advice;

/// What to switch on for the next time, by what is missing: at most one thing is said of each kind.
pub(super) fn next_step(failure: &Failure) -> Option<Advice> {
    let incident = &failure.incident;
    let mut steps = Vec::new();
    match &failure.list {
        None if incident.state.is_none() => steps.push(
            "the free runs are missing: kernels up to 6.8 print them with CONFIG_CMA_DEBUG=y, and \
             CONFIG_CMA_DEBUGFS=y shows them at any time in /sys/kernel/debug/cma/*/bitmap",
        ),
        Some(list) if !list.complete => steps.push(
            "the list of free runs is cut: boot with log_buf_len=4M and save `dmesg` rather than \
             a console's screen, or save /sys/kernel/debug/cma/*/bitmap (CONFIG_CMA_DEBUGFS=y)",
        ),
        _ => {}
    }
    if !matches!(failure.align, Some((_, AlignFrom::Trace | AlignFrom::Debug))) {
        steps.push(
            "the order of the request is not shown: `echo 'file mm/cma.c +p' > \
             /sys/kernel/debug/dynamic_debug/control` prints it for every request",
        );
    }
    if incident.busy_retries.is_none() {
        steps.push(
            "whether places were tried and busy is not shown: `echo 1 > \
             /sys/kernel/tracing/events/cma/enable`, and save /sys/kernel/tracing/trace after the \
             failure (5.13 on)",
        );
    }
    if failure.verdict.is_none() && incident.era.flipped.is_none() && incident.ret.is_some() {
        steps.push(
            "what the errno means depends on the kernel, which the text does not name: give its \
             release with --kernel (`uname -r`)",
        );
    }
    if steps.is_empty() {
        return None;
    }
    let text = format!(
        "To be sure: {}. `cmalab collect` prints a script for the board that gathers all of it.",
        steps.join("; ")
    );
    Some(Advice::no("collect", text))
}
