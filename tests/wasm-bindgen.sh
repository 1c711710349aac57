#!/usr/bin/env bash
# Prints the folder of the programs of wasm-bindgen, and builds them first if need be.
#
# They must be of the very version in Cargo.lock. They are built once and kept in $LEAF_CACHE
# (~/.cache/edgesync-leaf), outside of target/, which is often thrown away.
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p;}' Cargo.lock)
place="${LEAF_CACHE:-$HOME/.cache/edgesync-leaf}/wasm-bindgen-$version"
if [ ! -x "$place/bin/wasm-bindgen-test-runner" ]; then
    echo "building wasm-bindgen-cli $version into $place (once)" >&2
    # Without default features: it then does without a TLS stack, which only browser drivers need.
    # The registry's lock file of some versions names yanked crates, hence no --locked.
    cargo install wasm-bindgen-cli --version "$version" --no-default-features --root "$place" \
        --target-dir "$place/build" --debug --quiet >&2
    rm -rf "$place/build"
fi
echo "$place/bin"
