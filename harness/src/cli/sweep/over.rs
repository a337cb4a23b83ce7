//! What the command line says in place of lists of a plan, or of the one that is built in.

use clap::Args;
use cma_policies::{Area, Run};

use super::folder::From;
use super::quote;
use crate::board::Board;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::policies::policies;
use crate::cli::size::pages;
use crate::environment;
use crate::ingest::quoted;
use crate::kernel::pageblock;
use crate::size::Size;
use crate::sweep::{Length, Load, Plan, Stream};
use crate::words::{mib, mib_number};
use crate::workload::{self, Profile, Setup};

/// What is said over a plan. Each list takes the place of the plan's own.
#[derive(Args, Debug)]
#[command(next_help_heading = "In place of what the plan says")]
pub(super) struct Over {
    /// Policies, as `name` or `name:key=value,…`, with commas between; `all` is every one
    #[arg(long, value_name = "POLICY,…")]
    policy: Vec<String>,
    /// CONFIG_CMA_ALIGNMENT, one or several
    #[arg(long, value_name = "ORDER,…", value_delimiter = ',',
          value_parser = clap::value_parser!(u32).range(0..=63))]
    cap: Vec<u32>,
    /// Boards with one area of so many pages, or of a size as 640M: any
    #[arg(long, value_name = "PAGES,…", value_delimiter = ',', value_parser = Size::in_pages)]
    pages: Vec<Size>,
    /// Boards with one area of so many MiB, which a kernel makes
    #[arg(long, value_name = "MIB,…", value_delimiter = ',', value_parser = Size::in_mib,
          conflicts_with = "pages")]
    mib: Vec<Size>,
    /// Streams of these profiles and no others (`cmalab list profiles`), on the boards, each of an hour
    /// of board time. Without PLAN the plan is called after them
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    profile: Vec<String>,
    /// LOADs of every profile as shares of the board [default with --profile: 0.7,0.8,0.9]
    #[arg(long, value_name = "SHARE,…", value_delimiter = ',', value_parser = share)]
    load: Vec<f64>,
    /// LOADs of every profile in MiB: the same streams on every board
    #[arg(long, value_name = "MIB,…", value_delimiter = ',', value_parser = Size::in_mib,
          conflicts_with = "load")]
    load_mib: Vec<Size>,
    /// Streams of each kind
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    seeds: Option<u64>,
    /// Hours of board time of each stream that is made, not recorded
    #[arg(long, value_name = "HOURS", value_parser = hours)]
    hours: Option<f64>,
    /// Ops of each stream that is made, in place of hours
    #[arg(long, value_name = "N", conflicts_with = "hours",
          value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    ops: Option<u64>,
    /// What claims meet in the pages (`cmalab list environments`); may be given several times
    #[arg(long, value_name = "ENVIRONMENT")]
    environment: Vec<String>,
    /// The name of the plan, and of the folder of its report in reports/
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// LOADs of a profile that is named.
const LOADS: [f64; 3] = [0.7, 0.8, 0.9];
/// Hours of a profile that is named.
const HOURS: f64 = 1.0;
/// The longest name of a plan.
const LONGEST_NAME: usize = 64;

/// A LOAD, as a share.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share <= Setup::MAX_LOAD);
    let most = Setup::MAX_LOAD;
    share.ok_or_else(|| {
        format!("a share of the area above 0 and at most {most} is allowed; MiB are for --load-mib")
    })
}

/// Hours of board time.
pub(in crate::cli) fn hours(text: &str) -> Result<f64, String> {
    let hours = text.parse().ok().filter(|hours| Length::of_hours(*hours).is_some());
    let most = Length::MOST_HOURS;
    hours.ok_or_else(|| format!("a number above 0 and at most {most} (ten years) is allowed"))
}

impl Over {
    /// Whether anything is said.
    pub(super) fn is_some(&self) -> bool {
        !self.words().is_empty()
    }

    /// Whether streams are named.
    pub(super) const fn has_streams(&self) -> bool {
        !self.profile.is_empty()
    }

    /// Says it over `plan`, which came from there.
    ///
    /// # Errors
    /// A name that there is not, boards that are not of one area, sizes that no kernel makes.
    pub(super) fn apply(
        &self,
        plan: &mut Plan,
        from: From,
        context: &Context,
    ) -> Result<(), Failure> {
        if !self.policy.is_empty() {
            plan.policies = unlike("--policy", policies(&self.policy, &context.catalog)?)?;
        }
        if !self.cap.is_empty() {
            (plan.caps, plan.are_caps_stated) = (unlike("--cap", self.cap.clone())?, true);
        }
        if !self.environment.is_empty() {
            let specs = self.environment.iter().map(|text| environment::Spec::parse(text));
            plan.environments = unlike("--environment", specs.collect::<Result<_, _>>()?)?;
        }
        plan.seeds = self.seeds.unwrap_or(plan.seeds);
        self.streams(plan)?;
        self.boards(plan)?;
        if from != From::File && self.is_some() {
            plan.name = self.called();
        }
        if let Some(name) = &self.name {
            plan.name = named(name)?;
        }
        Ok(())
    }

