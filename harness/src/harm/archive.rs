//! Champions: the worst case known for each goal, a file each. A fuzzer's corpus loses some of
//! them when it is merged.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cma_policies::Catalog;

use super::evaluate::{evaluate, plain};
use super::field::Refusal;
use super::goal::Goal;
use crate::codec::{Act, Case};
use crate::words::csv;

/// What the file of a champion ends with: the bytes of a case.
const SUFFIX: &str = ".case";

/// The list of what is there, for people and scripts.
pub const INDEX: &str = "index.csv";

/// A folder of champions.
#[derive(Debug)]
pub struct Archive {
    pub(crate) folder: PathBuf,
    catalog: Catalog,
    /// M of each champion by goal, as far as it has been asked for.
    known: BTreeMap<String, u64>,
}

/// The worst case known for a goal.
#[derive(Clone, Debug)]
pub struct Champion {
    /// What it attacks.
    pub goal: Goal,
    /// The case: its acts and LOAD limit count, the rest is the goal's.
    pub case: Case,
    /// What it does, on this code.
    pub refusal: Refusal,
}

/// Name of the file for `goal`: without colons, which some file systems do not take, and commas,
/// which lists of files do not.
pub fn file_name(goal: &Goal) -> String {
    goal.to_string().replace(':', "+").replace(',', "__") + SUFFIX
}

/// The goal of a file of this name.
pub(crate) fn goal_of(name: &str, catalog: &Catalog) -> Option<Goal> {
    Goal::parse(&name.strip_suffix(SUFFIX)?.replace('+', ":").replace("__", ","), catalog).ok()
}

impl Archive {
    /// The champions in `folder`, which need not be there yet.
    pub fn new(folder: &Path, catalog: Catalog) -> Self {
        Self { folder: folder.to_path_buf(), catalog, known: BTreeMap::new() }
    }

    /// Reads the bytes at `path` as a case for `goal`; nothing where it makes no refusal.
    fn read(path: &Path, goal: &Goal) -> Option<Champion> {
        Self::decode(&fs::read(path).ok()?, goal)
    }

    fn decode(bytes: &[u8], goal: &Goal) -> Option<Champion> {
        let case = Case::decode(bytes);
        let refusal = evaluate(goal, &case.acts, case.most_live()).refusal?;
        Some(Champion { goal: goal.clone(), case, refusal })
    }

    /// The champion for `goal`, where there is one.
    pub fn champion(&self, goal: &Goal) -> Option<Champion> {
        Self::read(&self.folder.join(file_name(goal)), goal)
    }

    /// Every champion, by the name of its file.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn all(&self) -> io::Result<Vec<Champion>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            paths.push(entry?.path());
        }
        paths.sort();
        let read = |path: &PathBuf| {
            let goal = goal_of(path.file_name()?.to_str()?, &self.catalog)?;
            Self::read(path, &goal)
        };
        Ok(paths.iter().filter_map(read).collect())
    }

    /// Keeps acts that do this to the policy of `goal` where nothing does worse to it so far.
    /// Whether they were kept.
    ///
    /// # Errors
    /// Where the folder cannot be written. What was there stays as it was.
    pub(crate) fn offer(
        &mut self,
        goal: &Goal,
        acts: &[Act],
        load_limit: u16,
        refusal: &Refusal,
    ) -> io::Result<bool> {
        let name = file_name(goal);
        if self.known.get(&name).is_some_and(|known| refusal.need >= *known) {
            return Ok(false);
        }
        let bytes =
            Case { acts: plain(goal, acts), load_limit, ..goal.case(&self.catalog) }.encode();
        // What is written counts. Others may have kept something worse here since, and in a large
        // area no byte says some of the counts.
        let need = |champion: Option<Champion>| champion.map_or(u64::MAX, |it| it.refusal.need);
        let (known, offered) = (need(self.champion(goal)), need(Self::decode(&bytes, goal)));
        self.known.insert(name.clone(), known.min(offered));
        if offered >= known || offered >= goal.pages {
            return Ok(false);
        }
        fs::create_dir_all(&self.folder)?;
        replace(&self.folder.join(name), &bytes)?;
        let index = index(&self.all()?);
        replace(&self.folder.join(INDEX), index.as_bytes())?;
        Ok(true)
    }
}

