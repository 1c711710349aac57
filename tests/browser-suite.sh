#!/usr/bin/env bash
# Runs Rust's tests of wasm32 in a dedicated worker of Chromium: those of leaf-core, which `tests/wasm.sh` runs under
# Node, and those of leaf-wasm, whose storage is nowhere else.
set -euo pipefail
cd "$(dirname "$0")/.."

PATH="$(tests/wasm-bindgen.sh):$PATH"
export PATH
make --no-print-directory tests/browser/node_modules/.package-lock.json

# Prints the file of the tests that cargo builds.
built() {
    # shellcheck disable=SC2086
    cargo test --quiet --target wasm32-unknown-unknown ${LEAF_WASM_FLAGS:-} "$@" --no-run --message-format json |
        sed -n 's/.*"executable":"\([^"]*\.wasm\)".*/\1/p'
}
core=$(built -p leaf-core --test suite)
shell=$(built -p leaf-wasm --lib)
[ -f "$core" ] && [ -f "$shell" ] || { echo "browser suite: cargo built no tests" >&2; exit 1; }
node tests/browser/suite.mjs "$shell" "$core"
