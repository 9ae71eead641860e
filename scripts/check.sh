#!/bin/sh
# Judges the sources: types, lint and format, import table, generated code, pages of the documentation, shell syntax.
# Runs all of them, then fails if any did.
set -u
cd "$(dirname "$0")/.."
bin=node_modules/.bin
failed=

# step NAME COMMAND...: runs a check, prints its output only when it fails.
step() {
  name=$1; shift
  if output=$("$@" 2>&1); then
    echo "check: $name ok"
  else
    failed="$failed $name"
    echo "$output"
    echo "check: $name FAILED"
  fi
}
shell_syntax() {
  for file in scripts/*.sh scripts/docs/*.sh scripts/package/*.sh test/docs/*.sh test/vm/*.sh test/scripts/image/*.sh rootfs/*.sh deploy/node/debian/p* .ci/run; do
    [ ! -e "$file" ] || sh -n "$file" || return 1
  done
}

step types $bin/tsc -p .
step page $bin/tsc -p src/page
step lint $bin/biome ci --colors=off --config-path=.biome.json --diagnostic-level=warn --error-on-warnings .
step imports $bin/node scripts/check-imports.ts
[ ! -e scripts/gen.ts ] || step generated $bin/node scripts/gen.ts --check
step tables $bin/node scripts/docs/gen-tables.ts --check
step pages $bin/node scripts/docs/check-pages.ts
step shell shell_syntax
if command -v cargo-fmt >/dev/null; then
  step rust cargo fmt --check --manifest-path src/sys/policy-engine/Cargo.toml
fi
[ -z "$failed" ] || { echo "check failed:$failed"; exit 1; }
