//! The form that people write: `.dts`, compiled by the real `dtc`, and by `cpp` before it where a
//! line asks for that.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{Tree, places};
use crate::ingest::IngestError;

/// What to do without it.
const INSTALL: &str = "`apt install device-tree-compiler` installs it; or give the compiled tree \
                       (.dtb), or a copy of /proc/device-tree, which are read without it";

/// The same without `cpp`.
const INSTALL_CPP: &str = "`apt install cpp` installs it; or give the compiled tree (.dtb)";

/// Whether `dtc` can be run.
pub fn has_dtc() -> bool {
    let version = Command::new("dtc").arg("--version").stdin(Stdio::null()).output();
    version.is_ok_and(|output| output.status.success())
}

/// Whether a file is the source of a tree: by its name, or since it begins so.
pub(super) fn is_source(path: &Path, head: &[u8]) -> bool {
    let end = path.extension().and_then(|end| end.to_str());
    let named = end.is_some_and(|end| matches!(end, "dts" | "dtsi" | "dtso"));
    named || memchr::memmem::find(head, b"/dts-v1/").is_some()
}

impl Tree {
    /// Compiles a `.dts`, whose lines are known then.
    ///
    /// # Errors
    /// Where `dtc` (or `cpp`, where a line begins with `#include` or its like) is not installed,
    /// and what it says, with file and line.
    pub fn source(path: &Path) -> Result<Self, IngestError> {
        let shown = path.display().to_string();
        let fail = |why: String| IngestError::of(&shown, why);
        let text = fs::read(path).map_err(|error| fail(error.to_string()))?;
        let run = |options: &[&str]| compile(path, &text, options).map_err(fail);
        let blob = run(&["-O", "dtb", "-@"])?;
        let mut tree = Self::flat(&shown, &blob)?;
        // `-T` is of dtc 1.5; without it the lines are not known, and nothing else.
        if let Ok(annotated) = run(&["-O", "dts", "-T"]) {
            // It leaves out what the names of all files begin with.
            let folder = path.parent().unwrap_or(Path::new(""));
            let full = |file: &str| match folder.join(file) {
                path if path.is_file() => path.display().to_string(),
                _ => file.to_string(),
            };
            places::place(&mut tree, &String::from_utf8_lossy(&annotated), full);
        }
        Ok(tree)
    }
}

/// Whether `cpp` must see it first.
fn is_preprocessed(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 6] = [b"include", b"define", b"if", b"ifdef", b"ifndef", b"undef"];
    text.split(|byte| *byte == b'\n').any(|line| {
        let Some(rest) = line.trim_ascii_start().strip_prefix(b"#") else { return false };
        let rest = rest.trim_ascii_start();
        let end = rest.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(rest.len());
        // `#address-cells = <1>;` is a property.
        WORDS.contains(&&rest[..end]) && rest.get(end).is_none_or(u8::is_ascii_whitespace)
    })
}

/// The folder of a file, which never begins with a dash.
fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder.is_absolute() => folder.to_path_buf(),
        folder => Path::new(".").join(folder.unwrap_or(Path::new(""))),
    }
}

fn compile(path: &Path, text: &[u8], options: &[&str]) -> Result<Vec<u8>, String> {
    let folder = folder(path);
    let mut dtc = Command::new("dtc");
    dtc.args(["-q", "-I", "dts"]).args(options).arg("-i").arg(&folder);
    // What is written to a pipe of its own cannot wait for what reads another one.
    dtc.stdout(Stdio::piped()).stderr(Stdio::piped());
    if !is_preprocessed(text) {
        // A name that begins with a dash is none of an option.
        let path = folder.join(path.file_name().unwrap_or_default());
        return output("dtc", dtc.arg(path).stdin(Stdio::null()).output(), INSTALL);
    }
    let mut cpp = preprocessor(&folder);
    cpp.arg(folder.join(path.file_name().unwrap_or_default())).stdin(Stdio::null());
    // The first time for what it says, the second time for `dtc`, which reads what it writes.
    output("cpp", cpp.output(), INSTALL_CPP)?;
    let mut running = cpp.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let input = running.as_mut().map(|cpp| cpp.stdout.take());
    let input = input.map_err(|error| format!("cpp: {error}"))?;
    let input = input.map_or_else(Stdio::null, Stdio::from);
    let compiled = output("dtc", dtc.arg("-").stdin(input).output(), INSTALL);
    // It has written all, or nobody reads it any more.
    let _ = running.map(|mut cpp| cpp.wait());
    compiled
}

