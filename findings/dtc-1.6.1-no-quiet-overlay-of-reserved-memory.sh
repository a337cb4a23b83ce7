#!/usr/bin/env bash
# Guess:     an overlay that makes the `/reserved-memory` that a tree lacks compiles as quietly as the same
#            node does where it is appended to the source: with `#address-cells`, `#size-cells` and `ranges`
#            as the kernel asks for.
# Version:   dtc 1.6.1 (Debian's device-tree-compiler 1.6.1-4+b1).
# Behaviour: no way of writing it is quiet where the root has `#size-cells = <2>`. `dtc` looks at an overlay
#            without its base and takes the cells of `/` to be 2 and 1, so that `ranges;` does not fit; stated
#            in the overlay of `/`, the cells are called unnecessary; `ranges;` in an overlay of its own relies
#            on default cells. What each of them makes of a tree is right.
# Seen:      the output below. Fails where that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod a+rx "$work"
cd "$work"
apt-get download -qq device-tree-compiler=1.6.1-4+b1 libfdt1 libyaml-0-2 2>/dev/null
for package in *.deb; do
    dpkg -x "$package" .
done
LD_LIBRARY_PATH=$(echo "$work"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
cells="#address-cells = <2>; #size-cells = <2>;"
pool="pool: pool { compatible = \"shared-dma-pool\"; reusable; size = <0 0x400000>; };"
printf '/dts-v1/;\n/ { %s };\n' "$cells" >base.dts
usr/bin/dtc -q -@ -O dtb -o base.dtb base.dts
# The name of each kind of warning, with what comes of an overlay.
try() {
    local what=$1
    usr/bin/dtc -@ -O dtb -o made.dtb - 2>said.txt
    [ "$what" = appended ] || { mv made.dtb over.dtbo && usr/bin/fdtoverlay -i base.dtb -o made.dtb over.dtbo; }
    local warnings size
    warnings=$(sed -nE 's/.*Warning \(([a-z_]+)\): .*\/.*/\1/p' said.txt | sort -u | paste -sd ' ')
    size=$(usr/bin/fdtget -t x made.dtb /reserved-memory/pool size)
    usr/bin/fdtget made.dtb /reserved-memory ranges >/dev/null
    echo "$what: size $size; warnings: ${warnings:-none}"
}
{
    { cat base.dts && echo "/ { reserved-memory { $cells ranges; $pool }; };"; } | try appended
    head="/dts-v1/; /plugin/;"
    echo "$head &{/} { reserved-memory { $cells ranges; $pool }; };" | try "overlay of the root"
    echo "$head &{/} { $cells reserved-memory { $cells ranges; $pool }; };" | try "overlay with cells"
    echo "$head &{/} { reserved-memory { $cells $pool }; }; &{/reserved-memory} { ranges; };" | try "two overlays"
} | tee seen.txt
diff - seen.txt <<'SEEN'
appended: size 0 400000; warnings: none
overlay of the root: size 0 400000; warnings: avoid_default_addr_size ranges_format
overlay with cells: size 0 400000; warnings: avoid_unnecessary_addr_size
two overlays: size 0 400000; warnings: avoid_default_addr_size
SEEN
echo "as described"
