#!/usr/bin/env bash
# Runs the tests of leaf-core on wasm32 under Node.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)
tools=${LEAF_CACHE:-$PWD/.cache}/tools
runner="$tools/bin/wasm-bindgen-test-runner"
if ! "$runner" --version 2>/dev/null | grep -qF "$version"; then
    echo "wasm: building wasm-bindgen-cli $version into $tools" >&2
    cargo install --quiet --locked --root "$tools" --target-dir "$tools/target" --version "$version" wasm-bindgen-cli
    rm -rf "$tools/target"
fi
export PATH="$tools/bin:$PATH"
cargo test -p leaf-core --target wasm32-unknown-unknown
