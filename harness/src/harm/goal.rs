//! What is attacked.

use std::fmt;

use cma_policies::{Area, Catalog, Request, Run, Spec, dma_align};

use crate::codec::{Case, Choice};

/// The alignment that requests ask for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Align {
    /// None at all.
    #[default]
    None,
    /// As the DMA API: `min(ceil_log2(count), cap)`.
    Dma {
        /// The largest order, `CONFIG_CMA_ALIGNMENT`.
        cap: u32,
    },
}

impl Align {
    /// The order of a request for `count` pages.
    pub const fn order(self, count: u64) -> u32 {
        match self {
            Self::None => 0,
            Self::Dma { cap } => dma_align(count, cap),
        }
    }

    /// `none`, `dma` (cap 8, as most kernels) or `dma:CAP`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "dma" => Some(Self::Dma { cap: 8 }),
            _ => {
                let cap = text.strip_prefix("dma:")?.parse().ok().filter(|cap| *cap < 64)?;
                Some(Self::Dma { cap })
            }
        }
    }
}

impl fmt::Display for Align {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Dma { cap } => write!(f, "dma:{cap}"),
        }
    }
}

/// A policy on an area, and what may be asked of it.
#[derive(Clone, Debug)]
pub struct Goal {
    /// The policy.
    pub policy: Spec,
    /// Pages of the area.
    pub pages: u64,
    /// Its ranges in the kernel's order: one from page 0 on where the caller does not say.
    ranges: Vec<Run>,
    /// n, the largest count that is asked: a power of two, at most the pages.
    pub largest: u64,
    /// What requests are aligned to.
    pub align: Align,
}

impl Goal {
    /// The fewest and the most pages of an area: below, n is below 2; above, a stream is too long.
    pub const PAGES: std::ops::RangeInclusive<u64> = 16..=1 << 16;

    /// The most pages of a goal that a case has by itself: more take a fuzzer's time.
    const OF_A_CASE: u64 = 1 << 13;

    /// This policy on so many pages, with n the largest power of two up to an eighth of them, and
    /// no alignment.
    ///
    /// # Errors
    /// Pages that are not in [`Self::PAGES`], and a policy that cannot be built for them.
    pub fn new(policy: Spec, pages: u64) -> Result<Self, String> {
        Self::over(policy, vec![Run::new(0, pages)])
    }

    /// As [`Goal::new`], on an area of these ranges.
    ///
    /// # Errors
    /// As [`Goal::new`], and ranges that no area has.
    pub fn over(policy: Spec, ranges: Vec<Run>) -> Result<Self, String> {
        let pages = ranges.iter().fold(0, |sum: u64, run| sum.saturating_add(run.count));
        if !Self::PAGES.contains(&pages) {
            let (least, most) = (Self::PAGES.start(), Self::PAGES.end());
            return Err(format!("an area of {pages} pages: give {least} to {most}"));
        }
        Area::new("cma", 0, &ranges).map_err(|error| format!("an area: {error}"))?;
        let largest = 1 << (pages / 8).ilog2();
        let goal = Self { policy, pages, ranges, largest, align: Align::None };
        match goal.policy.build(goal.area()) {
            Ok(_) => Ok(goal),
            Err(error) => Err(format!("policy {} on {pages} pages: {error}", goal.policy)),
        }
    }

    /// The same goal with another n.
    ///
    /// # Errors
    /// What is no power of two from 2 to the pages of the area.
    pub fn with_largest(self, largest: u64) -> Result<Self, String> {
        if largest.is_power_of_two() && (2..=self.pages).contains(&largest) {
            return Ok(Self { largest, ..self });
        }
        let most = 1_u64 << self.pages.ilog2();
        Err(format!("a largest count of {largest}: give a power of two, 2 to {most}"))
    }

    /// The same goal with requests aligned so.
    #[must_use]
    pub fn with_align(self, align: Align) -> Self {
        Self { align, ..self }
    }

