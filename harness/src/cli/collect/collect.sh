#!/bin/sh
# What a board knows about its CMA areas, as one text for `cmalab diagnose` and `cmalab replay`.
#
# usage: sh collect.sh [-m] [-t SECONDS] [FILE]
#   -t SECONDS  records the CMA trace events for so long, on top of a snapshot of the areas, and reads
#               the bitmaps of all areas meanwhile: every tenth of SECONDS, a second apart at least
#   -m          mounts debugfs and tracefs where they are not, and unmounts them at the end
#   FILE        where the text goes; standard output without it
#
# POSIX sh: dash and busybox run it. It changes nothing but what -t and -m say, and puts that back.
# Without root it collects less, and says what is missing. A signal ends a recording early: what was
# recorded by then is written. Roots and commands can be given by SYS, PROC, BOOT, MODULES, DEV,
# DEBUGFS, TRACEFS, DMESG and UNAME.

SYS=${SYS:-/sys}
PROC=${PROC:-/proc}
BOOT=${BOOT:-/boot}
MODULES=${MODULES:-/lib/modules}
DEV=${DEV:-/dev}
DEBUGFS=${DEBUGFS:-$SYS/kernel/debug}
DMESG=${DMESG:-dmesg}
UNAME=${UNAME:-uname}
LC_ALL=C
export LC_ALL

seconds=
mount_them=
while getopts mt: option; do
    case $option in
    m) mount_them=yes ;;
    t) seconds=$OPTARG ;;
    *)
        echo "usage: $0 [-m] [-t SECONDS] [FILE]" >&2
        echo "  -t SECONDS  records trace events, and reads the bitmaps every tenth of it" >&2
        echo "  -m          mounts debugfs and tracefs meanwhile" >&2
        exit 2
        ;;
    esac
done
shift $((OPTIND - 1))
if [ -n "$seconds" ]; then
    case $seconds in
    *[!0-9]*)
        echo "$0: -t $seconds is not a number of seconds" >&2
        exit 2
        ;;
    esac
    # A number that begins with 0 is not one of base 8.
    while [ "$seconds" != 0 ] && [ "${seconds#0}" != "$seconds" ]; do
        seconds=${seconds#0}
    done
fi
if [ $# -gt 0 ]; then
    exec >"$1" || exit 2
fi

title() {
    echo "==> $1 <=="
}

# A blank line ends each file, as with head and tail.
end() {
    echo
}

missing() {
    echo "# cmalab collect: missing $1"
}

show() { # FILE
    title "$1"
    cat "$1" 2>/dev/null || missing "$1, which cannot be read by $(id -un 2>/dev/null); try as root"
    end
}

show_lines() { # FILE -e PATTERN...: the lines of FILE that have one of the patterns
    file=$1
    shift
    if [ ! -r "$file" ]; then
        missing "$file, which is not there or cannot be read; try as root"
        end
        return
    fi
    title "$file"
    grep "$@" "$file"
    end
}

mounted=
mount_at() { # TYPE DIRECTORY SIGN: mounts it, unless SIGN shows that it is
    if [ -n "$mount_them" ] && [ ! -e "$3" ] && [ -d "$2" ]; then
        if mount -t "$1" none "$2" 2>/dev/null; then
            mounted="$2 $mounted"
        else
            missing "$1, which could not be mounted on $2; try as root"
        fi
    fi
}

# The state of the tracer before -t, and how to go back to it.
instance=
before=
stop_tracing() {
    if [ -n "$instance" ]; then
        echo 0 2>/dev/null >"$instance/events/cma/enable"
        rmdir "$instance" 2>/dev/null
        instance=
    fi
    for pair in $before; do
        echo "${pair#*=}" 2>/dev/null >"${pair%%=*}"
    done
    before=
}

restore() {
    stop_tracing
    for place in $mounted; do
        umount "$place" 2>/dev/null
    done
    mounted=
}

# A signal ends a recording, and what there is of it is written; at any other time it ends all.
recording=
sleeper=
status=0
stop() { # STATUS
    if [ -z "$recording" ]; then
        exit "$1"
    fi
    status=$1
    recording=
    if [ -n "$sleeper" ]; then
        kill "$sleeper" 2>/dev/null
    fi
}
trap restore EXIT
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM
trap 'exit 141' PIPE

# The lines of a configuration that matter: -e words, to be split.
CONFIG='-e CONFIG_CMA[=_] -e DMA_CMA -e MAX_ORDER= -e PAGE_BLOCK -e ZONEORDER= -e K_PAGES=y
    -e G_DYNAMIC_DEBUG'

kernel() {
    title "uname -a"
    $UNAME -a
    end
    [ -r "$PROC/version" ] && show "$PROC/version"
    [ -r "$PROC/cmdline" ] && show "$PROC/cmdline"
    release=$($UNAME -r)
    if [ -r "$PROC/config.gz" ]; then
        title "$PROC/config.gz"
        zcat "$PROC/config.gz" | grep $CONFIG
        end
    elif [ -r "$BOOT/config-$release" ]; then
        show_lines "$BOOT/config-$release" $CONFIG
    elif [ -r "$MODULES/$release/config" ]; then
        show_lines "$MODULES/$release/config" $CONFIG
    elif [ -r "$MODULES/$release/build/.config" ]; then
        show_lines "$MODULES/$release/build/.config" $CONFIG
    else
        missing "the kernel configuration ($PROC/config.gz needs CONFIG_IKCONFIG_PROC); \
CONFIG_CMA_ALIGNMENT is taken to be 8"
        end
    fi
    title "getconf PAGESIZE"
    getconf PAGESIZE 2>/dev/null || page_size || missing "the size of a page"
    end
}

page_size() { # in bytes, by a mapping of this shell
    kib=$(sed -n 's/^KernelPageSize: *\([0-9]*\) kB/\1/p' "$PROC/self/smaps" 2>/dev/null | head -n 1)
    [ -n "$kib" ] && echo $((kib * 1024))
}

hex() { # FILE: its bytes as digits; by whatever is there
    digits=$(od -An -v -tx1 "$1" 2>/dev/null | tr -d ' \n')
    [ -n "$digits" ] || digits=$(hexdump -v -e '1/1 "%02x"' "$1" 2>/dev/null)
    [ -n "$digits" ] || digits=$(xxd -p "$1" 2>/dev/null | tr -d '\n')
    echo "$digits"
}

property() { # FILE: a property of the device tree, as in a dts
    title "$1"
    case ${1##*/} in
    compatible | model | status | label)
        echo "$(tr '\000' '|' <"$1" | sed -e 's/|$//' -e 's/|/", "/g' -e 's/.*/"&"/')"
        ;;
    memory-region)
        regions "$1"
        ;;
    *)
        # One without a value is there or not, and that is all it says.
        if [ -s "$1" ]; then
            hex "$1" | sed -e 's/......../0x& /g' -e 's/ $//' -e 's/.*/<&>/'
        fi
        ;;
    esac
    end
}

