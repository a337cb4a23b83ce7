//! An indexed Job, and a suspended one for the merge.

use serde_json::{Value, json};

use super::Words;

/// The most letters of a name: the pods of an indexed Job add theirs to it.
const MOST_LETTERS: usize = 40;

/// The YAML of both Jobs.
pub(super) fn text(words: &Words) -> String {
    let Words { name, shards, sweep, parts, merge } = words;
    let job = format!("cmalab-{}", label(name));
    let shard = format!(
        "shard=$((JOB_COMPLETION_INDEX + 1)); exec \"${{CMALAB:-cmalab}}\" {sweep} \
         --shard \"$shard/{shards}\" --out {parts}/\"$shard-of-{shards}\" --jobs 1 --resume --quiet"
    );
    let merge = format!("exec \"${{CMALAB:-cmalab}}\" {merge}");
    format!(
        "# The plan {name} in {shards} shards as an indexed Job of Kubernetes (1.24 or later), then\n\
         # the merge. Put in your own: an image with cmalab in its PATH, and a claim of a volume that\n\
         # many nodes write (ReadWriteMany) with the plan and its files on it. Then:\n\
         #   kubectl apply -f THIS-FILE\n\
         #   kubectl wait --for=condition=complete --timeout=-1s job/{job}\n\
         #   kubectl patch job/{job}-merge -p '{{\"spec\":{{\"suspend\":false}}}}'\n\
         # A pod that is evicted is started again, and goes on from what it finished.\n\
         {}---\n{}",
        yaml(&job_of(&job, *shards, &shard, false)),
        yaml(&job_of(&format!("{job}-merge"), 1, &merge, true)),
    )
}

/// A name as Kubernetes takes it: small letters, digits and '-', none of those at its ends.
fn label(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = name.chars().map(letter).take(MOST_LETTERS).collect();
    text.trim_matches('-').to_string()
}

fn job_of(name: &str, completions: u64, command: &str, suspend: bool) -> Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": name },
        "spec": {
            "completionMode": "Indexed",
            "completions": completions,
            "parallelism": completions,
            "suspend": suspend,
            "backoffLimit": completions.saturating_mul(3).max(6),
            "template": { "spec": {
                "restartPolicy": "OnFailure",
                "containers": [{
                    "name": "cmalab",
                    "image": "YOUR-IMAGE",
                    "workingDir": "/sweep",
                    "command": ["/bin/sh", "-c", command],
                    "resources": { "requests": { "cpu": "1", "memory": "256Mi" } },
                    "volumeMounts": [{ "name": "sweep", "mountPath": "/sweep" }],
                }],
                "volumes": [
                    { "name": "sweep", "persistentVolumeClaim": { "claimName": "YOUR-CLAIM" } },
                ],
            } },
        },
    })
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
                // The dash stands where the first key would be indented by.
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
        assert_eq!(label(&"-x".repeat(60)).len(), 39);
        assert_eq!(label("-a-"), "a");
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