/// Writes a file that appears whole or not at all, whoever else writes it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = PathBuf::from(partial);
    let mut file = fs::File::create(&partial)?;
    file.write_all(bytes).and_then(|()| fs::rename(&partial, path)).inspect_err(|_| {
        // The message that matters is the first one.
        let _ = fs::remove_file(&partial);
    })
}

/// The list of `champions` as CSV.
pub fn index(champions: &[Champion]) -> String {
    let columns = "policy,pages,largest,align,load_pages,harm,count,free_pages,ops,cause";
    let row = |Champion { goal, refusal, .. }: &Champion| {
        let Goal { policy, pages, largest, align, .. } = goal;
        let Refusal { need, count, op, free, cause, .. } = refusal;
        let harm = format!("{:.4}", goal.harm(*need));
        let numbers = [pages, largest, need, count, free, op].map(u64::to_string);
        let [pages, largest, need, count, free, op] = numbers;
        let (policy, align) = (policy.to_string(), align.to_string());
        [policy, pages, largest, align, need, harm, count, free, op, cause.to_string()]
    };
    let mut text = Vec::new();
    csv::table(&mut text, columns, champions.iter().map(row)).expect("memory takes all");
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cma_policies::{Request, builtin};

    fn acts(half: bool) -> Vec<Act> {
        let fill = |count| Act::Fill { request: Request::new(count, 0).unwrap(), times: u16::MAX };
        let stride = if half { 2 } else { 5 };
        vec![fill(1), Act::FreeEvery { stride, phase: 0, class: None }, fill(2)]
    }

    #[test]
    fn in_a_large_area_too_what_is_kept_does_what_was_offered() {
        let folder = tempfile::tempdir().unwrap();
        let goal = Goal::parse("kernel,8192", &builtin::catalog()).unwrap();
        let fill = |count| Act::Fill { request: Request::new(count, 0).unwrap(), times: u16::MAX };
        let comb = Act::FreeEvery { stride: 2, phase: 0, class: None };
        let acts = [fill(1), comb, fill(1024)];
        let refusal = evaluate(&goal, &acts, 7000).refusal.unwrap();
        let mut archive = Archive::new(folder.path(), builtin::catalog());
        assert!(archive.offer(&goal, &acts, 7000, &refusal).unwrap());
        let champion = archive.champion(&goal).unwrap();
        assert_eq!((champion.refusal, champion.refusal.count), (refusal, 1024));
    }

    #[test]
    fn what_others_have_kept_since_stays_where_it_is_worse() {
        let folder = tempfile::tempdir().unwrap();
        let goal = Goal::parse("kernel,16,2", &builtin::catalog()).unwrap();
        let offer = |archive: &mut Archive, half, limit| {
            let acts = acts(half);
            let refusal = evaluate(&goal, &acts, limit).refusal.unwrap();
            archive.offer(&goal, &acts, limit as u16, &refusal).unwrap()
        };
        let [mut one, mut other] = [0; 2].map(|_| Archive::new(folder.path(), builtin::catalog()));
        assert!(offer(&mut one, false, 15) && offer(&mut other, true, 12));
        assert!(!offer(&mut one, true, 13), "12 pages are known by now");
    }

    #[test]
    fn only_what_is_worse_is_kept_and_survives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("champions");
        let goal = Goal::parse("kernel:row=android,16,2", &builtin::catalog()).unwrap();
        let offer = |half, limit| {
            let acts = acts(half);
            let refusal = evaluate(&goal, &acts, limit).refusal.unwrap();
            let mut archive = Archive::new(&path, builtin::catalog());
            archive.offer(&goal, &acts, limit as u16, &refusal).unwrap()
        };
        assert!(offer(false, 15));
        assert!(offer(true, 12));
        assert!(!offer(false, 15), "harm 1/16 after harm 4/16");
        let archive = Archive::new(&path, builtin::catalog());
        let [champion] = &archive.all().unwrap()[..] else { panic!("one champion") };
        assert_eq!(champion.case.acts, acts(true));
        assert_eq!((champion.refusal.need, champion.case.load_limit), (12, 12));
        assert_eq!(champion.goal.to_string(), goal.to_string());
        let index = fs::read_to_string(path.join(INDEX)).unwrap();
        assert_eq!(
            index.lines().nth(1),
            Some("kernel:row=android,16,2,none,12,0.2500,2,6,20,fragmentation")
        );
        let mut names: Vec<_> =
            fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(
            names,
            [INDEX, "kernel+row=android__16__2__none.case"],
            "nothing partial is left"
        );
    }
}
