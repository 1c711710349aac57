#!/usr/bin/env bash
# Paired benchmarks against stock Fossil: A B A B, the same server state for both, medians and ratios.
#
# usage: bench.sh LEAF [--json] [--runs N] [--only NAME]
#
# The server of a pairing is of the same program as its client. CPU is user and system time of the client, and of the
# server with its children; peak is the client's VmHWM, sampled; wire is what the loopback interface carried, both ways.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
leaf=$(realpath "${1:?usage: bench.sh LEAF}"); shift
runs=5 json= only=
while [ $# -gt 0 ]; do case $1 in
    --json) json=1 ;; --runs) runs=$2; shift ;; --only) only=$2; shift ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac; shift; done

cache=${LEAF_CACHE:-$root/.cache}
make="$root/tests/corpus/make.sh"; generate="$root/tests/corpus/generate.sh"
stamp() { cksum < "$1" | cut -d' ' -f1; }
work=$(mktemp -d); server=
cleanup() { stop; rm -rf "$work"; }
stop() { [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; server=; }; }
trap cleanup EXIT
export HOME="$work" USER=alice TZ=UTC LC_ALL=C
ticks=$(getconf CLK_TCK)
cd "$work"

# --- servers ----------------------------------------------------------------------------------------------------------

serve() { # serve PROGRAM FILE: sets $server and $url
    stop
    if [ "$1" = leaf ]; then
        rm -f ready.json
        "$leaf" serve "$2" --http 127.0.0.1:0 --ready-file ready.json > serve.log 2>&1 & server=$!
        until [ -s ready.json ]; do sleep 0.02; done
        url=http://alice:alice-pw@$(grep -oE '127\.0\.0\.1:[0-9]+' ready.json | head -1)/
    else
        local port=$((20000 + RANDOM % 20000))
        fossil server --localhost --nojail --port "$port" "$2" > serve.log 2>&1 & server=$!
        until (exec 3<> "/dev/tcp/127.0.0.1/$port") 2>/dev/null; do kill -0 "$server"; sleep 0.02; done
        url=http://alice:alice-pw@127.0.0.1:$port/
    fi
}
server_ticks() { [ -z "$server" ] && echo 0 || awk '{ sub(/.*\) /, ""); print $12 + $13 + $14 + $15 }' "/proc/$server/stat"; }
wire() { awk '$1 == "lo:" { print $2 }' /proc/net/dev; }

# --- measuring --------------------------------------------------------------------------------------------------------

# measure PROGRAM JOB COMMAND..: one line `wall client_cpu server_cpu peak_kb wire_bytes rounds` into JOB.PROGRAM
measure() {
    local program=$1 job=$2 before_server before_wire pid peak=0 now; shift 2
    before_server=$(server_ticks); before_wire=$(wire)
    # Timed in a shell of its own, so that the time of the watcher below is not in it.
    rm -f timing peak
    bash -c 'TIMEFORMAT="%R %U %S"; time "$@" > said 2>&1; echo $? > status' timed "$@" 2> timing & pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        for child in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do
            now=$(awk '/^VmHWM/ { print $2 }' "/proc/$child/status" 2>/dev/null) || true
            [ "${now:-0}" -le "$peak" ] || peak=$now
        done
        sleep 0.005
    done
    wait "$pid"
    if [ "$(cat status)" != 0 ] || grep -q 'Error:' said; then cat said >&2; echo "bench: failed: $*" >&2; exit 1; fi
    read -r wall user system < timing
    local rounds
    rounds=$(tr '\r' '\n' < said | grep -oE '[0-9]+ rounds?|Round-trips: [0-9]+' | tail -1 | grep -oE '[0-9]+' || true)
    awk -v w="$wall" -v u="$user" -v s="$system" -v t=$(($(server_ticks) - before_server)) -v hz="$ticks" -v p="$peak" \
        -v b=$(($(wire) - before_wire)) -v r="${rounds:-0}" 'BEGIN { print w, u + s, t / hz, p, b, r }' >> "$job.$program"
}