    /// The streams: those of profiles that are named, and what is said of all that are made.
    fn streams(&self, plan: &mut Plan) -> Result<(), Failure> {
        let is_on_boards = plan.boards.is_empty() || !self.pages.is_empty() || !self.mib.is_empty();
        if !self.profile.is_empty() {
            let find = |name: &String| {
                workload::profile(name)
                    .map_err(|error| Failure::because(format_args!("take --profile: {error}")))
            };
            let profiles: Vec<_> = self.profile.iter().map(find).collect::<Result<_, _>>()?;
            unlike("--profile", profiles.iter().map(|profile| profile.name).collect())?;
            plan.streams = profiles.into_iter().map(|one| of_profile(one, is_on_boards)).collect();
        }
        let length = match (self.hours, self.ops) {
            (Some(hours), _) => Length::of_hours(hours),
            (None, ops) => ops.map(Length::Ops),
        };
        for stream in plan.streams.iter_mut().filter(|stream| stream.length != Length::File) {
            stream.length = length.unwrap_or(stream.length);
        }
        let loads: Vec<_> = if self.load_mib.is_empty() {
            self.load.iter().map(|share| Load::Share(*share)).collect()
        } else {
            let load = |size: &Size| Ok(Load::Pages(pages("--load-mib", *size, plan.page)?));
            self.load_mib.iter().map(load).collect::<Result<_, Failure>>()?
        };
        let loads = unlike("--load", loads)?;
        let of_profiles = plan.streams.iter_mut().filter(|stream| stream.profile().is_some());
        for stream in of_profiles.filter(|_| !loads.is_empty()) {
            stream.loads.clone_from(&loads);
        }
        Ok(())
    }

    /// Boards of these sizes, otherwise as the first one of the plan.
    fn boards(&self, plan: &mut Plan) -> Result<(), Failure> {
        let (option, sizes) = match self.mib.as_slice() {
            [] => ("--pages", &self.pages),
            mib => ("--mib", &mib.to_vec()),
        };
        if sizes.is_empty() {
            return Ok(());
        }
        if let Some(board) = plan
            .boards
            .iter()
            .find(|board| board.areas.len() > 1 || board.areas[0].area.ranges().len() > 1)
        {
            return Err(Failure::because(format_args!(
                "run plan {} with {option}: its board {} has several areas or ranges, and an option \
                 states one; write the sizes into the plan",
                plan.name, board.name
            )));
        }
        let like = plan.boards.first().cloned().unwrap_or_else(|| {
            let area = Area::new("linux,cma", 0, &[Run::new(0, 1)]).expect("a page is an area");
            let step_pages = pageblock(plan.page);
            Board { step_pages, is_caller_open: false, ..Board::single("", area) }
        });
        let boards = sizes.iter().map(|size| {
            let count = pages(option, *size, plan.page)?;
            if option == "--mib" {
                is_made(&like, count, plan)?;
            }
            board(&like, count, plan)
        });
        plan.boards = boards.collect::<Result<_, _>>()?;
        let names = plan.boards.iter().map(|board| board.name.clone()).collect();
        unlike(option, names).map(drop)
    }

    /// What a plan is called that the command line makes: by what makes it another one, so that
    /// reports lie side by side.
    fn called(&self) -> String {
        let start = match self.profile.as_slice() {
            [] => "default".to_string(),
            profiles => profiles.join("-"),
        };
        let words = self.words();
        let rest = words.chunks(2).filter(|pair| pair[0] != "--profile" && pair[0] != "--name");
        // Policies and sizes with a unit are known for what they are.
        let is_plain = |pair: &[String]| match pair[0].as_str() {
            "--policy" | "--mib" => true,
            "--pages" => !pair[1].ends_with(|c: char| c.is_ascii_digit()),
            _ => false,
        };
        let rest = rest.map(|pair| match is_plain(pair) {
            true => format!("-{}", pair[1]),
            false => format!("-{}{}", pair[0].trim_start_matches('-'), pair[1]),
        });
        let name = start + &rest.collect::<String>();
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
            .collect();
        if name.len() <= LONGEST_NAME {
            return name;
        }
        let sum = crate::sweep::disk::checksum(&words.join(" "));
        format!("{}-{:08x}", &name[..LONGEST_NAME - 9], sum as u32)
    }

