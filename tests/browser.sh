#!/usr/bin/env bash
# The tests of the package npm/ in browsers and bundlers, against `leaf serve` and stock Fossil: tests/browser.sh [FILE...]
#
# LEAF_QUICK=1 builds WebAssembly without its optimiser; LEAF_KILL_SEED gives the kills of a run again.
set -euo pipefail

cd "$(dirname "$0")/.."
say() { echo "browser tests: $*" >&2; }

missing=()
for program in cargo fossil node npm "${CHROMIUM:-/usr/bin/chromium}" "${FIREFOX:-firefox-esr}"; do
    command -v "$program" >/dev/null || missing+=("$program")
done
if [ ${#missing[@]} -gt 0 ]; then
    say "missing: ${missing[*]}; run  make setup"; exit 1
fi
if ! node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)'; then
    say "node $(node --version) is too old: 20 or newer is wanted"; exit 1
fi

export USER=${USER:-root}
if [ -n "${LEAF_QUICK:-}" ]; then
    make --no-print-directory npm/node_modules/.package-lock.json
    (cd npm && node scripts/build.mjs --quick)
else
    ! grep -qs '"quick":true' npm/dist/sizes.json || rm -f npm/dist/leaf.wasm
    make --no-print-directory web/dist/index.html
fi
# After the page, which it has built in.
cargo build --quiet -p leaf-native
make --no-print-directory {tests/browser,npm/packaging}/node_modules/.package-lock.json

cd tests/browser
[ $# -gt 0 ] || set -- *.test.mjs ../../npm/packaging/*.test.mjs
said=$(mktemp)
trap 'rm -f "$said"' EXIT
node --test --test-concurrency=1 --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$said" "$@"
# A test that is left out is a test that failed; so is a run of none.
grep -q '^# skipped 0$' "$said" && grep -q '^# todo 0$' "$said" || { say "tests were skipped"; exit 1; }
! grep -q '^# pass 0$' "$said" || { say "no test ran"; exit 1; }
