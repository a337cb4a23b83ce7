//! An indexed Job, and a suspended one for the merge.

use serde_json::{Value, json};

use super::Words;

/// The most letters of what is made of a plan's name. A Job's name with what is appended to it has
/// to be a label of DNS, of 63 letters at most: `cmalab-`, the name, `-merge`, the index (`-99999`),
/// and a dash with five letters of chance.
const MOST_LETTERS: usize = 63 - 7 - 6 - 6 - 6;

/// The most pods at once; Kubernetes is not made for more of one Job.
const MOST_PODS: u64 = 1000;

/// The YAML of both Jobs.
pub(super) fn text(words: &Words) -> String {
    let Words { program, name, shards, sweep, parts, merge, .. } = words;
    let job = format!("cmalab-{}", label(name));
    let shard = format!(
        "shard=$((JOB_COMPLETION_INDEX + 1)); exec \"${{CMALAB:-{program}}}\" {sweep} \
         --shard \"$shard/{shards}\" --out {parts}/\"$shard-of-{shards}\" --jobs 1 --resume --quiet"
    );
    let merge = format!("exec \"${{CMALAB:-{program}}}\" {merge}");
    format!(
        "{}{}---\n{}",
        comment(name, *shards, &job),
        yaml(&shards_job(&job, *shards, &shard)),
        yaml(&merge_job(&format!("{job}-merge"), &merge)),
    )
}

/// What to do with it. The lines that are set in are commands for a shell.
fn comment(name: &str, shards: u64, job: &str) -> String {
    let ended = |job: &str| {
        format!(
            "\
#   until kubectl get job/{job} -o 'jsonpath={{.status.conditions[?(@.status==\"True\")].type}}' |
#       grep -Ew 'Complete|Failed'; do sleep 10; done
"
        )
    };
    format!(
        "\
# The plan {name} in {shards} shards as an indexed Job of Kubernetes, then the merge. It needs 1.29
# or later: backoffLimitPerIndex is beta and on from there, stable in 1.33; podFailurePolicy is beta
# and on from 1.26, stable in 1.31.
# Put in your own: an image that has a shell, and cmalab in its PATH or where CMALAB in its
# environment says (the source of cmalab has .container/Containerfile:
# podman build -f .container/Containerfile -t YOUR-IMAGE .), and a claim of a volume that many nodes write
# (ReadWriteMany) and that holds the plan and its files. Then:
#   kubectl apply -f THIS-FILE
{}\
#   kubectl patch job/{job}-merge -p '{{\"spec\":{{\"suspend\":false}}}}'
{}\
#   kubectl logs job/{job}-merge
# After a failure too, the merge says which shards are missing. A pod that is evicted is replaced,
# and goes on from what was finished; one that ends with 1 or 2 would do so again, and is not. To
# run what is missing: kubectl delete -f THIS-FILE, and all of it again.
",
        ended(job),
        ended(&format!("{job}-merge")),
    )
}

/// A name as Kubernetes takes it: small letters, digits and '-', none of those at its ends.
fn label(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = name.chars().map(letter).take(MOST_LETTERS).collect();
    match text.trim_matches('-') {
        "" => "plan".to_string(),
        text => text.to_string(),
    }
}

/// Every index has its own tries, so that one shard that fails ends no other one.
fn shards_job(name: &str, shards: u64, command: &str) -> Value {
    let spec = json!({
        "completionMode": "Indexed",
        "completions": shards,
        "parallelism": shards.min(MOST_PODS),
        "backoffLimitPerIndex": 3,
        "podFailurePolicy": policy("FailIndex"),
        "template": template(command),
    });
    job(name, &spec)
}

fn merge_job(name: &str, command: &str) -> Value {
    let spec = json!({
        "suspend": true,
        "backoffLimit": 3,
        "podFailurePolicy": policy("FailJob"),
        "template": template(command),
    });
    job(name, &spec)
}

fn job(name: &str, spec: &Value) -> Value {
    json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": name }, "spec": spec })
}

/// An eviction counts as no failure. What cmalab says with 1 (a policy broke a law) and 2 (it
/// cannot be done) it would say again, as a shell would its 126 and 127.
fn policy(action: &str) -> Value {
    json!({ "rules": [
        {
            "action": "Ignore",
            "onPodConditions": [{ "type": "DisruptionTarget", "status": "True" }],
        },
        {
            "action": action,
            "onExitCodes": {
                "containerName": "cmalab",
                "operator": "In",
                "values": [1, 2, 126, 127],
            },
        },
    ] })
}

fn template(command: &str) -> Value {
    json!({ "spec": {
        "restartPolicy": "Never",
        "containers": [{
            "name": "cmalab",
            "image": "YOUR-IMAGE",
            "workingDir": "/sweep",
            "command": ["/bin/sh", "-c", command],
            "resources": { "requests": { "cpu": "1", "memory": "256Mi" } },
            "volumeMounts": [{ "name": "sweep", "mountPath": "/sweep" }],
        }],
        "volumes": [{ "name": "sweep", "persistentVolumeClaim": { "claimName": "YOUR-CLAIM" } }],
    } })
}

/// Block style, with every text quoted as in JSON, which is YAML too.
fn yaml(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

fn write(value: &Value, depth: usize, out: &mut String) {
    let pad = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let nested = value.is_object() || value.is_array();
                *out += &format!("{pad}{key}:{}", if nested { "\n" } else { " " });
                write(value, depth + 1, out);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for item in items {
                let mut text = String::new();
                write(item, depth + 1, &mut text);
                // The dash takes the place of the first indent.
                *out += &format!("{pad}- {}", text.trim_start());
            }
        }
        Value::Array(items) => {
            for item in items {
                *out += &format!("{pad}- {item}\n");
            }
        }
        plain => *out += &format!("{plain}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_one_that_kubernetes_takes() {
        assert_eq!(label("imx8mm_Camera.2"), "imx8mm-camera-2");
        // It ends with a dash where it is cut, and begins with one.
        assert_eq!(label(&"-x".repeat(60)).len(), 37);
        assert_eq!(label("-a-"), "a");
        for none in ["_", "...", "-", "__--"] {
            assert_eq!(label(none), "plan");
        }
    }

    #[test]
    fn yaml_is_written_in_blocks() {
        let value =
            json!({ "a": { "b": 1, "c": ["x", "it's: \"y\""] }, "d": [{ "e": true, "f": 2 }] });
        let text =
            "a:\n  b: 1\n  c:\n    - \"x\"\n    - \"it's: \\\"y\\\"\"\nd:\n  - e: true\n    f: 2\n";
        assert_eq!(yaml(&value), text);
    }
}