    /// The options as words of a command line, each with its value.
    pub(super) fn words(&self) -> Vec<String> {
        fn list<T>(name: &str, all: &[T], text: impl Fn(&T) -> String) -> Option<[String; 2]> {
            let words = all.iter().map(text).collect::<Vec<_>>().join(",");
            (!all.is_empty()).then(|| [name.to_string(), words])
        }
        let size = Size::as_given;
        let one = |name: &str, value: Option<String>| Some([name.to_string(), value?]);
        let each = [
            list("--profile", &self.profile, String::clone),
            list("--policy", &self.policy, String::clone),
            list("--cap", &self.cap, u32::to_string),
            list("--pages", &self.pages, size),
            list("--mib", &self.mib, size),
            list("--load", &self.load, f64::to_string),
            list("--load-mib", &self.load_mib, size),
            one("--seeds", self.seeds.map(|seeds| seeds.to_string())),
            one("--hours", self.hours.map(|hours| hours.to_string())),
            one("--ops", self.ops.map(|ops| ops.to_string())),
            one("--name", self.name.clone()),
        ];
        let pages = self.environment.iter().map(|text| ["--environment".to_string(), text.clone()]);
        each.into_iter().flatten().chain(pages).flatten().collect()
    }

    /// The same for a shell, with a blank before each.
    pub(super) fn line(&self) -> String {
        self.words()
            .iter()
            .map(|word| {
                format!(" {}", if word.starts_with("--") { word.clone() } else { quote(word) })
            })
            .collect()
    }
}

/// A stream of a profile that is named.
fn of_profile(profile: &'static Profile, is_on_boards: bool) -> Stream {
    let loads = match profile.area {
        // The case of a note is at its own LOAD.
        Some(_) => vec![Load::Share(profile.default_load)],
        None => LOADS.map(Load::Share).to_vec(),
    };
    let length = Length::of_hours(HOURS).expect("an hour is a length");
    Stream::of_profile(profile, loads, length, profile.area.is_some() && !is_on_boards)
}

/// The board of so many pages.
fn board(like: &Board, count: u64, plan: &Plan) -> Result<Board, Failure> {
    let mut board = like.clone();
    let old = &board.areas[0].area;
    let first = old.ranges()[0].pfn.0;
    let area = Area::new(old.name(), old.order_per_bit(), &[Run::new(first, count)]);
    board.areas[0].area = area.map_err(|error| {
        Failure::because(format_args!("make an area of {count} pages: {error}; take another size"))
    })?;
    board.name = match count % plan.page.in_mib() {
        0 => format!("{}-mib", mib_number(count as f64, plan.page)),
        _ => format!("{count}-pages"),
    };
    Ok(board)
}

/// That a kernel makes an area of this size.
fn is_made(like: &Board, count: u64, plan: &Plan) -> Result<(), Failure> {
    let step = like.step_pages;
    if count > 0 && like.areas[0].made_by.made(count, step).is_some() {
        return Ok(());
    }
    let (below, page) = (count - count % step, plan.page);
    let sizes = [below, below.saturating_add(step)].into_iter().filter(|pages| *pages > 0);
    let sizes: Vec<_> = sizes.map(|pages| mib_number(pages as f64, page)).collect();
    Err(Failure::because(format_args!(
        "make an area of {}: no node does, its size is a multiple of {}; take --mib {}, or --pages, \
         where any size is taken",
        mib(count, page),
        mib(step, page),
        sizes.join(" or ")
    )))
}

/// A list that says nothing twice.
fn unlike<T: std::fmt::Debug>(option: &str, all: Vec<T>) -> Result<Vec<T>, Failure> {
    let mut seen = std::collections::BTreeSet::new();
    match all.iter().find(|one| !seen.insert(format!("{one:?}"))) {
        None => Ok(all),
        Some(_) => Err(Failure::because(format_args!(
            "take {option}: an entry of its list is there twice; name each once"
        ))),
    }
}

/// A name that a plan may have.
fn named(name: &str) -> Result<String, Failure> {
    let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if (1..=LONGEST_NAME).contains(&name.len()) && !name.starts_with('.') && name.chars().all(good)
    {
        return Ok(name.to_string());
    }
    Err(Failure::because(format_args!(
        "take --name {}: it has 1 to {LONGEST_NAME} letters, digits, '-', '_' and '.', and does not begin \
         with '.'",
        quoted(name)
    )))
}
