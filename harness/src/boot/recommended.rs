//! A configuration that was recommended: its areas and its cap, as `cmalab recommend` writes them.

use super::{Asked, Origin, Story};

/// What the next boot is to have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recommended {
    /// Every area, each name once.
    pub areas: Vec<RecommendedArea>,
    /// `CONFIG_CMA_ALIGNMENT`, where the recommendation rests on it.
    pub cap: Option<u32>,
}

/// An area that the next boot is to have.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "cli", derive(serde::Deserialize, serde::Serialize))]
pub struct RecommendedArea {
    /// The name of its node; `reserved` of a default area that no node asks for.
    pub name: String,
    /// Its size in bytes, at least 1.
    pub bytes: u64,
    /// It is the one that devices without an own use.
    pub default: bool,
}

impl RecommendedArea {
    /// Whether an area is called so: a node with or without its address.
    pub fn is(&self, name: &str) -> bool {
        let short = |name: &str| name.split('@').next().unwrap_or_default().to_string();
        self.name == name || short(&self.name) == name || self.name == short(name)
    }

    /// Whether the memory of `asked` is what the kernel of `story` makes of this size: the size of a
    /// node as it is, any other one rounded up to the step (`cma_declare_contiguous_nid()`,
    /// `mm/cma.c`). Lines of a boot have whole MiB.
    pub fn is_size_of(&self, asked: &Asked, story: &Story) -> bool {
        const MIB: u64 = 1 << 20;
        let (Some(has), stride) = (asked.bytes, &story.stride) else { return false };
        let is_node = asked.origin == Origin::Node;
        let in_mib = has.is_multiple_of(MIB) && has / MIB == self.bytes / MIB;
        if has == self.bytes || in_mib && (!is_node || stride.may_divide(self.bytes)) {
            return true;
        }
        let rounds_to = |step: u64| self.bytes.checked_next_multiple_of(step) == Some(has);
        let open = stride.open.iter().map(|step| step.bytes).filter(|_| stride.bytes.is_none());
        !is_node && stride.bytes.into_iter().chain(open).any(rounds_to)
    }
}

#[cfg(feature = "cli")]
mod json {
    use std::fmt::Display;

    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::{Recommended, RecommendedArea};
    use crate::ingest::IngestError;
    use crate::program::named;

    /// The newest object that can be read.
    pub(super) const SCHEMA: u64 = 1;

    /// What makes such a file.
    const REMEDY: &str = "`cmalab recommend --format json -o FILE` makes such a file";

    /// The object, of which only this key counts.
    #[derive(Deserialize)]
    struct File {
        recommended: Own,
    }

    #[derive(Deserialize)]
    struct Own {
        areas: Vec<RecommendedArea>,
        cap: Option<u32>,
    }

    impl Recommended {
        /// The value of the key `recommended` of an object with `schema` 1.
        pub fn to_json(&self) -> Value {
            json!({ "areas": self.areas, "cap": self.cap })
        }

        /// Reads the text of `file`: an object with the key `recommended`; its other keys may be
        /// anything.
        ///
        /// # Errors
        /// Where it is no such object, with the place, and where its numbers make no sense.
        pub fn from_json(file: &str, text: &str) -> Result<Self, IngestError> {
            let wrong =
                |why: &dyn Display| IngestError::of(file, format_args!("{why}; {}", named(REMEDY)));
            let placed = |error: &serde_json::Error| {
                let (line, column) = (error.line() as u64, error.column() as u64);
                let why = error.to_string();
                let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why);
                IngestError { line, column, ..wrong(&format_args!("not as expected: {why}")) }
            };
            let all: Value = serde_json::from_str(text).map_err(|error| placed(&error))?;
            let schema = all.get("schema").and_then(Value::as_u64);
            if let Some(schema) = schema.filter(|schema| *schema > SCHEMA) {
                return Err(wrong(&format_args!(
                    "its schema is {schema}, and this cmalab reads {SCHEMA}: read it with the one \
                     that wrote it"
                )));
            }
            match all.get("recommended") {
                None => return Err(wrong(&"it has no key \"recommended\"")),
                Some(Value::Null) => {
                    return Err(wrong(&"\"recommended\" is null: nothing was recommended"));
                }
                Some(_) => {}
            }
            let File { recommended: Own { areas, cap } } =
                serde_json::from_str(text).map_err(|error| placed(&error))?;
            let this = Self { areas, cap };
            this.nonsense().map_or(Ok(this), |why| Err(wrong(&why)))
        }

