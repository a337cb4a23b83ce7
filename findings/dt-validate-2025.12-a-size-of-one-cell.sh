#!/usr/bin/env bash
# Guess:     `dt-validate`, which knows `#size-cells` and the binding of reserved memory, complains of a
#            `size` of one cell in a `reserved-memory` node whose `#size-cells` is 2, as it does of one of
#            three cells, and as the kernel does at boot ("invalid size property in 'linux,cma' node": there
#            is no such area then, and the default one is made in its place).
# Version:   dtschema 2025.12 (PyPI), dtc 1.6.1 (Debian's device-tree-compiler 1.6.1-4+b1).
# Behaviour: `dtc` compiles all three without a word. `dt-validate` takes the bytes of a `size` as one
#            number of any standard width and never looks at `#size-cells` above it: one cell passes, two
#            pass, three fail. Its exit status is 0 even so.
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
python3 -m venv python
python/bin/pip install -q --disable-pip-version-check dtschema==2025.12
for size in "<0x2000000>" "<0 0x2000000>" "<0 0 0x2000000>"; do
    cat >board.dts <<DTS
/dts-v1/;
/ {
    compatible = "foo,board";
    model = "foo";
    #address-cells = <2>;
    #size-cells = <2>;
    memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x40000000>; };
    reserved-memory {
        #address-cells = <2>;
        #size-cells = <2>;
        ranges;
        linux,cma {
            compatible = "shared-dma-pool";
            reusable;
            linux,cma-default;
            size = $size;
        };
    };
};
DTS
    dtc="$(usr/bin/dtc -O dtb -o board.dtb board.dts 2>&1 | wc -l) lines"
    status=0
    python/bin/dt-validate board.dtb >said.txt 2>&1 || status=$?
    about=$(grep -c "size: 'oneOf' conditional failed" said.txt || true)
    echo "size = $size: dtc says $dtc, dt-validate complains $about times of it and ends with $status"
done | tee seen.txt
diff - seen.txt <<'SEEN'
size = <0x2000000>: dtc says 0 lines, dt-validate complains 0 times of it and ends with 0
size = <0 0x2000000>: dtc says 0 lines, dt-validate complains 0 times of it and ends with 0
size = <0 0 0x2000000>: dtc says 0 lines, dt-validate complains 1 times of it and ends with 0
SEEN
echo "as described"
