#!/usr/bin/env bash
# Prints the folder of nats-py 2.16.0, the official NATS client of Python, and fetches it first if need be.
#
# Taken from PyPI under a pinned hash, on its own: it needs no other package. For PYTHONPATH of tests alone, nothing is
# installed. It is kept in $LEAF_CACHE (~/.cache/edgesync-leaf).
set -euo pipefail
version=2.16.0
place="${LEAF_CACHE:-$HOME/.cache/edgesync-leaf}/nats-py-$version"
if [ ! -d "$place" ]; then
    echo "fetching nats-py $version into $place (once)" >&2
    mkdir -p "$(dirname "$place")"
    work=$(mktemp -d -p "$(dirname "$place")")
    trap 'rm -rf "$work"' EXIT
    cat > "$work/wanted" <<END
nats-py==$version --hash=sha256:aeb1ff123966c05833d26c7df7e1d54c1c6d32b612428b21677a2e921f1fecae
END
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        --root-user-action=ignore --target "$work/package" --requirement "$work/wanted" >&2 ||
        { echo "nats-py $version cannot be had: PyPI cannot be reached or has another wheel, or pip is missing" >&2; exit 1; }
    # Renamed into its place: who finds it finds all of it. Another run may have been faster; both are the same.
    mv -T "$work/package" "$place" 2>/dev/null || [ -d "$place" ]
fi
echo "$place"