fn preprocessor(folder: &Path) -> Command {
    let mut cpp = Command::new("cpp");
    cpp.args(["-nostdinc", "-undef", "-x", "assembler-with-cpp", "-I"]).arg(folder);
    // A kernel's own tree has its bindings so many folders above a board.
    for above in folder.ancestors().take(8).map(|above| above.join("include")) {
        if above.join("dt-bindings").is_dir() {
            cpp.arg("-I").arg(above);
        }
    }
    cpp
}

/// A compiled text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compiled {
    /// The tree, flattened.
    pub blob: Vec<u8>,
    /// What `dtc` warns of, without the lines: `(clocks_property): /pl061@9030000:clocks: …`.
    pub warnings: Vec<String>,
}

impl Compiled {
    /// Compiles a text as a `.dts` in `folder`, by `cpp` before `dtc` where a line asks for that.
    ///
    /// # Errors
    /// As [`Tree::source`].
    pub fn of(folder_of: &Path, text: &str) -> Result<Self, String> {
        let folder = folder(folder_of);
        let mut text = text.as_bytes().to_vec();
        if is_preprocessed(&text) {
            let done = fed(preprocessor(&folder).arg("-"), &text);
            text = output("cpp", done, INSTALL_CPP)?;
        }
        let mut dtc = Command::new("dtc");
        dtc.args(["-I", "dts", "-O", "dtb", "-@", "-i"]).arg(&folder).arg("-");
        let done = fed(&mut dtc, &text);
        let said = done.as_ref().map(|done| String::from_utf8_lossy(&done.stderr).into_owned());
        let said = said.unwrap_or_default();
        let warnings = said.lines().filter_map(|line| line.split_once(": Warning "));
        let warnings = warnings.map(|(_, warning)| warning.to_string()).collect();
        Ok(Self { blob: output("dtc", done, INSTALL)?, warnings })
    }
}

impl Tree {
    /// The source that this was compiled of, and its path: none where it is none, or not there any
    /// more.
    pub fn text(&self) -> Option<(PathBuf, String)> {
        let path = PathBuf::from(&*self.source);
        let text = fs::read(&path).ok().filter(|text| is_source(&path, text))?;
        Some((path, String::from_utf8_lossy(&text).into_owned()))
    }
}

/// Runs a tool that reads `text` from its standard input.
fn fed(tool: &mut Command, text: &[u8]) -> io::Result<Output> {
    tool.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = tool.spawn()?;
    let input = running.stdin.take();
    // It writes while it reads: what is written to it waits for what reads it.
    std::thread::scope(|scope| {
        // A tool that ends before it has read all says why itself.
        scope.spawn(|| input.map(|mut input| input.write_all(text)));
        running.wait_with_output()
    })
}

/// What a tool wrote, or what it says.
fn output(name: &str, done: io::Result<Output>, install: &str) -> Result<Vec<u8>, String> {
    let done = done.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            format!("a source is read by `{name}`, which is not installed; {install}")
        }
        _ => format!("`{name}` cannot be run ({error}); {install}"),
    })?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let lines = said.lines().filter(|line| !line.contains("FATAL ERROR") && !line.is_empty());
    let said = lines.take(4).map(|line| line.trim_start_matches("Error: "));
    Err(format!("{name} says: {}", said.collect::<Vec<_>>().join("; ")))
}
