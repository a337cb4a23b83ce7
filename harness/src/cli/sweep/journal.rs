//! The file that finished cells are appended to while a sweep runs.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::sweep::disk::{Head, look_through};
use crate::sweep::{Known, Ready, Shard};

/// An open file of finished cells. As long as it is open no other sweep writes there.
pub(super) struct Journal {
    pub(super) path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens the file at `path`, and says which cells it holds: none, unless `resume` asks for
    /// those that a stopped sweep left, and `warn` hears of those that are thrown away.
    pub(super) fn open(
        ready: &Ready,
        head: &Head,
        path: &Path,
        resume: bool,
        warn: &dyn Fn(&str),
    ) -> Result<(Self, Known), Failure> {
        let fail = |error: io::Error| at(path, &error);
        let file = lock(path)?;
        let mut journal = Self { path: path.to_path_buf(), file };
        let bytes = journal.file.metadata().map_err(fail)?.len();
        if bytes == 0 {
            journal.file.write_all(head.text().as_bytes()).map_err(fail)?;
            return Ok((journal, Known::of(&ready.plan)));
        }
        let mut reader = BufReader::new(&journal.file);
        let found = Head::read(&mut reader).map_err(fail)?;
        if let Some(other) = &found
            && same_sweep(other, head)
            && other.shard != head.shard
        {
            return Err(other_shard(path, other.shard));
        }
        if resume && found.as_ref() == Some(head) {
            let left = look_through(ready, &mut reader).map_err(fail)?;
            // What was torn is not to be joined to the next row.
            let whole = head.text().len() as u64 + left.bytes;
            journal.file.set_len(whole).map_err(fail)?;
            return Ok((journal, left.known));
        }
        // Stopped before its first line was written: nothing is lost.
        let torn = found.is_none() && is_start(&mut journal.file, head).map_err(fail)?;
        if resume && !torn {
            return Err(Failure::because(format_args!(
                "resume from {}: it is of another plan or version ({}); remove it or leave out \
                 --resume to begin anew, or take another --out",
                path.display(),
                what_differs(found.as_ref(), head)
            )));
        }
        if !torn {
            warn(&format!(
                "{}: the finished cells of a sweep that was stopped are thrown away; --resume \
                 goes on from them",
                path.display()
            ));
        }
        journal.file.set_len(0).map_err(fail)?;
        journal.file.write_all(head.text().as_bytes()).map_err(fail)?;
        Ok((journal, Known::of(&ready.plan)))
    }

    /// Where rows are appended.
    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    /// Takes the file away, once what was made of it is there.
    pub(super) fn remove(self) -> Result<(), Failure> {
        fs::remove_file(&self.path).map_err(|error| at(&self.path, &error))
    }
}

/// Whether the file holds nothing but a piece of the head's beginning.
fn is_start(file: &mut File, head: &Head) -> io::Result<bool> {
    let text = head.text();
    if file.metadata()?.len() > text.len() as u64 {
        return Ok(false);
    }
    file.rewind()?;
    Ok(text.starts_with(io::read_to_string(file)?.as_str()))
}

/// Why a file cannot be written.
pub(super) fn at(path: &Path, error: &io::Error) -> Failure {
    Failure::because(format_args!("write {}: {error}", path.display()))
}

/// Whether rows below both heads are of one plan and version.
pub(in crate::cli) fn same_sweep(one: &Head, two: &Head) -> bool {
    (one.plan, &one.version) == (two.plan, &two.version)
}

/// What is different in a file that is there, in the words of a message.
pub(super) fn what_differs(there: Option<&Head>, head: &Head) -> String {
    match there {
        None => "its head is none of this version".to_string(),
        Some(there) if there.version != head.version => {
            format!("made by cmalab {}, this is {}", there.version, head.version)
        }
        Some(there) if there.plan != head.plan => {
            "the plan was changed since, or a file that it names".to_string()
        }
        Some(there) if there.shard != head.shard => format!("shard {}", there.shard),
        Some(there) => format!("of a plan that came from {:?}, not {:?}", there.from, head.from),
    }
}

/// Whether a finished shard at `path`, with this head, may be written again: as the same one only.
pub(super) fn refuse_other(path: &Path, there: Option<&Head>, head: &Head) -> Result<(), Failure> {
    match there {
        Some(there) if same_sweep(there, head) && there.shard == head.shard => Ok(()),
        Some(there) if same_sweep(there, head) => Err(other_shard(path, there.shard)),
        there => Err(Failure::because(format_args!(
            "write {}: a finished shard of another sweep is there ({}); remove it, or take \
             another --out",
            path.display(),
            what_differs(there, head)
        ))),
    }
}

/// Why a shard is not written where another one is.
fn other_shard(path: &Path, other: Shard) -> Failure {
    Failure::because(format_args!(
        "write {}: shard {other} of this plan is there; give each shard a folder of its own",
        path.display()
    ))
}

/// Opens the file for this process alone. The lock ends with the process, however that ends.
pub(super) fn lock(path: &Path) -> Result<File, Failure> {
    loop {
        let file = File::options().read(true).append(true).create(true).open(path);
        let file = file.map_err(|error| at(path, &error))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::because(format_args!(
                    "write {}: another sweep is running there; wait for its end, or take another \
                     --out",
                    path.display()
                )));
            }
            // A file system without locks: then without.
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        // The sweep that had it may have ended in between and have taken the file away.
        let mine = file.metadata().map_err(|error| at(path, &error))?;
        let there = fs::metadata(path);
        if there.is_ok_and(|there| (there.dev(), there.ino()) == (mine.dev(), mine.ino())) {
            return Ok(file);
        }
    }
}
