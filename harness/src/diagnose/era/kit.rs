//! What a kernel has for those who look for the cause of a failure: by its release, by its
//! configuration, and by who built it.

use crate::ingest::log::Knob;
use crate::kernel::{Release, Sign, Span, release};

/// Whether the kernel of a failure has these things; `None` where that stays open.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Kit {
    /// Every failure line is followed by the free runs, whatever the configuration is
    /// ([`Sign::ListAlways`]).
    pub lists: Option<bool>,
    /// Events of start, busy retry and finish; before, one event for each call ([`Sign::Events`]).
    pub events: Option<bool>,
    /// `cma/AREA/bitmap` in debugfs: CONFIG_CMA_DEBUGFS.
    pub debugfs: Option<bool>,
    /// Debug lines that are switched on while it runs: CONFIG_DYNAMIC_DEBUG.
    pub dynamic_debug: Option<bool>,
    /// It is before 4.1: no `cma/` in debugfs, and no events.
    pub old: bool,
    /// It is before 4.11: CONFIG_CMA_DEBUG prints no free runs at a failure.
    pub no_debug_lists: bool,
    /// Who built it, where that decides about one of them.
    pub builder: Option<Builder>,
}

/// The first release with `mm/cma_debug.c` and `include/trace/events/cma.h`.
const FILES: Release = (4, 1);

/// The first release in which CONFIG_CMA_DEBUG prints the free runs of a failure
/// (`cma_debug_show_areas()`, `mm/cma.c`).
const DEBUG_LISTS: Release = (4, 11);

/// Who builds kernels whose configuration is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Builder {
    /// Debian: no CONFIG_CMA_DEBUGFS (arm64 6.12.117 and 7.3.4 as they run; amd64 6.1 and 6.12
    /// have no area at all).
    Debian,
    /// Raspberry Pi OS: no CONFIG_CMA_DEBUGFS (`arch/arm64/configs/bcm2711_defconfig` of its tree).
    RaspberryPi,
}

impl Builder {
    /// Whose release this is: `6.12.117+deb13-arm64`, `6.1.0-18-amd64`, `6.6.31+rpt-rpi-v8`,
    /// `6.1.21-v8+`.
    fn of(release: &str) -> Option<Self> {
        const PI: [&str; 6] = ["-rpi", "+rpt", "-v8+", "-v8-16k+", "-v7l+", "-v7+"];
        const MACHINES: [&str; 5] = ["-amd64", "-arm64", "-armmp", "-armmp-lpae", "-686"];
        if PI.iter().any(|part| release.contains(part)) {
            return Some(Self::RaspberryPi);
        }
        let machine = MACHINES.iter().find_map(|machine| {
            let end = [*machine, "-16k"].concat();
            release.strip_suffix(machine).or_else(|| release.strip_suffix(end.as_str()))
        })?;
        // `6.1.0-18`: the number of its ABI, also after `deb11.` or `bpo.`.
        let abi = machine.rsplit(['-', '.']).next()?;
        let is_abi = machine.contains('-') && abi.bytes().all(|byte| byte.is_ascii_digit());
        (machine.contains("+deb") || machine.contains("+bpo") || is_abi).then_some(Self::Debian)
    }
}

/// What the configuration in a text says.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(in crate::diagnose) struct Config {
    debugfs: Option<bool>,
    debug: Option<bool>,
    dynamic_debug: Option<bool>,
}

impl Config {
    /// A line of it, or what proves one.
    pub(in crate::diagnose) fn note(&mut self, knob: Knob, is_set: bool) {
        let known = match knob {
            Knob::CmaDebugfs => &mut self.debugfs,
            Knob::CmaDebug => &mut self.debug,
            Knob::DynamicDebug => &mut self.dynamic_debug,
        };
        *known = Some(is_set);
    }

    /// The kit of a kernel that is one of `span`, and calls itself `stated` where that is known.
    pub(super) fn kit(&self, span: Span, stated: Option<&str>) -> Kit {
        let builder = stated.and_then(Builder::of);
        let lists = span.shows(Sign::ListAlways);
        let before = |since| stated.and_then(release).is_some_and(|release| release < since);
        let (old, no_debug_lists) = (before(FILES), before(DEBUG_LISTS));
        let by_debug = self.debug == Some(true) && !no_debug_lists;
        Kit {
            lists: if by_debug { Some(true) } else { lists },
            events: span.shows(Sign::Events),
            debugfs: if old { Some(false) } else { self.debugfs.or(builder.map(|_| false)) },
            old,
            no_debug_lists,
            dynamic_debug: self.dynamic_debug,
            builder: builder.filter(|_| self.debugfs.is_none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builder_is_known_by_the_release() {
        for (release, builder) in [
            ("6.12.117+deb13-arm64", Some(Builder::Debian)),
            ("6.12.117+deb13-arm64-16k", Some(Builder::Debian)),
            ("6.1.0-18-amd64", Some(Builder::Debian)),
            ("6.1.0-0.deb11.13-arm64", Some(Builder::Debian)),
            ("5.10.0-0.bpo.9-armmp", Some(Builder::Debian)),
            ("6.1.0-kali5-amd64", None),
            ("6.6.31+rpt-rpi-v8", Some(Builder::RaspberryPi)),
            ("6.12.34-v8-16k+", Some(Builder::RaspberryPi)),
            ("5.15.32-v7l+", Some(Builder::RaspberryPi)),
            ("6.8.0-45-generic", None),
            ("5.4.79", None),
            ("5.10-arm64", None),
        ] {
            assert_eq!(Builder::of(release), builder, "{release}");
        }
    }

    #[test]
    fn a_configuration_counts_before_the_builder() {
        let mut config = Config::default();
        let debian = Some("6.12.117+deb13-arm64");
        let kit = config.kit(Span::ALL, debian);
        assert_eq!((kit.debugfs, kit.builder), (Some(false), Some(Builder::Debian)));
        assert_eq!((kit.lists, kit.events), (None, None));
        config.note(Knob::CmaDebugfs, true);
        config.note(Knob::CmaDebug, true);
        config.note(Knob::DynamicDebug, false);
        let kit = config.kit(Sign::LineUnnamed.span(), debian);
        let expected = (Some(true), Some(false), Some(true), Some(false), None);
        let found = (kit.lists, kit.events, kit.debugfs, kit.dynamic_debug, kit.builder);
        assert_eq!(found, expected);
    }
}
