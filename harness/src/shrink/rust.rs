//! What was kept as a Rust test that needs no other file.

use std::fmt::Write;

use super::run::{Refusal, Seen};
use super::write::WIDTH;
use crate::codec::Case;
use crate::oracle::Violation;
use crate::program;
use crate::replay::Under;
use crate::words::wrapped;

/// A file with one test, which asserts that what `text` holds ends with this refusal; where a law
/// was broken, that it is not, which fails as long as it is. `text` is what
/// [`write()`](super::write()) wrote, `environment` and `seed` what it must be run under.
pub fn stream_test(
    text: &str,
    under: &Under<'_>,
    (environment, seed): (&str, u64),
    seen: &Seen,
) -> String {
    let policy = under.policy.to_string();
    let (about, name, cause, asserted) = match seen {
        Seen::Refused(refusal) => of_refusal(refusal, &word(&policy)),
        Seen::Broken(violation) => (
            format!("{violation}. This test fails as long as it is."),
            format!("{}_keeps_the_law_{}", word(&policy), word(violation.law)),
            "",
            "    assert!(refusal.is_ok(), \"{refusal:?}\");\n".to_string(),
        ),
    };
    let scripted = environment == "scripted";
    let mut test = String::new();
    comment(&mut test, &about);
    // Writing to a string cannot fail.
    let _ = write!(
        test,
        "//! Written by `{} shrink`.

{cause}use cma_harness::environment::Spec;
use cma_harness::ingest::Source;
use cma_harness::kernel::Kernel;
use cma_harness::reader::Options;
use cma_harness::replay::Under;
use cma_harness::seed::Seed;
use cma_harness::shrink::Subject;
use cma_policies::builtin;

const POLICY: &str = {policy:?};
const ENVIRONMENT: &str = {environment:?};
const STREAM: &str = {};

#[test]
fn {name}() {{
    let policy = &builtin::catalog().parse(POLICY).unwrap();
    let environment = &Spec::parse(ENVIRONMENT).unwrap();
    let (seed, kernel, cap) = (&Seed::new({seed}), Kernel::find({:?}).unwrap(), {});
    let under = Under {{ policy, environment, seed, kernel, cap }};
    let source = Source::bytes(\"shrunk\", STREAM.as_bytes());
    let subject = Subject::read(&source, &Options::default(), cap, {scripted}, true).unwrap();
    let refusal = subject.last_refusal(&under);
{asserted}}}
",
        program::name(),
        literal(text),
        under.kernel.name,
        under.cap,
    );
    test
}

/// What is said of it, the test's name, what it needs and what it asserts.
fn of_refusal(refusal: &Refusal, policy: &str) -> (String, String, &'static str, String) {
    let Refusal { request, free_pages, area_pages, cause, why, .. } = refusal;
    let (count, align) = (request.count(), request.align());
    let asserted = format!(
        "    let refusal = refusal.unwrap().expect(\"the last request is refused\");
    assert_eq!(refusal.cause, Cause::{cause:?});
    assert_eq!((refusal.request.count(), refusal.request.align()), ({count}, {align}));
    assert_eq!((refusal.free_pages, refusal.area_pages), ({free_pages}, {area_pages}));
"
    );
    let name = format!("{policy}_refuses_{count}_pages_with_{free_pages}_of_{area_pages}_free");
    (format!("{cause}: {why}."), name, "use cma_harness::cause::Cause;\n", asserted)
}

/// A file with one test, which asserts that the policy keeps every law on `case`: it fails as long
/// as the law of `violation` is broken.
pub fn law_test(case: &Case, policy: &str, violation: &Violation) -> String {
    let name = format!("{}_keeps_the_law_{}", word(policy), word(violation.law));
    let mut test = String::new();
    comment(&mut test, &format!("{violation}."));
    let bytes = case.encode();
    let rows: String = bytes
        .chunks(16)
        .map(|row| {
            let row: Vec<_> = row.iter().map(ToString::to_string).collect();
            format!("    {},\n", row.join(", "))
        })
        .collect();
    let _ = write!(
        test,
        "//! Written by `{} shrink`. It fails as long as the law is broken.

use cma_harness::codec::Case;
use cma_harness::law::conformance::judge;
use cma_policies::builtin;

const POLICY: &str = {policy:?};
#[rustfmt::skip]
const CASE: &[u8] = &[
{rows}];

#[test]
fn {name}() {{
    let policy = builtin::catalog().parse(POLICY).unwrap();
    assert_eq!(judge(&Case::decode(CASE), &|area| policy.build(area)), Ok(()));
}}
",
        program::name(),
    );
    test
}

fn comment(test: &mut String, text: &str) {
    for line in wrapped(text, WIDTH, ("//! ", "//! ")) {
        let _ = writeln!(test, "{line}");
    }
}

/// `text` as part of an identifier.
fn word(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    text.chars().map(plain).collect()
}

/// `text` as a literal, a line a line.
fn literal(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| match line.strip_suffix('\n') {
        Some(line) => format!("{}\n", line.escape_debug()),
        None => line.escape_debug().to_string(),
    });
    format!("\"\\\n{}\"", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_the_text_itself() {
        assert_eq!(literal("# a\nb,\"c\"\\d\n"), "\"\\\n# a\nb,\\\"c\\\"\\\\d\n\"");
        assert_eq!(word("zoned:share=0.25"), "zoned_share_0_25");
    }
}
