//! What the program is called that speaks: `cmalab`, or a stranger's that has its command line.
//!
//! Texts are written with `cmalab` in them; where one is shown that tells to run it, [`named`] says
//! by which name. It is a word of the process, set once before anything is said.

use std::borrow::Cow;
#[cfg(feature = "cli")]
use std::ffi::OsStr;
#[cfg(feature = "cli")]
use std::path::Path;
use std::sync::OnceLock;

/// What it is called unless somebody says otherwise.
pub(crate) const CMALAB: &str = "cmalab";

static NAME: OnceLock<String> = OnceLock::new();

/// How the program is called.
pub(crate) fn name() -> &'static str {
    NAME.get().map_or(CMALAB, String::as_str)
}

/// `text`, where it names a command of `cmalab`, with that of this program.
pub(crate) fn named(text: &str) -> Cow<'_, str> {
    called(text, name())
}

fn called<'t>(text: &'t str, name: &str) -> Cow<'t, str> {
    match name {
        CMALAB => Cow::Borrowed(text),
        name => Cow::Owned(text.replace("cmalab ", &format!("{name} "))),
    }
}

/// From now on it is called as the file that was run: `arg` is the first word of its command line.
/// The folder is left out, since that is of the machine.
#[cfg(feature = "cli")]
pub(crate) fn call(arg: Option<&OsStr>) {
    if let Some(name) = arg.and_then(file_name) {
        // A second command line in one process is of the same program.
        let _ = NAME.set(name);
    }
}

/// The name of a file without its folder, and without the `.exe` of some systems.
#[cfg(feature = "cli")]
fn file_name(arg: &OsStr) -> Option<String> {
    let name = Path::new(arg).file_name()?.to_str()?;
    let name = name.strip_suffix(".exe").unwrap_or(name);
    (!name.is_empty()).then(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_that_of_the_program() {
        let text = "`cmalab collect` prints a script; this is cmalab";
        assert_eq!(called(text, CMALAB), text);
        assert_eq!(called(text, "mine"), "`mine collect` prints a script; this is cmalab");
        // Nobody has called it otherwise here.
        assert_eq!((name(), named(text).as_ref()), (CMALAB, text));
    }

    #[cfg(feature = "cli")]
    #[test]
    fn a_name_is_that_of_the_file_and_says_nothing_of_the_machine() {
        let name = |arg: &str| file_name(OsStr::new(arg));
        assert_eq!(name("/home/me/bin/third-party").as_deref(), Some("third-party"));
        assert_eq!(name("target/debug/mine.exe").as_deref(), Some("mine"));
        assert_eq!(name("mine").as_deref(), Some("mine"));
        assert_eq!([name(""), name("/"), name(".."), name(".exe")], [None, None, None, None]);
    }
}
