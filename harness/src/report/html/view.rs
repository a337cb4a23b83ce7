//! Which caps and policies, and which configurations, the pictures show: all of a small plan, of a
//! large one those that the decision is between.

use maud::{Markup, html};

use super::more_in_summary;
use super::names::{self, Named, Sign};
use crate::answer::{Candidate, Choice, Curve, Findings, Picture, SummaryRow};
use crate::report::chart::LOOKS;
use crate::report::page::table::{self, Field, Row};
use crate::report::words::covers;
use crate::sweep::{Configuration, Ready};

/// Streams, each under one environment, of which there are pictures.
const CASES: usize = 6;

/// A cap and a policy, indices into the plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Way {
    pub(super) cap: usize,
    pub(super) policy: usize,
}

impl Way {
    /// That of a row.
    pub(super) const fn of(row: &SummaryRow) -> Self {
        Self { cap: row.at.cap, policy: row.policy }
    }
}

/// A row of the summary that is drawn.
pub(super) struct Drawn<'a> {
    /// Its way.
    pub(super) way: Way,
    /// The name of that.
    pub(super) name: Named,
    /// The row.
    pub(super) row: &'a SummaryRow,
    /// How long its streams go well.
    pub(super) curve: &'a Curve,
}

/// What is looked at: the plan, what came of it, and what of that is drawn.
#[derive(Debug)]
pub(super) struct View<'a> {
    /// The plan.
    pub(super) ready: &'a Ready,
    /// What its results say.
    pub(super) findings: &'a Findings,
    /// Its worst stream.
    pub(super) pictures: &'a [Picture],
    /// The line that makes it again.
    pub(super) command: &'a str,
    /// What is drawn: at most one for each look of a line.
    pub(super) ways: Vec<Way>,
}

impl<'a> View<'a> {
    pub(super) fn new(
        ready: &'a Ready,
        findings: &'a Findings,
        pictures: &'a [Picture],
        command: &'a str,
    ) -> Self {
        let mut view = Self { ready, findings, pictures, command, ways: Vec::new() };
        view.ways = view.choose();
        view
    }

