//! What is given: a stream, or the bytes of a case.

use std::fs::File;
use std::io::{self, Read};

use cma_policies::Spec;

use super::Shrink;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::given::{self, Setup};
use crate::codec::{self, Case};
use crate::environment;
use crate::ingest::{DEFAULT_CAP, Header, Source};
use crate::reader;
use crate::seed::Seed;
use crate::shrink::{Subject, from_case as stream_of};

pub(super) enum Input {
    Stream(Box<(Setup, Subject)>),
    /// With the policy that is asked.
    Case(Box<(Spec, Case)>),
}

/// The most bytes of a case: more are no part of it.
const MOST: u64 = (codec::HEADER + codec::MAX_ACTS * codec::RECORD) as u64;

/// Opens what is given. What no reader knows and is no text, packed or not, is a case.
pub(super) fn open(args: &Shrink, context: &Context) -> Result<Input, Failure> {
    let named = args.policy.as_deref().map(|text| context.catalog.parse(text)).transpose()?;
    args.given.named_environment()?;
    let source = given::source(&args.stream)?;
    let case = |bytes: &[u8]| {
        let case = Case::decode(bytes);
        let policy = named.clone().unwrap_or_else(|| case.policy.spec(&context.catalog));
        match args.given.beside_a_case()[..] {
            [] => Ok(Input::Case(Box::new((policy, case)))),
            [option, ..] => Err(Failure::because(format_args!(
                "take {option} for a case, which says all of its area and pages itself"
            ))),
        }
    };
    if args.case {
        return case(&bytes(&source)?);
    }
    let options = args.given.options(&source)?;
    let reader = match reader::open(&source, &options) {
        Ok(reader) => reader,
        Err(error) if is_text(&source) => {
            // What a fuzzer left may be text by chance, or empty.
            let is_fuzzers = args.stream.extension().is_none_or(|end| end == "case");
            let hint = if is_fuzzers { "; the bytes of a case are read with --case" } else { "" };
            return Err(Failure::because(format_args!("{error}{hint}")));
        }
        Err(_) => return case(&bytes(&source)?),
    };
    let (mut setup, _) = args.given.open((&source, &options), &reader, named.as_ref(), context)?;
    setup.cap = args.cap.unwrap_or(setup.cap);
    let entry = setup.environment.entry();
    let (scripted, timed) = (entry.reads_script, entry.is_model);
    let subject = Subject::read(&source, &options, setup.cap, scripted, timed)?;
    Ok(Input::Stream(Box::new((setup, subject))))
}

/// The bytes of a case as they are: of a file that looks packed, too.
pub(in crate::cli) fn bytes(source: &Source) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let fail = |error: io::Error| Failure::because(format_args!("read {}: {error}", source.name()));
    match source.path() {
        Some(path) => {
            let file = File::open(path).map_err(fail)?;
            file.take(MOST).read_to_end(&mut bytes).map_err(fail)?;
        }
        None => {
            source.open()?.take(MOST).read_to_end(&mut bytes).map_err(fail)?;
        }
    }
    Ok(bytes)
}

/// Whether it is text, once unpacked: then a mistake in it, or in an option, is one, and it is no
/// case. What cannot be unpacked is none.
pub(in crate::cli) fn is_text(source: &Source) -> bool {
    let mut bytes = Vec::new();
    let read = source.open().map(|input| input.take(MOST).read_to_end(&mut bytes));
    let is_utf8 = || match std::str::from_utf8(&bytes) {
        Ok(_) => true,
        // The last character may be cut.
        Err(error) => error.error_len().is_none(),
    };
    matches!(read, Ok(Ok(_))) && !bytes.contains(&0) && is_utf8()
}

/// The stream that `case` is under `policy`.
pub(super) fn from_case(
    case: &Case,
    policy: Spec,
    args: &Shrink,
    context: &Context,
) -> Result<(Setup, Subject), Failure> {
    let subject = stream_of(case, &policy)?;
    let kernel = args.given.kernel(&Header::default(), "", context)?;
    let environment = environment::Spec::parse(given::DEFAULT_ENVIRONMENT)?;
    let (name, seed) = (args.stream.display().to_string(), Seed::new(args.given.seed));
    let cap = args.cap.unwrap_or(DEFAULT_CAP);
    let (format, stated) = ("case", None);
    Ok((Setup { name, format, policy, environment, seed, kernel, stated, cap }, subject))
}
