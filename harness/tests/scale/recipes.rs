//! The recipes for other engines, run as far as one machine can.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use yaml_rust2::{Yaml, YamlLoader};

use super::{Bench, PLAN};

/// A plan in a folder whose name a shell would take apart.
const FOLDER: &str = "it's a $HOME \"plan\"";

/// A bench with `p.toml` in [`FOLDER`] too.
fn bench() -> Bench {
    let bench = Bench::new(PLAN);
    fs::create_dir(bench.path(FOLDER)).unwrap();
    fs::copy(bench.path("p.toml"), bench.path(FOLDER).join("my plan.toml")).unwrap();
    bench
}

/// The text of a recipe.
fn recipe(bench: &Bench, engine: &str, options: &[&str]) -> String {
    let plan = format!("{FOLDER}/my plan.toml");
    let out = format!("{FOLDER}/the report");
    let args = ["sweep", &plan, "--out", &out, "--recipe", engine, "--shards", "3"];
    String::from_utf8(bench.good(&[&args[..], options].concat()).stdout).unwrap()
}

/// Nothing else is in the report than what one run leaves.
fn check(bench: &Bench) {
    let expected = bench.whole("whole");
    bench.same(&format!("{FOLDER}/the report"), &expected);
}

/// A script, run with a `cmalab` that is not in the PATH.
fn script(bench: &Bench, shell: &str, name: &str, environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(shell);
    command.arg(name).current_dir(bench.path("")).env("CMALAB", env!("CARGO_BIN_EXE_cmalab"));
    command.env_remove("SLURM_ARRAY_TASK_ID").envs(environment.iter().copied());
    let output = command.output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{name}: {message}");
    output
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
    script(&bench, "sh", "run it.sh", &[]);
    check(&bench);
    // Again: everything is finished already.
    let shard = bench.path(FOLDER).join("the report-shards/2-of-3/shard.csv");
    let before = fs::metadata(&shard).unwrap().modified().unwrap();
    script(&bench, "sh", "run it.sh", &[]);
    assert_eq!(fs::metadata(&shard).unwrap().modified().unwrap(), before);
    check(&bench);
}

#[test]
fn the_array_of_slurm_makes_the_report() {
    let bench = bench();
    fs::write(bench.path("s.slurm"), recipe(&bench, "slurm", &[])).unwrap();
    for task in ["2", "3", "1"] {
        script(&bench, "bash", "s.slurm", &[("SLURM_ARRAY_TASK_ID", task)]);
    }
    assert!(!bench.path(FOLDER).join("the report").exists());
    script(
        &bench,
        "bash",
        "s.slurm",
        &[("SLURM_ARRAY_TASK_ID", "0"), ("SLURM_CPUS_PER_TASK", "2")],
    );
    check(&bench);
}

/// Stands in for `sbatch`: runs the tasks of an array one after the other, as the file or the
/// command line says, prints a number, and notes what the job was to wait for.
const SBATCH: &str = r#"#!/bin/bash
set -eu
array='' parsable='' file=''
for word in "$@"; do
    case $word in
    --array=*) array=${word#*=} ;;
    --dependency=*) echo "${word#*=}" >>waited ;;
    --parsable) parsable=1 ;;
    *) file=$word ;;
    esac
done
[ -n "$array" ] || array=$(sed -n 's/^#SBATCH --array=//p' "$file")
for task in $(seq "${array%-*}" "${array#*-}"); do
    SLURM_ARRAY_TASK_ID=$task bash "$file" >&2
done
[ -z "$parsable" ] || echo '4711;cluster'
"#;

#[test]
fn the_file_for_slurm_sends_itself_and_the_merge_behind_it() {
    let bench = bench();
    fs::create_dir(bench.path("bin")).unwrap();
    let sbatch = bench.path("bin/sbatch");
    fs::write(&sbatch, SBATCH).unwrap();
    fs::set_permissions(&sbatch, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(bench.path("s.slurm"), recipe(&bench, "slurm", &[])).unwrap();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", bench.path("bin").display());
    script(&bench, "bash", "s.slurm", &[("PATH", &path)]);
    assert_eq!(fs::read_to_string(bench.path("waited")).unwrap(), "afterok:4711\n");
    check(&bench);
}

/// The one text at this path of keys.
fn text<'a>(yaml: &'a Yaml, path: &str) -> &'a str {
    let found = path.split('.').fold(yaml, |yaml, key| match key.parse::<usize>() {
        Ok(index) => &yaml[index],
        Err(_) => &yaml[key],
    });
    found.as_str().unwrap_or_else(|| panic!("{path} is {found:?}"))
}

/// Runs a container's command as its pod would, in a folder that stands for the volume.
fn pod(bench: &Bench, job: &Yaml, index: &str) {
    let command = "spec.template.spec.containers.0.command";
    let mut words = (0..3).map(|word| text(job, &format!("{command}.{word}")).to_string());
    let program = words.next().unwrap();
    let path = Path::new(env!("CARGO_BIN_EXE_cmalab")).parent().unwrap();
    let output = Command::new(program)
        .args(words)
        .current_dir(bench.path(""))
        .env("PATH", format!("{}:/usr/bin:/bin", path.display()))
        .env("JOB_COMPLETION_INDEX", index)
        .output()
        .unwrap();
    assert!(output.status.success(), "{index}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_jobs_of_kubernetes_make_the_report() {
    let bench = bench();
    let jobs = YamlLoader::load_from_str(&recipe(&bench, "kubernetes", &[])).unwrap();
    let [shards, merge] = &jobs[..] else { panic!("{} documents", jobs.len()) };
    for (job, name) in [(shards, "cmalab-p"), (merge, "cmalab-p-merge")] {
        assert_eq!(text(job, "apiVersion"), "batch/v1");
        assert_eq!(text(job, "kind"), "Job");
        assert_eq!(text(job, "metadata.name"), name);
        assert_eq!(text(job, "spec.completionMode"), "Indexed");
        assert_eq!(text(job, "spec.template.spec.restartPolicy"), "OnFailure");
        let mount = text(job, "spec.template.spec.containers.0.volumeMounts.0.mountPath");
        assert_eq!(mount, text(job, "spec.template.spec.containers.0.workingDir"));
    }
    let numbers = |key: &str| [shards, merge].map(|job| job["spec"][key].as_i64().unwrap());
    assert_eq!((numbers("completions"), numbers("parallelism")), ([3, 1], [3, 1]));
    assert_eq!(
        [shards, merge].map(|job| job["spec"]["suspend"].as_bool()),
        [Some(false), Some(true)]
    );
    for index in ["1", "0", "2"] {
        pod(&bench, shards, index);
    }
    pod(&bench, merge, "0");
    check(&bench);
}

#[test]
fn options_of_the_sweep_are_those_of_its_shards() {
    let bench = bench();
    for engine in ["parallel", "slurm", "kubernetes"] {
        let text = recipe(&bench, engine, &["--seed", "7", "--thorough"]);
        assert!(text.contains(" --seed 7 --thorough --shard "), "{text}");
        let built_in = ["sweep", "--recipe", engine, "--shards", "3"];
        let built_in = String::from_utf8(bench.good(&built_in).stdout).unwrap();
        assert!(built_in.contains(" sweep --shard "), "{built_in}");
        assert!(built_in.contains(" merge reports/default-shards"), "{built_in}");
    }
}
