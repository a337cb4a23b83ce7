//! Where the movable pages of the system are: a fluid model of two pots, the area and the rest.

/// The memory that movable pages can be in, and the rule by which they fill it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    /// Pages of the area.
    pub(super) area: f64,
    /// Pages elsewhere that movable pages can be in.
    pub(super) normal: f64,
    /// A new page goes to the area first while its free pages are more than this share of all.
    pub(super) theta: f64,
    /// Pages that nobody but the kernel itself may take.
    pub(super) watermark: f64,
    /// Share of all pages that the system would fill, at the start and in the end.
    pub(super) demand: [f64; 2],
    /// Microseconds in which the way from the one to the other is gone to 63 %.
    pub(super) grow_us: f64,
    /// Microseconds that the system has run at the start.
    pub(super) uptime_us: f64,
    /// Of what the system would fill, the share that can be dropped, and the share to be written.
    pub(super) clean: f64,
    pub(super) dirty: f64,
    /// Share of the clear pages that are occupied, whatever the rule says.
    pub(super) fill: Option<f64>,
}

/// What is in the clear pages of the area at one moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Mix {
    /// Share of the clear pages that are occupied.
    pub(super) fill: f64,
    /// Share of the occupied pages that are clean file pages.
    pub(super) clean: f64,
    /// Share of the others that are dirty file pages.
    pub(super) dirty: f64,
}

impl Memory {
    fn total(&self) -> f64 {
        self.area + self.normal
    }

    /// Pages that the system would fill `since_us` after the start.
    pub(super) fn demand(&self, since_us: f64) -> f64 {
        let [fresh, full] = self.demand;
        let gone = 1.0 - libm::exp(-(self.uptime_us + since_us) / self.grow_us.max(1.0));
        (fresh + (full - fresh) * gone) * self.total()
    }

    /// Pages that cannot be dropped.
    fn hard(&self, demand: f64) -> f64 {
        (1.0 - self.clean) * demand
    }

    /// What the clear pages hold at this demand while `granted` pages of the area are granted.
    ///
    /// The cache gives way to what is granted; what cannot be dropped stays, and fills all there is
    /// if need be. Of the free pages the area has the share `theta`, if it has so many, and at
    /// least what does not fit elsewhere: there the rule of `__rmqueue()` comes to rest, since it
    /// takes from the area above that share and from elsewhere below it.
    pub(super) fn mix(&self, demand: f64, granted: f64) -> Mix {
        let clear = (self.area - granted).max(1.0);
        let room = (self.total() - granted).max(0.0);
        let hard = self.hard(demand);
        let movable = demand.min(room - self.watermark).max(hard).min(room);
        let free = room - movable;
        let free_area = (free * self.theta).min(clear).max(free - self.normal);
        let rest = (1.0 - self.clean).max(f64::MIN_POSITIVE);
        Mix {
            fill: self.fill.unwrap_or(1.0 - free_area / clear).clamp(0.0, 1.0),
            clean: match self.fill {
                Some(_) => self.clean,
                None => ((movable - hard) / movable.max(1.0)).clamp(0.0, 1.0),
            },
            dirty: (self.dirty / rest).clamp(0.0, 1.0),
        }
    }

    /// Whether `count` pages more can be granted at this demand, as far as there are pages to move others to: what
    /// cannot be dropped has to fit beside all that is granted and the watermark.
    ///
    /// It is the sum of the kernel's: moved pages <= free pages elsewhere + clean pages elsewhere -
    /// watermark. What the run itself holds falls out of it.
    pub(super) fn has_targets(&self, demand: f64, granted: f64, count: f64) -> bool {
        granted + count + self.hard(demand) + self.watermark <= self.total()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half of the memory is CMA; every page is wanted in the end, no watermark.
    fn half(theta: f64, demand: f64) -> Memory {
        Memory {
            area: 1000.0,
            normal: 1000.0,
            theta,
            watermark: 0.0,
            demand: [demand, demand],
            grow_us: 1.0,
            uptime_us: 0.0,
            clean: 0.5,
            dirty: 0.05,
            fill: None,
        }
    }

    #[test]
    fn the_area_fills_first_above_theta_and_last_below() {
        // Demand 600 of 2000: 1400 are free, of which 700 or all 1000 of the area.
        // Demand 1600: 400 are free, of which 200, 300 or all are the area's.
        for (theta, at_600, at_1600) in [(0.5, 0.3, 0.8), (0.75, 0.0, 0.7), (1.0, 0.0, 0.6)] {
            for (demand, fill) in [(0.3, at_600), (0.8, at_1600)] {
                let memory = half(theta, demand);
                let got = memory.mix(memory.demand(0.0), 0.0).fill;
                assert!((got - fill).abs() < 1e-9, "theta {theta}, demand {demand}: {got}");
            }
        }
    }

    #[test]
    fn a_page_at_a_time_comes_to_rest_where_the_formula_says() {
        for theta in [0.0, 0.3, 0.5, 0.75, 1.0] {
            for demand in [100, 700, 1300, 1900] {
                let (mut area, mut normal) = (1000_u32, 1000_u32);
                for _ in 0..demand {
                    let first = f64::from(area) > theta * f64::from(area + normal);
                    let from_area = if first { area > 0 } else { normal == 0 };
                    *(if from_area { &mut area } else { &mut normal }) -= 1;
                }
                let fill = 1.0 - f64::from(area) / 1000.0;
                let memory = half(theta, f64::from(demand) / 2000.0);
                let got = memory.mix(memory.demand(0.0), 0.0).fill;
                assert!((got - fill).abs() < 0.002, "{theta} {demand}: {got}, counted {fill}");
            }
        }
    }

    #[test]
    fn the_cache_gives_way_to_grants_and_the_rest_does_not() {
        let memory = half(0.5, 1.0);
        let demand = memory.demand(0.0);
        let mix = |granted| memory.mix(demand, granted);
        assert_eq!(mix(0.0), Mix { fill: 1.0, clean: 0.5, dirty: 0.1 });
        // 1500 pages are left: 1000 of them hard, 500 cache.
        assert!((mix(500.0).clean - 1.0 / 3.0).abs() < 1e-9);
        assert!(memory.has_targets(demand, 0.0, 1000.0));
        assert!(!memory.has_targets(demand, 0.0, 1001.0));
        assert!(!memory.has_targets(demand, 500.0, 501.0));
        let kept = Memory { watermark: 10.0, ..memory };
        assert!(kept.has_targets(demand, 500.0, 490.0));
        assert!(!kept.has_targets(demand, 500.0, 491.0));
    }

    #[test]
    fn demand_grows_with_uptime() {
        let memory = Memory { demand: [0.3, 0.95], grow_us: 600e6, ..half(0.5, 0.0) };
        assert!((memory.demand(0.0) - 600.0).abs() < 1e-9);
        // One time constant: 0.95 - 0.65 / e.
        assert!((memory.demand(600e6) - 2000.0 * 0.710_878).abs() < 0.01);
        let old = Memory { uptime_us: 600e6, ..memory };
        assert_eq!(old.demand(0.0), memory.demand(600e6));
        assert!((memory.demand(1e12) - 1900.0).abs() < 1e-6);
    }
}
