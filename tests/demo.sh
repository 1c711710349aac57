#!/usr/bin/env bash
# The demonstration: a repository with real history, served by leaf to a browser, to leaf and to stock Fossil; edited on
# both sides, converged. Then it keeps serving: the URL it prints is a page that clones into the browser and works
# offline. Without a terminal it opens that page itself, if a Chromium is there, and ends.
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
export USER=bob TZ=UTC
home=$HOME
export HOME="$work"
cd "$work"

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
quiet() { "$@" > "$work/log" 2>&1 || { cat "$work/log"; echo "demo: failed: $*" >&2; exit 1; }; }

step "1. A repository with real history, written by stock Fossil"
origin="$cache/demo-$(cksum < "$root/tests/corpus/make.sh" | cut -d' ' -f1).fossil"
[ -e "$origin" ] || "$root/tests/corpus/make.sh" "$origin"
cp "$origin" packages.fossil
# Whoever opens the page may push: this server answers this machine alone, and the file is a copy.
quiet "$leaf" user caps nobody gjoriyz -R packages.fossil
echo "   $(cat "$origin.source"); $(du -h packages.fossil | cut -f1)"

step "2. leaf serves it: to sync, and to browsers"
port=8080
(exec 3<> "/dev/tcp/127.0.0.1/$port") 2>/dev/null && port=0
"$leaf" serve packages.fossil --http "127.0.0.1:$port" --ready-file ready.json > serve.log 2>&1 &
server=$!
for _ in $(seq 200); do [ -s ready.json ] && break; sleep 0.05; done
address=$(grep -oE '127\.0\.0\.1:[0-9]+' ready.json | head -1)
[ -n "$address" ] || { cat serve.log; echo "demo: leaf does not serve" >&2; exit 1; }
page="http://localhost:${address##*:}/"
echo "   $page"

step "3. leaf clones it and verifies every artifact; stock Fossil clones it, too"
"$leaf" clone "http://bob:bob-pw@$address/" by-leaf.fossil
quiet fossil clone --no-open --admin-user bob "http://bob:bob-pw@$address/" by-stock.fossil
echo "   $(fossil test-integrity -R by-stock.fossil 2>&1 | tr '\r' '\n' | grep -o '[0-9]* non-phantom.*errors' || true)"

step "4. Both clones are edited, and sync with the server"
echo "written by leaf" > from-leaf.txt
"$leaf" commit -R by-leaf.fossil -m "A check-in by leaf" --branch trunk --user bob --allow-fork notes/from-leaf.txt=from-leaf.txt
mkdir checkout
(cd checkout && quiet fossil open --nosync ../by-stock.fossil && quiet fossil settings autosync off &&
    echo "written by stock" > notes/from-stock.txt && quiet fossil add notes/from-stock.txt &&
    quiet fossil commit --no-warnings --nosign --branch by-stock -m "A check-in by stock Fossil")
"$leaf" sync "http://bob:bob-pw@$address/" -R by-leaf.fossil
quiet fossil sync --once "http://bob:bob-pw@$address/" -R by-stock.fossil
"$leaf" sync "http://bob:bob-pw@$address/" -R by-leaf.fossil
for file in packages by-leaf by-stock; do
    fossil sql -R $file.fossil "SELECT uuid FROM blob WHERE size>=0 AND rid NOT IN private ORDER BY 1;" > $file.list
done
cmp -s packages.list by-leaf.list && cmp -s packages.list by-stock.list ||
    { echo "demo: the three repositories differ" >&2; exit 1; }
echo "   three repositories, the same $(wc -l < packages.list) artifacts; by stock:"
fossil timeline -n 3 -t ci -R by-stock.fossil | sed 's/^/   /'

if [ -t 0 ] && [ -t 1 ] && [ -z "${CI:-}" ]; then
    step "5. Now a browser. Open:  $page"
    cat <<TEXT
   The page clones the repository into this browser: read it, edit a file, commit. Switch the network off, or
   stop this server, and go on; what you commit is sent when the two meet again. What arrives here shows in

     fossil timeline -t ci -R $work/packages.fossil

   With stock Fossil:  fossil clone http://bob:bob-pw@$address/ my.fossil
   With leaf:          $leaf clone http://bob:bob-pw@$address/ mine.fossil

Serving until Ctrl-C.
TEXT
    wait "$server"
    exit
fi

step "5. A browser clones it, edits, commits, and syncs"
if [ -x "${CHROMIUM:-/usr/bin/chromium}" ] && [ -d "$root/tests/browser/node_modules" ]; then
    HOME=$home node "$root/tests/browser/visit.mjs" "$page"
    fossil timeline -n 1 -t ci -R packages.fossil | sed 's/^/   /'
    fossil timeline -n 1 -t ci -R packages.fossil | grep -q "A check-in by a browser" ||
        { echo "demo: the check-in of the browser did not arrive" >&2; exit 1; }
else
    curl -fsS "$page" | grep -q "<title>" || { echo "demo: the page is not served" >&2; exit 1; }
    echo "   no Chromium to open it with: $page is served"
fi