    /// The answer at the top: of every stream, each alone on its board or, where none runs on the
    /// boards, of the first one.
    pub(super) fn choice(&self) -> Option<&'a Choice> {
        self.findings.headline.as_ref().or(self.findings.choices.first())
    }

    /// The configuration to choose or, where none can be, the nearest.
    pub(super) fn candidate(&self) -> Option<&'a Candidate> {
        let choice = self.choice()?;
        choice.ranked.get(choice.chosen.unwrap_or(0))
    }

    /// First what was chosen, then what it is compared with, then the best of the rest.
    fn choose(&self) -> Vec<Way> {
        let plan = &self.ready.plan;
        let mut ways: Vec<Way> = Vec::new();
        let of = |candidate: &Candidate| Way { cap: candidate.cap, policy: candidate.policy };
        let chosen = self.candidate().map(of);
        let baseline = self.findings.summary.baseline;
        let baseline = (0..plan.caps.len())
            .filter_map(|cap| baseline.map(|policy| Way { cap, policy }))
            .take(LOOKS / 2);
        let ranked = self.choice().into_iter().flat_map(|choice| &choice.ranked);
        // What cannot be chosen is shown too, after all that can: its lines look good.
        let (open, shut): (Vec<_>, Vec<_>) =
            ranked.partition(|candidate| !candidate.flagged && !candidate.unaligned);
        let rest = (0..plan.policies.len())
            .flat_map(|policy| (0..plan.caps.len()).map(move |cap| Way { cap, policy }));
        let all = chosen.into_iter().chain(baseline);
        let all = all.chain(open.into_iter().map(of)).chain(shut.into_iter().map(of)).chain(rest);
        for way in all {
            if ways.len() < LOOKS && !ways.contains(&way) {
                ways.push(way);
            }
        }
        ways
    }

    /// How the lines of a way look, the same in every picture.
    pub(super) fn look(&self, way: Way) -> usize {
        self.ways.iter().position(|other| *other == way).unwrap_or(LOOKS - 1)
    }

    /// Ways of the plan that are not drawn.
    pub(super) fn ways_left(&self) -> usize {
        let plan = &self.ready.plan;
        plan.caps.len() * plan.policies.len() - self.ways.len()
    }

    /// The name of a way, marked where it was chosen or, by `rows` that are looked at, cannot be.
    pub(super) fn name<'r>(
        &self,
        way: Way,
        rows: impl IntoIterator<Item = &'r SummaryRow>,
    ) -> Named {
        let is_flagged = rows.into_iter().any(|row| {
            (row.at.cap, row.policy) == (way.cap, way.policy) && !row.worse_classes.is_empty()
        });
        let sign = match (self.ready.aligned[way.policy], is_flagged, self.is_chosen(way)) {
            (false, ..) => Some(Sign::Unaligned),
            (_, true, _) => Some(Sign::Flagged),
            (.., true) => Some(Sign::Chosen),
            _ => None,
        };
        Named { name: names::way(self.ready, way.cap, way.policy), sign, dropped: None }
    }

    /// Whether it is the cap and policy of the answer.
    fn is_chosen(&self, way: Way) -> bool {
        let best = self.choice().and_then(Choice::best);
        best.is_some_and(|best| (best.cap, best.policy) == (way.cap, way.policy))
    }

    /// Rows of a stream, LOAD and environment, on every board.
    pub(super) fn rows_of(
        &self,
        stream: usize,
        load: Option<usize>,
        environment: usize,
    ) -> impl Iterator<Item = &'a SummaryRow> {
        let key = (stream, load, environment);
        let rows = self.findings.summary.rows.iter();
        rows.filter(move |row| (row.at.stream, row.at.load, row.at.environment) == key)
    }

    /// The row of a configuration under a way.
    pub(super) fn drawn(&self, at: Configuration, way: Way) -> Option<Drawn<'a>> {
        let at = Configuration { cap: way.cap, ..at };
        let Findings { summary, survival, .. } = self.findings;
        let mut rows = summary.rows.iter().zip(survival);
        let (row, curve) = rows.find(|(row, _)| row.at == at && row.policy == way.policy)?;
        Some(Drawn { way, name: self.name_of(row), row, curve })
    }

    /// The name of a row's way, marked where the race dropped it too.
    pub(super) fn name_of(&self, row: &SummaryRow) -> Named {
        Named { dropped: row.dropped.then_some(row.streams), ..self.name(Way::of(row), [row]) }
    }

    /// The rows of a configuration, those of each way that is drawn.
    pub(super) fn rows(&self, at: &Configuration) -> Vec<Drawn<'a>> {
        self.ways.iter().filter_map(|way| self.drawn(*at, *way)).collect()
    }

    /// A row of a table: `fields` come after the name.
    pub(super) fn table_row(&self, row: &SummaryRow, fields: Vec<Field>) -> Row {
        let class = match (self.is_chosen(Way::of(row)), self.name_of(row).sign) {
            (true, _) => "chosen",
            (_, sign) => sign.map_or("", Sign::class),
        };
        Row { class, fields }
    }

    /// A table of a configuration, with a row for each way that is drawn; `fields` come after the
    /// name.
    pub(super) fn table(
        &self,
        caption: &str,
        rows: &[Drawn<'_>],
        fields: impl Fn(&SummaryRow) -> Vec<Field>,
    ) -> Markup {
        let row = |Drawn { name, row, .. }: &Drawn<'_>| {
            let mut all = vec![table::text("Policy and cap", name.to_string())];
            all.extend(fields(row));
            self.table_row(row, all)
        };
        let rows: Vec<_> = rows.iter().map(row).collect();
        html! {
            (table::table(caption, &rows))
            (more_in_summary(self.ways_left(), ""))
        }
    }

    /// How many streams a picture or table of a configuration covers, and how long each is.
    pub(super) fn covers(&self, at: &Configuration) -> String {
        let rows = self.rows(at);
        covers(self.ready, &rows.iter().map(|drawn| drawn.row).collect::<Vec<_>>())
    }

    /// For each stream of the plan how many of it there are, and how long each is; streams alike
    /// in that are named together.
    pub(super) fn all_covers(&self) -> Vec<String> {
        let mut found: Vec<(String, Vec<&str>)> = Vec::new();
        for (index, stream) in self.ready.plan.streams.iter().enumerate() {
            let rows = self.findings.summary.rows.iter().filter(|row| row.at.stream == index);
            let covers = covers(self.ready, &rows.collect::<Vec<_>>());
            match found.iter_mut().find(|(other, _)| *other == covers) {
                Some((_, names)) if names.contains(&stream.name()) => {}
                Some((_, names)) => names.push(stream.name()),
                None => found.push((covers, vec![stream.name()])),
            }
        }
        found.into_iter().map(|(covers, names)| format!("{}: {covers}", names.join(", "))).collect()
    }

    /// The configuration that the decision hangs on: the worst of the best candidate.
    pub(super) fn worst(&self) -> Option<Configuration> {
        let row = self.candidate()?.worst_row;
        self.findings.summary.rows.get(row).map(|row| row.at)
    }

    /// For each stream and environment one configuration: on the board of the best candidate, at
    /// the LOAD that is hardest there; and how many are left out.
    pub(super) fn cases(&self) -> (Vec<Configuration>, usize) {
        let board = self.candidate().and_then(|candidate| candidate.board);
        let mut cases: Vec<Configuration> = Vec::new();
        for at in self.ready.plan.configurations() {
            if at.cap != 0 || at.board.is_some_and(|own| Some(own) != board) {
                continue;
            }
            let same = |case: &&mut Configuration| {
                (case.stream, case.environment) == (at.stream, at.environment)
            };
            match cases.iter_mut().find(same) {
                Some(case) if self.share(&at) > self.share(case) => *case = at,
                Some(_) => {}
                None => cases.push(at),
            }
        }
        let left = cases.len().saturating_sub(CASES);
        cases.truncate(CASES);
        (cases, left)
    }

    fn share(&self, at: &Configuration) -> f64 {
        let load = self.ready.plan.load(at);
        load.map_or(0.0, |load| load.share_of(self.ready.board(at).pages()))
    }

    /// What a configuration is, in words, without cap.
    pub(super) fn place(&self, at: &Configuration) -> String {
        let stream = names::stream(self.ready, at.stream, at.load);
        let board = names::board(self.ready, at);
        let environment = names::environment(self.ready, at.environment);
        format!("{stream}, on {board}{environment}")
    }
}
