#!/usr/bin/env bash
# Guess:     GNU parallel on another machine fails where a job could not be started there, as it does
#            where the program is not found (127): `--retries` and `--halt` and a joblog rest on it.
# Version:   GNU parallel 20221122 (Debian's parallel 20221122+ds-2).
# Behaviour: it starts each job there with $SHELL. Under sshd that is always set; through a stand-in for
#            ssh that sets none (`docker exec`, `kubectl exec`, `env -i`) nothing is started, and the job
#            counts as done: exit status 0, Exitval 0 in the joblog, no output, no message. Who shares
#            out work so has to look for its results.
# Seen:      the output below. Fails where that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -o APT::Sandbox::User=root download parallel=20221122+ds-2 >/dev/null
dpkg -x parallel_*.deb .
export HOME=$work SHELL=/bin/sh
cat >far <<'SH'
#!/bin/sh
# A machine that is reached without ssh: options, its name, then what is to be run there.
while [ $# -gt 0 ]; do
    case $1 in -l) shift 2 ;; -*) shift ;; *) break ;; esac
done
shift
[ "${1:-}" != -- ] || shift
[ -n "${KEEP:-}" ] || unset SHELL
exec sh -c "$*"
SH
chmod +x far
run() {
    code=0
    usr/bin/parallel --will-cite --joblog "$1" -S "1/$work/far there" "$2" ::: 1 >"$1.out" 2>"$1.err" || code=$?
    echo "$1: exit status $code, Exitval $(awk -F'\t' 'NR == 2 { print $7 }' "$1"), printed '$(cat "$1.out")'"
}
{
    KEEP=1 run with-shell 'echo ran'
    KEEP=1 run with-shell-and-no-program '/nowhere/program'
    run without-shell 'echo ran'
} | tee seen.txt
diff seen.txt - <<'SEEN'
with-shell: exit status 0, Exitval 0, printed 'ran 1'
with-shell-and-no-program: exit status 1, Exitval 127, printed ''
without-shell: exit status 0, Exitval 0, printed ''
SEEN
echo 'as described'
