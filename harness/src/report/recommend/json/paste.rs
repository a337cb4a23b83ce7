//! What to paste, as JSON.

use serde_json::{Value, json};

use crate::paste::{Checked, Paste};

/// All of it.
pub(super) fn json(paste: &Paste) -> Value {
    let replaced = paste.replaces.iter();
    let replaced =
        replaced.map(|own| json!({ "what": own.what, "before": own.before, "after": own.after }));
    let line = paste.cmdline.as_ref();
    let areas = paste.areas.iter();
    let areas = areas.map(|area| json!({ "name": area.name, "bytes": area.bytes }));
    json!({
        "areas": areas.collect::<Vec<_>>(),
        "fragment": paste.fragment,
        "overlay": paste.overlay,
        "config": paste.config,
        "cmdline": line.map(|line| json!({ "before": line.before, "after": line.after })),
        "replaces": replaced.collect::<Vec<_>>(),
        "ram_before": paste.ram_before,
        "ram_after": paste.ram_after,
        "boot_prints": paste.boot_prints,
        "back": paste.back,
        "back_fragment": paste.back_fragment,
        "blanks": paste.blanks,
        "notes": paste.notes,
        "checked": checked(&paste.checked),
    })
}

fn checked(checked: &Checked) -> Value {
    let (state, what) = match checked {
        Checked::Held(what) => ("held", json!(what)),
        Checked::Failed(wrong) => ("failed", json!(wrong.join("; "))),
        Checked::Not(why) => ("not", json!(why)),
    };
    json!({ "state": state, "what": what })
}