clone_leaf() { rm -f c-leaf.fossil; measure leaf "$1" "$leaf" clone "$url" c-leaf.fossil "${@:2}"; }
clone_stock() { rm -f c-stock.fossil; measure stock "$1" fossil clone --no-open "${@:2}" "$url" c-stock.fossil; }

bench_clone() { # bench_clone JOB FILE [OPTION]
    cp "$2" origin.fossil
    for _ in $(seq "$runs"); do
        serve stock origin.fossil; clone_stock "$1" ${3:+-u}
        serve leaf origin.fossil; clone_leaf "$1" ${3:+--unversioned}
    done
}

# A hundred syncs that move nothing are one measurement: a single one is shorter than a tick of the server's clock.
bench_noop() { # bench_noop JOB FILE
    local many='for _ in {1..100}; do "$@" || exit; done'
    cp "$2" origin.fossil
    serve stock origin.fossil; fossil clone --no-open "$url" n-stock.fossil > /dev/null 2>&1
    fossil sync --once "$url" -R n-stock.fossil > /dev/null 2>&1; stop
    cp n-stock.fossil n-leaf.fossil; cp origin.fossil origin-leaf.fossil
    serve leaf origin-leaf.fossil
    for _ in 1 2; do "$leaf" sync --once -q "$url" -R n-leaf.fossil > /dev/null; done
    for _ in $(seq "$runs"); do
        serve stock origin.fossil; measure stock "$1" bash -c "$many" many fossil sync --once "$url" -R n-stock.fossil
        serve leaf origin-leaf.fossil; measure leaf "$1" bash -c "$many" many "$leaf" sync --once -q "$url" -R n-leaf.fossil
    done
    rm -f n-*.fossil origin-leaf.fossil
}

bench_thousand() { # bench_thousand push|pull
    local origin changed
    "$generate" tiny 1000 "$cache/$(stamp "$generate")-tiny-1000.fossil"
    cp "$cache/$(stamp "$generate")-tiny-1000.fossil" base.fossil
    cp base.fossil more.fossil; mkdir -p co
    (cd co && fossil open --nosync ../more.fossil && fossil settings autosync off
     awk 'BEGIN { srand(3); for (f = 0; f < 999; f++) { n = 20 + int(rand() * 150); file = "m" f ".txt"
        for (i = 0; i < n; i++) printf "%d word %d and %f\n", f, i, rand() > file; close(file) } }'
     fossil addremove && fossil commit --no-warnings --nosign -m more && fossil close) > /dev/null 2>&1
    rm -rf co
    for _ in $(seq "$runs"); do
        for program in stock leaf; do
            if [ "$1" = push ]; then cp base.fossil origin.fossil; cp more.fossil local.fossil
            else cp more.fossil origin.fossil; cp base.fossil local.fossil; fi
            serve $program origin.fossil
            if [ $program = leaf ]; then measure leaf "${1}1000" "$leaf" "$1" --once "$url" -R local.fossil
            else measure stock "${1}1000" fossil "$1" --once -v "$url" -R local.fossil; fi
        done
    done
}

bench_unversioned() {
    cp "$corpus" uv.fossil
    fossil sql -R uv.fossil "DELETE FROM unversioned;" > /dev/null
    awk 'BEGIN { srand(5); for (f = 0; f < 1000; f++) { file = "u" f; for (i = 0; i < 400; i++) printf "%d %f %d\n", i, rand(), f > file; close(file) } }'
    for i in $(seq 0 999); do fossil uv add "u$i" -R uv.fossil > /dev/null; done
    rm -f u[0-9]*
    bench_clone uv-clone-1000 "$work/uv.fossil" unversioned
}

