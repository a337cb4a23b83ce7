//! Which kernels can have printed a text: by the shape of its lines, then by what the user says.

mod kit;

use std::fmt;
use std::sync::Arc;

use crate::ingest::log::{FreeRuns, Knob, Shape};
use crate::kernel::{Seen, Sign, Span, release};
use kit::Config;
pub use kit::{Builder, Kit};

/// What is known of the kernel.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Era {
    /// The releases that can have printed it, in words: `4.11-5.11`.
    pub name: Option<Arc<str>>,
    /// Whether -16 is printed where nothing was found ([`Sign::BusyUnfound`]): `None` where it
    /// stays open.
    pub flipped: Option<bool>,
    /// A vendor's kernel that sleeps and searches again (Android): -12 may follow a busy pass.
    pub vendor_retry: bool,
    /// The lines are of other releases than the text, or the user, says.
    pub disputed: bool,
    /// What it has for those who look for the cause.
    pub kit: Kit,
}

impl fmt::Display for Era {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_deref().unwrap_or("unknown"))
    }
}

/// What lines of a text show of the kernel that printed them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Shown {
    /// What no kernel outside of these prints.
    pub(super) hard: Span,
    /// What mainline prints in these only, and vendors take over earlier.
    pub(super) mainline: Span,
}

impl Shown {
    /// By the shape of a failure line.
    pub(super) fn by_line(shape: Shape) -> Self {
        match shape {
            Shape::Unnamed => Sign::LineUnnamed.into(),
            Shape::Named => Sign::LineNamed.into(),
            // `__cma_alloc` alone proves no more than that the area is named.
            Shape::Inner => {
                Self { hard: Sign::LineOfArea.span(), mainline: Sign::LineInner.span() }
            }
            Shape::Frozen => Sign::LineFrozen.into(),
            Shape::Fragment => Self::default(),
        }
    }

    /// By the shape of a free-run list.
    pub(super) fn by_list(list: &FreeRuns) -> Self {
        let any = list.ranges.iter().any(|range| !range.runs.is_empty());
        if list.ranged {
            Sign::ListOfRanges.into()
        } else if any && list.head && !list.quoted && (list.inline || list.is_complete()) {
            // Of one that is cut the lines of the ranges may be what is missing.
            Sign::ListInOneRecord.into()
        } else if list.head && !list.cut && list.free.is_some_and(|free| free > 0) && !any {
            // The records of the ranges were dropped; before, the runs were in the same one.
            Sign::ListOfRanges.into()
        } else {
            Self::default()
        }
    }

    /// What both show; what the first shows, where they contradict each other.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            hard: self.hard.narrowed(other.hard),
            mainline: self.mainline.narrowed(other.mainline),
        }
    }
}

impl From<Sign> for Shown {
    fn from(sign: Sign) -> Self {
        Self { hard: sign.span(), mainline: sign.span() }
    }
}

/// What a whole text shows, beside the lines of one failure.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Text {
    seen: Seen,
    vendor: bool,
    config: Config,
}

impl Text {
    /// A line shows this.
    pub(super) fn note(&mut self, shown: impl Into<Span>) {
        self.seen.note(shown);
    }

    /// A line is printed in the way of Android.
    pub(super) fn note_vendor(&mut self) {
        self.vendor = true;
    }

    /// The configuration of the kernel says this of `knob`.
    pub(super) fn note_config(&mut self, knob: Knob, is_set: bool) {
        self.config.note(knob, is_set);
    }

    /// The era of a failure whose own lines show `own`, in a text where the kernel calls itself
    /// `stated`; `asked` is what the user says. The second value is a contradiction, in words.
    pub(super) fn era(
        &self,
        own: Shown,
        stated: Option<&str>,
        asked: Option<&str>,
    ) -> (Era, Option<String>) {
        let android = |name: &str| name.to_ascii_lowercase().contains("android");
        let vendor_retry = self.vendor || stated.is_some_and(android) || asked.is_some_and(android);
        let mut warning = None;
        for (who, name) in [("the text", stated), ("--kernel", asked)] {
            let Some((name, release)) = name.and_then(|name| Some((name, release(name)?))) else {
                continue;
            };
            if own.hard.contains(release) {
                let flipped = Some(Sign::BusyUnfound.span().contains(release));
                let kit = self.config.kit(Span::of(release), Some(name));
                let disputed = warning.is_some();
                let name = Some(name.into());
                return (Era { name, flipped, vendor_retry, disputed, kit }, warning);
            }
            let shape = own.hard.name().unwrap_or_default();
            warning = Some(format!(
                "{who} says kernel {name}, but the lines are of {shape}; the lines count"
            ));
        }
        let hard = own.hard.narrowed(self.seen.span());
        let mut flipped = hard.shows(Sign::BusyUnfound);
        if flipped.is_none() && asked.is_some_and(android) {
            flipped = Some(false);
        }
        let span = own.mainline.narrowed(hard);
        let (name, kit) = (span.name(), self.config.kit(hard, None));
        let name = if vendor_retry && flipped != Some(true) {
            Some(name.map_or_else(|| "android".to_string(), |name| format!("android {name}")))
        } else {
            name
        };
        let (name, disputed) = (name.map(Into::into), warning.is_some());
        (Era { name, flipped, vendor_retry, disputed, kit }, warning)
    }

