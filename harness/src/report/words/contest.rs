//! Which cap and policy to choose where nothing keeps all streams whole.

use super::choice::name;
use crate::answer::{Contest, Findings, Standing, Verdict, contest};
use crate::sweep::Ready;
use crate::words::counted;

/// The last lines of a report: what to choose. Nothing where something else than a choice is the
/// answer.
pub(in crate::report) fn last(ready: &Ready, findings: &Findings) -> Vec<String> {
    let verdict = findings.headline.as_ref().map(|headline| headline.verdict);
    match (verdict, &findings.headline) {
        (Some(Verdict::Met), Some(headline)) => {
            let chosen = headline.best().map(|best| name(ready, best));
            chosen.map(|best| format!("The choice, as said first: {best}.")).into_iter().collect()
        }
        (None | Some(Verdict::NotMet), _) if ready.plan.target.is_none() => {
            contest(ready, &findings.summary).map_or_else(Vec::new, |one| compared(ready, &one))
        }
        _ => Vec::new(),
    }
}

fn compared(ready: &Ready, contest: &Contest) -> Vec<String> {
    let plan = &ready.plan;
    let caps: Vec<_> = plan.caps.iter().map(u32::to_string).collect();
    let at = match caps.as_slice() {
        [one] => format!("cap {one}"),
        all => format!("caps {}", all.join(", ")),
    };
    let policies = ready.aligned.iter().filter(|aligned| **aligned).count();
    let mut said = vec![format!(
        "Compared: {} at {at}, over {} (a stream at a LOAD, each).",
        counted(policies as u64, "policy"),
        match contest.kinds {
            1 => "1 kind of stream".to_string(),
            kinds => format!("{kinds} kinds of streams"),
        },
    )];
    let standing = |lead: &str, one: &Standing| format!("{lead} {}", standing(ready, contest, one));
    let Contest { unpatched, best, .. } = contest;
    match unpatched {
        Some(unpatched) if unpatched != best => {
            said.push(standing("Without a patch of the kernel choose", unpatched));
            said.push(standing("With one choose", best));
        }
        Some(best) if policies == 1 => {
            said.push(standing("No other policy was compared: choose", best));
        }
        Some(best) => said.push(standing("No patch of the kernel does better: choose", best)),
        None => said.push(standing("Choose, with a patch of the kernel,", best)),
    }
    said
}

/// One of them: `cap 4, policy kernel: less ENOMEM with free pages than …`.
fn standing(ready: &Ready, contest: &Contest, one: &Standing) -> String {
    let named = |cap: usize, policy: usize| {
        format!("cap {}, policy {}", ready.plan.caps[cap], ready.plan.policies[policy])
    };
    let own = named(one.cap, one.policy);
    if (one.cap, one.policy) == contest.base {
        return format!("{own}: nothing else withholds less in these streams.");
    }
    let none = |count: usize| if count == 0 { "none".to_string() } else { count.to_string() };
    format!(
        "{own}: less ENOMEM with free pages than {} in {} of them, as much in {}, more in {}.",
        named(contest.base.0, contest.base.1),
        none(one.less),
        none(one.same),
        none(one.more)
    )
}
