//! The shards in the folders that `merge` is given, and those that are not there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use super::{cannot_read, differ};
use crate::cli::failure::Failure;
use crate::cli::sweep::folder::SHARD;
use crate::sweep::disk::Head;

/// A finished shard.
pub(super) struct Part {
    pub(super) folder: PathBuf,
    pub(super) head: Head,
}

impl Part {
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(SHARD)
    }
}

/// A shard that somebody has begun.
struct Begun {
    folder: PathBuf,
    /// None where it was stopped before its first lines, or another version began it.
    head: Option<Head>,
}

/// What there is.
#[derive(Default)]
pub(super) struct Found {
    pub(super) parts: Vec<Part>,
    begun: Vec<Begun>,
}

impl Found {
    /// Looks into `paths`: each is the folder of a shard, or holds such folders.
    pub(super) fn look(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut found = Self::default();
        for path in paths {
            if found.take(path)? {
                continue;
            }
            let entries = fs::read_dir(path).map_err(|error| cannot_read(path, &error))?;
            let inner = entries.map(|entry| entry.map(|entry| entry.path()));
            let inner = inner.collect::<io::Result<_>>();
            let mut inner: Vec<PathBuf> = inner.map_err(|error| cannot_read(path, &error))?;
            // The order of a folder is any order.
            inner.sort();
            let mut any = false;
            for folder in inner.into_iter().filter(|inner| inner.is_dir()) {
                any |= found.take(&folder)?;
            }
            if !any {
                return Err(Failure::because(format_args!(
                    "merge {}: there is no {SHARD} in it; a sweep with --shard writes one",
                    path.display()
                )));
            }
        }
        Ok(found)
    }

    /// Takes the shard in `folder`; whether there is one.
    fn take(&mut self, folder: &Path) -> Result<bool, Failure> {
        let head = |path: &Path| -> Result<Option<Head>, Failure> {
            let fail = |error: io::Error| cannot_read(path, &error);
            Head::read(&mut BufReader::new(File::open(path).map_err(fail)?)).map_err(fail)
        };
        let folder = folder.to_path_buf();
        let path = folder.join(SHARD);
        let partial = folder.join(format!("{SHARD}.partial"));
        if path.is_file() {
            let Some(head) = head(&path)? else {
                return Err(Failure::because(format_args!(
                    "merge {}: its first lines are not those of a shard of this version; run that \
                     shard again",
                    path.display()
                )));
            };
            self.parts.push(Part { folder, head });
        } else if partial.is_file() {
            let head = head(&partial)?;
            self.begun.push(Begun { folder, head });
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Leaves only the shards that together are a whole, and says what was left out.
    ///
    /// A sweep that was parted in 3, and later in 4, may have left all of both: whichever is whole
    /// will do, since they are of one plan.
    pub(super) fn choose(&mut self) -> Result<Option<String>, Failure> {
        let mut there = BTreeMap::<u64, BTreeSet<u64>>::new();
        for part in &self.parts {
            there.entry(part.head.shard.of()).or_default().insert(part.head.shard.index());
        }
        let whole = there.iter().find(|(of, indices)| indices.len() as u64 == **of);
        let Some((&of, _)) = whole else { return Err(self.missing(&there)) };
        self.parts.retain(|part| part.head.shard.of() == of);
        let others = there.iter().filter(|(other, _)| **other != of);
        let others = others.map(|(other, indices)| format!("{} of {other}", shards(indices)));
        let others: Vec<_> = others.collect();
        Ok((!others.is_empty()).then(|| {
            format!("all {of} shards of {of} are there; left out: {}", others.join(" and "))
        }))
    }

    /// Says which shards are missing, and how one that was begun is finished.
    fn missing(&self, there: &BTreeMap<u64, BTreeSet<u64>>) -> Failure {
        let mut there = there.clone();
        // One that is of another plan says nothing of how this one was parted.
        let like = self.parts.first().map(|part| &part.head);
        let alike = |head: &&Head| like.is_none_or(|like| differ::same_sweep(like, head));
        for head in self.begun.iter().filter_map(|begun| begun.head.as_ref()).filter(alike) {
            there.entry(head.shard.of()).or_default();
        }
        let of_each: Vec<_> = there
            .iter()
            .map(|(of, indices)| {
                let missing = (1..=*of).filter(|index| !indices.contains(index)).collect();
                let are = if *of == indices.len() as u64 + 1 { "is" } else { "are" };
                format!("{} of {of} {are} missing", shards(&missing))
            })
            .collect();
        let mut said = of_each;
        if there.len() > 1 {
            said.push("the sweep was parted in several ways, and of none is all there".into());
        }
        let begun = self.begun.iter().map(|begun| begun.say(like));
        let begun: Vec<_> = begun.collect();
        if let Some((first, others)) = begun.split_first() {
            let more = match others.len() {
                0 => String::new(),
                others => format!(", and so for {others} more"),
            };
            said.push(format!("{first}{more}"));
        }
        Failure::because(format_args!("merge: {}", said.join("; ")))
    }
}

impl Begun {
    /// How it is finished, where the others are of the sweep `like`.
    fn say(&self, like: Option<&Head>) -> String {
        let folder = self.folder.display();
        match &self.head {
            None => format!(
                "{folder} has no first lines of this version: remove it and run its shard again"
            ),
            Some(head) if like.is_some_and(|like| !differ::same_sweep(like, head)) => format!(
                "{folder} holds what was begun of another plan or version: remove it, and run \
                 shard {} again",
                head.shard
            ),
            Some(head) => format!(
                "{folder} is not finished: the same sweep with --shard {} --out {folder} --resume \
                 goes on",
                head.shard
            ),
        }
    }
}

/// The most ranges that a message lists.
const MOST_RANGES: usize = 20;

/// Numbers as ranges, with the word: "shards 3-7, 12".
fn shards(indices: &BTreeSet<u64>) -> String {
    let mut ranges = Vec::<(u64, u64)>::new();
    for index in indices {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => ranges.push((*index, *index)),
        }
    }
    let text = |(first, last): &(u64, u64)| match last - first {
        0 => format!("{first}"),
        _ => format!("{first}-{last}"),
    };
    let listed: Vec<_> = ranges.iter().take(MOST_RANGES).map(text).collect();
    let word = if indices.len() == 1 { "shard" } else { "shards" };
    let more: u64 = ranges.iter().skip(MOST_RANGES).map(|(first, last)| last - first + 1).sum();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{word} {}{more}", listed.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_listed_as_ranges() {
        let text = |numbers: &[u64]| shards(&numbers.iter().copied().collect());
        assert_eq!(text(&[2]), "shard 2");
        assert_eq!(text(&[1, 2]), "shards 1-2");
        assert_eq!(text(&[3, 4, 5, 6, 7, 12]), "shards 3-7, 12");
        assert_eq!(text(&[1, 3, 5, 6]), "shards 1, 3, 5-6");
        let odd: Vec<_> = (0..50).map(|number| 2 * number + 1).collect();
        assert!(text(&odd).ends_with(", 37, 39 and 30 more"), "{}", text(&odd));
    }
}
