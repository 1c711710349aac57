#!/usr/bin/env bash
# Installs what the tests and the demonstration need, and only what is missing; says what to do where it cannot.
set -euo pipefail

say() { echo "setup: $*" >&2; }

if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then
    say "cargo is not on the PATH: run  . \"\$HOME/.cargo/env\"  first"; exit 1
fi
if ! command -v rustup >/dev/null; then
    say "Rust comes by rustup (the cargo of Debian is too old): see https://rustup.rs, then run make again"; exit 1
fi

packages=()
needs() { command -v "$1" >/dev/null || packages+=("$2"); }
needs fossil fossil
needs clang clang
needs cc gcc
needs node nodejs
needs npm npm
needs curl curl
needs chromium chromium
needs firefox-esr firefox-esr
needs python3 python3
# Not on everybody's PATH: Debian has these among the programs of the administrator.
needs_too() { [ -x "/usr/sbin/$1" ] || needs "$1" "$2"; }
# Hosts behind routers, made of network namespaces.
needs_too ip iproute2
needs_too nft nftables
needs_too tcpdump tcpdump
needs_too nats-server nats-server
python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip)
if [ ${#packages[@]} -gt 0 ]; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        say "please install: ${packages[*]}"; exit 1
    fi
    say "installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
    # Wanted as a program to test against, not as a service of this machine.
    if [[ " ${packages[*]} " == *" nats-server "* ]] && command -v systemctl >/dev/null; then
        systemctl disable --quiet nats-server || say "the service nats-server could not be disabled"
        [ ! -d /run/systemd/system ] || systemctl stop nats-server
    fi
fi
"$(dirname "$0")/nats-server.sh" >/dev/null
"$(dirname "$0")/nats-py.sh" >/dev/null
if ! rustup target list --installed | grep -qx wasm32-unknown-unknown; then
    say "adding the target wasm32-unknown-unknown"
    rustup target add wasm32-unknown-unknown >&2
fi
# rust-src: the module for browsers is built with a standard library of its own, for size.
for component in clippy rustfmt rust-src; do
    rustup component list --installed | grep -q "^$component" || rustup component add "$component" >&2
done
