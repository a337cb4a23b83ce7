//! `cmalab` in a folder with a stream or two.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

const ROWS: &str = "at_us,op,id,count,align,client,area\n\
                    0,alloc,1,257,dma,vpu,\n\
                    1,alloc,2,257,dma,vpu,\n\
                    2,free,1,,,vpu,\n";

/// The folder: `s.csv` has pages of 4 KiB, `s16.csv` of 16 KiB.
pub(crate) struct Bench(TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("s.csv"), ROWS).unwrap();
        fs::write(folder.path().join("s16.csv"), format!("# page_kib=16\n{ROWS}")).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn run(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
        let output = command.args(args).current_dir(self.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Its output, where it ends well.
    pub(crate) fn good(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
        out
    }

    /// Its message, where it could not be done.
    pub(crate) fn bad(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        err
    }
}
