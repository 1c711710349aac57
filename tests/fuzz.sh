#!/usr/bin/env bash
# Runs every fuzz target for some seconds: tests/fuzz.sh [SECONDS] [TARGET..]
#
# Prints one line for each target and fails if one of them found a crash; the input stays in tests/fuzz/artifacts.
# Seeds are the fixtures of the other tests and the few in tests/fuzz/corpus; what libFuzzer adds to them is kept
# in target/fuzz-corpus, so that the next run goes on from there.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
missing() { echo "fuzz: $1 is missing: $2" >&2; exit 1; }
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "usage: $0 [SECONDS] [TARGET..]" >&2; exit 2; }
cargo fuzz --version >/dev/null 2>&1 || missing cargo-fuzz "cargo install cargo-fuzz"
cargo +nightly --version >/dev/null 2>&1 || missing "a nightly compiler" "rustup toolchain install nightly --profile minimal"
command -v c++ >/dev/null || missing "a C++ compiler, which libFuzzer is built by," "apt install g++"

fixtures=tests/fixtures
grown=target/fuzz-corpus
targets=(artifact cards delta envelope nats_broker nats_ops zblob)
[ $# -eq 0 ] || targets=("$@")

# Source and second part as one input: the length of the source in two bytes, little-endian, then both.
two_parts() {
    local bytes
    bytes=$(stat -c %s "$1")
    # shellcheck disable=SC2059
    printf "\\x$(printf %02x $((bytes & 255)))\\x$(printf %02x $((bytes >> 8)))"
    cat "$1" "$2"
}

seed() {
    local to=$grown/$1
    mkdir -p "$to" "tests/fuzz/corpus/$1"
    case $1 in
    artifact) cp "$fixtures"/artifact/* "$to" ;;
    delta)
        for source in "$fixtures"/delta/*.source; do
            for part in delta target; do
                two_parts "$source" "${source%.source}.$part" >"$to/$(basename "${source%.source}").$part"
            done
        done ;;
    envelope)
        cp "$fixtures"/xfer/* "$fixtures"/zblob/* "$to"
        # As legacy nodes send it: the zlib stream without the size in front. And one that expands to a megabyte.
        tail -c +5 "$fixtures"/zblob/text.zblob >"$to"/bare
        { printf '\x78\x9c'; head -c 1048576 /dev/zero | gzip -9 -n | tail -c +11; } >"$to"/bomb ;;
    zblob) cp "$fixtures"/zblob/* "$to" ;;
    esac
}

echo "fuzz: building"
cargo +nightly fuzz build --fuzz-dir tests/fuzz --target-dir target/fuzz
log=$(mktemp)
trap 'rm -f "$log"' EXIT
crashed=0
for target in "${targets[@]}"; do
    seed "$target"
    if cargo +nightly fuzz run "$target" --fuzz-dir tests/fuzz --target-dir target/fuzz \
        "$grown/$target" "tests/fuzz/corpus/$target" -- -max_total_time="$seconds" -max_len=16384 >"$log" 2>&1; then
        runs=$(sed -n 's/^Done \([0-9]*\) runs in .*/\1/p' "$log")
        echo "fuzz: $target: ${runs:?libFuzzer did not say how many} inputs in $seconds s, no crash"
    else
        crashed=$((crashed + 1))
        echo "fuzz: $target: CRASHED"
        grep -aE -A4 'panicked at|ERROR: (Addr|Leak|lib)|^error' "$log" | grep -avE '^ +#' | cut -c1-400 || tail -20 "$log"
        echo "fuzz: again by: cargo +nightly fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz $target INPUT, with"
        ls -t tests/fuzz/artifacts/"$target" | head -1
    fi
done
[ "$crashed" -eq 0 ] || { echo "fuzz: $crashed of ${#targets[@]} targets crashed" >&2; exit 1; }
