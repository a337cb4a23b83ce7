//! A directory of debugfs, sysfs or proc, as one text.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::IngestError;
use super::log::is_known_file;
use super::source::Source;

/// The deepest files below the directory: `debug/cma/AREA/ranges/N/bitmap` from `debug` on.
const DEEPEST: u32 = 6;

/// The most entries that are looked at: sysfs as a whole has tens of thousands.
const MOST_ENTRIES: u64 = 20_000;

/// The most bytes of one file, and of all.
const LONGEST_FILE: u64 = 1 << 24;
const LONGEST: usize = 1 << 26;

/// The files below `path` that [`log::open`](super::log::open) knows by their names, each below
/// a line `==> PATH <==`, in order of their paths. Links are left out: from 6.15 on, `bitmap` of an
/// area is one to its first range.
///
/// # Errors
/// Where the directory cannot be read, or holds none of them.
pub fn directory(path: &Path) -> Result<Source, IngestError> {
    let name = path.display().to_string();
    let fail = |why: &dyn Display| IngestError::of(&name, why);
    // `.` has no name, and the name of the directory may be that of the area.
    let whole = fs::canonicalize(path).map_err(|error| fail(&error))?;
    let mut entries = 0;
    let mut files = Vec::new();
    walk(&whole, DEEPEST, &mut entries, &mut files).map_err(|error| fail(&error))?;
    files.sort();
    let mut text = Vec::new();
    for file in &files {
        // What is read from sysfs may be refused: the other files still say something.
        let Ok(content) = read(file) else { continue };
        if text.len() + content.len() > LONGEST {
            return Err(fail(&format_args!("its files hold more than {LONGEST} bytes")));
        }
        text.extend_from_slice(title(&whole, file).as_bytes());
        text.extend_from_slice(&content);
        text.extend_from_slice(b"\n");
    }
    if text.is_empty() {
        let why = "no file of debugfs cma/ (bitmap, count, base_pfn, …) or sysfs mm/cma/ is in this \
                   directory; name a file, or a directory that holds some";
        return Err(fail(&why));
    }
    Ok(Source::bytes(&name, text))
}

/// `==> debugfs/vpu/count <==`: from the directory itself on, since an absolute path says nothing
/// about what was copied where.
fn title(whole: &Path, file: &Path) -> String {
    let shown = whole.parent().and_then(|above| file.strip_prefix(above).ok()).unwrap_or(file);
    format!("==> {} <==\n", shown.display())
}

fn walk(
    folder: &Path,
    depth: u32,
    entries: &mut u64,
    files: &mut Vec<PathBuf>,
) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        *entries += 1;
        if *entries > MOST_ENTRIES {
            return Ok(());
        }
        let entry = entry?;
        let kind = entry.file_type()?;
        let path = entry.path();
        if kind.is_dir() && depth > 0 {
            // One that may not be read is left out, as its files would be.
            let _ = walk(&path, depth - 1, entries, files);
        } else if kind.is_file() && entry.file_name().to_str().is_some_and(is_known_file) {
            files.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(LONGEST_FILE).read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::log::{self, DebugfsFile, Record};
    use super::*;

    fn records(path: &Path) -> Vec<Record> {
        let source = directory(path).unwrap();
        log::open(&source).unwrap().map(|found| found.unwrap().record).collect()
    }

    fn put(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn the_recorded_directory() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/recordings/6.12/debugfs");
        let found = records(&root);
        assert_eq!(found.len(), 12);
        let mut areas = BTreeSet::new();
        for record in &found {
            let Record::Debugfs { area, range: None, file } = record else { panic!("{record:?}") };
            let area = area.as_deref().unwrap();
            areas.insert(area);
            if let (DebugfsFile::Bitmap(words), "reserved") = (file, area) {
                assert_eq!(words.len(), 16_384 / 32);
                // `used` beside it says the same.
                assert_eq!(words.iter().map(|word| word.count_ones()).sum::<u32>(), 12_071);
            }
        }
        assert_eq!(areas, BTreeSet::from(["lab1", "reserved"]));
        // One area alone is named by its own directory.
        let found = records(&root.join("lab1"));
        assert_eq!(found.len(), 6);
        assert!(matches!(&found[0], Record::Debugfs { area: Some(area), .. } if &**area == "lab1"));
    }

    #[test]
    fn ranges_are_read_and_links_are_not() {
        let root = tempfile::tempdir().unwrap();
        let vpu = root.path().join("cma/vpu");
        put(&vpu, "ranges/0/base_pfn", "4096\n");
        put(&vpu, "ranges/0/bitmap", "1 0\n");
        put(&vpu, "count", "64\n");
        put(&vpu, "alloc", "");
        put(root.path(), "other/notes.txt", "count: 5\n");
        #[cfg(unix)]
        std::os::unix::fs::symlink("ranges/0/bitmap", vpu.join("bitmap")).unwrap();
        let found = records(root.path());
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(matches!(found[0], Record::Debugfs { range: None, .. }));
        assert!(matches!(found[1], Record::Debugfs { range: Some(0), .. }));
    }

    #[test]
    fn a_directory_without_any_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let error = directory(root.path()).unwrap_err().to_string();
        assert!(error.contains("no file of debugfs"), "{error}");
        assert!(directory(&root.path().join("none")).is_err());
    }
}