# The nodes of reserved-memory by their phandles: DIGITS=NAME...
nodes=
regions() { # FILE: the nodes that it names
    line=
    for phandle in $(hex "$1" | sed 's/......../& /g'); do
        name=0x$phandle
        for node in $nodes; do
            if [ "${node%%=*}" = "$phandle" ]; then
                name="&${node#*=}"
            fi
        done
        line="$line${line:+ }$name"
    done
    echo "<$line>"
}

device_tree() {
    tree=$PROC/device-tree
    if [ ! -d "$tree/reserved-memory" ]; then
        if [ -d "$tree" ]; then
            missing "$tree/reserved-memory: the device tree has no such node"
            end
        fi
        return
    fi
    for file in "$tree/model" "$tree/compatible" "$tree"/reserved-memory/*; do
        if [ -f "$file" ] && [ "${file##*/}" != name ]; then
            property "$file"
        fi
    done
    for node in "$tree"/reserved-memory/*/; do
        node=${node%/}
        for file in "$node"/*; do
            if [ -f "$file" ] && [ "${file##*/}" != name ]; then
                property "$file"
            fi
        done
        if [ -r "$node/phandle" ]; then
            nodes="$nodes $(hex "$node/phandle")=${node##*/}"
        fi
    done
    # The tree is a link: find goes through it where a slash follows.
    for file in $(find "$tree/" -name memory-region 2>/dev/null); do
        property "$file"
    done
}

heaps() {
    if [ -d "$DEV/dma_heap" ]; then
        title "ls $DEV/dma_heap"
        ls "$DEV/dma_heap"
        end
    fi
}

log() {
    title dmesg
    $DMESG 2>/dev/null ||
        journalctl -k -b -o short-monotonic --no-pager 2>/dev/null ||
        missing "the kernel log, which $DMESG does not give; try as root"
    end
}

areas() {
    found=
    for file in "$DEBUGFS"/cma/*/base_pfn; do
        [ -r "$file" ] || continue
        found=yes
        area=${file%/base_pfn}
        for name in base_pfn count order_per_bit used maxchunk bitmap; do
            # From 6.15 on some are links to the first range, which follows.
            if [ -r "$area/$name" ] && [ ! -h "$area/$name" ]; then
                show "$area/$name"
            fi
        done
        for file in "$area"/ranges/*/base_pfn "$area"/ranges/*/bitmap; do
            if [ -r "$file" ]; then
                show "$file"
            fi
        done
    done
    if [ -z "$found" ]; then
        if [ ! -d "$DEBUGFS" ] || [ -z "$(ls "$DEBUGFS" 2>/dev/null)" ]; then
            missing "$DEBUGFS/cma: debugfs is not mounted or cannot be read; try as root, with \
-m or after: mount -t debugfs none $DEBUGFS"
        else
            missing "$DEBUGFS/cma: the kernel needs CONFIG_CMA_DEBUGFS=y"
        fi
        end
    fi
}

counters() {
    found=
    for file in "$SYS"/kernel/mm/cma/*/*; do
        if [ -r "$file" ] && [ ! -d "$file" ]; then
            found=yes
            show "$file"
        fi
    done
    if [ -z "$found" ]; then
        missing "$SYS/kernel/mm/cma: needs Linux 5.13 and CONFIG_CMA_SYSFS=y"
        end
    fi
    show_lines "$PROC/meminfo" -e '^Mem' -e '^Swap' -e '^Cma'
    show_lines "$PROC/vmstat" -e cma
    [ -r "$PROC/pagetypeinfo" ] && show_lines "$PROC/pagetypeinfo" -e CMA -e 'Number of blocks'
    [ -r "$PROC/zoneinfo" ] && show_lines "$PROC/zoneinfo" -e '^Node' -e cma
}

