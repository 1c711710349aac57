#!/usr/bin/env bash
# Builds leaf-core and its tests, and the simulation, for wasm32 and runs them under Node.
#
# Needs clang (for SQLite's C), Node 18 or later, and the wasm32 standard library of Rust. Where rustup cannot
# download that, install Debian's `rustc-web`, `cargo-web` and `rust-web-src`, put them first in PATH, and set
# RUSTC_BOOTSTRAP=1 and LEAF_WASM_FLAGS="-Zbuild-std=std,panic_abort".
set -eu
cd "$(dirname "$0")/.."
target=wasm32-unknown-unknown
need() { command -v "$1" >/dev/null || { echo "wasm-test: $1 is not installed: $2" >&2; exit 1; }; }
need clang "apt install clang lld"
need node "apt install nodejs"

if [ -z "${LEAF_WASM_FLAGS:-}" ] && [ ! -d "$(rustc --print sysroot)/lib/rustlib/$target" ]; then
    rustup target add "$target" || {
        echo "wasm-test: no standard library for $target; see the head of $0 for another way" >&2
        exit 1
    }
fi

PATH="$(tests/wasm-bindgen.sh):$PATH"
export PATH
# Debian's clang and Rust's clang-compiled C meet without emscripten: sqlite-wasm-rs brings its own libc shim.
# shellcheck disable=SC2086
set -- --target "$target" ${LEAF_WASM_FLAGS:-}
cargo test "$@" -p leaf-core --test suite
cargo test "$@" -p leaf-tests --test sim

# Whatever is imported from "env" is a C function that nobody provides: the module would not load in a browser.
cargo test "$@" -p leaf-core --test suite --no-run --message-format json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*\.wasm\)".*/\1/p' | while read -r wasm; do
    node --eval '
        const module = new WebAssembly.Module(require("fs").readFileSync(process.argv[1]));
        const foreign = WebAssembly.Module.imports(module).filter((i) => i.module === "env");
        if (foreign.length) { console.error("imports from env:", foreign); process.exit(1); }
        console.log("no imports from env:", process.argv[1]);
    ' "$wasm"
done
