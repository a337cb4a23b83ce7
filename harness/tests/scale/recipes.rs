//! The recipes for other engines, run as far as one machine can: those for GNU parallel and
//! HyperQueue, and what the tests of all of them share.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use super::{Bench, PLAN};

/// A plan in a folder whose name a shell would take apart.
pub(super) const FOLDER: &str = "it's a $HOME \"plan\"";

/// A bench with `p.toml` in [`FOLDER`] too.
pub(super) fn bench() -> Bench {
    let bench = Bench::new(PLAN);
    fs::create_dir(bench.path(FOLDER)).unwrap();
    fs::copy(bench.path("p.toml"), bench.path(FOLDER).join("my plan.toml")).unwrap();
    fs::create_dir(bench.path("bin")).unwrap();
    bench
}

/// The text of a recipe.
pub(super) fn recipe(bench: &Bench, engine: &str, options: &[&str]) -> String {
    let plan = format!("{FOLDER}/my plan.toml");
    let out = format!("{FOLDER}/the report");
    let args = ["sweep", &plan, "--out", &out, "--recipe", engine, "--shards", "3"];
    String::from_utf8(bench.good(&[&args[..], options].concat()).stdout).unwrap()
}

/// Nothing else is in the report than what one run leaves.
pub(super) fn check(bench: &Bench) {
    let expected = bench.whole("whole");
    bench.same(&format!("{FOLDER}/the report"), &expected);
}

/// A program in the bench's `bin`, which is first in the PATH of [`script`].
pub(super) fn program(bench: &Bench, name: &str, text: &str) {
    let path = bench.path("bin").join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A `cmalab` that is not in the PATH, and whose shard 2 of 3 fails as long as the file `broken`
/// holds at least one line; each time it takes one.
pub(super) fn failing(bench: &Bench) -> String {
    let text = format!(
        "#!/bin/sh\ncase \" $* \" in *' --shard 2/3 '*)\n    if [ -s broken ]; then\n        \
         sed -i 1d broken\n        exit 3\n    fi ;;\nesac\nexec '{}' \"$@\"\n",
        env!("CARGO_BIN_EXE_cmalab")
    );
    program(bench, "failing", &text);
    bench.path("bin/failing").to_str().unwrap().to_string()
}

/// A script, run with a `cmalab` that is not in the PATH.
pub(super) fn script(bench: &Bench, words: &[&str], environment: &[(&str, &str)]) -> Output {
    let path = format!("{}:{}", bench.path("bin").display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(bench.path("")).env("PATH", path);
    for name in ["SLURM_ARRAY_TASK_ID", "TASKS", "HOSTS", "HQ_TASK_ID", "PARALLEL"] {
        command.env_remove(name);
    }
    command.env("CMALAB", env!("CARGO_BIN_EXE_cmalab")).envs(environment.iter().copied());
    command.output().unwrap()
}

pub(super) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a script that has to end well.
pub(super) fn good(bench: &Bench, words: &[&str], environment: &[(&str, &str)]) {
    let output = script(bench, words, environment);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {}", stderr(&output));
}

/// Runs a script that cannot do it, and gives what it says.
pub(super) fn bad(bench: &Bench, words: &[&str], environment: &[(&str, &str)]) -> String {
    let output = script(bench, words, environment);
    assert_ne!(output.status.code(), Some(0), "{words:?}: {}", stderr(&output));
    stderr(&output)
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn gnu_parallel_makes_the_report() {
    if !is_installed("parallel") {
        println!("skipped: GNU parallel is not installed");
        return;
    }
    let bench = bench();
    fs::write(bench.path("run it.sh"), recipe(&bench, "parallel", &[])).unwrap();
    let run = ["sh", "run it.sh"];
    let failing = failing(&bench);
    let failing = [("CMALAB", failing.as_str())];
    // Three times is once too often; twice is not.
    fs::write(bench.path("broken"), "x\nx\nx\n").unwrap();
    let message = bad(&bench, &run, &failing);
    assert!(message.contains("parallel: This job failed"), "{message}");
    assert!(!bench.path(FOLDER).join("the report").exists());
    fs::write(bench.path("broken"), "x\nx\n").unwrap();
    good(&bench, &run, &failing);
    check(&bench);
    // Again: everything is finished already.
    let shard = bench.path(FOLDER).join("the report-shards/2-of-3/shard.csv");
    let before = fs::metadata(&shard).unwrap().modified().unwrap();
    good(&bench, &run, &[]);
    assert_eq!(fs::metadata(&shard).unwrap().modified().unwrap(), before);
    check(&bench);
}

/// Stands in for `ssh`: another machine is another folder. HOME and SHELL are what sshd sets whatever
/// the session has (`session.c`): GNU parallel runs its jobs there with that SHELL.
const SSH: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in -l) shift 2 ;; -*) shift ;; *) break ;; esac
done
shift
[ "$1" != -- ] || shift
cd "$FAR" && HOME=$FAR SHELL=/bin/sh exec sh -c "$*"
"#;

