#!/usr/bin/env bash
# The demonstration of leaves without a server: two homes behind routers, with no route between them, pair by two
# commands, commit, and converge; directly where the routers let holes be made, else by a relay that cannot read.
#
# usage: demo-peers.sh LEAF
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
leaf=$(realpath "${1:?usage: demo-peers.sh LEAF}")
[ "$(id -u)" -eq 0 ] || { echo "demo: hosts are made of network namespaces, and that takes root" >&2; exit 1; }
cache=${LEAF_CACHE:-$root/.cache}
origin="$cache/demo-$(cksum < "$root/tests/corpus/make.sh" | cut -d' ' -f1).fossil"
[ -e "$origin" ] || "$root/tests/corpus/make.sh" "$origin"
work=$(mktemp -d)
net=leaf-$$-demo
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
export TZ=UTC

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
shown() { printf '   \033[36m%s $\033[0m %s\n' "$1" "$2"; }
indent() { sed 's/^/     /'; }
fail() { echo "demo: $*" >&2; exit 1; }

# on HOST COMMAND...: in a home and a folder of its own, as its own user.
on() {
    local host=$1; shift
    (cd "$work/$host" && HOME=$PWD USER=${host,,} exec ip netns exec "$net-$host" "$@")
}

servers=()
stop() {
    [ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2>/dev/null || true
    wait
    servers=()
    "$root/tests/nets/net.sh" down "$net"
}

# serve HOST FILE ARGS...: begins, and waits until it answers.
serve() {
    local host=$1 ready="$work/$1/ready.json"
    on "$host" "$leaf" serve "${@:2}" --ready-file "$ready" > "$work/$host/log" 2>&1 &
    servers+=($!)
    for _ in $(seq 600); do [ -s "$ready" ] && return; sleep 0.05; done
    cat "$work/$host/log"; fail "leaf does not serve"
}

# Bytes that went by an interface to the wide area, one way.
bytes() { ip -n "$net-$1" -s -j link show dev wan | sed -E "s/.*\"$2\":\{\"bytes\":([0-9]+).*/\1/"; }

artifacts() { fossil sql -R "$1" "SELECT uuid FROM blob WHERE size>=0 AND rid NOT IN private ORDER BY 1;"; }

# commit HOST FILE
commit() {
    echo "written in $1" > "$work/$1/note.txt"
    on "$1" "$leaf" commit -R "$2" -m "A check-in in $1" --branch trunk --user "${1,,}" --allow-fork "notes/$1.txt=note.txt"
}

# meet easy|hard WHAT
meet() {
    rm -rf "${work:?}"/*
    mkdir "$work"/{HomeA,HomeB,Public}
    "$root/tests/nets/net.sh" up "$net" "$1"
    step "$2"
    on HomeA ping -c 1 -W 1 10.2.0.2 > /dev/null 2>&1 && fail "there is a route between the homes"
    echo "   no route from HomeA to HomeB; both reach 198.51.100.1, where a leaf is the relay of these two"
    on Public "$leaf" new meet.fossil --quiet > /dev/null
    for home in HomeA HomeB; do
        on Public "$leaf" peers allow "$(on $home "$leaf" id)" --name $home --cap g -R meet.fossil --quiet > /dev/null
    done
    serve Public meet.fossil --iroh --relay --http 198.51.100.1:8080
    cp "$origin" "$work/HomeA/packages.fossil"
    serve HomeA packages.fossil --http 127.0.0.1:0 --iroh --relay-url http://198.51.100.1:8080
    # The relay's line is the slow one, as it is in the world.
    ip netns exec "$net-Public" tc qdisc replace dev wan root tbf rate 16mbit burst 64kb latency 50ms
    local before came
    before=$(bytes Public tx)

    shown HomeA "leaf invite packages.fossil"
    local ticket
    ticket=$(on HomeA "$leaf" invite packages.fossil --quiet)
    echo "     $ticket" | cut -c1-100
    shown HomeB "leaf join TICKET packages.fossil"
    on HomeB "$leaf" join "$ticket" packages.fossil --name HomeB 2>&1 | indent
    grep -oE 'code="?[0-9 ]+' "$work/HomeA/log" | tr -d '"' | sed 's/code=/     HomeA shows the code /'

    commit HomeA packages.fossil | indent
    commit HomeB packages.fossil | indent
    shown HomeB "leaf sync -R packages.fossil"
    on HomeB "$leaf" sync -R packages.fossil 2>&1 | cut -c1-100 | indent
    artifacts "$work/HomeA/packages.fossil" > "$work/A.list"
    artifacts "$work/HomeB/packages.fossil" > "$work/B.list"
    cmp -s "$work/A.list" "$work/B.list" || fail "the two repositories differ"
    fossil test-integrity -R "$work/HomeB/packages.fossil" 2>&1 | tr '\r' '\n' | grep -q ' 0 errors' ||
        fail "stock finds errors"
    came=$(bytes RouterB rx)
    echo "   both have the same $(wc -l < "$work/A.list") artifacts, sound by the word of stock Fossil"
    echo "   $((came / 1000)) kB came to HomeB, of these by the relay: $((($(bytes Public tx) - before) / 1000)) kB"
    stop
}

meet easy "1. Two homes, behind routers that let them make a hole for each other"
meet hard "2. The same, behind routers that let no hole be made: by the relay, which cannot read it"
