//! Every key of a plan, documented: a test holds this table against what the parser takes.

/// A table of a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Within {
    /// The top of the file, before the first `[[…]]`.
    Plan,
    /// `stop = { … }`.
    Stop,
    /// `[[boards]]`.
    Board,
    /// `areas = [{ … }]` of a board.
    Area,
    /// `ranges = [{ … }]` of an area.
    Range,
    /// `[[streams]]`.
    Stream,
    /// `mix = [{ … }]` of a stream.
    Part,
}

impl Within {
    /// Every one, in the order of the table.
    pub const ALL: [Self; 7] =
        [Self::Plan, Self::Stop, Self::Board, Self::Area, Self::Range, Self::Stream, Self::Part];

    /// How a plan writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "top of the plan",
            Self::Stop => "stop = { … }",
            Self::Board => "[[boards]]",
            Self::Area => "areas = [{ … }] of a board",
            Self::Range => "ranges = [{ … }] of an area",
            Self::Stream => "[[streams]]",
            Self::Part => "mix = [{ … }] of a stream",
        }
    }

    /// What stands before the name of one of its keys.
    const fn path(self) -> &'static str {
        match self {
            Self::Plan => "",
            Self::Stop => "stop.",
            Self::Board => "boards.",
            Self::Area => "boards.areas.",
            Self::Range => "boards.areas.ranges.",
            Self::Stream => "streams.",
            Self::Part => "streams.mix.",
        }
    }
}

/// A key of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Where it stands.
    pub within: Within,
    /// Its name.
    pub name: &'static str,
    /// The type of its value.
    pub takes: &'static str,
    /// The unit of that, `-` where it has none.
    pub unit: &'static str,
    /// What holds where it is not there; `needed` where a plan without it is refused.
    pub default: &'static str,
    /// What it means, in a line or two.
    pub about: &'static str,
    /// As it is written.
    pub example: &'static str,
}

impl Key {
    /// Its name with that of its table before it: `boards.areas.mib`.
    pub fn path(&self) -> String {
        format!("{}{}", self.within.path(), self.name)
    }
}

macro_rules! keys {
    ($($within:ident { $($name:literal: $takes:literal, $unit:literal, $default:literal,
        $about:literal, $example:literal;)* })*) => {
        &[$($(Key {
            within: Within::$within,
            name: $name,
            takes: $takes,
            unit: $unit,
            default: $default,
            about: $about,
            example: $example,
        }),*),*]
    };
}

