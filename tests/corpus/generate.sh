#!/usr/bin/env bash
# Generates a repository of many small artifacts, or of one file with a long delta chain, by stock Fossil's git import.
#
# usage: generate.sh tiny ARTIFACTS FILE | generate.sh chain LENGTH FILE       (an existing FILE is left as it is)
#
# tiny: check-ins of 100 new files of 20 to 200 bytes each; about ARTIFACTS artifacts, the same in each run.
# chain: one file of 20 KB with LENGTH versions, each one line apart from the one before.
set -euo pipefail

kind=${1:?tiny or chain}; count=${2:?a number}; out=${3:?a file}
[ ! -e "$out" ] || exit 0
command -v fossil >/dev/null || { echo "generate.sh: the program fossil is missing: apt install fossil" >&2; exit 1; }
mkdir -p "$(dirname "$out")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work" USER=alice LC_ALL=C TZ=UTC

tiny() {
    awk -v artifacts="$count" '
    function random(n) { seed = (seed * 1103515245 + 12345) % 2147483648; return int(seed / 65536) % n }
    BEGIN {
        seed = 42; checkins = int(artifacts / 101)
        for (c = 1; c <= checkins; c++) {
            printf "commit refs/heads/trunk\nmark :%d\ncommitter alice <alice> %d +0000\n", c, 1500000000 + c * 600
            message = "Add files, batch " c "\n"
            printf "data %d\n%s", length(message), message
            if (c > 1) printf "from :%d\n", c - 1
            print "deleteall"
            for (f = 1; f <= 100; f++) {
                text = c " " f
                for (words = 2 + random(22); words > 0; words--) text = text sprintf(" %06x", random(32768) * 512 + random(512))
                printf "M 100644 inline d%d/f%d.txt\ndata %d\n%s\n\n", c % 10, f + c * 100, length(text) + 1, text
            }
        }
    }'
}

chain() {
    awk -v versions="$count" '
    BEGIN {
        for (line = 0; line < 400; line++) text[line] = sprintf("line %06d of the one file of the chain, first form", line)
        for (v = 1; v <= versions; v++) {
            text[(v * 37) % 400] = sprintf("line %06d of the one file of the chain, form %06d", (v * 37) % 400, v)
            whole = ""
            for (line = 0; line < 400; line++) whole = whole text[line] "\n"
            message = "Version " v "\n"
            printf "commit refs/heads/trunk\nmark :%d\ncommitter alice <alice> %d +0000\n", v, 1500000000 + v * 600
            printf "data %d\n%s", length(message), message
            if (v > 1) printf "from :%d\n", v - 1
            printf "M 100644 inline chain.txt\ndata %d\n%s\n", length(whole), whole
        }
    }'
}

"$kind" | fossil import --git --admin-user alice "$work/new.fossil" > "$work/log" 2>&1 || { tail -5 "$work/log" >&2; exit 1; }
fossil user password alice alice-pw -R "$work/new.fossil"
fossil user capabilities alice sxy -R "$work/new.fossil" > "$work/log"
mv "$work/new.fossil" "$out.part" && mv "$out.part" "$out"
