//! The recipe for Kubernetes: its fields, and its commands run in folders that stand for volumes.

use std::fs;
use std::path::Path;
use std::process::Command;

use yaml_rust2::{Yaml, YamlLoader};

use super::recipes::{bench, check, good, program, recipe};
use super::{Bench, PLAN};

/// What is at this path of keys.
fn at<'a>(yaml: &'a Yaml, path: &str) -> &'a Yaml {
    path.split('.').fold(yaml, |yaml, key| match key.parse::<usize>() {
        Ok(index) => &yaml[index],
        Err(_) => &yaml[key],
    })
}

/// The one text at this path of keys.
fn text<'a>(yaml: &'a Yaml, path: &str) -> &'a str {
    let found = at(yaml, path);
    found.as_str().unwrap_or_else(|| panic!("{path} is {found:?}"))
}

/// Every field, as a path; numbers of lists are left out.
fn fields(yaml: &Yaml, path: &str, found: &mut Vec<String>) {
    match yaml {
        Yaml::Hash(hash) => {
            for (key, value) in hash {
                fields(value, &format!("{path}.{}", key.as_str().unwrap()), found);
            }
        }
        Yaml::Array(items) => items.iter().for_each(|item| fields(item, path, found)),
        _ => found.push(path.trim_start_matches('.').to_string()),
    }
}

/// Fields of both Jobs, in the words of `batch/v1`.
const OF_BOTH: [&str; 19] = [
    "apiVersion",
    "kind",
    "metadata.name",
    "spec.podFailurePolicy.rules.action",
    "spec.podFailurePolicy.rules.onExitCodes.containerName",
    "spec.podFailurePolicy.rules.onExitCodes.operator",
    "spec.podFailurePolicy.rules.onExitCodes.values",
    "spec.podFailurePolicy.rules.onPodConditions.status",
    "spec.podFailurePolicy.rules.onPodConditions.type",
    "spec.template.spec.containers.command",
    "spec.template.spec.containers.image",
    "spec.template.spec.containers.name",
    "spec.template.spec.containers.resources.requests.cpu",
    "spec.template.spec.containers.resources.requests.memory",
    "spec.template.spec.containers.volumeMounts.mountPath",
    "spec.template.spec.containers.volumeMounts.name",
    "spec.template.spec.containers.workingDir",
    "spec.template.spec.restartPolicy",
    "spec.template.spec.volumes.name",
];

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
fn the_jobs_make_the_report() {
    let bench = bench();
    let jobs = YamlLoader::load_from_str(&recipe(&bench, "kubernetes", &[])).unwrap();
    let [shards, merge] = &jobs[..] else { panic!("{} documents", jobs.len()) };
    for (job, name) in [(shards, "cmalab-p"), (merge, "cmalab-p-merge")] {
        assert_eq!(text(job, "apiVersion"), "batch/v1");
        assert_eq!(text(job, "kind"), "Job");
        assert_eq!(text(job, "metadata.name"), name);
        let mount = text(job, "spec.template.spec.containers.0.volumeMounts.0.mountPath");
        assert_eq!(mount, text(job, "spec.template.spec.containers.0.workingDir"));
        // The API server takes a pod failure policy, and tries for each index, with no other one.
        assert_eq!(text(job, "spec.template.spec.restartPolicy"), "Never");
    }
    for (job, others) in [
        (shards, &["backoffLimitPerIndex", "completionMode", "completions", "parallelism"][..]),
        (merge, &["backoffLimit", "suspend"][..]),
    ] {
        let mut found = Vec::new();
        fields(job, "", &mut found);
        found.sort();
        found.dedup();
        let others = others.iter().map(|field| format!("spec.{field}"));
        let mut expected: Vec<_> = OF_BOTH.map(String::from).into_iter().chain(others).collect();
        expected.push("spec.template.spec.volumes.persistentVolumeClaim.claimName".into());
        expected.sort();
        assert_eq!(found, expected);
    }
    assert_eq!(text(shards, "spec.completionMode"), "Indexed");
    assert_eq!(text(shards, "spec.podFailurePolicy.rules.1.action"), "FailIndex");
    assert_eq!(text(merge, "spec.podFailurePolicy.rules.1.action"), "FailJob");
    assert_eq!(at(shards, "spec.completions").as_i64(), Some(3));
    assert_eq!(at(merge, "spec.suspend").as_bool(), Some(true));
    for index in ["1", "0", "2"] {
        pod(&bench, shards, index);
    }
    pod(&bench, merge, "0");
    check(&bench);
}

