#!/bin/bash -eu
# Builds every target with its seeds and its words into $OUT, as ClusterFuzzLite and OSS-Fuzz ask.
#
# On any machine with cargo-fuzz, without a container:
#   SRC=$(dirname "$PWD") OUT=$(mktemp -d) SANITIZER=none .clusterfuzzlite/build.sh

cd "$(dirname "$0")/.."
# Their images copy this file to $SRC.
[ -d fuzz ] || cd "$SRC/cmalab"

# Naive answers compare all the time; tracing that takes most of it and finds no more.
flags=(--no-trace-compares)
case ${SANITIZER:-address} in
    # Coverage is their own flags, in RUSTFLAGS.
    none | coverage) flags+=(-s none) ;;
    *) flags+=(-s "$SANITIZER") ;;
esac
toolchain=()
# Their images set the toolchain; elsewhere it takes a word.
[ -n "${RUSTUP_TOOLCHAIN-}" ] || toolchain+=(+nightly)
cargo "${toolchain[@]}" fuzz build "${flags[@]}"

built=${CARGO_TARGET_DIR:-fuzz/target}/$(rustc -vV | sed -n 's/^host: //p')/release
for target in $(cargo "${toolchain[@]}" fuzz list); do
    # It must crash, which is no news.
    [ "$target" != canary ] || continue
    cp "$built/$target" "$OUT/"
    [ ! -d "corpora/seeds/$target" ] ||
        zip -q -j "$OUT/${target}_seed_corpus.zip" "corpora/seeds/$target"/*
    # Options without a dictionary for those that have none: cases are no text.
    [ ! -f "fuzz/$target.dict" ] || cp "fuzz/$target.dict" "$OUT/"
done
