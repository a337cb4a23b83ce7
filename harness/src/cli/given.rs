//! How a stream, a recording or a trace is read and run: the options of every command that runs one.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use cma_policies::Spec;

use super::context::{Context, is_standard};
use super::failure::Failure;
use super::size::{Ranges, order, page, pages};
use super::sweep::quote;
use crate::diagnose;
use crate::environment;
use crate::ingest::{self, Geometry, Header, IngestError, Source};
use crate::kernel::{KERNELS, Kernel, release};
use crate::page::Page;
use crate::reader::{self, Options, Reader};
use crate::replay::{self, Survey, Under};
use crate::seed::Seed;
use crate::size::{Size, pfn};
use crate::words::{because, near};

/// The kernel whose errno is printed where neither the file nor the caller names one.
pub(super) const DEFAULT_KERNEL: &str = "6.12";

/// What the pages do where the caller does not say: a recording has its pins in it, a trace only
/// says how often its claims were busy.
pub(super) const DEFAULT_ENVIRONMENT: &str = "pinned";
pub(super) const TRACE_ENVIRONMENT: &str = "scripted";

/// What standard input is called in messages.
pub(super) const STANDARD_INPUT: &str = "standard input";

/// What a trace or a recording does not state.
#[derive(Args, Debug)]
pub(super) struct Read {
    /// Area of a trace [default: the one with most events]
    #[arg(long, value_name = "NAME")]
    area: Option<String>,
    /// Debugfs files of the area of a trace: a text of them, or their folder
    #[arg(long, value_name = "PATH")]
    snapshot: Option<PathBuf>,
    /// Cap that a recording or a trace was made with, where it does not state it [default: of a
    /// trace as its calls show, else 8]
    #[arg(long, value_name = "ORDER", value_parser = order)]
    recorded_cap: Option<u32>,
    /// KiB of a page: 4, 16 or 64, in place of what the file states [default: 4]
    #[arg(long, value_name = "KIB", value_parser = page)]
    pub(super) page_kib: Option<Page>,
}

impl Read {
    /// The area that is named.
    pub(super) fn area(&self) -> Option<&str> {
        self.area.as_deref()
    }

    /// Without a geometry.
    fn options(&self) -> Result<Options, Failure> {
        Ok(Options {
            recorded_cap: self.recorded_cap,
            page: self.page_kib,
            area: self.area.clone(),
            snapshot: self.snapshot.as_deref().map(source).transpose()?,
            ..Options::default()
        })
    }

    /// The files at `paths` that have rows, and what is known beside them: what the caller gives, and
    /// the other texts among them of the board that printed a trace.
    pub(super) fn files(
        &self,
        paths: &[PathBuf],
        placed: &Placed,
    ) -> Result<(Vec<Source>, Options), Failure> {
        let all = paths.iter().chain(&self.snapshot);
        if all.filter(|path| is_standard(Some(path))).count() > 1 {
            return Err(Failure::because(
                "read standard input twice; name - once, and files beside it",
            ));
        }
        let options = self.options()?;
        let sources = paths.iter().map(|path| source(path)).collect::<Result<_, _>>()?;
        let (rows, beside) = reader::sorted(sources)?;
        let options = Options { beside, ..options };
        let geometry = placed.geometry(|| self.page_of(&rows, &options))?;
        Ok((rows, Options { geometry, ..options }))
    }

    /// The size of a page: as the caller states it, else as all of these files do.
    fn page_of(&self, rows: &[Source], options: &Options) -> Result<Page, Failure> {
        if let Some(page) = self.page_kib {
            return Ok(page);
        }
        let page = |source| Ok(reader::kind(source, options)?.page.unwrap_or_default());
        let pages: Vec<Page> = rows.iter().map(page).collect::<Result<_, Failure>>()?;
        let first = pages.first().copied().unwrap_or_default();
        let Some(at) = pages.iter().position(|page| *page != first) else { return Ok(first) };
        Err(Failure::because(format_args!(
            "make pages of a size: {} has pages of {first}, {} of {}; state it in pages, or name \
             --page-kib",
            rows[0].name(),
            rows[at].name(),
            pages[at]
        )))
    }
}

/// What is run, and under what.
pub(super) struct Setup {
    pub(super) name: String,
    pub(super) format: &'static str,
    pub(super) policy: Spec,
    pub(super) environment: environment::Spec,
    pub(super) seed: Seed,
    pub(super) kernel: &'static Kernel,
    /// The kernel that the caller or the file names.
    pub(super) stated: Option<String>,
    pub(super) cap: u32,
}

