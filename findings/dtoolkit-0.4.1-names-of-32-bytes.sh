#!/usr/bin/env bash
# Guess:     a maintained crate for flattened device trees (`dtoolkit`, of Google, MIT or Apache-2.0) reads
#            every dtb that Linux boots from.
# Version:   dtoolkit 0.4.1, dtc 1.6.1 (Debian's device-tree-compiler 1.6.1-4+b1), Rust 1.95.
# Behaviour: `Fdt::new` refuses the whole file where one property or one node has a name of more than 31
#            bytes, as the specification asks. Linux and dtc take any: bindings of the kernel have such
#            names (`snps,dis-tx-ipgap-linecheck-quirk` has 33), and with `dtc -@` each label is the name
#            of a property in /__symbols__. `Fdt::new_unchecked` takes them, and panics where the file is
#            damaged. `fdt-rs` 0.4.5 has an unsafe constructor alone; `fdt` is under MPL-2.0.
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
cargo init -q --name names reader
cargo add -q --manifest-path reader/Cargo.toml dtoolkit@=0.4.1
cat >reader/src/main.rs <<'RUST'
fn main() {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).unwrap();
        match dtoolkit::fdt::Fdt::new(&bytes) {
            Ok(_) => println!("{path}: read"),
            Err(error) => println!("{path}: {error}"),
        }
    }
}
RUST
echo '/dts-v1/; / { usb { snps,dis-tx-ipgap-linecheck; }; };' >short.dts
echo '/dts-v1/; / { usb { snps,dis-tx-ipgap-linecheck-quirk; }; };' >long.dts
echo '/dts-v1/; / { a_label_that_somebody_wrote_out_in_full: usb { }; };' >label.dts
for name in short long label; do
    usr/bin/dtc -@ -O dtb -o $name.dtb $name.dts
done
cargo run -q --manifest-path reader/Cargo.toml -- short.dtb long.dtb label.dtb | tee seen.txt
diff - seen.txt <<'SEEN'
short.dtb: read
long.dtb: Invalid property name at offset 76
label.dtb: Invalid property name at offset 112
SEEN
echo "as described"
