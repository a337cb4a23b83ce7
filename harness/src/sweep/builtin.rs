//! The plan that needs no file, and the recordings that it runs.

/// A recording of a real kernel that is part of the binary.
#[derive(Debug)]
pub struct Recording {
    /// Its name in a plan: kernel, stream, area, alignments.
    pub name: &'static str,
    /// The file, packed as it is.
    pub bytes: &'static [u8],
}

macro_rules! recordings {
    ($($name:literal),* $(,)?) => {
        &[$(Recording {
            name: $name,
            bytes: include_bytes!(concat!("recordings/", $name, ".csv.gz")),
        }),*]
    };
}

const RECORDINGS: &[Recording] = recordings![
    "6.12/mix-a1-dma8",
    "6.12/video-a2-dma8",
    "6.12/pins-a1-dma8",
    "6.12/mix-a4-opb2-weird"
];

/// The recordings that are built in, by name.
pub const fn recordings() -> &'static [Recording] {
    RECORDINGS
}

/// The built-in plan.
pub const BUILTIN: &str = include_str!("default.toml");

/// A plan to start from, with what else there is beside it: the name of the plan, and of its report,
/// is [`TEMPLATE_NAME`].
pub const TEMPLATE: &str = include_str!("init.toml");
/// The name in [`TEMPLATE`].
pub const TEMPLATE_NAME: &str = "my-board";

#[cfg(test)]
mod tests {
    use cma_policies::builtin;

    use super::*;
    use crate::sweep::{KEYS, parse};

    fn check(text: &str) {
        parse("template", text, &builtin::catalog()).unwrap_or_else(|e| panic!("{e}\n{text}"));
    }

    /// A line that can be taken by leaving out its `#`.
    fn offered(line: &str) -> Option<&str> {
        line.strip_prefix('#').filter(|rest| !rest.is_empty() && !rest.starts_with(' '))
    }

    #[test]
    fn a_plan_to_start_from_is_one_and_so_is_it_with_each_line_that_it_offers() {
        check(TEMPLATE);
        let lines: Vec<_> = TEMPLATE.lines().collect();
        let mut tried = 0;
        for (at, line) in lines.iter().enumerate() {
            assert!(line.len() <= 100, "{line}");
            let Some(key) = offered(line).filter(|line| !line.starts_with("[[")) else { continue };
            // A table that is offered too: with its head, and what says what it is.
            let block = lines[..at].iter().rposition(|line| line.contains("[[")).unwrap_or(0);
            let is_offered = |line: usize| {
                at == line
                    || lines[block].starts_with("#[[") && {
                        let is_kind =
                            lines[block + 1].split(" = ").next() != lines[at].split(" = ").next();
                        line == block || line == block + 1 && is_kind
                    }
            };
            let instead = key.split_once("in place of ").map(|(_, other)| other.trim());
            let text = lines.iter().enumerate().filter(|(_, line)| {
                instead.is_none_or(|other| !line.starts_with(&format!("{other} = ")))
            });
            let text = text.map(|(at, line)| match offered(line).filter(|_| is_offered(at)) {
                Some(taken) => taken,
                None => line,
            });
            check(&text.collect::<Vec<_>>().join("\n"));
            tried += 1;
        }
        assert!(tried >= 20, "{tried} lines");
    }

    #[test]
    fn it_names_every_key() {
        for key in KEYS {
            assert!(
                TEMPLATE.contains(&format!("{} = ", key.name)) || {
                    TEMPLATE.contains(&format!("[[{}]]", key.name))
                },
                "{}",
                key.path()
            );
        }
        assert!(TEMPLATE.contains(&format!("name = \"{TEMPLATE_NAME}\"")));
    }
}