impl Setup {
    /// The kernel in words: the release that is stated, and the row that it follows where that is
    /// named after another release.
    pub(super) fn rules(&self) -> String {
        let row = self.kernel.name;
        let stated = self.stated.as_deref().filter(|stated| {
            let releases = release(stated).zip(release(row));
            releases.is_some_and(|(stated, row)| stated != row)
        });
        let number = |stated: &str| stated.split(['-', '+']).next().unwrap_or(stated).to_string();
        match stated.map(number) {
            Some(stated) => format!("{stated}, by the rules of {row}"),
            None => row.to_string(),
        }
    }

    pub(super) const fn under(&self) -> Under<'_> {
        let Self { policy, environment, seed, kernel, cap, .. } = self;
        Under { policy, environment, seed, kernel, cap: *cap }
    }
}

/// Where the area lies.
#[derive(Args, Debug)]
pub(super) struct Placed {
    /// Pages of the area, or its size as 640M, in place of what the file states
    #[arg(long, value_name = "PAGES", value_parser = Size::in_pages)]
    pages: Option<Size>,
    /// First page of the area, in place of what the file states [default: 0]
    #[arg(long, value_name = "PFN", value_parser = pfn)]
    base_pfn: Option<u64>,
    /// Ranges of the area in the kernel's order, in place of what the file states
    #[arg(long, value_name = "BASE:PAGES,…", value_parser = Ranges::parse,
        conflicts_with_all = ["pages", "base_pfn"])]
    ranges: Option<Ranges>,
    /// Order of one bitmap bit, in place of what the file states [default: 0]
    #[arg(long, value_name = "ORDER", value_parser = order)]
    order_per_bit: Option<u32>,
}

impl Placed {
    /// `page_of` is asked for the size of a page only where it matters.
    fn geometry(
        &self,
        page_of: impl FnOnce() -> Result<Page, Failure>,
    ) -> Result<Geometry, Failure> {
        let is_open = self.ranges.is_some() || matches!(self.pages, Some(Size::Bytes(_)));
        let page = if is_open { page_of()? } else { Page::default() };
        Ok(Geometry {
            base_pfn: self.base_pfn,
            pages: self.pages(page)?,
            order_per_bit: self.order_per_bit,
            ranges: self.ranges.as_ref().map(|ranges| ranges.of(page)).transpose()?,
        })
    }

    /// The pages of the area, where they are stated, each of this size.
    pub(super) fn pages(&self, page: Page) -> Result<Option<u64>, Failure> {
        self.pages.map(|size| pages("--pages", size, page)).transpose()
    }
}

/// All options of a run.
#[derive(Args, Debug)]
pub(super) struct Given {
    #[command(flatten)]
    placed: Placed,
    #[command(flatten)]
    read: Read,
    /// What the pages do: see `cmalab list environments` [default: pinned; of a trace: scripted]
    #[arg(long, value_name = "ENVIRONMENT")]
    environment: Option<String>,
    /// Kernel whose errno is printed, by release or `android` [default: as recorded, else 6.12]
    #[arg(long, value_name = "RELEASE")]
    kernel: Option<String>,
    /// Seed of the environment
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
}

impl Given {
    /// What is known beside `source`, which may turn out to be none of rows.
    pub(super) fn options(&self, source: &Source) -> Result<Options, Failure> {
        let options = self.read.options()?;
        let source = std::slice::from_ref(source);
        let geometry = self.placed.geometry(|| self.read.page_of(source, &options))?;
        Ok(Options { geometry, ..options })
    }

    /// The area that is named.
    pub(super) fn area(&self) -> Option<&str> {
        self.read.area()
    }

    /// As [`Read::files`].
    pub(super) fn files(&self, paths: &[PathBuf]) -> Result<(Vec<Source>, Options), Failure> {
        self.read.files(paths, &self.placed)
    }

    /// The environment that the caller names.
    pub(super) fn named_environment(&self) -> Result<Option<environment::Spec>, Failure> {
        Ok(self.environment.as_deref().map(environment::Spec::parse).transpose()?)
    }

    /// What is known beside a log.
    pub(super) fn beside_a_log(&self) -> Result<diagnose::Options, Failure> {
        Ok(diagnose::Options {
            kernel: self.kernel.clone(),
            cap: self.read.recorded_cap.unwrap_or(ingest::DEFAULT_CAP),
            geometry: self.placed.geometry(|| Ok(self.read.page_kib.unwrap_or_default()))?,
            area_bytes: None,
        })
    }

