#!/usr/bin/env bash
# Load on the broker of leaf and on two real servers, in turns: throughput, the server's CPU per message, requests,
# memory. Medians; the ratios are leaf's figure over the other's.
#
# usage: nats.sh LEAF [--rounds N]
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
leaf=$(realpath "${1:?usage: nats.sh LEAF [--rounds N]}"); shift
newer=$("$root/tests/nats-server.sh")
cargo build --quiet --release --manifest-path "$root/Cargo.toml" -p leaf-tests --bin nats-load
load=$root/target/release/nats-load

work=$(mktemp -d); pids=()
cleanup() { kill "${pids[@]}" 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT
mkdir "$work/repositories"
cd "$work"

# Each listens where the system lets it, and says where in a file.
"$leaf" serve repositories --http 127.0.0.1:0 --nats 127.0.0.1:0 --ready-file ready.json > leaf.log 2>&1 &
pids+=($!); targets=("leaf=@ready.json=$!")
for server in /usr/sbin/nats-server "$newer"; do
    name=nats$("$server" --version | grep -oE '[0-9]+\.[0-9]+' | head -1)
    mkdir "$name"
    "$server" -a 127.0.0.1 -p -1 --ports_file_dir "$name" > "$name.log" 2>&1 &
    pids+=($!); targets+=("$name=@$name=$!")
done
sleep 1

arguments=()
for target in "${targets[@]}"; do
    place=${target#*=@}; place=${place%=*}
    case $place in
        ready.json) port=$(grep -oE '"nats":\["127\.0\.0\.1:[0-9]+' ready.json | grep -oE '[0-9]+$') ;;
        *) port=$(grep -ohE 'nats://127\.0\.0\.1:[0-9]+' "$place"/*.ports | head -1 | grep -oE '[0-9]+$') ;;
    esac
    arguments+=("${target%%=*}=127.0.0.1:$port=${target##*=}")
done
"$load" "$@" "${arguments[@]}"
