//! The recipe for Slurm. `corpora/slurm.sh` runs it on a real one; here something stands in.

use std::fs;

use super::Bench;
use super::recipes::{FOLDER, bad, bench, check, failing, good, program, recipe};

/// Stands in for `sbatch`: runs a copy of the file as a node would, the tasks of an array one after
/// the other and whatever becomes of them, prints a number, and notes what it was given.
const SBATCH: &str = r#"#!/bin/bash
set -eu
echo "$*" >>sent
array='' parsable=''
while [ $# -gt 0 ]; do
    case $1 in
    --array=*) array=${1#*=} ;;
    --parsable) parsable=1 ;;
    --*) ;;
    *) break ;;
    esac
    shift
done
mkdir -p spool
copy=spool/$RANDOM$RANDOM
cp "$1" $copy
shift
grep -q '^#SBATCH.*--array' $copy && exit 9
job=$(($(cat jobs 2>/dev/null || echo 4710) + 1))
echo $job >jobs
if [ -n "$array" ]; then
    for task in $(seq "${array%-*}" "${array#*-}"); do
        SLURM_JOB_ID=1 SLURM_ARRAY_TASK_ID=$task bash $copy "$@" >&2 || true
    done
else
    SLURM_JOB_ID=1 bash $copy "$@" >>out-$job 2>&1 || echo "ended with $?" >>out-$job
fi
[ -z "$parsable" ] || echo "$job;cluster"
"#;

/// A bench with the recipe, and a Slurm whose arrays have less than so many tasks.
fn slurm(array: u32) -> Bench {
    let bench = bench();
    program(&bench, "sbatch", SBATCH);
    let config = format!("#!/bin/sh\necho 'MaxArraySize            = {array}'\n");
    program(&bench, "scontrol", &config);
    fs::write(bench.path("s.slurm"), recipe(&bench, "slurm", &[])).unwrap();
    bench
}

/// What was sent, a line each.
fn sent(bench: &Bench) -> Vec<String> {
    fs::read_to_string(bench.path("sent")).unwrap().lines().map(String::from).collect()
}

#[test]
fn the_file_sends_itself_and_the_merge_behind_it() {
    let bench = slurm(1001);
    good(&bench, &["bash", "s.slurm"], &[]);
    let cmalab = env!("CARGO_BIN_EXE_cmalab");
    assert_eq!(
        sent(&bench),
        [
            format!("--parsable --array=1-3 s.slurm shards {cmalab} 3"),
            format!("--parsable --dependency=afterany:4711 s.slurm merge {cmalab}"),
        ]
    );
    check(&bench);
}

#[test]
fn the_file_that_is_sent_itself_merges_too() {
    let bench = slurm(1001);
    good(&bench, &["bash", "bin/sbatch", "s.slurm"], &[]);
    assert_eq!(sent(&bench).len(), 3);
    check(&bench);
    let message = bad(&bench, &["bash", "s.slurm"], &[("SLURM_ARRAY_TASK_ID", "1")]);
    assert!(message.contains("this file sends its array itself; leave out --array"), "{message}");
    assert_eq!(sent(&bench).len(), 3);
}

#[test]
fn more_shards_than_an_array_has_tasks_are_shared_out() {
    let table = [(3, "", "2"), (1001, "2", "2"), (1001, "7", "3"), (2, "5", "1")];
    for (array, tasks, expected) in table {
        let bench = slurm(array);
        good(&bench, &["bash", "s.slurm"], &[("TASKS", tasks)]);
        assert!(sent(&bench)[0].contains(&format!("--array=1-{expected} ")), "{:?}", sent(&bench));
        check(&bench);
    }
    let bench = slurm(1);
    let message = bad(&bench, &["bash", "s.slurm"], &[]);
    assert!(message.contains("this Slurm takes no arrays"), "{message}");
    assert!(!bench.path("sent").exists());
}

#[test]
fn a_shard_that_fails_is_named_by_the_merge_and_run_again_when_sent_again() {
    // Two tasks: what fails holds up nothing that its task has to do besides.
    let bench = slurm(3);
    let failing = failing(&bench);
    fs::write(bench.path("broken"), "x\n").unwrap();
    good(&bench, &["bash", "s.slurm"], &[("CMALAB", &failing)]);
    let merge = fs::read_to_string(bench.path("out-4712")).unwrap();
    assert_eq!(merge, "error: failed to merge: shard 2 of 3 is missing\nended with 2\n");
    assert!(!bench.path(FOLDER).join("the report").exists());
    good(&bench, &["bash", "s.slurm"], &[("CMALAB", &failing)]);
    check(&bench);

    // Of another plan nothing that is there is taken for a part.
    let plan = bench.path(FOLDER).join("my plan.toml");
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replace("0.98", "0.97")).unwrap();
    good(&bench, &["bash", "s.slurm"], &[]);
    let merge = fs::read_to_string(bench.path("out-4716")).unwrap();
    assert!(merge.contains("is of another plan than the one that is named after --"), "{merge}");
    check(&bench);
}
