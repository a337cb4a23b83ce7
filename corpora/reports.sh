#!/usr/bin/env bash
# Makes committed reports again, each by the line in its COMMAND, and says whether all bytes are the
# same. With cmalab in the PATH: corpora/reports.sh [NAME…], all of them without a name.
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || set -- $(git ls-files 'reports/*/COMMAND' | cut -d/ -f2)
for name in "$@"; do
    start=$SECONDS
    bash "reports/$name/COMMAND" >/dev/null
    printf '%s: %d s\n' "$name" $((SECONDS - start))
done
changed=$(git status --porcelain -- "${@/#/reports/}")
if [ -n "$changed" ]; then
    printf '%s\n' 'reports are not what their commands make:' "$changed"
    exit 1
fi
