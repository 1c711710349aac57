#!/usr/bin/env bash
# The demonstration: a repository with real history, served by leaf, cloned by leaf and by stock Fossil, edited on both
# sides, converged. Keeps serving on a terminal; ends by itself without one.
#
# usage: demo.sh LEAF
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
leaf=$(realpath "${1:?usage: demo.sh LEAF}")
cache=${LEAF_CACHE:-$root/.cache}
work=$(mktemp -d)
server=
cleanup() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT
trap 'exit 0' INT TERM
export HOME="$work" USER=bob TZ=UTC
cd "$work"

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
quiet() { "$@" > "$work/log" 2>&1 || { cat "$work/log"; echo "demo: failed: $*" >&2; exit 1; }; }

step "1. A repository with real history, written by stock Fossil"
origin="$cache/demo-$(cksum < "$root/tests/corpus/make.sh" | cut -d' ' -f1).fossil"
[ -e "$origin" ] || "$root/tests/corpus/make.sh" "$origin"
cp "$origin" packages.fossil
echo "   $(cat "$origin.source"); $(du -h packages.fossil | cut -f1)"

step "2. leaf serves it"
"$leaf" serve packages.fossil --http 127.0.0.1:0 --ready-file ready.json > serve.log 2>&1 &
server=$!
for _ in $(seq 200); do [ -s ready.json ] && break; sleep 0.05; done
address=$(grep -oE '127\.0\.0\.1:[0-9]+' ready.json | head -1)
[ -n "$address" ] || { cat serve.log; echo "demo: leaf does not serve" >&2; exit 1; }
echo "   http://$address/"

step "3. leaf clones it and verifies every artifact"
"$leaf" clone "http://bob:bob-pw@$address/" by-leaf.fossil

step "4. Stock Fossil clones it, too"
quiet fossil clone --no-open --admin-user bob "http://bob:bob-pw@$address/" by-stock.fossil
echo "   $(fossil test-integrity -R by-stock.fossil 2>&1 | tr '\r' '\n' | grep -o '[0-9]* non-phantom.*errors' || true)"

step "5. Both clones are edited"
echo "written by leaf" > from-leaf.txt
"$leaf" commit -R by-leaf.fossil -m "A check-in by leaf" --branch trunk --user bob --allow-fork notes/from-leaf.txt=from-leaf.txt
mkdir checkout
(cd checkout && quiet fossil open --nosync ../by-stock.fossil && quiet fossil settings autosync off &&
    echo "written by stock" > notes/from-stock.txt && quiet fossil add notes/from-stock.txt &&
    quiet fossil commit --no-warnings --nosign --branch by-stock -m "A check-in by stock Fossil")

step "6. Both sync with the server"
"$leaf" sync "http://bob:bob-pw@$address/" -R by-leaf.fossil
quiet fossil sync --once "http://bob:bob-pw@$address/" -R by-stock.fossil
"$leaf" sync "http://bob:bob-pw@$address/" -R by-leaf.fossil

step "7. Both have both check-ins"
echo "   by leaf:";  "$leaf" timeline -R by-leaf.fossil -n 3
echo "   by stock:"; fossil timeline -n 3 -t ci -R by-stock.fossil
for file in packages by-leaf by-stock; do
    fossil sql -R $file.fossil "SELECT uuid FROM blob WHERE size>=0 AND rid NOT IN private ORDER BY 1;" > $file.list
done
cmp -s packages.list by-leaf.list && cmp -s packages.list by-stock.list ||
    { echo "demo: the three repositories differ" >&2; exit 1; }
echo "   three repositories, the same $(wc -l < packages.list) artifacts"

step "Try it yourself, with stock Fossil:"
cat <<TEXT
   fossil clone http://bob:bob-pw@$address/ my.fossil
   mkdir my && cd my && fossil open ../my.fossil && fossil ui
   echo hello > hello.txt && fossil add hello.txt && fossil commit -m hello      (autosync pushes it to leaf)
or with leaf:
   $leaf clone http://bob:bob-pw@$address/ mine.fossil
   $leaf timeline -R mine.fossil
TEXT
if [ -t 0 ] && [ -t 1 ] && [ -z "${CI:-}" ]; then
    echo; echo "Serving until Ctrl-C."
    wait "$server"
fi