    /// These options once more, each word for a shell.
    pub(super) fn words(&self) -> Vec<String> {
        let Placed { pages, base_pfn, ranges, order_per_bit } = &self.placed;
        let Read { area, snapshot, recorded_cap, page_kib } = &self.read;
        let pages = pages.as_ref().map(Size::as_given);
        let all = [
            ("--pages", pages),
            ("--base-pfn", base_pfn.map(|pfn| format!("{pfn:#x}"))),
            ("--ranges", ranges.as_ref().map(Ranges::as_given)),
            ("--order-per-bit", order_per_bit.map(|order| order.to_string())),
            ("--area", area.clone()),
            ("--snapshot", snapshot.as_ref().map(|path| path.display().to_string())),
            ("--recorded-cap", recorded_cap.map(|cap| cap.to_string())),
            ("--page-kib", page_kib.map(|page| page.kib().to_string())),
            ("--environment", self.environment.clone()),
            ("--kernel", self.kernel.clone()),
            ("--seed", (self.seed > 0).then(|| self.seed.to_string())),
        ];
        let given = all.into_iter().filter_map(|(name, value)| Some((name, value?)));
        given.flat_map(|(name, value)| [name.to_string(), quote(&value)]).collect()
    }

    /// The options given that say something about an area, its pages or a recording: what a case
    /// says itself.
    pub(super) fn beside_a_case(&self) -> Vec<&'static str> {
        [
            ("--pages", self.placed.pages.is_some()),
            ("--base-pfn", self.placed.base_pfn.is_some()),
            ("--ranges", self.placed.ranges.is_some()),
            ("--order-per-bit", self.placed.order_per_bit.is_some()),
            ("--area", self.read.area.is_some()),
            ("--snapshot", self.read.snapshot.is_some()),
            ("--recorded-cap", self.read.recorded_cap.is_some()),
            ("--page-kib", self.read.page_kib.is_some()),
            ("--environment", self.environment.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, is_given)| is_given.then_some(name))
        .collect()
    }

    /// Reads `source`, which `reader` has opened, to its end, and says what is strange about it. Its
    /// policy is the one that is `named`, else its own.
    pub(super) fn open(
        &self,
        (source, options): (&Source, &Options),
        reader: &Reader,
        named: Option<&Spec>,
        context: &Context,
    ) -> Result<(Setup, Survey), Failure> {
        let (name, header) = (source.name(), reader.header());
        let default = if reader.is_trace() { TRACE_ENVIRONMENT } else { DEFAULT_ENVIRONMENT };
        let environment = self.environment.as_deref().unwrap_or(default);
        let environment = environment::Spec::parse(environment)?;
        let survey = replay::survey(source, options, &environment)?;
        for warning in &survey.warnings {
            context.warn(&format!("{name}: {warning}"));
        }
        let kernel = self.kernel(header, name, context)?;
        // Where one is named, it does not matter whether the file's is known.
        let policy = named.cloned().map_or_else(|| policy(header, kernel, name, context), Ok)?;
        let stated = self.kernel.as_deref().or_else(|| header.get("kernel")).map(String::from);
        let (format, name) = (reader.format().name, name.to_string());
        let (seed, cap) = (Seed::new(self.seed), survey.cap);
        Ok((Setup { name, format, policy, environment, seed, kernel, stated, cap }, survey))
    }

    /// The kernel that the caller names, else the one that the file states, else the default one.
    pub(super) fn kernel(
        &self,
        header: &Header,
        file: &str,
        context: &Context,
    ) -> Result<&'static Kernel, Failure> {
        if let Some(name) = &self.kernel {
            let rows: Vec<_> = KERNELS.iter().map(|kernel| kernel.name).collect();
            return Kernel::find(name).ok_or_else(|| {
                Failure::because(format_args!(
                    "find kernel {}; a release from 4.11 on is allowed, or one of {}{}",
                    ingest::quoted(name),
                    rows.join(", "),
                    near(name, rows.iter().copied())
                ))
            });
        }
        let recorded = header.get("kernel").unwrap_or(DEFAULT_KERNEL);
        if let Some(kernel) = Kernel::find(recorded) {
            return Ok(kernel);
        }
        let name = ingest::quoted(recorded);
        context.warn(&format!("{file}: kernel {name} is not known; taken as {DEFAULT_KERNEL}"));
        Ok(Kernel::find(DEFAULT_KERNEL).expect("a row of the table"))
    }
}

/// The policy that a file states, else that of its kernel.
fn policy(
    header: &Header,
    kernel: &Kernel,
    file: &str,
    context: &Context,
) -> Result<Spec, Failure> {
    let stated = header.get("policy").map(|text| context.catalog.parse(text));
    if let Some(Err(error)) = &stated {
        let instead = kernel.policy;
        let why = because(error);
        context.warn(&format!("{file}: its policy is not known: {why}; run as {instead}"));
    }
    Ok(stated.and_then(Result::ok).map_or_else(|| context.catalog.parse(kernel.policy), Ok)?)
}

/// The file at `path`, or the debugfs files of a folder as one text; "-" is standard input.
pub(super) fn source(path: &Path) -> Result<Source, IngestError> {
    if is_standard(Some(path)) {
        Source::buffer(STANDARD_INPUT, io::stdin().lock())
    } else if path.is_dir() {
        ingest::directory(path)
    } else {
        Source::open_file(path)
    }
}
