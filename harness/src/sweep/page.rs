//! The size of a page, as a plan and its files state it.

use super::plan::{Plan, Stream, What};
use super::stream::source;
use crate::ingest::{IngestError, Paged, Source};
use crate::kernel::Kind;
use crate::page::Page;
use crate::reader::{self, Options};

/// Why a file is none for a plan with pages of this size.
pub(super) fn other_page(paged: Paged, page: Page) -> Option<String> {
    paged.stated().filter(|own| *own != page).map(|own| {
        format!(
            "its {paged}, those of the plan of {page}; page_kib = {} in the plan makes them alike, \
             and each MiB of it as many of its pages",
            own.kib()
        )
    })
}

/// What kind of kernel the files of a plan say that they are of, where all that say something say the
/// same. A file that cannot be read says nothing here.
pub fn kind_of_files(plan: &Plan) -> Kind {
    let kinds: Vec<Kind> = plan.streams.iter().flat_map(kinds).flatten().collect();
    Kind {
        page: agreed(kinds.iter().map(|kind| kind.page)),
        arch: agreed(kinds.iter().map(|kind| kind.arch)),
        release: agreed(kinds.iter().map(|kind| kind.release)),
    }
}

fn kinds(stream: &Stream) -> Vec<Result<Kind, IngestError>> {
    let of = |source: &Source, options: &Options| reader::kind(source, options);
    match &stream.what {
        What::File(_) | What::Fitted(_) => {
            vec![source(stream).and_then(|(source, options)| of(&source, &options))]
        }
        What::Mix(mix) => {
            let each = mix.paths().map(|path| Source::file(path.as_ref()));
            each.map(|source| of(&source, &Options::default())).collect()
        }
        What::Profile(_) | What::Recorded(_) => Vec::new(),
    }
}

/// What all say that say something.
fn agreed<T: PartialEq>(said: impl Iterator<Item = Option<T>>) -> Option<T> {
    let mut said = said.flatten();
    let first = said.next()?;
    said.all(|other| other == first).then_some(first)
}