    /// Whether what shows `own` may list bits for pages.
    pub(super) fn may_print_bits(&self, own: Shown, stated: Option<&str>) -> bool {
        let span = own.mainline.narrowed(self.seen.span());
        let stated = stated.and_then(release);
        span.shows(Sign::ListInPages) != Some(true)
            && stated.is_none_or(|release| !Sign::ListInPages.span().contains(release))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::log::RangeRuns;

    fn list(ranged: bool, runs: &[(u64, u64)], free: Option<u64>) -> FreeRuns {
        let ranges = vec![RangeRuns { range: 0, runs: runs.to_vec() }];
        FreeRuns { ranges, ranged, free, head: true, inline: !ranged, ..FreeRuns::default() }
    }

    fn era(own: Shown, stated: Option<&str>, asked: Option<&str>) -> Era {
        Text::default().era(own, stated, asked).0
    }

    #[test]
    fn the_shape_of_a_line_tells_what_minus_16_means() {
        let table = [
            (Shape::Unnamed, Some("4.11-5.11"), Some(false)),
            (Shape::Named, Some("5.12-6.11"), Some(false)),
            (Shape::Inner, Some("6.12+"), None),
            (Shape::Frozen, Some("7.0+"), Some(true)),
            (Shape::Fragment, None, None),
        ];
        for (shape, name, flipped) in table {
            let era = era(Shown::by_line(shape), None, None);
            assert_eq!((era.name.as_deref(), era.flipped), (name, flipped), "{shape:?}");
        }
    }

    #[test]
    fn the_list_decides_where_the_line_leaves_it_open() {
        let inner = Shown::by_line(Shape::Inner);
        let table = [
            (list(false, &[(5, 1)], None), Some("6.12-6.14"), Some(false)),
            (list(true, &[(5, 1)], Some(5)), Some("6.15+"), Some(true)),
            (list(false, &[], Some(77)), Some("6.15+"), Some(true)),
            (list(false, &[], Some(0)), Some("6.12+"), None),
            (FreeRuns { cut: true, ..list(false, &[], Some(77)) }, Some("6.12+"), None),
            (FreeRuns { quoted: true, ..list(false, &[(5, 1)], None) }, Some("6.12+"), None),
            // The line of its range may be missing.
            (FreeRuns { inline: false, ..list(false, &[(5, 1)], Some(9)) }, Some("6.12+"), None),
            (
                FreeRuns { inline: false, ..list(false, &[(5, 1)], Some(5)) },
                Some("6.12-6.14"),
                Some(false),
            ),
        ];
        for (list, name, flipped) in table {
            let era = era(inner.and(Shown::by_list(&list)), None, None);
            assert_eq!((era.name.as_deref(), era.flipped), (name, flipped), "{list:?}");
        }
    }

    #[test]
    fn the_release_counts_where_the_lines_allow_it() {
        let inner = Shown::by_line(Shape::Inner);
        assert_eq!(era(inner, Some("6.18.2"), None).flipped, Some(true));
        assert_eq!(era(inner, None, Some("6.12.9-x")).flipped, Some(false));
        // Taken over by a vendor.
        assert_eq!(era(inner, Some("6.6.30-v8"), None).name.as_deref(), Some("6.6.30-v8"));
        // The text counts before the user.
        assert_eq!(era(inner, Some("6.12.1"), Some("6.18")).flipped, Some(false));
        let named = Shown::by_line(Shape::Named);
        let (era, warning) = Text::default().era(named, Some("6.17.0"), None);
        assert_eq!((era.name.as_deref(), era.flipped), (Some("5.12-6.11"), Some(false)));
        assert!(warning.is_some_and(|warning| warning.contains("6.17.0")));
    }

    #[test]
    fn other_lines_of_the_text_narrow_it_unless_they_are_of_several_kernels() {
        let inner = Shown::by_line(Shape::Inner);
        let mut text = Text::default();
        text.note(Sign::StartTotals);
        assert_eq!(text.era(inner, None, None).0.flipped, Some(true));
        text.note(Sign::FinishPlain);
        assert_eq!(text.era(inner, None, None).0.flipped, None);
    }

    #[test]
    fn android_is_told_by_release_user_or_vendor_line() {
        let named = Shown::by_line(Shape::Named);
        assert!(era(named, Some("5.15.41-android13-8"), None).vendor_retry);
        let asked = era(Shown::default(), None, Some("android"));
        assert_eq!((asked.vendor_retry, asked.flipped), (true, Some(false)));
        let mut text = Text::default();
        text.note_vendor();
        assert!(text.era(named, None, None).0.vendor_retry);
        assert!(!era(named, Some("5.15.41"), None).vendor_retry);
    }

    #[test]
    fn what_is_no_release_says_nothing() {
        for name in ["", "6", "six.one", "99999999999.1", "-6.1"] {
            assert_eq!(era(Shown::default(), Some(name), None).flipped, None, "{name}");
        }
    }
}