#[test]
fn every_name_of_a_plan_makes_a_name_of_a_pod() {
    let long = "x".repeat(64);
    let dots = format!("{}.-_.{}", "X".repeat(35), "y".repeat(20));
    for name in ["p", "_", "-", "_..", "A_b.C", "9-", &long, &dots] {
        let bench = Bench::new(&PLAN.replace("name = \"p\"", &format!("name = \"{name}\"")));
        let args = ["sweep", "p.toml", "--recipe", "kubernetes", "--shards", "100000"];
        let yaml = String::from_utf8(bench.good(&args).stdout).unwrap();
        let jobs = YamlLoader::load_from_str(&yaml).unwrap();
        for (job, index) in [(&jobs[0], "-99999"), (&jobs[1], "")] {
            // What a pod is called, and its host.
            let pod = format!("{}{index}-abcde", text(job, "metadata.name"));
            let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(pod.len() <= 63 && pod.chars().all(inner), "{name}: {pod}");
            assert!(!text(job, "metadata.name").ends_with('-'), "{name}: {pod}");
        }
        assert_eq!(at(&jobs[0], "spec.parallelism").as_i64(), Some(1000));
    }
}

#[test]
fn a_path_that_a_container_does_not_have_is_refused() {
    let bench = Bench::new(PLAN);
    let absolute = bench.path("p.toml");
    let absolute = absolute.to_str().unwrap();
    let fit = format!("{PLAN}[[streams]]\nfile = \"{absolute}\"\n");
    fs::write(bench.path("names.toml"), fit).unwrap();
    fs::create_dir(bench.path("in")).unwrap();
    for args in [&[absolute][..], &["in/../p.toml"], &["p.toml", "--out", "/o"], &["names.toml"]] {
        let recipe = ["--recipe", "kubernetes", "--shards", "3"];
        let message = bench.bad(&[&["sweep"], args, &recipe].concat());
        assert!(message.contains("a container does not have that path"), "{message}");
        assert!(message.contains(args[args.len() - 1]) || args == ["names.toml"], "{message}");
        // Others run where the plan is.
        bench.good(&[&["sweep"], args, &["--recipe", "slurm", "--shards", "3"]].concat());
    }
}

/// Stands in for `kubectl`: a Job ends, in failure, at the third look.
const KUBECTL: &str = r#"#!/bin/sh
echo "$*" >>asked
case $1 in
get)
    case $4 in *'.status.conditions[?(@.status=="True")].type'*) ;; *) exit 9 ;; esac
    looks=$(($(grep -c "^get $2 " asked)))
    [ "$looks" -lt 3 ] || printf 'FailureTarget Failed'
    ;;
esac
"#;

#[test]
fn what_is_to_be_typed_ends_after_a_failure_too() {
    let bench = bench();
    program(&bench, "kubectl", KUBECTL);
    program(&bench, "sleep", "#!/bin/sh\n");
    let text = recipe(&bench, "kubernetes", &[]);
    let typed = text.lines().filter_map(|line| line.strip_prefix("#   "));
    let typed = typed.collect::<Vec<_>>().join("\n");
    fs::write(bench.path("typed"), typed).unwrap();
    good(&bench, &["timeout", "60", "sh", "-eu", "typed"], &[]);
    let asked = fs::read_to_string(bench.path("asked")).unwrap();
    let asked: Vec<_> =
        asked.lines().map(|line| line.split(" -o ").next().unwrap().to_string()).collect();
    assert_eq!(
        asked,
        [
            "apply -f THIS-FILE",
            "get job/cmalab-p",
            "get job/cmalab-p",
            "get job/cmalab-p",
            "patch job/cmalab-p-merge -p {\"spec\":{\"suspend\":false}}",
            "get job/cmalab-p-merge",
            "get job/cmalab-p-merge",
            "get job/cmalab-p-merge",
            "logs job/cmalab-p-merge",
        ]
    );
}
