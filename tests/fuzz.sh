#!/usr/bin/env bash
# Fuzzes every target for $FUZZ_SECONDS (60) each.
set -euo pipefail
cd "$(dirname "$0")/fuzz"
cargo +nightly fuzz --version >/dev/null 2>&1 ||
    { echo "fuzz: needs  rustup toolchain install nightly  and  cargo install cargo-fuzz" >&2; exit 1; }
for target in $(cargo +nightly fuzz list); do
    echo "fuzz: $target"
    cargo +nightly fuzz run "$target" -- -max_total_time="${FUZZ_SECONDS:-60}" -verbosity=0 -print_final_stats=1
done
