#!/usr/bin/env bash
# Guess:     a Job whose podFailurePolicy ignores a disruption and fails on exit codes, as the examples of
#            1.29 and later write it, is valid for 1.28 too: the feature is on by default since 1.26.
# Version:   schemas of Kubernetes 1.28 and 1.29, as kubernetes-validate 1.37.0 ships them (strict).
# Behaviour: 1.28 asks for onPodConditions in *every* rule, so a rule with onExitCodes alone is refused
#            ("required property"); 1.29 takes it. What generates Jobs has to state 1.29 as its least,
#            or to write an empty onPodConditions into each rule.
# Seen:      the output below. Fails where that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install kubernetes-validate==1.37.0
cat >"$work/job.yaml" <<'YAML'
apiVersion: batch/v1
kind: Job
metadata:
  name: parts
spec:
  completionMode: Indexed
  completions: 2
  parallelism: 2
  podFailurePolicy:
    rules:
      - action: Ignore
        onPodConditions:
          - type: DisruptionTarget
            status: "True"
      - action: FailJob
        onExitCodes:
          operator: In
          values: [1]
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: part
          image: busybox
YAML
check() {
    "$work/venv/bin/kubernetes-validate" --strict -k "$1" "$work/job.yaml" 2>&1 || true
}
echo '--- 1.28'
check 1.28 | tee "$work/old.txt"
echo '--- 1.29'
check 1.29 | tee "$work/new.txt"
grep -q "spec.podFailurePolicy.rules.1: 'onPodConditions' is a required property" "$work/old.txt"
grep -q 'INFO .*job.yaml passed' "$work/new.txt"
echo 'as described'
