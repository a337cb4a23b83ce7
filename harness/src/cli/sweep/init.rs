//! A plan to start from.

use std::path::{Path, PathBuf};

use crate::cli::context::{Context, is_standard};
use crate::cli::failure::{Exit, Failure};
use crate::ingest::quoted;
use crate::program::named;
use crate::sweep::{self, TEMPLATE, TEMPLATE_NAME};

/// How a file of a plan ends.
const ENDING: &str = ".toml";

/// Writes it: to a file that is named, or named after the plan; "-" is standard output. What is
/// there is left as it is.
pub(super) fn write(what: &str, context: &Context) -> Result<Exit, Failure> {
    let path = match Path::new(what) {
        out if is_standard(Some(out)) || what.ends_with(ENDING) => out.to_path_buf(),
        _ => PathBuf::from(format!("{what}{ENDING}")),
    };
    let name = match path.file_stem() {
        Some(stem) if !is_standard(Some(&path)) => stem.to_str().unwrap_or_default(),
        _ => TEMPLATE_NAME,
    };
    let text = TEMPLATE.replace(TEMPLATE_NAME, name);
    // What a plan of this name would be refused for is said before there is a file.
    if sweep::parse("", &text, &context.catalog).is_err() {
        return Err(Failure::because(format_args!(
            "write a plan named {}: a name has 1 to 64 letters, digits, '-', '_' and '.', and does not \
             begin with '.'; take another one, as in --init my-board",
            quoted(name)
        )));
    }
    if path.exists() {
        return Err(Failure::because(format_args!(
            "write {}: it is there already, and stays as it is; take another name, as in --init \
             {name}-2",
            path.display()
        )));
    }
    context.output(Some(&path), |out| Ok(out.write_all(text.as_bytes())?))?;
    if !is_standard(Some(&path)) {
        let path = super::quote(&path.display().to_string());
        context.say(&named(&format!("{path} is written; try: cmalab sweep {path} --dry-run")));
    }
    Ok(Exit::Good)
}
