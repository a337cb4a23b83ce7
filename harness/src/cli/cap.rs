//! What the calls of a trace show of its cap, as text and JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::reader::{CapShown, Class};
use crate::words::counted;

/// The most clients that are named beside a cap.
const MOST_NAMES: usize = 4;

/// The cap, with the calls that show it, and those that do not follow it: a line each. `option` is
/// what varies it.
pub(super) fn said(shown: &CapShown, option: &str) -> Vec<String> {
    let cap = shown.cap;
    let mut lines = vec![match (&shown.by, &shown.least) {
        (Some(by), _) => {
            format!("recorded with cap {}: {} for order {cap}", of_each(shown), asks(by))
        }
        (None, Some((least, by))) if *least == cap => {
            format!("recorded with cap {cap} or more: {} for order {cap}", asks(by))
        }
        (None, _) => format!(
            "recorded with cap {cap}, taken to be the kernel's default: no call is for so many pages \
             that it shows"
        ),
    }];
    let others: Vec<_> = shown.others().collect();
    lines.extend(shown.own.iter().map(|own| {
        let (order, client, class) = own;
        let of = client.as_deref().map_or_else(String::new, |client| format!("of {client}: "));
        let calls = format!("{of}{} for order {order}", asks(class));
        if shown.by.is_some() && others.contains(&own) {
            return format!(
                "{calls}: a cap of its own; {option} leaves it, and with --recorded-cap {order} \
                 varies it in place of the other"
            );
        }
        format!("{calls}: a cap of its own, or the order that a driver names; {option} leaves it")
    }));
    lines
}

/// The cap; of each client, where they have several: `4 for heap, 8 for vpu`.
fn of_each(shown: &CapShown) -> String {
    let mut each: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for (cap, client, _) in shown.others() {
        each.entry(*cap).or_default().extend(client.as_deref());
    }
    if each.is_empty() {
        return shown.cap.to_string();
    }
    each.insert(shown.cap, shown.followers.iter().map(|client| &**client).collect());
    let one = |(cap, clients): (&u32, &Vec<&str>)| match &clients[..] {
        [] => cap.to_string(),
        all if all.len() > MOST_NAMES => {
            format!("{cap} for {}", counted(all.len() as u64, "client"))
        }
        all => format!("{cap} for {}", all.join(" and ")),
    };
    each.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Calls, as the beginning of a sentence.
fn asks(class: &Class) -> String {
    let (least, most) = class.pages;
    let pages = if least == most { least.to_string() } else { format!("{least} to {most}") };
    let pages = format!("{pages} page{}", if most == 1 { "" } else { "s" });
    let (calls, line) = (counted(class.calls, "call"), class.line);
    let ask = if class.calls == 1 { "asks" } else { "ask" };
    format!("{calls} for {pages} (the first on line {line}) {ask}")
}

/// The same as an object.
pub(super) fn json_of_cap(shown: &CapShown) -> Value {
    let class = |class: &Class| {
        json!({
            "calls": class.calls, "pages": [class.pages.0, class.pages.1], "line": class.line,
        })
    };
    json!({
        "by": shown.by.as_ref().map(class),
        "at_least": shown.least.as_ref().map(|(order, _)| order),
        "others": shown.own.iter().map(|(order, client, own)| json!({
            "order": order, "client": client.as_deref(), "calls": class(own),
        })).collect::<Vec<_>>(),
    })
}