tracer() {
    if [ -n "$TRACEFS" ]; then
        return
    fi
    TRACEFS=$SYS/kernel/tracing
    if [ ! -e "$TRACEFS/trace" ] && [ -e "$DEBUGFS/tracing/trace" ]; then
        TRACEFS=$DEBUGFS/tracing
    fi
}

has_events() {
    if [ ! -e "$TRACEFS/trace" ]; then
        missing "$TRACEFS: tracefs is not mounted or cannot be read; try as root, with -m or \
after: mount -t tracefs none $TRACEFS"
    elif [ ! -d "$TRACEFS/events/cma" ]; then
        missing "$TRACEFS/events/cma: the kernel needs CONFIG_CMA=y and CONFIG_EVENT_TRACING=y"
    else
        return 0
    fi
    end
    return 1
}

# What the tracer holds already, if somebody switched the events on.
held_trace() {
    has_events || return
    if grep -q 1 "$TRACEFS"/events/cma/*/enable 2>/dev/null; then
        show "$TRACEFS/trace"
    else
        missing "trace events, which are off; -t SECONDS records some, and this records from now \
on: echo 1 > $TRACEFS/events/cma/enable"
        end
    fi
}

# The bitmaps of all areas at this moment, which is in seconds since boot.
snapshot() {
    uptime=
    { read -r uptime rest <"$PROC/uptime"; } 2>/dev/null
    if [ -z "$uptime" ]; then
        return
    fi
    for file in "$DEBUGFS"/cma/*/bitmap "$DEBUGFS"/cma/*/ranges/*/bitmap; do
        # From 6.15 on the first is a link to one of the others.
        if [ -r "$file" ] && [ ! -h "$file" ]; then
            title "snapshot $uptime $file"
            cat "$file" 2>/dev/null
            end
        fi
    done
}

has_bitmaps() {
    for file in "$DEBUGFS"/cma/*/bitmap; do
        [ -r "$file" ] && return
    done
    return 1
}

# Waits for the time of a recording, and reads the bitmaps meanwhile and at its end.
watch() {
    step=$((seconds / 10))
    [ "$step" -gt 0 ] || step=1
    left=$seconds
    recording=yes
    while [ "$left" -gt 0 ] && [ -n "$recording" ]; do
        snapshot
        [ "$step" -le "$left" ] || step=$left
        # A signal ends `wait` at once, and would not end `sleep`.
        sleep "$step" &
        sleeper=$!
        # One that came just before had no sleeper to end.
        [ -n "$recording" ] || kill "$sleeper" 2>/dev/null
        wait "$sleeper"
        sleeper=
        left=$((left - step))
    done
    snapshot
    recording=
}

# Switches the events on, in a buffer of its own where the kernel has such, so that no other trace is
# disturbed.
start_tracing() {
    has_events || return
    buffer=$TRACEFS
    if mkdir "$TRACEFS/instances/cmalab" 2>/dev/null; then
        instance=$TRACEFS/instances/cmalab
        if [ -e "$instance/events/cma/enable" ]; then
            buffer=$instance
        else
            rmdir "$instance" 2>/dev/null
            instance=
        fi
    fi
    if [ -z "$instance" ]; then
        for file in "$TRACEFS"/events/cma/*/enable "$TRACEFS/tracing_on"; do
            if [ -r "$file" ]; then
                # `1*` where something else beside the switch uses the event.
                value=$(cat "$file")
                before="$before $file=${value%\*}"
            fi
        done
        echo 1 2>/dev/null >"$buffer/tracing_on"
    fi
    for file in "$buffer"/events/cma/*/enable; do
        if ! echo 1 2>/dev/null >"$file"; then
            missing "$file, which cannot be written; try as root"
            end
            stop_tracing
            return 1
        fi
    done
}

# What happens from now on: events, and bitmaps. Where there are neither, nothing is to be waited for.
record() {
    if start_tracing; then
        watch
        show "$buffer/trace"
        stop_tracing
    elif has_bitmaps; then
        watch
    fi
}

mount_at debugfs "$DEBUGFS" "$DEBUGFS/cma"
mount_at tracefs "$SYS/kernel/tracing" "$SYS/kernel/tracing/trace"
tracer
echo "# cmalab collect: 1"
kernel
device_tree
heaps
if [ -n "$seconds" ]; then
    # In the order of time: the areas, then what happened to them.
    areas
    counters
    record
    log
else
    log
    held_trace
    areas
fi
counters
exit "$status"
