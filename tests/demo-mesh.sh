#!/usr/bin/env bash
# The demonstration of the mesh, on real history: tests/browser/mesh-demo.mjs does it.
#
# usage: demo-mesh.sh LEAF [ROUNDS]
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
leaf=$(realpath "${1:?usage: demo-mesh.sh LEAF [ROUNDS]}")
cache=${LEAF_CACHE:-$root/.cache}
origin="$cache/demo-$(cksum < "$root/tests/corpus/make.sh" | cut -d' ' -f1).fossil"
[ -e "$origin" ] || "$root/tests/corpus/make.sh" "$origin"
exec node "$root/tests/browser/mesh-demo.mjs" "$leaf" "$origin" "${2:-9}"