bench_local() {
    for _ in $(seq "$runs"); do
        stop
        cp "$1" l.fossil; measure stock rebuild fossil rebuild l.fossil
        cp "$1" l.fossil; measure leaf rebuild "$leaf" rebuild l.fossil
        measure stock verify fossil test-integrity -R l.fossil
        measure leaf verify "$leaf" verify l.fossil
    done
}

# --- the jobs ---------------------------------------------------------------------------------------------------------

wanted() { [ -z "$only" ] || [[ $1 == *"$only"* ]]; }
corpus="$cache/demo-$(stamp "$make").fossil"; "$make" "$corpus"
history() { local file="$cache/$(stamp "$generate")-$1-$2.fossil"; "$generate" "$1" "$2" "$file"; echo "$file"; }
! wanted clone-corpus || bench_clone clone-corpus "$corpus"
! wanted clone-tiny10k || bench_clone clone-tiny10k "$(history tiny 10000)"
! wanted clone-tiny100k || bench_clone clone-tiny100k "$(history tiny 100000)"
! wanted clone-chain3000 || bench_clone clone-chain3000 "$(history chain 3000)"
! wanted push1000 || bench_thousand push
! wanted pull1000 || bench_thousand pull
! wanted noop-1k || bench_noop noop-1k "$(history tiny 1000)"
! wanted noop-100k || bench_noop noop-100k "$(history tiny 100000)"
! wanted uv-clone-1000 || bench_unversioned
if wanted rebuild || wanted verify; then bench_local "$(history tiny 10000)"; fi

# --- the table --------------------------------------------------------------------------------------------------------

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
row() { for column in 1 2 3 4 5 6; do cut -d' ' -f$column "$1" | median; done | paste -sd' '; }
[ -n "$json" ] || printf '%-16s %19s %6s  %17s %17s %19s %9s\n' job "wall s leaf/stock" ratio "cpu s client" "cpu s server" "peak MB" "wire ratio"
for stock in *.stock; do
    [ -e "$stock" ] || continue
    job=${stock%.stock}
    echo "$job $(row "$job.leaf") $(row "$stock")"
done | awk -v json="$json" '
    function ratio(a, b) { return b > 0 ? a / b : 0 }
    json { printf "{\"job\":\"%s\",\"leaf\":{\"wall_s\":%s,\"client_cpu_s\":%s,\"server_cpu_s\":%s,\"peak_kb\":%s,\"wire_bytes\":%s,\"rounds\":%s},\"stock\":{\"wall_s\":%s,\"client_cpu_s\":%s,\"server_cpu_s\":%s,\"peak_kb\":%s,\"wire_bytes\":%s,\"rounds\":%s}}\n", $1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13; next }
    { printf "%-16s %9.3f/%9.3f %5.2fx  %8.2f/%8.2f %8.2f/%8.2f %9.1f/%9.1f %8.2fx\n", $1, $2, $8, ratio($2, $8), $3, $9, $4, $10, $5 / 1024, $11 / 1024, ratio($6, $12) }'

# What a sync that moves nothing costs must not depend on the size of the repository.
if [ -z "$json" ] && [ -f noop-1k.leaf ] && [ -f noop-100k.leaf ]; then
    for program in leaf stock; do
        echo "$program $(row "noop-1k.$program") $(row "noop-100k.$program")"
    done | awk '{ printf "no-op sync at 100k over 1k artifacts, %s: client cpu %.2fx, server cpu %.2fx, wire %.2fx\n", $1, $9 / $3, $10 / $4, $12 / $6 }'
fi

# A tab against both programs; it prints its own lines.
if wanted tab; then
    stop
    node "$root/tests/bench/browser.mjs" "$leaf" "$runs" "${json:+1}" clone-corpus="$corpus" clone-tiny10k="$(history tiny 10000)" \
        clone-tiny100k="$(history tiny 100000)" clone-chain3000="$(history chain 3000)" open="$(history tiny 200000)" 2>&1 > tap |
        grep -E '^(tab-|size|\{)' || { cat tap >&2; exit 1; }
fi
