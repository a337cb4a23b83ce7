//! Releases, and spans of them.

use super::Sign;

/// A release of mainline: major, minor.
pub type Release = (u32, u32);

/// The release that `name` begins with: `6.1.57-android14` is 6.1, `v6.14-rc3` is 6.14. `None`
/// where it is none.
pub fn release(name: &str) -> Option<Release> {
    let mut numbers = name.trim_start_matches('v').split(['.', '-', '+', '_', ' ']);
    let mut number = || numbers.next()?.parse::<u32>().ok();
    Some((number()?, number()?))
}

/// Releases from a first one up to the one before `end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    pub(super) first: Release,
    pub(super) end: Release,
}

impl Span {
    /// Every release.
    pub const ALL: Self = Self { first: (0, 0), end: (u32::MAX, u32::MAX) };

    /// This release alone.
    pub const fn of(release: Release) -> Self {
        Self { first: release, end: (release.0, release.1.saturating_add(1)) }
    }

    /// The releases in both, if there are any.
    pub fn and(self, other: Self) -> Option<Self> {
        let span = Self { first: self.first.max(other.first), end: self.end.min(other.end) };
        (span.first < span.end).then_some(span)
    }

    /// The releases in both; these, where the two contradict each other.
    pub fn narrowed(self, other: Self) -> Self {
        self.and(other).unwrap_or(self)
    }

    /// Whether it has this release.
    pub fn contains(self, release: Release) -> bool {
        self.first <= release && release < self.end
    }

    /// Whether its releases show `sign`: `None` where some do and others do not.
    pub fn shows(self, sign: Sign) -> Option<bool> {
        match self.and(sign.span()) {
            None => Some(false),
            Some(both) if both == self => Some(true),
            Some(_) => None,
        }
    }

    /// Its releases in words: `4.11-5.11`, `6.15+`, `up to 5.12`; `None` for every release.
    pub fn name(self) -> Option<String> {
        let last = last_before(self.end);
        let first = (self.first > Self::ALL.first).then(|| text(self.first));
        let last = (self.end < Self::ALL.end).then(|| text(last));
        match (first, last) {
            (Some(first), Some(last)) => Some(format!("{first}-{last}")),
            (Some(first), None) => Some(format!("{first}+")),
            (None, Some(last)) => Some(format!("up to {last}")),
            (None, None) => None,
        }
    }
}

impl Default for Span {
    fn default() -> Self {
        Self::ALL
    }
}

impl From<Sign> for Span {
    fn from(sign: Sign) -> Self {
        sign.span()
    }
}

fn text((major, minor): Release) -> String {
    format!("{major}.{minor}")
}

/// The release before this one: 4.20 was the last of its major number, 5.19 and 6.19 of theirs.
const fn last_before((major, minor): Release) -> Release {
    match (major, minor) {
        (0, _) | (_, 1..) => (major, minor.saturating_sub(1)),
        (5, 0) => (4, 20),
        _ => (major - 1, 19),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn span(first: Release, end: Release) -> Span {
        Span { first, end }
    }

    #[test]
    fn a_span_is_named_by_its_first_and_its_last_release() {
        let (open, end) = (Span::ALL.first, Span::ALL.end);
        for (span, name) in [
            (span((4, 11), (5, 12)), Some("4.11-5.11")),
            (span((6, 15), end), Some("6.15+")),
            (span(open, (5, 13)), Some("up to 5.12")),
            (span((5, 19), (7, 0)), Some("5.19-6.19")),
            (span(open, (5, 0)), Some("up to 4.20")),
            (Span::ALL, None),
        ] {
            assert_eq!(span.name().as_deref(), name);
        }
    }

    #[test]
    fn spans_meet_or_contradict_each_other() {
        let (old, new) = (span((4, 11), (6, 15)), span((6, 3), Span::ALL.end));
        assert_eq!(old.and(new), Some(span((6, 3), (6, 15))));
        assert_eq!(old.and(span((6, 15), (6, 18))), None);
        assert_eq!(old.narrowed(span((6, 15), (6, 18))), old);
        assert!(old.contains((6, 14)) && !old.contains((6, 15)) && !old.contains((4, 10)));
    }

    #[test]
    fn what_is_no_release_is_none() {
        for (name, found) in [
            ("6.12.117-cmalab", Some((6, 12))),
            ("v6.14-rc3", Some((6, 14))),
            ("5.12-6.11", Some((5, 12))),
            ("", None),
            ("6", None),
            ("six.one", None),
            ("-6.1", None),
            ("99999999999.1", None),
        ] {
            assert_eq!(release(name), found, "{name}");
        }
    }
}
