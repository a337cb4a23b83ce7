#!/usr/bin/env bash
# Guess:     a help text that clap is told to keep as it is written (`verbatim_doc_comment`) is kept by the page of
#            man that clap_mangen makes of it, the examples of a shell among it: what stands on a line of the help
#            can be copied from a line of the page.
# Version:   clap_mangen 0.3.3 with clap 4.6.9 and roff 1.1.1, groff 1.22.4 (Debian).
# Behaviour: its lines are put into the page as they are, but in no block that groff leaves alone. A line that is
#            longer than the page goes on below, from the left edge on, as one more line of shell, and what is left
#            is justified: blanks come into the middle of commands. In `--help` of the same program nothing moves.
# Seen:      the output below. Fails where that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cargo init -q --name tool tool
cargo add -q --manifest-path tool/Cargo.toml clap@=4.6.9 --features derive
cargo add -q --manifest-path tool/Cargo.toml clap_mangen@=0.3.3
cat >tool/src/main.rs <<'RUST'
use clap::{CommandFactory, Parser};

/// Moves things.
///
/// Examples:
///   tool --from here --to there --keep yes --quiet   # all of it, and nothing is said of what was moved
#[derive(Parser)]
#[command(name = "tool", verbatim_doc_comment)]
struct Tool {}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("man") {
        let man = clap_mangen::Man::new(Tool::command());
        man.render(&mut std::io::stdout()).unwrap();
    } else {
        Tool::parse();
    }
}
RUST
cargo build -q --manifest-path tool/Cargo.toml
{
    echo "help:"
    tool/target/debug/tool --help | grep -A 1 -- '--from'
    echo "man:"
    tool/target/debug/tool man | groff -man -Tascii -P-cbou -rLL=78n | grep -A 1 -- '--from'
} | sed 's/[[:blank:]]*$//' | tee seen.txt
diff - seen.txt <<'SEEN'
help:
  tool --from here --to there --keep yes --quiet   # all of it, and nothing is said of what was moved

man:
         tool  --from  here  --to  there --keep yes --quiet   # all of it, and
       nothing is said of what was moved
SEEN
echo "as described"