/// Every key, table by table: type, unit, default, meaning, example.
pub const KEYS: &[Key] = keys! {
    Plan {
        "name": "text", "-", "needed",
            "of the plan, and of the folder of its report in reports/: letters, digits, - _ .",
            r#"name = "my-board""#;
        "page_kib": "whole number", "KiB", "as its files state, else 4",
            "the size of a page: 4, 16 or 64; every number of pages is of such pages",
            "page_kib = 16";
        "seed": "whole number", "-", "1",
            "the first seed; the others follow it",
            "seed = 7";
        "seeds": "whole number", "streams", "1",
            "streams of each profile, fit and mix, each with a seed of its own; a recording has one",
            "seeds = 32";
        "stop": "table", "-", "all seeds are run",
            "ends a configuration as soon as it is known on which side of a share it lies; not \
             beside target or until",
            "stop = { failed_share = 0.01 }";
        "target": "text", "-", "no stream may fail",
            "how rare failures are to be: mtbf=TIME (s, min, h, d, w, y) or failing=SHARE%/day; what \
             misses it is dropped on the way",
            r#"target = "mtbf=30d""#;
        "until": "text", "-", "the end of the stream",
            "\"first-failure\" ends a cell there: cheaper, and without rates over time",
            r#"until = "first-failure""#;
        "policies": "list of texts", "-", r#"["all"]"#,
            "what is compared, name or name:key=value,key=value (cmalab list policies)",
            r#"policies = ["kernel", "zoned:share=0.25,order=8"]"#;
        "caps": "list of whole numbers", "order", "as traces of the plan show, else [8]",
            "CONFIG_CMA_ALIGNMENT: no request that follows it is aligned to more than 2^cap pages",
            "caps = [8, 4]";
        "environments": "list of texts", "-", r#"["pinned"]"#,
            "what claims meet in the pages (cmalab list environments)",
            r#"environments = ["movable"]"#;
        "after_failure": "text", "-", r#""fitted" where a stream is fitted, else "drop""#,
            "what a caller does after a refusal (cmalab list after-failure)",
            r#"after_failure = "session""#;
        "boards": "tables", "-", "none",
            "[[boards]]: what streams run on that state no area of their own, one table for each",
            r#"boards = [{ name = "one", areas = [{ mib = 640 }] }]"#;
        "streams": "tables", "-", "needed",
            "[[streams]]: what is asked for, one table for each; each runs alone on each board",
            r#"streams = [{ profile = "camera" }]"#;
    }
    Stop {
        "failed_share": "number", "share", "needed",
            "the share of failing streams that is asked about, above 0 and below 1",
            "failed_share = 0.01";
    }
    Board {
        "name": "text", "-", "needed",
            "of the board, which no other one has",
            r#"name = "vpu-apart""#;
        "areas": "list of tables", "-", "needed",
            "its areas: one without clients, for everybody, and pools",
            "areas = [{ mib = 384 }]";
        "caller": "text", "-", "as files of the plan show, else cma",
            "how its clients ask, and who serves what the area refuses (cmalab list callers)",
            r#"caller = "dma-direct""#;
        "callers": "table of texts", "-", "none",
            "the same of single clients, by name",
            r#"callers = { vpu = "dma-direct" }"#;
        "arch": "text", "-", "as its files state",
            "the architecture, by which sizes of areas go: arm64, arm, x86_64 or riscv64",
            r#"arch = "arm""#;
        "kernel": "text", "release", "as its files state",
            "the kernel, by which sizes of areas go",
            r#"kernel = "6.12""#;
        "step_mib": "whole number, or text with a unit", "MiB", "a pageblock of that kernel: 2 with pages of 4 KiB",
            "what base and size of an area are multiples of, a power of two",
            "step_mib = 32";
    }
    Area {
        "name": "text", "-", r#""cma""#,
            "of the area, which no other one of the board has",
            r#"name = "vpu""#;
        "mib": "whole number, or text with a unit", "MiB", "one of mib, pages and ranges is needed",
            "its size, one that a kernel makes: a multiple of step_mib",
            "mib = 288";
        "pages": "whole number, or text with a unit", "pages", "one of mib, pages and ranges is needed",
            "its size, any",
            "pages = 286720";
        "base_pfn": "whole number, or text as \"0x88000\"", "page frame", "past the other areas; 0 for the first",
            "its first page",
            "base_pfn = 0x88000";
        "ranges": "list of tables", "-", "one of mib, pages and ranges is needed",
            "its pieces, in the order in which the kernel searches them",
            "ranges = [{ base_pfn = 0x110200, pages = 102400 }]";
        "order_per_bit": "whole number", "order", "0",
            "pages of one bit of its bitmap, as an order",
            "order_per_bit = 2";
        "policy": "text", "-", "those that are compared",
            "a policy of its own, whatever the plan compares",
            r#"policy = "best-fit""#;
        "clients": "list of texts", "-", "everybody who has no pool",
            "whose pool it is: those use this area and no other, as by memory-region",
            r#"clients = ["vpu"]"#;
        "made_by": "text", "-", r#""dts""#,
            "what makes it: \"dts\", a node, which has to be a multiple of step_mib; \"cmdline\", \
             cma=, which is rounded up",
            r#"made_by = "cmdline""#;
    }
    Range {
        "base_pfn": "whole number, or text as \"0x88000\"", "page frame", "needed",
            "its first page",
            "base_pfn = 0x110200";
        "mib": "whole number, or text with a unit", "MiB", "one of mib and pages is needed",
            "its size, a multiple of step_mib",
            "mib = 300";
        "pages": "whole number, or text with a unit", "pages", "one of mib and pages is needed",
            "its size, any",
            "pages = 102400";
    }
    Stream {
        "profile": "text", "-", "one of profile, file, fit, mix, recorded is needed",
            "a workload by name (cmalab list profiles)",
            r#"profile = "camera""#;
        "file": "text, or list of texts", "path", "one of profile, file, fit, mix, recorded is needed",
            "a recording, a stream or a trace as it is, with other texts of its board beside it",
            r#"file = "corpora/recordings/6.12/mix-a1-dma8.csv.gz""#;
        "fit": "text, or list of texts", "path", "one of profile, file, fit, mix, recorded is needed",
            "streams like this file, of each seed another one; each fit is held against its file first",
            r#"fit = ["trace.txt", "dmesg.txt"]"#;
        "mix": "text, or list of tables", "-",
            "one of profile, file, fit, mix, recorded is needed",
            "what runs at the same time: one that is built in (cmalab list mixes), or its parts",
            r#"mix = "rpi-camera-encoder-gpu""#;
        "recorded": "text", "-", "one of profile, file, fit, mix, recorded is needed",
            "a recording of a real kernel that is built in",
            r#"recorded = "6.12/mix-a1-dma8""#;
        "loads": "list of numbers", "share of the board", "of a profile its own, of a fit its file's",
            "LOADs, the most that is live at once: another stream on each board",
            "loads = [0.7, 0.9]";
        "loads_mib": "list of whole numbers, or of texts with a unit", "MiB", "of a profile its own, of a fit its file's",
            "LOADs in place of loads: the same streams on every board",
            "loads_mib = [360]";
        "ops": "whole number", "ops", "see hours",
            "how long a profile, a fit or a mix is",
            "ops = 2000";
        "hours": "number", "hours of board time",
            "24; of a fit whose file has no time, its ops",
            "how long a profile, a fit or a mix is, in place of ops",
            "hours = 0.5";
        "days": "number", "days of board time", "see hours",
            "how long a profile, a fit or a mix is, in place of hours",
            "days = 3";
        "own_area": "true or false", "-",
            "true for a recording, a file and a profile with an area of its own",
            "whether it runs on the area that it states, rather than on every board",
            "own_area = false";
        "recorded_cap": "whole number", "order", "as its header or its calls show, else 8",
            "the cap that a recording or a file was made with",
            "recorded_cap = 4";
        "area": "text", "-", "the one with most events",
            "the area of a trace that is meant",
            r#"area = "linux,cma""#;
        "snapshot": "text", "path", "none",
            "debugfs files of the area of a trace: a text of them, or their folder",
            r#"snapshot = "board/cma""#;
    }
    Part {
        "profile": "text", "-", "one of profile, fit and file is needed",
            "a workload by name",
            r#"profile = "gpu""#;
        "fit": "text", "path", "one of profile, fit and file is needed",
            "streams like this file, of each seed another one",
            r#"fit = "trace.txt""#;
        "file": "text", "path", "one of profile, fit and file is needed",
            "a stream or a trace as it is",
            r#"file = "stream.csv""#;
        "load_mib": "whole number, or text with a unit", "MiB", "needed of a profile; of a fit its file's",
            "LOAD of this part",
            "load_mib = 96";
        "client": "text", "-", "all",
            "the client of the file that is meant",
            r#"client = "vpu""#;
        "repeat": "true or false", "-", "false",
            "whether a file begins again at its end",
            "repeat = true";
        "as": "text", "-", "those of the part",
            "what its clients are called, each with a number after it: others of the same name are \
             the same clients",
            r#"as = "rear""#;
    }
};