        /// What cannot be meant.
        fn nonsense(&self) -> Option<String> {
            let of = |area: &RecommendedArea| format!("area {:?} of \"recommended\"", area.name);
            let mut areas = self.areas.iter();
            if let Some(area) = areas.find(|area| area.bytes == 0 || area.name.is_empty()) {
                return Some(format!("{} has no name or no bytes", of(area)));
            }
            let twice = |(index, area): &(usize, &RecommendedArea)| {
                self.areas[..*index].iter().any(|other| other.name == area.name)
            };
            if let Some((_, area)) = self.areas.iter().enumerate().find(twice) {
                return Some(format!("{} is there twice", of(area)));
            }
            if let Some(cap) = self.cap.filter(|cap| *cap > 63) {
                return Some(format!("cap {cap} of \"recommended\" is no order: 0 to 63 are"));
            }
            let is_empty = self.areas.is_empty() && self.cap.is_none();
            is_empty.then(|| "\"recommended\" has neither an area nor a cap".to_string())
        }
    }
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::super::tests::story;
    use super::*;

    fn area(name: &str, bytes: u64, default: bool) -> RecommendedArea {
        RecommendedArea { name: name.to_string(), bytes, default }
    }

    fn read(text: &str) -> Result<Recommended, String> {
        Recommended::from_json("r.json", text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_is_read_again() {
        let areas = vec![area("linux,cma", 28 << 20, true), area("vpu", u64::MAX, false)];
        for cap in [Some(4), None] {
            let this = Recommended { areas: areas.clone(), cap };
            let text =
                serde_json::json!({ "recommended": this.to_json(), "curve": [1], "schema": 1 });
            assert_eq!(read(&format!("{text:#}")), Ok(this));
        }
        let text = r#"{"recommended": {"areas": [], "cap": 0, "later": {}}}"#;
        assert_eq!(read(text), Ok(Recommended { areas: vec![], cap: Some(0) }));
    }

    #[test]
    fn a_file_that_is_none_is_said_with_its_place() {
        let one = |area: &str| format!("{{\n\"recommended\": {{\"areas\": [{area}]}}}}");
        let whole = r#"{"name": "a", "bytes": 1, "default": true}"#;
        for (text, why) in [
            ("alloc failed".to_string(), "line 1, column 1: not as expected: expected value"),
            ("{\n\"recommended\": ".to_string(), "line 2, column 15: not as expected: EOF"),
            ("[]".to_string(), ": it has no key \"recommended\""),
            ("{\"recommended\": null}".to_string(), "nothing was recommended"),
            ("{\"schema\": 2}".to_string(), "its schema is 2, and this cmalab reads 1"),
            (
                one(r#"{"name": "a", "bytes": "28M"}"#),
                "line 2, column 54: not as expected: invalid",
            ),
            (one(r#"{"name": "a"}"#), "missing field `bytes`"),
            (one(&whole.replace('1', "-1")), "expected u64"),
            (
                one(&whole.replace('1', "0")),
                "area \"a\" of \"recommended\" has no name or no bytes",
            ),
            (one(&whole.replace("\"a\"", "\"\"")), "has no name or no bytes"),
            (one(&format!("{whole}, {whole}")), "area \"a\" of \"recommended\" is there twice"),
            (one(""), "has neither an area nor a cap"),
            (one(whole).replace("]}", "], \"cap\": 64}"), "cap 64 of \"recommended\" is no order"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.starts_with("read r.json") && error.contains(why), "{why}: {error}");
            assert!(error.ends_with("-o FILE` makes such a file"), "{error}");
        }
    }

    #[test]
    fn a_node_is_called_with_or_without_its_address() {
        for (name, other, is) in [
            ("vpu@1000", "vpu", true),
            ("vpu", "vpu@1000", true),
            ("vpu@1000", "vpu@2000", false),
            ("vpu", "vpu2", false),
        ] {
            assert_eq!(area(name, 1, false).is(other), is, "{name} {other}");
        }
    }

    /// `cma=` is rounded up to the step, and printed without from 6.15 on; a node is not.
    #[test]
    fn a_size_is_what_the_kernel_makes_of_it() {
        let of = |release: &str, line: &str, kib: u64| {
            let text = format!(
                "Linux version {release} (a@b) (aarch64-linux-gnu-gcc) #1\n\
                 Hugepagesize:  2048 kB\n{line}\n"
            );
            let story = story(&text);
            area("a", kib << 10, true).is_size_of(&story.areas[0], &story)
        };
        let reserved = "cma: Reserved 34 MiB at 0x7d800000";
        let node = "Reserved memory: created CMA memory pool at 0x7d800000, size 34 MiB\n\
                    OF: reserved mem: initialized node a, compatible id shared-dma-pool";
        for (release, line, mib, is) in [
            ("6.6.1", reserved, 33, true),
            ("6.6.1", reserved, 34, true),
            ("6.6.1", reserved, 32, false),
            ("6.6.1", reserved, 35, false),
            ("7.3.1", "cma: Reserved 33 MiB at 0x7d800000", 33, true),
            ("7.3.1", "cma: Reserved 33 MiB at 0x7d800000", 34, true),
            ("7.3.1", "cma: Reserved 33 MiB at 0x7d800000", 32, false),
            ("6.6.1", node, 34, true),
            ("6.6.1", node, 33, false),
        ] {
            assert_eq!(of(release, line, mib << 10), is, "{release}: {line} is {mib}");
        }
        // A step of less than a MiB: the line rounds down.
        let small = format!("CONFIG_ARM64_4K_PAGES=y\nCONFIG_PAGE_BLOCK_MAX_ORDER=7\n{node}");
        assert!(of("7.3.1", &small, (34 << 10) + 512) && !of("7.3.1", node, (34 << 10) + 512));
        assert!(!of("7.3.1", &small, (35 << 10) + 512));
    }
}
