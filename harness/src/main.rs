//! The command `cmalab`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cma_harness::cli::run()
}
