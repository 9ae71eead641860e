#!/bin/sh
# Plays a real pod against the agent as PID 1 and shows its trace; `vm`: in a QEMU guest instead of namespaces.
# The programs have to be built (make demo does).
set -eu
cd "$(dirname "$0")/.."
exec node_modules/.bin/node scripts/demo.ts "$@"
