//! The bitmap functions of a kernel's own C, of a tree that `KERNEL` names, as a program that runs
//! the same ops. It is compiled here and now and thrown away: nothing of the tree is ours to keep.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;
use std::{env, fs, io, process};

use super::Live;
use super::streams::Op;

/// What is taken out of `lib/bitmap.c`, whose other functions need half of a kernel.
const TAKEN: [&str; 3] = ["__bitmap_set", "__bitmap_clear", "bitmap_find_next_zero_area_off"];

/// Headers that the parts taken ask for: nothing is in them, `expects.h` has it all.
const EMPTY: [&str; 8] =
    ["bitmap", "bitops", "export", "kernel", "math", "minmax", "random", "swab"];

/// The tree and the compiler to use. `Err`: why there is nothing to compare with.
pub(crate) fn named() -> Result<(PathBuf, String), String> {
    let tree = env::var_os("KERNEL").filter(|tree| !tree.is_empty());
    let tree = PathBuf::from(tree.ok_or("KERNEL=/path/to/linux names no tree")?);
    let cc = env::var("CC").unwrap_or_else(|_| "cc".to_string());
    match Command::new(&cc).arg("--version").output() {
        Ok(_) => Ok((tree, cc)),
        Err(error) => Err(format!("there is no compiler {cc}: {error}")),
    }
}

/// The compiled program, in a folder that goes with it.
pub(crate) struct Kernel {
    folder: PathBuf,
    /// As the tree's Makefile says it, like `7.3.4`.
    pub(crate) version: String,
}

impl Kernel {
    /// Compiles the functions of `tree`.
    pub(crate) fn compiled(tree: &Path, cc: &str) -> Result<Self, String> {
        // Two runs at once do not meet, and the folder is one that cargo gives for this.
        let name = format!("free_map-{}", process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let kernel = Self { folder, version: version(tree)? };
        kernel.compile(cc, tree)?;
        Ok(kernel)
    }

    fn compile(&self, cc: &str, tree: &Path) -> Result<(), String> {
        let text = read(&tree.join("lib/bitmap.c"))?;
        let taken: Option<String> = TAKEN.iter().map(|name| function(&text, name)).collect();
        let taken = taken.ok_or("lib/bitmap.c has not the functions looked for")?;
        let wrote = self.write(&taken);
        wrote.map_err(|error| format!("failed to write to {}: {error}", self.folder.display()))?;
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/free_map/kernel");
        let find_h = tree.join("include/linux/find.h");
        let object = |name: &str| self.folder.join(name).with_extension("o");
        let compile = |source: &Path, name: &str, more: &[String]| {
            // What is not used of these files may call what is not there: it is not linked.
            let mut command = Command::new(cc);
            command.args(["-O2", "-std=gnu11", "-w", "-Wno-implicit-function-declaration"]);
            command.args(["-ffunction-sections", "-c"]).args(more);
            command.arg(source).arg("-o").arg(object(name));
            succeed(command)
        };
        let theirs = [
            "-include".to_string(),
            ours.join("expects.h").display().to_string(),
            format!("-DFIND_H=\"{}\"", find_h.display()),
            format!("-I{}", self.folder.display()),
        ];
        compile(&self.folder.join("bitmap.c"), "bitmap", &theirs)?;
        compile(&tree.join("lib/find_bit.c"), "find_bit", &theirs)?;
        compile(&ours.join("rounds.c"), "rounds", &[])?;
        let mut link = Command::new(cc);
        link.arg("-Wl,--gc-sections").args(["bitmap", "find_bit", "rounds"].map(object));
        link.arg("-o").arg(self.folder.join("rounds"));
        succeed(link)
    }

    fn write(&self, taken: &str) -> io::Result<()> {
        fs::create_dir_all(self.folder.join("linux"))?;
        for name in EMPTY {
            fs::write(self.folder.join(format!("linux/{name}.h")), "")?;
        }
        fs::write(self.folder.join("bitmap.c"), taken)
    }

    /// The program over `steady` on an area of `bits` that holds `live`, ready for its rounds.
    pub(crate) fn start(&self, bits: usize, live: &Live, steady: &[Op]) -> io::Result<Rounds> {
        let mut ids = live.clone();
        let places = steady.iter().map(|op| op.id() + 1).max().unwrap_or(0);
        ids.resize(places.max(ids.len()), None);
        let mut words = vec![bits, ids.len()];
        words
            .extend(ids.iter().flat_map(|own| own.map_or([0, 0], |(start, count)| [start, count])));
        words.push(steady.len());
        words.extend(steady.iter().flat_map(|&op| match op {
            Op::Alloc { id, count, mask } => [id, count, mask],
            Op::Free { id } => [id, 0, 0],
        }));
        let bytes: Vec<u8> = words.into_iter().flat_map(usize::to_ne_bytes).collect();
        let ops = self.folder.join("ops");
        fs::write(&ops, bytes)?;
        let mut program = Command::new(self.folder.join("rounds"));
        program.arg(ops).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = program.spawn()?;
        let missing = || io::Error::other("no pipe");
        let asks = child.stdin.take().ok_or_else(missing)?;
        let answers = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        Ok(Rounds { asks: Some(asks), answers, child })
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        // It lies in the target folder: a rest of it harms nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The running program. It ends with its standard input.
pub(crate) struct Rounds {
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    child: Child,
}

impl Rounds {
    /// The time of the steady part, if that is less than `best`, and what was granted in it, as
    /// for the other maps.
    pub(crate) fn time(&mut self, best: &mut Duration) -> io::Result<(u64, usize)> {
        let asks = self.asks.as_mut().ok_or_else(|| io::Error::other("it has ended"))?;
        asks.write_all(b"\n")?;
        asks.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let numbers: Result<Vec<u64>, _> = line.split_whitespace().map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[took, granted, places]) => {
                *best = Duration::from_nanos(took).min(*best);
                Ok((granted, places as usize))
            }
            _ => Err(io::Error::other(format!("the program said {line:?}"))),
        }
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        self.asks = None;
        let _: io::Result<ExitStatus> = self.child.wait();
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("failed to read {}: {error}", path.display()))
}

/// `7.3.4` from the first lines of a tree's Makefile.
fn version(tree: &Path) -> Result<String, String> {
    let text = read(&tree.join("Makefile"))?;
    let value = |name: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_prefix('='));
        found.unwrap_or_default().trim().to_string()
    };
    let numbers = ["VERSION", "PATCHLEVEL", "SUBLEVEL"].map(value).join(".");
    Ok(numbers + &value("EXTRAVERSION"))
}

/// The definition of function `name` in C as a kernel writes it: it begins in the first column
/// after an empty line or a comment, and ends at the first `}` in that column.
fn function(text: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let starts = |line: &str| line.starts_with(|first: char| first.is_ascii_alphabetic());
    let named = |line: &str| starts(line) && line.contains(&format!("{name}("));
    let first = lines.iter().position(|line| named(line) && !line.ends_with(';'))?;
    let end = first + lines[first..].iter().position(|line| *line == "}")?;
    Some(lines[first..=end].join("\n") + "\n")
}

fn succeed(mut command: Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("failed to run {command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
