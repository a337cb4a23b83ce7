#!/usr/bin/env bash
# Runs the recipe for Slurm on a real Slurm: one node, this machine, for as long as it takes.

usage() {
    cat <<'TEXT'
Usage: corpora/slurm.sh [CMALAB]

Installs Debian's slurm-wlm and munge where they are not there, starts munged, slurmctld and slurmd
with files in a temporary folder, and sends the recipe of a small plan in shards, more of them than
the array may have tasks:
  1. one shard is made to fail: the merge has to end, and to say which shard is missing
  2. sent again, with sbatch this time: the report has to be that of one run, byte for byte
  3. the plan is changed and sent again: no shard of the plan before may be taken for one of it
Then everything is stopped. It runs as root, since it starts daemons of two users; CMALAB is the
binary [target/release/cmalab, which is built].

Exit status: 0 all of it held; 1 something did not; 2 it could not be done.
TEXT
}

set -euo pipefail
shopt -s extglob
export LC_ALL=C
cd "$(dirname "$0")/.."

die() {
    printf 'slurm: %s\n' "$1" >&2
    exit 2
}
wrong() {
    printf 'slurm: WRONG: %s\n' "$1" >&2
    tail -n 20 "$work"/*.log "$run"/slurm-*.out >&2 || true
    exit 1
}

case ${1:-} in
-h | --help) usage && exit 0 ;;
-*) die "unknown option \"$1\"; --help says more" ;;
esac
[ "$(id -u)" = 0 ] || die 'run it as root'
if [ -n "${1:-}" ]; then
    cmalab=$(realpath "$1")
else
    cargo build --release --locked -p cma-harness
    cmalab=$PWD/target/release/cmalab
fi
[ -x "$cmalab" ] || die "$cmalab is not there"
if ! command -v slurmctld >/dev/null || ! command -v slurmd >/dev/null || ! command -v munged >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge
fi

# ---------------------------------------------------------------------------------------------
# One node

work=$(mktemp -d -t cmalab-slurm.XXXXXX)
run=$work/run
chmod 755 "$work" # munged wants to know that nobody else writes above its files
mkdir -p "$work"/{state,spool,munge,etc} "$run"
pids=()
clean() {
    code=$?
    trap - EXIT
    [ ! -e "$work/etc/slurm.conf" ] || scancel --quiet --user root 2>/dev/null || true
    for ((at = ${#pids[@]} - 1; at >= 0; at--)); do kill "${pids[at]}" 2>/dev/null || true; done
    wait
    [ -n "${KEEP:-}" ] || rm -rf "$work"
    exit $code
}
trap clean EXIT

dd if=/dev/urandom of="$work/munge/key" bs=1024 count=1 status=none
chmod 400 "$work/munge/key"
socket=$work/munge/socket
munged --foreground --force --socket="$socket" --key-file="$work/munge/key" \
    --pid-file="$work/munge/pid" --log-file="$work/munged.log" --seed-file="$work/munge/seed" \
    >"$work/munged.out" 2>&1 &
pids+=($!)

node=$(uname -n | cut -d. -f1)
cpus=$(nproc)
export SLURM_CONF=$work/etc/slurm.conf
# No database, no cgroups, and ports that a Slurm of this machine would not have.
cat >"$SLURM_CONF" <<TEXT
ClusterName=cmalab
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$socket
CredType=cred/munge
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=1,sched_interval=2,bf_interval=2
MpiDefault=none
MaxArraySize=4
ReturnToService=2
MinJobAge=600
KillWait=5
NodeName=$node NodeAddr=127.0.0.1 CPUs=$cpus State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
TEXT
: >"$work/etc/cgroup.conf"
for _ in $(seq 50); do [ ! -S "$socket" ] || break; sleep 0.1; done
[ -S "$socket" ] || die "munged did not start: $(tail -n 3 "$work/munged.log")"
slurmctld -D -c >"$work/slurmctld.out" 2>&1 &
pids+=($!)
slurmd -D -N "$node" >"$work/slurmd.out" 2>&1 &
pids+=($!)
for _ in $(seq 60); do
    state=$(sinfo --noheader --format=%T 2>/dev/null || true)
    [ "$state" != idle ] || break
    sleep 0.5
done
[ "$state" = idle ] || die "the node is \"$state\", not idle: $(tail -n 5 "$work"/slurm*.out "$work"/slurm*.log)"
echo "$(slurmctld -V), one node with $cpus CPUs, MaxArraySize 4"

# ---------------------------------------------------------------------------------------------
# The plan

cd "$run"
cat >plan.toml <<'TEXT'
name = "tiny"
seeds = 8
policies = ["kernel", "best-fit"]
caps = [8]
[[boards]]
name = "b"
areas = [{ mib = 64 }]
[[streams]]
profile = "gpu"
loads = [0.98]
ops = 300
TEXT
# A cmalab whose shard 5 fails as long as there is a file "broken".
cat >failing <<TEXT
#!/bin/sh
case " \$* " in
*' --shard 5/7 '*) [ ! -e "$run/broken" ] || { echo 'shard 5 is made to fail' >&2; exit 3; } ;;
esac
exec "$cmalab" "\$@"
TEXT
chmod +x failing
export CMALAB=$run/failing
"$cmalab" sweep plan.toml --out whole --quiet >/dev/null
"$cmalab" sweep plan.toml --out report --recipe slurm --shards 7 >recipe.slurm
! grep -q '^#SBATCH.*--array' recipe.slurm || wrong 'the recipe has an array of its own'

# Waits until no job is left, and says how the last ones ended.
ended() {
    for _ in $(seq 240); do
        if [ -z "$(squeue --noheader --states=PENDING,RUNNING,COMPLETING,CONFIGURING,REQUEUED)" ]; then
            scontrol show job --oneliner | awk '{
                split("", field)
                for (i = 1; i <= NF; i++) { at = index($i, "="); field[substr($i, 1, at - 1)] = substr($i, at + 1) }
                job = field["ArrayJobId"] ? field["ArrayJobId"] "_" field["ArrayTaskId"] : field["JobId"]
                print "job " job " " field["JobState"] " " field["ExitCode"] }' | sort -V
            return 0
        fi
        sleep 0.5
    done
    squeue
    return 1
}
# What the last job said, which is the merge: tasks of an array have a "_" in the names of theirs.
last() { printf '%s\n' slurm-+([0-9]).out | sort -V | tail -n 1; }

echo '--- 1. bash recipe.slurm, shard 5 fails'
touch broken
bash recipe.slurm
ended || wrong 'a job is pending for ever'
merge=$(last)
echo "$merge: $(cat "$merge")"
grep -q 'failed to merge: shard 5 of 7 is missing' "$merge" || wrong 'the merge does not say what is missing'
[ ! -e report ] || wrong 'there is a report'
scontrol show job "${merge//[!0-9]/}" | grep -q 'JobState=FAILED' || wrong 'the merge did not fail'

echo '--- 2. sbatch recipe.slurm, nothing fails'
rm broken
sbatch recipe.slurm
ended || wrong 'a job is pending for ever'
diff -r whole report || wrong 'the report is not that of one run'
echo 'the report is that of one run, byte for byte:'
cksum report/cells.csv whole/cells.csv

echo '--- 3. another plan, with the shards of the one before still there'
sed -i 's/0.98/0.97/' plan.toml
bash recipe.slurm
ended || wrong 'a job is pending for ever'
merge=$(last)
echo "$merge: $(cat "$merge")"
grep -q 'it is of another plan than the one' "$merge" || wrong 'shards of another plan were merged'
diff -r whole report || wrong 'the report was written over'
echo 'all of it held'