    /// The goal that `POLICY,PAGES[,LARGEST[,ALIGN]]` says.
    ///
    /// # Errors
    /// What is wrong with the text, and what is allowed.
    pub fn parse(text: &str, catalog: &Catalog) -> Result<Self, String> {
        // A policy may have commas itself, but none of its parameters is a bare number.
        let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
        let parts: Vec<_> = text.split(',').collect();
        let Some(at) = parts.iter().position(is_number) else {
            return Err(format!("goal \"{text}\": write POLICY,PAGES,LARGEST,ALIGN"));
        };
        let number = |part: &str| {
            part.parse().map_err(|_| format!("goal \"{text}\": \"{part}\" is no number"))
        };
        let policy = catalog
            .parse(&parts[..at].join(","))
            .map_err(|error| format!("goal \"{text}\": {error}"))?;
        let mut goal = Self::new(policy, number(parts[at])?)?;
        if let Some(largest) = parts.get(at + 1) {
            goal = goal.with_largest(number(largest)?)?;
        }
        if let Some(word) = parts.get(at + 2) {
            let wrong = || format!("goal \"{text}\": \"{word}\" is not none or dma:CAP");
            goal = goal.with_align(Align::parse(word).ok_or_else(wrong)?);
        }
        match parts.get(at + 3) {
            None => Ok(goal),
            Some(more) => Err(format!("goal \"{text}\": \"{more}\" is one too many")),
        }
    }

    /// The goal that a case has by itself: its policy on the pages of its first range, or the
    /// nearest number of pages that a goal can have. The order_per_bit of its area is the cap of
    /// the orders that are asked for; 0 is none. Where the policy cannot be built with the
    /// parameters of the case, it is built with its defaults. Nothing where not even that can be.
    pub fn of(case: &Case, catalog: &Catalog) -> Option<Self> {
        let pages = case.area.ranges()[0].count;
        let pages = pages.clamp(*Self::PAGES.start(), Self::OF_A_CASE);
        let plain = Choice { which: case.policy.which, ..Choice::FIRST };
        let goal = |choice: Choice| Self::new(choice.spec(catalog), pages).ok();
        let goal = goal(case.policy).or_else(|| goal(plain))?;
        Some(match case.area.order_per_bit() {
            0 => goal,
            cap => goal.with_align(Align::Dma { cap }),
        })
    }

    /// The area.
    ///
    /// # Panics
    /// Never: it was built for the goal.
    pub fn area(&self) -> Area {
        Area::new("cma", 0, &self.ranges).expect("it was built for the goal")
    }

    /// Its ranges in the kernel's order.
    pub fn ranges(&self) -> &[Run] {
        &self.ranges
    }

    /// A case of this goal without acts. A parameter of the policy that bytes cannot say has its
    /// default there.
    pub fn case(&self, catalog: &Catalog) -> Case {
        Case { policy: Choice::of(&self.policy, catalog), ..Case::new(self.area(), Vec::new()) }
    }

    /// The request for `count` pages; nothing where the goal does not allow it.
    pub fn request(&self, count: u64) -> Option<Request> {
        let allowed = count <= self.largest;
        allowed.then(|| Request::new(count, self.align.order(count)).ok()).flatten()
    }

    /// The harm of a first refusal with so many pages live and asked at most; 0 where that is all
    /// of the area.
    pub fn harm(&self, need: u64) -> f64 {
        self.pages.saturating_sub(need) as f64 / self.pages as f64
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.policy, self.pages, self.largest, self.align)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cma_policies::builtin;

    fn parse(text: &str) -> Result<String, String> {
        let goal = Goal::parse(text, &builtin::catalog());
        goal.map(|goal| goal.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_goal_is_written_and_read() {
        assert_eq!(parse("kernel,1000"), Ok("kernel,1000,64,none".into()));
        assert_eq!(parse("kernel,1024,16,dma"), Ok("kernel,1024,16,dma:8".into()));
        let zoned = "zoned:share=0.5,order=4,4096,512,dma:4";
        assert_eq!(parse(zoned), Ok(zoned.into()));
        assert!(parse("kernel").unwrap_err().contains("POLICY,PAGES"));
        assert!(parse("kernel,8").unwrap_err().contains("16 to 65536"));
        assert!(parse("kernel,64,3").unwrap_err().contains("power of two"));
        assert!(parse("kernel,64,128").unwrap_err().contains("2 to 64"));
        assert!(parse("kernel,64,8,dma:64").unwrap_err().contains("dma:CAP"));
        assert!(parse("kernel,64,8,none,1").unwrap_err().contains("too many"));
        assert!(parse("kern,64").unwrap_err().contains("no policy is named"));
    }

    #[test]
    fn what_may_be_asked() {
        let goal = Goal::parse("kernel,1024,16,dma:3", &builtin::catalog()).unwrap();
        assert_eq!(goal.request(16), Request::new(16, 3).ok());
        assert_eq!(goal.request(3), Request::new(3, 2).ok());
        assert_eq!((goal.request(0), goal.request(17)), (None, None));
        assert!((goal.harm(256) - 0.75).abs() < 1e-9);
        assert!(goal.harm(1040).abs() < 1e-9);
    }
}