#[test]
fn gnu_parallel_needs_no_file_system_in_common() {
    if !is_installed("parallel") || !is_installed("rsync") {
        println!("skipped: GNU parallel or rsync is not installed");
        return;
    }
    // A plan that reads a file, in folders with names as people have them.
    let bench = Bench::new(PLAN);
    fs::create_dir_all(bench.path("bin")).unwrap();
    fs::create_dir_all(bench.path("far")).unwrap();
    fs::create_dir_all(bench.path("my plans")).unwrap();
    let stream = "at_us,op,id,count,align,client,area\n0,alloc,1,100,dma,,\n1,free,1,,,,\n";
    fs::write(bench.path("my plans/s.csv"), stream).unwrap();
    let plan = format!("{PLAN}[[streams]]\nfile = \"my plans/s.csv\"\n");
    fs::write(bench.path("my plans/p.toml"), plan).unwrap();
    program(&bench, "far-ssh", SSH);
    let hosts = format!("{} other\n", bench.path("bin/far-ssh").display());
    fs::write(bench.path("hosts"), hosts).unwrap();

    let args = ["sweep", "my plans/p.toml", "--out", "o", "--recipe", "parallel", "--shards", "3"];
    let text = bench.good(&args).stdout;
    fs::write(bench.path("run.sh"), text).unwrap();
    let far = bench.path("far");
    let environment = [("HOSTS", "hosts"), ("FAR", far.to_str().unwrap())];
    good(&bench, &["sh", "run.sh"], &environment);
    bench.good(&["sweep", "my plans/p.toml", "--out", "whole", "--jobs", "1", "--quiet"]);
    bench.same("o", &super::files(&bench.path("whole")));
    // All that was sent is taken away again.
    assert!(super::files(&far).is_empty(), "{:?}", super::files(&far).keys());
    // What was fetched is not run again.
    fs::remove_dir_all(bench.path("o-shards/2-of-3")).unwrap();
    fs::remove_dir_all(bench.path("o")).unwrap();
    let before = fs::metadata(bench.path("o-shards/1-of-3/shard.csv")).unwrap().modified().unwrap();
    good(&bench, &["sh", "run.sh"], &environment);
    bench.same("o", &super::files(&bench.path("whole")));
    let after = fs::metadata(bench.path("o-shards/1-of-3/shard.csv")).unwrap().modified().unwrap();
    assert_eq!(after, before);
}

/// Stands in for `hq`, of which no registry has the binary: runs the tasks one after the other.
const HQ: &str = r#"#!/bin/sh
[ "$1" = submit ] || exit 9
code=0 array='' wait=''
while [ "$1" != -- ]; do
    case $1 in --array) array=$2 ;; --wait) wait=1 ;; esac
    shift
done
shift
[ -n "$wait" ] || exit 9
for task in $(seq "${array%-*}" "${array#*-}"); do
    HQ_TASK_ID=$task "$@" || code=1
done
exit $code
"#;

#[test]
fn hyperqueue_makes_the_report() {
    let bench = bench();
    program(&bench, "hq", HQ);
    fs::write(bench.path("run it.sh"), recipe(&bench, "hyperqueue", &[])).unwrap();
    let failing = failing(&bench);
    fs::write(bench.path("broken"), "x\n").unwrap();
    let message = bad(&bench, &["sh", "run it.sh"], &[("CMALAB", &failing)]);
    assert!(message.contains("not all shards ended well"), "{message}");
    assert!(message.contains("failed to merge: shard 2 of 3 is missing"), "{message}");
    good(&bench, &["sh", "run it.sh"], &[("CMALAB", &failing)]);
    check(&bench);
}

#[test]
fn a_cmalab_that_is_not_there_is_named_before_anything_is_sent() {
    let bench = bench();
    for engine in ["sbatch", "hq", "parallel"] {
        program(&bench, engine, "#!/bin/sh\n>called\n");
    }
    for (engine, shell) in [("parallel", "sh"), ("slurm", "bash"), ("hyperqueue", "sh")] {
        fs::write(bench.path("r"), recipe(&bench, engine, &[])).unwrap();
        let message = bad(&bench, &[shell, "r"], &[("CMALAB", "/nowhere/cmalab")]);
        assert!(message.starts_with("/nowhere/cmalab is not in the PATH"), "{engine}: {message}");
        assert!(message.contains("CMALAB=/path/to/cmalab"), "{engine}: {message}");
        assert!(!bench.path("called").exists(), "{engine}");
    }
}

#[test]
fn options_of_the_sweep_are_those_of_its_shards_and_of_what_is_merged() {
    let bench = bench();
    for engine in ["parallel", "slurm", "kubernetes", "hyperqueue"] {
        let text = recipe(&bench, engine, &["--seed", "7", "--thorough"]);
        assert!(text.contains(" --seed 7 --thorough --shard "), "{text}");
        assert!(text.contains("my plan.toml' --seed 7 --thorough"), "{text}");
        let built_in = ["sweep", "--recipe", engine, "--shards", "3"];
        let built_in = String::from_utf8(bench.good(&built_in).stdout).unwrap();
        assert!(built_in.contains(" sweep --shard "), "{built_in}");
        assert!(built_in.contains(" merge reports/default-shards -- sweep"), "{built_in}");
    }
}

#[test]
fn a_recipe_goes_through_the_shell_that_it_is_for() {
    let bench = bench();
    for (engine, shell) in [("parallel", "sh"), ("slurm", "bash"), ("hyperqueue", "sh")] {
        let text = recipe(&bench, engine, &[]);
        fs::write(bench.path("r"), text).unwrap();
        good(&bench, &[shell, "-n", "r"], &[]);
    }
}
