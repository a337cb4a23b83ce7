#!/usr/bin/env bash
# Guess:     `io::Error::from(csv::Error)` of the Rust crate csv gives back the error of the writer below,
#            so that a program which ends in silence on `ErrorKind::BrokenPipe` (`… | head`) still does
#            so when its rows go through csv.
# Version:   csv 1.4.0.
# Behaviour: it is wrapped once more, with the kind `Other`: the check for `BrokenPipe` never holds, and
#            `program | head -1` ends with a message and exit status 1. Only `csv::Error::into_kind()`
#            gives the writer's own error with its kind.
# Seen:      the output below. Fails where that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "pipe"
version = "0.0.0"
edition = "2021"
[dependencies]
csv = "=1.4.0"
TOML
cat >src/main.rs <<'RS'
use std::io::{self, Write};

/// Nobody reads on.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn csv_error() -> csv::Error {
    let mut writer = csv::WriterBuilder::new().buffer_capacity(1).from_writer(Closed);
    (0..).find_map(|_| writer.write_record(["one", "two"]).err()).unwrap()
}

fn main() {
    println!("writer itself: {:?}", Closed.write(b"one").unwrap_err().kind());
    println!("io::Error::from: {:?}", io::Error::from(csv_error()).kind());
    match csv_error().into_kind() {
        csv::ErrorKind::Io(error) => println!("into_kind: {:?}", error.kind()),
        other => println!("into_kind: {other:?}"),
    }
}
RS
cargo run --quiet 2>/dev/null | tee seen.txt
diff seen.txt - <<'SEEN'
writer itself: BrokenPipe
io::Error::from: Other
into_kind: BrokenPipe
SEEN