#[cfg(test)]
mod tests {
    use cma_policies::builtin;
    use serde::de::{Deserialize, Deserializer, Visitor};

    use super::*;
    use crate::sweep::parse::{RawPlan, RawStop, board, mix, parse, parse_mix_value, stream};

    /// Takes no value, but hears which fields a type has.
    struct Fields(Vec<&'static str>);

    impl<'de> Deserializer<'de> for &mut Fields {
        type Error = serde::de::value::Error;

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Self::Error> {
            self.0 = fields.to_vec();
            Err(serde::de::Error::custom("only the fields are asked for"))
        }

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(serde::de::Error::custom("no struct"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    fn fields_of<T: for<'de> Deserialize<'de>>() -> Vec<&'static str> {
        let mut fields = Fields(Vec::new());
        assert!(T::deserialize(&mut fields).is_err());
        fields.0
    }

    #[test]
    fn every_key_that_the_parser_takes_is_documented_and_no_other() {
        for within in Within::ALL {
            let fields = match within {
                Within::Plan => fields_of::<RawPlan>(),
                Within::Stop => fields_of::<RawStop>(),
                Within::Board => fields_of::<board::RawBoard>(),
                Within::Area => fields_of::<board::RawArea>(),
                Within::Range => fields_of::<board::RawRange>(),
                Within::Stream => fields_of::<stream::RawStream>(),
                Within::Part => fields_of::<mix::RawPart>(),
            };
            // A part takes this key only to say that there is no mix in a mix.
            let is_none = |field: &str| within == Within::Part && field == "mix";
            let mut taken: Vec<_> = fields.into_iter().filter(|field| !is_none(field)).collect();
            let documented = KEYS.iter().filter(|key| key.within == within);
            let mut documented: Vec<_> = documented.map(|key| key.name).collect();
            assert!(!taken.is_empty(), "{within:?}");
            taken.sort_unstable();
            documented.sort_unstable();
            assert_eq!(documented, taken, "{within:?}");
        }
    }

    /// A plan in which `example` stands at its place, with what it takes beside it.
    fn with(key: &Key) -> String {
        let Key { within, name, example, .. } = *key;
        let own = |parts: &[&str]| parts.contains(&name);
        let (mut top, mut board, mut area, mut stream) = (
            "name = \"x\"".to_string(),
            "name = \"b\"".to_string(),
            "mib = 64".to_string(),
            "profile = \"gpu\"".to_string(),
        );
        let beside = |text: &str| format!("{text}, {example}");
        match within {
            Within::Plan if own(&["name"]) => top = example.to_string(),
            Within::Plan if own(&["boards", "streams"]) => {
                let streams = r#"streams = [{ profile = "gpu" }]"#;
                let other = if name == "boards" { streams } else { "" };
                return format!("{top}\n{example}\n{other}");
            }
            Within::Plan => top += &format!("\n{example}"),
            Within::Stop => top += &format!("\nstop = {{ {example} }}"),
            Within::Board if own(&["name"]) => board = example.to_string(),
            Within::Board if own(&["areas"]) => {
                return format!("{top}\n[[boards]]\n{board}\n{example}\n[[streams]]\n{stream}");
            }
            Within::Board => board += &format!("\n{example}"),
            Within::Area if own(&["mib", "pages", "ranges"]) => area = example.to_string(),
            // A board has one area for everybody beside its pools.
            Within::Area if name == "clients" => {
                area = format!("name = \"rest\", mib = 64 }}, {{ mib = 32, {example}");
            }
            Within::Area => area = beside(&area),
            Within::Range if name == "base_pfn" => {
                area = format!("ranges = [{{ {example}, mib = 64 }}]");
            }
            Within::Range => area = format!("ranges = [{{ base_pfn = 512, {example} }}]"),
            Within::Stream if own(&["profile", "file", "fit", "mix", "recorded"]) => {
                stream = example.to_string();
            }
            Within::Stream if own(&["recorded_cap", "area", "snapshot"]) => {
                stream = format!("file = \"f.csv\"\n{example}");
            }
            Within::Stream => stream += &format!("\n{example}"),
            Within::Part => {}
        }
        format!("{top}\n[[boards]]\n{board}\nareas = [{{ {area} }}]\n[[streams]]\n{stream}\n")
    }

    #[test]
    fn every_example_is_taken_at_its_place() {
        for key in KEYS {
            assert!(key.example.starts_with(&format!("{} = ", key.name)), "{}", key.path());
            if key.within == Within::Part {
                let beside = match key.name {
                    "profile" => "load_mib = 64",
                    "load_mib" => r#"profile = "gpu""#,
                    "as" => r#"profile = "gpu", load_mib = 64"#,
                    "client" => r#"fit = "trace.txt""#,
                    "repeat" => r#"file = "stream.csv""#,
                    _ => "",
                };
                let comma = if beside.is_empty() { "" } else { ", " };
                let mix = format!("[{{ {beside}{comma}{} }}]", key.example);
                let page = crate::page::Page::Kib4;
                parse_mix_value("x", &mix, page).unwrap_or_else(|error| panic!("{error}: {mix}"));
                continue;
            }
            let text = with(key);
            parse("x", &text, &builtin::catalog())
                .unwrap_or_else(|error| panic!("{}: {error}\n{text}", key.path()));
        }
    }
}
