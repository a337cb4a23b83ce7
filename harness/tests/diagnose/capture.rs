//! From a story to the text of somebody's log: whole, or as people post it.

use cma_harness::seed::{Draws, Seed};

use crate::board::{Line, Part, Truth};
use crate::mangle;
use crate::render::{Container, Style};
use crate::scenario::Story;

/// How much of a list a text shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ListShown {
    Nothing,
    Part,
    Whole,
}

/// What a text shows of a failure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence {
    /// The failure line.
    pub(crate) line: bool,
    /// A driver alone reports it.
    pub(crate) driver: bool,
    pub(crate) list: ListShown,
    /// A debug line or an event shows the order.
    pub(crate) order: bool,
    /// Anything at all.
    pub(crate) visible: bool,
}

/// A log with what is true of it.
pub(crate) struct Log {
    pub(crate) name: String,
    pub(crate) story: Story,
    /// Name and bytes.
    pub(crate) sources: Vec<(String, Vec<u8>)>,
    pub(crate) evidence: Vec<Evidence>,
    /// The text shows exactly so many failures: nothing of it is lost.
    pub(crate) exact: bool,
    /// The prefix shows the kernel's clock, which the trace has too.
    pub(crate) clocked: bool,
    /// Which list belongs to which failure can stay open.
    pub(crate) mixed: bool,
    /// Lines of drivers are as they were printed.
    pub(crate) drivers: bool,
}

impl Log {
    /// The failures that the text shows, with what it shows of them.
    pub(crate) fn visible(&self) -> impl Iterator<Item = (&Truth, Evidence)> {
        let both = self.story.truths.iter().zip(&self.evidence);
        both.filter(|(_, evidence)| evidence.visible).map(|(truth, evidence)| (truth, *evidence))
    }

    /// All of the text, for messages.
    pub(crate) fn text(&self) -> String {
        let parts = self
            .sources
            .iter()
            .map(|(name, bytes)| format!("=== {name}\n{}", String::from_utf8_lossy(bytes)));
        parts.collect()
    }
}

/// What is done to a log before it is posted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Posted {
    /// Nothing.
    Whole,
    /// Wrapped, quoted, encoded, interleaved, doubled: all of it is there.
    Mangled,
    /// Lists are cut.
    Cut,
    /// Lines are missing anywhere.
    Lost,
    /// Two areas at the same time.
    TwoAreas,
}

impl Posted {
    pub(crate) const ALL: [Self; 5] =
        [Self::Whole, Self::Mangled, Self::Cut, Self::Lost, Self::TwoAreas];

    /// Whether a driver's line alone is still one: broken in the words that it is known by it is
    /// none, and beside the failures of another area it may be theirs.
    pub(crate) const fn shows_drivers(self) -> bool {
        matches!(self, Self::Whole | Self::Cut | Self::Lost)
    }
}

/// The text of a story.
pub(crate) fn capture(mut story: Story, posted: Posted, seed: &Seed) -> Log {
    let mut draws = seed.child("capture", 0).rng();
    let android = story.release.is_android();
    let style = *draws.pick(if android { &Style::ANDROID[..] } else { &Style::ALL });
    let mut open = false;
    match posted {
        Posted::Whole | Posted::TwoAreas => {}
        Posted::Mangled => {
            if draws.below(2) == 0 {
                // Without the task, whose line ends whose call stays open.
                open = story.shows.debug && !story.pairs.is_empty() && !style.has_task();
                mangle::interleave(&mut story, &mut draws);
            }
        }
        Posted::Cut => mangle::cut(&mut story, &mut draws),
        Posted::Lost => mangle::lose(&mut story, &mut draws),
    }
    let mut text = style.text(&story.lines);
    let mut done = format!("{style:?}");
    if posted == Posted::Mangled {
        text = mangled(&story.lines, style, text, &mut done, &mut draws);
    }
    let mut sources = vec![("dmesg.txt".to_string(), text.into_bytes())];
    if story.shows.trace {
        let container = Container::any(&mut draws);
        done = format!("{done} {container:?}");
        sources.push(("trace.txt".to_string(), container.text(&story.events).into_bytes()));
    }
    let evidence = (0..story.truths.len()).map(|index| evidence(&story, index)).collect();
    let name = format!("{} {posted:?} {done}", story.release.text);
    let (exact, mixed) = (posted != Posted::Lost && !open, posted == Posted::TwoAreas);
    let clocked = style.has_kernel_clock();
    let drivers = posted.shows_drivers();
    Log { name, story, sources, evidence, exact, clocked, mixed, drivers }
}

fn mangled(
    lines: &[Line],
    style: Style,
    text: String,
    done: &mut String,
    draws: &mut Draws,
) -> String {
    let mut note = |what: &str| done.push_str(&format!(" {what}"));
    match draws.below(7) {
        0 => {
            note("wrapped at blanks");
            mangle::wrap_at_blanks(&text, draws.between(60, 100) as usize)
        }
        1 => {
            note("wrapped");
            mangle::wrap_anywhere(&text, draws.between(70, 130) as usize)
        }
        2 => {
            note("quoted");
            let text = mangle::wrap_at_blanks(&text, draws.between(66, 90) as usize);
            mangle::quote(&text, draws)
        }
        3 => {
            note("quoted-printable");
            mangle::quoted_printable(&text)
        }
        4 => {
            note("CRLF");
            text.replace('\n', "\r\n")
        }
        // The same boot from dmesg and from the journal, with the kernel's own stamps.
        5 if style == Style::Dmesg || style == Style::Caller => {
            note("twice");
            text + &Style::JournalPid.text(lines)
        }
        _ => text,
    }
}

fn evidence(story: &Story, index: usize) -> Evidence {
    let of = |line: &&Line| line.of == Some(index);
    let lines: Vec<_> = story.lines.iter().filter(of).collect();
    let events: Vec<_> = story.events.iter().filter(of).collect();
    let line = lines.iter().any(|line| line.part == Part::Failure);
    let driver = lines.iter().any(|line| line.part == Part::Driver);
    let records = lines.iter().filter_map(|line| match line.part {
        Part::List(record, all) => Some((record, all, line.text.contains(['…', '.']))),
        _ => None,
    });
    let records: Vec<_> = records.collect();
    // A head with nothing after it is no list.
    let numbers = lines
        .iter()
        .any(|line| matches!(line.part, Part::List(..)) && line.text.contains(['@', '=']));
    let list = match records.first() {
        None => ListShown::Nothing,
        Some((_, all, _))
            if records.len() == *all && records.iter().all(|(_, _, elided)| !elided) =>
        {
            ListShown::Whole
        }
        Some(_) => ListShown::Part,
    };
    let said = |lines: &[&Line], word: &str| lines.iter().any(|line| line.text.contains(word));
    let ended = said(&events, "cma_alloc_finish") || said(&events, "cma_alloc: ");
    let returned = said(&lines, "returned") && said(&lines, ", align ");
    Evidence {
        line,
        driver,
        list,
        order: said(&lines, ", align ") || said(&events, " align="),
        visible: line || driver || numbers || ended || returned,
    }
}
